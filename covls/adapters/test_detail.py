"""What each test of a root ran, kept in the user's cache folder between runs.

One SQLite file a root, opened for each look and each note: it may be deleted, damaged, full or in
use by another server at any time, and then is only forgetful. A file's rows are one record, in
which equal sets of bits stand once.
"""

import contextlib
import hashlib
import json
import sqlite3
import threading
import time
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from covls.adapters.analysis_cache import cache_folder
from covls.adapters.ledger import content_hash
from covls.core.coverage import Measured
from covls.core.detail import PHASES, Detail, FileDetail, Ran, TestRecord

if TYPE_CHECKING:
    # Where nothing but the data are looked at, as in a commit hook, neither is of use.
    from covls.core.imports import Imports
    from covls.core.splice import Spliced

_FORMAT: Final = 1
_FOLDER: Final = f"tests-{_FORMAT}"
_DAY: Final = 24 * 60 * 60
_MOST_BYTES: Final = 1 << 28
"""Of one record when it is unpacked; what claims to be larger is damaged."""
_SECONDS_TO_READ: Final = 1.0
_SECONDS_TO_WRITE: Final = 5.0
_PHASE_BITS: Final = 5
_NUMBER_OF: Final = {phase: number for number, phase in enumerate(PHASES)}
_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS test (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        record TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS file (
        path TEXT PRIMARY KEY,
        who BLOB NOT NULL,
        pairs BLOB,
        sets BLOB NOT NULL,
        total BLOB NOT NULL
    );
    CREATE TABLE IF NOT EXISTS source (hash TEXT PRIMARY KEY, body BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS import (key TEXT PRIMARY KEY, body BLOB NOT NULL);
"""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class About:
    """What a detail is true of.

    `data` is the identity of the data file that was written from it; `sources` are the SHA-256 of
    the project's files as they were measured, by path, empty where that is not known;
    `environment` says what else the tests depend on, a value by name.
    """

    data: bytes
    has_arcs: bool
    sources: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


class DetailStore:
    """The per-test detail of one root. Thread-safe, shared between processes; never raises.

    The details of roots that were not written for `max_days` are thrown out, and of the others the
    longest unwritten where all together take more than `max_mb`.
    """

    def __init__(
        self,
        root: Path,
        folder: Path | None = None,
        *,
        max_mb: float = 1024,
        max_days: float = 90,
    ) -> None:
        name = hashlib.sha256(str(root).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self.path = (folder or cache_folder()) / _FOLDER / f"{name}.sqlite"
        self._max_bytes = max_mb * 1024 * 1024
        self._max_days = max_days
        self._lock = threading.Lock()

    def about(self) -> About | None:
        """What the kept detail is true of, None where there is none."""
        return self._ask(_about, None)

    def detail(self) -> Detail | None:
        """The kept detail, its files read when they are asked for; None where there is none.

        It is that of this moment as far as each file goes: who needs several files of one state
        looks at `about` before and after, or holds the lock of whoever writes.
        """

        def look(database: sqlite3.Connection) -> Detail | None:
            about = _about(database)
            if about is None:
                return None
            names, tests = _tests(database)
            paths = [path for (path,) in database.execute("SELECT path FROM file ORDER BY path")]
            return Detail(about.has_arcs, _Files(self, paths, names), tests)

        return self._ask(look, None)

    def source(self, digest: str) -> bytes | None:
        """A kept source by its SHA-256, None where it is not kept."""

        def body(database: sqlite3.Connection) -> Any:
            return database.execute("SELECT body FROM source WHERE hash = ?", (digest,)).fetchone()

        row = self._ask(body, None)
        content = None if row is None else _unpacked(row[0])
        return content if content is not None and content_hash(content) == digest else None

    def sources(self) -> set[str]:
        """The SHA-256 of all kept sources."""

        def look(database: sqlite3.Connection) -> set[str]:
            return {digest for (digest,) in database.execute("SELECT hash FROM source")}

        return self._ask(look, set())

    def imports(self) -> "dict[str, Imports | None]":
        """What texts import, by the keys that they were kept under."""
        from covls.core.imports import Imports

        def look(database: sqlite3.Connection) -> list[tuple[str, Any]]:
            return database.execute("SELECT key, body FROM import").fetchall()

        found: dict[str, Imports | None] = {}
        nothing: list[tuple[str, Any]] = []
        for key, body in self._ask(look, nothing):
            try:
                told = json.loads(_unpacked(body) or b"null")
                found[key] = None if told is None else Imports(dict(told[0]), bool(told[1]))
            except (ValueError, TypeError, IndexError):
                continue
        return found

    def keep_imports(self, imports: "Mapping[str, Imports | None]") -> None:
        """Keep what texts import, in place of what was kept of others."""

        def work(database: sqlite3.Connection) -> None:
            known = {key for (key,) in database.execute("SELECT key FROM import")}
            gone = [(key,) for key in known - imports.keys()]
            database.executemany("DELETE FROM import WHERE key = ?", gone)
            rows = (
                (key, zlib.compress(json.dumps(_told(imports[key])).encode(), 6))
                for key in imports.keys() - known
            )
            database.executemany("INSERT INTO import (key, body) VALUES (?, ?)", rows)

        self._change(work)

    def files_of(self, tests: Iterable[str]) -> set[str]:
        """The measured paths in which these tests ran anything."""
        wanted = set(tests)

        def look(database: sqlite3.Connection) -> set[str]:
            names, _ = _tests(database)
            ids = {number for number, name in names.items() if name in wanted}
            found = set()
            for path, who in database.execute("SELECT path, who FROM file"):
                rows = _numbers(who)
                if rows is not None and not ids.isdisjoint(row >> _PHASE_BITS for row in rows[::2]):
                    found.add(path)
            return found

        return self._ask(look, set())

    def totals(self) -> Iterator[tuple[str, Measured]]:
        """Every file and all that ran in it, by path."""

        def look(database: sqlite3.Connection) -> list[tuple[str, Any, Any]]:
            return database.execute("SELECT path, pairs, total FROM file ORDER BY path").fetchall()

        nothing: list[tuple[str, Any, Any]] = []
        for path, pairs, total in self._ask(look, nothing):
            bits = int.from_bytes(_unpacked(total) or b"", "little")
            file = FileDetail(_pairs(pairs), {("", ""): bits})
            yield path, file.measured()

    def write(self, detail: Detail, about: About, sources: Mapping[str, bytes]) -> bool:
        """Keep a detail in place of what was kept. `sources` are contents by their SHA-256.

        Returns whether it is kept.
        """

        def work(database: sqlite3.Connection) -> None:
            for table in ("file", "test", "about"):
                database.execute(f"DELETE FROM {table}")  # noqa: S608
            _put_tests(database, detail.tests, _names_in(detail.files.values()))
            _put_files(database, detail.files)
            _put_about(database, about, sources)

        return self._change(work)

    def splice(
        self, spliced: "Spliced", about: About, sources: Mapping[str, bytes], *, onto: About
    ) -> bool:
        """Keep what a partial run made of the kept detail. Returns whether it is kept.

        `onto` is what was kept when the run began: where something else is by now, that stays.
        """
        is_kept = True

        def work(database: sqlite3.Connection) -> None:
            nonlocal is_kept
            now = _about(database)
            is_kept = now is not None and now.data == onto.data
            if not is_kept:
                return
            files = {path: file for path, file in spliced.files.items() if file is not None}
            _put_tests(database, spliced.tests, _names_in(files.values()))
            database.executemany(
                "DELETE FROM file WHERE path = ?", [(path,) for path in spliced.files]
            )
            _put_files(database, files)
            _put_about(database, about, sources)

        return self._change(work) and is_kept

    def forget(self) -> None:
        """Throw away all that is kept of this root."""
        with self._lock, contextlib.suppress(OSError):
            _remove(self.path)

    def _change(self, work: Callable[[sqlite3.Connection], None]) -> bool:
        done = False
        with self._lock, self._forgiving():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make_room()
            with contextlib.closing(self._open(_SECONDS_TO_WRITE)) as database:
                database.execute("PRAGMA auto_vacuum = INCREMENTAL")
                database.executescript(_SCHEMA)
                # Sources and names of tests may be nobody else's business.
                self.path.chmod(0o600)
                with database:
                    database.execute("BEGIN IMMEDIATE")
                    work(database)
                done = True
                database.executescript("PRAGMA incremental_vacuum")
        return done

    def _make_room(self) -> None:
        """Throw out other roots' details that are too old, or too many."""
        found = []
        for path in self.path.parent.glob("*.sqlite"):
            with contextlib.suppress(OSError):
                status = path.stat()
                if path != self.path:
                    found.append((status.st_mtime, status.st_size, path))
        left = self._max_bytes
        for at, size, path in sorted(found, reverse=True):
            left -= size
            if left < 0 or at < time.time() - self._max_days * _DAY:
                with contextlib.suppress(OSError):
                    _remove(path)

    def _ask(self, question: Callable[[sqlite3.Connection], Answer], otherwise: Answer) -> Answer:
        answer = otherwise
        if self.path.exists():
            with self._forgiving(), contextlib.closing(self._open(_SECONDS_TO_READ)) as database:
                database.execute("BEGIN")
                answer = question(database)
        return answer

    def _open(self, seconds: float) -> sqlite3.Connection:
        database = sqlite3.connect(self.path, timeout=seconds, isolation_level=None)
        try:
            # Losing this file costs one full run of the tests, and a crash of this process alone
            # does not lose it.
            database.execute("PRAGMA synchronous = OFF")
        except sqlite3.Error:
            database.close()
            raise
        return database

    @contextlib.contextmanager
    def _forgiving(self) -> Iterator[None]:
        """End what is done within without an error; a file that is damaged is removed."""
        try:
            yield
        except (sqlite3.OperationalError, OSError):
            pass  # Busy, full, read-only, not permitted, not made yet: it may pass.
        except (sqlite3.DatabaseError, ValueError, TypeError, KeyError, IndexError):
            with contextlib.suppress(OSError):
                _remove(self.path)


class _Files(Mapping[str, FileDetail]):
    """The files of a kept detail, read when they are asked for."""

    def __init__(self, store: DetailStore, paths: list[str], names: Mapping[int, str]) -> None:
        self._store = store
        self._paths = dict.fromkeys(paths)
        self._names = names

    def __getitem__(self, path: str) -> FileDetail:
        if path not in self._paths:
            raise KeyError(path)

        def look(database: sqlite3.Connection) -> Any:
            query = "SELECT who, pairs, sets FROM file WHERE path = ?"
            return database.execute(query, (path,)).fetchone()

        row = self._store._ask(look, None)
        file = None if row is None else _file(row, self._names)
        if file is None:
            raise KeyError(path)
        return file

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def _told(imports: "Imports | None") -> tuple[dict[str, int], bool] | None:
    return None if imports is None else (dict(imports.names), imports.discovers)


def _about(database: sqlite3.Connection) -> About | None:
    found = dict(database.execute("SELECT key, value FROM about"))
    if "data" not in found:
        return None
    sources = json.loads(_unpacked(found["sources"]) or b"{}")
    environment = json.loads(_unpacked(found["environment"]) or b"{}")
    return About(
        bytes(found["data"]),
        bool(found["has_arcs"]),
        {str(path): str(digest) for path, digest in sources.items()},
        {str(name): str(value) for name, value in environment.items()},
    )


def _put_about(database: sqlite3.Connection, about: About, sources: Mapping[str, bytes]) -> None:
    database.executemany(
        "INSERT OR REPLACE INTO about (key, value) VALUES (?, ?)",
        [
            ("data", about.data),
            ("has_arcs", int(about.has_arcs)),
            ("sources", zlib.compress(json.dumps(dict(about.sources)).encode())),
            ("environment", zlib.compress(json.dumps(dict(about.environment)).encode())),
        ],
    )
    database.executemany(
        "INSERT OR IGNORE INTO source (hash, body) VALUES (?, ?)",
        [(digest, zlib.compress(body, 6)) for digest, body in sources.items()],
    )
    used = set(about.sources.values())
    unused = [row for row in database.execute("SELECT hash FROM source") if row[0] not in used]
    database.executemany("DELETE FROM source WHERE hash = ?", unused)


def _tests(database: sqlite3.Connection) -> tuple[dict[int, str], dict[str, TestRecord]]:
    """The names of tests by their numbers, and what is known of them."""
    names: dict[int, str] = {}
    tests: dict[str, TestRecord] = {}
    rows = database.execute("SELECT id, name, record FROM test").fetchall()
    # One text is parsed in a tenth of the time that thousands take.
    records = json.loads(f"[{','.join(record or 'null' for _, _, record in rows)}]")
    for (number, name, _), record in zip(rows, records, strict=True):
        names[number] = name
        if record:
            outcome, seconds, at, path, line, outdated = record
            tests[name] = TestRecord(outcome, seconds, at, path, line, outdated)
    return names, tests


def _put_tests(
    database: sqlite3.Connection, tests: Mapping[str, TestRecord], others: Iterable[str]
) -> None:
    """Keep what is known of the tests there are; numbers are given once and stay."""
    rows = dict.fromkeys(others, "")
    for name, test in tests.items():
        told = (test.outcome, test.seconds, test.at, test.path, test.line, test.outdated)
        rows[name] = json.dumps(told, separators=(",", ":"))
    query = "SELECT name FROM test WHERE record != ''"
    gone = [(name,) for (name,) in database.execute(query) if name not in rows]
    # Their rows went with the splice, so that a number may be given to another test. What has no
    # record, as what ran outside of tests, may have rows in files that are not changed now.
    database.executemany("DELETE FROM test WHERE name = ?", gone)
    database.executemany(
        "INSERT INTO test (name, record) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET record = excluded.record",
        rows.items(),
    )


def _names_in(files: Iterable[FileDetail]) -> set[str]:
    return {test for file in files for test, _ in file.ran}


def _put_files(database: sqlite3.Connection, files: Mapping[str, FileDetail]) -> None:
    ids = {name: number for number, name in database.execute("SELECT id, name FROM test")}
    database.executemany(
        "INSERT OR REPLACE INTO file (path, who, pairs, sets, total) VALUES (?, ?, ?, ?, ?)",
        ((path, *_packed(file, ids)) for path, file in files.items()),
    )


def _packed(file: FileDetail, ids: Mapping[str, int]) -> tuple[bytes, bytes | None, bytes, bytes]:
    """A file's rows: who with the number of a set each, the pairs, the sets, and all of them."""
    numbers: dict[int, int] = {}
    who = array("I")
    for (test, phase), bits in file.ran.items():
        number = numbers.setdefault(bits, len(numbers))
        who.extend((ids[test] << _PHASE_BITS | _NUMBER_OF[phase], number))
    width = max((bits.bit_length() + 7 for bits in numbers), default=0) // 8
    sets = b"".join(bits.to_bytes(width, "little") for bits in numbers)
    pairs = None
    if file.pairs is not None:
        pairs = zlib.compress(array("i", [line for arc in file.pairs for line in arc]).tobytes(), 6)
    total = zlib.compress(file.union().to_bytes(width, "little"), 1)
    return (
        zlib.compress(who.tobytes(), 6),
        pairs,
        width.to_bytes(4, "little") + zlib.compress(sets, 6),
        total,
    )


def _file(row: tuple[bytes, bytes | None, bytes], names: Mapping[int, str]) -> FileDetail | None:
    who, pairs, packed = row
    rows = _numbers(who)
    sets = _unpacked(packed[4:])
    width = int.from_bytes(packed[:4], "little")
    if rows is None or sets is None:
        return None
    known = [
        int.from_bytes(sets[place : place + width], "little")
        for place in range(0, len(sets), width or 1)
    ]
    ran: dict[Ran, int] = {}
    for test, number in zip(rows[::2], rows[1::2], strict=True):
        name = names.get(test >> _PHASE_BITS)
        if name is not None and number < len(known):
            ran[name, PHASES[test & ((1 << _PHASE_BITS) - 1)]] = known[number]
    return FileDetail(_pairs(pairs), ran)


def _pairs(packed: bytes | None) -> tuple[tuple[int, int], ...] | None:
    if packed is None:
        return None
    numbers = array("i")
    numbers.frombytes(_unpacked(packed) or b"")
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def _numbers(packed: bytes) -> "array[int] | None":
    body = _unpacked(packed)
    if body is None:
        return None
    numbers = array("I")
    numbers.frombytes(body)
    return numbers


def _unpacked(body: object) -> bytes | None:
    """What was compressed; None where it is damaged, or longer than anything kept here."""
    if not isinstance(body, bytes):
        return None
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(body, _MOST_BYTES + 1)
    except zlib.error:
        return None
    return content if unpacker.eof and len(content) <= _MOST_BYTES else None


def _remove(path: Path) -> None:
    """Remove a database; its journal first, which would damage the next."""
    for each in (Path(f"{path}-journal"), path):
        each.unlink(missing_ok=True)
