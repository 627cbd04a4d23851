"""What to show where, free of any editor: the coverage of the measured text on today's lines."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from covls.core.coverage import FileCoverage, State
from covls.core.drift import Change, LineMap


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


@dataclass(frozen=True, slots=True)
class Mark:
    """Lines of the current text, 1-based and both included, that share one state."""

    start: int
    end: int
    state: State
    freshness: Freshness = Freshness.FRESH
    branches: tuple[MissedBranch, ...] = ()


class _Builder:
    """Marks in the making: neighbours that say the same become one."""

    def __init__(self) -> None:
        self.marks: list[Mark] = []
        self._start = self._end = 0
        self._says: tuple[State, Freshness, tuple[MissedBranch, ...]] | None = None

    def add(
        self,
        start: int,
        end: int,
        state: State,
        freshness: Freshness,
        branches: tuple[MissedBranch, ...] = (),
    ) -> None:
        """Put lines below all others."""
        says = (state, freshness, branches)
        if start != self._end + 1 or says != self._says:
            self.finish()
            self._start, self._says = start, says
        self._end = end

    def finish(self) -> None:
        """Make a mark of the lines that are still open."""
        if self._says is not None:
            self.marks.append(Mark(self._start, self._end, *self._says))
            self._says = None


def marks(
    coverage: FileCoverage,
    line_map: LineMap,
    current: Sequence[str],
    *,
    verified: bool = True,
) -> tuple[Mark, ...]:
    """Marks for the current text, sorted, none overlapping another.

    `line_map` leads from the measured text to `current`. A statement is fresh if every line of
    it stands unchanged; what is left of a changed one, and what took its place, is edited; lines
    that came in where nothing went are new. Where the measured text is not known (`verified` is
    false) nothing is fresh.
    """
    whole = Freshness.FRESH if verified else Freshness.UNVERIFIED
    found = _Builder()
    states = iter(coverage.states)
    statement = next(states, None)
    position, shift = 1, 0
    for change in (*line_map.changes, None):
        # The equal lines before this change, or after the last one.
        end = change.before[0] - 1 if change else line_map.n_before
        while statement is not None and statement[0] <= end:
            first, last, state = statement
            if first >= position and last <= end:
                branches, known = _missed(coverage, line_map, first, state)
                freshness = whole if known else Freshness.EDITED
                found.add(first + shift, last + shift, state, freshness, branches)
            else:
                first, torn = max(first, position), min(last, end)
                found.add(first + shift, torn + shift, state, Freshness.EDITED)
                if last > end:
                    break
            statement = next(states, None)
        if change is None:
            break
        # The lines that the change put in, each with the state of the one it took the place of.
        replaced: dict[int, State] = {}
        position = change.before[0] + change.before[1]
        while statement is not None and statement[0] < position:
            first, last, state = statement
            for line in range(max(first, end + 1), min(last + 1, position)):
                replaced[line] = state
            if last >= position:
                break
            statement = next(states, None)
        _mark_change(change, replaced, current, found)
        shift += change.after[1] - change.before[1]
    found.finish()
    return tuple(found.marks)


def missing_blocks(found: Iterable[Mark]) -> list[Mark]:
    """Missing marks of one freshness with nothing but blank lines and comments between, as one.

    That is how coverage.py writes missing lines ("5-11"), except that an excluded or edited line
    ends a block.
    """
    blocks: list[Mark] = []
    open_block = False
    for mark in found:
        if mark.state is not State.MISSING:
            open_block = False
        elif open_block and blocks[-1].freshness is mark.freshness:
            blocks[-1] = Mark(blocks[-1].start, mark.end, mark.state, mark.freshness)
        else:
            blocks.append(Mark(mark.start, mark.end, mark.state, mark.freshness))
            open_block = True
    return blocks


def _missed(
    coverage: FileCoverage, line_map: LineMap, line: int, state: State
) -> tuple[tuple[MissedBranch, ...], bool]:
    """The ways not taken from a line, and whether all of their targets are still there."""
    if state is not State.PARTIAL:
        return (), True
    found: list[MissedBranch] = []
    for target in coverage.missing_branches[line]:
        words = _moved_words(coverage.analysis.words.get((line, target), ""), line_map)
        if target < 0:
            found.append(MissedBranch(None, words))
        elif moved := line_map.move((target, target)):
            found.append(MissedBranch(moved[0], words))
        else:
            return (), False
    return tuple(found), True


def _moved_words(words: str, line_map: LineMap) -> str:
    """coverage.py's words for a branch, with the line numbers of the current text."""

    def moved(match: re.Match[str]) -> str:
        line = int(match[1])
        now = line_map.current[line] if line <= line_map.n_before else 0
        return f"line {now or line}"

    return re.sub(r"\bline (\d+)", moved, words) if line_map.changes else words


def _mark_change(
    change: Change, replaced: dict[int, State], current: Sequence[str], found: _Builder
) -> None:
    """Mark the lines of one change: edited where they took the place of others, else new.

    An edited line carries the state of the statement it most likely came from, line by line and
    the last one for the rest; without statements there, and for new lines, no test ran it.
    """
    first, count = change.before
    rest = next(reversed(replaced.values()), State.MISSING)
    freshness = Freshness.EDITED if count else Freshness.NEW
    for offset in range(change.after[1]):
        line = change.after[0] + offset
        text = current[line - 1].strip()
        if text and not text.startswith("#"):
            state = replaced.get(first + offset, rest)
            found.add(line, line, state, freshness)
