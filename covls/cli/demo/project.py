"""The demo's project, written into a folder of its own, and its tests run under coverage."""

import importlib.util
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

PACKAGE = "bookshop"
MODULES = ("orders", "pricing", "stock")
"""The modules worth looking at, in the order of the report."""
POINTED_AT = "orders"
"""The module that the pointer stands in."""
CHANGED = "stock"
"""The module that the test added later reaches."""
ADDED_TEST = "tests/test_delivery.py"

_SAMPLE = files("covls.cli.demo") / "sample"
_SECONDS = 60


class DemoError(Exception):
    """A step of the demo failed; the message says which, and what to do."""


@dataclass(frozen=True, slots=True)
class TestRun:
    """What a run of tests under coverage came to."""

    command: str
    summary: str
    seconds: float
    written_at: float

    __test__ = False


def write_project(folder: Path) -> list[str]:
    """Write the sample project, all but the test that is added later; returns the names."""
    names = [name for name in _names(_SAMPLE) if name != ADDED_TEST]
    for name in names:
        _write(folder, name)
    return names


def add_test(folder: Path) -> str:
    """Write the test that was missing, and return its text."""
    return _write(folder, ADDED_TEST)


def run_tests(folder: Path, *arguments: str, append: bool = False) -> TestRun:
    """Run tests under coverage, with this interpreter's pytest. Raises DemoError."""
    for module in ("coverage", "pytest"):
        if importlib.util.find_spec(module) is None:
            raise DemoError(
                f"the demo's tests need {module}, which {sys.executable} does not have.\n"
                f"Install it with: {sys.executable} -m pip install {module}"
            )
    options = ["--append"] if append else []
    command = ["coverage", "run", *options, "-m", "pytest", *arguments]
    quiet = ["-q", "-p", "no:cacheprovider"]
    started = time.monotonic()
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", *command, *quiet],
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DemoError(f"the tests did not end within {_SECONDS} seconds") from None
    seconds = time.monotonic() - started
    data_file = folder / ".coverage"
    if done.returncode != 0 or not data_file.exists():
        raise DemoError(f"the tests failed:\n{done.stdout}{done.stderr}".rstrip())
    passed = re.search(r"\d+ passed", done.stdout)
    return TestRun(
        " ".join(command),
        passed[0] if passed else "passed",
        seconds,
        data_file.stat().st_mtime,
    )


def environment() -> dict[str, str]:
    """The environment here, without what would steer coverage, pytest or covls elsewhere."""
    others = ("COVERAGE_", "COV_CORE_", "PYTEST_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    return kept | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def _names(folder: Traversable, prefix: str = "") -> list[str]:
    """The sample's files. They end in `.txt`, so that no tool takes them for covls's own code."""
    found: list[str] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _names(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".txt"):
            found.append(prefix + entry.name.removesuffix(".txt"))
    return sorted(found)


def _write(folder: Path, name: str) -> str:
    text = _SAMPLE.joinpath(f"{name}.txt").read_text(encoding="utf-8")
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return text
