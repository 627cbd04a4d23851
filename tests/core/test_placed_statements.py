"""The statements that still stand, in a source of which some ran; each row is an edit."""

from dataclasses import replace

import pytest

from covls.core.coverage import Measured, cover
from covls.core.drift import drift
from covls.core.lines import split_lines
from covls.core.placed_statements import PlacedStatement, placed_statements
from covls.core.statements import Text
from tests.core.analysed import analysed

SOURCE = """\
def price(amount, member):
    if member:
        amount = round(
            amount * 0.9,
        )
    return amount


def never():  # pragma: no cover
    return 1
"""

MEASURED = Measured(frozenset({1, 2, 6}), frozenset({(-1, 1), (1, -1), (-1, 2), (2, 6), (6, -1)}))

# No rule says here which lines may leave branches untaken; the analysis takes that for all.
ANALYSIS = replace(analysed(SOURCE, ["pragma: no cover"]), no_branch=frozenset())
COVERAGE = cover(ANALYSIS, MEASURED)


def placed(current: str, only: set[int] | None = None) -> list[tuple[int, int, bool, int, int]]:
    line_map = drift(Text(split_lines(SOURCE)), Text(split_lines(current)))
    return [
        (each.start, each.end, each.ran, each.branches, each.missed)
        for each in placed_statements(COVERAGE, line_map, only)
    ]


def test_each_statement_is_one_however_many_lines_it_has() -> None:
    assert placed(SOURCE) == [
        (1, 1, True, 0, 0),
        (2, 2, True, 2, 1),
        (3, 5, False, 0, 0),
        (6, 6, True, 0, 0),
    ]


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        # It moves with the text, and is left out where its code is another.
        ("def price", "# above\n\ndef price", [3, 4, 5, 8]),
        ("return amount", "return amount + 1", [1, 2, 3]),
        # Where it was given other lines, it is on those.
        ("round(\n            amount * 0.9,\n        )", "round(amount * 0.9,)", [1, 2, 3, 4]),
    ],
)
def test_after_an_edit(before: str, after: str, lines: list[int]) -> None:
    assert [start for start, *_ in placed(SOURCE.replace(before, after))] == lines


def test_of_one_test_it_is_said_which_ran_and_nothing_of_branches() -> None:
    # The second line of the call is as good as its first.
    assert placed(SOURCE, {2, 4}) == [
        (1, 1, False, 0, 0),
        (2, 2, True, 0, 0),
        (3, 5, True, 0, 0),
        (6, 6, False, 0, 0),
    ]


def test_sums_are_those_of_the_report() -> None:
    same = drift(Text(split_lines(SOURCE)), Text(split_lines(SOURCE)))
    found: tuple[PlacedStatement, ...] = placed_statements(COVERAGE, same)
    totals = COVERAGE.totals
    assert (len(found), sum(not each.ran for each in found)) == (4, totals.n_missing)
    assert sum(each.branches for each in found) == totals.n_branches
    assert sum(each.missed for each in found) == totals.n_missing_branches
