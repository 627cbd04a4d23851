"""Which statement became which: each row is an edit, and says why it is there."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from covls.core.drift import Change, LineMap, drift, map_lines
from covls.core.statements import Text


def drift_of(before: Sequence[str], after: Sequence[str]) -> LineMap:
    return drift(Text([*before]), Text([*after]))


EDITS = [
    ("nothing changed", "abc", "abc", [1, 2, 3]),
    ("a line put in before all others moves them", "abc", "xabc", [2, 3, 4]),
    ("a line put in at the end moves nothing", "abc", "abcx", [1, 2, 3]),
    ("a changed line is gone, those after it stay", "abc", "axc", [1, 0, 3]),
    ("a deleted line pulls those after it up", "abc", "ac", [1, 0, 2]),
    (
        "two edits far apart leave what is between fresh",
        "abcdefg",
        "xbcdefy",
        [0, 2, 3, 4, 5, 6, 0],
    ),
    ("of equal lines, those at the ends are matched first", "aabaa", "aacaa", [1, 2, 0, 4, 5]),
    ("a doubled line is an insertion", "abc", "abbc", [1, 2, 4]),
    ("lines that changed places", "abcd", "acbd", [1, 3, 2, 4]),
    ("of two equal ones that moved, none is known to be which", "xaaybz", "xybaaz", "100236"),
    ("everything replaced", "abc", "xyz", [0, 0, 0]),
    ("everything deleted", "abc", "", [0, 0, 0]),
    ("from nothing", "", "abc", []),
]


@pytest.mark.parametrize(("why", "before", "after", "current"), EDITS, ids=[e[0] for e in EDITS])
def test_edit(why: str, before: str, after: str, current: Sequence[int | str]) -> None:
    assert list(drift_of(before, after).current[1:]) == [int(line) for line in current]


def test_lines_of_a_statement_laid_out_otherwise() -> None:
    line_map = drift_of(["a", "f(", "  1,", "  2)", "b"], ["a", "", "f(1,", "  2)", "b"])
    assert list(line_map.current) == [0, 1, 3, 4, 4, 5]
    assert line_map.move((2, 4)) == (3, 4)
    assert line_map.measured(4, 5) == {2, 5}


def test_what_is_no_statement_does_not_move() -> None:
    line_map = drift_of(["a", "f(", "1)", "b"], ["a", "f(", "1)", "b"])
    assert line_map.move((2, 3)) == (2, 3)
    assert line_map.move((2, 2)) is None, "its last line is another"
    assert line_map.move((3, 3)) is None, "it begins above"
    assert line_map.move((4, 5)) is None, "there is no line 5"


def test_a_text_that_is_no_python_is_compared_line_by_line() -> None:
    before = Text(["{% if a %}", "don't", "{% endif %}", "'"], python=False)
    line_map = drift(before, Text(["x", "{% if a %}", "don't", "{%  endif %}", "'"], python=False))
    assert list(line_map.current) == [0, 2, 3, 0, 5]
    assert line_map.move((1, 2)) == (2, 3)
    assert line_map.move((1, 3)) is None
    assert line_map.took_place == [(0, -1), (3, 2)]


def test_a_measured_text_that_cannot_be_read_is_compared_line_by_line() -> None:
    line_map = drift_of(["a", "'''", "b"], ["x", "a", "'''", "b  "])
    assert list(line_map.current) == [0, 2, 3, 0]


def test_a_statement_of_which_a_line_is_doubtful_is_edited() -> None:
    lines = ["a", "f(", "  1,", "  2)", "# b", "c"]
    line_map = drift(Text(lines, doubtful=frozenset({3, 5})), Text(["x", *lines]))
    assert [line_map.move((start, start)) for start in (1, 6)] == [(2, 2), (7, 7)]
    assert line_map.move((2, 4)) is None
    assert line_map.took_place == [(0, -1), (2, 1)]


@pytest.mark.parametrize(
    ("after", "edited"),
    [
        ("def f():\n    a\n    b", False),
        ("def f():\n    # why\n    a\n\n    b;", False),
        ("def f():\n    a", True),
        ("def f():\n    a\n    b\n    c", True),
    ],
)
def test_edited(after: str, edited: bool) -> None:
    assert drift_of(["def f():", "    a", "    b"], after.split("\n")).edited is edited


def test_untouched() -> None:
    line_map = drift_of("abcdefg", "abxcdyfg")
    assert line_map.untouched(1, 2)
    assert not line_map.untouched(2, 3), "a line came in between"
    assert line_map.untouched(3, 4), "a line that came in above is not between"
    assert not line_map.untouched(4, 6)
    assert line_map.untouched(6, 7)


LINES = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "", "  "]), max_size=12)


@given(LINES, LINES)
def test_changes_and_equal_parts_make_up_both_texts(before: list[str], after: list[str]) -> None:
    rebuilt: list[str] = []
    position = 1
    changes: tuple[Change, ...] = map_lines(before, after)
    for change in changes:
        first, count = change.before
        rebuilt += before[position - 1 : first - 1]
        rebuilt += after[change.after[0] - 1 : change.after[0] - 1 + change.after[1]]
        position = first + count
    rebuilt += before[position - 1 :]
    assert rebuilt == after


@given(LINES, LINES)
def test_statements_have_one_partner_with_their_code(before: list[str], after: list[str]) -> None:
    line_map = drift_of(before, after)
    matched = [(old, new) for old, new in enumerate(line_map.current) if new]
    assert all(before[old - 1].strip() == after[new - 1].strip() for old, new in matched)
    partners = [partner for partner in line_map.partners if partner >= 0]
    assert len(partners) == len(set(partners))
    left = sorted(set(range(len(line_map.after_starts))).difference(partners))
    assert [now for now, _ in line_map.took_place] == left
