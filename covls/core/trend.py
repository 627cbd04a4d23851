"""How a figure went from commit to commit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from covls.core.coverage import NOTHING, Totals
from covls.core.gates import is_below
from covls.core.history import Run
from covls.core.regression import share

BARS: Final = "▁▂▃▄▅▆▇█"
PLAIN_BARS: Final = "_.-=*#"
"""What stands for low to high, where a terminal has the others and where it has not."""

COLUMNS: Final = 60
"""The characters of a line of bars, at most."""


@dataclass(frozen=True, slots=True)
class Point:
    """What a run measured of all files, or of those below a path."""

    run: Run
    totals: Totals
    change: Fraction | None
    """Points since the one before, exact; None of the first."""


def trend(runs: Iterable[tuple[Run, Totals]]) -> tuple[Point, ...]:
    """The points of a line, in the order of the runs, oldest first."""
    found: list[Point] = []
    for run, totals in runs:
        change = share(totals) - share(found[-1].totals) if found else None
        found.append(Point(run, totals, change))
    return tuple(found)


def below(files: Mapping[str, Totals], path: str) -> Totals:
    """The counts of the files that are a path, below it, or fit it as a pattern."""
    return sum((totals for name, totals in files.items() if is_below(name, path)), NOTHING)


def bars(values: Sequence[Fraction], levels: str = BARS, columns: int = COLUMNS) -> str:
    """A line of characters that go up and down as the values do, from the lowest to the highest.

    Where there are more values than columns, each column is the last of some in a row.

    >>> bars([Fraction(1), Fraction(3), Fraction(2)], "123")
    '132'
    """
    if len(values) > columns:
        ends = [len(values) * (column + 1) // columns - 1 for column in range(columns)]
        values = [values[end] for end in ends]
    if not values:
        return ""
    low, high = min(values), max(values)
    if low == high:
        return levels[len(levels) // 2] * len(values)
    top = len(levels) - 1
    return "".join(levels[round((value - low) / (high - low) * top)] for value in values)
