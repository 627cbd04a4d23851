"""A SQLite file in the user's cache folder that may be deleted, damaged, full or busy at any time.

It is opened for each look and each change, so that several servers share it. What goes wrong with
it makes it forgetful, and is never an error.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

SECONDS_TO_READ: Final = 0.25
SECONDS_TO_WRITE: Final = 5.0
"""How long a database that another server writes to is waited for."""

Answer = TypeVar("Answer")


class CacheDatabase:
    """One such file, with the statements that make its tables. Thread-safe; never raises."""

    def __init__(self, path: Path, schema: str) -> None:
        self._path = path
        self._schema = schema
        self._lock = threading.Lock()

    def ask(
        self,
        question: Callable[[sqlite3.Connection], Answer],
        otherwise: Answer,
        seconds: float = SECONDS_TO_READ,
    ) -> Answer:
        """What the database says, `otherwise` where there is none, or none to be had now."""
        answer = otherwise
        if self._path.exists():
            with self._forgiving(), contextlib.closing(self._open(seconds)) as database:
                answer = question(database)
        return answer

    def change(self, *changes: Callable[[sqlite3.Connection], None]) -> None:
        """Make changes one after another, each whole or not at all, and give free room back."""
        with self._lock, self._forgiving():
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with contextlib.closing(self._open(SECONDS_TO_WRITE)) as database:
                # So that room given up goes back to the disk; of no effect later.
                database.execute("PRAGMA auto_vacuum = INCREMENTAL")
                database.executescript(self._schema)
                # What is in it may be nobody else's business.
                self._path.chmod(0o600)
                for change in changes:
                    with database:
                        change(database)
                (free,) = database.execute("PRAGMA freelist_count").fetchone()
                if free:
                    # `execute` would take one step of it, which gives back one page.
                    database.executescript("PRAGMA incremental_vacuum")

    def _open(self, seconds: float) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, timeout=seconds)
        try:
            # Losing this file costs little, so that no write waits for the disk.
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
            pass  # Busy, full, read-only, not permitted: it may pass.
        except sqlite3.DatabaseError:
            # The journal first: it belongs to the damaged file, and would damage the next.
            for path in (self._path.with_name(f"{self._path.name}-journal"), self._path):
                with contextlib.suppress(OSError):
                    path.unlink()


def used_bytes(database: sqlite3.Connection) -> int:
    """How much room a database takes, without what is free in it."""
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    (free,) = database.execute("PRAGMA freelist_count").fetchone()
    (size,) = database.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * size)
