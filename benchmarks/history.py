"""A history of many runs of many files: `python -m benchmarks.history`.

It makes a history up, most files of each run being those of the run before, and times what users
wait for on it: recording one more run, listing, the trend of all and of one file, comparing two.
A PostgreSQL is told by its URL; the database should be empty.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text

from covls.adapters.history_db import open_history
from covls.adapters.history_db.database import Database, microseconds
from covls.adapters.history_db.records import compressed, counts_of, digest, packed, row_of_records
from covls.adapters.history_db.tables import COUNTS, paths, records, runs
from covls.core.coverage import NOTHING
from covls.core.detail import bits_of
from covls.core.history import Commit, RecordedFile, RecordedFunction, Run, counts
from covls.core.settings import History as HistorySettings
from covls.core.settings import Settings

START = datetime(2020, 1, 1, tzinfo=UTC)
CHANGED = 8
"""How many files of a run are others than in the run before."""

AT_ONCE = 200


def made_up(path: str, chance: random.Random) -> RecordedFile:
    """A file of a usual size: half of its lines are statements, most ran, some branch."""
    lines = chance.randrange(20, 500)
    numbers = [line for line in range(1, lines) if chance.random() < 0.5] or [1]
    statements = bits_of(numbers)
    executed = bits_of(line for line in numbers if chance.random() < 0.85)
    branches = tuple(
        (line, 2, (line + 1,) if chance.random() < 0.2 else ())
        for line in numbers
        if chance.random() < 0.15
    )
    functions = []
    for place in range(0, len(numbers) - 8, 8):
        own = bits_of(numbers[place : place + 8])
        inner = [branch for branch in branches if own >> branch[0] & 1]
        name = f"Shop.method_{place}_{chance.randrange(100)}"
        first, last = numbers[place], numbers[place + 7]
        totals = counts(own, executed & own, inner)
        functions.append(RecordedFunction(name, first, last, totals, own))
    return RecordedFile(
        path,
        f"{chance.getrandbits(256):064x}",
        counts(statements, executed, branches, files=1),
        statements,
        executed,
        bits_of(line for line, _, ends in branches if ends) & executed,
        tuple(functions),
        branches,
    )


def commit(number: int) -> Commit:
    """The commit of a number, on a line without branches."""
    return Commit(
        f"{number:040x}",
        (f"{number - 1:040x}",),
        "main",
        authored=START + timedelta(hours=number),
        subject=f"Change number {number}",
    )


def fill(
    database: Database, n_runs: int, n_files: int
) -> tuple[dict[str, RecordedFile], random.Random]:
    """Put runs into an empty history, many at a time; the files of the last one."""
    chance = random.Random(7)
    names = [f"src/package_{n % 40}/module_{n}.py" for n in range(n_files)]
    files: dict[str, RecordedFile] = {}
    at: dict[int, int] = {}
    last = 0

    def stored(name: str) -> dict[str, Any]:
        nonlocal last
        file = files[name] = made_up(name, chance)
        content = packed(file)
        last += 1
        at[names.index(name) + 1] = last
        figures = dict(zip(COUNTS, counts_of(file.totals), strict=True))
        about = {"id": last, "path_id": names.index(name) + 1, "content": compressed(content)}
        return about | {"digest": digest(name, file.totals, content)} | figures

    with database.writing() as connection:
        numbered = [{"id": n + 1, "path": name} for n, name in enumerate(names)]
        connection.execute(insert(paths), numbered)
        connection.execute(insert(records), [stored(name) for name in names])
    total = sum((file.totals for file in files.values()), NOTHING)
    for first in range(1, n_runs + 1, AT_ONCE):
        new, rows = [], []
        for number in range(first, min(first + AT_ONCE, n_runs + 1)):
            for name in set(chance.choices(names, k=CHANGED)):
                before = files[name].totals
                new.append(stored(name))
                old = replace(before, n_files=0)
                total = total + files[name].totals + _minus(old)
                total = replace(total, n_files=n_files)
            one = commit(number)
            rows.append(
                {
                    "id": number,
                    "commit_id": one.id,
                    "flags": "",
                    "parents": one.parents[0],
                    "branch": "main",
                    "authored": microseconds(one.authored),
                    "subject": one.subject,
                    "recorded": microseconds(one.authored),
                    "clean": True,
                    "versions": '{"coverage": "7.17.3", "covls": "0.1.0"}',
                    "has_branches": True,
                    "records": row_of_records(at),
                }
                | dict(zip(COUNTS, counts_of(total), strict=True))
            )
        with database.writing() as connection:
            connection.execute(insert(records), new)
            connection.execute(insert(runs), rows)
    return files, chance


def _minus(totals: Any) -> Any:
    return type(totals)(*(-number for number in counts_of(totals)))


def size_of(database: Database) -> int:
    """The bytes that a history takes on disk."""
    if database.place.file is not None:
        return database.place.file.stat().st_size
    with database.reading() as connection:
        return int(
            connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
        )


def timed(question: Callable[[], object], times: int = 5) -> str:
    """The seconds that something takes, at best, and in brackets those of this processor."""
    walls, own = [], []
    for _ in range(times):
        wall, processor = time.perf_counter(), time.process_time()
        question()
        walls.append(time.perf_counter() - wall)
        own.append(time.process_time() - processor)
    return f"{min(walls):.3f} s ({min(own):.3f} s)"


def measured(url: str, n_runs: int, n_files: int) -> Iterator[tuple[str, str]]:
    """What was measured, and its figure."""
    settings = Settings(history=HistorySettings(url))
    with open_history(Path.cwd(), settings, mode="write") as history:
        database = history._database
        empty = size_of(database)
        files, chance = fill(database, n_runs, n_files)
        size = size_of(database) - empty
        yield "bytes a file and run", f"{size / n_runs / n_files:.1f}"
        yield "size", f"{size / 1e6:.0f} MB"
        number = n_runs

        def record() -> Run:
            nonlocal number
            number += 1
            for name in chance.choices(list(files), k=CHANGED):
                files[name] = made_up(name, chance)
            return history.record(
                commit(number),
                [],
                clean=True,
                versions={},
                has_branches=True,
                files=files.values(),
            )

        yield "record a run", timed(record)
        yield "list the last 20 runs", timed(lambda: history.runs(limit=20))
        yield "trend of all runs", timed(history.runs)
        known = history.runs()
        name = list(files)[len(files) // 2]
        yield (
            "trend of one file over all runs",
            timed(lambda: history.versions(name, known)),
        )
        ids = [f"{number:040x}" for number in range(n_runs, 0, -1)]
        yield "nearest recorded ancestor", timed(lambda: history.nearest(ids))
        near, far = known[:2], (known[0], known[min(200, len(known) - 1)])
        yield "compare with the run before", timed(lambda: history.differing(*near))
        yield "compare with 200 runs before", timed(lambda: history.differing(*far))
        yield "all files of a run, with lines", timed(lambda: history.files(known[0]))
        yield "all files of a run, totals", timed(lambda: history.file_totals(known[0]))

    def reopened() -> None:
        with open_history(Path.cwd(), settings, mode="read") as history:
            history.runs(limit=1)

    yield "open, and the last run", timed(reopened)


def main() -> None:
    """Measure what the arguments ask for, and print a row of a table for each figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--files", type=int, default=1_500)
    parser.add_argument("--url", help="an empty PostgreSQL database; else a SQLite file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="covls-history-") as folder:
        url = arguments.url or f"sqlite:///{folder}/history.sqlite"
        for words, figure in measured(url, arguments.runs, arguments.files):
            print(f"| {words} | {figure} |", flush=True)


if __name__ == "__main__":
    main()
