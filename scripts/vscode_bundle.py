"""Puts covls and what it needs into editors/vscode/bundled/libs, for the extension to carry.

    python -m scripts.vscode_bundle

Pure Python only, for one .vsix serves all systems and every Python from 3.11 on; the versions are
those of constraints.txt. Wheels are kept between runs, as those of the environments are.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

from scripts.environment import CONSTRAINTS, ROOT, wheelhouse

EXTENSION = ROOT / "editors" / "vscode"
LIBS = EXTENSION / "bundled" / "libs"

# Any system's watchdog wheel that has no compiled part holds the code for all of them.
PURE = [
    *("--only-binary", ":all:", "--python-version", "3.11"),
    *("--implementation", "py", "--abi", "none"),
    *("--platform", "any", "--platform", "manylinux2014_x86_64"),
]

# What is not imported: C code that a wheel may bring along, and hooks of site-packages.
LEFT_OUT = (".so", ".pyd", ".c", ".h", ".dll", ".pth")

TEMPORARY_FAILURE = 75
"""The exit code where a download failed, as EX_TEMPFAIL of sysexits.h."""


def main() -> None:
    """Make the folder anew; the old one stays until all of the new one is there."""
    with wheelhouse() as kept, tempfile.TemporaryDirectory(prefix="covls-vscode-") as name:
        wheels, libs = Path(name, "wheels"), Path(name, "libs")
        fetch(wheels, kept.parent / "vscode-wheels")
        own_wheel(wheels)
        for wheel in sorted(wheels.glob("*.whl")):
            unpack(wheel, libs)
        shutil.rmtree(LIBS, ignore_errors=True)
        LIBS.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(libs, LIBS)
    shutil.copy(ROOT / "LICENSE", EXTENSION / "LICENSE")
    size = sum(path.stat().st_size for path in LIBS.rglob("*") if path.is_file())
    print(f"{LIBS.relative_to(ROOT)}: {size / 1e6:.1f} MB")


def fetch(wheels: Path, kept: Path) -> None:
    """Get the wheels of what covls needs: those kept, if all are there, else by pip."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*PURE, "--constraint", str(CONSTRAINTS), "--dest", str(wheels)]
    wanted += project["project"]["dependencies"]
    if kept.is_dir() and pip("download", "--no-index", "--find-links", str(kept), *wanted):
        return
    if not pip("download", *wanted, quiet=False):
        print("The packages that the extension carries could not be had.", file=sys.stderr)
        sys.exit(TEMPORARY_FAILURE)
    if os.access(kept.parent, os.W_OK):
        shutil.copytree(wheels, kept, dirs_exist_ok=True)


def own_wheel(wheels: Path) -> None:
    """Build covls's own wheel, with what the development environment has to build with."""
    options = ("--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels))
    if not pip("wheel", *options, str(ROOT), quiet=False):
        sys.exit("covls's own wheel could not be built: see pip's words above.")


def unpack(wheel: Path, libs: Path) -> None:
    """Unpack what of a wheel is imported, and the metadata by which its version is told."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if ".data/" not in name and not name.endswith(LEFT_OUT):
                archive.extract(name, libs)


def pip(*arguments: str, quiet: bool = True) -> bool:
    """Run this environment's pip; whether it succeeded."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    sink = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, stdout=sink, stderr=sink, check=False).returncode == 0


if __name__ == "__main__":
    main()
