"""Reading while real runs write: no run fails, no reading is wrong, nothing is left behind."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from covls.adapters import private_copy
from covls.adapters.data_file import DataFileError, DataFileProblem, read_snapshot

MODULE = """
def count(number):
    total = 0
    for each in range(number):
        if each % 2:
            total += 1
        else:
            total -= 1
    return total
"""
TESTS = """
import unittest
from shop import count

class Counts(unittest.TestCase):
    pass

for number in range(60):
    setattr(Counts, f"test_{number}", lambda self, number=number: count(number))
"""

# What may be said of a file while it is erased and written anew.
WHILE_WRITTEN = {
    DataFileProblem.MISSING,
    DataFileProblem.EMPTY,
    DataFileProblem.FOREIGN,  # Its tables are made one by one.
    DataFileProblem.BUSY,
}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (tmp_path / "shop.py").write_text(MODULE)
    (tmp_path / "test_shop.py").write_text(TESTS)
    (tmp_path / ".coveragerc").write_text("[run]\nbranch = true\nsource = .\n")
    return tmp_path


@contextmanager
def running(root: Path, *module: str, program: str = "") -> Iterator["subprocess.Popen[str]"]:
    """A Python that runs a module with arguments, or a program, until it ends or is done with."""
    process = subprocess.Popen(
        [sys.executable, *(("-c", program) if program else ("-m", *module))],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: "subprocess.Popen[str]") -> bool:
    """Whether a run has ended, after leaving it a hundredth of a second for itself."""
    try:
        process.wait(0.01)
    except subprocess.TimeoutExpired:
        return False
    return True


# Other plugins only take time to load.
PYTEST_COV = ("pytest", "-q", "-p", "no:cacheprovider", "-p", "pytest_cov", "--cov")
CONTEXTS = ("--cov-branch", "--cov-context=test", "--cov-report=")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((*PYTEST_COV, *CONTEXTS), id="pytest-cov"),
        pytest.param(("coverage", "run", "-m", "unittest"), id="coverage run"),
        pytest.param(("coverage", "run", "-p", "-m", "unittest"), id="parallel"),
    ],
)
def test_a_run_never_notices_that_it_is_read(shop: Path, arguments: tuple[str, ...]) -> None:
    path = shop / ".coverage"
    errors: Counter[DataFileProblem] = Counter()
    seen = 0
    for _ in range(3):
        with running(shop, *arguments) as run:
            while not ended(run):
                try:
                    with read_snapshot(path, root=shop, deadline=1) as snapshot:
                        for measured_path, measured in snapshot.all_measured():
                            seen += 1
                            # What is read is never anything that could not have been written.
                            assert measured_path.startswith(str(shop))
                            assert max(measured.lines, default=0) < 10
                except DataFileError as error:
                    errors[error.kind] += 1
            assert run.stdout is not None
            output = run.stdout.read()
            assert run.returncode == 0, output
            assert "60 " in output
            assert "CoverageWarning" not in output
    assert seen > 3
    assert set(errors) <= WHILE_WRITTEN
    assert not [*shop.glob("*-journal"), *shop.glob("*-wal"), *shop.glob("*-shm")]
    with read_snapshot(path, root=shop) as snapshot:
        assert str(shop / "shop.py") in snapshot.paths
        report = shop / "report.json"
        # Combines the parallel files, too, so it comes last.
        subprocess.run(
            [sys.executable, "-m", "coverage", "json", "-q", "--show-contexts", "-o", str(report)],
            cwd=shop,
            check=True,
        )
        theirs = json.loads(report.read_text())["files"]["shop.py"]
        by_line = snapshot.contexts_by_line(str(shop / "shop.py"))
        assert by_line == {int(n): sorted(names) for n, names in theirs["contexts"].items()}
        assert {*theirs["executed_lines"]} <= snapshot.measured(str(shop / "shop.py")).lines


LARGE = """
import sqlite3, sys
from coverage import CoverageData
data = CoverageData()
data.add_lines({'/a.py': [1]})
data.close()
database = sqlite3.connect('.coverage', isolation_level=None)
database.execute('pragma journal_mode = off')
database.executemany(
    'insert into line_bits values (1, ?, zeroblob(1000000))', [(n,) for n in range(9, 99)]
)
database.close()
print('ready', flush=True)
"""

PATIENT = """
import time
for number in range(40):
    database = sqlite3.connect('.coverage', timeout=30)
    with database:
        database.execute('insert into context (context) values (?)', [f'test {number}'])
    database.close()
    time.sleep(0.02)
"""

RESTLESS = """
database = sqlite3.connect('.coverage', isolation_level=None)
database.execute('pragma journal_mode = off')
while True:
    database.execute('update meta set value = value')
"""


def ready(process: "subprocess.Popen[str]") -> bool:
    assert process.stdout is not None
    return process.stdout.readline() == "ready\n"


def test_a_writer_waits_only_for_single_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is copied in many steps; whoever wants to write gets a turn between two of them."""
    monkeypatch.setattr(private_copy, "_FIRST_STEP", 64 << 10)
    monkeypatch.setattr(private_copy, "_LARGEST_STEP", 256 << 10)
    kinds = set()
    with running(tmp_path, program=LARGE + PATIENT) as writer:
        assert ready(writer)
        while not ended(writer):
            try:
                read_snapshot(tmp_path / ".coverage", root=tmp_path, deadline=0.3).close()
            except DataFileError as error:
                kinds.add(error.kind)
        assert writer.stdout is not None
        assert writer.returncode == 0, writer.stdout.read()
    assert kinds <= {DataFileProblem.BUSY}
    with read_snapshot(tmp_path / ".coverage", root=tmp_path) as snapshot:
        assert len(snapshot.contexts) == 41


def test_a_file_that_keeps_changing_is_copied_in_larger_steps(tmp_path: Path) -> None:
    """Small steps alone would start over at each change, and never come to an end."""
    with running(tmp_path, program=LARGE + RESTLESS) as writer:
        assert ready(writer)
        with read_snapshot(tmp_path / ".coverage", root=tmp_path, deadline=30) as snapshot:
            assert snapshot.paths == {"/a.py"}
        assert writer.poll() is None


def test_a_run_that_was_killed_leaves_what_can_be_read_or_named(shop: Path) -> None:
    for wait in (0.3, 0.6, 0.9, 1.2):
        with running(shop, *PYTEST_COV, *CONTEXTS) as run:
            time.sleep(wait)
            run.kill()
            run.wait()
        try:
            with read_snapshot(shop / ".coverage", root=shop) as snapshot:
                list(snapshot.all_measured())
            message = str(shop / ".coverage")
        except DataFileError as error:
            message = str(error)
        assert str(shop / ".coverage") in message


def open_handles() -> list[str]:
    return [each.name for each in Path("/proc/self/fd").iterdir()]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc: run it on Linux")
def test_handles_are_given_back(shop: Path) -> None:
    with running(shop, "coverage", "run", "shop.py") as run:
        run.wait()
    before = len(open_handles())
    for _ in range(20):
        read_snapshot(shop / ".coverage", root=shop).close()
        with pytest.raises(DataFileError):
            read_snapshot(shop / "nowhere", root=shop, deadline=0.01)
    assert len(open_handles()) == before
