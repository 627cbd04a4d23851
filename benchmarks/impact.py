"""Affected tests after mutations: covls beside a full run and pytest-testmon.

`python -m benchmarks.impact --mutations 50 click attrs` prints a table. pytest-testmon is installed
into an environment of its own in the cache, and not at all where the index does not have it. Each
mutation is one operator, constant, condition, statement or return of a source, and is undone before
the next; all are the same for all programs, as the seed is.

With `--failing 200` it only looks at what covls chooses, after so many mutations by which some test
fails, and does not run it.
"""

import argparse
import contextlib
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence, Sized
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.cases import cache_folder
from tests.live.comparison import LiveProject, killed
from tests.live.edits import MUTATIONS, contents, restore, some_edit
from tests.live.projects import PROJECTS, SECONDS, FullRun, Project, full_run, reporter


@dataclass
class Figures:
    """What one program did after each mutation."""

    shares: list[float] = field(default_factory=list)
    """How many of the tests it ran."""
    seconds: list[float] = field(default_factory=list)
    """Of the processor."""
    missed: int = 0
    """Mutations by which a test fails that it did not run."""

    def add(self, full: FullRun, ran: frozenset[str], seconds: float) -> None:
        self.shares.append(len(ran & full.ran) / len(full.ran))
        self.seconds.append(seconds)
        self.missed += bool(full.failed - ran)

    def row(self, name: str) -> str:
        """A line of the table."""
        share, seconds = statistics.median(self.shares), statistics.median(self.seconds)
        return f"| {name} | {len(self.shares)} | {share:.1%} | {seconds:.1f} s | {self.missed} |"


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

    def run(
        self, root: Path, changed: Sequence[str], *, only_choose: bool = False
    ) -> tuple[frozenset[str], float]:
        """The tests it runs, or would run, after some files changed, and its seconds."""
        before = {name: (self._root / name).read_text() for name in changed}
        for name in changed:
            (self._root / name).write_text((root / name).read_text())
        began = processor_seconds()
        ran = self._run(only_choose=only_choose)
        seconds = processor_seconds() - began
        for name, text in before.items():
            (self._root / name).write_text(text)
        for path in self._root.glob(".testmondata*"):
            path.unlink()
        shutil.copy(self._kept, self._root / ".testmondata")
        return ran, seconds

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


def measure(name: str, mutations: int, seed: int, folder: Path) -> list[str]:
    """The lines of the table for one project."""
    project = PROJECTS[name]
    live = LiveProject(project, folder, seed)
    base = live.start()
    python = testmon_python() if project.runner == "pytest" else None
    testmon = Testmon(project, live.root, folder, python) if python is not None else None
    ours, theirs, everything = Figures(), Figures(), Figures()
    before = dict(contents(live.editor))
    live.editor.chosen = random.Random(seed)
    killed = 0
    while len(everything.seconds) < mutations:
        some_edit(live.editor, MUTATIONS)
        changed = list(dict.fromkeys(live.editor.written))
        began = processor_seconds()
        full = full_run(project, live.root, folder / "scratch")
        full_seconds = processor_seconds() - began
        new = full.failed - base.failed
        # What fails anyway would be run again by both, and say nothing of either.
        full = FullRun(full.code, full.output, full.ran, frozenset(new), full.data)
        if not full.broken:
            killed += bool(new)
            everything.add(full, full.ran, full_seconds)
            began = processor_seconds()
            _, outcome = live.run()
            seconds = processor_seconds() - began
            ours.add(full, frozenset(outcome.result.tally.finished), seconds)
            if testmon is not None:
                theirs.add(full, *testmon.run(live.root, changed))
        restore(live.editor, before)
        live.run()
    lines = [f"| {name}: {len(base.ran)} tests, {killed} mutations fail some | | | | |"]
    lines.append(everything.row("`coverage run`, all tests"))
    lines.append(ours.row("`covls run --affected`"))
    if testmon is not None:
        lines.append(theirs.row("`pytest --testmon`"))
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
            chosen, _ = testmon.run(live.root, live.editor.written, only_choose=True)
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
    parser.add_argument("--failing", type=int, default=0, help="mutations by which tests fail")
    options = parser.parse_args()
    if options.failing:
        columns = ["", "mutations", "tests chosen, median", "all chosen"]
        columns += ["failing tests not chosen", "by what others leave behind"]
    else:
        columns = [
            "",
            "mutations",
            "tests run, median",
            "processor time, median",
            "failing tests not run",
        ]
    print(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
    for name in options.projects:
        with tempfile.TemporaryDirectory(prefix="covls-impact-") as folder:
            os.environ["COVLS_CACHE_DIR"] = f"{folder}/cache"
            os.environ["COVLS_LIVE_BYTECODE"] = f"{folder}/bytecode"
            work = Path(folder, "work")
            work.mkdir()
            if options.failing:
                lines = recall(name, options.failing, options.seed, work)
            else:
                lines = measure(name, options.mutations, options.seed, work)
            print(*lines, sep="\n", flush=True)


if __name__ == "__main__":
    main()
