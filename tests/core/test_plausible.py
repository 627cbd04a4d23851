"""Which version was measured: what can have run, what was there in time, what is contradicted."""

from pathlib import Path

import pytest

from covls.adapters.analyst import Analysts, Rules
from covls.core.analysis import Analysis
from covls.core.coverage import Measured
from covls.core.plausible import Choice, Version, can_have_run, choose, lines_can_run

BRANCHES = """\
def f(a):
    if a:
        return 1
    else:
        b = 2

    return (
        b
    )
"""


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    analysts = Analysts(tmp_path_factory.mktemp("root"), Rules(exclude=(), partial=()))
    try:
        found = analysts.analyse(Path("a.py"), BRANCHES.encode())
    finally:
        analysts.close()
    assert isinstance(found, Analysis)
    return found


@pytest.mark.parametrize(
    ("lines", "possible"),
    [({1, 2, 3}, True), (set(), True), ({1, 2, 7, 8}, True), ({1, 6}, False), ({1, 99}, False)],
)
def test_lines(analysis: Analysis, lines: set[int], possible: bool) -> None:
    measured = Measured(frozenset(lines))
    assert lines_can_run(analysis, measured) is possible
    assert can_have_run(analysis, measured) is possible


@pytest.mark.parametrize(
    ("arc", "possible"),
    [
        ((2, 3), True),
        ((2, 5), True),
        ((2, 7), False),  # a branch that goes where it cannot
        ((5, 7), True),
        ((5, 8), True),  # into the middle of a statement
        ((3, -1), True),
        ((2, -1), True),  # how a function is left is not looked at
        ((1, 7), True),  # nor what does not branch
    ],
)
def test_branches(analysis: Analysis, arc: tuple[int, int], possible: bool) -> None:
    lines = frozenset(line for line in arc if line > 0)
    measured = Measured(lines, frozenset({arc}))
    assert lines_can_run(analysis, measured)
    assert can_have_run(analysis, measured) is possible


OLD, NEW, NEWEST = ["a", "b", "c"], ["a", "x", "c"], ["a", "x", "c", "d"]


@pytest.mark.parametrize(
    ("versions", "choice"),
    [
        ([], None),
        # The only one, whenever it was.
        ([(OLD, 5)], Choice(0, frozenset())),
        ([(OLD, 15)], Choice(0, frozenset())),
        # The last before the data; what was before it was gone by then.
        ([(OLD, 5), (NEW, 8)], Choice(1, frozenset())),
        ([(NEW, 8), (OLD, 5)], Choice(0, frozenset())),
        ([(NEW, 10), (OLD, 5)], Choice(0, frozenset())),
        # What came after may have been there before it was committed.
        ([(OLD, 5), (NEW, 11)], Choice(0, frozenset({2}))),
        ([(NEW, 11), (OLD, 5), (OLD, 12)], Choice(1, frozenset({2}))),
        ([(NEWEST, 5), (OLD, 12)], Choice(0, frozenset({2, 4}))),
        # Nothing before: the first after, and what all say alike.
        ([(NEWEST, 14), (NEW, 12)], Choice(1, frozenset())),
        ([(OLD, 14), (NEW, 12)], Choice(1, frozenset({2}))),
    ],
)
def test_choice(versions: list[tuple[list[str], float]], choice: Choice | None) -> None:
    assert choose([Version(lines, at) for lines, at in versions], 10) == choice


def test_any_line_of_a_statement_that_runs() -> None:
    """As the annotations of a function do from Python 3.12 on, and not before."""
    text = "from __future__ import annotations\ndef f(\n    a: int,\n    b: str,\n):\n"
    text += "    '''A.\n\n    B.'''\n    return a\n"
    analysts = Analysts(Path(), Rules(exclude=(), partial=()))
    try:
        found = analysts.analyse(Path("a.py"), text.encode())
    finally:
        analysts.close()
    assert isinstance(found, Analysis)
    assert lines_can_run(found, Measured(frozenset({1, 2, 3, 4, 9})))
    assert not lines_can_run(found, Measured(frozenset({1, 2, 7, 9})))
