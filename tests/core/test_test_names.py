"""Tests' names out of contexts, and where they are written."""

import pytest

from covls.core.lines import split_lines
from covls.core.test_names import Place, find_definition, named_in, places_of

TEXT = '''\
def test_a():
    def inner():
        pass


# def test_b(): not this one
class TestA:
    """Holds:

    def test_in_words(): no.
    """

    def test_a(self):
        pass

    async def test_async(self):
        pass

    class Nested:
        def test_deep(self):
            pass


class TestB:
    def test_only_here(self):
        pass


class TestBc:
    def test_only_there(self):
        pass
'''


def test_contexts_to_tests() -> None:
    contexts = ["", "t.py::a|setup", "t.py::a|run", "t.py::b[x|run]|run", "m.test_c"]
    assert named_in(contexts) == ("t.py::a", "t.py::b[x|run]", "m.test_c")


@pytest.mark.parametrize(
    ("test", "places"),
    [
        ("t.py::a", [("t.py", ("a",))]),
        ("t.py::t::b", [("t.py", ("t", "b"))]),
        ("d/t.py::A::b[c::d.e]", [("d/t.py", ("A", "b"))]),
        ("d.t.b", [("d/t.py", ("b",)), ("d.py", ("t", "b"))]),
        *((nothing, []) for nothing in ("", "a", "my context", "t.py::", "::a", "a..b")),
    ],
)
def test_where_a_test_may_be_written(test: str, places: list[Place]) -> None:
    assert list(places_of(test)) == places


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        (("test_a",), 1),
        (("TestA",), 7),
        (("TestA", "test_a"), 13),
        (("TestA", "test_async"), 16),
        (("TestA", "Nested", "test_deep"), 20),
        (("TestB", "test_only_here"), 25),
        # Inherited or made at run time: not written where one would look.
        (("TestB", "test_only_there"), None),
        (("TestA", "test_b"), None),
        (("nothing",), None),
        ((), None),
    ],
)
def test_definitions(steps: tuple[str, ...], line: int | None) -> None:
    assert find_definition(split_lines(TEXT), steps) == line
