"""Affected tests after mutations: covls beside a full run and pytest-testmon.

`python -m benchmarks.impact --mutations 50 click attrs` prints a table. pytest-testmon is installed
into an environment of its own in the cache, and not at all where the index does not have it. Each
mutation is one operator, constant, condition, statement or return of a source, and is undone before
the next; all are the same for all programs, as the seed is. What each did stands in a file as soon
as it is known (`--into`), and is not done again: a benchmark that was stopped goes on from there.

With `--failing 200` it only looks at what covls chooses, after so many mutations by which some test
fails, and does not run it.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence, Sized
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.cases import cache_folder
from tests.live.comparison import LiveProject, killed
from tests.live.edits import MUTATIONS, contents, restore, some_edit
from tests.live.projects import PROJECTS, SECONDS, Project, full_run, reporter

ALL_TESTS = "`coverage run`, all tests"
COVLS = "`covls run --affected`"
TESTMON = "`pytest --testmon`"


MEASURED_EACH = 10
"""Of so many mutations the full run of one is measured; of the others it only says what fails."""


@dataclass(frozen=True, slots=True)
class Took:
    """One command: the tests that it ran, and its seconds, of the processors and of the clock."""

    ran: frozenset[str]
    processor: float
    clock: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What one program did after one mutation of a project, as a line of a file has it."""

    project: str
    number: int
    """Of the mutation."""
    program: str
    share: float
    """How many of the tests it ran."""
    processor: float
    clock: float
    tests: int
    """How many tests there are."""
    failed: int
    """How many tests fail by the mutation."""
    missed: int
    """How many of these it did not run, though they fail also where no others run before."""
    astray: int
    """How many it did not run that fail by what others leave behind only."""


@dataclass
class Chosen:
    """What one program chose after each mutation by which tests fail."""

    shares: list[float] = field(default_factory=list)
    missed: int = 0
    """Mutations by which a test fails that it did not choose."""
    led_astray: int = 0
    """The same of tests that fail by what others leave behind only."""

    def add(self, share: float, missed: Sized, led_astray: Sized) -> None:
        self.shares.append(share)
        self.missed += bool(missed)
        self.led_astray += bool(led_astray)

    def row(self, name: str) -> str:
        """A line of the table."""
        share, whole = statistics.median(self.shares), sum(share == 1 for share in self.shares)
        figures = [len(self.shares), f"{share:.1%}", whole, self.missed, self.led_astray]
        return f"| {name} | {' | '.join(map(str, figures))} |"


class Testmon:
    """A copy of a project in which pytest-testmon chooses the tests."""

    __test__ = False

    def __init__(self, project: Project, root: Path, folder: Path, python: Path) -> None:
        self._project = project
        self._python = python
        self._root = folder / "testmon" / root.name
        self._told = folder / "testmon.txt"
        self._kept = folder / "testmondata"
        self._plugins = reporter(folder / "scratch")
        shutil.copytree(root, self._root, ignore=shutil.ignore_patterns(".coverage*"))
        self._run()
        with contextlib.closing(sqlite3.connect(self._root / ".testmondata")) as database:
            # Where a test fails, what it wrote last is in a file beside it.
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(self._root / ".testmondata", self._kept)

    def run(self, root: Path, changed: Sequence[str], *, only_choose: bool = False) -> Took:
        """What it runs, or would run, after some files changed."""
        before = {name: (self._root / name).read_text() for name in changed}
        for name in changed:
            (self._root / name).write_text((root / name).read_text())
        took = timed(lambda: self._run(only_choose=only_choose))
        for name, text in before.items():
            (self._root / name).write_text(text)
        for path in self._root.glob(".testmondata*"):
            path.unlink()
        shutil.copy(self._kept, self._root / ".testmondata")
        return took

    def _run(self, *, only_choose: bool = False) -> frozenset[str]:
        environment = {**os.environ, **self._project.environment(self._root)}
        environment["PYTHONPATH"] += os.pathsep + str(self._plugins)
        environment["COVLS_TESTS_FAILED"] = str(self._told)
        self._told.unlink(missing_ok=True)
        plugins = ["-p", "testmon.pytest_testmon", "-p", "covls_tests_failed"]
        words = ["--collect-only"] if only_choose else []
        done = subprocess.run(
            [self._python, "-m", "pytest", "-q", "--testmon", *plugins, *words],
            cwd=self._root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
        if only_choose:
            said = done.stdout.decode(errors="replace").splitlines()
            return frozenset(line for line in said if "::" in line)
        lines = self._told.read_text().splitlines() if self._told.exists() else []
        return frozenset(line.removeprefix("ran ") for line in lines if line.startswith("ran "))


class Covls:
    """A project in which `covls run --affected` chooses the tests, from one state each time."""

    def __init__(self, live: LiveProject, folder: Path) -> None:
        self._live = live
        self._cache = Path(os.environ["COVLS_CACHE_DIR"])
        self._data = live.root / ".coverage"
        self._kept = folder / "covls"
        self._kept.mkdir()
        shutil.copytree(self._cache, self._kept / "cache")
        shutil.copy2(self._data, self._kept)

    def run(self) -> Took:
        """What it runs after the project was edited; what it keeps is put back afterwards."""
        took = timed(self._run)
        shutil.copy2(self._kept / ".coverage", self._data)
        shutil.rmtree(self._cache)
        shutil.copytree(self._kept / "cache", self._cache)
        return took

    def _run(self) -> frozenset[str]:
        root = self._live.root
        done = subprocess.run(
            # Apart from the project's PYTHONPATH, on which another click may stand.
            [sys.executable, "-I", "-m", "covls", "--trusted", "run", "--affected", "-f", "json"],
            cwd=root,
            env=os.environ | self._live.project.environment(root),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=2 * SECONDS,
            check=False,
        )
        told = json.loads(done.stdout)
        assert told["written"], told["message"]
        return frozenset(test["id"] for test in told["tests"])


def timed(command: Callable[[], frozenset[str]]) -> Took:
    """Run one command that tells the tests that it ran."""
    began, clock = processor_seconds(), time.monotonic()
    ran = command()
    return Took(ran, processor_seconds() - began, time.monotonic() - clock)


def processor_seconds() -> float:
    """What this process and those that it waited for have used, however busy the machine is."""
    return sum(os.times()[:4])


def testmon_python() -> Path | None:
    """An environment with pytest-testmon; None where it cannot be had."""
    folder = cache_folder() / "testmon"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        needed = ["pytest", "pytest-testmon", "hypothesis"]
        done = subprocess.run([python, "-m", "pip", "install", "-q", *needed], check=False)
        if done.returncode:
            return None
        (folder / "complete").touch()
    return python


class Measured:
    """One project on which all programs are measured."""

    def __init__(self, name: str, seed: int, folder: Path) -> None:
        self._name, self._seed, self._folder = name, seed, folder
        folder.mkdir()
        os.environ["COVLS_CACHE_DIR"] = str(folder / "cache")
        project = PROJECTS[name]
        self._live = LiveProject(project, folder, seed)
        self._base = self._live.start()
        self._covls = Covls(self._live, folder)
        python = testmon_python() if project.runner == "pytest" else None
        self._testmon = Testmon(project, self._live.root, folder, python) if python else None
        self._before = dict(contents(self._live.editor))
        self._roots = [self._live.root, *folder.glob("testmon/*")]
        self._there = {path for root in self._roots for path in files_below(root)}

    def after(self, number: int) -> Iterator[Figures]:
        """What each program does after a mutation, which is the same for each number."""
        os.environ["COVLS_CACHE_DIR"] = str(self._folder / "cache")
        live = self._live
        live.editor.chosen = random.Random(f"{self._seed} {self._name} {number}")
        measured = number % MEASURED_EACH == 0
        while True:
            some_edit(live.editor, MUTATIONS)
            began, clock = processor_seconds(), time.monotonic()
            full = full_run(live.project, live.root, self._folder / "scratch", measure=measured)
            took = Took(full.ran, processor_seconds() - began, time.monotonic() - clock)
            if not full.broken:
                break
            restore(live.editor, self._before)
        # What fails anyway would be run again by both, and say nothing of either.
        failed = full.failed - self._base.failed
        programs = {ALL_TESTS: took} if measured else {}
        changed = list(dict.fromkeys(live.editor.written))
        programs[COVLS] = self._covls.run()
        if self._testmon is not None:
            programs[TESTMON] = self._testmon.run(live.root, changed)
        for program, took in programs.items():
            missed = failed - took.ran
            alone = live.failed_alone(missed) if missed else frozenset()
            yield Figures(
                self._name,
                number,
                program,
                len(took.ran & full.ran) / len(full.ran),
                took.processor,
                took.clock,
                len(full.ran),
                len(failed),
                len(missed & alone),
                len(missed - alone),
            )
        restore(live.editor, self._before)
        # By a mutation tests may write a file, of which covls could not tell who reads it.
        for path in {path for root in self._roots for path in files_below(root)} - self._there:
            path.unlink()


def files_below(folder: Path) -> Iterator[Path]:
    """All files in a folder and in those below it."""
    return (path for path in folder.rglob("*") if path.is_file())


def measure(names: Sequence[str], mutations: int, seed: int, folder: Path, into: Path) -> None:
    """Measure the mutations of some projects that a file does not have yet, and add them to it."""
    done = {(each.project, each.number) for each in told(into)}
    waiting = [
        (number, name)
        for number in range(mutations)
        for name in names
        if (name, number) not in done
    ]
    projects = {name: Measured(name, seed, folder / name) for name in {one for _, one in waiting}}
    for number, name in waiting:
        lines = "".join(f"{json.dumps(asdict(each))}\n" for each in projects[name].after(number))
        with into.open("a") as file:
            file.write(lines)


def told(into: Path) -> list[Figures]:
    """What a file holds."""
    if not into.exists():
        return []
    return [Figures(**json.loads(line)) for line in into.read_text().splitlines()]


def table(name: str, figures: Sequence[Figures]) -> list[str]:
    """The lines of the table for one project."""
    own = [each for each in figures if each.project == name]
    by_program: dict[str, list[Figures]] = {}
    for each in own:
        by_program.setdefault(each.program, []).append(each)
    killed = len({each.number for each in own if each.failed})
    tests = max((each.tests for each in own), default=0)
    lines = [f"| {name}: {tests} tests, {killed} mutations fail some {'| ' * 7}|"]
    for program, its in by_program.items():
        cells = [
            program,
            len(its),
            f"{statistics.median(each.share for each in its):.1%}",
            sum(each.share == 1 for each in its),
            f"{statistics.median(each.processor for each in its):.1f} s",
            f"{statistics.mean(each.processor for each in its):.1f} s",
            f"{statistics.median(each.clock for each in its):.1f} s",
            sum(bool(each.missed) for each in its),
        ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return lines


def recall(name: str, mutations: int, seed: int, folder: Path) -> list[str]:
    """The lines of the table for the mutations of one project by which tests fail."""
    project = PROJECTS[name]
    live = LiveProject(project, folder, seed)
    python = testmon_python() if project.runner == "pytest" else None
    testmon = Testmon(project, live.root, folder, python) if python is not None else None
    ours, theirs = Chosen(), Chosen()
    for each in killed(live, MUTATIONS, mutations):
        ours.add(each.share, each.missed, each.led_astray)
        if testmon is not None:
            chosen = testmon.run(live.root, live.editor.written, only_choose=True).ran
            unchosen = each.failed - chosen
            alone = live.failed_alone(unchosen) if unchosen else frozenset()
            theirs.add(len(chosen & each.all) / len(each.all), unchosen & alone, unchosen - alone)
    lines = [ours.row(f"{name}: `covls run --affected`")]
    if testmon is not None:
        lines.append(theirs.row(f"{name}: `pytest --testmon`"))
    return lines


def main() -> None:
    """Read the command line, measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.impact", description=__doc__)
    parser.add_argument("projects", nargs="*", default=["click", "attrs", "django"])
    parser.add_argument("--mutations", type=int, default=50, help="of each project (default: 50)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--into", type=Path, help="a file of what was measured, to be added to")
    parser.add_argument("--failing", type=int, default=0, help="mutations by which tests fail")
    options = parser.parse_args()
    if options.failing:
        columns = ["", "mutations", "tests chosen, median", "all chosen"]
        columns += ["failing tests not chosen", "by what others leave behind"]
    else:
        columns = ["", "mutations", "tests run, median", "all run", "processor time, median"]
        columns += ["mean", "clock time, median", "mutations of which a failing test did not run"]
    head = f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}"
    with tempfile.TemporaryDirectory(prefix="covls-impact-") as folder:
        os.environ["COVLS_CACHE_DIR"] = f"{folder}/cache"
        os.environ["COVLS_LIVE_BYTECODE"] = f"{folder}/bytecode"
        if options.failing:
            print(head)
            for name in options.projects:
                work = Path(folder, name)
                work.mkdir()
                print(*recall(name, options.failing, options.seed, work), sep="\n", flush=True)
            return
        into = (options.into or Path(folder, "figures")).absolute()
        measure(options.projects, options.mutations, options.seed, Path(folder), into)
        print(head)
        for name in options.projects:
            print(*table(name, told(into)), sep="\n")


if __name__ == "__main__":
    main()
