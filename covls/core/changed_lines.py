"""Which lines of a text are changed against another, as a reviewer sees them in a diff.

`drift.map_lines` is quick, and cuts coarsely where lines stand there more than once. What it leaves
is compared here once more, so that as few lines as possible count as changed; and what was put in
is told from what stands around it: a function that came in is that function, not its own without
the first line and with the first line of the next. Nearly always that is what git has, too.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from covls.core.drift import Change, map_lines

MOST_EDITS = 300
"""Lines of one change that may come in or go away, at most, for it to be compared line by line; of
a longer one all lines are changed."""

CHANGES_KEPT = 512
"""Changes that were compared and are kept at hand: most of them stay while somebody types."""

FARTHEST = 100
"""How many lines an insertion or a deletion is moved, at most, to where it reads best."""


def changed_lines(base: Sequence[str], current: Sequence[str]) -> tuple[Change, ...]:
    """The changes from one text to the other, in order, none touching the next."""
    changes: list[Change] = []
    for change in map_lines(base, current):
        (b, b_count), (a, a_count) = change.before, change.after
        old, new = base[b - 1 : b - 1 + b_count], current[a - 1 : a - 1 + a_count]
        equal = _in_common(tuple(old), tuple(new)) if old and new else ()
        ends = [(-1, -1), *equal, (b_count, a_count)]
        changes += (
            Change((b + i + 1, i_next - i - 1), (a + j + 1, j_next - j - 1))
            for (i, j), (i_next, j_next) in pairwise(ends)
            if i_next - i > 1 or j_next - j > 1
        )
    return tuple(_put_straight(changes, base, current))


@lru_cache(CHANGES_KEPT)
def _in_common(old: tuple[str, ...], new: tuple[str, ...]) -> Sequence[tuple[int, int]]:
    """The places of a longest common subsequence; nothing where it takes too many edits.

    Found as in Myers, "An O(ND) Difference Algorithm and Its Variations", 1986.
    """
    # How far one comes in `old` on each diagonal (place in `old` less that in `new`), and that
    # after each number of edits.
    reach = {1: 0}
    trace: list[dict[int, int]] = []
    for edits in range(min(len(old) + len(new), MOST_EDITS) + 1):
        trace.append(reach.copy())
        for diagonal in range(-edits, edits + 1, 2):
            down = diagonal == -edits or (
                diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1]
            )
            i = reach[diagonal + 1] if down else reach[diagonal - 1] + 1
            j = i - diagonal
            while i < len(old) and j < len(new) and old[i] == new[j]:
                i, j = i + 1, j + 1
            reach[diagonal] = i
            if i >= len(old) and j >= len(new):
                return _back(trace, len(old), len(new))
    return ()


def _back(trace: Sequence[dict[int, int]], i: int, j: int) -> list[tuple[int, int]]:
    """The way that was taken to the ends of both, from the first step on."""
    found: list[tuple[int, int]] = []
    for edits in range(len(trace) - 1, -1, -1):
        reach, diagonal = trace[edits], i - j
        down = diagonal == -edits or (
            diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1]
        )
        above = diagonal + 1 if down else diagonal - 1
        i_above = reach[above] if edits else 0
        j_above = i_above - above if edits else 0
        while i > i_above and j > j_above:
            i, j = i - 1, j - 1
            found.append((i, j))
        i, j = i_above, j_above
    return found[::-1]


def _put_straight(
    changes: Sequence[Change], base: Sequence[str], current: Sequence[str]
) -> list[Change]:
    """Insertions and deletions, each moved to where it reads best, and joined where they meet."""
    joined: list[Change] = []
    for number, change in enumerate(changes):
        (b, b_count), (a, a_count) = change.before, change.after
        above = joined[-1] if joined else Change((1, 0), (1, 0))
        if not (b_count and a_count):
            lines, first, count = (current, a, a_count) if a_count else (base, b, b_count)
            room_above = b - sum(above.before)
            after = changes[number + 1].before[0] if number + 1 < len(changes) else len(base) + 1
            room_below = after - b - b_count
            shift = _best_shift(lines, first - 1, count, room_above, room_below)
            change = Change((b + shift, b_count), (a + shift, a_count))
        if joined and change.before[0] == sum(above.before):
            (b, b_count), (a, a_count) = above.before, above.after
            change = Change((b, b_count + change.before[1]), (a, a_count + change.after[1]))
            joined.pop()
        joined.append(change)
    return joined


def _best_shift(
    lines: Sequence[str], start: int, count: int, room_above: int, room_below: int
) -> int:
    end = start + count
    highest = 0
    while highest < min(room_above, FARTHEST) and (
        lines[start - highest - 1] == lines[end - highest - 1]
    ):
        highest += 1
    lowest = 0
    while lowest < min(room_below, FARTHEST) and lines[start + lowest] == lines[end + lowest]:
        lowest += 1
    if highest == lowest == 0:
        return 0
    return min(
        range(-highest, lowest + 1),
        key=lambda shift: (*_roughness(lines, start + shift, end + shift), -shift),
    )


def _roughness(lines: Sequence[str], start: int, end: int) -> tuple[int, int]:
    """How badly lines are cut out: best between blocks that are not indented, at blank lines."""
    indents = blank = 0
    for place in (start, end):
        below = place
        while below < len(lines) and not lines[below].strip():
            below += 1
        text = lines[below].expandtabs() if below < len(lines) else ""
        indents += len(text) - len(text.lstrip())
        above = place
        while above > 0 and not lines[above - 1].strip():
            above -= 1
        # A blank line before a cut parts it better than one that is behind it.
        blank += 2 * (place - above) + (below - place)
    return indents, -blank
