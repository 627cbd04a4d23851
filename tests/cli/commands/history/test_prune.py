"""`covls history prune`: the runs that are meant go, and no other."""

import json
from pathlib import Path

import pytest

from covls.adapters.history_db import open_history
from covls.core.settings import Settings
from tests.adapters.history_db.synthetic import commit, file
from tests.adapters.repositories import Repository, needs_git
from tests.cli.measured import Covls

pytestmark = needs_git


def record(folder: Path, *numbers: int, branch: str = "main", name: str = "") -> None:
    """Runs of commits of some numbers, or of one that git has."""
    with open_history(folder, Settings(), mode="write") as history:
        for number in numbers:
            one = commit(number, branch)
            one = type(one)(name or one.id, (), branch, authored=one.authored)
            for flags in ((), ("py312",)):
                history.record(
                    one, flags, clean=True, versions={}, has_branches=True, files=[file("a.py")]
                )


def left(covls: Covls, folder: Path) -> list[int]:
    """The numbers of the commits that have runs."""
    runs = json.loads(covls(folder, "history", "list", "-f", "json").out)
    return [int(run["commit"], 16) for run in runs if not run["flags"]]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--keep", "2"], [5, 4]),
        (["--keep", "9"], [5, 4, 3, 2, 1]),
        (["--older-than", "0"], []),
        (["--older-than", "100y"], [5, 4, 3, 2, 1]),
        (["--older-than", "100y", "--keep", "1"], [5]),
    ],
)
def test_by_age_and_number(
    covls: Covls, tmp_path: Path, arguments: list[str], expected: list[int]
) -> None:
    """A commit goes with all of its flags; a dry run only says so."""
    record(tmp_path, 1, 2, 3, 4, 5)
    planned = covls(tmp_path, "history", "prune", *arguments, "--dry-run", "-f", "json")
    assert len(json.loads(planned.out)["runs"]) == 2 * (5 - len(expected))
    assert left(covls, tmp_path) == [5, 4, 3, 2, 1]
    done = covls(tmp_path, "history", "prune", *arguments)
    assert done.out.startswith(f"Let go of {2 * (5 - len(expected))} runs, and ")
    assert left(covls, tmp_path) == expected


@pytest.mark.parametrize("arguments", [[], ["--older-than", "soon"], ["--keep", "0"]])
def test_what_is_meant_has_to_be_said(covls: Covls, tmp_path: Path, arguments: list[str]) -> None:
    """Nothing goes by accident."""
    record(tmp_path, 1)
    assert covls(tmp_path, "history", "prune", *arguments).code == 2
    assert left(covls, tmp_path) == [1]


def test_runs_of_branches_that_are_gone(covls: Covls, shop: Repository, tmp_path: Path) -> None:
    """Go, unless another branch has their commits; a clone that cannot tell says so."""
    folder = shop.folder
    record(folder, 1, branch="gone")
    record(folder, 2, branch="main")
    record(folder, 3, branch="merged", name=shop("rev-parse", "HEAD"))
    done = covls(folder, "history", "prune", "--gone", "--dry-run")
    assert "Would let go of 2 runs" in done.out
    assert "gone" in done.out.splitlines()[0]
    shop("branch", "gone")
    assert "Let go of 0 runs" in covls(folder, "history", "prune", "--gone").out
    shop("branch", "-D", "gone")
    shop("remote", "add", "-t", "main", "origin", "file:///nowhere")
    done = covls(folder, "history", "prune", "--gone")
    assert (done.code, "does not have all branches" in done.err) == (2, True)
    shop("remote", "remove", "origin")
    assert "Let go of 2 runs" in covls(folder, "history", "prune", "--gone").out
    assert len(left(covls, folder)) == 2
