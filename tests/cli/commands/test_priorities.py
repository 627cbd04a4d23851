"""`covls priorities`, as it is typed."""

import json
from pathlib import Path
from typing import Any

import pytest

from covls.core.priorities import SCORE_WORDS
from tests.adapters.repositories import Repository, needs_git
from tests.cli.measured import Covls, age, coverage, stamps, write
from tests.parcels import copy_parcels

SHOP = """\
import sys


class Basket:
    def total(self, vat):
        if vat:
            return 1
        return 2

    def never(self):
        for each in self:
            if each:
                return each
        return None


if sys.platform == "no platform":
    PLACE = 1
else:
    PLACE = 2
"""

TEST = "import shop\n\n\ndef test_it():\n    shop.Basket().total(0)\n\n\ntest_it()\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    run = "[run]\nbranch = true\ndynamic_context = test_function\n"
    write(folder, {"shop.py": SHOP, ".coveragerc": run, "test_shop.py": TEST})
    write(folder, {"unmeasured.py": "a = 1\n"})
    age(folder)
    coverage(folder, "run", "test_shop.py")
    return folder


def test_rows_with_reasons_and_what_to_do(covls: Covls, project: Path) -> None:
    before = stamps(project)
    done = covls(project, "priorities")
    assert (done.code, done.err) == (0, "")
    told = "is not known: "
    assert done.out.split("\n") == [
        "1  9.2  shop.py:11  Basket.never",
        "        no test calls it: 4 statements; complexity 3",
        "        → Add a test of Basket.never to test_shop.py.",
        "        $ covls run test_shop.py",
        "2  2.2  shop.py:7  Basket.total",
        "        1 of 3 statements and 1 branch not run; complexity 2",
        "        → Add a test of line 7 of Basket.total to test_shop.py.",
        "        $ covls run test_shop.py",
        "3  0.5  shop.py:18  module level",
        "        1 of 7 statements and 1 branch not run; for another platform",
        "        → Run the tests on that platform, too, and combine the data; or exclude it.",
        "",
        SCORE_WORDS,
        "",
        f"How often files change {told}{project} is in no git repository.",
        "",
        f"What is in the patch {told}{project} is in no git repository.",
        "",
        "Left out: 1 file of tests.",
        "",
    ]
    assert stamps(project) == before


def test_the_command_is_for_the_folder_it_is_typed_in(covls: Covls, project: Path) -> None:
    (project / "docs").mkdir()
    found = covls(project / "docs", "priorities", "--root", "..", "--limit", "1")
    assert "1  9.2  shop.py:11  Basket.never\n" in found.out
    assert "$ covls run ../test_shop.py\n" in found.out


def test_what_is_ranked_and_how_much_of_it(covls: Covls, project: Path) -> None:
    def titles(*arguments: str) -> list[str]:
        done = covls(project, "priorities", "--format", "json", *arguments)
        assert done.code == 0, done.err
        return [row["title"] for row in json.loads(done.out)["rows"]]

    assert titles("--limit", "1") == ["Basket.never"]
    assert titles("--by", "file") == ["shop.py"]
    assert titles("--by", "block") == [
        "lines 11-14 of Basket.never",
        "line 7 of Basket.total",
        "line 18",
    ]
    # Tests are ranked where they are asked for: theirs ran.
    assert titles("test_shop.py") == []
    assert titles("shop.py", "--limit", "0") == ["Basket.never", "Basket.total", "module level"]


def test_json_and_markdown_go_into_a_file(covls: Covls, project: Path) -> None:
    assert covls(project, "priorities", "--format", "json", "-o", "a.json").out == ""
    found = json.loads((project / "a.json").read_text())
    assert found["total"] == 3
    first = found["rows"][0]
    assert first["factors"] == {
        "statements": 4,
        "branches": 4,
        "in_patch": 0,
        "elsewhere": 0,
        "complexity": 3,
        "commits": None,
        "weight": 1.0,
    }
    assert first["score"] == 9.2
    assert first["action"]["exists"]
    done = covls(project, "priorities", "--format", "markdown", "--limit", "1")
    assert done.out.startswith("# What to test next\n\n1. shop.py\\:11 **Basket.never**")
    assert "1 of 3 functions to test." in done.out


def test_findings_for_tools_that_annotate_code(covls: Covls, project: Path) -> None:
    place = {"file": "shop.py", "first": 11, "last": 14}
    said = (
        "Basket.never: No test calls it: 4 statements; complexity 3. Add a test of Basket.never to "
        "test_shop.py."
    )
    files = {name: project / name for name in ("github", "sarif", "gitlab")}
    wanted = [word for name, file in files.items() for word in ("--write", f"{name}={file}")]
    done = covls(project, "priorities", "-n", "1", "-f", "json", *wanted)
    assert json.loads(done.out)["rows"][0]["title"] == "Basket.never"
    assert files["github"].read_text() == (
        f"::warning file=shop.py,line={place['first']},endLine={place['last']},"
        f"title=Code to test next::{said}\n"
    )
    (result,) = json.loads(files["sarif"].read_text())["runs"][0]["results"]
    assert (result["ruleId"], result["message"]["text"]) == ("priority", said)
    (issue,) = json.loads(files["gitlab"].read_text())
    lines = {"begin": place["first"], "end": place["last"]}
    assert issue["location"] == {"path": "shop.py", "lines": lines}
    assert issue["check_name"] == "covls/priority"
    # A file as a whole is annotated where its first gap is.
    done = covls(project, "priorities", "--by", "file", "-n", "1", "-f", "github")
    assert "file=shop.py,line=7,endLine=" in done.out, done.out


def test_in_a_workflow_it_annotates_and_adds_to_the_summary(
    covls: Covls, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    done = covls(project, "priorities", "-n", "2")
    assert done.err.count("::warning file=shop.py,") == 2
    assert "::" not in done.out
    assert summary.read_text().startswith("# What to test next\n")


def test_the_settings_of_the_project(covls: Covls, project: Path) -> None:
    rule = '[[tool.covls.priorities]]\nmatch = "shop.py"\nweight = 3\nadvice = "Try {stem}."\n'
    wrong = "[[tool.covls.priorities]]\nweight = 3\n"
    write(project, {"pyproject.toml": rule + wrong})
    done = covls(project, "priorities", "--limit", "1")
    assert done.err == "covls: `tool.covls.priorities[1]`: has no match\n"
    assert done.out.split("\n")[:3] == [
        "1  28  shop.py:11  Basket.never",
        "       no test calls it: 4 statements; complexity 3; weight 3 by shop.py",
        "       Try shop.",
    ]
    write(project, {"pyproject.toml": rule.replace("3", "0")})
    assert "Nothing is left to test of what was measured." in covls(project, "priorities").out


def test_exit_codes(covls: Covls, project: Path, tmp_path: Path) -> None:
    assert covls(project, "priorities", "--by", "line").code == 2
    assert covls(project, "priorities", "gone.py").code == 2
    unmeasured = covls(project, "priorities", "unmeasured.py")
    assert unmeasured.code == 3
    assert "has nothing on unmeasured.py" in unmeasured.err
    no_base = covls(project, "priorities", "--patch")
    assert no_base.code == 3
    assert "is in no git repository" in no_base.err
    (tmp_path / "empty").mkdir()
    assert covls(tmp_path / "empty", "priorities").code == 3


@needs_git
def test_the_patch_and_the_history(covls: Covls, project: Path) -> None:
    repository = Repository(project)
    repository("add", "shop.py")
    repository("commit", "-qm", "one")
    repository("commit", "-qm", "two", "--allow-empty")
    write(project, {"shop.py": SHOP.replace("            return 1\n", "            return 10\n")})
    coverage(project, "run", "test_shop.py")
    repository("checkout", "-qb", "work")
    done = covls(project, "priorities", "--patch", "--format", "json")
    (row,) = json.loads(done.out)["rows"]
    assert row["title"] == "Basket.total"
    assert row["reasons"][1] == "in the patch"
    assert row["factors"]["in_patch"] == 2
    assert row["factors"]["commits"] == 0  # The first commit of all changes nothing.
    rows = json.loads(covls(project, "priorities", "--format", "json").out)["rows"]
    assert {each["title"]: each["factors"]["in_patch"] for each in rows} == {
        "Basket.never": 0,
        "Basket.total": 2,
        "module level": 0,
    }
    repository("commit", "-qam", "three")
    rows = json.loads(covls(project, "priorities", "--format", "json").out)["rows"]
    assert {each["factors"]["commits"] for each in rows} == {1}


@needs_git
def test_after_an_edit_what_stands_is_told_where_it_is_now(covls: Covls, project: Path) -> None:
    edited = "# A comment.\n\n" + SHOP.replace("return each", "return [each]")

    def never() -> tuple[dict[str, Any], list[str]]:
        write(project, {"shop.py": edited})
        found = json.loads(covls(project, "priorities", "--format", "json").out)
        return next(row for row in found["rows"] if row["title"] == "Basket.never"), found["notes"]

    row, notes = never()
    assert row["stale"]
    assert "may have changed since it was measured" in row["reasons"]
    assert notes[-1].startswith("1 file may have changed since the tests ran")
    # With a history it is known what was measured, and that line 15 is another.
    write(project, {"shop.py": SHOP})
    repository = Repository(project)
    repository("add", "shop.py")
    repository("commit", "-qm", "one")
    row, notes = never()
    assert not row["stale"]
    assert "1 file edited since the tests ran: what was edited is left out." in notes
    assert "Not measured as now, of the patch: 1 statement. Run the tests." in notes
    assert (row["start"], row["lines"]) == (12, [[13, 14], [16, 16]])
    assert row["factors"]["statements"] == 3


def test_a_django_project(covls: Covls, tmp_path: Path) -> None:
    root = copy_parcels(tmp_path)
    coverage(root, "run", "--branch", "--source=.", "manage.py", "test")
    done = covls(root, "priorities", "--format", "json", "--limit", "0")
    assert done.code == 0, done.err
    rows = json.loads(done.out)["rows"]
    first = rows[0]
    assert "/management/commands/" in first["file"]
    stem = Path(first["file"]).stem
    assert first["action"]["file"].endswith(f"/tests/test_{stem}.py")
    assert not first["action"]["exists"]
    assert f"call_command('{stem}'" in first["advice"]
    told = {row["file"]: row["advice"] for row in rows}
    assert "test client" in told["billing/views.py"]
    assert "test database" in told["customers/models.py"]
    assert "superuser" in told["billing/admin.py"]
    assert not any(row["file"].startswith("billing/tests/") for row in rows)
