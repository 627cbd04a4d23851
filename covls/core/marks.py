"""What to show where, free of any editor: the coverage of the measured text on today's lines."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from operator import attrgetter, itemgetter

from covls.core.branches import beyond, leads_on, leads_out
from covls.core.coverage import FileCoverage, State
from covls.core.drift import LineMap, unchanged
from covls.core.layout import known, state_of
from covls.core.lines import LineRange
from covls.core.lost import NOTHING_LOST, Loss, Losses, lost_words
from covls.core.statements import Text, runs

_LINE = re.compile(r"\bline (\d+)")

SHIFTS_KEPT = 16
"""Shifts of which the marks are kept: while somebody types, most of a text stands still."""


class Freshness(StrEnum):
    """Whether a state is still true of the text on screen."""

    FRESH = "fresh"
    EDITED = "edited"
    NEW = "new"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class MissedBranch:
    """A way on that no test took: its line in the current text, None for an exit, and words."""

    target: int | None
    words: str
    lost: Loss | None = None
    """The run that took it last, where it is known that it was taken."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Lines of the current text, 1-based and both included, that share one state."""

    start: int
    end: int
    state: State
    freshness: Freshness = Freshness.FRESH
    branches: tuple[MissedBranch, ...] = ()
    lost: Loss | None = None
    """The run that covered it last, where it is missing and is known to have been covered."""

    @property
    def is_told(self) -> bool:
        """Whether the state is that of the text on screen, as far as can be known."""
        return self.freshness in (Freshness.FRESH, Freshness.UNVERIFIED)


def marks(
    coverage: FileCoverage,
    line_map: LineMap,
    *,
    verified: bool = True,
    losses: Losses = NOTHING_LOST,
) -> tuple[Mark, ...]:
    """Marks for the current text, sorted, none overlapping another.

    `line_map` leads from the measured text to the current one. A statement is fresh if its code
    is still there, however it is laid out. One that took the place of another is edited, and
    carries the state of that; one that came in is new, and no test ran it. Where the measured
    text is not known (`verified` is false) nothing is fresh. `losses` are by lines of that text.
    """
    return Marking(coverage, verified=verified, losses=losses).once(line_map)


class Marking:
    """The marks of one measured text on one current text after another, as `marks` has them.

    What stands unchanged between two changes has the marks that it had, so many lines below: they
    are made once, and again only for a shift that is new. Safe to use from several threads.
    """

    def __init__(
        self, coverage: FileCoverage, *, verified: bool = True, losses: Losses = NOTHING_LOST
    ) -> None:
        self._coverage = coverage
        self._whole = Freshness.FRESH if verified else Freshness.UNVERIFIED
        self._losses = losses
        self._unchanged: _Unchanged | None = None

    def on(self, line_map: LineMap) -> tuple[Mark, ...]:
        """The marks for the current text that `line_map` leads to."""
        unchanged = self._unchanged
        if unchanged is None or unchanged.text is not line_map.before:
            unchanged = self._unchanged = self._unchanged_in(line_map.before)
        found: list[Mark] = []
        done = 0
        for first, end, shift in line_map.kept:
            stretch = unchanged.stretch(first, end)
            if stretch.first < stretch.end:
                _put(found, self._looked_at(line_map, done, stretch.first))
                again = {
                    run: next(self._looked_at(line_map, number, number + 1), None)
                    for run, number in unchanged.leading_out(stretch)
                }
                _put(found, unchanged.marks(stretch, shift, again))
                done = stretch.end
        _put(found, self._looked_at(line_map, done, len(self._coverage.states)))
        return self._with_changed(line_map, found)

    def once(self, line_map: LineMap) -> tuple[Mark, ...]:
        """The same, without keeping anything for another text."""
        whole = list(self._looked_at(line_map, 0, len(self._coverage.states)))
        return self._with_changed(line_map, whole)

    def _with_changed(self, line_map: LineMap, found: list[Mark]) -> tuple[Mark, ...]:
        if line_map.took_place or line_map.regrouped or line_map.has_moves:
            found += changed_marks(self._coverage, line_map)
            found += _regrouped(self._coverage, line_map, self._whole)
            found = _merged(sorted(found, key=attrgetter("start")))
        return tuple(found)

    def _looked_at(self, line_map: LineMap, first_state: int, end_state: int) -> Iterator[Mark]:
        """The marks of some of the coverage's states as far as their code is still there."""
        return (mark for _, mark in self._by_state(line_map, first_state, end_state))

    def _by_state(
        self, line_map: LineMap, first_state: int, end_state: int
    ) -> Iterator[tuple[int, Mark]]:
        """The same with the number of the first state that each is of."""
        coverage, losses, whole = self._coverage, self._losses, self._whole
        partial, edited = State.PARTIAL, Freshness.EDITED
        index, ends, partners = line_map.before.index, line_map.before.ends, line_map.partners
        after_starts, after_ends = line_map.after_starts, line_map.after_ends
        regrouped = line_map.group_of
        # What is said last, not yet a mark: neighbours mostly say the same.
        start = end = begin = 0
        says: tuple[State, Freshness, tuple[MissedBranch, ...], Loss | None]
        says = (State.COVERED, whole, (), None)
        last_state: State | None = None
        lost, last_loss = losses.lines, None
        for number in range(first_state, end_state):
            first, last, state = coverage.states[number]
            place = index.get(first, -1)
            if place >= 0 and ends[place] == last:
                now = partners[place]
                if now < 0 or place in regrouped:
                    continue
                here, below = after_starts[now], after_ends[now]
            elif (moved := moved_lines(line_map, first, last)) is not None:
                here, below = moved
            else:
                continue
            loss = lost.get(first) if lost else None
            if (
                here == end + 1
                and state is last_state
                and state is not partial
                and loss == last_loss
            ):
                end = below
                continue
            if end:
                yield begin, Mark(start, end, *says)
            start, end, begin, last_state, last_loss = here, below, number, state, loss
            if state is partial:
                branches = missed_branches(coverage, line_map, first, losses)
                says = (
                    (state, edited, (), None)
                    if branches is None
                    else (state, whole, branches, None)
                )
            else:
                says = (state, whole, (), loss)
        if end:
            yield begin, Mark(start, end, *says)

    def _unchanged_in(self, text: Text) -> "_Unchanged":
        found = list(self._by_state(unchanged(text), 0, len(self._coverage.states)))
        return _Unchanged(text, self._coverage, found)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Lines of the measured text that stand unchanged, by the first and the last, and the states
    on them, the end not included.
    """

    top: int
    bottom: int
    first: int
    end: int


class _Unchanged:
    """The marks of the measured text itself."""

    def __init__(
        self, text: Text, coverage: FileCoverage, found: Sequence[tuple[int, Mark]]
    ) -> None:
        self.text = text
        self._begins = [number for number, _ in found]
        """The number of the first state that each mark is of. The marks are called runs here, as
        most are of a run of states."""
        self._coverage = coverage
        self._states = coverage.states
        self._lines = [first for first, _, _ in coverage.states]
        self._here = [mark for _, mark in found]
        self._shifted: dict[int, list[Mark | None]] = {}
        """The same so many lines below, as far as they were needed."""

    @cached_property
    def _spans(self) -> Mapping[int, LineRange]:
        """The lines that each branch's mark depends on, by run, ascending."""
        return {
            run: _span(self.text, self._coverage, mark)
            for run, mark in enumerate(self._here)
            if mark.state is State.PARTIAL
        }

    def stretch(self, first: int, end: int) -> _Stretch:
        """The lines from the statement `first` to before the statement `end`."""
        top, bottom = self.text.starts[first], self.text.ends[end - 1]
        low, high = bisect_left(self._lines, top), bisect_right(self._lines, bottom)
        while high > low and self._states[high - 1][1] > bottom:
            high -= 1
        return _Stretch(top, bottom, low, high)

    def leading_out(self, stretch: _Stretch) -> list[tuple[int, int]]:
        """The branches of a stretch for which it matters what is beyond it, as run and state."""
        low, high = self._runs(stretch)
        if (low, high) == (0, len(self._begins)):
            return []
        return [
            (run, self._begins[run])
            for run, (first, last) in self._spans.items()
            if low <= run < high and (first < stretch.top or last > stretch.bottom)
        ]

    def _runs(self, stretch: _Stretch) -> tuple[int, int]:
        """The runs that begin in a stretch."""
        begins = self._begins
        return bisect_left(begins, stretch.first), bisect_left(begins, stretch.end)

    def marks(
        self, stretch: _Stretch, shift: int, again: Mapping[int, Mark | None]
    ) -> Iterable[Mark]:
        """The marks of a stretch so many lines below; those `again` in the place of their runs."""
        here = self._here
        low, high = self._runs(stretch)
        found: list[Mark | None] = []
        if low and (low == len(here) or self._begins[low] > stretch.first):
            # The run before may go on into the stretch.
            above, top = here[low - 1], self._states[stretch.first][0]
            if above.start < top <= above.end:
                end = min(above.end, self._states[stretch.end - 1][1])
                found.append(replace(above, start=top + shift, end=end + shift))
        found += self._shifted_by(shift, low, high)
        if high > low and here[high - 1].end > stretch.bottom:
            last = self._states[stretch.end - 1][1]
            found[-1] = replace(
                here[high - 1], start=here[high - 1].start + shift, end=last + shift
            )
        for run, mark in again.items():
            found[len(found) - (high - run)] = mark
        return filter(None, found)

    def _shifted_by(self, shift: int, low: int, high: int) -> Sequence[Mark | None]:
        here = self._here
        if not shift:
            return here[low:high]
        known = self._shifted.get(shift)
        if known is None:
            known = self._shifted[shift] = [None] * len(here)
            for other in tuple(self._shifted)[:-SHIFTS_KEPT]:
                self._shifted.pop(other, None)
        found = known[low:high]
        if None in found:
            found = known[low:high] = [
                old or _shifted(mark, shift)
                for old, mark in zip(found, here[low:high], strict=True)
            ]
        return found


def _shifted(mark: Mark, shift: int) -> Mark:
    branches = mark.branches and tuple(
        MissedBranch(
            None if branch.target is None else branch.target + shift,
            _LINE.sub(lambda match: f"line {int(match[1]) + shift}", branch.words),
            branch.lost,
        )
        for branch in mark.branches
    )
    start, end = mark.start + shift, mark.end + shift
    return Mark(start, end, mark.state, mark.freshness, branches, mark.lost)


def _span(text: Text, coverage: FileCoverage, mark: Mark) -> LineRange:
    """The first and the last measured line that the mark of a branch depends on."""
    line = mark.start
    lines = {line, mark.end}
    for target in coverage.missing_branches[line]:
        if target > 0:
            lines |= {target, coverage.analysis.last_line(target)}
        else:
            lines.add(beyond(text, line))
    words = (branch.words for branch in mark.branches)
    lines.update(int(number) for said in words for number in _LINE.findall(said))
    return min(lines), max(lines)


def _put(found: list[Mark], more: Iterable[Mark]) -> None:
    """Add marks that come behind others; the first may be one with the last of those."""
    marks = iter(more)
    first = next(marks, None)
    if first is None:
        return
    above = found[-1] if found else None
    if (
        above is not None
        and first.start == above.end + 1
        and first.state is above.state
        and first.state is not State.PARTIAL
        and first.lost == above.lost
    ):
        found[-1] = replace(above, end=first.end)
    else:
        found.append(first)
    found += marks


def _merged(found: Iterable[Mark]) -> list[Mark]:
    """Neighbours that say the same as one mark."""
    merged: list[Mark] = []
    for mark in found:
        above = merged[-1] if merged else None
        if (
            above is not None
            and mark.start == above.end + 1
            and mark.state is above.state
            and mark.freshness is above.freshness
            and mark.branches == above.branches
            and mark.lost == above.lost
        ):
            merged[-1] = replace(above, end=mark.end)
        else:
            merged.append(mark)
    return merged


def moved_lines(line_map: LineMap, first: int, last: int) -> LineRange | None:
    """Where measured lines are now, None where they changed: those of a statement, or lines that
    are not one, as a comment that is excluded.
    """
    if first not in line_map.before.index:
        # The line of an excluded block on which nothing is.
        now = line_map.current[first]
        return (now, now) if now and first == last else None
    return line_map.move((first, last))


def changed_marks(coverage: FileCoverage, line_map: LineMap) -> Iterator[Mark]:
    """A mark for each statement that has no partner in the measured text."""
    states = coverage.states
    before, after = line_map.before, line_map.after
    for now, was in line_map.took_place:
        start, end = line_map.after_starts[now], line_map.after_ends[now]
        if after.python and not runs(after.key(start, end)):
            continue
        state = None
        if was >= 0:
            place = bisect_left(states, before.starts[was], key=itemgetter(0))
            if place < len(states) and states[place][0] == before.starts[was]:
                state = states[place][2]
        if state is None:
            yield Mark(start, end, State.MISSING, Freshness.NEW)
        else:
            yield Mark(start, end, state, Freshness.EDITED)


def _regrouped(coverage: FileCoverage, line_map: LineMap, whole: Freshness) -> Iterator[Mark]:
    """What to say of statements that are laid out on more lines, or on fewer."""
    starts = line_map.before.starts
    for group in line_map.regrouped:
        states = [state_of(coverage, starts[index]) for index in range(group[0], group[1])]
        was = next((state for state in states if state is not None), None)
        for each in known(coverage, line_map, group):
            branches = (MissedBranch(each.missed, each.words),) if each.missed else ()
            if each.state is not None:
                yield Mark(each.start, each.end, each.state, whole, branches)
            elif was is not None:
                yield Mark(each.start, each.end, was, Freshness.EDITED)


def missing_near(found: Iterable[Mark], first: int, last: int) -> bool:
    """Whether anything is missing on lines `first` to `last`, or comes next below them.

    Where not, neither they nor what they head are uncovered, and nobody need parse to know.
    """
    for mark in found:
        if mark.end < first:
            continue
        if mark.state is State.MISSING:
            return True
        if mark.start > last:
            return False
    return False


def missing_blocks(found: Iterable[Mark]) -> list[Mark]:
    """Missing marks of one freshness with nothing but blank lines and comments between, as one.

    That is how coverage.py writes missing lines ("5-11"), except that an excluded or edited line
    ends a block. So does the end of what was lost in one run.
    """
    blocks: list[Mark] = []
    open_block = False
    for mark in found:
        if mark.state is not State.MISSING:
            open_block = False
            continue
        above = blocks[-1] if open_block else None
        if above and above.freshness is mark.freshness and _lost_together(above, mark):
            lost = above.lost and mark.lost and above.lost.with_tests(mark.lost.tests)
            blocks[-1] = replace(above, end=mark.end, lost=lost)
        else:
            blocks.append(Mark(mark.start, mark.end, mark.state, mark.freshness, lost=mark.lost))
            open_block = True
    return blocks


def missed_words(mark: Mark, branch: MissedBranch) -> str:
    """coverage.py's words for a branch that was not taken, as a sentence; when it was taken."""
    words = branch.words
    if not words:
        target = "the exit" if branch.target is None else f"line {branch.target}"
        words = f"line {mark.start} never jumped to {target}"
    sentence = words[0].upper() + words[1:]
    if branch.lost is not None:
        sentence = f"{sentence.rstrip('.')}. {lost_words(branch.lost, 'Taken')}"
    return sentence


def _lost_together(above: Mark, below: Mark) -> bool:
    if above.lost is None or below.lost is None:
        return above.lost is below.lost
    return above.lost.at == below.lost.at


def missed_branches(
    coverage: FileCoverage, line_map: LineMap, line: int, losses: Losses
) -> tuple[MissedBranch, ...] | None:
    """The ways not taken from a line; None where one of them leads elsewhere now."""
    found: list[MissedBranch] = []
    for target in coverage.missing_branches[line]:
        words = _moved_words(coverage.analysis.words.get((line, target), ""), line_map)
        loss = losses.branches.get((line, target))
        if target < 0:
            if not leads_out(line_map, line):
                return None
            found.append(MissedBranch(None, words, loss))
            continue
        moved = line_map.move((target, coverage.analysis.last_line(target)))
        if moved is None or not leads_on(line_map, line, target):
            return None
        found.append(MissedBranch(moved[0], words, loss))
    return tuple(found)


def _moved_words(words: str, line_map: LineMap) -> str:
    """coverage.py's words for a branch, with the line numbers of the current text."""
    if not words or not line_map.changes:
        return words

    def moved(match: re.Match[str]) -> str:
        line = int(match[1])
        return f"line {line_map.now(line) or line}"

    return _LINE.sub(moved, words)
