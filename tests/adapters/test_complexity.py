"""McCabe's complexity of functions, as mccabe has it, and where mccabe is behind Python."""

import pytest

from covls.adapters.complexity import complexities, parse


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return 1", 1),
        ("if a:\n        b()", 2),
        ("if a:\n        b()\n    elif c:\n        d()\n    else:\n        e()", 3),
        ("for a in b:\n        if a:\n            c()", 3),
        # mccabe counts that none of the handlers may be the right one.
        ("try:\n        a()\n    except ValueError:\n        b()", 3),
        ("with a:\n        if b:\n            c()", 2),
        # Unknown to mccabe 0.7, which takes each for one plain statement.
        ("match a:\n        case 1:\n            b()\n        case 2:\n            c()", 3),
        ("match a:\n        case 1:\n            b()\n        case _:\n            c()", 2),
        ("match a:\n        case 1:\n            if b:\n                c()", 3),
        ("try:\n        a()\n    except* ValueError:\n        b()", 3),
        # A function within counts.
        ("def g():\n        if a:\n            b()\n    return g", 3),
    ],
)
def test_one_function(body: str, expected: int) -> None:
    tree = parse(f"def f(a, b, c):\n    {body}\n")
    assert tree is not None
    assert complexities(tree, {1}) == {1: expected}


def test_every_function_that_is_asked_for_wherever_it_is() -> None:
    text = """\
class A:
    @property
    def b(self):
        return 1

    @b.setter
    def b(self, value):
        if value:
            pass

try:
    import c
except ImportError:
    async def c():
        while True:
            def d():
                pass
match c:
    case 1:
        def e():
            pass
"""
    tree = parse(text)
    assert tree is not None
    # The line is that of the `def`, not of a decorator; a setter does not stand in for its getter.
    assert complexities(tree, range(100)) == {3: 1, 7: 2, 14: 3, 16: 1, 20: 1}
    assert complexities(tree, {7, 8}) == {7: 2}


@pytest.mark.parametrize("text", ["def f(:\n", "a\0b", "(" * 10_000])
def test_what_cannot_be_parsed(text: str) -> None:
    assert parse(text) is None


def test_a_warning_of_the_source_is_not_ours() -> None:
    assert parse("a = '\\d'\n") is not None
