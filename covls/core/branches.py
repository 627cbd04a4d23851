"""Whether a branch of the measured text leads to the same place in the current one."""

import re
from collections.abc import Sequence

from covls.core.drift import LineMap, opener
from covls.core.statements import Text

_CLAUSE = re.compile(r"\s*(?:elif|else|except|finally|case)\b")
_SCOPE = re.compile(r"\s*(?:async\s+)?(?:def|class)\b")


def leads_on(line_map: LineMap, source: int, target: int) -> bool:
    """Whether the statement on line `target` is still reached from the one on `source` as it was.

    Both are lines of the measured text, on which statements begin that are still there. What
    comes between them may change; what `target` stands behind, or is the first in, may not.
    """
    first, last = min(source, target), max(source, target)
    if line_map.untouched(first, last) and _together(line_map, source, target):
        return True
    index, partners = line_map.before.index, line_map.partners
    if source not in index or target not in index:
        return False
    here, there = index[source], index[target]
    now_here, now_there = partners[here], line_map.became(there)[0]
    if there in line_map.group_of:
        # What leads into a line of several leads to the first of them.
        there = line_map.group_of[there][0]
    before, starts = line_map.before, line_map.before.starts
    after, after_starts = line_map.after, line_map.after_starts
    if there <= here and _is_in(before, starts, here, there):
        return _is_in(after, after_starts, now_here, now_there)
    above = _above(before, starts, there)
    now_above = _above(after, after_starts, now_there)
    if above < 0 or now_above < 0:
        return above == now_above
    return now_above in line_map.became(above)


def leads_out(line_map: LineMap, source: int) -> bool:
    """Whether what follows the statement on line `source` is what followed it, or is outside."""
    place = line_map.before.index.get(source)
    if place is None:
        return not line_map.changes
    before, starts = line_map.before, line_map.before.starts
    below = _below(before, starts, place)
    last = starts[below] if below < len(starts) else len(before.lines)
    if line_map.untouched(source, last) and _together(line_map, source, last):
        return True
    after, after_starts = line_map.after, line_map.after_starts
    now = line_map.partners[place]
    now_below = _below(after, after_starts, now)
    if _is_outside(before, starts, place, below):
        return _is_outside(after, after_starts, now, now_below)
    return line_map.became(below)[0] == now_below


def beyond(text: Text, line: int) -> int:
    """The last line of the measured text that `leads_out` looks at for a branch on `line`, where
    nothing down to there was changed.
    """
    place = text.index.get(line)
    below = len(text.starts) if place is None else _below(text, text.starts, place)
    return text.starts[below] if below < len(text.starts) else len(text.lines)


def _together(line_map: LineMap, one: int, other: int) -> bool:
    """Whether two measured lines, with none changed between, are still as far from each other.

    They are not where one was taken for a copy of what it was, further down.
    """
    index, partners, starts = line_map.before.index, line_map.partners, line_map.after_starts
    if one not in index or other not in index:
        return True
    now, other_now = partners[index[one]], partners[index[other]]
    return now >= 0 and other_now >= 0 and starts[now] - one == starts[other_now] - other


def _is_in(text: Text, starts: Sequence[int], inner: int, outer: int) -> bool:
    while inner > outer:
        inner = opener(text, starts, inner)
    return inner == outer


def _above(text: Text, starts: Sequence[int], index: int) -> int:
    """The statement behind which one comes in its body, or the header of that body; or -1."""
    indent = text.indent(starts[index])
    for place in range(index - 1, -1, -1):
        if text.indent(starts[place]) <= indent:
            return place
    return -1


def _below(text: Text, starts: Sequence[int], index: int) -> int:
    """The statement that comes behind one with all its bodies, be it further out."""
    indent = text.indent(starts[index])
    for place in range(index + 1, len(starts)):
        found = text.indent(starts[place])
        if found < indent or (found == indent and not _CLAUSE.match(text.lines[starts[place] - 1])):
            return place
    return len(starts)


def _is_outside(text: Text, starts: Sequence[int], index: int, other: int) -> bool:
    """Whether a statement further down is outside the function that one is in."""
    if other == len(starts):
        return True
    indent = text.indent(starts[other])
    while index >= 0:
        index = opener(text, starts, index)
        if index >= 0 and _SCOPE.match(text.lines[starts[index] - 1]):
            return indent <= text.indent(starts[index])
    return False
