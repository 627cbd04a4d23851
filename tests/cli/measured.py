"""Small projects with data of coverage.py's own making, and both command lines over them."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from covls.cli.main import run


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def coverage(folder: Path, *arguments: str, check: bool = True) -> Done:
    """The `coverage` command in a process of its own, with the folder as its current one."""
    done = subprocess.run(
        [sys.executable, "-m", "coverage", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


class Covls:
    """The `covls` command within this process, with a folder as its current one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, folder: Path, *arguments: str) -> Done:
        with self._monkeypatch.context() as patch:
            patch.chdir(folder)
            self._capsys.readouterr()
            code = run(arguments)
        captured = self._capsys.readouterr()
        return Done(code, captured.out, captured.err)

    def json(self, folder: Path, *arguments: str) -> dict[str, Any]:
        done = self(folder, "report", "--format", "json", *arguments)
        assert done.code == 0, done.err
        report: dict[str, Any] = json.loads(done.out)
        return report


def coverage_json(folder: Path, *arguments: str) -> dict[str, Any]:
    """What `coverage json` says; it takes parallel files away on the way."""
    coverage(folder, "json", "-q", "-o", "their-report.json", "--fail-under=0", *arguments)
    path = folder / "their-report.json"
    report: dict[str, Any] = json.loads(path.read_text())
    path.unlink()
    return report


def comparable(report: dict[str, Any]) -> list[Any]:
    """A report without what is ours and what is the clock's, its keys in order.

    The order of lines under `contexts`, and of the contexts of a line, is not defined: coverage.py
    takes it from the database and from a set.
    """
    report = {key: value for key, value in report.items() if key != "covls"}
    report["meta"] = {**report["meta"], "timestamp": ""}
    keyed = _keyed(report)
    assert isinstance(keyed, list)
    return keyed


def _keyed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return [
        (key, {line: sorted(names) for line, names in inner.items()})
        if key == "contexts"
        else (key, _keyed(inner))
        for key, inner in value.items()
    ]


def stamps(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Every file below a folder, with what would give away that it was touched."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mtime_ns,
            path.stat().st_size,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def age(folder: Path, seconds: float = 60.0) -> None:
    """Make every source a minute older than it is, so that the data is surely younger."""
    for path in folder.rglob("*.py"):
        found = path.stat()
        os.utime(path, (found.st_atime, found.st_mtime - seconds))
