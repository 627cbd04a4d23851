"""What to show where, free of any editor: the coverage of the measured text on today's lines."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from covls.core.coverage import FileCoverage
from covls.core.drift import LineMap


class State(StrEnum):
    """What the tests did at a place."""

    COVERED = "covered"
    MISSING = "missing"
    PARTIAL = "partial"
    EXCLUDED = "excluded"


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
    by_line: dict[int, tuple[State, Freshness, tuple[MissedBranch, ...]]] = {}
    state_before: dict[int, State] = {}
    for first, last, state in _statements(coverage):
        moved = line_map.move((first, last))
        if moved is not None:
            branches, known = _missed(coverage, line_map, first, state)
            freshness = whole if known else Freshness.EDITED
            for line in range(moved[0], moved[1] + 1):
                by_line[line] = state, freshness, branches
            continue
        for line in range(first, min(last, line_map.n_before) + 1):
            state_before[line] = state
            if kept := line_map.current[line]:
                by_line[kept] = state, Freshness.EDITED, ()
    for change in line_map.changes:
        _mark_change(change.before, change.after, state_before, current, by_line)
    return tuple(_merged(by_line))


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


def _statements(coverage: FileCoverage) -> Iterable[tuple[int, int, State]]:
    """First line, last line and state of each statement and excluded line."""
    last_line = coverage.analysis.last_line
    partial, executed = coverage.partial, coverage.executed
    for line in sorted(coverage.statements):
        if line not in executed:
            state = State.MISSING
        elif line in partial:
            state = State.PARTIAL
        else:
            state = State.COVERED
        yield line, last_line(line), state
    for line in sorted(coverage.excluded - coverage.statements):
        yield line, last_line(line), State.EXCLUDED


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
    before: tuple[int, int],
    after: tuple[int, int],
    state_before: dict[int, State],
    current: Sequence[str],
    by_line: dict[int, tuple[State, Freshness, tuple[MissedBranch, ...]]],
) -> None:
    """Mark the lines of one change: edited where they took the place of others, else new.

    An edited line carries the state of the statement it most likely came from, line by line and
    the last one for the rest; without statements there, and for new lines, no test ran it.
    """
    first, count = before
    states = [state_before[line] for line in range(first, first + count) if line in state_before]
    replaced = [state_before.get(line) for line in range(first, first + count)]
    freshness = Freshness.EDITED if count else Freshness.NEW
    for offset in range(after[1]):
        line = after[0] + offset
        text = current[line - 1].strip()
        if line in by_line or not text or text.startswith("#"):
            continue
        state = replaced[offset] if offset < count else None
        if state is None:
            state = states[-1] if states else State.MISSING
        by_line[line] = state, freshness, ()


def _merged(
    by_line: dict[int, tuple[State, Freshness, tuple[MissedBranch, ...]]],
) -> Iterable[Mark]:
    """Join neighbouring lines that say the same; a partial branch stays with its statement."""
    start = end = 0
    what: tuple[State, Freshness, tuple[MissedBranch, ...]] | None = None
    for line in sorted(by_line):
        if what is not None and line == end + 1 and by_line[line] == what:
            end = line
            continue
        if what is not None:
            yield Mark(start, end, *what)
        start = end = line
        what = by_line[line]
    if what is not None:
        yield Mark(start, end, *what)
