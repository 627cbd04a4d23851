"""The workflow's own commands, run: a history is kept in a branch, and found there again."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from covls.initial.facts import look
from covls.initial.github_part import workflow
from covls.initial.yaml_text import parsed
from tests.adapters.repositories import needs_git

pytestmark = needs_git

SERVER = "https://github.test"


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=True)
    return done.stdout.decode()


@pytest.fixture
def jobs(tmp_path: Path) -> Any:
    """The jobs of the workflow for a small project."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "test_it.py").write_text("def test_it(): pass\n")
    values = parsed(workflow(look(root)))
    assert isinstance(values, dict)
    return values["jobs"]


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """What stands for the repository on GitHub."""
    folder = tmp_path / "origin.git"
    git(tmp_path, "init", "--quiet", "--bare", str(folder))
    return folder


def run_step(job: Any, name: str, folder: Path, origin: Path) -> subprocess.CompletedProcess[str]:
    """Run a step as the runner does, with GitHub's address leading to `origin`."""
    (script,) = (step["run"] for step in job["steps"] if step.get("name") == name)
    folder.mkdir(exist_ok=True)
    environment = os.environ | {
        "TOKEN": "a-token",
        "GITHUB_SERVER_URL": SERVER,
        "GITHUB_REPOSITORY": "owner/name",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{origin.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://x-access-token:a-token@github.test/owner/name",
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def recorded(tmp_path: Path, number: int, content: bytes) -> Path:
    """A folder as the job finds it that keeps what was recorded."""
    folder = tmp_path / f"keeping{number}"
    (folder / "found" / ".covls").mkdir(parents=True)
    (folder / "found" / ".covls" / "history.sqlite").write_bytes(content)
    return folder


def test_the_history_is_kept_in_a_branch_and_found_by_the_next_run(
    jobs: Any, origin: Path, tmp_path: Path
) -> None:
    checkout = tmp_path / "checkout"
    git(tmp_path, "init", "--quiet", str(checkout))
    first = run_step(jobs["coverage"], "History of runs before", checkout, origin)
    assert first.returncode == 0, first.stderr
    assert not (checkout / ".covls").exists()
    for number, content in enumerate((b"one\0run", b"two\0runs")):
        kept = run_step(jobs["history"], "Keep", recorded(tmp_path, number, content), origin)
        assert kept.returncode == 0, kept.stderr
        found = run_step(jobs["coverage"], "History of runs before", checkout, origin)
        assert found.returncode == 0, found.stderr
        assert (checkout / ".covls" / "history.sqlite").read_bytes() == content
    assert git(origin, "rev-list", "--count", "covls-history").strip() == "1"
    assert git(checkout, "rev-parse", "--is-shallow-repository").strip() == "false"
    assert "a-token" not in (checkout / ".git" / "FETCH_HEAD").read_text()


def test_a_history_that_cannot_be_had_is_not_begun_anew(
    jobs: Any, origin: Path, tmp_path: Path
) -> None:
    checkout = tmp_path / "checkout"
    git(tmp_path, "init", "--quiet", str(checkout))
    origin.rename(tmp_path / "gone.git")
    found = run_step(jobs["coverage"], "History of runs before", checkout, origin)
    assert found.returncode != 0


def test_what_runs_code_has_no_rights(jobs: Any) -> None:
    assert "permissions" not in jobs["coverage"], "those of the workflow: to read"
    for name, rights in {
        "history": {"contents": "write"},
        "page": {"pages": "write", "id-token": "write"},
    }.items():
        job = jobs[name]
        assert dict(job["permissions"]) == rights
        words = " ".join(step.get("run", "") + step.get("uses", "") for step in job["steps"])
        assert "checkout" not in words
        assert "covls " not in words
        assert "recorded == 'success'" in job["if"]


def test_what_was_measured_is_shared_where_the_settings_say_where(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it(): pass\n")
    assert "covls push" not in workflow(look(tmp_path))
    (tmp_path / "covls.toml").write_text('[share]\nurl = "s3://bucket/shop"\n')
    values = parsed(workflow(look(tmp_path), codecov=True))
    assert isinstance(values, dict)
    job: Any = values["jobs"]["coverage"]
    names = [step.get("name") for step in job["steps"]]
    assert names.index("Tests") < names.index("Share what was measured")
    assert job["steps"][names.index("Share what was measured")]["run"] == "covls push --trusted"
