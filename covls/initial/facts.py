"""What a project is like, told from its files: nothing is run."""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from covls.adapters.configuration import CoverageConfiguration, read_configuration
from covls.adapters.local_files import local_python_files
from covls.adapters.presence import is_file, is_folder, is_there
from covls.adapters.settings_files import read_settings_files
from covls.adapters.test_framework import Framework, find_framework
from covls.core.settings import client_layer, read_settings

# Folders and modules beside a project's packages that are not what it consists of.
_BESIDE: Final = frozenset(
    {
        *("tests", "test", "testing", "docs", "doc", "examples", "example", "scripts", "tools"),
        *("benchmarks", "bench", "build", "dist", "static", "media", "conftest", "noxfile"),
        *("setup", "tasks", "manage", "fabfile", "dodo", "versioneer"),
    }
)

# What Django's `startproject` writes, and nobody tests.
_DJANGO_FILES: Final = frozenset({"manage.py", "settings.py", "wsgi.py", "asgi.py"})
_DJANGO_WORDS: Final = re.compile("INSTALLED_APPS|ROOT_URLCONF|DJANGO_SETTINGS_MODULE|SECRET_KEY")

_TRUSTED: Final = {"trusted": True}

PYTHON: Final = "3.13"
"""What CI runs by, where the project does not say."""


@dataclass(frozen=True, slots=True)
class Omission:
    """Files that are not to be measured: the pattern for coverage.py, and one file it is for."""

    pattern: str
    example: Path


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found out of a project."""

    root: Path
    title: str
    framework: Framework
    configuration: CoverageConfiguration
    django: bool
    source: tuple[str, ...]
    """What coverage.py is to measure: folders, relative to the root."""
    omissions: tuple[Omission, ...]
    test_words: str
    """The command that runs the tests under coverage.py, as one types it in the root."""
    launcher: str
    """What stands before a command, so that the project's environment runs it: "uv run ", ""."""
    install: tuple[str, ...]
    """Commands that install in CI what the tests need, coverage.py and covls."""
    python: str
    """The version of Python for CI, by its number or as the name of a file that holds it."""
    branch: str
    """The default branch, as far as the repository's files tell."""
    top: Path
    """The folder that the repository begins in; the root where it is in none."""
    shares: bool
    """Whether the settings say where measured data are shared."""
    hosts: frozenset[str]
    """"github", "gitlab": where the repository is; both where nothing tells."""


def look(root: Path) -> Facts:
    """Look at the project in a folder."""
    root = Path(os.path.realpath(root))
    settings, _ = read_settings(*read_settings_files(root).layers)
    # Nothing is asked of the address here: it may be the word of a workspace that nobody trusts.
    with_address, _ = read_settings(*read_settings_files(root).layers, client_layer(_TRUSTED))
    framework = find_framework(root, settings)
    files = [Path(file).relative_to(root) for file in local_python_files(root)]
    django = framework.command.runner == "django" or any(
        file.name == "manage.py" and len(file.parts) < 3 and "django" in _text(root / file)
        for file in files
    )
    project = _toml(root / "pyproject.toml")
    launcher, install = _installing(root, project, framework)
    if django:
        # Below a folder that is no package coverage.py looks for no files that were never run.
        source: tuple[str, ...] = (framework.top or ".",)
    else:
        source = ("src",) if _is_src(files) else _packages(files)
    return Facts(
        root=root,
        title=_title(root, project),
        framework=framework,
        configuration=read_configuration(root),
        django=django,
        source=source,
        omissions=tuple(_omissions(root, files, django, whole=django or source == (".",))),
        test_words=launcher + _test_words(framework),
        launcher=launcher,
        install=install,
        python=_python(root),
        branch=_branch(root),
        top=_top(root) or root,
        shares=with_address.share.url is not None,
        hosts=_hosts(root),
    )


def _is_src(files: Sequence[Path]) -> bool:
    return any(file.parts[0] == "src" and len(file.parts) > 1 for file in files) and not any(
        file.as_posix() == "src/__init__.py" for file in files
    )


def _packages(files: Sequence[Path]) -> tuple[str, ...]:
    """The packages in the root; the root itself where code stands in it, too."""
    tests = re.compile(r"(test_.*|.*_tests?|tests?)\.py")
    modules = [
        file
        for file in files
        if len(file.parts) == 1
        and file.stem not in _BESIDE
        and not tests.fullmatch(file.name)
        and not file.name.startswith((".", "__"))
    ]
    packages = {
        file.parts[0]
        for file in files
        if len(file.parts) == 2 and file.name == "__init__.py" and file.parts[0] not in _BESIDE
    }
    return (".",) if modules or not packages else tuple(sorted(packages))


def _omissions(root: Path, files: Sequence[Path], django: bool, *, whole: bool) -> list[Omission]:
    """What is measured only by being there: what Django writes and reads, what builds and runs."""
    found: dict[str, Path] = {}
    for file in files:
        parts = file.parts
        if django:
            if "migrations" in parts[:-1] and re.match(r"\d{4}_", file.name):
                found.setdefault("*/migrations/*", file)
            elif parts[-2:-1] == ("settings",) and len(parts) > 2:
                found.setdefault(f"{file.parent.as_posix()}/*", file)
            elif file.name in _DJANGO_FILES and _DJANGO_WORDS.search(_text(root / file)):
                found.setdefault(file.as_posix(), file)
        if whole:
            for name in ("static", "staticfiles", "media"):
                if name in parts[:-1]:
                    place = "/".join(parts[: parts.index(name) + 1])
                    found.setdefault(f"{place}/*", file)
            if len(parts) == 1 and file.stem in ("setup", "noxfile", "tasks", "fabfile"):
                found.setdefault(file.name, file)
            if file.as_posix() in ("docs/conf.py", "doc/conf.py"):
                found.setdefault(f"{parts[0]}/*", file)
    if django:
        for name in ("static", "media"):
            if is_folder(root / name):
                found.setdefault(f"{name}/*", Path(name, "any.py"))
    return [Omission(pattern, root / file) for pattern, file in sorted(found.items())]


def _test_words(framework: Framework) -> str:
    """The command that runs all tests under coverage.py, without what launches Python."""
    command = framework.command
    arguments = " ".join(command.arguments)
    if command.runner == "django":
        test = f"{command.script or '-m django'} test"
    elif command.runner == "unittest":
        test = "-m unittest"
    elif command.runner == "script":
        test = f"-m {command.module}" if command.module else str(command.script)
    else:
        test = "-m pytest"
    return f"coverage run {test} {arguments}".strip()


def _installing(
    root: Path, project: Mapping[str, Any], framework: Framework
) -> tuple[str, tuple[str, ...]]:
    """What launches a program of the project's environment, and what makes that one in CI."""
    runner = "pytest " if framework.command.runner == "pytest" else ""
    tool = project.get("tool", {})
    if is_file(root / "uv.lock"):
        return "uv run --no-sync ", (
            "python -m pip install uv",
            "uv sync --all-extras --all-groups",
            "uv pip install coverage 'covls[team]'",
        )
    if is_file(root / "poetry.lock") or "poetry" in tool:
        return "poetry run ", (
            "python -m pip install poetry",
            "poetry install --all-extras --all-groups",
            "poetry run pip install coverage 'covls[team]'",
        )
    if is_file(root / "pdm.lock"):
        return "pdm run ", (
            "python -m pip install pdm",
            "pdm install -G :all",
            "pdm run python -m ensurepip",
            "pdm run python -m pip install coverage 'covls[team]'",
        )
    if is_file(root / "Pipfile"):
        return "pipenv run ", (
            "python -m pip install pipenv",
            "pipenv sync --dev" if is_file(root / "Pipfile.lock") else "pipenv install --dev",
            "pipenv run pip install coverage 'covls[team]'",
        )
    lists = [
        path.relative_to(root).as_posix()
        for pattern in ("*requirements*.txt", "requirements/*.txt")
        for path in sorted(root.glob(pattern))
        if is_file(path)
    ]
    found = [f"python -m pip install {' '.join(f'-r {name}' for name in lists)}"] if lists else []
    if is_file(root / "setup.py") or "build-system" in project or "project" in project:
        extras = project.get("project", {}).get("optional-dependencies", {})
        wanted = [name for name in ("test", "tests", "testing", "dev") if name in extras][:1]
        found.append(f'python -m pip install -e ".[{wanted[0]}]"' if wanted else "")
        found[-1] = found[-1] or "python -m pip install -e ."
        groups = project.get("dependency-groups", {})
        if named := [name for name in ("test", "tests", "testing", "dev") if name in groups][:1]:
            found.append(f"python -m pip install --group {named[0]}")
    return "", (*found, f"python -m pip install {runner}coverage 'covls[team]'")


def _title(root: Path, project: Mapping[str, Any]) -> str:
    name = project.get("project", {}).get("name")
    return name if isinstance(name, str) and name else root.name


def _python(root: Path) -> str:
    for name in (".python-version", ".tool-versions"):
        if is_file(root / name):
            return name
    return PYTHON


def _top(root: Path) -> Path | None:
    return next((folder for folder in (root, *root.parents) if is_there(folder / ".git")), None)


def _git_folder(root: Path) -> Path | None:
    top = _top(root)
    return top / ".git" if top is not None and is_folder(top / ".git") else None


def _branch(root: Path) -> str:
    git = _git_folder(root)
    if git is not None:
        for name in ("refs/remotes/origin/HEAD", "HEAD"):
            found = re.match(r"ref: refs/(?:heads|remotes/origin)/(\S+)", _text(git / name))
            if found and (name != "HEAD" or found[1] in ("main", "master")):
                return found[1]
        if is_file(git / "refs" / "heads" / "master"):
            return "master"
    return "main"


def _hosts(root: Path) -> frozenset[str]:
    git = _git_folder(root)
    config = "" if git is None else _text(git / "config")
    remotes = " ".join(re.findall(r"^\s*url\s*=\s*(\S+)", config, re.MULTILINE))
    found = {
        host
        for host, there in (
            ("github", "github" in remotes or is_there(root / ".github")),
            ("gitlab", "gitlab" in remotes or is_there(root / ".gitlab-ci.yml")),
        )
        if there
    }
    return frozenset(found or {"github", "gitlab"})


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8-sig"))
    except (OSError, ValueError):
        return {}


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", errors="replace")
    except OSError:
        return ""
