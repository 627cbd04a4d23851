"""Since which run the statements of a file are covered, or missed, as they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from covls.core.coverage import State
from covls.core.detail import places
from covls.core.flaky import Seen
from covls.core.lines import LineRange


class Before(StrEnum):
    """What was before the run since which something is as it is."""

    MISSING = "missing"
    PARTIAL = "partial"
    COVERED = "covered"
    NOTHING = "nothing"  #: The statement was not there as it is, or its file was not measured.
    UNKNOWN = "unknown"  #: No run before it is on record: it may have been so for longer.


@dataclass(frozen=True, slots=True)
class Since:
    """Statements in a row that are in one state since the same run."""

    lines: LineRange
    """The first lines of the first and of the last of them."""
    state: State
    run: int
    """Its place in what was looked at, newest first."""
    before: Before


def since(statements: int, seen: Sequence[Seen]) -> tuple[Since, ...]:
    """Since when each statement is in the state that it is in, by line.

    `seen` says what each run knows of the lines of the text of the first, newest first.

    >>> [str(each.before) for each in since(0b110, [Seen(0b110, 0b110), Seen(0b010, 0)])]
    ['missing', 'nothing']
    """
    found: dict[int, tuple[State, int, Before]] = {}
    now = seen[0]
    waiting = statements & now.known
    for place, each in enumerate(seen[1:], 1):
        gone = waiting & ~each.known
        other = (each.executed ^ now.executed | each.partial ^ now.partial) & waiting & each.known
        for line in places(gone):
            found[line] = _state(now, line), place - 1, Before.NOTHING
        for line in places(other):
            found[line] = _state(now, line), place - 1, Before(_state(each, line).value)
        waiting &= ~(gone | other)
    for line in places(waiting):
        found[line] = _state(now, line), len(seen) - 1, Before.UNKNOWN
    blocks: list[Since] = []
    for line in sorted(found):
        state, run, before = found[line]
        last = blocks[-1] if blocks else None
        if last is not None and (last.state, last.run, last.before) == (state, run, before):
            blocks[-1] = Since((last.lines[0], line), state, run, before)
        else:
            blocks.append(Since((line, line), state, run, before))
    return tuple(blocks)


def _state(seen: Seen, line: int) -> State:
    if not seen.executed >> line & 1:
        return State.MISSING
    return State.PARTIAL if seen.partial >> line & 1 else State.COVERED
