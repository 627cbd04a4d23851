"""The verdicts of gates, for people at a terminal."""

from collections.abc import Iterator
from typing import Final

from covls.core.gaps import Gap
from covls.core.gates import DEFAULT_PATCH, DEFAULT_TOTAL, Check, Outcome, Verdict
from covls.core.report import counted, printable

SHOWN: Final = 10
"""Gaps and stale files of one verdict that are named, at most."""

BY_DEFAULT: Final = (
    f"No gates are configured, so these are covls's own: total {DEFAULT_TOTAL:g}, patch "
    f"{DEFAULT_PATCH:g}. Set others in [tool.covls.gates]."
)

WORDS: Final = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "FAILED",
    Outcome.UNKNOWN: "UNKNOWN",
    Outcome.SKIPPED: "skipped",
}


def gates_text(check: Check) -> Iterator[str]:
    """The lines to print."""
    if check.by_default:
        yield BY_DEFAULT
    width = max((len(verdict.gate) for verdict in check.verdicts), default=0)
    for verdict in check.verdicts:
        word = WORDS[verdict.outcome]
        yield printable(f"{word:<7}  {verdict.gate:<{width}}  {verdict.message}")
        yield from (f"  {line}" for line in _details(verdict))


def gap_words(gap: Gap) -> str:
    """What a gap would bring, and of a branch which it is."""
    parts = [
        counted(number, thing)
        for number, thing in ((gap.statements, "statement"), (gap.branches, "branche"))
        if number
    ]
    words = " and ".join(parts).replace("1 branche", "1 branch")
    return f"{words}: {gap.words}" if gap.words else words


def flaky_words(verdict: Verdict) -> str:
    """Which lines are left out."""
    more = len(verdict.flaky) - SHOWN
    names = ", ".join(verdict.flaky[:SHOWN]) + (f" and {more} more" if more > 0 else "")
    return f"Flaky, and left out: {names}"


def needed_words(verdict: Verdict) -> str:
    """How many more would do, and that what follows is where."""
    more = "One more would do" if verdict.needed == 1 else f"{verdict.needed} more would do"
    return f"{more}, as here:" if verdict.gaps else f"{more}."


def _details(verdict: Verdict) -> Iterator[str]:
    for words in verdict.stale[:SHOWN]:
        yield printable(words)
    if len(verdict.stale) > SHOWN:
        yield f"and {len(verdict.stale) - SHOWN} more"
    if verdict.flaky:
        yield printable(flaky_words(verdict))
    if verdict.needed:
        yield needed_words(verdict)
        for gap in verdict.gaps[:SHOWN]:
            yield printable(f"  {gap.place}  {gap_words(gap)}")
        if len(verdict.gaps) > SHOWN:
            yield f"  and {counted(len(verdict.gaps) - SHOWN, 'place')} more"
    if verdict.remedy:
        yield printable(verdict.remedy)
