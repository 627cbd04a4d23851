"""The projects measured: published packages, with data from their own tests, kept in a cache."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
CONSTRAINTS = REPOSITORY / "constraints.txt"
HERE = Path(__file__).resolve().parent

SYMPY = "sympy==1.14.0"
CLICK = "click==8.2.1"

SYMPY_TESTS = ("sets", "logic", "core", "functions", "polys/tests/test_polytools.py")
"""What is recorded of sympy's tests: some 3,000, many of them short."""

TEST_SECONDS = 1.0
"""A test is stopped then: a few of sympy's run for minutes under measurement."""

CONFIGURATION = """\
[run]
branch = true
source = {source}
core = ctrace
"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a case's data holds, and how it came about."""

    package: str
    python: str
    coverage: str
    tests: int
    files: int
    contexts: int
    rows: int
    size: int
    """Bytes of the data file."""

    def __str__(self) -> str:
        return (
            f"{self.package}: {self.files:,} files; {self.tests:,} tests recorded with contexts "
            f"and branches: {self.contexts:,} contexts, {self.rows:,} arc rows, "
            f"{self.size / 1e6:.0f} MB; by Python {self.python}, coverage {self.coverage}"
        )


@dataclass(frozen=True, slots=True)
class Case:
    """A project with data: `folder` is its root, `recorded` says what is in the data."""

    folder: Path
    recorded: Recorded

    @property
    def data_file(self) -> Path:
        return self.folder / ".coverage"


def cache_folder() -> Path:
    """Where environments and cases are kept between runs; safe to delete."""
    home = os.environ.get("COVLS_DEV_CACHE") or Path.home() / ".cache" / "covls-dev"
    folder = Path(home)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def environment(python: str) -> Path:
    """The interpreter of an environment with covls, coverage.py and what the tests need."""
    version = ask(python, "import sys; print('%d.%d' % sys.version_info[:2])")
    folder = cache_folder() / f"benchmarks-{version}"
    subprocess.run(
        [python, REPOSITORY / "scripts" / "environment.py", folder, "demo"],
        check=True,
        stdout=sys.stderr,
    )
    inside = folder / "bin" / "python"
    _pip(inside, "install", "--constraint", str(CONSTRAINTS), "pytest-cov", "mpmath", "hypothesis")
    # As users have it, compiled; the editable one is compiled at every start where development
    # keeps the repository free of byte code.
    _pip(inside, "uninstall", "--yes", "covls")
    _pip(inside, "install", "--no-deps", "--no-build-isolation", str(REPOSITORY))
    return inside


def environment_of(cache: Path) -> dict[str, str]:
    """The variables for programs that are measured: nothing but the cache is said to Python."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | {"COVLS_CACHE_DIR": str(cache)}


def sympy(python: Path) -> Case:
    """The large case: sympy, with data from part of its own tests."""

    def record(folder: Path) -> int:
        _pip(python, "install", "--no-deps", "--target", str(folder), SYMPY)
        tests = [f"sympy/{name}" for name in SYMPY_TESTS]
        # Without rewritten assertions: rewriting 400 test modules under measurement takes minutes.
        return _pytest(python, folder, "sympy", ["--assert=plain", "-m", "not slow", *tests])

    return _case("sympy", SYMPY, python, record)


def click(python: Path) -> Case:
    """The small case: click from its source distribution, with data from its own tests."""

    def record(folder: Path) -> int:
        _pip(python, "download", "--no-deps", "--no-binary=:all:", "-d", str(folder), CLICK)
        (archive,) = folder.glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(folder / "unpacked", filter="data")
        (unpacked,) = (folder / "unpacked").iterdir()
        for part in ("src", "tests"):
            (unpacked / part).rename(folder / part)
        return _pytest(python, folder, "click", ["tests"])

    return _case("click", CLICK, python, record)


def _case(name: str, package: str, python: Path, record: Callable[[Path], int]) -> Case:
    folder = cache_folder() / name
    description = folder / "case.json"
    if description.exists():
        known = Recorded(**json.loads(description.read_text()))
        if known.package == package:
            return Case(folder, known)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    print(f"Recording {package} in {folder}", file=sys.stderr, flush=True)
    case = Case(folder, _describe(folder, package, python, record(folder)))
    # Written last, so that a recording that was broken off is made anew.
    description.write_text(json.dumps(asdict(case.recorded), indent=2) + "\n")
    return case


def _pytest(python: Path, folder: Path, source: str, arguments: Sequence[str]) -> int:
    """Run tests under pytest-cov with contexts. Returns how many passed or were stopped."""
    (folder / ".coveragerc").write_text(CONFIGURATION.format(source=source))
    variables = {
        # Which paths sympy takes depends on the order of its sets.
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": f"{folder / 'src'}:{HERE}",
        "BENCH_TEST_SECONDS": str(TEST_SECONDS),
    }
    command = [
        str(python),
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "time_limit",
    ]
    recording = ["--cov", "--cov-config=.coveragerc", "--cov-context=test", "--cov-report="]
    with (folder / "recording.log").open("wb") as log:
        subprocess.run(
            [*command, *recording, *arguments],
            cwd=folder,
            env=os.environ | variables,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Some tests fail where a library is newer than they are; their rows count all the same.
            check=False,
        )
    return int((folder / "tests.count").read_text())


def _describe(folder: Path, package: str, python: Path, tests: int) -> Recorded:
    data_file = folder / ".coverage"
    with closing(sqlite3.connect(f"file:{data_file}?mode=ro", uri=True)) as database:
        files, contexts, rows = (
            database.execute(f"select count(*) from {table}").fetchone()[0]
            for table in ("file", "context", "arc")
        )
    return Recorded(
        package=package,
        python=ask(python, "import platform; print(platform.python_version())"),
        coverage=ask(python, "import coverage; print(coverage.__version__)"),
        tests=tests,
        files=files,
        contexts=contexts,
        rows=rows,
        size=data_file.stat().st_size,
    )


def _pip(python: Path, *arguments: str) -> None:
    command = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True, stdout=sys.stderr)


def ask(python: str | Path, program: str) -> str:
    """What a one-line program prints in an interpreter."""
    return subprocess.run(
        [python, "-I", "-c", program], check=True, capture_output=True, text=True
    ).stdout.strip()
