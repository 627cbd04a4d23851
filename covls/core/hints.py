"""What is said at the ends of lines, for editors that show no marks: tests, and what never ran."""

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from covls.core.coverage import State
from covls.core.drift import LineMap
from covls.core.lenses import tests_in_words
from covls.core.marks import Freshness, Mark, MissedBranch
from covls.core.reached import Reached

_SHORT = (
    (re.compile(r"the (\w+) on line \d+ was always true"), r"\1 never false"),
    (re.compile(r"the (\w+) on line \d+ was never true"), r"\1 never true"),
    (re.compile(r"the (\w+) on line \d+ never started"), r"\1 never started"),
    (re.compile(r"the (\w+) on line \d+ didn't complete"), r"\1 never completed"),
    (re.compile(r"the (\w+) on line \d+ (never|always) matched"), r"\1 \2 matched"),
    (re.compile(r"the (\w+) caught by line \d+ didn't happen"), r"\1 never happened"),
)
"""coverage.py's reasons, as few words. It has few kinds of them; see its `PythonParser`."""


@dataclass(frozen=True, slots=True)
class Hint:
    """The first line of a statement of the current text, and what is said behind it."""

    line: int
    words: str


def hints(
    marks: Iterable[Mark], line_map: LineMap, reached: Reached | None, first: int, last: int
) -> tuple[Hint, ...]:
    """The hints on lines `first` to `last` of the current text, in order.

    `marks` are those of the current text, `line_map` leads to it, and `reached` are the tests of
    the measured text, None where none were recorded.
    """
    starts = line_map.after_starts
    low, high = bisect_left(starts, first), bisect_left(starts, last + 1)
    measured = {now: was for was, now in enumerate(line_map.partners) if low <= now < high}
    found: list[Hint] = []
    for mark in marks:
        if mark.end < first or mark.start > last:
            continue
        place = max(low, bisect_left(starts, mark.start))
        while place < high and starts[place] <= mark.end:
            was = measured.get(place)
            count = 0
            if reached is not None and was is not None:
                before = line_map.before
                count = reached.count(range(before.starts[was], before.ends[was] + 1))
            if words := _words(mark, count):
                found.append(Hint(starts[place], words))
            place += 1
    return tuple(found)


def _words(mark: Mark, tests: int) -> str:
    """What is said of a statement; nothing of one that ran outside of tests only."""
    if mark.freshness is Freshness.EDITED:
        return "edited"
    if mark.freshness is Freshness.NEW:
        return "not measured yet"
    if mark.state is State.EXCLUDED:
        return ""
    words = ["never run"] if mark.state is State.MISSING else []
    if tests:
        words.append(tests_in_words(tests))
    words += dict.fromkeys(missed_in_words(branch) for branch in mark.branches)
    if words and mark.freshness is Freshness.UNVERIFIED:
        words.append("not verified")
    return " · ".join(words)


def missed_in_words(branch: MissedBranch) -> str:
    """Why a branch was not taken, or, where coverage.py gives no one reason, what it leads to."""
    reasons = [
        found.expand(short) for pattern, short in _SHORT for found in pattern.finditer(branch.words)
    ]
    if len(reasons) == 1:
        return reasons[0]
    return "exit never reached" if branch.target is None else f"line {branch.target} never reached"
