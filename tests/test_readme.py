"""What the README tells people to type, typed."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from covls.cli.demo.project import write_project

README = Path(__file__).resolve().parent.parent / "README.md"


def block_after(sentence: str) -> list[str]:
    """The commands of the console block that follows a sentence."""
    text = README.read_text(encoding="utf-8")
    found = re.search(re.escape(sentence) + r".*?```console\n(.*?)```", text, re.DOTALL)
    assert found is not None, sentence
    return [line.removeprefix("$ ") for line in found[1].splitlines()]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with tests, not yet run."""
    write_project(tmp_path)
    return tmp_path


def test_tests_are_run_and_reported_as_the_readme_says(project: Path) -> None:
    said: dict[str, str] = {}
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COV_CORE", "PYTEST"))}
    for command in block_after("run your tests under coverage.py as you always do"):
        done = subprocess.run(
            shlex.split(command), cwd=project, env=kept, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        said[command] = done.stdout
    assert "passed" in said["coverage run --branch -m pytest"]
    assert "pricing.py" in said["covls report"]
    assert ".coverage" in said["covls doctor"]
