"""All that a patch changes, file by file, with what is known of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from covls.core.gaps import Gap
from covls.core.lines import LineRange
from covls.core.marks import Freshness
from covls.core.patch import NOTHING, FilePatch, PatchTotals

CONTEXT = 2
"""Lines that are shown above and below what is told of."""


@dataclass(frozen=True, slots=True)
class PatchedFile:
    """A file that the patch changes: what it changes, on the lines of its text after that."""

    name: str
    patch: FilePatch
    gaps: tuple[Gap, ...] = ()
    is_new: bool = False
    lines: Sequence[str] = ()
    """The whole text, after the patch."""
    unknown: str = ""
    """Why nothing is known of the file; empty where something is."""
    name_before: str = ""
    """What it was called, where it was renamed."""
    gone: tuple[LineRange, ...] = ()
    """The lines of the statements that were taken away, in its text before the patch."""


@dataclass(frozen=True, slots=True)
class LeftOutFile:
    """A file that is changed and in no figure, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class PatchedFiles:
    """All that was changed."""

    base: str
    """What it is told against, for people."""
    commit: str
    files: tuple[PatchedFile, ...] = ()
    left_out: tuple[LeftOutFile, ...] = ()

    @property
    def totals(self) -> PatchTotals:
        """The figures of all files."""
        return sum((file.patch.totals for file in self.files), NOTHING)


@dataclass(frozen=True, slots=True)
class StaleLines:
    """Changed lines of which nothing is known."""

    first: int
    last: int
    words: str


@dataclass(frozen=True, slots=True)
class Section:
    """Lines to show together, both included, and what is told of some of them."""

    first: int
    last: int
    told: tuple[Gap | StaleLines, ...]

    def marked(self, line: int) -> Gap | StaleLines | None:
        """What is told of a line."""
        return next((each for each in self.told if each.first <= line <= each.last), None)


def stale_lines(file: PatchedFile) -> Iterator[StaleLines]:
    """The changed lines of a file that are in no figure, by line."""
    if file.unknown:
        yield from (StaleLines(first, last, file.unknown) for first, last in file.patch.lines)
        return
    words = {
        Freshness.EDITED: "edited since the tests ran",
        Freshness.NEW: "new since the tests ran",
        Freshness.UNVERIFIED: "not surely what was measured",
    }
    for mark in file.patch.marks:
        if mark.freshness in words:
            yield StaleLines(mark.start, mark.end, words[mark.freshness])


def sections(file: PatchedFile) -> tuple[Section, ...]:
    """What there is to tell of a file, each with the lines around it; what is near is together."""
    every: list[Gap | StaleLines] = [*file.gaps, *stale_lines(file)]
    told = sorted(every, key=lambda each: (each.first, each.last))
    # A text that ends in a line end has an empty line behind it.
    count = len(file.lines) - (not file.lines or not file.lines[-1])
    found: list[Section] = []
    for each in told:
        first, last = _around((each.first, each.last), count)
        above = found[-1] if found else None
        if above is not None and first <= above.last + 1:
            found[-1] = Section(above.first, max(last, above.last), (*above.told, each))
        else:
            found.append(Section(first, last, (each,)))
    return tuple(found)


def _around(lines: LineRange, count: int) -> LineRange:
    return max(1, lines[0] - CONTEXT), max(lines[1], min(count, lines[1] + CONTEXT))
