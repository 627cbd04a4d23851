"""How a figure went, for people at a terminal."""

from collections.abc import Iterator, Sequence

from covls.core.coverage import percent_text
from covls.core.formats.comparison_text import figure, points
from covls.core.regression import share
from covls.core.report import counted, printable
from covls.core.trend import BARS, Point, bars


def trend_text(found: Sequence[Point], title: str, rows: int, levels: str = BARS) -> Iterator[str]:
    """The lines to print: from where to where, a line of bars, and the last rows (0: all)."""
    if not found:
        return
    first, last = found[0], found[-1]
    low = min(found, key=lambda point: share(point.totals))
    high = max(found, key=lambda point: share(point.totals))
    yield printable(
        f"{title}: {counted(len(found), 'run')}, {figure(first.totals)} -> {figure(last.totals)} "
        f"({points(share(last.totals) - share(first.totals))})"
    )
    yield printable(bars([share(point.totals) for point in found], levels))
    yield printable(
        f"lowest {figure(low.totals)} at {low.run.commit.id[:7]}, "
        f"highest {figure(high.totals)} at {high.run.commit.id[:7]}"
    )
    yield ""
    for point in reversed(found[-rows:] if rows else found):
        commit = point.run.commit
        change = "" if point.change is None else points(point.change)
        percent = percent_text(point.totals.percent, 2)
        yield printable(
            f"{commit.id[:7]}  {commit.authored:%Y-%m-%d}  {percent:>6}%  {change:>7}  "
            f"{point.totals.n_statements:>6}  {commit.subject[:50]}"
        ).rstrip()
