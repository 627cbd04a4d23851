"""How a figure went."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest

from covls.core.coverage import Totals
from covls.core.history import Commit, Run
from covls.core.trend import BARS, bars, below, trend

WHEN = datetime(2026, 1, 2, tzinfo=UTC)


def run(number: int) -> Run:
    commit = Commit(f"{number:040x}", authored=WHEN)
    return Run(number, commit, (), WHEN, True, {}, False, Totals())


def totals(covered: int, possible: int) -> Totals:
    return Totals(1, possible, 0, possible - covered)


def test_changes_are_exact() -> None:
    found = trend([(run(1), totals(1, 3)), (run(2), totals(2, 3)), (run(3), totals(20, 30))])
    assert [point.change for point in found] == [None, Fraction(100, 3), 0]
    assert trend([]) == ()


def test_files_below_a_path() -> None:
    files = {"app/a.py": totals(1, 2), "app/b/c.py": totals(0, 4), "application.py": totals(9, 9)}
    assert below(files, "app") == totals(1, 6) + Totals(1)
    assert below(files, "app/**/c.py").n_statements == 4
    assert below(files, "lib/") == Totals()


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([], ""),
        ([5], "▅"),
        ([5, 5, 5], "▅▅▅"),
        ([0, 100], "▁█"),
        ([90, 91, 92, 93, 94, 95, 96, 97], BARS),
        ([97, 96], "█▁"),
    ],
)
def test_bars(values: list[int], shown: str) -> None:
    assert bars([Fraction(value) for value in values]) == shown


def test_many_values_fit_and_the_last_is_there() -> None:
    values = [Fraction(0)] * 999 + [Fraction(1)]
    shown = bars(values, columns=10)
    assert shown == "▁" * 9 + "█"
