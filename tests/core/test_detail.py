"""Bitsets over arcs and lines, and who reached what."""

from hypothesis import given
from hypothesis import strategies as st

from covls.core.coverage import Measured
from covls.core.detail import (
    OUTSIDE,
    Detail,
    FileDetail,
    bits_of,
    detail_of_arcs,
    detail_of_lines,
    places,
)


@given(st.sets(st.integers(0, 5000)))
def test_numbers_come_back_from_their_bits(numbers: set[int]) -> None:
    assert list(places(bits_of(numbers))) == sorted(numbers)


def test_arcs_are_told_by_who_ran_them() -> None:
    file = detail_of_arcs({OUTSIDE: [(-1, 1), (1, -1)], ("a", "call"): [(-1, 2), (2, -1), (-1, 1)]})
    assert set(file.arcs(file.ran["a", "call"])) == {(-1, 2), (2, -1), (-1, 1)}
    assert file.lines(file.ran["a", "call"]) == {1, 2}
    assert file.measured() == Measured(
        frozenset({1, 2}), frozenset({(-1, 1), (1, -1), (-1, 2), (2, -1)})
    )
    assert file.reaching({2}) == {("a", "call")}
    assert file.reaching({1}) == {OUTSIDE, ("a", "call")}


def test_lines_are_told_by_who_ran_them() -> None:
    file = detail_of_lines({OUTSIDE: [1, 3], ("a", "setup"): [3, 4]})
    assert file.measured() == Measured(frozenset({1, 3, 4}))
    assert file.reaching({4, 9}) == {("a", "setup")}
    assert file.lines(file.ran["a", "setup"]) == {3, 4}


def test_tests_in_files_leave_out_what_ran_outside_of_tests() -> None:
    detail = Detail(
        False,
        {
            "a.py": FileDetail(None, {OUTSIDE: 2, ("t", "call"): 4}),
            "b.py": FileDetail(None, {("u", "setup"): 4}),
        },
    )
    assert detail.tests_in(["a.py", "missing.py"]) == {"t"}
    assert detail.tests_in(["a.py", "b.py"]) == {"t", "u"}
