"""What is known of statements that are laid out on more, or on fewer, lines than when they ran.

coverage.py measures lines. Where `if a: b` ran, it ran as one, and which of the two statements did
is not written down; where they stand on lines of their own by now, each is told only what is
certain. What may have run or not is left open.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from covls.core.branches import leads_on
from covls.core.coverage import FileCoverage, State
from covls.core.drift import LineMap, opener
from covls.core.statements import Text, is_header, runs

_WORD = re.compile(r"(?:async )?(\w+|@)")
_CLAUSE = re.compile(r"(?:elif|else|except|finally|case)\b")
_CONSTANT = r"(?:None|True|False|\d\w*|\"\"\"[^\"]*\"\"\")"
_CANNOT_FAIL = re.compile(rf"pass$|\w+ = {_CONSTANT}$")
_CANNOT_FAIL_TO_ASK = re.compile(rf"(?:el)?if \w+ is (?:not )?{_CONSTANT} :$")
_LEAVES = re.compile(r"(?:continue|break|return|raise)\b")
_LEAVES_AT_ONCE = re.compile(rf"(?:continue|return(?: {_CONSTANT})?)$")
_NEVER_ASKED = re.compile(rf"\w+ (?:not )?(?:{_CONSTANT}|__debug__) :$")
_LEAD_TWO_WAYS = frozenset(("if", "elif", "while", "for", "except", "case"))
"""Headers that ran, but may not be covered, for they may have led on in one way only."""


@dataclass(frozen=True, slots=True)
class Known:
    """A statement of the current text with its state, None where that cannot be told.

    `missed` is the current line of the way on that was not taken, where the state is partial, and
    `words` are what coverage.py says of such a one.
    """

    start: int
    end: int
    state: State | None
    missed: int = 0
    words: str = ""


def known(coverage: FileCoverage, line_map: LineMap, group: Sequence[int]) -> Iterator[Known]:
    """What is known of the current statements of a group of `LineMap.regrouped`, in order.

    Those that cannot run, as `else:`, are left out.
    """
    b, b_end, a, a_end = group
    lines = [(line_map.after_starts[j], line_map.after_ends[j]) for j in range(a, a_end)]
    if b_end - b > 1:
        yield Known(*lines[0], _joined(coverage, line_map.before, range(b, b_end)))
        return
    keys = [line_map.after.key(*where) for where in lines]
    states = _split(coverage, line_map, b, lines, keys)
    for place, where in enumerate(lines):
        if runs(keys[place]):
            state, missed = states.get(place, (None, 0))
            words = ""
            if missed:
                how = "never" if missed == lines[1][0] else "always"
                words = (
                    f"line {where[0]} didn't jump to line {missed} "
                    f"because the condition on line {where[0]} was {how} true"
                )
            yield Known(*where, state, missed, words)


def _joined(coverage: FileCoverage, before: Text, statements: range) -> State | None:
    """The state of a line that was several: told only where it was that of each of them."""
    states: set[State | None] = set()
    for index in statements:
        line = before.starts[index]
        key = before.key(line, before.ends[index])
        state = state_of(coverage, line)
        if coverage.has_branches and state is not State.MISSING and _word(key) in _LEAD_TWO_WAYS:
            # One of its ways on has become part of the line, and counts no more.
            state = None
        if runs(key):
            states.add(state)
        elif key[-1:] in "\"'":
            states.add(None)  # What a docstring begins, coverage.py does not count.
    return states.pop() if len(states) == 1 else None


def _split(
    coverage: FileCoverage,
    line_map: LineMap,
    index: int,
    lines: Sequence[tuple[int, int]],
    keys: Sequence[str],
) -> dict[int, tuple[State, int]]:
    """What is certain of statements that were one line, by their place: state and way missed."""
    before = line_map.before
    line = before.starts[index]
    state = state_of(coverage, line)
    found: dict[int, tuple[State, int]] = {}
    if state is State.MISSING:
        for place, key in enumerate(keys):
            found[place] = state, 0
            if _LEAVES.match(key) or _NEVER_ASKED.match(key):
                # What follows may not even be compiled.
                break
        return found
    if state not in (State.COVERED, State.PARTIAL):
        return found
    ran = State.COVERED, 0
    header = _word(keys[0]) if is_header(keys[0]) else ""
    if header in _LEAD_TWO_WAYS and keys[0] != "except :":
        if coverage.has_branches:
            return _decided(coverage, line_map, index, lines, keys)
        return {0: ran}
    # The line ran, so its first statement did. The body of a header has begun if nothing can
    # go wrong between, or if something shows that it did; and so on from each to the next.
    finished = header in ("", "class", "with") and _completed(coverage, before, index)
    begun = finished or header in ("", "try", "else", "finally", "except")
    place = 0
    if header:
        found[0] = ran
        place = 1
        if header in ("def", "class"):
            begun = begun or _entered(coverage, before, index, keys[0])
        if header == "with":
            finished = False  # It may have swallowed what its body raised.
    while begun and place < len(keys):
        found[place] = ran
        key = keys[place]
        surely = finished or _CANNOT_FAIL.match(key) or not runs(key)
        begun = bool(surely) and not _LEAVES.match(key)
        place += 1
    return found


def _decided(
    coverage: FileCoverage,
    line_map: LineMap,
    index: int,
    lines: Sequence[tuple[int, int]],
    keys: Sequence[str],
) -> dict[int, tuple[State, int]]:
    """What the branches of a line say of a condition, and of a body that jumps away.

    A way out of the function is taken by errors, too.
    """
    before = line_map.before
    line = before.starts[index]
    exits = coverage.analysis.branches.get(line, ())
    taken = coverage.executed_branches.get(line, ())
    last = keys[-1]
    jumps = [end for end in exits if (end < line if last == "continue" else end < 0)]
    if (
        len(exits) != 2
        or len(jumps) != 1
        or not coverage.analysis.excluded.isdisjoint(exits)
        or _word(keys[0]) not in ("if", "elif")
        or _NEVER_ASKED.match(keys[0])
        or _guarded(before, index)
    ):
        return {}
    (jump,) = jumps
    (onward,) = (end for end in exits if end != jump)
    if jump not in taken:
        if onward not in taken or len(keys) != 2 or not _LEAVES_AT_ONCE.match(last):
            return {}
        return {0: (State.PARTIAL, lines[1][0]), 1: (State.MISSING, 0)}
    if last != "continue" and not (len(keys) == 2 and _CANNOT_FAIL_TO_ASK.match(keys[0])):
        return {}
    found = dict.fromkeys(range(1, len(keys)), (State.COVERED, 0))
    if onward in taken:
        found[0] = State.COVERED, 0
    elif now := _still_leads(line_map, line, onward):
        found[0] = State.PARTIAL, now
    return found


def _still_leads(line_map: LineMap, line: int, target: int) -> int:
    """The current line that a way on leads to, 0 where it is not the same any more."""
    index = line_map.before.index.get(target)
    if index is None or line_map.partners[index] < 0 or not leads_on(line_map, line, target):
        return 0
    return line_map.after_starts[line_map.partners[index]]


def _completed(coverage: FileCoverage, before: Text, index: int) -> bool:
    """Whether a line ran to its end: what stands behind it in the same body is only reached so."""
    following = index + 1
    if following == len(before.starts):
        return False
    line, below = before.starts[index], before.starts[following]
    return (
        below in coverage.executed
        and before.indent(below) == before.indent(line)
        and not _CLAUSE.match(before.source(below, below))
    )


def _entered(coverage: FileCoverage, before: Text, index: int, header: str) -> bool:
    """Whether the body of a function or class on one line was left again, and so begun."""
    if " lambda" in header or " for " in header:
        return False  # Code of its own on the same line.
    first = index
    while first and before.source(before.starts[first - 1], before.ends[first - 1])[:1] == "@":
        first -= 1
    return -before.starts[first] in coverage.executed_branches.get(before.starts[index], ())


def _guarded(before: Text, index: int) -> bool:
    """Whether a `try` or `with` of the same function is around a line: an error may lead on."""
    while (index := opener(before, before.starts, index)) >= 0:
        word = _word(before.key(before.starts[index], before.ends[index]))
        if word in ("try", "except", "else", "finally", "with"):
            return True
        if word in ("def", "class"):
            return False
    return False


def _word(key: str) -> str:
    found = _WORD.match(key)
    return found[1] if found else ""


def state_of(coverage: FileCoverage, line: int) -> State | None:
    """The state of the measured statement that begins on a line; None where it is not counted."""
    if line in coverage.excluded:
        return State.EXCLUDED
    if line not in coverage.statements:
        return None
    if line in coverage.missing:
        return State.MISSING
    return State.PARTIAL if line in coverage.partial else State.COVERED
