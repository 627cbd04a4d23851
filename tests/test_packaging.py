"""The wheel: built as for a release, installed where only it and its dependencies are."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import covls

ROOT = Path(__file__).resolve().parent.parent

# These are imported by what has asked whether covls[team], or more, is installed.
WITH_AN_EXTRA = ("covls.adapters.history_db.", "covls.adapters.parquet")

IMPORT_ALL = f"""
import importlib, pkgutil, covls
for module in pkgutil.walk_packages(covls.__path__, "covls."):
    if not module.name.endswith("__main__") and not module.name.startswith({WITH_AN_EXTRA}):
        importlib.import_module(module.name)
        print(module.name)
"""


def run(*command: str | Path, cwd: Path) -> str:
    """What a command prints. Fails the test with all it said where it fails."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """covls's wheel, built from this tree."""
    folder = tmp_path_factory.mktemp("dist")
    # No isolation: hatchling is in this environment, and nothing needs to be fetched.
    run(
        sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT,
        cwd=folder,
    )  # fmt: skip
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs' folder of an environment that holds the wheel and what it depends on."""
    folder = tmp_path_factory.mktemp("installed") / "environment"
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "install", "--quiet"]
    what = ["--constraint", str(ROOT / "constraints.txt"), str(wheel)]
    # The wheels that made this environment are kept; without them the index is asked.
    kept = Path(os.environ.get("COVLS_DEV_CACHE") or Path.home() / ".cache" / "covls-dev")
    offline = [*pip, *what, "--no-index", "--find-links", str(kept / "wheels")]
    if subprocess.run(offline, capture_output=True, check=False).returncode != 0:
        run(*pip, *what, cwd=folder)
    return programs


def test_the_wheel_holds_what_covls_needs_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    tracked = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "covls").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    metadata = f"covls-{covls.__version__}.dist-info/"
    assert {name for name in names if not name.startswith(metadata)} == tracked
    assert {"covls/py.typed", "covls/ARCHITECTURE.md", "covls/settings.schema.json"} <= names
    assert f"{metadata}licenses/LICENSE" in names


@pytest.mark.parametrize("command", [["covls"], ["python", "-m", "covls"]])
def test_it_runs_where_only_its_dependencies_are(
    installed: Path, command: list[str], tmp_path: Path
) -> None:
    program: list[str | Path] = [installed / command[0], *command[1:]]
    assert covls.__version__ in run(*program, "--version", cwd=tmp_path)
    assert "Usage: " in run(*program, "--help", cwd=tmp_path)


def test_every_module_imports_where_only_its_dependencies_are(
    installed: Path, tmp_path: Path
) -> None:
    modules = run(installed / "python", "-W", "error", "-c", IMPORT_ALL, cwd=tmp_path).split()
    assert "covls.project" in modules


def test_init_says_what_it_lacks(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed / "covls", "init", "--yes"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert 'python -m pip install "covls[init]"' in done.stderr
    assert list(tmp_path.iterdir()) == []
