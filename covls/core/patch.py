"""The coverage of what was changed: of the statements that a patch touches, and of no others.

A statement is touched if any of its lines was changed, added, or taken out of it. So a change of
the second line of a call counts as a change of the call, of which coverage.py counts the first.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from covls.core.coverage import NOTHING as NO_TOTALS
from covls.core.coverage import FileCoverage, State, Totals, narrow
from covls.core.drift import Change, LineMap
from covls.core.layout import Known, known
from covls.core.lines import LineRange, ranges
from covls.core.lost import NOTHING_LOST
from covls.core.marks import Freshness, Mark, changed_marks, missed_branches, moved_lines


@dataclass(frozen=True, slots=True)
class PatchTotals:
    """Counts of a patch that add up over files."""

    known: Totals = NO_TOTALS
    """Of the touched statements whose code is the one that was measured."""
    edited: int = 0
    new: int = 0
    unverified: int = 0
    """Touched statements of which nothing is known: edited or added after they were measured, or
    in a file of which it is not known what was."""

    def __add__(self, other: "PatchTotals") -> "PatchTotals":
        return PatchTotals(
            self.known + other.known,
            self.edited + other.edited,
            self.new + other.new,
            self.unverified + other.unverified,
        )

    @property
    def stale(self) -> int:
        """Touched statements that are in no figure, as nothing is known of them."""
        return self.edited + self.new + self.unverified

    @property
    def counted(self) -> int:
        """What the percentage is of: statements and branches."""
        return self.known.n_statements + self.known.n_branches

    @property
    def percent(self) -> float | None:
        """Touched statements and branches that are covered, 0 to 100; None where there are none."""
        return self.known.percent if self.counted else None


NOTHING = PatchTotals()
"""The counts of a patch that touches no statement."""


@dataclass(frozen=True, slots=True)
class FilePatch:
    """What a patch does to one file, on the lines of its current text."""

    lines: tuple[LineRange, ...] = ()
    """The lines that were changed, and all others of the statements that were touched."""
    marks: tuple[Mark, ...] = ()
    """What is known of them."""
    totals: PatchTotals = NOTHING
    statements: frozenset[int] = frozenset()
    """The first measured lines of the touched statements whose code is the one that was measured,
    without those that are laid out on more lines than then, or on fewer."""

    def touches(self, first: int, last: int) -> bool:
        """Whether any of some lines is the patch's."""
        place = bisect_left(self.lines, first, key=lambda each: each[1])
        return place < len(self.lines) and self.lines[place][0] <= last


def file_patch(
    coverage: FileCoverage,
    line_map: LineMap,
    found: Iterable[Mark],
    changes: Iterable[Change],
    *,
    verified: bool = True,
) -> FilePatch:
    """The patch of one file, of which all marks were `found`.

    `line_map` leads from the measured text to the current one, `changes` (see `changed_lines`) from
    the base's text to the current one. Where the measured text is not known (`verified` is false)
    nothing is known of any statement.
    """
    lines, touched = _touched(line_map, changes)
    if not lines:
        return FilePatch()
    before, analysis = line_map.before, coverage.analysis
    firsts = {
        analysis.first_line(line)
        for place, now in enumerate(line_map.partners)
        if now in touched and place not in line_map.group_of
        for line in range(before.starts[place], before.ends[place] + 1)
    }
    fresh: set[int] = set()
    edited = new = 0
    for first in firsts & coverage.statements:
        now = moved_lines(line_map, first, analysis.last_line(first))
        if now is None:
            continue
        lines.update(range(now[0], now[1] + 1))
        partial = first in coverage.partial
        if partial and missed_branches(coverage, line_map, first, NOTHING_LOST) is None:
            edited += 1
        else:
            fresh.add(first)
    for mark in changed_marks(coverage, line_map):
        if mark.state is not State.EXCLUDED and not lines.isdisjoint(
            range(mark.start, mark.end + 1)
        ):
            edited += mark.freshness is Freshness.EDITED
            new += mark.freshness is Freshness.NEW
    counted = narrow(coverage, fresh).totals
    for each in _regrouped(coverage, line_map, touched):
        if each.state is None:
            edited += 1
        elif each.state is not State.EXCLUDED:
            counted += _figures(each.state)
    if verified:
        totals = PatchTotals(counted, edited, new)
    else:
        totals = PatchTotals(edited=edited, new=new, unverified=counted.n_statements)
    where = ranges(lines)
    return FilePatch(where, tuple(inside(found, where)), totals, frozenset(fresh))


def _regrouped(
    coverage: FileCoverage, line_map: LineMap, touched: Collection[int]
) -> Iterator[Known]:
    """The touched statements that are laid out on more lines than when they ran, or on fewer."""
    for group in line_map.regrouped:
        places = range(group[2], group[3])
        lines = {line_map.after_starts[place] for place in places if place in touched}
        if lines:
            yield from (each for each in known(coverage, line_map, group) if each.start in lines)


def _figures(state: State) -> Totals:
    """A statement alone. Of one that was never measured by itself no more branches are known than
    that one of two was taken, where that is so.
    """
    if state is State.PARTIAL:
        return Totals(n_statements=1, n_branches=2, n_partial_branches=1, n_missing_branches=1)
    return Totals(n_statements=1, n_missing=state is State.MISSING)


def _touched(line_map: LineMap, changes: Iterable[Change]) -> tuple[set[int], set[int]]:
    """The lines of a patch, and the current statements that it touches, counted from 0."""
    starts, ends = line_map.after_starts, line_map.after_ends
    lines: set[int] = set()
    touched: set[int] = set()
    for change in changes:
        first, count = change.after
        # What only went away touches a statement if it was inside of it.
        above, below = (first, first + count - 1) if count else (first - 1, first)
        lines.update(range(first, first + count))
        low, high = bisect_left(ends, above), bisect_right(starts, below)
        for place in range(low, high):
            if count or (starts[place] <= above and below <= ends[place]):
                touched.add(place)
                lines.update(range(starts[place], ends[place] + 1))
    return lines, touched


def inside(marks: Iterable[Mark], lines: Sequence[LineRange]) -> list[Mark]:
    """The parts of marks that are on some lines, in order."""
    found: list[Mark] = []
    place = 0
    for mark in marks:
        while place < len(lines) and lines[place][1] < mark.start:
            place += 1
        if place == len(lines):
            break
        if lines[place][0] <= mark.start and mark.end <= lines[place][1]:
            found.append(mark)
        elif lines[place][0] <= mark.end:
            found += (part for part, within in split(mark, lines) if within)
    return found


def split(mark: Mark, lines: Sequence[LineRange]) -> list[tuple[Mark, bool]]:
    """The parts of a mark, and whether each is on the lines."""
    parts: list[tuple[Mark, bool]] = []
    done = mark.start
    for first, last in lines[bisect_left(lines, mark.start, key=lambda each: each[1]) :]:
        first, last = max(first, mark.start), min(last, mark.end)
        if first > last:
            break
        if done < first:
            parts.append((_part(mark, done, first - 1), False))
        parts.append((_part(mark, first, last), True))
        done = last + 1
    if done <= mark.end:
        parts.append((_part(mark, done, mark.end), False))
    return parts


def _part(mark: Mark, start: int, end: int) -> Mark:
    return replace(mark, start=start, end=end)
