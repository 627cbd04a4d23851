"""What past test runs ran, file by file, kept in the user's cache folder.

What ran in a file, and which tests ran it, are kept once per content: most files are the same from
run to run. It tells nothing of a run that it could not be without.
"""

import hashlib
import json
import sqlite3
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from covls.adapters.analysis_cache import cache_folder
from covls.adapters.cache_database import CacheDatabase, used_bytes
from covls.core.coverage import Measured
from covls.core.lines import LineRange

RUNS: Final = 5
PARTIAL_RUNS: Final = 3
"""Runs kept of one data file: those that ran everything, as it seems, and those that did not."""

MAX_DAYS: Final = 90

_FORMAT: Final = 1
_FILE: Final = f"runs-{_FORMAT}.sqlite"
_DAY: Final = 24 * 60 * 60
_MAX_LENGTH: Final = 64 << 20
_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS run (
        id INTEGER PRIMARY KEY,
        data_file TEXT NOT NULL,
        data BLOB NOT NULL,
        at REAL NOT NULL,
        since REAL NOT NULL,
        partial INTEGER NOT NULL,
        unfinished INTEGER NOT NULL,
        tests BLOB NOT NULL,
        UNIQUE (data_file, data)
    );
    CREATE TABLE IF NOT EXISTS file (
        run INTEGER NOT NULL REFERENCES run,
        path TEXT NOT NULL,
        source BLOB,
        lines INTEGER NOT NULL,
        ran BLOB NOT NULL,
        tests BLOB,
        PRIMARY KEY (run, path)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS content (
        hash BLOB PRIMARY KEY,
        body BLOB NOT NULL
    );
"""


@dataclass(frozen=True, slots=True)
class LineTests:
    """Some of the tests that ran each line of a file: ranges of lines with the same ones."""

    names: tuple[str, ...]
    ranges: tuple[tuple[LineRange, tuple[int, ...]], ...]
    """Lines, and their tests as places in `names`; in order."""

    def at(self, first: int, last: int) -> tuple[str, ...]:
        """The tests of any line from `first` to `last`."""
        found = dict.fromkeys(
            place
            for (start, end), places in self.ranges
            if start <= last and end >= first
            for place in places
        )
        return tuple(self.names[place] for place in found)


@dataclass(frozen=True, slots=True)
class RanFile:
    """What ran in one file, and the SHA-256 (hexadecimal) of its source, None if not known."""

    source: str | None
    measured: Measured
    tests: LineTests | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run on record."""

    id: int
    data: bytes
    """The identity of the data that it wrote."""
    at: float
    """When it wrote them, in seconds since the epoch."""
    since: float
    """When the first of the runs was that ran no more than this one, and are not kept."""
    partial: bool
    unfinished: bool
    tests: frozenset[str]
    """Functions that are tests; none where they were not told apart."""


class RunStore:
    """The runs of all roots. Thread-safe, shared between processes; never raises."""

    def __init__(self, folder: Path | None = None, *, max_mb: float = 64) -> None:
        self._database = CacheDatabase((folder or cache_folder()) / _FILE, _SCHEMA)
        self._max_bytes = max_mb * 1024 * 1024

    def runs(self, data_file: Path) -> tuple[Run, ...]:
        """The runs of a data file on record, the newest first."""

        def look(database: sqlite3.Connection) -> tuple[Run, ...]:
            return _runs(database, data_file)

        return self._database.ask(look, ())

    def file(self, run: Run, path: str) -> tuple[bytes, RanFile] | None:
        """What a run ran in a file (by its path in the data), with what is equal for equal files.

        None where there is nothing (any more).
        """

        def look(database: sqlite3.Connection) -> Sequence[Any] | None:
            query = """
                SELECT file.source, file.ran, ran.body, tests.body FROM file
                JOIN content AS ran ON ran.hash = file.ran
                LEFT JOIN content AS tests ON tests.hash = file.tests
                WHERE file.run = ? AND file.path = ?
            """
            found: Sequence[Any] | None
            found = database.execute(query, (run.id, path)).fetchone()
            return found

        row = self._database.ask(look, None)
        if row is None:
            return None
        try:
            source, key, ran, tests = row
            measured = _measured(_unpacked(ran))
            line_tests = None if tests is None else _line_tests(_unpacked(tests))
            known = None if source is None else source.hex()
            return key + (source or b""), RanFile(known, measured, line_tests)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError, zlib.error):
            return None

    def lines(self, run: Run) -> dict[str, int]:
        """How many lines ran in each file of a run."""

        def look(database: sqlite3.Connection) -> dict[str, int]:
            query = "SELECT path, lines FROM file WHERE run = ?"
            return dict(database.execute(query, (run.id,)))

        return self._database.ask(look, {})

    def keep(
        self,
        data_file: Path,
        data: bytes,
        at: float,
        tests: frozenset[str],
        files: Mapping[str, "Packed"],
        *,
        partial: bool,
        unfinished: bool,
    ) -> None:
        """Put a run on record, by the identity of its data; one that is there already stays.

        Runs that it goes beyond in every file, of the same sources, are let go of: what is lost
        against one of them is lost against this one.
        """
        if self._max_bytes <= 0:
            return

        def insert(database: sqlite3.Connection) -> None:
            database.execute("BEGIN IMMEDIATE")
            known = _runs(database, data_file)
            if any(run.data == data for run in known):
                return
            since = at
            for run in known:
                if run.at <= at and run.tests <= tests and _contains(database, files, run):
                    since = min(since, run.since)
                    _forget(database, [run.id])
            values = (str(data_file), data, at, since, partial, unfinished)
            tests_body = _packed(sorted(tests))
            (number,) = database.execute(
                "INSERT INTO run (data_file, data, at, since, partial, unfinished, tests) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (*values, tests_body),
            ).fetchone()
            contents: dict[bytes, bytes] = {}
            for packed in files.values():
                contents.update([packed.ran, *([packed.tests] if packed.tests else [])])
            database.executemany("INSERT OR IGNORE INTO content VALUES (?, ?)", contents.items())
            database.executemany(
                "INSERT INTO file (run, path, source, lines, ran, tests) VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (
                        number,
                        path,
                        None if packed.source is None else bytes.fromhex(packed.source),
                        packed.lines,
                        packed.ran[0],
                        packed.tests[0] if packed.tests else None,
                    )
                    for path, packed in files.items()
                ],
            )
            for kind, most in ((False, RUNS), (True, PARTIAL_RUNS)):
                same = [run for run in _runs(database, data_file) if run.partial is kind]
                _forget(database, [run.id for run in same[most:]])

        self._database.change(insert, self._let_go)

    def _let_go(self, database: sqlite3.Connection) -> None:
        """Throw out what is too old, and, if room is used up, the oldest runs."""
        oldest = time.time() - MAX_DAYS * _DAY
        _forget(
            database,
            [row[0] for row in database.execute("SELECT id FROM run WHERE at < ?", (oldest,))],
        )
        _drop_unused(database)
        for (number,) in database.execute("SELECT id FROM run ORDER BY at").fetchall():
            if used_bytes(database) <= self._max_bytes:
                break
            _forget(database, [number])
            _drop_unused(database)


@dataclass(frozen=True, slots=True)
class Packed:
    """What ran in one file, as it is kept: contents, and the hashes that name them."""

    source: str | None
    lines: int
    ran: tuple[bytes, bytes]
    tests: tuple[bytes, bytes] | None


def pack(file: RanFile) -> Packed:
    """Make what is kept of what ran in one file."""
    measured = file.measured
    ran: object = sorted(measured.lines)
    if measured.arcs is not None:
        ran = {"arcs": [number for arc in sorted(measured.arcs) for number in arc]}
    tests = None
    if file.tests is not None:
        ranges = [[*lines, *places] for lines, places in file.tests.ranges]
        tests = _content([file.tests.names, ranges])
    return Packed(file.source, len(measured.lines), _content(ran), tests)


def _content(told: object) -> tuple[bytes, bytes]:
    body = _packed(told)
    return hashlib.sha256(body).digest(), body


def _packed(told: object) -> bytes:
    return zlib.compress(json.dumps(told, separators=(",", ":")).encode(), 1)


def _unpacked(body: bytes) -> Any:
    """What was packed. Raises ValueError or zlib.error where it is damaged, or far too long."""
    unpacker = zlib.decompressobj()
    text = unpacker.decompress(body, _MAX_LENGTH)
    if not unpacker.eof:
        raise ValueError("longer than anything that is kept")
    return json.loads(text)


def _measured(told: Any) -> Measured:
    if isinstance(told, list):
        return Measured(frozenset(map(int, told)))
    numbers = map(int, told["arcs"])
    arcs = frozenset(zip(numbers, numbers, strict=True))
    return Measured(frozenset(line for arc in arcs for line in arc if line > 0), arcs)


def _line_tests(told: Any) -> LineTests:
    names, ranges = told
    return LineTests(
        tuple(map(str, names)),
        tuple(
            ((int(start), int(end)), tuple(range(len(names))[place] for place in places))
            for start, end, *places in ranges
        ),
    )


def _runs(database: sqlite3.Connection, data_file: Path) -> tuple[Run, ...]:
    query = (
        "SELECT id, data, at, since, partial, unfinished, tests FROM run "
        "WHERE data_file = ? ORDER BY at DESC"
    )
    found: list[Run] = []
    for number, data, at, since, partial, unfinished, tests in database.execute(
        query, (str(data_file),)
    ):
        try:
            names = frozenset(map(str, _unpacked(tests)))
        except (TypeError, ValueError, zlib.error):
            continue
        found.append(Run(number, data, at, since, bool(partial), bool(unfinished), names))
    return tuple(found)


def _contains(database: sqlite3.Connection, files: Mapping[str, Packed], run: Run) -> bool:
    """Whether all that ran in a run on record is among what ran in `files`, of the same sources."""
    query = (
        "SELECT path, source, ran, body FROM file JOIN content ON hash = ran "
        "WHERE run = ? AND lines > 0"
    )
    for path, source, ran, body in database.execute(query, (run.id,)):
        packed = files.get(path)
        if packed is None or source is None or source.hex() != packed.source:
            return False
        if ran == packed.ran[0]:
            continue
        try:
            before, now = _measured(_unpacked(body)), _measured(_unpacked(packed.ran[1]))
        except (KeyError, TypeError, ValueError, zlib.error):
            return False
        if not before.lines <= now.lines or not (before.arcs or frozenset()) <= (
            now.arcs or frozenset()
        ):
            return False
    return True


def _forget(database: sqlite3.Connection, numbers: Sequence[int]) -> None:
    for number in numbers:
        database.execute("DELETE FROM file WHERE run = ?", (number,))
        database.execute("DELETE FROM run WHERE id = ?", (number,))


def _drop_unused(database: sqlite3.Connection) -> None:
    database.execute(
        "DELETE FROM content WHERE hash NOT IN (SELECT ran FROM file) "
        "AND hash NOT IN (SELECT tests FROM file WHERE tests IS NOT NULL)"
    )
