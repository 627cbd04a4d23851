"""Coverage that was lost: what a run before this one covered, and this one does not."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from covls.core.branches import leads_on, leads_out
from covls.core.coverage import FileCoverage
from covls.core.drift import LineMap
from covls.core.lines import Arc

TESTS_NAMED = 3

FEW_FILES = 4
"""Files that both runs reached, from which on it tells something that most of them lost lines."""

_SKIPS = re.compile(r"skip", re.IGNORECASE)
_SKIPS_INSIDE = re.compile(r"\b(?:skip|skipTest|importorskip|SkipTest)\b")
_OUTERMOST = re.compile(r"(?:pytestmark|pytest\.|raise\s|\w+\s*=\s*pytest\.importorskip)")
_BLANK = re.compile(r"\s*(?:#|$)")
_TEST_FILE = re.compile(r"(?:^|[\\/])(?:test_[^\\/]*|[^\\/]*_test|tests|conftest)\.py$")


@dataclass(frozen=True, slots=True)
class Loss:
    """The run that covered last what no test covers now."""

    tests: tuple[str, ...]
    """Tests that covered it, one or a few of them; none where that was not recorded."""
    at: float
    """When that run wrote its data, in seconds since the epoch."""
    when: str
    """The same for people, by the clock on their wall."""
    last: bool
    """Whether it was the last run before the one on show."""

    def with_tests(self, tests: Iterable[str]) -> "Loss":
        """The same, covered by more tests."""
        return replace(self, tests=tuple(dict.fromkeys([*self.tests, *tests])))


@dataclass(frozen=True, slots=True)
class Losses:
    """What was lost in one file, by lines of the text that the data on show measured."""

    lines: Mapping[int, Loss] = field(default_factory=dict)
    """By the first line of a statement."""
    branches: Mapping[Arc, Loss] = field(default_factory=dict)


NOTHING_LOST = Losses()


def lost_words(lost: Loss, what: str = "Covered") -> str:
    """Until when, and by which tests, something was covered that is not now, as a sentence."""
    by = ""
    if lost.tests:
        more = len(lost.tests) - TESTS_NAMED
        by = f" by {', '.join(lost.tests[:TESTS_NAMED])}" + (
            f" and {more} more" if more > 0 else ""
        )
    if lost.last:
        return f"{what}{by} until the last run."
    return f"Last {what.lower()}{by} in the run of {lost.when}."


_NUMBERS = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def until_words(commit: str, authored: datetime, now: datetime) -> str:
    """At which commit something was covered last, and how long ago that was, as a sentence.

    >>> until_words("abc1234def", datetime(2026, 1, 1), datetime(2026, 1, 4, 12))
    'Covered until commit abc1234 (three days ago).'
    """
    return f"Covered until commit {commit[:7]} ({_ago((now - authored).days)})."


def _ago(days: int) -> str:
    if days <= 0:
        # The clock that the commit was made by may be ahead of this one.
        return "today"
    number, unit = next(
        (days // size, unit)
        for size, unit in ((365, "year"), (30, "month"), (7, "week"), (1, "day"))
        if days >= 2 * size or size == 1
    )
    if number == 1:
        return "yesterday"
    words = _NUMBERS[number] if number < len(_NUMBERS) else str(number)
    return f"{words} {unit}s ago"


def lost(
    before: FileCoverage, now: FileCoverage, line_map: LineMap
) -> tuple[dict[int, int], set[Arc]]:
    """The statements and branches that `before` has as covered, and `now` as missing.

    `line_map` leads from the text that was measured before to the one that is measured now: what
    was edited between the two is not lost. Returns the lines with the first line of each statement
    as it was, and the branches.
    """
    lines: dict[int, int] = {}
    branches: set[Arc] = set()
    missing, missed = now.missing, now.missing_branches
    for line in before.executed:
        moved = line_map.move((line, before.analysis.last_line(line)))
        if moved is None:
            continue
        here = moved[0]
        if here in missing:
            lines[here] = line
        elif here in missed:
            for end in before.executed_branches.get(line, ()):
                if (there := _target(before, line_map, line, end, missed[here])) is not None:
                    branches.add((here, there))
    return lines, branches


def _target(
    before: FileCoverage, line_map: LineMap, line: int, end: int, missed: tuple[int, ...]
) -> int | None:
    """Which of the ways `missed` now is the one that led from `line` to `end`."""
    if end < 0:
        exits = [target for target in missed if target < 0]
        return exits[0] if len(exits) == 1 and leads_out(line_map, line) else None
    moved = line_map.move((end, before.analysis.last_line(end)))
    if moved is None or moved[0] not in missed or not leads_on(line_map, line, end):
        return None
    return moved[0]


class Written(StrEnum):
    """What the sources say of a test that a run before has run."""

    GONE = "gone"
    SKIPPED = "skipped"
    EDITED = "edited"  #: The file that it is in was modified since.
    THERE = "there"


def left_out_test(
    before: Iterable[str], now: Iterable[str], written: Callable[[str], Written]
) -> str | None:
    """A test that shows that the run `now` was partial: it is still there, and was not run.

    None where there is no such test. One that is skipped now was asked for; and one in a file that
    was edited may have been made to reach nothing that is measured, of which no trace is left,
    unless more tests of that file are missing than were run.
    """
    ran = frozenset(now)
    unseen: list[str] = []
    for test in sorted(frozenset(before) - ran):
        found = written(test)
        if found is Written.THERE:
            return test
        if found is Written.EDITED:
            unseen.append(test)
    ran_in = Counter(map(_module, ran))
    for module, count in Counter(map(_module, unseen)).items():
        if count > ran_in[module]:
            return next(test for test in unseen if _module(test) == module)
    return None


def left_out_file(
    before: Mapping[str, int], now: Mapping[str, int], written: Callable[[str], Written]
) -> str | None:
    """A file that shows, where tests are not told apart, that the run `now` was partial.

    By file, the numbers are those of the lines that ran. None where nothing speaks for it. A file
    of tests that is not reached any more, or runs fewer lines although nobody edited it; two
    other files that are not reached any more; or fewer lines than before in most files.
    """
    unreached: list[str] = []
    shrunk: list[str] = []
    both = 0
    for path, count in sorted(before.items()):
        if not count:
            continue
        here = now.get(path, 0)
        both += here > 0
        if here >= count:
            continue
        found = written(path)
        if found is Written.GONE:
            continue
        tests = bool(_TEST_FILE.search(path))
        if tests and (here < count / 2 or found is Written.THERE):
            return path
        (shrunk if here else unreached).append(path)
    if len(unreached) > 1:
        return unreached[0]
    if both >= FEW_FILES and len(shrunk) > both / 2:
        return shrunk[0]
    return None


def _module(test: str) -> str:
    """The file or the class that a test is in, as far as its name tells."""
    return test.partition("::")[0] if "::" in test else test.rpartition(".")[0]


def says_skip(lines: Sequence[str], line: int) -> bool:
    """Whether the test that is written on `line` (1-based) of a file may be skipped.

    It goes by the word: in the decorators of the test and of the classes that it is in, in its
    body, and in what is said of the whole module.
    """
    indent = _indent(lines[line - 1])
    for text in lines[line:]:
        if not _BLANK.match(text):
            if _indent(text) <= indent:
                break
            if _SKIPS_INSIDE.search(text):
                return True
    # Upwards: the test's own decorators, then each class around it with its decorators.
    decorates = True
    inside: list[str] = []
    for text in reversed(lines[: line - 1]):
        if _BLANK.match(text):
            continue
        width = _indent(text)
        if width > indent:
            inside.append(text)
            continue
        if width < indent:
            indent, decorates = width, True
        elif text[width] not in "@)":
            decorates = False
        elif decorates and any(map(_SKIPS.search, [text, *inside])):
            return True
        inside = []
    return any(_OUTERMOST.match(text) and _SKIPS.search(text) for text in lines)


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())
