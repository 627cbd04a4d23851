"""What an edit did: functions, what is outside of them, and lines."""

import random
from textwrap import dedent

import pytest

from covls.core.outline import compare, outline
from tests.core.edits import real_texts

SOURCE = dedent(
    '''\
    """A module."""
    import os
    LIMIT = 3

    @cached
    def first(a, b=1):
        """Says something."""
        c = a + b
        return [x for x in c]

    class Shape:
        sides = 4
        def area(self):
            if self.sides:
                return 1
            return 2

        async def later(self): return 3

    def outer():
        def inner():
            return 1
        return inner
    '''
)


def edited(old: str, new: str) -> str:
    assert SOURCE.count(old) == 1
    return SOURCE.replace(old, new)


@pytest.mark.parametrize(
    ("after", "functions", "outside"),
    [
        # Layout and comments are nothing.
        ("\n\n# A remark.\n" + SOURCE, [], False),
        (edited("c = a + b", "c = a  +  b  # both"), [], False),
        (edited("LIMIT = 3", "LIMIT = 3\n\n\n"), [], False),
        # Bodies are their functions'.
        (edited("c = a + b", "c = a - b"), ["first"], False),
        (edited("return 2", "return 3"), ["Shape.area"], False),
        (edited("self): return 3", "self): return 4"), ["Shape.later"], False),
        (
            edited("    return 1\n    return inner", "    return 5\n    return inner"),
            ["outer"],
            False,
        ),
        # A statement that leaves its block has the same text, and is other code.
        (edited("        return 2", "        if 1: return 2"), ["Shape.area"], False),
        # All else is outside.
        (edited("LIMIT = 3", "LIMIT = 4"), [], True),
        (edited("b=1", "b=2"), [], True),
        (edited("@cached", "@cached()"), [], True),
        (edited("Says", "Tells"), [], True),
        (edited("A module", "The module"), [], True),
        (edited("sides = 4", "sides = 5"), [], True),
        (edited("async def later", "def later"), [], True),
        (edited("import os\n", ""), [], True),
        (edited("class Shape:", "class Shape(Base):"), [], True),
        (SOURCE + "\ndef new():\n    pass\n", [], True),
        # What calling it means depends on whether it yields, whoever ran what of it.
        (edited("c = a + b", "c = yield a"), ["first"], True),
        # Laid out otherwise, other lines run.
        (edited("c = a + b", "c = (a +\n         b)"), ["first"], False),
        (edited("def first(a, b=1)", "def first(a,\n          b=1)"), [], True),
        # What makes no sense tells nothing.
        (SOURCE + "\ndef (", None, True),
    ],
)
def test_edits_are_told_apart(after: str, functions: list[str] | None, outside: bool) -> None:
    edit = compare(SOURCE, after)
    assert (edit.outside is not None) == outside
    if functions is not None:
        assert [function.name for function in edit.functions] == functions


def test_a_difference_is_told_by_its_line() -> None:
    edit = compare(SOURCE, "\n" + edited("return 2", "return 3"))
    (function,) = edit.functions
    assert function.line == SOURCE[: SOURCE.index("return 2")].count("\n") + 2
    assert function.body == (14, 16)
    assert compare(SOURCE, edited("LIMIT = 3", "LIMIT = 4")).outside == 3


def test_lines_of_what_is_the_same_move() -> None:
    edit = compare(SOURCE, "# One.\n" + edited("    sides = 4\n", "    sides = 4\n\n\n"))
    moved = {line: now for line, now in enumerate(edit.lines) if line and now}
    assert {line: now - line for line, now in moved.items()} == {
        line: 1 if line <= 12 else 3 for line in moved
    }
    assert moved.keys() >= {1, 2, 3, 5, 6, 8, 9, 11, 12, 13, 14, 15, 16, 18, 20, 21, 22, 23}


def test_twins_are_not_confused() -> None:
    before = "def a():\n    return 1\n\n\ndef b():\n    return 1\n"
    after = "def b():\n    return 1\n\n\ndef a():\n    return 1\n"
    edit = compare(before, after)
    assert [edit.lines[line] for line in (2, 6)] == [6, 2]


def test_what_begins_on_line_one() -> None:
    found = outline("class A:\n    x = 1\n")
    assert found is not None
    assert (found.first, found.opening, found.opens_with_class) == (1, (1, 2), True)
    found = outline("import a\n")
    assert found is not None
    assert found.opening is None
    found = outline("")
    assert found is not None
    assert found.first is None


@pytest.mark.parametrize("number", range(5))
def test_real_texts_with_blank_lines_put_in_are_the_same(number: int) -> None:
    chosen = random.Random(number)
    texts = real_texts()
    for text in chosen.sample(list(texts), 5):
        found = outline(text)
        if found is None:
            continue
        lines = text.split("\n")
        starts = sorted({function.first for function in found.functions})
        at = chosen.choice(
            [line for line in starts if lines[line - 1].startswith(("def", "@"))] or [1]
        )
        if lines[at - 1].startswith("@") and at > 1 and lines[at - 2].startswith("@"):
            continue
        edit = compare(text, "\n".join([*lines[: at - 1], "", "# Here.", *lines[at - 1 :]]))
        assert edit.outside is None
        assert edit.functions == ()
        for line, now in list(enumerate(edit.lines))[1:]:
            if lines[line - 1].strip() and not lines[line - 1].strip().startswith("#"):
                assert now in (0, line + 2 if line >= at else line)
