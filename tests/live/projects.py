"""Real and small projects to edit: their files, how a full run of their tests is measured."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from coverage import CoverageData

from tests.cli.measured import write
from tests.cli.sources import ATTRS, CLICK, unpack
from tests.live import django_shop, mini

SECONDS = 180
"""An edit may make tests run for ever."""

_ENVIRONMENT = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTHONHASHSEED": "0",
}


def _keeping_bytecode() -> dict[str, str]:
    """Python is to keep bytecode in the folder that COVLS_LIVE_BYTECODE names, or none at all.

    Many edits take a quarter less time with it, and a few take more.
    """
    folder = os.environ.get("COVLS_LIVE_BYTECODE")
    if not folder:
        return {"PYTHONDONTWRITEBYTECODE": "1"}
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": folder}


# Names the tests that fail, whatever pytest prints of them.
_REPORTER = """\
import os


def _tell(name):
    with open(os.environ["COVLS_TESTS_FAILED"], "a", encoding="utf-8") as file:
        file.write(name + "\\n")


def pytest_runtest_logreport(report):
    if report.failed:
        _tell(report.nodeid)
    if report.when == "setup":
        _tell("ran " + report.nodeid)
"""


@dataclass(frozen=True)
class Project:
    """A project whose tests can be run. Paths are from its root."""

    name: str
    make: Callable[[Path], Path]
    """Puts its files below a folder, and returns its root."""
    sources: tuple[str, ...]
    tests: tuple[str, ...]
    runner: str = "pytest"
    path: str = "."
    """What stands on PYTHONPATH."""

    def files(self, root: Path, patterns: tuple[str, ...]) -> list[str]:
        found = {path for pattern in patterns for path in root.glob(pattern)}
        return sorted(path.relative_to(root).as_posix() for path in found if path.is_file())

    def environment(self, root: Path) -> dict[str, str]:
        # Tests of click share a file of one name with all that run on this machine.
        temporary = root.parent / "temporary"
        temporary.mkdir(exist_ok=True)
        return {
            **_ENVIRONMENT,
            **_keeping_bytecode(),
            "PYTHONPATH": str(root / self.path),
            "TMPDIR": str(temporary),
        }


Ran = Mapping[str, frozenset[object]]
"""The arcs, or the lines, that ran in each file, by path from the root."""


@dataclass(frozen=True)
class FullRun:
    """What came of a run of all tests; `data` is what coverage.py says, where it measured."""

    code: int
    output: str
    ran: frozenset[str]
    failed: frozenset[str]
    data: Ran

    @property
    def broken(self) -> bool:
        """Whether the tests could not run."""
        return self.code not in (0, 1) or not self.ran


def reporter(scratch: Path) -> Path:
    """The folder of pytest's plugin `covls_tests_failed`, which names tests in a file."""
    folder = scratch / "plugin"
    write(folder, {"covls_tests_failed.py": _REPORTER})
    return folder


def full_run(
    project: Project,
    root: Path,
    scratch: Path,
    *,
    measure: bool = True,
    stop: bool = False,
    tests: Collection[str] = (),
) -> FullRun:
    """Run all tests of a copy of a project, by `coverage run` where they are to be measured.

    With `stop` the first test that fails is the last; `tests` are the only ones to run.
    """
    copy = scratch / "copy" / root.name
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(
        root, copy, ignore=shutil.ignore_patterns(".coverage*", "__pycache__", ".pytest_cache")
    )
    told, data_file = scratch / "failed.txt", scratch / "full" / "data"
    told.unlink(missing_ok=True)
    shutil.rmtree(data_file.parent, ignore_errors=True)
    data_file.parent.mkdir(parents=True)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("COV")
    } | project.environment(copy)
    if project.runner == "pytest":
        words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "covls_tests_failed"]
        environment["PYTHONPATH"] += os.pathsep + str(reporter(scratch))
        environment["COVLS_TESTS_FAILED"] = str(told)
    elif project.runner == "django":
        words = ["manage.py", "test", "-v", "2"]
    else:
        words = ["-m", "unittest", "discover", "-v"]
    if tests and project.runner == "unittest":
        words = ["-m", "unittest", "-v"]
    words += sorted(tests)
    if stop:
        words.append("-x" if project.runner == "pytest" else "--failfast")
    command = ["-m", "coverage", "run", f"--data-file={data_file}"] if measure else []
    code, output = _python(copy, environment, *command, *words)
    if measure and not data_file.exists():
        _python(copy, environment, *("-m", "coverage", "combine", "-q", f"--data-file={data_file}"))
    if project.runner == "pytest":
        lines = told.read_text().splitlines() if told.exists() else []
        ran = {line.removeprefix("ran ") for line in lines if line.startswith("ran ")}
        failed = {line for line in lines if not line.startswith("ran ")}
    else:
        ran = {f"{match[2]}" for match in re.finditer(_STARTED, output)}
        failed = {f"{match[2]}" for match in re.finditer(_FAILED, output)}
        if any("_FailedTest" in name for name in failed):
            code = 2
    data: Ran = read(data_file, copy) if data_file.exists() else {}
    return FullRun(code, output, frozenset(ran), frozenset(failed), data)


_STARTED = re.compile(r"^(\w+) \(([\w.]+)\)", re.MULTILINE)
_FAILED = re.compile(r"^(?:FAIL|ERROR): (\w+) \(([\w.]+)\)", re.MULTILINE)


def _python(folder: Path, environment: dict[str, str], *words: str) -> tuple[int, str]:
    try:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 124, "It did not end."
    return done.returncode, done.stdout.decode(errors="replace")


def read(data_file: Path, root: Path) -> Ran:
    """What a data file holds, by path from the root; coverage.py reads it."""
    data = CoverageData(str(data_file))
    try:
        data.read()
        return {
            os.path.relpath(path, os.path.realpath(root)): frozenset(
                (data.arcs(path) if data.has_arcs() else data.lines(path)) or ()
            )
            for path in data.measured_files()
        }
    finally:
        data.close(force=True)


def _settings(root: Path, run: str = "") -> None:
    text = f'python = "{sys.executable}"\n\n[run]\ntimeout = {SECONDS}\n{run}'
    write(root, {"covls.toml": text})


def _mini(folder: Path) -> Path:
    root = folder / "mini"
    write(root, mini.FILES)
    _settings(root)
    return root


def _django(folder: Path) -> Path:
    root = folder / "shop"
    write(root, django_shop.FILES)
    _settings(root)
    return root


def _unittest(folder: Path) -> Path:
    root = folder / "plain"
    write(root, mini.UNITTEST_FILES)
    # pytest, which is installed, would run them, too.
    _settings(root, f'command = ["{sys.executable}", "-m", "unittest", "discover"]\n')
    return root


def _click(folder: Path) -> Path:
    root = unpack(CLICK, folder)
    configuration = root / "pyproject.toml"
    text = configuration.read_text()
    known = 'filterwarnings = [\n    "error",\n'
    assert known in text
    # What the tests of pagers run depends on how quickly a pager's process ends.
    left_out = 'addopts = ["--deselect", "tests/test_utils.py::test_echo_via_pager"]\n'
    warning = f'{left_out}{known}    "{CLICK.ignored_warning}",\n'
    configuration.write_text(text.replace(known, warning))
    _keep(
        root,
        *("chain", "commands", "formatting", "parser", "utils", "arguments", "context", "defaults"),
    )
    # Its tests of pagers share a file, so that they cannot run side by side.
    _settings(root, "workers = 0\n")
    return root


def _attrs(folder: Path) -> Path:
    root = unpack(ATTRS, folder)
    _keep(
        root,
        *("cmp", "config", "converters", "filters", "next_gen", "setattr", "validators", "slots"),
        *("annotations", "abc", "init_subclass"),
    )
    _settings(root)
    return root


def _keep(root: Path, *names: str) -> None:
    """Take those tests out that take long, or that say something else each time."""
    kept = {f"test_{name}.py" for name in names}
    for path in (root / "tests").glob("test_*.py"):
        if path.name not in kept:
            path.unlink()


PROJECTS = {
    project.name: project
    for project in (
        Project("mini", _mini, ("pkg/*.py",), ("tests/*.py",)),
        Project("unittest", _unittest, ("pkg/*.py",), ("tests/*.py",), "unittest"),
        Project("click", _click, ("src/click/*.py",), ("tests/*.py",), path="src"),
        Project("attrs", _attrs, ("src/attr/*.py",), ("tests/*.py",), path="src"),
        Project(
            "django",
            _django,
            ("catalogue/*.py", "orders/*.py", "accounts/*.py", "shop/*.py"),
            ("*/tests/*.py",),
            "django",
        ),
    )
}
