"""Contexts that tell all tests of each line, and those that tell the first alone."""

from collections.abc import Iterator, Mapping, Sequence

import pytest

from covls.core.detail import bits_of
from covls.core.told_apart import only_first_tests

EVERYWHERE = range(1, 101)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param([], False, id="nothing recorded"),
        pytest.param([{"": [1, 2]}], False, id="no tests"),
        pytest.param([{"": [1], "a": [2]}], False, id="one test, all of which is told"),
        pytest.param([{"a|setup": [1], "a|run": [2]}], False, id="phases of one test"),
        pytest.param([{"a|run": [1, 2], "b|run": [3]}], True, id="each line has one"),
        pytest.param([{"a": [1]}, {"b": [1]}], True, id="the same line of two files"),
        pytest.param([{"a": [1, 2], "b": [2, 3]}], False, id="a line of two tests"),
        pytest.param([{"": [1, 2], "a": [1], "b": [2]}], True, id="outside of tests as well"),
        pytest.param(
            [{"a": EVERYWHERE, "b": [7]}], True, id="a line of two functions, reported for each"
        ),
        pytest.param([{"a": EVERYWHERE}, {"b": EVERYWHERE, "c": [1]}], True, id="over all files"),
        pytest.param([{"a": EVERYWHERE, "b": EVERYWHERE}, {"c": [1]}], False, id="much in common"),
    ],
)
def test_contexts(files: Sequence[Mapping[str, Sequence[int]]], expected: bool) -> None:
    recorded = [[(context, bits_of(lines)) for context, lines in file.items()] for file in files]
    assert only_first_tests(recorded) is expected


def test_no_more_is_read_than_makes_it_clear() -> None:
    def files() -> Iterator[list[tuple[str, int]]]:
        yield [("a", bits_of(range(300))), ("b", bits_of(range(300)))]
        raise AssertionError("it was clear")

    assert not only_first_tests(files())
