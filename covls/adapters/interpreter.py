"""The project's Python interpreter, found by looking at the disk: nothing is run."""

import base64
import glob
import hashlib
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from covls.adapters.presence import is_file, is_folder, is_there

_WINDOWS = os.name == "nt"

# Where conda and its likes are kept, below the home folder.
_CONDA_FOLDERS = (
    "miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba", "miniconda", ".conda"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An interpreter, and what can be told of it without running it."""

    python: Path
    found_by: str  # how: "the setting `python`", "VIRTUAL_ENV", ".venv", "poetry", …, "PATH"
    version: str | None  # Python's; None where only running it would tell
    site_packages: tuple[Path, ...]  # none where only running it would tell
    coverage_version: str | None  # None: not in site_packages
    exists: bool = True

    def words(self) -> str:
        """Where it is, how it was found, and what it has."""
        python = f"Python {self.version}" if self.version else "Python"
        if not self.exists:
            python = "not there"
        elif self.coverage_version:
            python += f", coverage.py {self.coverage_version}"
        elif self.site_packages:
            python += ", without coverage.py"
        else:
            python += ", coverage.py: not seen without running it"
        return f"{self.python} ({self.found_by}; {python})"


def find_interpreter(
    root: Path, setting: str | None = None, environ: Mapping[str, str] | None = None
) -> Interpreter | None:
    """Return the interpreter that most probably runs the project's tests, None if there is none.

    In this order: the setting `python` (against the root), which is also how an editor tells what
    was chosen there; an activated environment; a folder `.venv`, `venv` or `env` in the root or
    above it in the same repository; environments that uv, poetry, pdm, hatch, pipenv, pixi and
    conda keep for the project; PATH.
    """
    environ = os.environ if environ is None else environ
    if setting:
        return _from_setting(root, setting, environ)
    for folder, found_by in _environments(root, environ):
        python = _python_of(folder)
        if python is not None:
            return _described(python, folder, found_by)
    for name in ("python", "python3"):
        if found := shutil.which(name, path=environ.get("PATH", os.defpath)):
            python = _behind_shim(Path(found), root, environ)
            environment = python.parent.parent
            # Outside an environment the libraries are where the links to the program end.
            if not _is_environment(environment):
                environment = Path(os.path.realpath(python)).parent.parent
            return _described(python, environment, "PATH")
    return None


def installed_version(interpreter: Interpreter, package: str) -> str | None:
    """Return the version of a package that an interpreter has; None where none is to be seen."""
    return _version_in(interpreter.site_packages, package)


def environment_of(interpreter: Interpreter) -> Path | None:
    """Return the folder of the environment that an interpreter is in, None outside of any."""
    folder = interpreter.python.parent.parent
    if _WINDOWS and is_folder(interpreter.python.parent / "conda-meta"):
        folder = interpreter.python.parent
    return folder if _is_environment(folder) else None


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
    home = Path(environ.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111
    if activated := environ.get("VIRTUAL_ENV"):
        yield root / activated, "VIRTUAL_ENV"
    folders = _up_to_repository(root)
    for folder in folders:
        if named := environ.get("UV_PROJECT_ENVIRONMENT"):
            yield folder / named, "UV_PROJECT_ENVIRONMENT"
        for name in (".venv", "venv", "env"):
            if _is_environment(folder / name):
                yield folder / name, str(folder / name) if folder != root else name
    # What a tool keeps for a project is known by the folder that the tool was started in.
    for folder in folders:
        yield from ((each, "poetry") for each in _of_poetry(folder, home, environ))
        if choice := _first_line(folder / ".pdm-python"):
            yield Path(choice).parent.parent, "pdm"
        yield from ((each, "hatch") for each in _of_hatch(folder, home, environ))
        yield from ((each, "pipenv") for each in _of_pipenv(folder, home, environ))
        yield folder / ".pixi" / "envs" / "default", "pixi"
    # `base` is active in every shell of some users, and no project's environment.
    if environ.get("CONDA_DEFAULT_ENV", "base") != "base" and (
        conda := environ.get("CONDA_PREFIX")
    ):
        yield Path(conda), "conda"
    for folder in folders:
        for file in ("environment.yml", "environment.yaml"):
            yield from (
                (each, f"conda ({file})") for each in _of_conda(folder / file, home, environ)
            )


def _up_to_repository(root: Path) -> list[Path]:
    folders = []
    for folder in (root, *root.parents):
        folders.append(folder)
        if is_there(folder / ".git"):
            return folders
    return [root]  # outside a repository nothing above it is surely the project's


def _of_poetry(project: Path, home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Where poetry keeps the project's environments, that of the Python it was told to use first.

    They are named after the project and the first letters of its folder's checksum.
    """
    if not is_file(project / "pyproject.toml"):
        return []
    local = _toml(project / "poetry.toml")
    configured = Path(
        environ.get("POETRY_CONFIG_DIR") or _user_folder("config", "pypoetry", home, environ)
    )
    settings = [_table(local, "virtualenvs"), _table(local)]
    everywhere = _toml(configured / "config.toml")
    settings += [_table(everywhere, "virtualenvs"), _table(everywhere)]
    virtualenvs = [settings[0], settings[2]]
    cache = environ.get("POETRY_CACHE_DIR") or next(
        (str(table["cache-dir"]) for table in (settings[1], settings[3]) if "cache-dir" in table),
        str(_user_folder("cache", "pypoetry", home, environ)),
    )
    path = environ.get("POETRY_VIRTUALENVS_PATH") or next(
        (str(table["path"]) for table in virtualenvs if "path" in table), "{cache-dir}/virtualenvs"
    )
    path = path.replace("{cache-dir}", cache).replace("{project-dir}", str(project))
    kept = project / _at_home(path, home)
    found = _with_coverage_first(kept, f"*-{_checksum(project)}-py*")
    chosen = _toml(kept / "envs.toml")
    for name in chosen:
        if name.endswith(f"-{_checksum(project)}"):
            minor = _table(chosen, name).get("minor")
            found.sort(key=lambda folder: folder.name != f"{name}-py{minor}")
    return found


def _of_hatch(project: Path, home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Hatch keeps several environments for one project; tests run where coverage is."""
    data = Path(environ.get("HATCH_DATA_DIR") or _user_folder("data", "hatch", home, environ))
    kept = _with_coverage_first(data / "env" / "virtual", f"*/{_checksum(project)}/*")
    # A folder in the project, where `dirs.env.virtual` says so.
    return kept or _with_coverage_first(project / ".hatch", "*")


def _of_pipenv(project: Path, home: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    share = home / ".local" / "share"
    kept = Path(
        environ.get("WORKON_HOME")
        or (home if _WINDOWS else Path(environ.get("XDG_DATA_HOME") or share)).joinpath(
            ".virtualenvs" if _WINDOWS else "virtualenvs"
        )
    )
    # A file `.venv` names an environment, or leads to it.
    if named := _first_line(project / ".venv"):
        yield kept / _at_home(named, home) if "/" not in named else project / _at_home(named, home)
    for folder in _folders(kept, f"{glob.escape(project.name)}-*"):
        if _first_line(folder / ".project") == str(project):
            yield folder


def _of_conda(file: Path, home: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """The environment that an environment.yml names."""
    try:
        text = file.read_text("utf-8", errors="replace")
    except OSError:
        return
    if match := re.search(r"^prefix:\s*['\"]?([^'\"#\n]+)", text, re.MULTILINE):
        yield Path(match[1].strip())
    match = re.search(r"^name:\s*['\"]?([^'\"#\s]+)", text, re.MULTILINE)
    if match is None or match[1] in ("base", "."):
        return
    name = match[1]
    for known in _lines(home / ".conda" / "environments.txt"):
        if Path(known).name == name:
            yield Path(known)
    parents = [
        *filter(None, environ.get("CONDA_ENVS_PATH", "").split(os.pathsep)),
        *(
            str(Path(p) / "envs")
            for v in ("CONDA_ROOT", "MAMBA_ROOT_PREFIX")
            if (p := environ.get(v))
        ),
    ]
    if conda := environ.get("CONDA_EXE"):
        parents.append(str(Path(conda).parent.parent / "envs"))
    parents += [str(home / each / "envs") for each in _CONDA_FOLDERS]
    yield from (Path(parent) / name for parent in (*parents, "/opt/conda/envs"))


def _user_folder(kind: str, name: str, home: Path, environ: Mapping[str, str]) -> Path:
    """The user's folder for a tool's cache, data or configuration, as platformdirs has it."""
    if _WINDOWS:
        local = Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
        roaming = Path(environ.get("APPDATA") or home / "AppData" / "Roaming")
        return {"cache": local / name / "Cache", "data": local / name, "config": roaming / name}[
            kind
        ]
    if sys.platform == "darwin":
        library = home / "Library"
        return (library / "Caches" if kind == "cache" else library / "Application Support") / name
    xdg = {
        "cache": ("XDG_CACHE_HOME", ".cache"),
        "data": ("XDG_DATA_HOME", ".local/share"),
        "config": ("XDG_CONFIG_HOME", ".config"),
    }
    variable, default = xdg[kind]
    return Path(environ.get(variable) or home / default) / name


def _checksum(project: Path) -> str:
    """The first letters of a folder's checksum, by which poetry and hatch tell projects apart."""
    digest = hashlib.sha256(os.path.normcase(os.path.realpath(project)).encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:8]


def _behind_shim(python: Path, root: Path, environ: Mapping[str, str]) -> Path:
    """The interpreter that pyenv's stand-in on PATH would start in the root."""
    if python.parent.name != "shims":
        return python
    pyenv = python.parent.parent
    chosen = environ.get("PYENV_VERSION", "")
    for folder in (root, *root.parents):
        chosen = chosen or _first_line(folder / ".python-version")
    for name in (chosen or _first_line(pyenv / "version")).replace(":", " ").split():
        # "3.12" stands for its latest patch version.
        for folder in (pyenv / "versions" / name, *_folders(pyenv / "versions", f"{name}.*")[::-1]):
            if (found := _python_of(folder)) is not None:
                return found
    return python


def _folders(parent: Path, pattern: str) -> list[Path]:
    try:
        return sorted(parent.glob(pattern))
    except (OSError, ValueError):
        return []


def _with_coverage_first(parent: Path, pattern: str) -> list[Path]:
    folders = _folders(parent, pattern)
    return sorted(
        folders, key=lambda folder: _version_in(_site_packages(folder), "coverage") is None
    )


def _is_environment(folder: Path) -> bool:
    return is_file(folder / "pyvenv.cfg") or is_folder(folder / "conda-meta")


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
        match = re.fullmatch(r"python(\d+\.\d+)", site_packages[0].parent.name)
        version = match[1] if match else None
    elif version is not None:
        version = ".".join(version.split(".")[:3])
    if settings.get("include-system-site-packages", "").lower() == "true" and "home" in settings:
        site_packages += _site_packages(Path(settings["home"]).parent)
    coverage = _version_in(site_packages, "coverage")
    return Interpreter(python, found_by, version, site_packages, coverage)


def _pyvenv_settings(environment: Path) -> dict[str, str]:
    pairs = (line.partition("=") for line in _lines(environment / "pyvenv.cfg"))
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def _site_packages(environment: Path) -> tuple[Path, ...]:
    if _WINDOWS:
        folder = environment / "Lib" / "site-packages"
        return (folder,) if is_folder(folder) else ()
    found = _folders(environment, "lib/python3*/site-packages")
    # Where Debian puts the packages of its own interpreter.
    found += [environment / "lib" / "python3" / "dist-packages"]
    found += _folders(environment, "local/lib/python3*/dist-packages")
    return tuple(folder for folder in found if is_folder(folder))


def _version_in(site_packages: Iterable[Path], package: str) -> str | None:
    name = re.sub(r"[-_.]+", "_", package).lower()
    for folder in site_packages:
        try:
            entries = os.listdir(folder)  # noqa: PTH208  names are what is compared
        except OSError:
            continue
        for entry in entries:
            match = re.fullmatch(r"(.+?)-(\d[^-]*)(?:-.+)?\.(?:dist-info|egg-info)", entry)
            if match and re.sub(r"[-_.]+", "_", match[1]).lower() == name:
                return match[2]
    return None


def _toml(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def _table(values: Mapping[str, object], key: str = "") -> Mapping[str, object]:
    table = values.get(key) if key else values
    return table if isinstance(table, Mapping) else {}


def _at_home(path: str, home: Path) -> Path:
    return home / path[2:] if path.startswith("~/") else Path(path)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _first_line(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            return lines.readline().strip()
    except (OSError, ValueError):
        return ""
