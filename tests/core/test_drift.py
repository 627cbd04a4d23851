"""Line maps: each row is an edit, and says why it is there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from covls.core.drift import map_lines

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
    (
        "lines that changed places: order is kept, so one of them is gone",
        "abcd",
        "acbd",
        [1, 0, 2, 4],
    ),
    ("everything replaced", "abc", "xyz", [0, 0, 0]),
    ("everything deleted", "abc", "", [0, 0, 0]),
    ("from nothing", "", "abc", []),
]


@pytest.mark.parametrize(("why", "before", "after", "current"), EDITS, ids=[e[0] for e in EDITS])
def test_edit(why: str, before: str, after: str, current: list[int]) -> None:
    assert list(map_lines(before, after).current[1:]) == current


def test_a_block_moves_only_whole() -> None:
    line_map = map_lines("abcdef", "xabcyef")
    assert line_map.move((1, 3)) == (2, 4)
    assert line_map.move((3, 5)) is None, "line 4 was changed"
    assert line_map.move((5, 6)) == (6, 7)
    assert line_map.move((6, 7)) is None, "there is no line 7"


def test_a_block_that_was_torn_apart_does_not_move() -> None:
    assert map_lines("abcd", "abxcd").move((2, 3)) is None


LINES = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "", "  "]), max_size=12)


@given(LINES, LINES)
def test_only_equal_lines_are_matched_and_in_order(before: list[str], after: list[str]) -> None:
    line_map = map_lines(before, after)
    matched = [(old, new) for old, new in enumerate(line_map.current) if new]
    assert all(before[old - 1] == after[new - 1] for old, new in matched)
    assert [new for _, new in matched] == sorted({new for _, new in matched})


@given(LINES, LINES)
def test_changes_and_equal_parts_make_up_both_texts(before: list[str], after: list[str]) -> None:
    line_map = map_lines(before, after)
    rebuilt: list[str] = []
    position = 1
    for change in line_map.changes:
        first, count = change.before
        rebuilt += before[position - 1 : first - 1]
        rebuilt += after[change.after[0] - 1 : change.after[0] - 1 + change.after[1]]
        position = first + count
    rebuilt += before[position - 1 :]
    assert rebuilt == after
