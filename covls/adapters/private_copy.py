"""A SQLite file of the user's, copied into a database of our own without disturbing its writer.

The original is opened read-only, copied in short steps and closed. The copy is a temporary
database that belongs to this process alone: SQLite keeps it in a file, not in memory, and deletes
that file itself, whatever happens to us. coverage.py's own reader is never pointed at a user's
file: it writes, and under some orders of calls erases.
"""

import hashlib
import os
import sqlite3
import stat
import threading
import time
from collections import defaultdict
from contextlib import closing
from enum import StrEnum
from pathlib import Path

_HEADER_SIZE = 100
_MAGIC = b"SQLite format 3\0"
_WRITE_AHEAD = 2
_COVERAGE_4 = b"!coverage.py: This is a private format"

# Kilobytes of the copy that stay in memory. Larger gains nothing: the system caches the rest.
_CACHE = 2_000

# Bytes copied in one go, during which no one can write: 10 ms on an idle machine, 140 ms where four
# others want each core. A file that keeps changing makes a copy in small steps start over for
# ever, so each new start takes larger steps, up to some ten times that. A test run gives up after
# five seconds.
_FIRST_STEP = 8 << 20
_LARGEST_STEP = 64 << 20

# Seconds between two looks at a locked file.
PAUSE = 0.01

# Closing any handle on a file drops every lock that the process holds on it (that is POSIX's
# rule), so two readers in one process would undo each other's protection.
_gates: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


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
    """A data file that cannot be used: the message names it and says the way out.

    `passing` is set where a run that is just writing would explain it, so that a second look may
    find the file in order.
    """

    def __init__(self, kind: DataFileProblem, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.kind = kind
        self.passing = passing


class _ChangedError(Exception):
    """The file was written to while it was being copied."""


def open_private() -> sqlite3.Connection:
    """A new temporary database, for use from any thread but one at a time."""
    database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
    database.execute("PRAGMA journal_mode = off")
    database.execute("PRAGMA synchronous = off")
    database.execute(f"PRAGMA cache_size = -{_CACHE}")
    return database


def file_hash(path: Path) -> str:
    """The SHA-256 of a user's file in hexadecimal. Raises OSError."""
    with _gates[os.path.realpath(path.parent)], path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def copy_file(path: Path, give_up: float) -> tuple[sqlite3.Connection, os.stat_result]:
    """A private copy of the file, and what the file looked like before.

    Waits for its writers until `give_up`, a time of `time.monotonic()`. Raises DataFileError.
    """
    with _gates[os.path.realpath(path.parent)]:
        found, page_size = _look(path)
        step = _FIRST_STEP
        while True:
            # A copy that was broken off cannot be written over: it has no journal to go back by.
            database = open_private()
            try:
                if _copy(path, database, step // page_size, give_up, step < _LARGEST_STEP):
                    return database, found
            except BaseException:
                database.close()
                raise
            database.close()
            step = min(step * 4, _LARGEST_STEP)


def _copy(
    path: Path, database: sqlite3.Connection, pages: int, give_up: float, stop_on_change: bool
) -> bool:
    """Copy in steps of that many pages; False where the file changed on the way."""
    left: list[int] = []

    def watch(status: int, remaining: int, _total: int) -> None:
        if status != sqlite3.SQLITE_DONE and time.monotonic() >= give_up:
            raise busy(path)
        if status == sqlite3.SQLITE_OK:
            if stop_on_change and left and remaining > left[-1]:
                raise _ChangedError
            left[:] = [remaining]

    try:
        uri = path.absolute().as_uri() + "?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=0)) as source:
            source.backup(database, pages=pages, progress=watch, sleep=PAUSE)
    except _ChangedError:
        return False
    except sqlite3.Error as error:
        raise explain(path, error) from error
    return True


def _look(path: Path) -> tuple[os.stat_result, int]:
    """Look at the file before SQLite does: its state and the size of its pages."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            what = "a folder" if stat.S_ISDIR(found.st_mode) else "not a regular file"
            raise foreign(path, f"it is {what}")
        with path.open("rb") as file:
            header = file.read(_HEADER_SIZE)
    except OSError as error:
        raise explain(path, error) from error
    if not header:
        raise DataFileError(
            DataFileProblem.EMPTY,
            f"{path} is empty: a run is about to write it, or was stopped before it did. "
            "Run the tests under coverage again.",
            passing=True,
        )
    if header.startswith(_COVERAGE_4):
        raise DataFileError(
            DataFileProblem.OLDER,
            f"{path} is in the format of coverage.py 4 and before. "
            "Run the tests again with coverage.py 5 or later.",
        )
    if not header.startswith(_MAGIC[: len(header)]):
        raise foreign(path, "it is not a SQLite database")
    if len(header) < _HEADER_SIZE:
        raise damaged(path, "it ends within its header")
    if _WRITE_AHEAD in header[18:20]:
        # Reading such a file, even read-only, leaves two files beside it.
        raise foreign(path, "it was put into SQLite's write-ahead mode")
    page_size = int.from_bytes(header[16:18], "big")
    return found, 65536 if page_size <= 1 else page_size


def explain(path: Path, error: sqlite3.Error | OSError) -> DataFileError:
    """The one clear message for what the system or SQLite said about the file."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return DataFileError(
            DataFileProblem.MISSING,
            f"{path} does not exist: nothing was measured yet, or the data is written elsewhere. "
            "Run the tests under coverage.",
            passing=True,
        )
    if isinstance(error, OSError):
        return _unreadable(path, error.strerror or str(error))
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return busy(path)
        case sqlite3.SQLITE_NOTADB:
            return foreign(path, "it is not a SQLite database", passing=True)
        case sqlite3.SQLITE_READONLY:
            return DataFileError(
                DataFileProblem.JOURNAL,
                f"{path} was being written when its writer was stopped: {path.name}-journal still "
                "lies beside it. Run `coverage erase`, delete that journal, and run the tests "
                "again.",
                passing=True,
            )
        case sqlite3.SQLITE_FULL:
            return DataFileError(
                DataFileProblem.NO_ROOM,
                f"{path} could not be copied: there is no room left for temporary files. "
                "Make room, or point SQLITE_TMPDIR to a folder that has some.",
            )
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            if not os.path.lexists(path):
                return explain(path, FileNotFoundError())
            return _unreadable(path, str(error))
    return damaged(path, error)


def busy(path: Path) -> DataFileError:
    """Another process keeps writing the file, or keeps it locked."""
    return DataFileError(
        DataFileProblem.BUSY,
        f"{path} is being written by another process. "
        "It is read as soon as that has ended; if no tests are running, stop what locks it.",
    )


def foreign(path: Path, why: str, *, passing: bool = False) -> DataFileError:
    """The file is something else than coverage.py's data."""
    return DataFileError(
        DataFileProblem.FOREIGN,
        f"{path} is not a data file of coverage.py: {why}. "
        "Run the tests under coverage again, or name the right file.",
        passing=passing,
    )


def damaged(path: Path, why: object) -> DataFileError:
    """The file is a database that is cut off or spoilt."""
    return DataFileError(
        DataFileProblem.TRUNCATED,
        f"{path} is damaged ({why}): its writer was stopped, or it was copied while it grew. "
        "Run `coverage erase` and the tests again.",
        passing=True,
    )


def _unreadable(path: Path, why: str) -> DataFileError:
    return DataFileError(
        DataFileProblem.PERMISSION,
        f"{path} cannot be opened: {why}. Make it readable for yourself.",
        passing=True,
    )
