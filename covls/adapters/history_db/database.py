"""One database: connections to it, who may write, and what went wrong in words."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from covls.adapters.history_db.place import HistoryError, Place

SECONDS_TO_WAIT: Final = 120.0
"""How long somebody else's writing is waited for."""

SECONDS_TO_CONNECT: Final = 15

_LOCK: Final = 0x636F766C73  # "covls", in letters: who writes to a history holds this one.
_WRITES: Final = "covls_writes"
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Database:
    """A database that is open, for any number of threads."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.read_only = False
        self._engine = self._sqlite(place.file) if place.file else self._postgresql(place.url)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file."""
        return self.place.file is not None

    def close(self) -> None:
        """Let go of it."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A look at what is there at one moment. Raises HistoryError."""
        with self._told("read"), self._engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A change, whole or not at all; one writes at a time. Raises HistoryError."""
        with self._told("written"), self._engine.connect() as connection:
            connection = connection.execution_options(**{_WRITES: True})
            with connection.begin():
                if not self.is_sqlite:
                    wait = f"SET LOCAL lock_timeout = '{SECONDS_TO_WAIT:.0f}s'"
                    connection.execute(text(wait))
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                yield connection

    def compact(self) -> None:
        """Give free room back to the disk. PostgreSQL's own housekeeping does it there."""
        if self.place.file is not None:
            try:
                with closing(sqlite3.connect(self.place.file, timeout=SECONDS_TO_WAIT)) as file:
                    file.execute("VACUUM")
            except sqlite3.Error as error:
                raise HistoryError(f"{self.place} was not made smaller: {error}.") from error

    def _sqlite(self, file: Path) -> Engine:
        def connect() -> sqlite3.Connection:
            # Also who only reads may have to take back what a process that was killed has begun.
            mode = "rw" if self.read_only else "rwc"
            uri = f"{file.absolute().as_uri()}?mode={mode}"
            # Any thread may use it, one after another; SQLAlchemy sees to that. Transactions are
            # begun below.
            opened = sqlite3.connect(
                uri,
                uri=True,
                timeout=SECONDS_TO_WAIT,
                isolation_level=None,
                check_same_thread=False,
            )
            # A file that came with somebody's repository may define what it likes.
            opened.execute("PRAGMA trusted_schema = OFF")
            if self.read_only:
                opened.execute("PRAGMA query_only = ON")
            return opened

        engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool)

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            writes = connection.get_execution_options().get(_WRITES)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

        return engine

    def _postgresql(self, url: str) -> Engine:
        arguments: dict[str, Any] = {"application_name": "covls"}
        if "connect_timeout" not in url:
            arguments["connect_timeout"] = SECONDS_TO_CONNECT
        try:
            return create_engine(url, connect_args=arguments, pool_size=1, pool_pre_ping=True)
        except (SQLAlchemyError, ValueError) as error:
            raise HistoryError(f"The history's URL is none: {error}") from error

    @contextmanager
    def _told(self, done: str) -> Iterator[None]:
        """Turn what a database says into words for people."""
        try:
            yield
        except DBAPIError as error:
            raise HistoryError(self._words(error, done)) from error
        except (SQLAlchemyError, OSError) as error:
            raise HistoryError(f"{self.place} cannot be {done}: {error}") from error

    def _words(self, error: DBAPIError, done: str) -> str:
        said = " ".join(str(error.orig).split())
        start = f"The history in {self.place} cannot be {done}"
        nothing = " Nothing of it was changed." if done == "written" else ""
        for sign, why in (
            ("locked", f"others have written to it for {SECONDS_TO_WAIT:.0f} seconds."),
            ("lock timeout", f"others have written to it for {SECONDS_TO_WAIT:.0f} seconds."),
            ("disk is full", "the disk is full."),
            ("No space left", "its disk is full."),
            ("readonly", "it is read-only here."),
            ("permission denied", f"{said}."),
            ("unable to open", "the file or its folder cannot be opened, or not written to."),
            ("not a database", "it is no SQLite database, or damaged."),
            ("malformed", "the file is damaged."),
        ):
            if sign in said:
                return f"{start}: {why}{nothing}"
        return f"{start}: {said}.{nothing}"


def microseconds(moment: datetime) -> int:
    """A moment as the tables have it."""
    return (moment.astimezone(UTC) - _START) // timedelta(microseconds=1)


def moment_of(number: int) -> datetime:
    """A moment from the tables, in UTC."""
    return _START + timedelta(microseconds=number)


def now() -> datetime:
    """What time it is, in UTC."""
    return datetime.now(UTC)
