"""Tests are found by name, place and import, and named as their runners take them."""

import doctest
from typing import Literal

import pytest

from covls.core import naming
from covls.core.naming import (
    DJANGO,
    PYTEST,
    UNITTEST,
    Conventions,
    id_of,
    importers,
    imports,
    is_test_file,
    module_names,
    named_after,
    of_django_app,
    steps_within,
)


def test_the_examples_are_true() -> None:
    assert doctest.testmod(naming).failed == 0


@pytest.mark.parametrize(
    ("file", "conventions", "expected"),
    [
        ("tests/test_a.py", PYTEST, True),
        ("a_test.py", PYTEST, True),
        ("tests/a.py", PYTEST, False),
        ("shop/tests.py", PYTEST, False),
        ("shop/tests.py", DJANGO, True),
        ("tests/testing.py", UNITTEST, True),  # unittest imports it, tests or not
        ("specs/a_spec.py", Conventions(files=("*_spec.py",)), True),
        ("unit/checks/a.py", Conventions(files=("checks/*.py",)), True),
        ("a.py", Conventions(files=("checks/*.py",)), False),
    ],
)
def test_which_files_hold_tests(file: str, conventions: Conventions, expected: bool) -> None:
    assert is_test_file(file, conventions) is expected


TESTS = [
    "tests/test_cart.py",
    "tests/shop/test_cart.py",
    "tests/blog/test_cart.py",
    "tests/test_shop_cart.py",
    "src/shop/test_cart.py",
    "src/shop/cart_test.py",
    "tests/test_carting.py",
    "tests/test_init.py",
]


@pytest.mark.parametrize(
    ("source", "tests", "expected"),
    [
        ("shop/cart.py", ["tests/test_cart.py"], {"tests/test_cart.py"}),
        ("src/shop/cart.py", ["src/shop/test_cart.py"], {"src/shop/test_cart.py"}),
        ("shop/cart.py", ["shop/cart_test.py"], {"shop/cart_test.py"}),
        ("shop/cart.py", ["tests/shop/test_cart.py"], {"tests/shop/test_cart.py"}),
        ("shop/cart.py", ["tests/test_shop_cart.py"], {"tests/test_shop_cart.py"}),
        ("shop/_cart.py", ["tests/test_cart.py"], {"tests/test_cart.py"}),
        ("shop/_cart.py", ["tests/test__cart.py"], {"tests/test__cart.py"}),
        # A package's own module stands for the package.
        ("shop/__init__.py", ["tests/test_shop.py"], {"tests/test_shop.py"}),
        ("shop/__main__.py", ["tests/test_cli.py"], {"tests/test_cli.py"}),
        ("shop/cart.py", ["tests/test_carting.py", "tests/cart.py"], set()),
        # Of two with one name, the one whose folders are the module's.
        ("shop/cart.py", TESTS[1:3], {"tests/shop/test_cart.py"}),
        ("blog/cart.py", TESTS[1:3], {"tests/blog/test_cart.py"}),
        # Where no folder says which, all of them.
        ("cart.py", TESTS[1:3], {"tests/shop/test_cart.py", "tests/blog/test_cart.py"}),
        ("tests/test_cart.py", ["tests/test_cart.py"], set()),
    ],
)
def test_tests_named_after_a_file(source: str, tests: list[str], expected: set[str]) -> None:
    assert set(named_after(source, tests)) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("shop/models.py", {"shop/tests.py"}),
        ("shop/views/cart.py", {"shop/tests.py"}),
        ("blog/models.py", {"blog/tests/test_a.py", "blog/tests/deep/test_b.py"}),
        ("manage.py", set()),
        ("news/models.py", set()),
    ],
)
def test_tests_of_a_django_app(source: str, expected: set[str]) -> None:
    tests = ["shop/tests.py", "blog/tests/test_a.py", "blog/tests/deep/test_b.py", "test_x.py"]
    assert set(of_django_app(source, tests)) == expected


@pytest.mark.parametrize(
    ("file", "packages", "expected"),
    [
        ("shop/cart.py", 1, ("shop.cart",)),
        ("src/shop/cart.py", 1, ("src.shop.cart", "shop.cart")),
        ("src/space/cart.py", 1, ("src.space.cart", "space.cart")),
        ("src/space/cart.py", 0, ("src.space.cart", "space.cart", "cart")),
        ("cart.py", 0, ("cart",)),
        ("shop/__init__.py", 1, ("shop",)),
        ("src/shop/__init__.py", 1, ("src.shop", "shop")),
        ("my-code/cart.py", 0, ("cart",)),
    ],
)  # fmt: skip
def test_names_a_file_is_imported_by(file: str, packages: int, expected: tuple[str, ...]) -> None:
    assert module_names(file, packages) == expected


def test_what_a_text_imports() -> None:
    source = b"""\
import os, shop.cart as cart  # and so on
from shop import (  # many
    prices,  # a comment
    taxes as t,
)
from shop.deep import one, \\
    two
def test():
    from . import sibling
    from ..blog import *
    importlib.import_module("late.one")
    from .... import too_far
"""
    assert imports(source, "tests/unit/test_a.py") == {
        "os": 1,
        "shop.cart": 1,
        "shop": 2,
        "shop.prices": 2,
        "shop.taxes": 2,
        "shop.deep": 6,
        "shop.deep.one": 6,
        "shop.deep.two": 6,
        "tests.unit": 9,
        "tests.unit.sibling": 9,
        "tests.blog": 10,
        "late.one": 11,
    }


def test_who_imports_one_of_some_names() -> None:
    imported = {
        "test_a.py": {"shop.cart.Cart": 4, "shop.cart": 3},
        "test_b.py": {"shop": 1, "shop.cartoon": 2},
        "test_c.py": {"cart": 7},
    }
    names = ("src.shop.cart", "shop.cart", "cart")
    assert importers(names, imported) == {"test_a.py": ("shop.cart", 3), "test_c.py": ("cart", 7)}


CURSOR = """\
import unittest                               #

@pytest.mark.parametrize(                     # test_a
    "n", [1, 2]                               # test_a
)                                             # test_a
def test_a(n):                                # test_a
    def inner():                              # test_a
        pass                                  # test_a

    inner()                                   # test_a

def helper():                                 #
    pass                                      #

class TestB:                                  # TestB
    x = 1                                     # TestB

    async def test_c(self):                   # TestB test_c
        pass                                  # TestB test_c

    def helper(self):                         # TestB
        pass                                  # TestB

    class TestInner:                          # TestB TestInner
        def test_d(self):                     # TestB TestInner test_d
            pass                              # TestB TestInner test_d

class Cases(unittest.TestCase):               # Cases
    def test_e(self):                         # Cases test_e
        self.check()                          # Cases test_e

class Plain:                                  #
    def test_f(self):                         #
        pass                                  #

if True:                                      #
    def test_g():                             # test_g
        pass                                  # test_g
"""


@pytest.mark.parametrize("broken", [False, True])
def test_the_test_at_a_line(broken: bool) -> None:
    lines = CURSOR.splitlines()
    # A text under way is no Python any more from some line on, and is understood all the same.
    text = CURSOR + ("def (\n" if broken else "")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        expected = tuple(line.rpartition("#")[2].split())
        if broken and number < 6:
            continue  # decorators are taken for what stands above them
        found = steps_within(text, number, number, PYTEST)
        assert found == ((expected,) if expected else ()), line


@pytest.mark.parametrize(
    ("runner", "file", "steps", "top", "expected"),
    [
        ("pytest", "tests/test_a.py", [], "", "tests/test_a.py"),
        ("pytest", "tests/test_a.py", ["A", "test_b"], "", "tests/test_a.py::A::test_b"),
        ("unittest", "tests/test_a.py", ["A", "test_b"], "", "tests.test_a.A.test_b"),
        ("unittest", "tests/test_a.py", [], "tests", "test_a"),
        ("django", "backend/shop/tests/__init__.py", [], "backend", "shop.tests"),
    ],
)
def test_names_as_runners_take_them(
    runner: Literal["pytest", "unittest", "django"],
    file: str,
    steps: list[str],
    top: str,
    expected: str,
) -> None:
    assert id_of(runner, file, steps, top) == expected
