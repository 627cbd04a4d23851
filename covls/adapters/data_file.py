"""coverage.py's data file, read into a private copy without touching the original.

The original is opened read-only, copied in short steps into a temporary database that belongs to
this process alone, and closed. SQLite keeps that database in a temporary file, not in memory, and
deletes it itself. coverage.py's own reader is never pointed at a user's file: it writes, and under
some orders of calls erases.
"""

import os
import re
import sqlite3
import stat
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from covls.core.coverage import Measured
from covls.core.lines import Arc

SCHEMA = 7
"""The one layout of the data file that coverage.py 5 to 7 write."""

_HEADER_SIZE = 100
_SQLITE_MAGIC = b"SQLite format 3\0"
_WRITE_AHEAD = 2
_COVERAGE_4 = b"!coverage.py: This is a private format"

# What is wrong for a moment only, while a run erases and rewrites its data, is looked at again
# for this long (seconds) before it is reported.
_SETTLE = 0.25
_PAUSE = 0.01

# Bytes copied in one go, during which no one can write. A step takes a few milliseconds. A file
# that keeps changing makes a copy in small steps start over for ever, so each new start takes
# larger steps; the largest is still some fifty times shorter than what makes a test run give up.
_FIRST_STEP = 4 << 20
_LARGEST_STEP = 64 << 20


class DataFileProblem(StrEnum):
    """What is wrong with a data file."""

    MISSING = "missing"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    FOREIGN = "foreign"
    NEWER = "newer"
    OLDER = "older"
    BUSY = "busy"
    PERMISSION = "permission"
    JOURNAL = "journal"
    NO_ROOM = "no room"


class DataFileError(Exception):
    """A data file that cannot be used: the message names it and says the way out."""

    def __init__(self, kind: DataFileProblem, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class _NotYetError(Exception):
    """Something that passes within a moment if a run is writing, and else is `lasting`."""

    def __init__(self, lasting: DataFileError) -> None:
        super().__init__(str(lasting))
        self.lasting = lasting


@dataclass(frozen=True, slots=True)
class FileStamp:
    """How one file looked, as cheaply as can be told."""

    path: Path
    inode: int
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """How a data file and its parallel siblings looked; equal when nothing was written."""

    files: tuple[FileStamp, ...]

    def __bool__(self) -> bool:
        return bool(self.files)


@dataclass(frozen=True, slots=True)
class Part:
    """One file that a snapshot was read from."""

    path: Path
    mtime: float
    version: str | None
    """The coverage.py that made it, where the file says so."""
    files: int
    """How many measured files it names."""


def fingerprint(data_file: Path) -> Fingerprint:
    """Look at the data file and its parallel siblings, without opening any."""
    files = []
    for path in [data_file]:
        try:
            found = path.stat()
        except OSError:
            continue
        files.append(FileStamp(path, found.st_ino, found.st_size, found.st_mtime_ns))
    return Fingerprint(tuple(files))


def read_snapshot(
    data_file: Path,
    *,
    root: Path,
    paths: Mapping[str, Sequence[str]] | None = None,
    relative_files: bool = False,
    deadline: float = 5.0,
) -> "Snapshot":
    """Copy the data and close the user's file again.

    `root` is the folder that relative paths in the data and in `paths` (coverage.py's `[paths]`)
    are relative to; `deadline` is in seconds from now. Raises DataFileError.
    """
    give_up = time.monotonic() + deadline
    settle = time.monotonic() + min(_SETTLE, deadline)
    while True:
        seen = fingerprint(data_file)
        try:
            return _read(data_file, seen, give_up)
        except _NotYetError as passing:
            if time.monotonic() >= settle:
                raise passing.lasting from passing.__cause__
        time.sleep(_PAUSE)


class Snapshot:
    """A private, immutable copy of the data; safe to use from several threads."""

    def __init__(
        self,
        data_file: Path,
        database: sqlite3.Connection,
        parts: tuple[Part, ...],
        seen: Fingerprint,
        problems: tuple[str, ...] = (),
    ) -> None:
        self.data_file = data_file
        self.parts = parts
        self.fingerprint = seen
        self.problems = problems
        self.schema = SCHEMA
        self._database = database
        self._lock = threading.RLock()
        self._chosen: dict[tuple[str, ...], str] = {}
        meta = dict(self._rows("SELECT key, value FROM meta"))
        self.has_arcs = str(meta.get("has_arcs") or "0") not in ("0", "")
        self.coverage_version: str | None = meta.get("version")
        self._contexts: dict[int, str] = dict(self._rows("SELECT id, context FROM context"))
        self._files: dict[str, int] = {p: i for i, p in self._rows("SELECT id, path FROM file")}
        self._tracers: dict[int, str] = dict(self._rows("SELECT file_id, tracer FROM tracer"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop the private copy. Asking anything of it afterwards is an error."""
        with self._lock:
            self._database.close()

    @property
    def written_at(self) -> float:
        """When the oldest part was last written, seconds since the epoch.

        A source modified later than this is not surely the one that was measured.
        """
        return min(part.mtime for part in self.parts)

    @property
    def paths(self) -> frozenset[str]:
        """The measured files, named as coverage.py's reports would find them."""
        return frozenset(self._files)

    @property
    def contexts(self) -> tuple[str, ...]:
        """All contexts that were recorded, the empty one included, sorted."""
        return tuple(sorted(set(self._contexts.values())))

    @property
    def has_contexts(self) -> bool:
        """Whether anything but the empty context was recorded."""
        return any(self._contexts.values())

    def tracer(self, path: str) -> str:
        """The plugin that measured this file; empty for plain Python and for unknown files."""
        found = self._files.get(path)
        return "" if found is None else self._tracers.get(found) or ""

    def measured(self, path: str, contexts: Sequence[str] = ()) -> Measured:
        """What ran in one file, in the contexts that any of the regexes finds (none: in all).

        An unknown file is one of which nothing ran. Raises ValueError for a wrong regex.
        """
        found = self._files.get(path)
        chosen = self._choose(contexts)
        if found is None:
            return Measured(frozenset(), frozenset() if self.has_arcs else None)
        where = f"file_id = ? {chosen}"
        if self.has_arcs:
            return _from_arcs(
                self._rows(f"SELECT DISTINCT fromno, tono FROM arc WHERE {where}", found)
            )
        union = 0
        for (numbits,) in self._rows(f"SELECT numbits FROM line_bits WHERE {where}", found):
            union |= int.from_bytes(numbits, "little")
        return Measured(lines_of(union))

    def all_measured(self, contexts: Sequence[str] = ()) -> Iterator[tuple[str, Measured]]:
        """Every file and what ran in it, sorted by path."""
        for path in sorted(self._files):
            yield path, self.measured(path, contexts)

    def contexts_by_line(self, path: str, contexts: Sequence[str] = ()) -> dict[int, list[str]]:
        """The contexts that reached each line of one file, sorted."""
        found = self._files.get(path)
        where = f"file_id = ? {self._choose(contexts)}"
        if found is None:
            return {}
        reached: defaultdict[int, set[int]] = defaultdict(set)
        if self.has_arcs:
            query = f"SELECT context_id, fromno, tono FROM arc WHERE {where}"
            for context, start, end in self._rows(query, found):
                if start > 0:
                    reached[start].add(context)
                if end > 0:
                    reached[end].add(context)
        else:
            query = f"SELECT context_id, numbits FROM line_bits WHERE {where}"
            for context, numbits in self._rows(query, found):
                for line in lines_of(int.from_bytes(numbits, "little")):
                    reached[line].add(context)
        return {
            line: sorted({self._contexts[i] for i in ids if i in self._contexts})
            for line, ids in reached.items()
        }

    def _choose(self, patterns: Sequence[str]) -> str:
        """The condition that narrows a query to the contexts that any of the patterns finds."""
        if not patterns:
            return ""
        key = tuple(patterns)
        with self._lock:
            table = self._chosen.get(key)
            if table is None:
                try:
                    compiled = [re.compile(pattern) for pattern in patterns]
                except re.error as error:
                    raise ValueError(f"invalid context regex {error.pattern!r}: {error}") from error
                table = f"chosen_{len(self._chosen)}"
                self._database.execute(f"CREATE TEMP TABLE {table} (id INTEGER PRIMARY KEY)")
                self._database.executemany(
                    f"INSERT INTO {table} VALUES (?)",
                    [
                        (number,)
                        for number, name in self._contexts.items()
                        if any(pattern.search(name) for pattern in compiled)
                    ],
                )
                self._chosen[key] = table
        return f"AND context_id IN (SELECT id FROM {table})"

    def _rows(self, query: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]
        """All rows of one query. A copy that turns out damaged says so about its original."""
        try:
            with self._lock:
                return self._database.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise _damaged(self.data_file, error) from error


def lines_of(bits: int) -> frozenset[int]:
    """The positions of the bits that are set, as coverage.py stores line numbers."""
    lines = []
    for index, byte in enumerate(bits.to_bytes((bits.bit_length() + 7) // 8, "little")):
        if byte:
            first = index * 8
            lines.extend([first + bit for bit in range(8) if byte >> bit & 1])
    return frozenset(lines)


def _from_arcs(arcs: Sequence[Arc]) -> Measured:
    """What ran where branches were measured: a line is one that an arc starts or ends at."""
    lines = {start for start, _ in arcs}
    lines.update(end for _, end in arcs)
    return Measured(frozenset(line for line in lines if line > 0), frozenset(arcs))


def _read(data_file: Path, seen: Fingerprint, give_up: float) -> Snapshot:
    """Read once. Raises _NotYetError for what may pass, DataFileError for what will not."""
    database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode = off")
        database.execute("PRAGMA synchronous = off")
        part = _copy_into(database, data_file, give_up)
        return Snapshot(data_file, database, (part,), seen)
    except BaseException:
        database.close()
        raise


def _copy_into(database: sqlite3.Connection, path: Path, give_up: float) -> Part:
    """Make `database` a copy of the file, and check that it is coverage.py's."""
    mtime = _check_header(path)
    step = _FIRST_STEP
    while not _copy(database, path, step, give_up):
        step = min(step * 4, _LARGEST_STEP)
    try:
        rows = database.execute("SELECT version FROM coverage_schema").fetchall()
        _check_schema(path, rows[0][0] if rows else None)
        meta = dict(database.execute("SELECT key, value FROM meta"))
        (files,) = database.execute("SELECT count(*) FROM file").fetchone()
        for table in ("context", "arc", "line_bits", "tracer"):
            database.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone()
    except sqlite3.OperationalError as error:
        raise _NotYetError(_foreign(path, f"it is a SQLite database, but {error}")) from error
    except sqlite3.DatabaseError as error:
        raise _NotYetError(_damaged(path, error)) from error
    return Part(path, mtime, meta.get("version"), files)


def _copy(database: sqlite3.Connection, path: Path, step: int, give_up: float) -> bool:
    """Copy the file in steps of that many bytes; False where it changed on the way."""
    left = None

    def watch(status: int, remaining: int, total: int) -> None:
        nonlocal left
        if time.monotonic() >= give_up:
            raise _busy(path)
        if left is not None and remaining > left and step < _LARGEST_STEP:
            raise _ChangedError
        left = remaining

    try:
        page_size = _page_size(path)
        uri = path.absolute().as_uri() + "?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=0)) as source:
            source.backup(database, pages=max(1, step // page_size), progress=watch, sleep=_PAUSE)
    except _ChangedError:
        return False
    except (sqlite3.Error, OSError) as error:
        raise _NotYetError(_explain(path, error)) from error
    return True


class _ChangedError(Exception):
    """The file was written to while it was being copied."""


def _page_size(path: Path) -> int:
    with path.open("rb") as file:
        size = int.from_bytes(file.read(18)[16:18], "big")
    return 65536 if size <= 1 else size


def _check_header(path: Path) -> float:
    """Look at the file before SQLite does, and give its time of modification."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            what = "a folder" if stat.S_ISDIR(found.st_mode) else "not a regular file"
            raise _foreign(path, f"it is {what}")
        with path.open("rb") as file:
            header = file.read(_HEADER_SIZE)
    except OSError as error:
        raise _NotYetError(_explain(path, error)) from error
    if not header:
        raise _NotYetError(
            DataFileError(
                DataFileProblem.EMPTY,
                f"{path} is empty: a run is about to write it, or was stopped before it did. "
                "Run the tests under coverage again.",
            )
        )
    if header.startswith(_COVERAGE_4):
        raise DataFileError(
            DataFileProblem.OLDER,
            f"{path} is in the format of coverage.py 4 and before. "
            "Run the tests again with coverage.py 5 or later.",
        )
    if not header.startswith(_SQLITE_MAGIC):
        raise _NotYetError(_foreign(path, "it is not a SQLite database"))
    if len(header) < _HEADER_SIZE:
        raise _NotYetError(_damaged(path, "it ends within its header"))
    if _WRITE_AHEAD in header[18:20]:
        # Reading such a file, even read-only, leaves two files beside it.
        raise _foreign(path, "it was put into SQLite's write-ahead mode")
    return found.st_mtime


def _check_schema(path: Path, version: object) -> None:
    if not isinstance(version, int):
        raise _NotYetError(_foreign(path, "it does not say the version of its schema"))
    if version > SCHEMA:
        raise DataFileError(
            DataFileProblem.NEWER,
            f"{path} was written by a newer coverage.py: its schema is {version}, and this covls "
            f"knows {SCHEMA}. Upgrade covls and the coverage.py beside it.",
        )
    if version < SCHEMA:
        raise DataFileError(
            DataFileProblem.OLDER,
            f"{path} was written by an old coverage.py: its schema is {version} instead of "
            f"{SCHEMA}. Run the tests again with a current coverage.py.",
        )


def _explain(path: Path, error: sqlite3.Error | OSError) -> DataFileError:
    """The one clear message for what the system or SQLite said about the file."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return DataFileError(
            DataFileProblem.MISSING,
            f"{path} does not exist: nothing was measured yet, or the data is written elsewhere. "
            "Run the tests under coverage.",
        )
    if isinstance(error, OSError):
        return _unreadable(path, error.strerror or str(error))
    code = getattr(error, "sqlite_errorcode", 0)
    match code & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return _busy(path)
        case sqlite3.SQLITE_NOTADB:
            return _foreign(path, "it is not a SQLite database")
        case sqlite3.SQLITE_READONLY:
            return DataFileError(
                DataFileProblem.JOURNAL,
                f"{path} was being written when its writer was stopped: {path.name}-journal still "
                "lies beside it. Run `coverage erase` and the tests again.",
            )
        case sqlite3.SQLITE_FULL:
            return DataFileError(
                DataFileProblem.NO_ROOM,
                f"{path} could not be copied: there is no room left in the temporary folder. "
                "Make room there, or point TMPDIR elsewhere.",
            )
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            if not os.path.lexists(path):
                return _explain(path, FileNotFoundError())
            return _unreadable(path, str(error))
    return _damaged(path, error)


def _busy(path: Path) -> DataFileError:
    return DataFileError(
        DataFileProblem.BUSY,
        f"{path} is being written by another process. "
        "It is read again as soon as that has ended; if none is running, stop what locks it.",
    )


def _unreadable(path: Path, why: str) -> DataFileError:
    return DataFileError(
        DataFileProblem.PERMISSION,
        f"{path} cannot be opened: {why}. Give yourself the right to read it.",
    )


def _foreign(path: Path, why: str) -> DataFileError:
    return DataFileError(
        DataFileProblem.FOREIGN,
        f"{path} is not a data file of coverage.py: {why}. "
        "Run the tests under coverage again, or name the right file.",
    )


def _damaged(path: Path, why: object) -> DataFileError:
    return DataFileError(
        DataFileProblem.TRUNCATED,
        f"{path} is damaged ({why}): its writer was stopped, or it was copied while it grew. "
        "Run `coverage erase` and the tests again.",
    )
