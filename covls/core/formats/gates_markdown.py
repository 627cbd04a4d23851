"""The verdicts of gates as Markdown, for comments and step summaries."""

from collections.abc import Iterator
from typing import Final

from covls.core.formats.gates_text import BY_DEFAULT, SHOWN, flaky_words, gap_words, needed_words
from covls.core.gates import Check, Outcome, Verdict
from covls.core.report import escape_markdown, printable

_WORDS: Final = {
    Outcome.PASSED: "✅ passed",
    Outcome.FAILED: "❌ failed",
    Outcome.UNKNOWN: "⚠️ not judged",
    Outcome.SKIPPED: "➖ skipped",
}


def gates_markdown(check: Check) -> Iterator[str]:
    """The lines: a table of verdicts, and below it what would turn each."""
    if check.by_default:
        yield _text(BY_DEFAULT)
        yield ""
    yield "| Gate | Verdict | |"
    yield "| --- | --- | --- |"
    for verdict in check.verdicts:
        name, message = _text(verdict.gate), _text(verdict.message)
        yield f"| {name} | {_WORDS[verdict.outcome]} | {message} |"
    for verdict in check.verdicts:
        details = list(_details(verdict))
        if details:
            yield ""
            yield f"**{_text(verdict.gate)}**"
            yield ""
            yield from details


def _details(verdict: Verdict) -> Iterator[str]:
    for words in verdict.stale[:SHOWN]:
        yield f"- {_text(words)}"
    if len(verdict.stale) > SHOWN:
        yield f"- and {len(verdict.stale) - SHOWN} more"
    if verdict.flaky:
        yield f"- {_text(flaky_words(verdict))}"
    if verdict.needed:
        yield needed_words(verdict)
        if verdict.gaps:
            yield ""
        for gap in verdict.gaps[:SHOWN]:
            yield f"- {_text(gap.place)}: {_text(gap_words(gap))}"
        if len(verdict.gaps) > SHOWN:
            yield f"- and {len(verdict.gaps) - SHOWN} more"
    if verdict.remedy:
        yield ""
        yield _text(verdict.remedy)


def _text(text: str) -> str:
    return escape_markdown(printable(text))
