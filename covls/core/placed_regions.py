"""Functions and classes where they are in the current text, and whether what was measured of them
is still true there.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter

from covls.core.analysis import Region
from covls.core.coverage import FileCoverage
from covls.core.drift import LineMap
from covls.core.lines import LineRange
from covls.core.marks import Freshness, Mark
from covls.core.statements import parents_of, runs

_FUNCTION = re.compile(r"[ \t\f]*(?:async\s+)?def\s+(\w+)")
_CLASS = re.compile(r"[ \t\f]*class\s+(\w+)")


@dataclass(frozen=True, slots=True)
class PlacedRegion:
    """A function or class of the current text.

    `start` is the line of its `def` or `class`, not of a decorator, and `end` the last line of its
    body. `freshness` is that of the whole: edited if anything in it that can run was changed, came
    in or was taken away. `coverage` is that of the measured text; there is none of a new function,
    and none where the first line was edited, for that may be another by now.
    """

    kind: str
    name: str
    start: int
    end: int
    freshness: Freshness
    measured: Region | None = None
    coverage: FileCoverage | None = None


def placed_regions(
    coverage: FileCoverage, marks: Iterable[Mark], line_map: LineMap, *, verified: bool = True
) -> tuple[PlacedRegion, ...]:
    """The functions and classes that the current text has, by line, outer ones first.

    `marks` are those of the current text. One that was measured and is gone is left out; a function
    that came in is new.
    """
    fresh = Freshness.FRESH if verified else Freshness.UNVERIFIED
    before, starts = line_map.before, line_map.after_starts
    measured = coverage.named_regions
    if not line_map.changes:
        return _sorted(
            PlacedRegion(region.kind, name, region.start, _last_line(region), fresh, region, inner)
            for name, region, inner in measured
        )
    outline = _Outline(line_map)
    was_edited_to = {was: now for now, was in line_map.took_place if was >= 0}
    headers: dict[int, int] = {}
    """The header of each region, measured → current, as it may have been edited."""
    found: list[tuple[str, Region, FileCoverage, int, int]] = []
    for name, region, inner in measured:
        place = before.index.get(region.start, -1)
        if place < 0:
            continue
        now = line_map.partners[place]
        if now < 0:
            now = was_edited_to.get(place, -1)
        if now >= 0 and outline.kind(now) == region.kind:
            headers[place] = now
            found.append((name, region, inner, place, now))
    changed = _Changes(line_map, outline, headers)
    edited = changed.in_text(marks) | changed.in_classes()
    placed = []
    for name, region, inner, place, now in found:
        header_kept = line_map.partners[place] == now
        kept = header_kept and now not in edited and changed.holds_together(place, region.ranges)
        placed.append(
            PlacedRegion(
                region.kind,
                name if header_kept else outline.name(now),
                starts[now],
                outline.last_line(now, line_map.after_ends),
                fresh if kept else Freshness.EDITED,
                region,
                inner if header_kept else None,
            )
        )
    known = set(headers.values())
    for now, _ in line_map.took_place:
        if now not in known and outline.kind(now) == "function":
            name, end = outline.name(now), outline.last_line(now, line_map.after_ends)
            placed.append(PlacedRegion("function", name, starts[now], end, Freshness.NEW))
    return _sorted(placed)


def _last_line(region: Region) -> int:
    return max((end for _, end in region.ranges), default=region.start)


def _sorted(placed: Iterable[PlacedRegion]) -> tuple[PlacedRegion, ...]:
    return tuple(sorted(placed, key=lambda region: (region.start, -region.end)))


def _kind(header: str) -> str:
    """What a statement begins by its first line: "function", "class", or nothing."""
    if _FUNCTION.match(header):
        return "function"
    return "class" if _CLASS.match(header) else ""


class _Outline:
    """Which statement's body each statement of the current text is in, by indentation."""

    def __init__(self, line_map: LineMap) -> None:
        self._text = line_map.after
        self._starts = line_map.after_starts
        indents: list[int] = []
        before, partners = line_map.before, line_map.partners
        for first, end, _ in (*line_map.kept, (len(partners), len(partners), 0)):
            # What stands as it stood has the indentation that it had.
            stop = partners[first] if first < end else len(self._starts)
            indents += [self._text.indent(line) for line in self._starts[len(indents) : stop]]
            indents += before.indents[first:end]
        self._indents = indents
        self.parents = parents_of(indents)

    def _header(self, index: int) -> str:
        return self._text.lines[self._starts[index] - 1]

    def kind(self, index: int) -> str:
        """What a statement begins: "function", "class", or nothing."""
        return _kind(self._header(index))

    def name(self, index: int) -> str:
        """The name of the function or class that a statement begins, with those it is in."""
        names = []
        while index >= 0:
            found = _FUNCTION.match(self._header(index)) or _CLASS.match(self._header(index))
            if found:
                names.append(found[1])
            index = self.parents[index]
        return ".".join(reversed(names))

    def last_line(self, index: int, ends: Sequence[int]) -> int:
        """The last line of a header's body."""
        indent = self._indents[index]
        last = index
        while last + 1 < len(self._indents) and self._indents[last + 1] > indent:
            last += 1
        return ends[last]

    def around(self, index: int, kind: str) -> int:
        """The header of the function or class that a statement is in, -1 if it is in none."""
        while (index := self.parents[index]) >= 0 and self.kind(index) != kind:
            pass
        return index


class _Changes:
    """What of the measured regions is not as it was in the current text."""

    def __init__(self, line_map: LineMap, now: _Outline, headers: dict[int, int]) -> None:
        self._line_map = line_map
        self._now = now
        self._headers = headers

    def in_text(self, marks: Iterable[Mark]) -> set[int]:
        """The current headers of what holds a statement that was edited, or came in.

        A class has its methods' statements, and no others: so coverage.py counts.
        """
        starts, outline = self._line_map.after_starts, self._now
        found: set[int] = set()
        for mark in marks:
            if mark.freshness not in (Freshness.EDITED, Freshness.NEW):
                continue
            for place in range(bisect_left(starts, mark.start), bisect_right(starts, mark.end)):
                function = outline.around(place, "function")
                if function >= 0:
                    found |= {function, outline.around(function, "class")}
        return found

    def in_classes(self) -> set[int]:
        """The current headers of classes that a method has left, or come to."""
        found: set[int] = set()
        for was, now in self._headers.items():
            if self._now.kind(now) == "function":
                before, here = self._class_around(was), self._now.around(now, "class")
                before_now = self._headers.get(before, -1)
                if before_now != here:
                    found |= {before_now, here}
        return found

    def _class_around(self, was: int) -> int:
        """The header of the class that a measured statement is in, -1 if it is in none."""
        before = self._line_map.before
        while (was := before.parents[was]) >= 0:
            if _kind(before.lines[before.starts[was] - 1]) == "class":
                break
        return was

    def holds_together(self, header: int, ranges: Sequence[LineRange]) -> bool:
        """Whether the statements on some measured lines are all there, in order, each below the
        header that it was below. `header` is that of the region which they are.
        """
        before, partners = self._line_map.before, self._line_map.partners
        kept = self._line_map.kept
        stretch = bisect_right(kept, header, key=itemgetter(0)) - 1
        if stretch >= 0 and all(end <= before.ends[kept[stretch][1] - 1] for _, end in ranges):
            return True
        for first, end in ranges:
            place, last = before.first_from(first), -1
            while place < len(before.starts) and before.starts[place] <= end:
                now = partners[place]
                if now < 0:
                    if runs(before.key(before.starts[place], before.ends[place])):
                        return False
                else:
                    if now < last:
                        return False
                    last = now
                    parent = self._line_map.before.parents[place]
                    here = partners[parent] if parent >= 0 else -1
                    if self._headers.get(parent, here) != self._now.parents[now]:
                        return False
                place += 1
        return True
