"""From the lines of the text that was measured to the lines of the text on screen."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from covls.core.lines import LineRange


@dataclass(frozen=True)
class Change:
    """Lines that differ: `before` of the measured text stand as `after` in the current one.

    Each is the first line and the number of lines, 1-based; a number of 0 is a place between
    lines, so that an insertion has no lines before and a deletion none after.
    """

    before: tuple[int, int]
    after: tuple[int, int]


@dataclass(frozen=True)
class LineMap:
    """Which current line each measured line is, where its text is the same."""

    n_before: int
    n_after: int
    changes: tuple[Change, ...]
    """What differs, in order, with equal text between."""

    @cached_property
    def current(self) -> Sequence[int]:
        """The current line of each measured line by its number, 0 where it changed or is gone."""
        lines = [0] * (self.n_before + 1)
        position, shift = 1, 0
        for change in self.changes:
            first, count = change.before
            lines[position:first] = range(position + shift, first + shift)
            position = first + count
            shift += change.after[1] - count
        lines[position:] = range(position + shift, self.n_before + 1 + shift)
        return lines

    def move(self, lines: LineRange) -> LineRange | None:
        """Where a block of lines is now, or None if any of it changed or was torn apart."""
        first, last = lines
        if not 0 < first <= last <= self.n_before:
            return None
        moved = self.current[first], self.current[last]
        # Equal lines keep their order, so a block whose ends are as far apart as before, with
        # both ends there, can only have changed in the middle.
        if not moved[0] or moved[1] - moved[0] != last - first:
            return None
        return moved if all(self.current[first : last + 1]) else None


def map_lines(before: Sequence[str], after: Sequence[str]) -> LineMap:
    """Map the measured text's lines to the current text's.

    Equal ends are taken off first, for an edit is mostly in one place; what is left is cut at
    lines that stand exactly once on both sides and in the same order (as "patience diff" does),
    and each piece is trimmed again.
    """
    changes: list[Change] = []
    _compare(before, after, 0, len(before), 0, len(after), changes)
    return LineMap(len(before), len(after), tuple(changes))


def _compare(
    before: Sequence[str],
    after: Sequence[str],
    b_start: int,
    b_end: int,
    a_start: int,
    a_end: int,
    changes: list[Change],
) -> None:
    while b_start < b_end and a_start < a_end and before[b_start] == after[a_start]:
        b_start += 1
        a_start += 1
    while b_start < b_end and a_start < a_end and before[b_end - 1] == after[a_end - 1]:
        b_end -= 1
        a_end -= 1
    if b_start == b_end and a_start == a_end:
        return
    anchors = _anchors(before, after, b_start, b_end, a_start, a_end)
    if not anchors:
        changes.append(Change((b_start + 1, b_end - b_start), (a_start + 1, a_end - a_start)))
        return
    for b_anchor, a_anchor in [*anchors, (b_end, a_end)]:
        if (b_anchor, a_anchor) != (b_start, a_start):
            _compare(before, after, b_start, b_anchor, a_start, a_anchor, changes)
        b_start, a_start = b_anchor + 1, a_anchor + 1


def _anchors(
    before: Sequence[str],
    after: Sequence[str],
    b_start: int,
    b_end: int,
    a_start: int,
    a_end: int,
) -> list[tuple[int, int]]:
    """Pairs of places of lines that stand once on each side, the longest run in order of both."""
    b_places = _unique(before, b_start, b_end)
    if not b_places:
        return []
    a_places = _unique(after, a_start, a_end)
    pairs = [(place, a_places[line]) for line, place in b_places.items() if line in a_places]
    in_order = [place for _, place in pairs]
    if in_order == sorted(in_order):
        # Nothing was moved, as is usual while somebody types.
        return pairs
    # The longest increasing subsequence of the places in `after` (patience sorting).
    tails: list[int] = []
    tail_pairs: list[int] = []
    previous: list[int] = []
    for index, (_, place) in enumerate(pairs):
        pile = bisect_left(tails, place)
        previous.append(tail_pairs[pile - 1] if pile else -1)
        if pile == len(tails):
            tails.append(place)
            tail_pairs.append(index)
        else:
            tails[pile] = place
            tail_pairs[pile] = index
    chain: list[tuple[int, int]] = []
    index = tail_pairs[-1] if tail_pairs else -1
    while index >= 0:
        chain.append(pairs[index])
        index = previous[index]
    return chain[::-1]


def _unique(lines: Sequence[str], start: int, end: int) -> dict[str, int]:
    """Where each line stands that stands there once; in order. Blank lines say nothing."""
    places: dict[str, int] = {}
    twice: set[str] = set()
    for place in range(start, end):
        line = lines[place]
        if line in places:
            twice.add(line)
        elif line and not line.isspace():
            places[line] = place
    for line in twice:
        del places[line]
    return places
