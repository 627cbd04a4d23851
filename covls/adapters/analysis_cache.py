"""Analyses kept on disk in the user's cache folder, so that no text is analysed twice.

One SQLite file: it holds thousands of small values with one file to open, several processes may
use it at once, and what stands in it is data that nothing runs. It keeps no write-ahead log,
which needs shared memory and so a local disk, where a home folder may be on the network. It is
never waited for: whatever goes wrong, a value is just not there, and is computed anew. A file
that is damaged is replaced; one that is deleted while open is noticed at the next write.
"""

import contextlib
import hashlib
import math
import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import platformdirs

_FORMAT: Final = 1
_FILE: Final = f"analyses-{_FORMAT}.sqlite"
_DAY: Final = 24 * 60 * 60
_BATCH: Final = 64
_BUSY_SECONDS: Final = 0.25
_PAUSE_SECONDS: Final = 5.0
_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS analysis (
        key BLOB PRIMARY KEY,
        used INTEGER NOT NULL,
        body BLOB NOT NULL
    );
    CREATE INDEX IF NOT EXISTS analysis_by_use ON analysis (used);
"""


def cache_folder() -> Path:
    """Return the folder for what covls can compute anew: COVLS_CACHE_DIR, or the user's cache."""
    if named := os.environ.get("COVLS_CACHE_DIR"):
        return Path(named).absolute()
    return platformdirs.user_cache_path("covls", appauthor=False)


def key_of(*parts: bytes) -> bytes:
    """The hash of all that a value depends on; no two lists of parts give the same text."""
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "little"))
        found.update(part)
    return found.digest()


class AnalysisCache:
    """JSON by key, bounded, the longest unused thrown out first. Thread-safe; never raises.

    When a value was last used is known to the day, so that reading writes next to nothing.
    """

    def __init__(self, folder: Path | None = None, *, max_mb: float = 256) -> None:
        self._path = (folder or cache_folder()) / _FILE
        self._max_bytes = max_mb * 1024 * 1024
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        # On a clock that never goes back: when to try again after a failure.
        self._unusable_until = 0.0 if max_mb > 0 else math.inf
        self._new: dict[bytes, bytes] = {}
        self._used: set[bytes] = set()
        self._today = int(time.time() // _DAY)

    def get(self, key: bytes) -> bytes | None:
        """The JSON kept under a key, None where there is none."""
        with self._lock:
            if key in self._new:
                return zlib.decompress(self._new[key])
            row = None
            with self._forgiving():
                if connection := self._opened():
                    row = connection.execute(
                        "SELECT body, used FROM analysis WHERE key = ?", (key,)
                    ).fetchone()
            if row is None:
                return None
            if row[1] != self._today:
                self._used.add(key)
        try:
            return zlib.decompress(row[0])
        except (zlib.error, TypeError):
            # What the disk gave back is not what was written: the checksum says so.
            self.forget(key)
            return None

    def put(self, key: bytes, value: bytes) -> None:
        """Keep JSON under a key. It is on disk after `flush`, or when enough of it came up."""
        body = zlib.compress(value, 1)
        with self._lock:
            if self._unusable_until == math.inf:
                return
            self._new[key] = body
            full = len(self._new) >= _BATCH
        if full:
            self.flush()

    def forget(self, key: bytes) -> None:
        """Drop what turned out to be of no use."""
        with self._lock:
            self._new.pop(key, None)
            with self._forgiving():
                if connection := self._opened():
                    with connection:
                        connection.execute("DELETE FROM analysis WHERE key = ?", (key,))

    def flush(self) -> None:
        """Write what is new."""
        with self._lock:
            self._today = int(time.time() // _DAY)
            if not (self._new or self._used):
                return
            with self._forgiving():
                if self._moved():
                    self._close()
                if connection := self._opened():
                    with connection:
                        connection.executemany(
                            "UPDATE analysis SET used = ? WHERE key = ?",
                            [(self._today, key) for key in self._used],
                        )
                        connection.executemany(
                            "INSERT OR REPLACE INTO analysis (key, used, body) VALUES (?, ?, ?)",
                            [(key, self._today, body) for key, body in self._new.items()],
                        )
                    self._shrink(connection)
            # What could not be written is given up: the disk may stay full for long.
            self._new.clear()
            self._used.clear()

    def close(self) -> None:
        """Write what is new, and let go of the file."""
        self.flush()
        with self._lock:
            self._close()
            self._unusable_until = math.inf

    def _opened(self) -> sqlite3.Connection | None:
        if self._connection is None and time.monotonic() >= self._unusable_until:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, check_same_thread=False)
            try:
                # Losing this file costs nothing, so that no write waits for the disk.
                connection.execute("PRAGMA synchronous = OFF")
                # Nothing is written to a file that has its tables: it may be read-only.
                if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    # So that room given up goes back to the disk.
                    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
                    connection.executescript(_SCHEMA)
                connection.execute("SELECT key, used, body FROM analysis LIMIT 1").fetchone()
                status = self._path.stat()
            except BaseException:
                connection.close()
                raise
            self._identity = (status.st_dev, status.st_ino)
            self._connection = connection
        return self._connection

    def _moved(self) -> bool:
        """Whether the open file is no longer the one at its path."""
        if self._connection is None:
            return False
        try:
            status = self._path.stat()
        except OSError:
            return True
        return (status.st_dev, status.st_ino) != self._identity

    def _shrink(self, connection: sqlite3.Connection) -> None:
        """Throw out the longest unused until a fifth of the room is free, if it is used up."""

        def pragma(name: str) -> int:
            (value,) = connection.execute(f"PRAGMA {name}").fetchone()
            return int(value)

        size = pragma("page_size")
        used = (pragma("page_count") - pragma("freelist_count")) * size
        if used <= self._max_bytes:
            return
        excess = used - 0.8 * self._max_bytes
        with connection:
            (rows,) = connection.execute("SELECT count(*) FROM analysis").fetchone()
            connection.execute(
                "DELETE FROM analysis WHERE rowid IN "
                "(SELECT rowid FROM analysis ORDER BY used, rowid LIMIT ?)",
                (max(1, int(rows * excess / used) + 1),),
            )
        # `execute` would take one step of it, which gives back one page.
        connection.executescript("PRAGMA incremental_vacuum")

    @contextlib.contextmanager
    def _forgiving(self) -> Iterator[None]:
        """Do without the cache where it fails; replace it where it is damaged."""
        try:
            yield
        except (sqlite3.OperationalError, OSError):
            # Busy, full, read-only, not permitted: it may pass, and must not be waited for.
            self._close()
            self._unusable_until = time.monotonic() + _PAUSE_SECONDS
        except sqlite3.DatabaseError:
            self._close()
            # The journal first: it belongs to the damaged file, and would damage the next.
            for path in (self._path.with_name(f"{_FILE}-journal"), self._path):
                with contextlib.suppress(OSError):
                    path.unlink()

    def _close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
