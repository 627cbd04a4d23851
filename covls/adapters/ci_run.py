"""The run of a CI service that this is: its branch, and the page that shows it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from covls.adapters.git_command import ask_git, find_git


@dataclass(frozen=True, slots=True)
class CiRun:
    """What a CI service says of a run, each empty where it does not say it."""

    branch: str = ""
    """The branch that is built. A pull request, or a tag, is of none."""
    link: str = ""


def ci_run(environment: Mapping[str, str] | None = None) -> CiRun | None:
    """What GitHub Actions or GitLab CI say of this run; None where it is none of theirs.

    https://docs.github.com/actions/reference/workflows-and-actions/variables
    https://docs.gitlab.com/ci/variables/predefined_variables/
    """
    said = os.environ if environment is None else environment
    if said.get("GITHUB_ACTIONS") == "true":
        ref, prefix = said.get("GITHUB_REF", ""), "refs/heads/"
        branch = ref.removeprefix(prefix) if ref.startswith(prefix) else ""
        place = [said.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
        link = f"{place[0]}/{place[1]}/actions/runs/{place[2]}" if all(place) else ""
        return CiRun(branch, link)
    if said.get("GITLAB_CI") == "true":
        return CiRun(said.get("CI_COMMIT_BRANCH", ""), said.get("CI_JOB_URL", ""))
    return None


def branch_and_commit(root: Path) -> tuple[str, str]:
    """The branch that is checked out in a folder's repository, and its commit.

    On a CI service the branch is the one that it builds, for it checks out none. Each is empty
    where it is not known.
    """
    branch = commit = ""
    if (program := find_git(root)) is not None:
        asked = (("symbolic-ref", "--quiet", "--short", "HEAD"), ("rev-parse", "--verify", "HEAD"))
        branch, commit = (_line(program, root, *each) for each in asked)
    said = ci_run()
    return (branch if said is None else said.branch), commit


def _line(program: str, folder: Path, *arguments: str) -> str:
    try:
        answer = ask_git(program, folder, *arguments, fails=True)
    except (OSError, ValueError):
        return ""
    return answer.decode(errors="replace").partition("\n")[0]
