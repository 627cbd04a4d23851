"""`covls diff` on a real repository: what is compared, what counts, and what is told apart."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.repositories import Repository, needs_git
from tests.cli.commands.test_check import SHOP, shop  # noqa: F401  # a fixture
from tests.cli.measured import Covls, age, coverage, stamps

pytestmark = needs_git


def diff(covls: Covls, folder: Path, *arguments: str) -> dict[str, Any]:
    done = covls(folder, "diff", "--format", "json", *arguments)
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def figures(found: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
    """Covered, possible and stale, by file."""
    return {
        file["file"]: (
            file["totals"]["covered"],
            file["totals"]["possible"],
            sum(file["totals"]["stale"].values()),
        )
        for file in found["files"]
    }


def test_sections_show_what_lacks_tests(shop: Repository, covls: Covls) -> None:  # noqa: F811
    before = stamps(shop.folder)
    done = covls(shop.folder, "diff")
    assert done.code == 0, done.err
    assert done.out == (
        "The patch against main: 50% (2 of 4 statements and branches)\n"
        "\n"
        "shop.py: 50% (2 of 4 statements and branches)\n"
        "  ...\n"
        "    1  def price(n, member=False):\n"
        "  ! 2      if member:    # 1 branch: line 2 didn't jump to line 3 because the condition "
        "on line 2 was never true\n"
        "    3          n = n * 0.9\n"
        "    4      return n\n"
        "  ...\n"
        "     6\n"
        "     7  def never():\n"
        "  !  8      return max(    # 1 statement\n"
        "  !  9          1,\n"
        "  ! 10          2,\n"
        "  ! 11      )\n"
    )
    assert stamps(shop.folder) == before


def test_fail_under(shop: Repository, covls: Covls) -> None:  # noqa: F811
    assert covls(shop.folder, "diff", "--fail-under", "50").code == 0
    done = covls(shop.folder, "diff", "--fail-under", "51")
    assert done.code == 1
    assert "the patch is under 51%: 50% (2 of 4 statements and branches)" in done.err
    shop.write("shop.py", SHOP + "\n\ndef more():\n    return 1\n")
    done = covls(shop.folder, "diff", "--fail-under", "1")
    assert done.code == 3
    assert "covls run --affected" in done.err


def test_options_that_do_not_go_together(shop: Repository, covls: Covls) -> None:  # noqa: F811
    for arguments in (
        ("--staged", "--base", "main"),
        ("--staged", "--to", "HEAD"),
        ("--base", "main", "--from", "main"),
    ):
        assert covls(shop.folder, "diff", *arguments).code == 2
    assert covls(shop.folder, "diff", "--write", "pdf=x").code == 2


def test_two_commits(shop: Repository, covls: Covls) -> None:  # noqa: F811
    shop("commit", "-qam", "work")
    shop.write("tools.py", "def tool(a):\n    return a + 1\n\n\ntool(1)\n")
    shop("commit", "-qam", "tools")
    assert figures(diff(covls, shop.folder, "--from", "HEAD~2", "--to", "HEAD~1")) == {
        "shop.py": (2, 4, 0)
    }
    found = diff(covls, shop.folder, "--from", "main", "--to", "HEAD")
    assert figures(found)["shop.py"] == (2, 4, 0)
    assert figures(found)["tools.py"][2] == 1, "it was edited after the tests ran"
    # What pre-commit says of a branch that the remote does not have yet, and of one that goes.
    assert figures(diff(covls, shop.folder, "--from", "0" * 40, "--to", "HEAD")) == figures(found)
    assert figures(diff(covls, shop.folder, "--from", "main", "--to", "0" * 40)) == {}
    done = covls(shop.folder, "diff", "--from", "nowhere", "--to", "HEAD")
    assert done.code == 3
    assert "nowhere is no commit" in done.err


def test_the_first_commit(shop: Repository, covls: Covls, tmp_path: Path) -> None:  # noqa: F811
    folder = tmp_path / "fresh"
    fresh = Repository(folder)
    fresh.write(".gitignore", ".coverage\n")
    fresh.write("shop.py", SHOP)
    fresh.write("main.py", "from shop import price\nprice(3)\n")
    age(folder)
    coverage(folder, "run", "--branch", "main.py")
    fresh("add", ".")
    assert figures(diff(covls, folder, "--staged")) == {"main.py": (2, 2, 0), "shop.py": (5, 8, 0)}
    done = covls(folder, "diff")
    assert done.code == 3
    assert "There are no commits" in done.err
    assert "covls diff --staged" in done.err


def test_every_kind_of_file(shop: Repository, covls: Covls, tmp_path: Path) -> None:  # noqa: F811
    shop("commit", "-qam", "work")
    inner = Repository(tmp_path / "inner")
    inner.commit("lib.py", "a = 1\n", 1_600_000_000)
    shop("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.folder), "lib")
    shop("rm", "-q", "main.py")
    shop("mv", "tools.py", "instruments.py")
    shop.write("pixel.png", "\x89PNG\0\x01")
    shop.write("broken.py", "\0\0")
    shop.write("new.py", "a = 1\n\n\ndef f(\n    b,\n):\n    return b\n")
    shop.write("tests/test_shop.py", "import shop\n")
    shop.write("notes.md", "# Notes\n")
    shop("add", ".")
    found = diff(covls, shop.folder, "--staged")
    assert figures(found) == {"instruments.py": (0, 0, 0), "new.py": (0, 0, 3)}
    left_out = {each["file"]: each["reason"] for each in found["left_out"]}
    assert set(left_out) == {"broken.py", "lib", "tests/test_shop.py"}
    assert "cannot be analysed" in left_out["broken.py"]
    assert left_out["lib"].startswith("a submodule")
    assert left_out["tests/test_shop.py"].startswith("[run] omit")
    new = next(file for file in found["files"] if file["file"] == "new.py")
    assert (new["new"], new["unknown"]) == (True, "it is not in the data")
    assert new["lines"] == [[1, 1], [4, 7]]
    # Renamed, a file is in the data no more, so that the total is not known either.
    done = covls(shop.folder, "check", "--staged")
    assert done.code == 3
    assert "instruments.py: it is not in the data" in done.out


def test_a_root_below_the_top_of_its_repository(covls: Covls, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "all")
    repository.write("backend/shop.py", SHOP.replace("if member", "if not member"))
    repository.write("backend/main.py", "from shop import price\nprice(3)\n")
    repository.write(".gitignore", ".coverage\n")
    repository("add", ".")
    repository("commit", "-qm", "base")
    repository.write("backend/shop.py", SHOP)
    age(repository.folder)
    folder = repository.folder / "backend"
    coverage(folder, "run", "--branch", "main.py")
    assert figures(diff(covls, folder)) == {"shop.py": (2, 3, 0)}
    repository("add", ".")
    assert figures(diff(covls, folder, "--staged")) == {"shop.py": (2, 3, 0)}
    told = covls(folder, "diff", "--format", "github").out
    assert told.startswith("::warning file=backend/shop.py,line=2,endLine=2,")


def test_what_a_workflow_is_told(
    shop: Repository,  # noqa: F811
    covls: Covls,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", os.fspath(summary))
    done = covls(shop.folder, "diff", "--write", f"sarif={tmp_path / 'out.sarif'}")
    assert done.code == 0, done.err
    assert done.out.startswith("The patch against main: 50%"), "the result stands by itself"
    assert [line.split(",")[0] for line in done.err.splitlines()] == 2 * ["::warning file=shop.py"]
    assert summary.read_text().startswith("before\n**The patch against main:** 50")
    assert "<summary>shop.py</summary>" in summary.read_text()
    written = json.loads((tmp_path / "out.sarif").read_text())
    assert len(written["runs"][0]["results"]) == 2
    covls(shop.folder, "check")
    assert "| patch | ❌ failed |" in summary.read_text()
