"""Projects of each kind are told, their tests chosen, and run, by the runners themselves."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from covls.adapters.test_choice import choose_at_lines, choose_for_app, choose_for_file
from covls.adapters.test_framework import Framework, find_framework
from covls.adapters.test_run import End, RunResult, run_tests
from covls.core.settings import Run, Settings

MODULE = "def double(n):\n    return 2 * n\n"

CASES = """\
import unittest
from shop.cart import double

class Cases(unittest.TestCase):
    def test_one(self):
        self.assertEqual(double(1), 2)

    def test_two(self):
        self.assertEqual(double(2), 5)
"""

PARAMETRISED = """\
import pytest
from shop.cart import double

@pytest.mark.parametrize("n", [1, "a::b[c]/d"])
def test_one(n):
    assert double(n)

class TestMore:
    def test_two(self):
        pass
"""

MANAGE = """\
import os, sys
from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")
execute_from_command_line(sys.argv)
"""

DJANGO_SETTINGS = """\
SECRET_KEY = "x"
INSTALLED_APPS = ["shop", "blog"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
USE_TZ = True
"""


@pytest.fixture(autouse=True)
def few_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugins installed here take longer to load than all else these runs do."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def project(root: Path, files: dict[str, str], command: str = "") -> Framework:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return find_framework(
        root, Settings(python=sys.executable, run=Run(command=tuple(command.split())))
    )


def outcomes(framework: Framework, tests: Sequence[str] | None = None) -> dict[str, str]:
    """What became of each test of a run that came to its end."""
    result = run_tests(framework, tests, trusted=True)
    assert result.end is End.FINISHED, result.message
    assert result.tally.missing == ()
    assert_data(result)
    return {test.test: test.outcome for test in result.tally.finished.values()}


def assert_data(result: RunResult) -> None:
    assert result.out is not None
    assert list(result.out.glob(".coverage*"))


@pytest.mark.parametrize("layout", ["", "src/"])
def test_pytest(tmp_path: Path, layout: str) -> None:
    framework = project(
        tmp_path,
        {
            "pyproject.toml": "[tool.pytest.ini_options]\npythonpath = ['src']\n",
            f"{layout}shop/__init__.py": "",
            f"{layout}shop/cart.py": MODULE,
            "tests/shop/test_cart.py": PARAMETRISED,
            "tests/shop/test_other.py": "def test_x(): pass\n",
        },
    )
    assert framework.words().startswith("pytest ")
    file = "tests/shop/test_cart.py"
    one = {f"{file}::test_one[1]": "passed", f"{file}::test_one[a::b[c]/d]": "passed"}
    two = {f"{file}::TestMore::test_two": "passed"}
    other = {"tests/shop/test_other.py::test_x": "passed"}
    # A file, a test with all its parameters, a class, a folder: names that stand for several.
    (chosen,) = choose_for_file(framework, tmp_path / layout / "shop/cart.py")
    assert outcomes(framework, [chosen.test]) == one | two
    if not layout:
        return
    (at_line,) = choose_at_lines(framework, tmp_path / file, 6, 6, PARAMETRISED)
    assert outcomes(framework, [at_line.test, f"{file}::TestMore"]) == one | two
    assert outcomes(framework, [f"{file}::test_one[a::b[c]/d]", "tests/shop/test_other.py"]) == {
        f"{file}::test_one[a::b[c]/d]": "passed",
        **other,
    }
    assert outcomes(framework, ["tests/shop"]) == outcomes(framework) == one | two | other


@pytest.mark.parametrize(
    ("command", "folder"),
    [
        ("python -m unittest", "tests/__init__.py"),
        ("coverage run -m unittest discover -s tests -t .", "tests/__init__.py"),
        ("python -m unittest discover -s tests", ""),
    ],
)
def test_unittest(tmp_path: Path, command: str, folder: str) -> None:
    files = {"shop/__init__.py": "", "shop/cart.py": MODULE, "tests/test_cart.py": CASES}
    files["tests/test_other.py"] = CASES.replace("Cases", "Others").replace("5", "4")
    if folder:
        files[folder] = ""
    framework = project(tmp_path, files, command)
    top = "tests." if folder else ""
    chosen = choose_for_file(framework, tmp_path / "shop/cart.py")
    assert [test.test for test in chosen] == [f"{top}test_cart", f"{top}test_other"]
    failed = {
        f"{top}test_cart.Cases.test_one": "passed",
        f"{top}test_cart.Cases.test_two": "failed",
    }
    assert outcomes(framework, [chosen[0].test]) == failed
    (at_line,) = choose_at_lines(framework, tmp_path / "tests/test_cart.py", 5, 5, CASES)
    assert outcomes(framework, [at_line.test]) == {f"{top}test_cart.Cases.test_one": "passed"}
    passed = {f"{top}test_other.Others.test_{n}": "passed" for n in ("one", "two")}
    assert outcomes(framework) == failed | passed


@pytest.mark.parametrize(
    ("below", "command"),
    [("", ""), ("backend/", ""), ("", "coverage run --source=. manage.py test")],
)
def test_django(tmp_path: Path, below: str, command: str) -> None:
    framework = project(
        tmp_path,
        {
            f"{below}manage.py": MANAGE,
            f"{below}site_settings.py": DJANGO_SETTINGS,
            f"{below}shop/__init__.py": "",
            f"{below}shop/cart.py": MODULE,
            f"{below}shop/tests/__init__.py": "",
            f"{below}shop/tests/test_cart.py": CASES.replace("unittest.", "test.").replace(
                "import unittest", "from django import test"
            ),
            f"{below}blog/__init__.py": "",
            f"{below}blog/models.py": "",
            f"{below}blog/tests.py": "from django.test import SimpleTestCase\n"
            "class Blog(SimpleTestCase):\n    def test_x(self): pass\n",
        },
        command,
    )
    assert framework.command.runner == "django"
    shop = {
        "shop.tests.test_cart.Cases.test_one": "passed",
        "shop.tests.test_cart.Cases.test_two": "failed",
    }
    blog = {"blog.tests.Blog.test_x": "passed"}
    (chosen,) = choose_for_file(framework, tmp_path / below / "shop/cart.py")
    assert outcomes(framework, [chosen.test]) == shop
    if command:
        return
    app = choose_for_app(framework, "blog")
    assert not isinstance(app, str)
    assert outcomes(framework, [test.test for test in app]) == blog
    assert outcomes(framework) == shop | blog


def test_a_script_runs_all_its_tests(tmp_path: Path) -> None:
    files = {"run.py": "import unittest\nunittest.main('test_a')\n", "shop/cart.py": MODULE}
    framework = project(tmp_path, {**files, "test_a.py": CASES}, "python run.py")
    assert not framework.command.takes_tests
    assert set(outcomes(framework).values()) == {"passed", "failed"}


def test_workers_share_a_run(tmp_path: Path) -> None:
    # Also where a warning of pytest's own is an error.
    configuration = {"pytest.ini": "[pytest]\nfilterwarnings = error\n"}
    framework = project(tmp_path, configuration | {"shop/cart.py": MODULE, "test_a.py": CASES})
    assert framework.parallel
    result = run_tests(framework, ["test_a.py"], trusted=True, workers=2)
    assert result.message == "1 passed, 1 failed."
    assert result.end is End.FINISHED
    assert result.out is not None
    assert len(list(result.out.glob("detail-*.jsonl"))) >= 2


def test_roots_of_a_monorepo_have_runners_of_their_own(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    project(tmp_path, {"api/pytest.ini": "", "api/test_a.py": "def test_x(): pass\n"})
    web = {"web/manage.py": MANAGE, "web/site_settings.py": DJANGO_SETTINGS}
    for app in ("shop", "blog"):
        web[f"web/{app}/__init__.py"] = ""
    project(
        tmp_path,
        web
        | {
            "web/shop/tests.py": "from django.test import SimpleTestCase\n"
            "class A(SimpleTestCase):\n    def test_y(self): pass\n"
        },
    )
    settings = Settings(python=sys.executable)
    found = {name: find_framework(tmp_path / name, settings) for name in ("api", "web")}
    assert {name: each.command.runner for name, each in found.items()} == {
        "api": "pytest",
        "web": "django",
    }
    assert outcomes(found["api"]) == {"test_a.py::test_x": "passed"}
    assert outcomes(found["web"]) == {"shop.tests.A.test_y": "passed"}
    assert not list(tmp_path.glob(".coverage*"))
