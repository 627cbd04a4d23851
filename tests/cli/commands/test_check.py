"""`covls check` on a real repository with real data, in each state that a file can be in."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from covls.cli import invocation
from tests.adapters.repositories import Repository, needs_git
from tests.cli.measured import Covls, age, coverage, stamps

pytestmark = needs_git

PAGE = (Path(__file__).parents[3] / "docs/gates.md").read_text(encoding="utf-8")

SHOP = """\
def price(n, member=False):
    if member:
        n = n * 0.9
    return n


def never():
    return max(
        1,
        2,
    )
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """`work` changes the condition and the call; 3 of 5 statements of its patch did not run."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    repository = Repository(tmp_path / "shop")
    repository.write(".coveragerc", "[run]\nbranch = true\nsource = .\nomit = tests/*\n")
    repository.write(".gitignore", "__pycache__\n.coverage\n")
    repository.write("shop.py", SHOP.replace("if member", "if not member").replace("2", "3"))
    repository.write("tools.py", "def tool(a):\n    return a\n\n\ntool(1)\n")
    repository.write("main.py", "import tools\nfrom shop import price\nprice(3)\n")
    repository("add", ".")
    repository("commit", "-qm", "base")
    repository("checkout", "-qb", "work")
    repository.write("shop.py", SHOP)
    age(repository.folder)
    coverage(repository.folder, "run", "main.py")
    return repository


def asked(repository: Repository, gates: str) -> None:
    repository.write("covls.toml", f"[gates]\n{gates}\n")


def verdicts(covls: Covls, repository: Repository, *arguments: str) -> dict[str, dict[str, Any]]:
    done = covls(repository.folder, "check", "--format", "json", *arguments)
    found = json.loads(done.out)["verdicts"]
    return {verdict["gate"]: verdict for verdict in found}


def test_without_gates_it_judges_by_its_own_and_says_so(shop: Repository, covls: Covls) -> None:
    before = stamps(shop.folder)
    done = covls(shop.folder, "check")
    assert done.code == 1, done.err
    assert done.out == (
        "No gates are configured, so these are covls's own: total 75, patch 90. Set others in "
        "[tool.covls.gates].\n"
        "passed   total  All code: 79% (11 of 14 statements and branches), 75% asked.\n"
        "FAILED   patch  The patch against main: 50% (2 of 4 statements and branches), 90% "
        "asked.\n"
        "  2 more would do, as here:\n"
        "    shop.py:2  1 branch: line 2 didn't jump to line 3 because the condition on line 2 "
        "was never true\n"
        "    shop.py:8-11  1 statement\n"
        "  Write tests for them, then: covls run --affected\n"
    )
    assert stamps(shop.folder) == before


def test_data_older_than_the_code_are_refused(shop: Repository, covls: Covls) -> None:
    shop.write("shop.py", SHOP.replace("0.9", "0.8"))
    found = verdicts(covls, shop)
    assert {gate: verdict["outcome"] for gate, verdict in found.items()} == {
        "total": "unknown",
        "patch": "unknown",
    }
    (stale,) = found["total"]["stale"]
    assert stale.startswith("shop.py: ")
    assert stale.endswith(" edited")
    done = covls(shop.folder, "check")
    assert done.code == 3
    assert "Run the tests again: covls run --affected" in done.out


def test_a_comment_makes_nothing_stale(shop: Repository, covls: Covls) -> None:
    asked(shop, "total = 79")
    shop.write("tools.py", "# Tools.\n\ndef tool(a):\n    return a\n\n\ntool(1)\n")
    assert verdicts(covls, shop)["total"]["outcome"] == "passed"


def test_no_data(shop: Repository, covls: Covls) -> None:
    (shop.folder / ".coverage").unlink()
    done = covls(shop.folder, "check")
    assert done.code == 3
    assert "coverage run" in done.err


def test_what_is_staged_is_judged_and_not_what_is_on_disk(shop: Repository, covls: Covls) -> None:
    asked(shop, "patch = 90\ntotal = 78")
    shop("add", "shop.py")
    assert covls(shop.folder, "record-sources").code == 0
    shop.write("shop.py", SHOP.replace("0.9", "0.8"))
    staged = verdicts(covls, shop, "--staged")
    assert (staged["patch"]["covered"], staged["patch"]["possible"]) == (2, 4)
    assert staged["total"]["outcome"] == "passed"
    assert verdicts(covls, shop)["patch"]["outcome"] == "unknown"


def test_it_imports_little() -> None:
    """A commit hook waits for it."""
    words = "import sys, covls.cli.commands.check; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "covls.core.gates" in loaded
    others = {"lsprotocol", "pygls", "rich", "tomlkit", "watchdog", "sqlalchemy"}
    others |= {"covls.core.skeleton", "covls.core.regression"}
    assert loaded & {*others, "covls.core.priorities", "covls.core.impact"} == set()


def test_a_ratchet_only_goes_up(shop: Repository, covls: Covls) -> None:
    asked(shop, "# Of all.\ntotal = 50")
    settings = shop.folder / "covls.toml"
    done = covls(shop.folder, "check", "--ratchet")
    assert done.code == 0, done.err
    assert "The ratchet is raised to 78.57" in done.err
    assert settings.read_text() == "[gates]\nratchet = 78.57\n# Of all.\ntotal = 50\n"
    assert covls(shop.folder, "check", "--ratchet").err == ""
    assert verdicts(covls, shop)["ratchet"]["outcome"] == "passed"
    asked(shop, "ratchet = 78.58")
    assert covls(shop.folder, "check", "--ratchet").code == 1
    assert settings.read_text() == "[gates]\nratchet = 78.58\n"
    asked(shop, "ratchet = 10")
    shop.write("tools.py", "def tool(a):\n    return a + 1\n\n\ntool(1)\n")
    assert covls(shop.folder, "check", "--ratchet").code == 3
    assert settings.read_text() == "[gates]\nratchet = 10\n"


def test_a_drop_is_told_from_the_base_without_what_was_deleted(
    shop: Repository, covls: Covls
) -> None:
    asked(shop, "max-drop = 1")
    none = verdicts(covls, shop)["max-drop"]
    assert (none["outcome"], none["message"][:16]) == ("skipped", "No base recorded")
    shop("stash", "-q")
    report = shop.folder / "base.json"
    coverage(shop.folder, "run", "main.py")
    assert covls(shop.folder, "report", "--format", "json", "-o", str(report)).code == 0
    shop("stash", "pop", "-q")
    age(shop.folder)
    coverage(shop.folder, "run", "main.py")
    # At the base `if not member` was taken and `n = n * 0.9` ran: 12 of 14 then, 11 of 14 now.
    failed = verdicts(covls, shop, "--base-report", str(report))["max-drop"]
    assert failed["outcome"] == "failed"
    assert (failed["covered"], failed["possible"], failed["needed"]) == (11, 14, 1)
    # Deleting what is well tested is no loss: 3 of 3 leave the base, and the total.
    shop.write("main.py", "from shop import price\nprice(3)\n")
    shop("rm", "-q", "tools.py")
    age(shop.folder)
    coverage(shop.folder, "run", "main.py")
    asked(shop, 'max-drop = 10\nbase-report = "base.json"')
    passed = verdicts(covls, shop)["max-drop"]
    assert (passed["outcome"], passed["possible"]) == ("passed", 10)
    report.write_text("{}")
    assert covls(shop.folder, "check").code == 2


def test_the_page_has_every_exit_code() -> None:
    table = PAGE.split("| exit code | means |")[1].split("\n\n")[0]
    codes = {int(row.split("|")[1]) for row in table.splitlines() if row.startswith("| ")}
    assert codes == {
        invocation.PASSED,
        invocation.FAILED,
        invocation.USAGE,
        invocation.NO_DATA,
        invocation.INTERRUPTED,
    }


def test_data_of_files_that_are_not_here_judge_nothing(
    shop: Repository, covls: Covls, tmp_path: Path
) -> None:
    elsewhere = Repository(tmp_path / "elsewhere")
    (elsewhere.folder / ".coverage").write_bytes((shop.folder / ".coverage").read_bytes())
    for path in shop.folder.glob("*.py"):
        path.unlink()
    done = covls(elsewhere.folder, "check")
    assert done.code == 3
    assert "No file to report on" in done.err


def test_a_base_that_is_none(shop: Repository, covls: Covls) -> None:
    done = covls(shop.folder, "check", "--base", "nowhere")
    assert done.code == 3
    assert "--base names nowhere, which is no commit" in done.err
