"""`covls explain`, as it is typed."""

import json
from pathlib import Path

import pytest

from covls import choosing
from tests.cli.commands.test_run import shop as shop
from tests.cli.measured import Covls, age, coverage, stamps, write

SHOP = """\
class Basket:
    def total(self, vat):
        if vat:
            return 1
        return 2


def never():
    return Basket()
"""

BRANCH = "Line 3 didn't jump to line 4 because the condition on line 3 was never true"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    run = "[run]\nbranch = true\ndynamic_context = test_function\n"
    write(folder, {"shop.py": SHOP, ".coveragerc": run, "unmeasured.py": "a = 1\n"})
    test = "import shop\n\n\ndef test_it():\n    shop.Basket().total(0)\n\n\ntest_it()\n"
    write(folder, {"t.py": test})
    age(folder)
    coverage(folder, "run", "t.py")
    return folder


def test_a_line_and_its_surroundings(covls: Covls, project: Path) -> None:
    before = stamps(project)
    done = covls(project, "explain", "shop.py:3")
    assert done.code == 0
    assert done.out.split("\n") == [
        "shop.py:3: partly covered; the code is as it was measured",
        f"  branches       {BRANCH}",
        "  tests          __main__.test_it",
        "  affected       nothing was changed since the last run",
        "                 the test that reaches this line need not run",
        "  function       Basket.total: 60% of 3 statements and 2 branches, 1 missed",
        "  class          Basket: 60% of 3 statements and 2 branches, 1 missed",
        "  file           67% of 7 statements and 2 branches, 2 missed",
        "  measured text  the file on disk",
        "",
    ]
    assert stamps(project) == before
    # As linters print places, and from anywhere.
    assert covls(project.parent, "explain", f"{project / 'shop.py'}:3:9").out == done.out


def test_json_and_markdown(covls: Covls, project: Path) -> None:
    found = json.loads(covls(project, "explain", "shop.py:9", "--format", "json").out)
    assert (found["file"], found["line"], found["state"]) == ("shop.py", 9, "missing")
    assert [region["name"] for region in found["regions"]] == ["never", "shop.py"]
    markdown = covls(project, "explain", "shop.py:9", "--format", "markdown").out
    assert markdown.startswith("**shop.py:9**: not covered")


def test_after_an_edit_it_says_where_the_measured_text_is_from(covls: Covls, project: Path) -> None:
    covls(project, "record-sources")
    (project / "shop.py").write_text(SHOP.replace("return 2", "return 3"))
    done = covls(project, "explain", "shop.py:5")
    assert done.out.startswith("shop.py:5: was covered; it was edited since")
    assert "  measured text  .coverage-sources, recorded beside the data\n" in done.out


@pytest.mark.parametrize(
    ("place", "code", "words"),
    [
        ("shop.py", 2, "names no line; write shop.py:12"),
        ("shop.py:0", 2, "lines count from 1"),
        ("none.py:1", 2, "none.py is not a file"),
        ("unmeasured.py:1", 3, "unmeasured.py"),
    ],
)
def test_what_cannot_be_explained(
    covls: Covls, project: Path, place: str, code: int, words: str
) -> None:
    done = covls(project, "explain", place)
    assert done.code == code
    assert words in done.err
    assert done.out == ""


def test_whether_its_tests_are_affected_by_edits(covls: Covls, shop: Path) -> None:
    assert covls(shop, "run").code == 0
    place = "shop/cart.py:5"
    said = covls(shop, "explain", place).out
    assert "  affected       nothing was changed since the last run\n" in said
    cart = shop / "shop/cart.py"
    cart.write_text(cart.read_text().replace("weight > 10", "weight >= 10"))
    before = stamps(shop)
    said = covls(shop, "explain", place).out
    assert "  affected       changed since the last run: shop/cart.py\n" in said
    assert "  out: tests/test_cart.py::test_total: nothing that it ran, or" in said
    found = json.loads(covls(shop, "explain", "shop/cart.py:12", "--format", "json").out)
    assert (found["freshness"], found["tests"]) == ("edited", None)
    dry = json.loads(covls(shop, "run", "--affected", "-n", "-f", "json").out)
    (test,) = found["affected"]["tests"]
    assert (test["id"], test["reasons"]) == (dry["tests"][0]["id"], dry["tests"][0]["reasons"])
    assert test["affected"]
    (shop / "conftest.py").write_text("")
    said = covls(shop, "explain", place).out
    assert "  affected       all tests have to run: conftest.py was added" in said
    (shop / "conftest.py").unlink()
    assert stamps(shop) == before
    # Where nothing may run, none has to.
    said = covls(shop, "explain", "--no-trusted", place).out
    assert "  affected       not told: This workspace is not trusted" in said


def test_much_data_of_another_tool_is_not_waited_for(
    covls: Covls, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "TAKEN_IN_PASSING", 1000)
    done = covls(project, "explain", "shop.py:3")
    assert "  affected       not told: The coverage data were written by something else" in done.out
    assert "  tests          __main__.test_it\n" in done.out
