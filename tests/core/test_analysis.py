"""The analysis of a source text, read from what the worker writes."""

import json
from typing import Any

import pytest

from covls.core.analysis import Region, analysis_from_json

#  1 @decorate
#  2 class C:
#  3     def f(self, x):
#  4         if (x and
#  5                 y):
#  6             return 1  # pragma: no cover
#  7         match x:  (three ways out)
SHAPE: dict[str, Any] = {
    "lines": "@CCCCBFC",
    "count": 7,
    "spans": [4, 5],
    "moved": [],
    "twos": [4, 6, 7],
    "more": [7, 3, -3, 8, 9],
    "fixers": [4, 7, 0, 0, 7, 4, 7, 9],
    "later": json.dumps(
        [
            [
                "line {start} didn't jump to line {end}",
                "line {start} didn't return from function 'f'",
            ],
            [0, 0, 1, 0, 0],
            "class\tC\nfunction\tC.f",
            [2, 1, 4, 7, 3, 2, 4, 4, 6, 7],
        ]
    ),
}


def test_reads_every_part() -> None:
    analysis = analysis_from_json(SHAPE)
    assert analysis.statements == {1, 2, 3, 4, 7}
    assert analysis.executable == {1, 2, 3, 4, 5, 6, 7}
    assert analysis.excluded == {6}
    assert analysis.no_branch == frozenset()
    assert analysis.branches == {4: (6, 7), 7: (-3, 8, 9)}
    assert analysis.first_lines == {5: 4}
    assert analysis.last_lines == {4: 5}
    assert analysis.jump_fixers == {(4, 7): None, (7, 4): (7, 9)}
    assert analysis.line_count == 7
    assert dict(analysis.words) == {
        (4, 6): "line 4 didn't jump to line 6",
        (4, 7): "line 4 didn't jump to line 7",
        (7, -3): "line 7 didn't return from function 'f'",
        (7, 8): "line 7 didn't jump to line 8",
        (7, 9): "line 7 didn't jump to line 9",
    }
    assert list(analysis.regions) == [
        Region("class", "C", 2, ((4, 7),)),
        Region("function", "C.f", 3, ((4, 4), (6, 7))),
    ]
    assert analysis.regions[1].name == "C.f"


def test_lines_of_a_statement() -> None:
    analysis = analysis_from_json(SHAPE)
    assert [analysis.first_line(line) for line in (3, 4, 5, 6, -5)] == [3, 4, 4, 6, -4]
    assert [analysis.last_line(line) for line in (3, 4, 6)] == [3, 5, 6]


def test_a_plugin_may_move_lines_backwards() -> None:
    """A file-tracer plugin's first line need not come first, nor be next to the others."""
    analysis = analysis_from_json({**SHAPE, "spans": [], "moved": [2, 6, 7, 3]})
    assert analysis.first_lines == {2: 6, 7: 3}
    assert [analysis.last_line(line) for line in (3, 6)] == [7, 6]


def test_equal_when_read_twice() -> None:
    one, other = analysis_from_json(SHAPE), analysis_from_json(SHAPE)
    assert one == other
    assert one != analysis_from_json({**SHAPE, "count": 8})
    elsewhere = json.loads(SHAPE["later"])
    elsewhere[3][1:] = [1, 4, 5, 3, 2, 4, 4, 6, 7]
    assert one != analysis_from_json({**SHAPE, "later": json.dumps(elsewhere)})


def test_an_empty_file() -> None:
    empty = {
        "lines": "@",
        "count": 0,
        "spans": [],
        "moved": [],
        "twos": [],
        "more": [],
        "fixers": [],
        "later": '[[], [], "", []]',
    }
    analysis = analysis_from_json(empty)
    assert not analysis.statements
    assert not analysis.words
    assert not list(analysis.regions)


@pytest.mark.parametrize("part", sorted(SHAPE))
def test_a_missing_part_is_refused(part: str) -> None:
    """Another version's cache must be noticed, not half understood."""
    broken = {name: value for name, value in SHAPE.items() if name != part}
    with pytest.raises(KeyError):
        analysis_from_json(broken)
