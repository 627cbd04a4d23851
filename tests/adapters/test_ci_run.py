"""What CI services say of a run, by their variables, and what git says where there is none."""

import os
from pathlib import Path

import pytest

from covls.adapters.ci_run import CiRun, branch_and_commit, ci_run
from tests.adapters.repositories import Repository, needs_git

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REF": "refs/heads/release/8.2",
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "team/shop",
    "GITHUB_RUN_ID": "17",
}
LINK = "https://github.example/team/shop/actions/runs/17"
GITLAB = {"GITLAB_CI": "true", "CI_COMMIT_BRANCH": "main", "CI_JOB_URL": "https://gitlab.example/1"}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (GITHUB, CiRun("release/8.2", LINK)),
        (GITHUB | {"GITHUB_REF": "refs/pull/12/merge"}, CiRun("", LINK)),
        (GITHUB | {"GITHUB_REF": "refs/tags/main"}, CiRun("", LINK)),
        ({"GITHUB_ACTIONS": "true"}, CiRun("", "")),
        (GITLAB, CiRun("main", "https://gitlab.example/1")),
        # A pipeline of a merge request has no such variable.
        ({"GITLAB_CI": "true"}, CiRun("", "")),
        ({"CI": "true"}, None),
    ],
)
def test_what_services_say(variables: dict[str, str], expected: CiRun | None) -> None:
    assert ci_run(variables) == expected


@needs_git
def test_the_branch_that_is_built_goes_before_the_one_that_is_checked_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITLAB_CI", raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    assert branch_and_commit(tmp_path) == ("", "")
    repository = Repository(tmp_path / "shop")
    commit = repository.commit("a.py", "a = 1\n", 1_700_000_000)
    assert branch_and_commit(repository.folder) == ("main", commit)
    repository("checkout", "-q", "--detach")
    assert branch_and_commit(repository.folder) == ("", commit)
    for name, value in GITHUB.items():
        monkeypatch.setenv(name, value)
    assert branch_and_commit(repository.folder) == ("release/8.2", commit)
