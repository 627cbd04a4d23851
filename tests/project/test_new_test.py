"""Skeletons of tests in projects of many shapes: each is collected by the project's own runner."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from covls.adapters.settings_files import read_settings_files
from covls.core.settings import Settings, client_layer, read_settings
from covls.project import Project
from covls.project.new_test import NewTest
from tests.cli.measured import coverage, write

SOURCE = """\
import dataclasses


def used():
    return 1


def never(a, *, b, c=1):
    if a:
        return b
    return c


async def wait(seconds):
    return seconds


def words(text):
    yield from text.split()


@dataclasses.dataclass
class Basket:
    items: list

    def total(self, vat):
        return len(self.items) * vat

    @property
    def size(self):
        return len(self.items)

    @staticmethod
    def of(*items) -> None:
        Basket(list(items))

    async def fetch(self):
        return self
"""

NAMES = ("never", "wait", "words", "Basket.total", "Basket.size", "Basket.of", "Basket.fetch")

PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
UNITTEST = ("-m", "unittest", "-v")


@dataclass(frozen=True)
class Shape:
    """A project, where its uncovered code is, and where tests of it go."""

    files: dict[str, str]
    source: str
    test: str
    runner: tuple[str, ...] = PYTEST
    made: tuple[str, ...] = ()
    within: str = ""
    """What must stand in the test file, too."""
    names: tuple[str, ...] = field(default=NAMES)


FUNCTION = "\n\ndef test_used():\n    assert used() == 1\n"
CASE = "\n\nclass TestUsed(unittest.TestCase):\n    def test_used(self):\n        assert used()\n"
DJANGO = {
    "manage.py": (
        "import os, sys\nfrom django.core.management import execute_from_command_line\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'site_settings'\n"
        "execute_from_command_line(sys.argv)\n"
    ),
    "site_settings.py": (
        "SECRET_KEY = 'x'\nINSTALLED_APPS = ['shop']\nUSE_TZ = True\n"
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}}\n"
    ),
    "shop/__init__.py": "",
    "shop/prices.py": SOURCE,
}
SHAPES = {
    "a module beside its tests' folder, appended to": Shape(
        {"shop.py": SOURCE, "tests/test_shop.py": f"from shop import used\n{FUNCTION}"},
        "shop.py",
        "tests/test_shop.py",
    ),
    "src, a new file beside those of its neighbours": Shape(
        {
            "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["src"]\n',
            "src/shop/__init__.py": "from shop import cart\n",
            "src/shop/cart.py": SOURCE,
            "src/shop/prices.py": "def used():\n    return 1\n",
            "tests/shop/test_prices.py": f"from shop.prices import used\n{FUNCTION}",
            "tests/test_all.py": "def test_all():\n    import shop\n",
        },
        "src/shop/cart.py",
        "tests/shop/test_cart.py",
        within="from shop.cart import",
    ),
    "a namespace package in src": Shape(
        {
            "pytest.ini": "[pytest]\npythonpath = src\n",
            "src/acme/shop/cart.py": SOURCE,
            "src/acme/shop/prices.py": "import acme.shop.cart\n\n\ndef used():\n    return 1\n",
            "tests/prices_test.py": f"from acme.shop.prices import used\n{FUNCTION}",
        },
        "src/acme/shop/cart.py",
        "tests/cart_test.py",
        within="from acme.shop.cart import",
    ),
    "another module of that name has the file": Shape(
        {
            "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\n',
            "one/__init__.py": "",
            "one/cart.py": "def used():\n    return 1\n",
            "two/__init__.py": "",
            "two/cart.py": SOURCE,
            "tests/test_cart.py": f"from one.cart import used\n{FUNCTION}",
            "tests/test_two.py": "def test_two():\n    import two.cart\n",
        },
        "two/cart.py",
        "tests/test_two_cart.py",
        within="from two.cart import",
    ),
    "unittest, a class more": Shape(
        {
            "shop.py": SOURCE,
            "tests/__init__.py": "",
            "tests/test_shop.py": f"import unittest\n\nfrom shop import used\n{CASE}"
            '\n\nif __name__ == "__main__":\n    unittest.main()\n',
        },
        "shop.py",
        "tests/test_shop.py",
        UNITTEST,
        within="(unittest.TestCase):",
    ),
    "unittest's classes under pytest": Shape(
        {
            "conftest.py": "",
            "shop.py": SOURCE,
            "test_shop.py": f"import unittest\n\nfrom shop import used\n{CASE}",
        },
        "shop.py",
        "test_shop.py",
    ),
    "no test at all yet, for pytest": Shape(
        {"shop.py": SOURCE, "pytest.ini": "[pytest]\nasyncio_mode = auto\n"},
        "shop.py",
        "tests/test_shop.py",
        within="async def test_wait():",
    ),
    "no test at all yet, for unittest": Shape(
        {"shop.py": SOURCE, "covls.toml": 'run.command = ["python", "-m", "unittest"]\n'},
        "shop.py",
        "tests/test_shop.py",
        UNITTEST,
        made=("tests/__init__.py",),
        within="(unittest.IsolatedAsyncioTestCase):",
    ),
    "Django, the app's tests": Shape(
        {
            **DJANGO,
            "shop/tests.py": "from django.test import TestCase\n\nfrom .prices import used\n"
            + CASE.replace("unittest.TestCase", "TestCase"),
        },
        "shop/prices.py",
        "shop/tests.py",
        ("manage.py", "test", "-v2"),
        within="from .prices import",
    ),
    "Django, the app's first test": Shape(
        DJANGO, "shop/prices.py", "shop/tests.py", ("manage.py", "test", "-v2")
    ),
}


def run(folder: Path, *arguments: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("COV", "PYTEST"))}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def created(project: Project, source: Path, name: str) -> NewTest:
    """The skeleton for a function, put into the files."""
    text = source.read_text()
    view = project.view(source, text)
    assert view is not None
    line = 1 + text[: text.index(f"def {name.rpartition('.')[2]}(")].count("\n")
    found = project.new_test(view, text, line, {})
    assert isinstance(found, NewTest), found
    for path in found.place.made:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(exist_ok=False)
    file = found.place.file
    assert file.exists() == found.place.exists
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(found.skeleton.applied(found.existing))
    assert f"def {found.skeleton.name}(" in file.read_text().split("\n")[found.skeleton.line - 1]
    return found


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_created_is_collected_and_fails_until_it_is_written(
    shape: str, tmp_path: Path
) -> None:
    case = SHAPES[shape]
    write(tmp_path, case.files)
    folder = "src" if (tmp_path / "src").exists() else "."
    module = case.source.removeprefix("src/").removesuffix(".py").replace("/", ".")
    measure = f"import sys\nsys.path[:0] = [{folder!r}]\nimport {module} as m\nm.used()\n"
    write(tmp_path, {"measure.py": measure})
    coverage(tmp_path, "run", "--source=.", "measure.py")
    (tmp_path / "measure.py").unlink()
    settings, _ = read_settings(
        *read_settings_files(tmp_path).layers, client_layer({"trusted": True})
    )
    project = Project(tmp_path, settings)
    try:
        project.load()
        names = [created(project, tmp_path / case.source, name) for name in case.names]
    finally:
        project.close()
    assert {new.place.file for new in names} == {tmp_path / case.test}
    assert names[0].place.made == tuple(tmp_path / name for name in case.made)
    text = (tmp_path / case.test).read_text()
    assert case.within in text
    said = run(tmp_path, *case.runner)
    for name in case.names:
        assert said.count(f"To be written: a test of {names[0].place.module}.{name}.") >= 1, said
    for error in ("ImportError", "ModuleNotFoundError", "SyntaxError", "NameError", "TypeError"):
        assert error not in said, f"{said}\n{text}"
    if case.runner == PYTEST:
        assert f"{len(case.names)} failed" in said, f"{said}\n{text}"
    else:
        assert f"(failures={len(case.names)})" in said, f"{said}\n{text}"
    # Nothing that was there is gone, but an import may have got longer.
    for line in case.files.get(case.test, "").split("\n"):
        name = line.rpartition(" ")[2]
        longer = line.startswith("from ") and any(
            new.startswith(line.removesuffix(name)) and name in new.replace(",", "").split()
            for new in text.split("\n")
        )
        assert longer or line in text.split("\n")


def test_why_there_can_be_none(tmp_path: Path) -> None:
    broken = "def broken(:\n"
    write(tmp_path, {"shop.py": SOURCE, "test_shop.py": broken, "m.py": "import shop; shop.used()"})
    coverage(tmp_path, "run", "m.py")
    project = Project(tmp_path, Settings())
    try:
        project.load()
        view = project.view(tmp_path / "shop.py", SOURCE)
        assert view is not None
        assert project.new_test(view, SOURCE, 5, {}) is None
        said = project.new_test(view, SOURCE, 9, {})
        assert isinstance(said, str)
        assert "test_shop.py does not parse as it is" in said
        # What the editor has of it does.
        found = project.new_test(view, SOURCE, 9, {tmp_path / "test_shop.py": "import shop\n"})
        assert isinstance(found, NewTest)
        assert "shop.never(a=..., b=...)" in found.skeleton.applied(found.existing)
    finally:
        project.close()
