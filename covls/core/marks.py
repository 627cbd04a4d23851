"""What to show where, free of any editor: the coverage of the measured text on today's lines."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from operator import attrgetter, itemgetter

from covls.core.branches import leads_on, leads_out
from covls.core.coverage import FileCoverage, State
from covls.core.drift import LineMap
from covls.core.layout import known, state_of
from covls.core.lines import LineRange
from covls.core.lost import NOTHING_LOST, Loss, Losses, lost_words
from covls.core.statements import runs

_LINE = re.compile(r"\bline (\d+)")


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
    whole = Freshness.FRESH if verified else Freshness.UNVERIFIED
    partial, edited = State.PARTIAL, Freshness.EDITED
    index, ends, partners = line_map.before.index, line_map.before.ends, line_map.partners
    after_starts, after_ends = line_map.after_starts, line_map.after_ends
    regrouped = line_map.group_of
    found: list[Mark] = []
    # What is said last, not yet a mark: a long file has thousands of statements, and neighbours
    # mostly say the same.
    start = end = 0
    says: tuple[State, Freshness, tuple[MissedBranch, ...], Loss | None]
    says = (State.COVERED, whole, (), None)
    last_state: State | None = None
    lost, last_loss = losses.lines, None
    for first, last, state in coverage.states:
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
        if here == end + 1 and state is last_state and state is not partial and loss == last_loss:
            end = below
            continue
        if end:
            found.append(Mark(start, end, *says))
        start, end, last_state, last_loss = here, below, state, loss
        if state is partial:
            branches = missed_branches(coverage, line_map, first, losses)
            says = (state, edited, (), None) if branches is None else (state, whole, branches, None)
        else:
            says = (state, whole, (), loss)
    if end:
        found.append(Mark(start, end, *says))
    if line_map.took_place or line_map.regrouped or line_map.has_moves:
        found += changed_marks(coverage, line_map)
        found += _regrouped(coverage, line_map, whole)
        found = _merged(sorted(found, key=attrgetter("start")))
    return tuple(found)


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
