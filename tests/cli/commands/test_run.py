"""`covls run`, as it is typed, with the project's own tests."""

import inspect
import json
import re
import shlex
import sys
import venv
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import coverage as coverage_package
import pytest

from covls.core.settings import Run
from tests.cli.measured import Covls, coverage, coverage_json, write

CART = """\
RATE = 2


def total(items, discount=0):
    result = sum(items)
    if discount:
        result -= discount
    return result


def shipping(weight):
    if weight > 10:
        return 20
    return 5
"""
TESTS = """\
from shop.cart import shipping, total


def test_total():
    assert total([1, 2]) == 3


def test_shipping():
    assert shipping(1) == 5
"""
PAGE = Path(__file__).parents[3] / "docs/run.md"

PYPROJECT = """\
[tool.coverage.run]
branch = true
source = ["shop"]

[tool.covls]
python = "{python}"

[tool.pytest.ini_options]
pythonpath = ["."]
addopts = ["-p", "no:cacheprovider"]
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    write(
        folder,
        {
            "shop/__init__.py": "",
            "shop/cart.py": CART,
            "tests/test_cart.py": TESTS,
            "pyproject.toml": PYPROJECT.format(python=sys.executable),
        },
    )
    return folder


def edit(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert text.count(before) == 1
    file.write_text(text.replace(before, after))


def measured_anew(folder: Path) -> dict[str, object]:
    """What coverage.py itself says after a run of all tests, beside the data of covls."""
    coverage(folder, "run", "--data-file=.theirs", "-m", "pytest", "-q", check=False)
    files: dict[str, object] = coverage_json(folder, "--data-file=.theirs")["files"]
    (folder / ".theirs").unlink()
    return files


def shown(folder: Path) -> dict[str, Any]:
    files: dict[str, Any] = coverage_json(folder)["files"]
    return files


def test_all_tests_then_those_that_an_edit_reaches(covls: Covls, shop: Path) -> None:
    done = covls(shop, "--trusted", "run")
    assert (done.code, done.out) == (0, "All tests.\n2 passed.\n")
    assert shown(shop) == measured_anew(shop)
    edit(shop / "shop/cart.py", "return 5", "return 4 + 1")
    told = json.loads(covls(shop, "--trusted", "run", "--affected", "-n", "-f", "json").out)
    assert told == {
        "tests": [
            {
                "id": "tests/test_cart.py::test_shipping",
                "reasons": ["runs shop/cart.py:14 (shipping), which was changed"],
            }
        ],
        "all": False,
    }
    done = covls(shop, "--trusted", "run", "--affected")
    assert (done.code, done.out) == (0, "tests/test_cart.py::test_shipping.\n1 passed.\n")
    assert shown(shop) == measured_anew(shop)
    done = covls(shop, "--trusted", "run", "--affected")
    assert done.out == "No test is affected by what changed since the last run.\n"


def test_unittest_finds_tests_in_folders_that_are_no_packages(covls: Covls, tmp_path: Path) -> None:
    case = "import unittest\n\nfrom shop.cart import {0}\n\n\nclass A(unittest.TestCase):\n"
    case += "    def test_{0}(self):\n        self.assertTrue({0}({1}))\n"
    folder = tmp_path / "project"
    write(
        folder,
        {
            "shop/__init__.py": "",
            "shop/cart.py": CART,
            "tests/test_total.py": case.format("total", "[1]"),
            "checks/test_shipping.py": case.format("shipping", "1"),
            "other/test_total.py": case.format("total", "[2]"),
            ".coveragerc": "[run]\nbranch = true\nsource = shop\n",
        },
    )
    # An environment of the project's, with coverage.py and nothing else that is seen.
    venv.create(folder / ".venv", with_pip=False)
    (packages,) = (folder / ".venv/lib").glob("python*/site-packages")
    (packages / f"coverage-{version('coverage')}.dist-info").mkdir()
    installed = Path(inspect.getfile(coverage_package)).parents[1]
    (packages / "here.pth").write_text(f"{installed}\n")
    done = covls(folder, "--trusted", "run")
    assert done.out == "All tests.\n2 passed.\n"
    assert "other are not run, as it has a module named test_total, and tests has one" in done.err
    missing = shown(folder)["shop/cart.py"]["missing_lines"]
    assert missing == [7, 13]
    edit(folder / "shop/cart.py", "return 5", "return 4 + 1")
    told = json.loads(covls(folder, "--trusted", "run", "--affected", "-f", "json").out)
    assert [test["id"] for test in told["tests"]] == ["test_shipping.A.test_shipping"]
    done = covls(folder, "--trusted", "run", "checks/test_shipping.py")
    assert "1 passed." in done.out
    assert shown(folder)["shop/cart.py"]["missing_lines"] == missing


def test_what_was_lost_names_the_test_that_covered_it(covls: Covls, shop: Path) -> None:
    assert covls(shop, "--trusted", "run").code == 0
    edit(shop / "tests/test_cart.py", "assert shipping(1) == 5", "assert shipping(11) == 20")
    assert covls(shop, "--trusted", "run").code == 0
    told = json.loads(covls(shop, "explain", "shop/cart.py:14", "-f", "json").out)
    assert told["state"] == "missing"
    assert told["lost"] == "Covered by tests/test_cart.py::test_shipping until the last run."


def test_a_part_keeps_the_rest(covls: Covls, shop: Path) -> None:
    assert covls(shop, "--trusted", "run").code == 0
    before = shown(shop)
    done = covls(shop, "--trusted", "run", "tests/test_cart.py::test_total")
    assert done.code == 0, done.err
    assert shown(shop) == before
    done = covls(shop, "--trusted", "run", "shop/cart.py:14")
    assert done.out.splitlines() == [
        "tests/test_cart.py::test_shipping.",
        "1 passed.",
        "cart.py: 71% covered",
    ]
    assert shown(shop) == before


def test_a_file_before_anything_was_recorded(covls: Covls, shop: Path) -> None:
    done = covls(shop, "--trusted", "run", "shop/cart.py")
    assert done.out.splitlines()[1:] == [
        "  tests/test_cart.py: is named after shop/cart.py",
        "2 passed.",
        "cart.py: 71% covered",
    ]


def test_names_that_pytest_cannot_run_are_not_given_to_it(covls: Covls, shop: Path) -> None:
    config = (shop / "pyproject.toml").read_text()
    contexts = 'branch = true\ndynamic_context = "test_function"'
    (shop / "pyproject.toml").write_text(config.replace("branch = true", contexts))
    coverage(shop, "run", "-m", "pytest", "-q")
    done = covls(shop, "--trusted", "run", "shop/cart.py")
    assert done.code == 0, done
    assert "tests/test_cart.py. The tests recorded to reach" in done.out
    assert "2 passed." in done.out
    assert shown(shop) == measured_anew(shop)


def test_a_test_that_fails(covls: Covls, shop: Path) -> None:
    edit(shop / "shop/cart.py", "return 5", "return 6")
    done = covls(shop, "--trusted", "run", "-f", "json")
    assert done.code == 1
    told = json.loads(done.out)
    failed = [test for test in told["tests"] if test["outcome"] == "failed"]
    assert [(test["id"], test["line"]) for test in failed] == [
        ("tests/test_cart.py::test_shipping", 9)
    ]
    assert told["written"]
    # It runs again, whatever was edited since.
    again = covls(shop, "--trusted", "run", "--affected", "-n")
    assert "failed when it last ran" in again.out


def test_what_is_passed_on(covls: Covls, shop: Path) -> None:
    done = covls(shop, "--trusted", "run", "--", "-k", "shipping")
    assert (done.code, done.out) == (0, "All tests, with -k shipping.\n1 passed.\n")


@pytest.mark.parametrize(
    ("words", "tests", "reason"),
    [
        ("shop/cart.py", ["tests/test_cart.py"], "is named after shop/cart.py"),
        ("tests", ["tests/test_cart.py"], "is in tests"),
        ("tests/test_cart.py", ["tests/test_cart.py"], "is the file itself"),
        ("tests/test_cart.py:5", ["tests/test_cart.py::test_total"], "is the test at the line"),
        (
            "tests/test_cart.py:1-9",
            ["tests/test_cart.py::test_total", "tests/test_cart.py::test_shipping"],
            "is at the lines",
        ),
        ("tests/test_cart.py::test_total", ["tests/test_cart.py::test_total"], "asked for"),
    ],
)
def test_what_may_be_named(
    covls: Covls, shop: Path, words: str, tests: list[str], reason: str
) -> None:
    done = covls(shop, "run", "--dry-run", "--format", "json", words)
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == {
        "tests": [{"id": test, "reasons": [reason]} for test in tests],
        "all": False,
    }


def test_what_the_page_says_may_be_typed(covls: Covls, shop: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert covls(shop, "run").code == 0
    edit(shop / "shop/cart.py", "if discount:", "if discount > 0:")
    first, second, *_ = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    for line in first.splitlines():
        words = shlex.split(line.removeprefix("$ covls run"))
        done = covls(shop, "run", "--dry-run", *words)
        assert (done.code, done.err) == (0, ""), line
    command, _, said = second.partition("\n")
    assert covls(shop, *shlex.split(command)[2:]).out == said
    for setting in fields(Run):
        assert f"`run.{setting.name}`" in page


def test_what_the_first_run_left_out_is_known_to_be_missing(covls: Covls, shop: Path) -> None:
    assert covls(shop, "run", "tests/test_cart.py:4").out.endswith("1 passed.\n")
    found = json.loads(covls(shop, "explain", "shop/cart.py:5", "--format", "json").out)
    assert found["tests"] == ["tests/test_cart.py::test_total"]
    assert found["affected"]["why"] == "tests/test_cart.py has not run yet"
    # What is known to reach a file is not all.
    told = json.loads(covls(shop, "run", "-n", "-f", "json", "shop/cart.py").out)
    assert {test["id"]: test["reasons"] for test in told["tests"]} == {
        "tests/test_cart.py::test_total": ["reaches shop/cart.py"],
        "tests/test_cart.py": ["is named after shop/cart.py, and has not run as a whole yet"],
    }
    assert "2 passed." in covls(shop, "run", "shop/cart.py").out
    assert "No test is affected" in covls(shop, "run", "-n", "--affected").out


def test_a_folder_without_tests_stands_for_those_that_reach_its_files(
    covls: Covls, shop: Path
) -> None:
    done = covls(shop, "run", "--dry-run", "shop")
    assert done.code == 2
    assert "shop has no tests, and none was recorded to reach it" in done.err
    assert covls(shop, "run").code == 0
    told = json.loads(covls(shop, "run", "-n", "-f", "json", "shop").out)
    names = ["tests/test_cart.py::test_shipping", "tests/test_cart.py::test_total"]
    assert [test["id"] for test in told["tests"]] == names
    assert told["tests"][0]["reasons"] == ["reaches shop/cart.py"]


def test_nothing_runs_where_nobody_trusts(covls: Covls, shop: Path) -> None:
    done = covls(shop, "--no-trusted", "run")
    assert done.code == 2
    assert "not trusted" in done.err
    assert not (shop / ".coverage").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nothing.py",), "There is no file nothing.py."),
        (("--affected", "shop/cart.py"), "Give one of"),
        (("shop/cart.py:0",), "names no lines"),
        (("--app", "shop"), "has no Django app shop"),
        (("-k", "shipping"), "stands behind `--`: covls run -- -k"),
    ],
)
def test_what_cannot_be_run(
    covls: Covls, shop: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = covls(shop, "--trusted", "run", *arguments)
    assert done.code == 2
    assert words in done.err


def test_what_the_runner_leaves_out_stays(covls: Covls, shop: Path) -> None:
    assert covls(shop, "--trusted", "run").code == 0
    before = shown(shop)
    assert covls(shop, "--trusted", "run", "--", "-k", "total").out.endswith("1 passed.\n")
    assert shown(shop) == before
    edit(shop / "tests/test_cart.py", "== 3", "== 4")
    # It stops in good order, with one test to go.
    assert covls(shop, "--trusted", "run", "--", "-x").code == 1
    assert shown(shop) == before


def test_an_edit_that_no_test_has_to_run_for(covls: Covls, shop: Path) -> None:
    assert covls(shop, "--trusted", "run").code == 0
    edit(shop / "shop/cart.py", "RATE = 2\n", "# Per cent.\nRATE = 2\n")
    done = covls(shop, "--trusted", "run", "--affected")
    assert (done.code, done.out) == (0, "No test is affected by what changed since the last run.\n")
    assert shown(shop) == measured_anew(shop)


def test_a_file_that_no_test_reads_is_the_users_to_name(covls: Covls, shop: Path) -> None:
    assert covls(shop, "run").code == 0
    (shop / "notes").mkdir()
    (shop / "notes" / "plan.drawio").write_text("<a/>")
    said = covls(shop, "run", "-n", "--affected").out
    assert "notes/plan.drawio was added; covls cannot tell which tests read it" in said
    assert "name it in `run.unread`" in said
    settings = shop / "covls.toml"
    settings.write_text(f'python = "{sys.executable}"\n[run]\nunread = ["**/*.drawio"]\n')
    assert "No test is affected" in covls(shop, "run", "-n", "--affected").out
    # Python is not meant, nor is configuration.
    edit(settings, "**/*.drawio", "**")
    edit(shop / "shop/cart.py", "if discount:", "if discount > 0:")
    (shop / "conftest.py").write_text("")
    assert "conftest.py was added" in covls(shop, "run", "-n", "--affected").out
    (shop / "conftest.py").unlink()
    assert "tests/test_cart.py::test_total" in covls(shop, "run", "-n", "--affected").out
