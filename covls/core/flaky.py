"""Which lines are flaky: now covered and now missed, and nobody changed anything.

The rule. Of the runs before, under the same flags and of clean work trees, those count in which a
statement stands with the text that it has now. Its state in each is covered, partly covered or
missed. It is flaky if

- two runs of the same code differ on it: runs between whose commits no file changed but
  documentation, by the same versions of the tools; or
- from run to run, in the order of the commits, its state changed `CHANGES` times or more. A test
  that is added makes one change, one that is taken away again two; it takes three for something
  that comes and goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

CHANGES: Final = 3
"""Changes of state from which on a line is flaky, whatever else changed between the runs."""

RUNS: Final = 50
"""Runs that are looked at, the nearest, at most."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run says of the lines of a text. Bit n of an integer stands for line n."""

    known: int
    """The statements that stand in what was measured as they stand in the text."""
    executed: int
    partial: int = 0
    """Those that ran, and not every branch of them was taken."""
    code: str = ""
    """What names all that was measured, tests and tools included; equal of two runs of the same
    code, empty where that is not known."""


def flaky_lines(seen: Sequence[Seen]) -> int:
    """The flaky lines of a text, as bits. `seen` is in the order of the commits.

    >>> f"{flaky_lines([Seen(0b1110, 0b1110, code='a'), Seen(0b1110, 0b0110, code='a')]):b}"
    '1000'
    """
    return _of_same_code(seen) | _changed_often(seen)


def _of_same_code(seen: Sequence[Seen]) -> int:
    found = 0
    first: dict[str, list[tuple[int, int, int]]] = {}
    for each in seen:
        if each.code:
            # Every pair: a line may be known in the second and the third of three alone.
            others = first.setdefault(each.code, [])
            this = each.known, each.executed, each.partial
            if this not in others:
                for other in others:
                    found |= _differ(other, this)
                others.append(this)
    return found


def _changed_often(seen: Sequence[Seen]) -> int:
    # Of each line the state it was last seen in, and in bit columns how often that changed.
    known = executed = partial = 0
    counts = [0] * CHANGES
    for each in seen:
        changed = _differ((known, executed, partial), (each.known, each.executed, each.partial))
        for place in range(CHANGES):
            counts[place], changed = counts[place] | changed, counts[place] & changed
        known |= each.known
        executed = executed & ~each.known | each.executed & each.known
        partial = partial & ~each.known | each.partial & each.known
    return counts[-1]


def _differ(one: tuple[int, int, int], other: tuple[int, int, int]) -> int:
    return (one[1] ^ other[1] | one[2] ^ other[2]) & one[0] & other[0]
