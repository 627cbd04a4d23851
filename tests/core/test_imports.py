"""What files import, and who imports whom."""

import pytest

from covls.core.imports import ImportGraph, Imports, imports_of

PATH = "shop/sub/mod.py"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import os, a.b as c", {"os", "a.b"}),
        ("from a.b import c, d as e", {"a.b", "a.b.c", "a.b.d"}),
        ("from . import x", {"shop.sub", "shop.sub.x"}),
        ("from ..y import *", {"shop.y"}),
        ("from .... import too_far", set()),
        ("def f():\n    if 1:\n        import late", {"late"}),
        ("import_module('a.b')\nimportlib.import_module('c')", {"a.b", "c"}),
        ("importlib.import_module('.x', __package__)", {"shop.sub.x"}),
        ("pytest.importorskip('numpy')", {"numpy"}),
        ("mock.patch('a.b.c')", {"a.b.c"}),
        ("ENTRY = 'a.b:main'", {"a.b"}),
        ("TEXT = 'One sentence. And a.b another'", set()),
        ("NAME = 'word'", set()),
    ],
)
def test_names_that_are_imported(text: str, names: set[str]) -> None:
    found = imports_of(text, PATH)
    assert found is not None
    assert set(found.names) == names
    assert not found.discovers


@pytest.mark.parametrize(
    "text",
    [
        "for name in names: import_module(name)",
        "from importlib import import_module as load\nload(name)",
        "for each in entry_points(group='shop'): each.load()",
        "import_string(name)",
    ],
)
def test_imports_of_what_is_not_named_are_known_to_be_there(text: str) -> None:
    found = imports_of(text, PATH)
    assert found is not None
    assert found.discovers
    plain = imports_of("from importlib import import_module", PATH)
    assert plain is not None
    assert not plain.discovers
    assert imports_of("def (", PATH) is None


def of(files: dict[str, str]) -> ImportGraph:
    return ImportGraph(
        {path: imports_of(text, path) or Imports({}) for path, text in files.items()}
    )


SHOP = {
    "src/shop/__init__.py": "from shop.cart import Cart",
    "src/shop/cart.py": "from .price import price",
    "src/shop/price.py": "LIMIT = 1",
    "src/shop/types.py": "",
    "src/shop/plugins/__init__.py": "for name in ('a',): __import__(name)",
    "src/shop/plugins/one.py": "",
    "tests/conftest.py": "",
    "tests/helper.py": "import shop.types",
    "tests/test_cart.py": "from shop import Cart",
    "tests/test_types.py": "from helper import *",
    "tests/test_re.py": "import re, types",
}


def test_importers_direct_or_not() -> None:
    found = of(SHOP)
    assert found.importers(["src/shop/price.py"]) == {
        "src/shop/price.py", "src/shop/cart.py", "src/shop/__init__.py", "src/shop/types.py",
        "src/shop/plugins/__init__.py", "src/shop/plugins/one.py", "tests/helper.py",
        "tests/test_cart.py", "tests/test_types.py",
    }  # fmt: skip
    assert found.importers(["tests/helper.py"]) == {"tests/helper.py", "tests/test_types.py"}


def test_a_module_of_a_package_is_not_the_standard_librarys() -> None:
    assert of(SHOP).imported["tests/test_re.py"] == frozenset()


def test_what_discovers_imports_its_package() -> None:
    assert "src/shop/plugins/one.py" in of(SHOP).imported["src/shop/plugins/__init__.py"]


def test_the_way_from_one_to_another() -> None:
    assert of(SHOP).chain("tests/test_cart.py", "src/shop/price.py") == (
        "tests/test_cart.py",
        "src/shop/__init__.py",
        "src/shop/cart.py",
        "src/shop/price.py",
    )
    assert of(SHOP).chain("tests/test_re.py", "src/shop/price.py") == ()
