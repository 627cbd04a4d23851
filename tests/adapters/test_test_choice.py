"""Tests of a file, an app or a line are chosen by rules that are told."""

from pathlib import Path

import pytest

from covls.adapters.test_choice import (
    choose_at_lines,
    choose_for_app,
    choose_for_file,
    choose_in_folder,
)
from covls.adapters.test_framework import Framework
from covls.core.naming import DJANGO, PYTEST, UNITTEST
from covls.core.test_command import Command


def project(root: Path, *files: str, **texts: str) -> Framework:
    """Files, empty or (`a__b` for a/b.py) with a text, in a project that pytest tests."""
    contents = dict.fromkeys(files, "") | {
        (name if "/" in name else name.replace("__", "/")) + ".py": text
        for name, text in texts.items()
    }
    for name, text in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return Framework(root.resolve(), Command("pytest"), "", None, PYTEST)


def chosen(framework: Framework, file: str) -> dict[str, str]:
    return {test.test: test.rule for test in choose_for_file(framework, framework.root / file)}


def test_by_name_and_by_import(tmp_path: Path) -> None:
    framework = project(
        tmp_path,
        "src/shop/__init__.py",
        "src/shop/cart.py",
        "src/shop/test_cart.py",
        "tests/shop/test_cart.py",
        tests__test_all="import os\nfrom shop import (\n    cart,\n)\n",
        tests__test_deep="def test_a():\n    from shop.cart import Cart\n",
        tests__test_other="import cartoon, shop.cartoon\n",
        tests__helper="import shop.cart\n",
    )
    assert chosen(framework, "src/shop/cart.py") == {
        "src/shop/test_cart.py": "is named after src/shop/cart.py",
        "tests/test_all.py": "imports shop.cart on line 2",
        "tests/test_deep.py": "imports shop.cart on line 2",
    }


def test_a_namespace_package(tmp_path: Path) -> None:
    framework = project(
        tmp_path, "src/space/shop/cart.py", tests__test_x="from space.shop.cart import Cart\n"
    )
    assert chosen(framework, "src/space/shop/cart.py") == {
        "tests/test_x.py": "imports space.shop.cart on line 1"
    }


def test_by_relative_import(tmp_path: Path) -> None:
    framework = project(
        tmp_path,
        "shop/__init__.py",
        "shop/cart.py",
        "shop/tests/__init__.py",
        shop__tests__test_x="from ..cart import Cart\n",
    )
    assert chosen(framework, "shop/cart.py") == {
        "shop/tests/test_x.py": "imports shop.cart on line 1"
    }


def test_by_way_of_a_package_or_a_conftest_where_nothing_else_leads_there(tmp_path: Path) -> None:
    framework = project(
        tmp_path,
        "shop/cart.py",
        "shop/tax.py",
        "tests/api/test_b.py",
        "tests/test_c.py",
        tests__test_a="import shop\n",
        tests__api__conftest="import shop.cart\n",
        **{"shop/__init__": "from .cart import Cart\n"},
    )
    assert chosen(framework, "shop/cart.py") == {
        "tests/api/test_b.py": "may use tests/api/conftest.py, which imports shop/cart.py",
        "tests/test_a.py": "imports shop on line 1, which imports shop/cart.py",
    }
    assert chosen(framework, "shop/tax.py") == {}


def test_files_that_are_tests_or_of_tests(tmp_path: Path) -> None:
    framework = project(tmp_path, "tests/test_a.py", "tests/b/test_b.py", "tests/b/conftest.py")
    assert chosen(framework, "tests/test_a.py") == {"tests/test_a.py": "is the file itself"}
    assert chosen(framework, "tests/b/conftest.py") == {
        "tests/b/test_b.py": "may use tests/b/conftest.py"
    }
    assert chosen(framework, "../elsewhere.py") == {}


def django(root: Path, runner: str = "django") -> Framework:
    project(
        root,
        "site/manage.py",
        "site/shop/__init__.py",
        "site/shop/models.py",
        "site/shop/views.py",
        "site/shop/tests/__init__.py",
        "site/shop/tests/test_views.py",
        "site/shop/tests/test_pages.py",
        "site/apps/__init__.py",
        "site/apps/blog/__init__.py",
        "site/apps/blog/tests.py",
        "site/apps/blog/admin.py",
        site__apps__blog__apps='class BlogConfig(AppConfig):\n    label = "weblog"\n',
    )
    if runner == "pytest":
        return Framework(root.resolve(), Command("pytest"), "", None, PYTEST)
    command = Command("django", script="site/manage.py")
    return Framework(root.resolve(), command, "", None, DJANGO, top="site")


def test_of_a_django_file(tmp_path: Path) -> None:
    framework = django(tmp_path)
    assert chosen(framework, "site/shop/views.py") == {
        "shop.tests.test_views": "is named after site/shop/views.py"
    }
    rule = "holds the tests of the app site.shop"
    assert chosen(framework, "site/shop/models.py") == {
        "shop.tests.test_pages": rule,
        "shop.tests.test_views": rule,
    }
    assert chosen(framework, "site/apps/blog/admin.py") == {
        "apps.blog.tests": "holds the tests of the app site.apps.blog"
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("shop", "shop"),
        ("weblog", "apps.blog"),
        ("apps.blog", "apps.blog"),
        ("site.apps.blog", "apps.blog"),
    ],
)
def test_of_a_django_app(tmp_path: Path, name: str, expected: str) -> None:
    found = choose_for_app(django(tmp_path), name)
    assert not isinstance(found, str)
    assert [test.test for test in found] == [expected]


def test_of_a_django_app_by_pytest(tmp_path: Path) -> None:
    found = choose_for_app(django(tmp_path, "pytest"), "shop")
    assert not isinstance(found, str)
    assert [test.test for test in found] == [
        "site/shop/tests/test_pages.py",
        "site/shop/tests/test_views.py",
    ]


def test_of_an_app_that_is_not_there(tmp_path: Path) -> None:
    found = choose_for_app(django(tmp_path), "news")
    assert found == f"{tmp_path} has no Django app news. There are: shop, weblog."


def test_of_an_app_whose_name_two_have(tmp_path: Path) -> None:
    framework = django(tmp_path)
    project(tmp_path, "site/old/__init__.py", "site/old/shop/__init__.py", "site/old/shop/apps.py")
    assert (
        choose_for_app(framework, "shop") == "shop may be old.shop and shop; give its dotted name."
    )


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (1, 1, []),
        (2, 2, ["tests/test_a.py::A"]),
        (3, 3, ["tests/test_a.py::A::test_b"]),
        (1, 9, ["tests/test_a.py::A::test_b", "tests/test_a.py::A::test_c", "tests/test_a.py::C"]),
        (3, 5, ["tests/test_a.py::A::test_b", "tests/test_a.py::A::test_c"]),
    ],
)
def test_at_some_lines(tmp_path: Path, first: int, last: int, expected: list[str]) -> None:
    text = """\
import unittest
class A(unittest.TestCase):
    def test_b(self): pass
    @decorated
    def test_c(self): pass
def helper():
    pass
class C(A):
    pass
"""
    framework = project(tmp_path, "tests/test_a.py", "shop.py")
    path = tmp_path / "tests/test_a.py"
    found = choose_at_lines(framework, path, first, last, text)
    assert [test.test for test in found] == expected
    assert choose_at_lines(framework, tmp_path / "shop.py", first, last, text) == ()
    unittest = Framework(framework.root, Command("unittest"), "", None, UNITTEST, top="tests")
    found = choose_at_lines(unittest, path, first, last, text)
    assert [test.test for test in found] == [
        name.removeprefix("tests/").replace(".py", "").replace("::", ".") for name in expected
    ]


def test_in_a_folder(tmp_path: Path) -> None:
    framework = project(tmp_path, "tests/a/test_a.py", "tests/ab/test_b.py", "tests/a/helper.py")
    (found,) = choose_in_folder(framework, tmp_path / "tests/a")
    assert (found.test, found.rule) == ("tests/a/test_a.py", "is in tests/a")
    assert len(choose_in_folder(framework, tmp_path)) == 2
    assert choose_in_folder(framework, tmp_path / "tests/a/none") == ()
    assert choose_in_folder(framework, tmp_path.parent) == ()
