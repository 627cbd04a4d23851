"""Gaps of a source of which a part ran: where they begin and end, and what they would bring."""

from dataclasses import replace

from covls.core.coverage import Measured, cover
from covls.core.drift import drift
from covls.core.gaps import Gap, gaps
from covls.core.statements import Text
from tests.core.analysed import analysed

SOURCE = """\
import sys


def used(a):
    if a:
        return 1
    return 2


def never():
    b = max(
        1,
        2,
    )

    # Nothing runs here.
    return b


def last():
    return 3
"""

ANALYSIS = replace(analysed(SOURCE), no_branch=frozenset())
ARCS = {(-1, 1), (1, 4), (4, 10), (10, 20), (20, -1), (-4, 5), (5, 6), (6, -4)}
COVERAGE = cover(ANALYSIS, Measured(frozenset({1, 4, 5, 6, 10, 20}), frozenset(ARCS)))


def found(text: str = SOURCE) -> list[tuple[int, int, int, int]]:
    line_map = drift(Text(SOURCE.split("\n")), Text(text.split("\n")))
    return [
        (gap.first, gap.last, gap.statements, gap.branches)
        for gap in gaps("a.py", COVERAGE, line_map)
    ]


def test_blocks_run_over_lines_without_statements_and_end_at_what_ran() -> None:
    assert found() == [(5, 5, 0, 1), (7, 7, 1, 0), (11, 17, 2, 0), (21, 21, 1, 0)]


def test_they_are_where_the_code_is_now() -> None:
    assert found("# New.\n\n" + SOURCE) == [
        (7, 7, 0, 1),
        (9, 9, 1, 0),
        (13, 19, 2, 0),
        (23, 23, 1, 0),
    ]
    assert found(SOURCE.replace("return b", "return b + 1"))[2] == (11, 14, 1, 0)


def test_only_of_some_statements() -> None:
    assert gaps("a.py", COVERAGE, lines={17, 5}) == (
        Gap(
            "a.py",
            5,
            5,
            0,
            1,
            "line 5 didn't jump to line 7 because the condition on line 5 was always true",
        ),
        Gap("a.py", 17, 17, 1, 0),
    )
    assert gaps("a.py", COVERAGE, lines=()) == ()
