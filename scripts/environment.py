"""Makes a virtual environment with covls, editable, and the dependency groups asked for.

    python scripts/environment.py .venv demo        what covls and its demo need
    python scripts/environment.py .venv dev         everything for development
    python scripts/environment.py --lowest …        with the lowest versions covls says it runs with
    python scripts/environment.py --lock            writes constraints.txt anew, newest versions

Standard library only, and any pip from 23 on: it runs before anything is installed. Wheels are kept
in a folder of the user's cache, and tried first, so that the next environment needs no network.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"


def group(name: str, groups: dict[str, list[str | dict[str, str]]]) -> list[str]:
    """The requirements of a dependency group (PEP 735), groups included in it resolved."""
    found: list[str] = []
    for entry in groups[name]:
        found += [entry] if isinstance(entry, str) else group(entry["include-group"], groups)
    return found


def requirements(groups: list[str]) -> list[str]:
    """What covls needs at run time, to be installed from source, and the groups' requirements."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = list(project["project"]["dependencies"])
    for name in ["build", *groups]:
        wanted += group(name, project["dependency-groups"])
    return list(dict.fromkeys(wanted))


@contextmanager
def wheelhouse() -> Iterator[Path]:
    """The folder wheels are kept in between environments; a passing one if it cannot be written."""
    home = os.environ.get("COVLS_DEV_CACHE") or Path.home() / ".cache" / "covls-dev"
    folder = Path(home) / "wheels"
    with tempfile.TemporaryDirectory(prefix="covls-wheels-") as passing:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError:
            folder = Path(passing)
        yield folder


def python_in(folder: Path) -> Path:
    """The interpreter of a virtual environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def works(python: Path) -> bool:
    """Whether an environment is there, runs, and was made by this version of Python."""
    try:
        answer = subprocess.run(
            [python, "-I", "-c", "import pip, sys; print(sys.version)"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return False
    return answer.returncode == 0 and answer.stdout.strip() == sys.version.strip()


def pip(python: Path, *arguments: str, quiet: bool = False) -> bool:
    """Runs pip in an environment; whether it succeeded. `quiet` drops what it says."""
    command = [str(python), "-m", "pip", "--disable-pip-version-check", *arguments]
    sink = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, stdout=sink, stderr=sink, check=False).returncode == 0


def lowest_versions() -> list[str]:
    """The constraints, but covls's own dependencies at the lower bounds of pyproject.toml."""
    bounds = [re.match(r"([\w-]+)>=([\w.]+)", wanted) for wanted in requirements([])]
    lowest = {bound[1]: f"{bound[1]}=={bound[2]}" for bound in bounds if bound}
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    return [lowest.get(line.partition("==")[0].lower(), line) for line in lines]


def install(python: Path, wanted: list[str], lowest: bool) -> bool:
    """Installs requirements, from the wheels kept if they are all there; whether it succeeded."""
    with wheelhouse() as wheels, tempfile.TemporaryDirectory(prefix="covls-pins-") as folder:
        constraints = CONSTRAINTS
        if lowest:
            constraints = Path(folder) / "constraints.txt"
            constraints.write_text("\n".join(lowest_versions()) + "\n", encoding="utf-8")
        pinned = ["--quiet", "--constraint", str(constraints)]
        kept = [*pinned, "--no-index", "--find-links", str(wheels), *wanted]
        if pip(python, "install", *kept, quiet=True):
            return True
        fetch = ["--find-links", str(wheels), "--wheel-dir", str(wheels), *wanted]
        return pip(python, "wheel", *pinned, *fetch) and pip(python, "install", *kept)


def make(folder: Path, groups: list[str], *, lowest: bool = False) -> None:
    """Makes or updates the environment. Raises SystemExit with a sentence where it cannot."""
    python = python_in(folder)
    if not works(python):
        print(
            f"Making {folder} with Python {sys.version.split()[0]} ({sys.executable})", flush=True
        )
        venv.create(folder, clear=True, with_pip=True, symlinks=os.name != "nt")
    print(f"Installing what covls needs ({', '.join(groups)})", flush=True)
    if not install(python, requirements(groups), lowest):
        sys.exit(
            "The packages covls needs could not be installed: see pip's words above. "
            "The first time takes a network, or pip settings that name an index."
        )
    editable = ["--quiet", "--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    if not pip(python, "install", *editable):
        sys.exit("covls itself could not be installed: see pip's words above.")


def lock() -> None:
    """Writes constraints.txt: the newest versions that fit together today."""
    with tempfile.TemporaryDirectory(prefix="covls-lock-") as folder:
        venv.create(folder, with_pip=True)
        python = python_in(Path(folder))
        if not pip(python, "install", "--quiet", *requirements(["dev"])):
            sys.exit("constraints.txt was left as it is.")
        frozen = subprocess.run(
            [python, "-m", "pip", "freeze"], capture_output=True, text=True, check=True
        ).stdout
    lines = sorted((line for line in frozen.splitlines() if "==" in line), key=str.lower)
    header = "# Every version development uses. Written by `make lock`; do not edit by hand.\n"
    CONSTRAINTS.write_text(header + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"constraints.txt: {len(lines)} versions")


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--lock", action="store_true", help="write constraints.txt anew")
    parser.add_argument("--lowest", action="store_true", help="the lowest versions covls allows")
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("groups", nargs="*", default=[])
    options = parser.parse_args()
    if options.lock:
        lock()
    elif options.folder is None or not options.groups:
        parser.error("name a folder and at least one dependency group")
    else:
        make(options.folder, options.groups, lowest=options.lowest)


if __name__ == "__main__":
    main()
