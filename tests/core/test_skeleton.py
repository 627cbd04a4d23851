"""What a skeleton says, and where it stands in a file."""

import ast
import subprocess
import sys
from textwrap import dedent

import pytest

from covls.core.coverage import State
from covls.core.marks import Freshness, Mark
from covls.core.skeleton import Skeleton, Style, Target, target_at, write_test

UNITTEST = Style("unittest.TestCase", "import unittest")


def target(source: str, *, state: State = State.MISSING) -> Target | None:
    """What is found at the line that ends in `#<`; nothing of the source ran but definitions."""
    text = dedent(source).strip("\n")
    lines = text.split("\n")
    (line,) = (n for n, each in enumerate(lines, 1) if each.endswith("#<"))
    marks = [
        Mark(n, n, state)
        for n, each in enumerate(lines, 1)
        if each.strip() and not each.strip().startswith(("def", "class", "@", "async def", '"'))
    ]
    return target_at(text, marks, line)


def written(source: str, existing: str = "", style: Style | None = None) -> str:
    """The test file with the skeleton in; it parses, and the test is on the line that is said."""
    found = target(source)
    assert found is not None
    skeleton = write_test(found, "shop", style or Style(), existing, ("tests",))
    assert skeleton is not None
    return applied(skeleton, existing)


def applied(skeleton: Skeleton, existing: str) -> str:
    text = skeleton.applied(existing)
    ast.parse(text)
    assert f"def {skeleton.name}(" in text.split("\n")[skeleton.line - 1]
    return text


FUNCTION = "def never(a):\n    return a  #<\n"


def test_a_file_that_is_new() -> None:
    assert written(FUNCTION) == dedent(
        """\
        import pytest

        from shop import never


        def test_never():
            pytest.fail("To be written: a test of shop.never.")
            assert never(a=...) == ...
        """
    )
    assert written(FUNCTION, style=UNITTEST) == dedent(
        """\
        import unittest

        from shop import never


        class TestNever(unittest.TestCase):
            def test_never(self):
                self.fail("To be written: a test of shop.never.")
                self.assertEqual(never(a=...), ...)
        """
    )


@pytest.mark.parametrize(
    ("source", "call"),
    [
        (
            "def f(a, /, b, *c, d, e=1, **g):\n    return 1  #<",
            "assert f(..., b=..., d=...) == ...",
        ),
        ("def f(a=1):  #<\n    print(a)", "f()"),
        ("def f() -> None:  #<\n    return g()", "f()"),
        ("def f():  #<\n    def g():\n        return 1\n    g()", "f()"),
        ("def f():\n    def g():\n        return 1  #<\n    return g", "assert f() == ..."),
        ("def f():\n    yield 1  #<", "assert list(f()) == ..."),
        ("@contextmanager\ndef f():\n    yield 1  #<", "assert f() == ..."),
        ("async def f():\n    return 1  #<", "assert asyncio.run(f()) == ..."),
        ("class A:\n    def f(self, b):\n        return b  #<", "assert a.f(b=...) == ..."),
        ("class A:\n    @property\n    def f(self):\n        return 1  #<", "assert a.f == ..."),
        ("class A:\n    @staticmethod\n    def f(b):\n        return b  #<", "A.f(b=...) == ..."),
        ("class A:\n    @classmethod\n    def f(cls, b):\n        return b  #<", "A.f(b=...) == "),
        ("class A:\n    def __init__(self, b):\n        self.b = b  #<", "a = A(b=...)"),
        ("class A:\n    def __f(self):\n        return 1  #<", "assert a._A__f() == ..."),
        ("class A:\n    class B:\n        def f(self):\n            return 1  #<", "b = A.B()"),
        (
            (
                "class HTTPClient:\n    def __init__(self, *, url):\n        self.url = url\n"
                "    def get(self):\n        return 1  #<"
            ),
            "http_client = HTTPClient(url=...)",
        ),
        (
            (
                "@dataclass\nclass A:\n    b: int\n    c: int = 1\n    d: ClassVar[int]\n"
                "    def f(self):\n        return 1  #<"
            ),
            "a = A(b=...)",
        ),
    ],
)
def test_calls(source: str, call: str) -> None:
    assert f"\n    {call}" in written(source).replace("    assert A.", "    A."), written(source)


def test_only_what_no_test_runs() -> None:
    assert target("def f():\n    return 1  #<", state=State.COVERED) is None
    assert target("a = 1  #<") is None
    assert target("class A:\n    b = 1  #<") is None
    edited = Mark(2, 2, State.MISSING, Freshness.EDITED)
    assert target_at("def f():\n    return 1", [edited], 1) is None
    new = Mark(2, 2, State.MISSING, Freshness.NEW)
    assert target_at("def f():\n    return 1", [new], 1) is not None
    assert target_at("def f():\n    return 1", [], 1) is None
    assert target_at("def f(:\n", [new], 1) is None


@pytest.mark.parametrize(
    ("existing", "expected"),
    [
        ("from shop import never\n", "assert never(a=...)"),
        ("from shop import never as n\n", "assert n(a=...)"),
        ("import shop\n", "assert shop.never(a=...)"),
        ("import shop as s\n", "assert s.never(a=...)"),
        ("def never():\n    pass\n", "from shop import never as shop_never\n"),
        ("from elsewhere import never\n", "assert shop_never(a=...)"),
    ],
)
def test_names_that_the_file_has(existing: str, expected: str) -> None:
    text = written(FUNCTION, existing)
    assert expected in text
    assert text.count("import pytest") == 1


def test_relative_imports_stay_relative() -> None:
    found = target(FUNCTION)
    assert found is not None
    existing = "from .prices import used\n"
    skeleton = write_test(found, "app.prices", UNITTEST, existing, ("app",))
    assert skeleton is not None
    assert "from .prices import never, used\n" in applied(skeleton, existing)


@pytest.mark.parametrize(
    ("existing", "expected"),
    [
        ("from shop import used\n", "from shop import never, used\n"),
        ("from shop import used", "from shop import never, used\n"),
        ("from shop import MAX, Basket, after\n", "from shop import MAX, Basket, after, never\n"),
        ("from shop import used  # noqa: F401\n", "from shop import never, used  # noqa: F401\n"),
        (
            f"from shop import {'a' * 40}, {'b' * 30}\n",
            f"from shop import (\n    {'a' * 40},\n    {'b' * 30},\n    never,\n)\n",
        ),
        (
            "from shop import (\n    before,  # Here.\n    used,\n)\n",
            "from shop import (\n    before,  # Here.\n    never,\n    used,\n)\n",
        ),
        (
            "from shop import (\n    after,\n    before  # Here.\n)\n",
            "from shop import (\n    after,\n    before,  # Here.\n    never,\n)\n",
        ),
        # Another name for it, all names, and what is written otherwise stay as they are.
        ("from shop import used as u\n", "from shop import never\n"),
        ("from shop import *\n", "from shop import never\n"),
        ("from shop import (a, b,\n    c)\n", "from shop import never\n"),
        ("from shop import a; a()\n", "from shop import never\n"),
        ("from shop import \\\n    a\n", "from shop import never\n"),
    ],
)
def test_an_import_from_the_same_module_gets_longer(existing: str, expected: str) -> None:
    text = written(FUNCTION, existing)
    assert expected in text
    kept = existing.rstrip("\n") + "\n" in text
    assert kept is (expected == "from shop import never\n")
    if not kept:
        # The tools that sort imports have nothing to do.
        known = "lint.isort.known-first-party = ['shop']"
        command = ["ruff", "check", "-q", "--isolated", "--select=I", "--config", known, "-"]
        done = subprocess.run(
            [sys.executable, "-m", *command],
            input=text,
            text=True,
            stdout=subprocess.PIPE,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_names_that_are_in_no_order_get_one_more_at_their_end() -> None:
    text = written(FUNCTION, "from shop import used, after\n\n\ndef test_a():\n    pass\n")
    assert "from shop import used, after, never\n" in text


def test_a_name_that_is_taken_and_a_script_at_the_end() -> None:
    existing = dedent(
        '''\
        # A comment at the top.
        """The tests."""

        def test_never():
            pass


        if __name__ == "__main__":
            pytest.main()
        '''
    )
    text = written(FUNCTION, existing)
    assert "def test_never_2():" in text
    assert text.index("def test_never_2") < text.index("if __name__")
    assert text.startswith('# A comment at the top.\n"""The tests."""\n\nimport pytest\n')
    assert "\n\n\nif __name__" in text


@pytest.mark.parametrize("existing", ["import pytest", "import pytest\n", "import pytest\n\n\n\n"])
def test_two_blank_lines_above(existing: str) -> None:
    text = written(FUNCTION, existing)
    assert "import never\n\n\ndef test_never" in text or "\n\n\ndef test_never" in text


def test_a_class_of_tests_gets_one_more() -> None:
    existing = dedent(
        """\
        import unittest

        from shop import Basket


        class BasketTests(unittest.TestCase):
          def test_total(self):
            pass


        class TestOther(unittest.TestCase):
          pass
        """
    )
    source = "class Basket:\n    def total(self):\n        return 1  #<\n"
    text = written(source, existing, UNITTEST)
    assert text.count("class ") == 2
    assert "  def test_total_2(self):\n      self.fail(" in text
    assert text.index("test_total_2") < text.index("class TestOther")


@pytest.mark.parametrize(
    ("awaiting", "expected"),
    [
        ("auto", "\nasync def test_f():\n"),
        ("asyncio", "@pytest.mark.asyncio\nasync def test_f():\n"),
        ("anyio", "@pytest.mark.anyio\nasync def test_f():\n"),
        ("run", "\ndef test_f():\n"),
    ],
)
def test_awaiting(awaiting: str, expected: str) -> None:
    style = Style(awaiting=awaiting)  # type: ignore[arg-type]
    assert expected in written("async def f():\n    return 1  #<", style=style)


def test_a_file_that_does_not_parse_is_left_alone() -> None:
    found = target(FUNCTION)
    assert found is not None
    assert write_test(found, "shop", Style(), "def broken(:\n") is None
