"""Other Pythons on this machine, in environments that are made once and kept for developers."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import MISSING

CACHE = Path.home() / ".cache" / "covls-dev"


def interpreter(version: str) -> str:
    """That Python, as pyenv has it or as it stands on PATH; skips where it is not."""
    name = f"python{version}"
    known = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/{name}"))
    python = str(known[-1]) if known else shutil.which(name)
    if python is None:
        pytest.skip(f"{MISSING}{name}")
    return python


def environment(version: str, name: str, *packages: str) -> Path:
    """The interpreter of an environment of that Python, with these packages."""
    python = interpreter(version)
    folder = CACHE / name
    inside = folder / "bin" / "python"
    if (folder / "complete").exists():
        return inside
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([python, "-m", "venv", folder], check=True, capture_output=True)
    done = subprocess.run(
        [
            *(inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *packages,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        said = done.stderr.strip()[-200:]
        pytest.skip(f"{MISSING}{', '.join(packages)} for python{version} ({said})")
    (folder / "complete").touch()
    return inside


def with_pytest(version: str, coverage: str = "") -> Path:
    """An environment with pytest, xdist and pytest-cov, and that coverage.py, or the newest."""
    wanted = f"coverage=={coverage}" if coverage else "coverage"
    name = f"run-{version}-{coverage or 'new'}"
    return environment(version, name, wanted, "pytest", "pytest-cov", "pytest-xdist")
