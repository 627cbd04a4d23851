"""The project's Python interpreter, found by looking at the disk: nothing is run."""

import base64
import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from covls.adapters.presence import is_file, is_folder, is_there

_WINDOWS = os.name == "nt"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An interpreter, and what can be told of it without running it."""

    python: Path
    found_by: str  # how: "the setting `python`", "VIRTUAL_ENV", ".venv", "poetry", …, "PATH"
    version: str | None  # Python's; None where only running it would tell
    site_packages: tuple[Path, ...]  # none where only running it would tell
    coverage_version: str | None  # None: not in site_packages
    exists: bool = True


def find_interpreter(
    root: Path, setting: str | None = None, environ: Mapping[str, str] | None = None
) -> Interpreter | None:
    """Return the interpreter that most probably runs the project's tests, None if there is none.

    In this order: the setting `python` (against the root); an activated environment; a folder
    `.venv` or `venv` in the root or above it in the same repository; environments that pdm, poetry,
    pipenv and hatch keep elsewhere; PATH.
    """
    environ = os.environ if environ is None else environ
    if setting:
        return _from_setting(root, setting, environ)
    for folder, found_by in _environments(root, environ):
        python = _python_of(folder)
        if python is not None:
            return _described(python, folder, found_by)
    pdm_choice = _first_line(root / ".pdm-python")
    if pdm_choice and is_file(Path(pdm_choice)):
        return _described(Path(pdm_choice), Path(pdm_choice).parent.parent, "pdm")
    for name in ("python", "python3"):
        if found := shutil.which(name, path=environ.get("PATH", os.defpath)):
            python = Path(found)
            environment = python.parent.parent
            # Outside an environment the libraries are where the links to the program end.
            if not is_file(environment / "pyvenv.cfg"):
                environment = Path(os.path.realpath(python)).parent.parent
            return _described(python, environment, "PATH")
    return None


def _from_setting(root: Path, setting: str, environ: Mapping[str, str]) -> Interpreter:
    found_by = "the setting `python`"
    written = Path(os.path.expanduser(setting))  # noqa: PTH111  does not raise without a home
    if len(written.parts) == 1 and (on_path := shutil.which(setting, path=environ.get("PATH"))):
        written = Path(on_path)
    python = root / written
    # The folder of an environment stands for its interpreter.
    if (inside := _python_of(python)) is not None:
        python = inside
    if not is_file(python):
        return Interpreter(python, found_by, None, (), None, exists=False)
    return _described(python, python.parent.parent, found_by)


def _environments(root: Path, environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """Yield the folders of environments that may be the project's, the likeliest first."""
    for name in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"):
        if activated := environ.get(name):
            yield root / activated, name
    for folder in (root, *root.parents):
        for name in (".venv", "venv", "env"):
            if is_file(folder / name / "pyvenv.cfg"):
                yield folder / name, str(folder / name) if folder != root else name
        if is_there(folder / ".git"):
            break
    # `base` is active in every shell of some users, and no project's environment.
    if environ.get("CONDA_DEFAULT_ENV", "base") != "base" and (
        conda := environ.get("CONDA_PREFIX")
    ):
        yield Path(conda), "conda"
    home = Path(environ.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111
    data = Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    caches = Path(environ.get("XDG_CACHE_HOME") or home / ".cache")
    checksum = base64.urlsafe_b64encode(
        hashlib.sha256(os.path.normcase(os.path.realpath(root)).encode()).digest()
    ).decode()[:8]
    # Poetry and hatch name an environment by the first letters of the project folder's checksum.
    poetry = Path(environ.get("POETRY_VIRTUALENVS_PATH") or caches / "pypoetry" / "virtualenvs")
    for folder in _folders(poetry, f"*-{checksum}-py*"):
        yield folder, "poetry"
    pipenv = Path(environ.get("WORKON_HOME") or data / "virtualenvs")
    for folder in _folders(pipenv, f"{root.name}-*"):
        if _first_line(folder / ".project") == str(root):
            yield folder, "pipenv"
    hatch = Path(environ.get("HATCH_DATA_DIR") or data / "hatch") / "env" / "virtual"
    yield from ((folder, "hatch") for folder in _with_coverage_first(hatch, f"*/{checksum}/*"))


def _folders(parent: Path, pattern: str) -> list[Path]:
    try:
        return sorted(parent.glob(pattern))
    except OSError:
        return []


def _with_coverage_first(parent: Path, pattern: str) -> list[Path]:
    """Hatch keeps several environments for one project; tests run where coverage is."""
    folders = _folders(parent, pattern)
    return sorted(folders, key=lambda folder: _coverage_in(_site_packages(folder)) is None)


def _python_of(environment: Path) -> Path | None:
    names = ("Scripts/python.exe", "python.exe") if _WINDOWS else ("bin/python", "bin/python3")
    for name in names:
        if is_file(environment / name):
            return environment / name
    return None


def _described(python: Path, environment: Path, found_by: str) -> Interpreter:
    site_packages = _site_packages(environment)
    settings = _pyvenv_settings(environment)
    version = settings.get("version") or settings.get("version_info")
    if version is None and site_packages:
        version = re.sub(r"^python", "", site_packages[0].parent.name)
    elif version is not None:
        version = ".".join(version.split(".")[:3])
    if settings.get("include-system-site-packages", "").lower() == "true" and "home" in settings:
        site_packages += _site_packages(Path(settings["home"]).parent)
    return Interpreter(python, found_by, version, site_packages, _coverage_in(site_packages))


def _pyvenv_settings(environment: Path) -> dict[str, str]:
    try:
        lines = (environment / "pyvenv.cfg").read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines)
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def _site_packages(environment: Path) -> tuple[Path, ...]:
    if _WINDOWS:
        folder = environment / "Lib" / "site-packages"
        return (folder,) if is_folder(folder) else ()
    found = _folders(environment, "lib/python3*/site-packages")
    return tuple(folder for folder in found if is_folder(folder))


def _coverage_in(site_packages: Iterable[Path]) -> str | None:
    for folder in site_packages:
        for info in _folders(folder, "coverage-*.dist-info"):
            return info.name.removeprefix("coverage-").removesuffix(".dist-info")
    return None


def _first_line(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            return lines.readline().strip()
    except OSError:
        return ""
