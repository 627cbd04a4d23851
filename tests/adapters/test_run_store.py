"""What past runs ran: kept small, bounded, and forgetful without harm."""

import contextlib
import os
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from covls.adapters.run_store import (
    MAX_DAYS,
    PARTIAL_RUNS,
    RUNS,
    LineTests,
    RanFile,
    RunStore,
    pack,
)
from covls.core.coverage import Measured

DATA_FILE = Path("/somewhere/.coverage")
SOURCE = "ab" * 32
NOW = time.time()


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path)


def file_in(folder: Path) -> Path:
    (found,) = folder.glob("runs-*.sqlite")
    return found


def ran(*lines: int, source: str | None = SOURCE, tests: LineTests | None = None) -> RanFile:
    return RanFile(source, Measured(frozenset(lines)), tests)


def keep(
    store: RunStore,
    number: int,
    files: dict[str, RanFile],
    tests: frozenset[str] = frozenset(),
    *,
    partial: bool = False,
    data_file: Path = DATA_FILE,
    at: float = NOW,
) -> None:
    packed = {path: pack(file) for path, file in files.items()}
    data = number.to_bytes(4, "big")
    store.keep(data_file, data, at + number, tests, packed, partial=partial, unfinished=False)


def numbers(store: RunStore) -> list[int]:
    return [int.from_bytes(run.data, "big") for run in store.runs(DATA_FILE)]


def test_what_ran_comes_back(store: RunStore, tmp_path: Path) -> None:
    arcs = frozenset({(-1, 1), (1, 7), (7, -1)})
    tests = LineTests(("a", "b"), (((1, 4), (0, 1)), ((7, 7), (1,))))
    files = {
        "ü/a.py": RanFile(SOURCE, Measured(frozenset({1, 7}), arcs), tests),
        "b.py": ran(3, 900, source=None),
        "c.py": ran(),
    }
    keep(store, 1, files, frozenset({"a", "b"}))
    again = RunStore(tmp_path)
    (run,) = again.runs(DATA_FILE)
    assert (run.at, run.since, run.partial) == (NOW + 1, NOW + 1, False)
    assert run.tests == frozenset({"a", "b"})
    for path, file in files.items():
        found = again.file(run, path)
        assert found is not None
        assert found[1] == file
    assert again.file(run, "d.py") is None
    assert again.lines(run) == {"ü/a.py": 2, "b.py": 2, "c.py": 0}
    assert again.runs(Path("/elsewhere/.coverage")) == ()


@pytest.mark.parametrize(
    ("first", "last", "names"),
    [(1, 1, ("a", "b")), (4, 7, ("a", "b")), (5, 6, ()), (6, 9, ("b",)), (8, 9, ())],
)
def test_tests_of_lines(first: int, last: int, names: tuple[str, ...]) -> None:
    tests = LineTests(("a", "b"), (((1, 4), (0, 1)), ((7, 7), (1,))))
    assert tests.at(first, last) == names


def test_a_run_stands_for_those_that_it_goes_beyond(store: RunStore) -> None:
    keep(store, 1, {"a.py": ran(1, 2), "b.py": ran(1)}, frozenset({"x"}))
    keep(store, 2, {"a.py": ran(1, 2, 3), "b.py": ran(1)}, frozenset({"x", "y"}))
    assert numbers(store) == [2]
    assert store.runs(DATA_FILE)[0].since == NOW + 1


@pytest.mark.parametrize(
    "files",
    [
        {"a.py": ran(1), "b.py": ran(1)},
        {"a.py": ran(1, 2, source="cd" * 32), "b.py": ran(1)},
        {"a.py": ran(1, 2, source=None), "b.py": ran(1)},
        {"a.py": ran(1, 2)},
    ],
    ids=["lost a line", "another source", "a source not known", "lost a file"],
)
def test_a_run_that_another_does_not_go_beyond_stays(
    store: RunStore, files: dict[str, RanFile]
) -> None:
    keep(store, 1, {"a.py": ran(1, 2), "b.py": ran(1)})
    keep(store, 2, files)
    assert numbers(store) == [2, 1]


def test_a_run_with_a_test_that_another_has_not_stays(store: RunStore) -> None:
    keep(store, 1, {"a.py": ran(1)}, frozenset({"x"}))
    keep(store, 2, {"a.py": ran(1)}, frozenset({"y"}))
    assert numbers(store) == [2, 1]


def test_a_run_without_branches_does_not_go_beyond_one_with(store: RunStore) -> None:
    keep(store, 1, {"a.py": RanFile(SOURCE, Measured(frozenset({1}), frozenset({(-1, 1)})))})
    keep(store, 2, {"a.py": ran(1)})
    assert numbers(store) == [2, 1]


def test_few_runs_are_kept_and_partial_ones_drive_out_no_whole_one(store: RunStore) -> None:
    for number in range(10):
        keep(store, number, {"a.py": ran(number + 1)})
    for number in range(10, 20):
        keep(store, number, {"a.py": ran(number + 1)}, partial=True)
    assert numbers(store) == [*range(19, 19 - PARTIAL_RUNS, -1), *range(9, 9 - RUNS, -1)]


def test_what_no_run_needs_is_gone(store: RunStore, tmp_path: Path) -> None:
    for number in range(20):
        keep(store, number, {"a.py": ran(number + 1), "b.py": ran(1)})
    with contextlib.closing(sqlite3.connect(file_in(tmp_path))) as database:
        assert database.execute("SELECT count(*) FROM content").fetchone() == (RUNS + 1,)
        assert database.execute("SELECT count(*) FROM file").fetchone() == (2 * RUNS,)


def test_the_same_data_is_one_run(store: RunStore) -> None:
    keep(store, 1, {"a.py": ran(1)})
    keep(store, 1, {"a.py": ran(2)})
    (run,) = store.runs(DATA_FILE)
    assert store.file(run, "a.py") is not None
    assert store.lines(run) == {"a.py": 1}


def test_an_old_run_goes(store: RunStore) -> None:
    keep(store, 1, {"a.py": ran(1)}, at=NOW - (MAX_DAYS + 1) * 24 * 3600)
    assert numbers(store) == []
    keep(store, 2, {"a.py": ran(1)}, at=NOW - (MAX_DAYS - 1) * 24 * 3600)
    assert numbers(store) == [2]


def test_room_is_bounded_over_all_roots(tmp_path: Path) -> None:
    store = RunStore(tmp_path, max_mb=0.1)
    for number in range(10):
        lines = [line for line in range(20_000) if hash((line, number)) % 3]
        keep(store, number, {"a.py": ran(*lines)}, data_file=Path(f"/{number}/.coverage"))
    assert file_in(tmp_path).stat().st_size < 150_000
    assert store.runs(Path("/9/.coverage"))
    assert not store.runs(Path("/0/.coverage"))


def test_it_can_be_turned_off(tmp_path: Path) -> None:
    keep(RunStore(tmp_path, max_mb=0), 1, {"a.py": ran(1)})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", [b"no database", b"SQLite format 3\0" + b"x" * 5000])
def test_a_damaged_file_is_begun_anew(store: RunStore, tmp_path: Path, damage: bytes) -> None:
    keep(store, 1, {"a.py": ran(1)})
    file_in(tmp_path).write_bytes(damage)
    assert store.runs(DATA_FILE) == ()
    keep(store, 2, {"a.py": ran(1)})
    keep(store, 3, {"a.py": ran(2)})
    assert numbers(store)[0] == 3


@pytest.mark.parametrize("body", [b"", b"x", pack(ran(1)).ran[1][:-3], b"x\x9cK\xad\x05\x00"])
def test_a_damaged_row_is_as_none(store: RunStore, tmp_path: Path, body: bytes) -> None:
    keep(store, 1, {"a.py": ran(1, 5)}, frozenset({"x"}))
    with contextlib.closing(sqlite3.connect(file_in(tmp_path))) as database, database:
        database.execute("UPDATE content SET body = ?", (body,))
    (run,) = store.runs(DATA_FILE)
    assert store.file(run, "a.py") is None
    keep(store, 2, {"a.py": ran(1, 5, 6)}, frozenset({"x"}))
    assert numbers(store) == [2, 1]
    with contextlib.closing(sqlite3.connect(file_in(tmp_path))) as database, database:
        database.execute("UPDATE run SET tests = ?", (body,))
    assert store.runs(DATA_FILE) == ()


def test_two_servers_at_once(tmp_path: Path) -> None:
    stores = [RunStore(tmp_path), RunStore(tmp_path)]

    def work(which: int) -> None:
        for number in range(20):
            keep(stores[which], number, {"a.py": ran(number + 1), "b.py": ran(1)})

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    assert numbers(stores[0]) == list(range(19, 19 - RUNS, -1))
    run = stores[0].runs(DATA_FILE)[0]
    found = stores[0].file(run, "a.py")
    assert found is not None
    assert found[1] == ran(20)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_it_is_nobody_elses_business(store: RunStore, tmp_path: Path) -> None:
    keep(store, 1, {"a.py": ran(1)})
    assert file_in(tmp_path).stat().st_mode & 0o077 == 0
