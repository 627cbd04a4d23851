"""From the statements of the text that was measured to those of the text on screen.

Lines are compared first, as characters: an edit is mostly in one place, and what stands above and
below it is settled. Around each change both texts are looked at as statements, until they are in
step again. Those whose code is the same are paired, in order; functions and classes that were cut
and pasted are found by their content.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, repeat

from covls.core.lines import LineRange
from covls.core.statements import (
    NotLexedError,
    Text,
    is_header,
    key_of,
    logical_lines,
    may_have_parts,
    names_of,
    parts_of,
    runs,
    same_code,
)

ALIKE = 0.5
"""The share of words that a statement must have in common with what it was before an edit."""

MOST_REALIGNED = 100
"""Statements between two gaps, at most, that are compared anew to see if one fills the other."""

MOST_COMPARED = 2500
"""Pairs of statements of one change of which the likeness is looked at, at most."""

IN_STEP = 4
FAR_IN_STEP = 40
MANY_CHANGES = 32
"""How many statements in a row must stand unchanged between two changes for the texts to be taken
for in step there; more of them where there are many changes, as after a reformat. Then lines that
happen to look the same, an `else:` of one block and that of another, are many, too."""

_DEFINITION = re.compile(r"\s*(?:async\s+)?(?:def|class)\b\s*(\w*)")

_FUNCTION = re.compile(r"\s*(?:async\s+)?def\b")

Gap = tuple[int, int, int, int]
"""Places from and to on one side, from and to on the other, the ends not included: nothing
between them is equal."""


@dataclass(frozen=True, slots=True)
class Change:
    """Lines that differ: `before` of the measured text stand as `after` in the current one.

    Each is the first line and the number of lines, 1-based; a number of 0 is a place between
    lines, so that an insertion has no lines before and a deletion none after.
    """

    before: tuple[int, int]
    after: tuple[int, int]


@dataclass(frozen=True)
class LineMap:
    """Which statement of the current text each one of the measured text is, if its code is there.

    Statements are counted from 0; lines, as everywhere, from 1.
    """

    before: Text
    after: Text
    changes: tuple[Change, ...]
    """The lines whose characters differ."""
    after_starts: Sequence[int]
    after_ends: Sequence[int]
    """The first and the last line of each statement of the current text."""
    partners: Sequence[int]
    """The current statement that has the code of each measured one, or -1."""
    regrouped: Sequence[Gap]
    """Statements whose code is laid out on more lines, or on fewer: from and to on each side, one
    of which is a single logical line of several statements, as `if a: b` is. The partner of the
    first that runs, if it stands first, is the first that runs."""
    took_place: Sequence[tuple[int, int]]
    """Each current statement without a partner, and the measured one that it was before it was
    edited, -1 where it is new; ascending."""
    kept: Sequence[tuple[int, int, int]]
    """Measured statements in a row that stand as they stood, with all lines between: the first, the
    end (not included), and how many lines below; ascending. There may be more that do."""

    def move(self, lines: LineRange) -> LineRange | None:
        """Where a statement is now, given by its first and last line, or None if it was edited."""
        first, last = lines
        index = self.before.index.get(first)
        if index is None:
            return None
        start = found = self.partners[index]
        ends = self.before.ends
        while found >= 0 and ends[index] < last and index + 1 < len(ends):
            # Of a text that is no Python every line is a statement, whatever its analysis says.
            index += 1
            found = found + 1 if self.partners[index] == found + 1 else -1
        if found < 0 or ends[index] != last:
            return None
        return self.after_starts[start], self.after_ends[found]

    @cached_property
    def current(self) -> Sequence[int]:
        """The current line of each measured line by its number, 0 where it changed or is gone.

        A statement that is laid out otherwise than before begins and ends where it does now.
        """
        lines = [0] * (len(self.before.lines) + 1)
        position, shift = 1, 0
        for change in self.changes:
            first, count = change.before
            lines[position:first] = range(position + shift, first + shift)
            position = first + count
            shift += change.after[1] - count
        lines[position:] = range(position + shift, len(lines) + shift)
        starts, ends = self.before.starts, self.before.ends
        for index, partner in enumerate(self.partners):
            start, end = starts[index], ends[index]
            if partner < 0:
                lines[start : end + 1] = [0] * (end + 1 - start)
                continue
            now, last = self.after_starts[partner], self.after_ends[partner]
            if lines[start] != now or lines[end] != last:
                size = end - start
                lines[start:end] = [min(now + offset, last) for offset in range(size)]
                lines[end] = last if size else now
        for b, b_end, a, a_end in self.regrouped:
            first, last = self.after_starts[a], self.after_ends[a_end - 1]
            for line in range(starts[b], ends[b_end - 1] + 1):
                lines[line] = lines[line] or first
            if ends[b] > starts[b]:
                lines[ends[b_end - 1]] = last
        return lines

    def measured(self, first: int, last: int) -> set[int]:
        """The first lines of the measured statements whose code now stands on some lines."""
        low = bisect_left(self.after_ends, first)
        high = bisect_right(self.after_starts, last)
        found = {
            self.before.starts[index]
            for index, partner in enumerate(self.partners)
            if low <= partner < high
        }
        for b, b_end, a, a_end in self.regrouped:
            if a < high and low < a_end:
                found.update(self.before.starts[b:b_end])
        return found

    @cached_property
    def group_of(self) -> Mapping[int, Gap]:
        """The group that a measured statement is in, of those that were regrouped."""
        return {index: group for group in self.regrouped for index in range(group[0], group[1])}

    def became(self, index: int) -> range:
        """The current statements that a measured one is now, or is among; -1 where there is none.

        The first of them is what leads into it.
        """
        group = self.group_of.get(index)
        if group is not None:
            return range(group[2], group[3])
        return range(self.partners[index], self.partners[index] + 1)

    @cached_property
    def edited(self) -> bool:
        """Whether anything that can run was changed, was taken away or came in."""
        before, partners = self.before, self.partners
        return bool(self.took_place) or any(
            runs(before.key(before.starts[index], before.ends[index]))
            for index in self._not_kept
            if partners[index] < 0 and index not in self.group_of
        )

    @cached_property
    def has_moves(self) -> bool:
        """Whether statements that are still there are in another order."""
        partners = self.partners
        # Within what is kept they are in order.
        ends = [each for first, end, _ in self.kept for each in (first, end - 1)]
        places = sorted({*self._not_kept, *ends})
        found = [partners[place] for place in places if partners[place] >= 0]
        return found != sorted(found)

    @cached_property
    def _not_kept(self) -> Sequence[int]:
        """The measured statements that are in no stretch that is kept."""
        found: list[int] = []
        done = 0
        for first, end, _ in self.kept:
            found += range(done, first)
            done = end
        found += range(done, len(self.partners))
        return found

    def now(self, line: int) -> int:
        """The current line of a measured one, 0 where it changed or is gone."""
        index = self.before.index.get(line)
        if index is None:
            return self.current[line] if line < len(self.current) else 0
        partner = self.partners[index]
        return self.after_starts[partner] if partner >= 0 else self.current[line]

    def untouched(self, first: int, last: int) -> bool:
        """Whether no character was changed from one measured line to another."""
        place = bisect_right(self.changes, last, key=lambda change: change.before[0]) - 1
        return place < 0 or sum(self.changes[place].before) <= first


def drift(before: Text, after: Text) -> LineMap:
    """Find the measured text's statements in the current text.

    While the current text makes no sense, with a bracket or a string left open, the change that
    opened it is taken line by line, and what stands below is what it was.
    """
    if not before.lexed:
        before, after = before.by_line, after.by_line
    changes = map_lines(before.lines, after.lines)
    found = _Pairing(before, after, changes)
    found.run()
    return LineMap(
        before,
        after,
        changes,
        found.starts,
        found.ends,
        found.partners,
        tuple(sorted(found.regrouped)),
        found.edits(),
        found.kept(),
    )


def unchanged(text: Text) -> LineMap:
    """The map from a text to itself."""
    places = range(len(text.starts))
    whole = [(0, len(places), 0)] if places else []
    return LineMap(text, text, (), text.starts, text.ends, places, (), (), whole)


class _Pairing:
    """The work of `drift`: statements of the current text, and who has whose code."""

    def __init__(self, before: Text, after: Text, changes: Sequence[Change]) -> None:
        self.before = before
        self.after = after
        self.changes = changes
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.partners = [-1] * len(before.starts)
        self.gaps: list[Gap] = []
        self.regrouped: list[Gap] = []
        self.broken: set[Gap] = set()
        """The gaps of which the current side is lines, not statements."""
        self._stretches: list[tuple[int, int, int, int]] = []
        """Measured statements in a row of which all lines are unchanged: first, end, where in the
        current text the first is, and how many lines below."""

    def run(self) -> None:
        """Go through the changes, and through what is unchanged between them."""
        before = self.before
        done = number = shift = 0
        while number < len(self.changes):
            change = self.changes[number]
            first = before.first_from(change.before[0])
            self._unchanged(done, first, shift)
            number, done, shift = self._changed(first, number, shift)
        self._unchanged(done, len(before.starts), shift)
        if self.gaps:
            self._realign()
            moves = _Moves(self)
            moves.definitions()
            moves.redefined()
            moves.into_others()
            moves.displaced()
            moves.astray()
        for line in before.doubtful:
            place = before.first_from(line)
            if place < len(before.starts) and before.starts[place] <= line:
                self._part(place)

    def kept(self) -> list[tuple[int, int, int]]:
        """The stretches that are still paired as they were found."""
        return [
            (first, end, shift)
            for first, end, here, shift in self._stretches
            if self.partners[first:end] == list(range(here, here + end - first))
            and not any(group[0] < end and first < group[1] for group in self.regrouped)
        ]

    def _part(self, place: int) -> None:
        """Take a measured statement for another than any current one."""
        now = self.partners[place]
        group = next((group for group in self.regrouped if group[0] <= place < group[1]), None)
        if group is not None:
            self.regrouped.remove(group)
            self.partners[group[0] : group[1]] = [-1] * (group[1] - group[0])
            self.gaps.append(group)
        elif now >= 0:
            self.partners[place] = -1
            self.gaps.append((place, place + 1, now, now + 1))

    def _unchanged(self, first: int, end: int, shift: int) -> None:
        """Take over statements of which all lines stand as they were, so many lines below."""
        here = len(self.starts)
        self.partners[first:end] = range(here, here + end - first)
        if first < end:
            self._stretches.append((first, end, here, shift))
        starts, ends = self.before.starts[first:end], self.before.ends[first:end]
        self.starts += [line + shift for line in starts] if shift else starts
        self.ends += [line + shift for line in ends] if shift else ends

    def _changed(self, first: int, number: int, shift: int) -> tuple[int, int, int]:
        """Look at a change, and at what it reaches, as code.

        `first` is the first measured statement that it touches. Returns the next change to look
        at, the statement from which on the texts are in step again, and how many lines lower.
        """
        before, changes = self.before, self.changes
        torn = first < len(before.starts) and before.starts[first] < changes[number].before[0]
        start = before.starts[first] + shift if torn else changes[number].after[0]
        if before.lexed and self.after.python:
            step = _Step(before, changes, number)
            try:
                found = list(logical_lines(self.after.lines, start, step.reached))
            except NotLexedError:
                pass
            else:
                end = step.statement if step.statement >= 0 else len(before.starts)
                number = step.number if step.statement >= 0 else len(changes)
                self._pair(first, end, found)
                return number, end, step.shift
        return self._line_by_line(first, number, start)

    def _line_by_line(self, first: int, number: int, start: int) -> tuple[int, int, int]:
        before, changes, lines = self.before, self.changes, self.after.lines
        end = first
        while True:
            change = changes[number]
            number += 1
            below = change.before[0] + change.before[1]
            shift = change.after[0] + change.after[1] - below
            while end < len(before.starts) and before.starts[end] < below:
                end += 1
            if end > first:
                below = max(below, before.ends[end - 1] + 1)
            if number == len(changes) or changes[number].before[0] >= below:
                break
        found = [
            (line, line)
            for line in range(start, below + shift)
            if (text := lines[line - 1].strip()) and not (self.after.python and text[0] == "#")
        ]
        known = len(self.gaps)
        self._pair(first, end, found, broken=True)
        self.broken.update(self.gaps[known:])
        return number, end, shift

    def _pair(
        self, first: int, end: int, found: Sequence[LineRange], *, broken: bool = False
    ) -> None:
        """Pair measured statements, `first` to before `end`, with those found in their place."""
        here = len(self.starts)
        self.starts += [start for start, _ in found]
        self.ends += [end for _, end in found]
        last = len(self.starts)
        self._settle(first, end, here, last, self._same_code(first, end, here, last, broken))

    def _same_code(self, b: int, b_end: int, a: int, a_end: int, broken: bool) -> list[Gap]:
        """What is the same in two stretches of statements: runs of as many on both sides, and
        single logical lines that are several on the other side.
        """
        old = [self.key_before(i) for i in range(b, b_end)]
        new = [self.key_after(i) for i in range(a, a_end)]
        different = gaps(old, new)
        if (
            self.before.lexed
            and not broken
            and any(
                i < i_end
                and j < j_end
                and (
                    any(map(may_have_parts, old[i:i_end])) or any(map(may_have_parts, new[j:j_end]))
                )
                for i, i_end, j, j_end in different
            )
        ):
            return _same_parts(
                [_Parts(self.before, *self._lines_before(i)) for i in range(b, b_end)],
                [_Parts(self.after, self.starts[j], self.ends[j]) for j in range(a, a_end)],
                b,
                a,
            )
        same: list[Gap] = []
        i = j = 0
        for gap in [*different, (len(old), len(old), len(new), len(new))]:
            if gap[0] > i:
                same.append((b + i, b + gap[0], a + j, a + gap[2]))
            i, j = gap[1], gap[3]
        return same

    def _lines_before(self, index: int) -> LineRange:
        return self.before.starts[index], self.before.ends[index]

    def _settle(self, b: int, b_end: int, a: int, a_end: int, same: Sequence[Gap]) -> None:
        """Pair two stretches of statements by what is the same in them."""
        self.regrouped = [group for group in self.regrouped if not b <= group[0] < b_end]
        for group in [*same, (b_end, b_end, a_end, a_end)]:
            first, end, here, last = group
            self.partners[b:end] = [-1] * (end - b)
            self._pair_by_code(b, first, a, here)
            if end - first == last - here:
                self.partners[first:end] = range(here, last)
            else:
                self.regrouped.append(group)
                # `else:` alone is nothing that runs.
                now = next((j for j in range(here, last) if runs(self.key_after(j))), here)
                was = next((i for i in range(first, end) if runs(self.key_before(i))), first)
                self.partners[was] = now
            b, a = end, last

    def pair_again(self, b: int, b_end: int, a: int, a_end: int) -> None:
        """Pair two stretches of statements anew, none of which has a partner elsewhere."""
        self._settle(b, b_end, a, a_end, self._same_code(b, b_end, a, a_end, broken=False))

    def _realign(self) -> None:
        """Compare again, as code, what lies between two gaps, where one may fill the other.

        Of code that stands there twice, lines may have been taken for the wrong ones' twins.
        """
        number = 0
        while number + 1 < len(self.gaps):
            (b, b_stop, a, a_stop), (b_next, b_end, a_next, a_end) = self.gaps[number : number + 2]
            between = b_next - b_stop
            one_fills_the_other = (b < b_stop and a_next < a_end) or (a < a_stop and b_next < b_end)
            known = self.gaps
            if (
                one_fills_the_other
                and between <= MOST_REALIGNED
                and known[number] not in self.broken
            ):
                same = self._same_code(b, b_end, a, a_end, broken=False)
                if sum(group[1] - group[0] for group in same) > between:
                    self.gaps = []
                    self._settle(b, b_end, a, a_end, same)
                    self.gaps = [*known[:number], *self.gaps, *known[number + 2 :]]
                    continue
            number += 1

    def _pair_by_code(self, b: int, b_end: int, a: int, a_end: int) -> None:
        """Pair statements whose tokens differ by what parses to the same code."""
        if b == b_end or a == a_end or not self.before.lexed:
            self._leave(b, b_end, a, a_end)
            return
        old = [names_of(self.key_before(i)) for i in range(b, b_end)]
        new = [names_of(self.key_after(i)) for i in range(a, a_end)]
        left = b, a
        for place, now in _equal(gaps(old, new), len(old), len(new)):
            i, j = b + place, a + now
            old_source = self.before.source(self.before.starts[i], self.before.ends[i])
            if same_code(old_source, self.after.source(self.starts[j], self.ends[j])):
                self._leave(left[0], i, left[1], j)
                self.partners[i] = j
                left = i + 1, j + 1
        self._leave(left[0], b_end, left[1], a_end)

    def _leave(self, b: int, b_end: int, a: int, a_end: int) -> None:
        if b < b_end or a < a_end:
            self.gaps.append((b, b_end, a, a_end))

    def key_before(self, index: int) -> str:
        """The key of a measured statement."""
        return self.before.key(self.before.starts[index], self.before.ends[index])

    def key_after(self, index: int) -> str:
        """The key of a current statement."""
        return self.after.key(self.starts[index], self.ends[index])

    def edits(self) -> list[tuple[int, int]]:
        """What each current statement without a partner was before, or -1; ascending."""
        taken = set(self.partners)
        taken.update(now for group in self.regrouped for now in range(group[2], group[3]))
        found: list[tuple[int, int]] = []
        # Gaps may overlap where something was looked at again; what was found last counts.
        for gap in reversed(self.gaps):
            b, b_end, a, a_end = gap
            old = [i for i in range(b, b_end) if self.partners[i] < 0]
            new = [i for i in range(a, a_end) if i not in taken]
            taken.update(new)
            if gap in self.broken and old:
                old += [old[-1]] * (len(new) - len(old))
            if len(new) > len(old) > 0:
                old = self._by_likeness(old, new)
            found += zip(new, chain(old, repeat(-1)), strict=False)
        return sorted(found)

    def _by_likeness(self, old: Sequence[int], new: Sequence[int]) -> list[int]:
        """What each of more statements than there were was before, in order; -1: nothing."""
        found = [-1] * len(new)
        place = 0
        if len(old) * len(new) <= MOST_COMPARED:
            alike = self._alike(
                [set(self.key_before(i).split()) for i in old],
                [set(self.key_after(i).split()) for i in new],
            )
        else:
            alike = []
        free = 0
        for i, j in [*alike, (len(old), len(new))]:
            # What is between those that are alike came one for one, as far as it goes.
            for k in range(min(i - place, j - free)):
                found[free + k] = old[place + k]
            if i < len(old):
                found[j] = old[i]
            place, free = i + 1, j + 1
        return found

    @staticmethod
    def _alike(old: Sequence[set[str]], new: Sequence[set[str]]) -> list[tuple[int, int]]:
        """The pairs, in order on both sides, that have most words in common all together."""
        best: list[list[tuple[float, tuple[int, int] | None]]] = [
            [(0.0, None)] * (len(new) + 1) for _ in range(len(old) + 1)
        ]
        for i in range(len(old) - 1, -1, -1):
            for j in range(len(new) - 1, -1, -1):
                words = len(old[i]) + len(new[j])
                like = 2 * len(old[i] & new[j]) / words if words else 0.0
                below, right = best[i + 1][j][0], best[i][j + 1][0]
                best[i][j] = (below, (i + 1, j)) if below > right else (right, (i, j + 1))
                if like >= ALIKE and like + best[i + 1][j + 1][0] >= best[i][j][0]:
                    best[i][j] = (like + best[i + 1][j + 1][0], None)
        pairs: list[tuple[int, int]] = []
        i = j = 0
        while i < len(old) and j < len(new):
            step = best[i][j][1]
            if step is None:
                pairs.append((i, j))
                step = i + 1, j + 1
            i, j = step
        return pairs


@dataclass(slots=True)
class _Parts:
    """The statements of one logical line."""

    text: Text
    start: int
    end: int
    sources: Sequence[str] = ()
    keys: Sequence[str] = ()

    def __post_init__(self) -> None:
        key = self.text.key(self.start, self.end)
        source = self.text.source(self.start, self.end)
        if may_have_parts(key):
            self.sources = parts_of(source)
            self.keys = [key_of(part) for part in self.sources]
        else:
            self.sources, self.keys = [source], [key]


def _same_parts(before: Sequence[_Parts], after: Sequence[_Parts], b: int, a: int) -> list[Gap]:
    """What is the same in two stretches of logical lines that begin with statements `b` and `a`.

    Their parts are compared, and lines that are made of the same parts are the same.
    """
    old = [(i, place) for i, line in enumerate(before) for place in range(len(line.keys))]
    new = [(j, place) for j, line in enumerate(after) for place in range(len(line.keys))]
    became = _pairs_of_parts(
        [before[i].keys[place] for i, place in old],
        [after[j].keys[place] for j, place in new],
        [before[i].sources[place] for i, place in old],
        [after[j].sources[place] for j, place in new],
    )
    same: list[Gap] = []
    place = 0
    while place < len(old):
        now = became.get(place, -1)
        found = None
        if old[place][1] == 0 and now >= 0 and new[now][1] == 0:
            found = _group(before, after, old[place][0], new[now][0], became, place, now)
        if found is None:
            place += 1
            continue
        i_end, j_end = found
        same.append((b + old[place][0], b + i_end, a + new[now][0], a + j_end))
        while place < len(old) and old[place][0] < i_end:
            place += 1
    return same


def _group(
    before: Sequence[_Parts],
    after: Sequence[_Parts],
    i: int,
    j: int,
    became: Mapping[int, int],
    place: int,
    now: int,
) -> tuple[int, int] | None:
    """Where a group ends on both sides that begins with these lines, None where there is none."""
    first_old, first_new = before[i], after[j]
    n_old = n_new = 0
    i_end, j_end = i, j
    while True:
        if n_old <= n_new:
            if i_end == len(before):
                return None
            n_old += len(before[i_end].keys)
            i_end += 1
        else:
            if j_end == len(after):
                return None
            n_new += len(after[j_end].keys)
            j_end += 1
        if i_end > i + 1 and j_end > j + 1:
            return None
        if n_old == n_new:
            break
    if any(became.get(place + step) != now + step for step in range(n_old)):
        return None
    if i_end - i > 1 and not _laid_out(before[i:i_end], first_new):
        return None
    if j_end - j > 1 and not _laid_out(after[j:j_end], first_old):
        return None
    return i_end, j_end


def _laid_out(lines: Sequence[_Parts], line: _Parts) -> bool:
    """Whether lines are in each other's bodies as the parts of a single line are."""
    indents = [each.text.indent(each.start) for each in lines]
    if is_header(line.keys[0]):
        return indents[1] > indents[0] and len({*indents[1:]}) == 1
    return len({*indents}) == 1


def _pairs_of_parts(
    old: Sequence[str], new: Sequence[str], old_sources: Sequence[str], new_sources: Sequence[str]
) -> dict[int, int]:
    """Which of the current parts each measured one is, by keys, and between these by code."""
    different = gaps(old, new)
    found = dict(_equal(different, len(old), len(new)))
    for b, b_end, a, a_end in different:
        if b < b_end and a < a_end:
            names = [names_of(key) for key in old[b:b_end]], [names_of(key) for key in new[a:a_end]]
            for i, j in _equal(gaps(*names), b_end - b, a_end - a):
                if same_code(old_sources[b + i], new_sources[a + j]):
                    found[b + i] = a + j
    return found


class _Step:
    """Where, beyond a change, the current text is in step with the measured one again."""

    def __init__(self, before: Text, changes: Sequence[Change], number: int) -> None:
        self._before = before
        self._index = before.index
        self._changes = changes
        self.number = number
        self.statement = -1
        self.shift = 0

    def reached(self, line: int) -> bool:
        """Whether the measured text has a statement, too, that begins on this unchanged line."""
        changes, number = self._changes, self.number
        while number + 1 < len(changes) and line >= changes[number + 1].after[0]:
            number += 1
        self.number = number
        change = changes[number]
        below = change.after[0] + change.after[1]
        shift = below - change.before[0] - change.before[1]
        found = self._index.get(line - shift) if line >= below else None
        if found is None:
            return False
        if number + 1 < len(changes):
            end = self._before.first_from(changes[number + 1].before[0])
            if end - found < (IN_STEP if len(changes) <= MANY_CHANGES else FAR_IN_STEP):
                return False
        self.statement, self.shift, self.number = found, shift, number + 1
        return True


class _Moves:
    """Functions and classes that were cut and pasted, found by their content."""

    def __init__(self, pairing: _Pairing) -> None:
        self._pairing = pairing
        self._before = pairing.before
        self._after = pairing.after

    def displaced(self) -> None:
        """Pair statements that only changed places with others in one body."""
        pairing = self._pairing
        taken = set(pairing.partners)
        old: dict[str, list[int]] = {}
        new: dict[str, list[int]] = {}
        for b, b_end, a, a_end in pairing.gaps:
            for place in range(b, b_end):
                if pairing.partners[place] < 0:
                    old.setdefault(pairing.key_before(place), []).append(place)
            for place in range(a, a_end):
                if place not in taken:
                    new.setdefault(pairing.key_after(place), []).append(place)
        # Ascending, so that a header is paired before its body is.
        for key, places in new.items():
            if len(places) == 1 and len(old.get(key, ())) == 1 and runs(key):
                (now,), (was,) = places, old[key]
                above = opener(self._before, self._before.starts, was)
                above_now = self._opener(now)
                if above_now == (pairing.partners[above] if above >= 0 else -1) and (
                    above < 0 or above_now >= 0
                ):
                    pairing.partners[was] = now

    def definitions(self) -> None:
        """Pair what was moved, and let the last of equal definitions side by side be the one."""
        pairing, after = self._pairing, self._after
        new = [
            (a, end)
            for _, _, first, stop in pairing.gaps
            for a in range(first, stop)
            if _DEFINITION.match(after.lines[pairing.starts[a] - 1])
            and a + 1 < (end := _block_end(after, pairing.starts, a)) <= stop
        ]
        if not new:
            return
        taken = set(pairing.partners)
        definitions: dict[str, list[int]] = {}
        for place, start in enumerate(self._before.starts):
            if _DEFINITION.match(self._before.lines[start - 1]):
                definitions.setdefault(pairing.key_before(place), []).append(place)
        wanted: dict[tuple[str, ...], list[tuple[int, int]]] = {}
        for a, end in new:
            wanted.setdefault(self._content_after(a, end), []).append((a, end))
        for content, places in wanted.items():
            if any(a in taken for a, _ in places):
                continue  # It is part of something that was found already.
            old = [b for b in definitions.get(content[0], ()) if self._is(b, content)]
            last, last_end = places[-1]
            opener = self._opener(last)
            if any(self._opener(a) != opener for a, _ in places):
                continue
            if len(old) == 1 and all(
                pairing.partners[b] < 0 for b in range(old[0], old[0] + len(content))
            ):
                self._move(old[0], last, len(content))
                taken.update(range(last, last_end))
                continue
            # Of two definitions of one name in one body, the tests see the last.
            for b in reversed(old):
                now = pairing.partners[b]
                if (
                    0 <= now < last
                    and pairing.partners[b : b + len(content)] == [*range(now, now + len(content))]
                    and self._opener(now) == opener
                ):
                    pairing.gaps.append((b, b, now, now + len(content)))
                    taken.difference_update(range(now, now + len(content)))
                    self._move(b, last, len(content))
                    taken.update(range(last, last_end))
                    break

    def redefined(self) -> None:
        """Of definitions of one name in one body, the tests see the last: it is what ran."""
        pairing = self._pairing
        taken = set(pairing.partners)
        names = {
            found[1]
            for _, _, first, stop in pairing.gaps
            for a in range(first, stop)
            if a not in taken
            and (found := _DEFINITION.match(self._after.lines[pairing.starts[a] - 1]))
        }
        for name in sorted(names):
            before = _of_name(self._before, self._before.starts, name)
            for outer, places in _of_name(self._after, pairing.starts, name).items():
                if outer < 0:
                    old = before.get(-1, [])
                elif outer in pairing.partners:
                    old = before.get(pairing.partners.index(outer), [])
                else:
                    continue
                decorated = any(b and pairing.key_before(b - 1)[:1] == "@" for b in old)
                if 0 < len(old) < len(places) and (len(old) == 1 or not decorated):
                    self._let_last(old, places)

    def into_others(self) -> None:
        """Let no line of one function be found in another that is new: there it did not run."""
        pairing, partners = self._pairing, self._pairing.partners
        taken = set(partners)
        new = [
            a
            for _, _, first, stop in pairing.gaps
            for a in range(first, stop)
            if a not in taken and _FUNCTION.match(self._after.lines[pairing.starts[a] - 1])
        ]
        for a in new:
            end = _block_end(self._after, pairing.starts, a)
            inside = [i for i, now in enumerate(partners) if a < now < end]
            left: set[int] = set()
            for index in inside:
                if not a < partners[index] < end:
                    continue  # It was looked at again, with others of its function.
                was_in = self._function_of(index)
                now_in = self._now(was_in, new) if was_in >= 0 else -1
                if was_in >= 0 and (now_in < 0 or a <= now_in < end):
                    continue
                if was_in < 0 and self._function_after(partners[index]) != a:
                    continue
                left.update(range(a + 1, end))
                if was_in < 0:
                    partners[index] = -1
                    continue
                block = was_in, _block_end(self._before, self._before.starts, was_in)
                for each in range(*block):
                    partners[each] = -1
                pairing.pair_again(*block, now_in, _block_end(self._after, pairing.starts, now_in))
            pairing.regrouped = [group for group in pairing.regrouped if group[2] not in left]
            left.difference_update(partners)
            pairing.gaps += [(0, 0, now, now + 1) for now in sorted(left)]

    def astray(self) -> None:
        """Let the lines of a function that is still there be looked for in it alone."""
        pairing, partners = self._pairing, self._pairing.partners
        was = {now: index for index, now in enumerate(partners) if now >= 0}
        changed: set[int] = set()
        for b, b_end, a, a_end in pairing.gaps:
            changed.update(self._function_of(i) for i in range(b, b_end))
            changed.update(was.get(self._function_after(j), -1) for j in range(a, a_end))
        wrong: set[int] = set()
        for function in changed:
            now = partners[function] if function >= 0 else -1
            if now < 0:
                continue
            end = _block_end(self._before, self._before.starts, function)
            inside = range(now, _block_end(self._after, pairing.starts, now))
            for index in range(function, end):
                if partners[index] >= 0 and partners[index] not in inside:
                    other = was.get(self._function_after(partners[index]), -1)
                    wrong.update((function, other))
        blocks = [
            (
                function,
                _block_end(self._before, self._before.starts, function),
                partners[function],
                _block_end(self._after, pairing.starts, partners[function]),
            )
            for function in sorted(wrong)
            if function >= 0 and partners[function] >= 0
        ]
        for b, b_end, _, _ in blocks:
            partners[b:b_end] = [-1] * (b_end - b)
        for b, b_end, a, a_end in blocks:
            here = set(range(a, a_end))
            for index in [i for i, now in enumerate(partners) if now in here]:
                partners[index] = -1
            pairing.pair_again(b, b_end, a, a_end)

    def _now(self, was: int, new: Sequence[int]) -> int:
        """Where a measured function is, be its name all that is left of it; -1 if that is gone."""
        now = self._pairing.partners[was]
        if now < 0:
            key = self._pairing.key_before(was)
            found = [a for a in new if self._pairing.key_after(a) == key]
            now = found[0] if len(found) == 1 else -1
        return now

    def _function_of(self, index: int) -> int:
        """The function that a measured statement is in, -1 where it is in none."""
        starts = self._before.starts
        while (index := opener(self._before, starts, index)) >= 0:
            if _FUNCTION.match(self._before.lines[starts[index] - 1]):
                break
        return index

    def _function_after(self, index: int) -> int:
        while (index := self._opener(index)) >= 0:
            if _FUNCTION.match(self._after.lines[self._pairing.starts[index] - 1]):
                break
        return index

    def _let_last(self, old: Sequence[int], places: Sequence[int]) -> None:
        """Pair definitions with the last ones of their name, and what is above these with none."""
        pairing, partners = self._pairing, self._pairing.partners
        above = places[: -len(old)]
        overridden = {
            j for a in above for j in range(a, _block_end(self._after, pairing.starts, a))
        }
        blocks = [
            (
                b,
                _block_end(self._before, self._before.starts, b),
                a,
                _block_end(self._after, pairing.starts, a),
            )
            for b, a in zip(old, places[len(above) :], strict=True)
        ]
        if overridden.isdisjoint(partners) and all(
            partners[i] < 0 or a <= partners[i] < a_end
            for b, b_end, a, a_end in blocks
            for i in range(b, b_end)
        ):
            return
        pairing.regrouped = [group for group in pairing.regrouped if group[2] not in overridden]
        for index, partner in enumerate(partners):
            if partner in overridden:
                partners[index] = -1
        pairing.gaps += [(blocks[0][0], blocks[0][0], j, j + 1) for j in sorted(overridden)]
        for b, b_end, a, a_end in blocks:
            here = set(range(a, a_end))
            elsewhere = [i for i, j in enumerate(partners) if j in here and not b <= i < b_end]
            for index in elsewhere:
                partners[index] = -1
            pairing.pair_again(b, b_end, a, a_end)

    def _move(self, b: int, a: int, count: int) -> None:
        pairing = self._pairing
        partners = pairing.partners
        partners[b : b + count] = range(a, a + count)
        # Decorators go along.
        taken = set(partners)
        while (
            b
            and a
            and partners[b - 1] < 0
            and a - 1 not in taken
            and pairing.key_before(b - 1).startswith("@")
            and pairing.key_before(b - 1) == pairing.key_after(a - 1)
        ):
            b, a = b - 1, a - 1
            partners[b] = a

    def _content_after(self, a: int, end: int) -> tuple[str, ...]:
        return tuple(self._pairing.key_after(place) for place in range(a, end))

    def _is(self, b: int, content: Sequence[str]) -> bool:
        end = _block_end(self._before, self._before.starts, b)
        return end - b == len(content) and all(
            self._pairing.key_before(b + place) == key for place, key in enumerate(content)
        )

    def _opener(self, a: int) -> int:
        return opener(self._after, self._pairing.starts, a)


def opener(text: Text, starts: Sequence[int], index: int) -> int:
    """The statement whose body the one at `index` is in, -1 at the top of the text."""
    indent = text.indent(starts[index])
    for place in range(index - 1, -1, -1) if indent else ():
        if text.indent(starts[place]) < indent:
            return place
    return -1


def _of_name(text: Text, starts: Sequence[int], name: str) -> dict[int, list[int]]:
    """The functions and classes of a name, by the statement whose body they are in."""
    found: dict[int, list[int]] = {}
    for place, line in enumerate(starts):
        source = text.lines[line - 1]
        if name in source and (defined := _DEFINITION.match(source)) and defined[1] == name:
            found.setdefault(opener(text, starts, place), []).append(place)
    return found


def _block_end(text: Text, starts: Sequence[int], index: int) -> int:
    """The first statement behind a header and its body."""
    indent = text.indent(starts[index])
    for place in range(index + 1, len(starts)):
        if text.indent(starts[place]) <= indent:
            return place
    return len(starts)


def map_lines(before: Sequence[str], after: Sequence[str]) -> tuple[Change, ...]:
    """Where the current text's lines differ from the measured text's, in order.

    Equal ends are taken off first, for an edit is mostly in one place; what is left is cut at
    lines that stand exactly once on both sides and in the same order (as "patience diff" does),
    and each piece is trimmed again.
    """
    changes: list[Change] = []
    _compare(list(before), list(after), 0, len(before), 0, len(after), changes)
    return tuple(changes)


def gaps(before: Sequence[str], after: Sequence[str]) -> list[Gap]:
    """What is not equal in two sequences, compared as lines are, counted from 0."""
    return [
        (b - 1, b - 1 + b_count, a - 1, a - 1 + a_count)
        for (b, b_count), (a, a_count) in (
            (change.before, change.after) for change in map_lines(before, after)
        )
    ]


def _equal(found: Sequence[Gap], n_before: int, n_after: int) -> Iterator[tuple[int, int]]:
    """The pairs of places between gaps."""
    b = a = 0
    for gap in [*found, (n_before, n_before, n_after, n_after)]:
        yield from zip(range(b, gap[0]), range(a, gap[2]), strict=True)
        b, a = gap[1], gap[3]


def _compare(
    before: list[str],
    after: list[str],
    b_start: int,
    b_end: int,
    a_start: int,
    a_end: int,
    changes: list[Change],
) -> None:
    count = _equal_above(before, after, b_start, a_start, min(b_end - b_start, a_end - a_start))
    b_start, a_start = b_start + count, a_start + count
    count = _equal_below(before, after, b_end, a_end, min(b_end - b_start, a_end - a_start))
    b_end, a_end = b_end - count, a_end - count
    if b_start == b_end and a_start == a_end:
        return
    anchors = _anchors(before, after, b_start, b_end, a_start, a_end)
    if not anchors:
        changes.append(Change((b_start + 1, b_end - b_start), (a_start + 1, a_end - a_start)))
        return
    for b_anchor, a_anchor in [*anchors, (b_end, a_end)]:
        # Between most anchors there is nothing, or the same.
        if before[b_start:b_anchor] != after[a_start:a_anchor]:
            _compare(before, after, b_start, b_anchor, a_start, a_anchor, changes)
        b_start, a_start = b_anchor + 1, a_anchor + 1


def _equal_above(before: list[str], after: list[str], b: int, a: int, most: int) -> int:
    """How many lines from `b` and `a` on are equal, `most` at most."""
    return _leading(most, lambda done, end: before[b + done : b + end] == after[a + done : a + end])


def _equal_below(before: list[str], after: list[str], b: int, a: int, most: int) -> int:
    """How many lines up from above `b` and `a` are equal, `most` at most."""
    return _leading(most, lambda done, end: before[b - end : b - done] == after[a - end : a - done])


def _leading(most: int, equal: Callable[[int, int], bool]) -> int:
    """How many are equal from the first on: stretches are compared at once, ever longer ones until
    there is a difference, and then ever shorter ones.
    """
    done, step, longer = 0, 1, True
    while step and done < most:
        end = min(done + step, most)
        if equal(done, end):
            done = end
        else:
            longer = False
        step = step * 2 if longer else step // 2
    return done


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
    # There may be thousands of lines: a dictionary keeps a key's last value, without a loop.
    piece = lines[start:end]
    last = dict(zip(piece, range(start, end), strict=True))
    first = dict(zip(piece[::-1], range(end - 1, start - 1, -1), strict=True))
    return {
        line: place
        for line, place in last.items()
        if first[line] == place and line and not line.isspace()
    }
