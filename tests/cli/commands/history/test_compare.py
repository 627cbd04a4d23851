"""`covls history compare`, trend and blame on a real repository with a real history."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.repositories import needs_git
from tests.cli.measured import Covls
from tests.recorded_project import AT, RecordedProject

pytestmark = needs_git

SHOP = """\
def price(n, member):
    if member:
        n *= 2
    return n

def old(n):
    a = 1
    b = 2
    return a
"""
MISSED = SHOP.replace("n *= 2", "n *= 2  # missed")
FOUR = """\
def price(n, member):
    if member:
        n *= 2
    return n  # missed

def new(n):
    return 3  # missed
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordedProject]:
    """Four commits: all covered; a test less; a test more; `old` deleted, `new` without a test."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.delenv("COVLS_HISTORY_URL", raising=False)
    project = RecordedProject(tmp_path / "shop")
    with project.history:
        project.commit(app__shop=SHOP, tools="x = 1\n")
        project.record()
        project.commit(app__shop="# Shop.\n" + MISSED, test_shop="pass\n")
        project.record()
        project.commit(app__shop=SHOP, test_shop="pass\npass\n")
        project.record()
        project.commit(app__shop=FOUR, test_shop="pass\n", tools=None)
        project.record()
        yield project


def values(covls: Covls, shop: RecordedProject, *arguments: str) -> Any:
    done = covls(shop.folder, "history", *arguments, "--format", "json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_two_runs_as_text(covls: Covls, shop: RecordedProject) -> None:
    first, last = shop.repository("rev-list", "--reverse", "HEAD").split()[::3]
    done = covls(shop.folder, "history", "compare", "1", "HEAD")
    assert done.code == 0, done.err
    assert done.out == (
        f"#1  {first[:12]}  2026-01-02 00:00  100.00%  Do\n"
        f"#4  {last[:12]}  2026-01-05 00:00  71.43%  Do\n"
        "\n"
        "Total  100.00% -> 71.43%, lost 28.57 points\n"
        "  deleted code     0.00  3 statements gone, 3 of them covered\n"
        "  tests          -16.67  unchanged code: 1 statement newly missed\n"
        "  changed code   -11.90  2 of 3 new or changed statements covered\n"
        "  flaky lines      0.00\n"
        "Fair   100.00% -> 71.43%, lost 28.57 points\n"
        "       deleted code and flaky lines left out of both\n"
        "\n"
        "app/shop.py: 100.00% -> 66.67%\n"
        "  newly missed, the code unchanged: 4\n"
        "  new or changed, and missed: 7\n"
        "  new or changed, and covered: 6\n"
        "  deleted: 2 statements, 2 of them covered\n"
        "\n"
        "test_shop.py: new, 100.00%\n"
        "  new or changed, and covered: 1\n"
        "\n"
        "tools.py: deleted, was 100.00%\n"
        "  1 statement, 1 of them covered\n"
    )


def test_two_runs_for_scripts_and_comments(covls: Covls, shop: RecordedProject) -> None:
    names = shop.repository("rev-list", "--reverse", "HEAD").split()
    found = values(covls, shop, "compare", names[0][:10], "main~2")
    assert found["points"]["total"] == {"points": -10.0, "exact": "-10"}
    assert found["points"]["fair"]["exact"] == "-10"
    assert [file["path"] for file in found["files"]] == ["app/shop.py", "test_shop.py"]
    assert found["files"][0]["newly_missed"] == [{"line_before": 3, "line": 4}]
    assert (found["before"]["number"], found["now"]["number"]) == (1, 2)
    written = shop.folder / "compared.md"
    done = covls(shop.folder, "history", "compare", "#1", "#2", "--write", f"markdown={written}")
    assert done.code == 0, done.err
    text = written.read_text()
    assert "| tests | -11.11 | unchanged code\\: 1 statement newly missed |" in text, text
    assert covls(shop.folder, "history", "compare", "HEAD", "nothing").code == 3


def test_a_trend_along_the_branch(covls: Covls, shop: RecordedProject) -> None:
    # A run of another branch, and one under another flag, are none of this line.
    shop.repository("checkout", "-qb", "other", "HEAD~1")
    shop.commit(at=AT - 1_000_000, app__shop=SHOP)
    shop.record()
    shop.repository("checkout", "-q", "main")
    shop.record(flags=("windows",))
    found = values(covls, shop, "trend")
    assert [point["number"] for point in found] == [1, 2, 3, 4]
    assert [point["change"] for point in found[:2]] == [None, -10]
    assert [each["number"] for each in values(covls, shop, "trend", "--branch", "other")][-1] == 5
    of_app = values(covls, shop, "trend", "--path", "app/")
    assert [point["totals"]["num_statements"] for point in of_app] == [8, 8, 8, 6]
    since = values(covls, shop, "trend", "--since", "2026-01-04")
    assert [point["number"] for point in since] == [3, 4]
    assert len(values(covls, shop, "trend", "--since", "99999d")) == 4
    assert covls(shop.folder, "history", "trend", "--since", "1d").code == 3
    assert [each["number"] for each in values(covls, shop, "trend", "--flag", "windows")] == [6]
    assert covls(shop.folder, "history", "trend", "--since", "yesterday").code == 2
    assert covls(shop.folder, "history", "trend", "--branch", "nothing").code == 3
    lines = covls(shop.folder, "history", "trend", "-n", "2").out.splitlines()
    assert lines[0] == "main: 4 runs, 100.00% -> 71.43% (-28.57)"
    assert lines[1] in ("█▆█▁", "#*#_"), lines
    assert [line.split()[2:4] for line in lines[4:]] == [
        ["71.43%", "-28.57"],
        ["100.00%", "+10.00"],
    ]


def test_a_trend_without_the_repository(covls: Covls, shop: RecordedProject) -> None:
    (shop.folder / ".git").rename(shop.folder / ".git-gone")
    done = covls(shop.folder, "history", "trend", "--branch", "main", "--format", "json")
    assert [point["number"] for point in json.loads(done.out)] == [1, 2, 3, 4]
    assert "git does not know the branch" in done.err


def test_since_when_lines_are_as_they_are(covls: Covls, shop: RecordedProject) -> None:
    names = shop.repository("rev-list", "--reverse", "HEAD").split()
    found = values(covls, shop, "blame", "app/shop.py")
    assert found["at"] == names[3]
    told = [
        (each["first_line"], each["last_line"], each["state"], each["run"], each["before"])
        for each in found["blocks"]
    ]
    assert told == [
        (1, 2, "covered", 1, "unknown"),
        (3, 3, "covered", 3, "missing"),
        (4, 4, "missing", 4, "covered"),
        (6, 6, "covered", 4, "nothing"),
        (7, 7, "missing", 4, "nothing"),
    ]
    before = values(covls, shop, "blame", "app/shop.py", "--at", "main~1")
    assert [(each["run"], each["before"]) for each in before["blocks"]] == [
        *((1, "unknown"), (3, "missing"), (1, "unknown")),
    ]
    shown = covls(shop.folder / "app", "history", "blame", "shop.py").out.splitlines()
    assert shown[2] == (
        f"missing  since {names[3][:7]}  2026-01-05  was covered before               4  return n"
    )
    gone = covls(shop.folder, "history", "blame", "tools.py")
    assert gone.code == 3
    assert "tools.py is not in the run" in gone.err
