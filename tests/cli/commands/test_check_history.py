"""`covls check` and its `max-drop` against runs on record: real data, real git, a real history."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.repositories import Repository, needs_git
from tests.cli.measured import Covls, age, coverage

pytestmark = needs_git

SHOP = """\
def price(n, member=False):
    if member:
        n = n * 0.9
    return n


def old(n):
    a = 1
    b = 2
    return a + b
"""
# What is passed to it decides what runs, and nothing of the code: that is what is flaky.
MAIN = "import sys\nfrom shop import old, price\n\nprice(3, len(sys.argv) > 1)\nold(1)\n"


@pytest.fixture(scope="session")
def recorded_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repository = Repository(tmp_path_factory.mktemp("recorded") / "shop")
    repository.write(".coveragerc", "[run]\nrelative_files = True\nsource = .\n")
    repository.write(".gitignore", "__pycache__\n.coverage\n")
    repository.write("shop.py", SHOP)
    repository.write("main.py", MAIN)
    repository("add", ".")
    repository("commit", "-qm", "base")
    measure(repository, "member")
    environment = {name: value for name, value in os.environ.items() if name[:6] != "COVLS_"}
    subprocess.run(
        [sys.executable, "-m", "covls", "history", "record"],
        cwd=repository.folder,
        env={**environment, "GIT_CONFIG_GLOBAL": os.devnull},
        check=True,
        capture_output=True,
    )
    return repository.folder


@pytest.fixture
def shop(recorded_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A branch `work` without a change, its base on record: all of 13 statements."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.delenv("COVLS_HISTORY_URL", raising=False)
    shutil.copytree(recorded_once, tmp_path / "shop")
    repository = Repository(tmp_path / "shop", init=False)
    repository("checkout", "-qb", "work")
    repository.write("covls.toml", "[gates]\nmax-drop = 0\n")
    return repository


def measure(repository: Repository, *arguments: str) -> None:
    age(repository.folder)
    coverage(repository.folder, "run", "main.py", *arguments)


def record(covls: Covls, repository: Repository, *options: str) -> None:
    done = covls(repository.folder, "history", "record", *options)
    assert done.code == 0, done.err


def commit(repository: Repository, **texts: str) -> None:
    for name, text in texts.items():
        repository.write(f"{name}.py", text)
    repository("add", "-u")
    repository("commit", "-qm", "work")


def max_drop(covls: Covls, repository: Repository, *options: str) -> dict[str, Any]:
    done = covls(repository.folder, "check", "--format", "json", *options)
    (found,) = json.loads(done.out)["verdicts"]
    codes = {"passed": 0, "failed": 1, "unknown": 3, "skipped": 0}
    assert done.code == codes[found["outcome"]], done.err
    verdict: dict[str, Any] = found
    return verdict


def test_the_base_is_what_is_recorded_of_the_merge_base(shop: Repository, covls: Covls) -> None:
    short = shop("rev-parse", "--short=7", "main")
    commit(shop, shop=SHOP + "c = 3\n")
    measure(shop)
    failed = max_drop(covls, shop)
    assert (failed["outcome"], failed["needed"]) == ("failed", 1)
    assert f"against 100% at main ({short})" in failed["message"]
    # A run of the branch itself is later, and is no base.
    record(covls, shop)
    assert max_drop(covls, shop)["message"] == failed["message"]
    measure(shop, "member")
    assert max_drop(covls, shop)["outcome"] == "passed"
    # What a report says goes before what is on record.
    half = {"shop.py": {"executed_lines": [1], "missing_lines": [2]}}
    shop.write("base.json", json.dumps({"files": half}))
    measure(shop)
    assert max_drop(covls, shop, "--base-report", "base.json")["outcome"] == "passed"


def test_deleting_well_tested_code_is_no_drop(shop: Repository, covls: Covls) -> None:
    head, _, _ = SHOP.partition("\n\ndef old")
    shop.write("shop.py", SHOP.replace("n * 0.9", "n * 0.8"))
    commit(shop, main=MAIN + "x = 1\n")
    measure(shop)
    shop("checkout", "-q", "main")
    shop("merge", "-q", "work")
    record(covls, shop, "--stale")
    shop("checkout", "-q", "work")
    short = shop("rev-parse", "--short=7", "main")
    # At the base 13 of 14; without `old` 8 of 9, which is less.
    commit(
        shop,
        shop=head.replace("n * 0.9", "n * 0.8"),
        main=MAIN.replace("old(1)", "x = 1").replace("old, ", ""),
    )
    measure(shop)
    found = max_drop(covls, shop)
    assert (found["outcome"], found["covered"], found["possible"]) == ("passed", 7, 8), found
    assert short in found["message"]


def test_flaky_lines_are_left_out_and_named(shop: Repository, covls: Covls) -> None:
    shop("checkout", "-q", "main")
    shop.write("README.md", "Hello.\n")
    shop("add", "README.md")
    shop("commit", "-qm", "docs")
    measure(shop)
    record(covls, shop)
    shop.write("README.md", "Hello again.\n")
    shop("commit", "-qam", "docs")
    measure(shop, "member")
    record(covls, shop)
    shop("checkout", "-q", "work")
    shop("rebase", "-q", "main")
    commit(shop, shop="\n" + SHOP, main=MAIN + "x = 1\n")
    measure(shop)
    found = max_drop(covls, shop)
    assert (found["outcome"], found["flaky"]) == ("passed", ["shop.py:4"]), found
    assert (found["covered"], found["possible"]) == (12, 12)
    assert "1 flaky line left out" in found["message"]
    shown = covls(shop.folder, "check").out
    assert "Flaky, and left out: shop.py:4\n" in shown
    assert r"shop.py\:4" in covls(shop.folder, "check", "--format", "markdown").out


def test_on_the_default_branch_it_is_compared_with_what_was_before(
    shop: Repository, covls: Covls
) -> None:
    shop("checkout", "-q", "main")
    before = shop("rev-parse", "--short=7", "HEAD")
    commit(shop, shop=SHOP + "c = 3\n")
    measure(shop)
    record(covls, shop)
    found = max_drop(covls, shop)
    assert found["outcome"] == "failed"
    assert f"at {before}, the nearest recorded commit before main" in found["message"]


def test_without_a_base_it_says_so_and_does_as_it_is_told(
    shop: Repository, covls: Covls, tmp_path: Path
) -> None:
    none = max_drop(covls, shop, "--flag", "windows")
    assert none["outcome"] == "skipped"
    assert "has a run on record under the flags windows." in none["message"]
    assert "covls history record" in none["remedy"]
    shop.write("covls.toml", '[gates]\nmax-drop = 0\nno-base = "fail"\n')
    assert max_drop(covls, shop, "--flag", "windows")["outcome"] == "unknown"
    # A shallow clone has no merge base, or not what was before it.
    folder = tmp_path / "clone"
    source = f"file://{shop.folder}"
    shop("commit", "--allow-empty", "-qm", "more")
    shop("checkout", "-q", "main")
    shop("commit", "--allow-empty", "-qm", "other")
    Repository(tmp_path, init=False)(
        "clone", "-q", "--depth=1", "--no-single-branch", source, "clone"
    )
    clone = Repository(folder, init=False)
    clone("checkout", "-q", "work")
    clone.write("covls.toml", "[gates]\nmax-drop = 0\n")
    measure(clone)
    found = max_drop(covls, clone)
    assert found["outcome"] == "skipped"
    assert "git fetch --unshallow" in found["message"]


def test_sqlalchemy_is_imported_for_a_history_alone(shop: Repository) -> None:
    words = (
        "import sys; from covls.cli.main import run; run(['check']); "
        "print('sqlalchemy' in sys.modules)"
    )

    def checked(before: str = "") -> str:
        return subprocess.run(
            [sys.executable, "-c", before + words],
            cwd=shop.folder,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert checked().endswith("True\n")
    lacking = checked("import sys; sys.modules['sqlalchemy'] = None; ")
    assert 'pip install "covls[team]"' in lacking
    (shop.folder / ".covls/history.sqlite").unlink()
    none = checked()
    assert none.endswith("False\n")
    assert "There is no history yet" in none
