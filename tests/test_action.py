"""`action.yml` and `.pre-commit-hooks.yaml`: of their schemas, and what the action's steps do."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.cli.measured import coverage, write

ROOT = Path(__file__).resolve().parent.parent


def action() -> dict[str, Any]:
    values: dict[str, Any] = YAML(typ="safe", pure=True).load(ROOT / "action.yml")
    return values


def test_the_action_is_of_its_schema() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions",
         ROOT / "action.yml"],
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_hooks_are_what_pre_commit_takes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", ROOT / ".pre-commit-hooks.yaml"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("total", "code"), [(10, 0), (100, 1)])
def test_the_steps_judge_and_prepare_the_comment(tmp_path: Path, total: int, code: int) -> None:
    """All steps but the installation, for which the environment of the tests stands."""
    if not Path("/bin/bash").exists():
        pytest.skip("no bash")
    project = tmp_path / "project"
    gates = f"[tool.covls.gates]\ntotal = {total}\npatch = 0\n"
    write(project, {"pyproject.toml": gates, "a.py": "def f():\n    return 1\n"})
    for words in ("init -q", "add .", "-c user.name=a -c user.email=a@b.c commit -qm first"):
        subprocess.run(["git", *words.split()], cwd=project, check=True)
    coverage(project, "run", "a.py")
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7, "head": {"sha": "abc"}}}))
    given = {
        "BASE": "HEAD", "FILE": "comment.md", "FOLDER": "project", "CODE": "",
        "COVLS": str(Path(sys.executable).with_name("covls")),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_ACTIONS": "true",
    }  # fmt: skip
    steps = {step.get("name"): step for step in action()["runs"]["steps"]}
    outputs: dict[str, str] = {}
    for name in ("Gates", "Comment", "Verdict"):
        step = steps[name]
        assert set(step["env"]) <= set(given), "the test gives what the step asks for"
        given["CODE"] = outputs.get("exit-code", "")
        # As GitHub runs it.
        done = subprocess.run(
            ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=project,
            env={**os.environ, **given},
            capture_output=True,
            text=True,
        )
        assert done.returncode == (code if name == "Verdict" else 0), done.stdout + done.stderr
        outputs = dict(
            line.split("=", 1) for line in (tmp_path / "output").read_text().splitlines()
        )
    assert outputs == {"exit-code": str(code), "file": "project/comment.md"}
    assert "## Coverage of abc" in (project / "comment.md").read_text()
    assert "| total |" in (tmp_path / "summary").read_text()
