"""Whose turn it is to run a root's tests: that of one process, be it a server or a command."""

import contextlib
import hashlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from covls.adapters.analysis_cache import cache_folder

RUN_OF: Final = "COVLS_RUN_OF"
"""What tests are told: of which root they are run. Where one of them runs covls on that root, it
would wait for itself."""

_FOLDER: Final = "turns"
_SECONDS_BETWEEN_LOOKS: Final = 0.1


@contextlib.contextmanager
def turn(
    root: Path, cancelled: threading.Event | None = None, on_wait: Callable[[], None] = lambda: None
) -> Iterator[bool]:
    """Have the turn, once whoever has it has ended, in whatever way.

    `on_wait` is called where there is somebody to wait for. Yields False where it was cancelled
    meanwhile. Where there is no cache folder to write to, nobody waits.
    """
    cancelled = cancelled or threading.Event()
    name = hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:32]
    with contextlib.ExitStack() as open_here:
        database = None
        if os.environ.get(RUN_OF) != str(root):
            with contextlib.suppress(OSError, sqlite3.Error):
                folder = cache_folder() / _FOLDER
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                # Its lock goes with the process that has it.
                database = sqlite3.connect(
                    folder / f"{name}.sqlite", timeout=0, isolation_level=None
                )
                open_here.enter_context(contextlib.closing(database))
        waits = database is not None and not _locks(database)
        if waits and not cancelled.is_set():
            on_wait()
        while waits and not cancelled.wait(_SECONDS_BETWEEN_LOOKS):
            assert database is not None, "there is something to wait for"
            waits = not _locks(database)
        yield not waits


def _locks(database: sqlite3.Connection) -> bool:
    """Whether the lock is this process's now, or cannot be had by anybody."""
    try:
        database.execute("PRAGMA journal_mode = memory")
        database.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    except sqlite3.DatabaseError:
        return True
    return True
