"""`covls history record`, list and show: the figures are coverage.py's, under the right commit."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.repositories import Repository, needs_git
from tests.cli.measured import Covls, coverage, write

pytestmark = needs_git


def values(covls: Covls, folder: Path, *arguments: str) -> dict[str, Any]:
    """What a command of the history says as JSON."""
    done = covls(folder, "history", *arguments, "--format", "json")
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def totals_of_coverage(folder: Path) -> dict[str, object]:
    """What coverage.py's own report says."""
    coverage(folder, "json", "-q", "-o", "report.json")
    found: dict[str, object] = json.loads((folder / "report.json").read_text())["totals"]
    (folder / "report.json").unlink()
    return found


def same_figures(values: dict[str, object], expected: dict[str, object]) -> bool:
    return all(expected[name] == value for name, value in values.items())


def test_a_run_is_recorded_with_coverage_figures(
    covls: Covls, shop: Repository, history_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On each database, and found again by list and show."""
    monkeypatch.setenv("COVLS_HISTORY_URL", history_url)
    folder = shop.folder
    run = values(covls, folder, "record", "--flag", "py312,linux")
    assert run["commit"] == shop("rev-parse", "HEAD")
    assert (run["branch"], run["subject"]) == ("main", "Begin to sell ümlauts")
    assert run["authored"] == "2023-11-14T22:13:20+00:00"
    assert (run["flags"], run["clean"], run["files"]) == (["linux", "py312"], True, 1)
    assert set(run["versions"]) == {"coverage", "covls"}
    assert same_figures(run["totals"], totals_of_coverage(folder))
    assert json.loads(covls(folder, "history", "list", "-f", "json").out) == [run]
    shown = values(covls, folder, "show")
    assert shown["by_file"] == {"shop.py": run["totals"]}
    assert {**run, "by_file": shown["by_file"]} == shown
    assert not (folder / ".covls").exists()


def test_the_history_is_beside_the_project_and_git_does_not_see_it(
    covls: Covls, shop: Repository
) -> None:
    """Which is what makes nobody commit it."""
    done = covls(shop.folder, "history", "record")
    name = shop("rev-parse", "HEAD")[:12]
    assert done.out == f"Recorded {name} on main: 66.67 % of 1 file.\n"
    assert (shop.folder / ".covls/history.sqlite").exists()
    assert shop("status", "--porcelain") == ""


def test_what_people_see(covls: Covls, shop: Repository) -> None:
    """A line a run, a table a run, and the lines of a file."""
    covls(shop.folder, "history", "record")
    name = shop("rev-parse", "HEAD")
    listed = covls(shop.folder, "history", "list").out.split()
    assert listed[:6] == ["#1", name[:12], "2023-11-14", "22:13", "66.67", "%"]
    for meant in (name, name[:5], "HEAD", "main", "#1"):
        shown = covls(shop.folder, "history", "show", meant).out
        assert f"commit    {name}\n          Begin to sell ümlauts\nbranch    main\n" in shown
        assert "shop.py       7      2      2      1    67%\n" in shown
    file = covls(shop.folder, "history", "show", "--file", "shop.py").out
    assert "shop.py: lines 6, 11 did not run\n" in file
    assert "price       3      1      2      1    60%\n" in file


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["show", "abcdef"], 3, "abcdef is no commit of a recorded run, and none that git knows"),
        (["show", "#7"], 3, "There is no run #7."),
        (["show", "HEAD", "--flag", "x"], 3, "Nothing was recorded of HEAD"),
        (["show", "--file", "none.py"], 3, "none.py is not in the run of"),
        (["record", "--commit", "nothing"], 2, "nothing is no commit in"),
        (["record", "--flag", "x" * 101], 2, "is no flag"),
        (["lost"], 2, "Did you mean 'list'?"),
    ],
)
def test_what_is_not_there_is_said(
    covls: Covls, shop: Repository, arguments: list[str], code: int, words: str
) -> None:
    """With what there is to do, and the exit code of such a thing."""
    assert covls(shop.folder, "history", "record").code == 0
    done = covls(shop.folder, "history", *arguments)
    assert (done.code, done.out) == (code, "")
    assert words in done.err


def test_without_a_history_there_is_nothing_to_list(covls: Covls, shop: Repository) -> None:
    """Nothing is made by asking."""
    done = covls(shop.folder, "history", "list")
    assert done.code == 3
    assert "There is no history yet" in done.err
    assert "covls history record" in done.err
    assert not (shop.folder / ".covls").exists()


def test_the_same_again_replaces_or_merges(covls: Covls, shop: Repository) -> None:
    """Merged it is what coverage.py says of the combined data."""
    folder = shop.folder
    covls(folder, "history", "record")
    coverage(folder, "run", "use_member.py")
    replaced = values(covls, folder, "record")
    assert same_figures(replaced["totals"], totals_of_coverage(folder))
    coverage(folder, "run", "use.py")
    merged = values(covls, folder, "record", "--merge")
    coverage(folder, "run", "--append", "use_member.py")
    assert same_figures(merged["totals"], totals_of_coverage(folder))
    assert merged["totals"]["covered_lines"] > replaced["totals"]["covered_lines"]
    assert len(json.loads(covls(folder, "history", "list", "-f", "json").out)) == 1


def test_what_changed_since_the_tests_ran_is_not_recorded(covls: Covls, shop: Repository) -> None:
    """Unless that is asked for; then the run says that the work tree was another."""
    path = shop.folder / "shop.py"
    path.write_text(path.read_text().replace("n - 1", "n - 2"))
    done = covls(shop.folder, "history", "record")
    assert done.code == 3
    assert "1 file may have changed since the tests ran: shop.py." in done.err
    assert not (shop.folder / ".covls").exists()
    stale = values(covls, shop.folder, "record", "--stale")
    assert stale["clean"] is False


def test_a_work_tree_that_is_not_the_commits_is_recorded_as_such(
    covls: Covls, shop: Repository
) -> None:
    """As is a commit that is another than what is checked out."""
    write(shop.folder, {"shop.py": (shop.folder / "shop.py").read_text() + "never()\n"})
    coverage(shop.folder, "run", "use.py")
    assert values(covls, shop.folder, "record")["clean"] is False
    shop("commit", "-q", "-am", "Call it")
    assert values(covls, shop.folder, "record")["clean"] is True
    before = values(covls, shop.folder, "record", "--commit", "HEAD~1")
    assert (before["clean"], before["branch"]) == (False, None)


def test_on_ci_the_branch_is_the_one_that_is_built(
    covls: Covls, shop: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which has a commit checked out, and no branch."""
    shop("checkout", "-q", "--detach")
    monkeypatch.setenv("GITHUB_REF_TYPE", "branch")
    monkeypatch.setenv("GITHUB_REF_NAME", "topic")
    assert values(covls, shop.folder, "record")["branch"] == "topic"
    monkeypatch.setenv("GITHUB_HEAD_REF", "fork")
    assert values(covls, shop.folder, "record")["branch"] == "fork"
    named = values(covls, shop.folder, "record", "--branch", "mine")
    assert named["branch"] == "mine"


def test_a_folder_without_a_repository_has_no_commit(covls: Covls, tmp_path: Path) -> None:
    """And says so, where there are data."""
    write(tmp_path, {"a.py": "a = 1\n"})
    coverage(tmp_path, "run", "a.py")
    done = covls(tmp_path, "history", "record")
    assert done.code == 2
    assert "is in no git repository" in done.err
