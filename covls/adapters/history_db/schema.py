"""Which schema a database has, and how it gets today's."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from covls.adapters.history_db.database import Database
from covls.adapters.history_db.place import HistoryError, NoHistoryError
from covls.adapters.history_db.tables import SCHEMA_TABLE, SCHEMAS

_MIGRATIONS: Final = Path(__file__).with_name("migrations")


def prepare(database: Database, *, migrates: bool, creates: bool) -> None:
    """See to it that a database has today's schema.

    Raises NoHistoryError where there is no history in it and none is to be made, HistoryError
    where it has a schema that is not known, or an older one that must stay.
    """
    if database.is_sqlite and creates:
        _make_folder(database)
    with database.reading() as connection:
        found = _schema(connection)
    if found == SCHEMAS[-1]:
        return
    _check(database, found, migrates=migrates, creates=creates)
    with database.writing() as connection:
        # Somebody else may have done it meanwhile.
        found = _schema(connection)
        if found == SCHEMAS[-1]:
            return
        _check(database, found, migrates=migrates, creates=creates)
        if found is None and database.is_sqlite and inspect(connection).get_table_names():
            raise HistoryError(f"{database.place} is a database of something else than a history.")
        if found is not None and database.place.file is not None:
            _back_up(database.place.file, found)
        _migrate(connection)


def _schema(connection: Connection) -> str | None:
    """The schema of a database, None where there is none."""
    if not inspect(connection).has_table(SCHEMA_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {SCHEMA_TABLE}")).scalar()  # noqa: S608
    return None if found is None else str(found)


def _check(database: Database, found: str | None, *, migrates: bool, creates: bool) -> None:
    if found is None:
        if not creates:
            raise NoHistoryError(f"There is no history yet in {database.place}.")
    elif found not in SCHEMAS:
        raise HistoryError(
            f"The history in {database.place} has schema {found}, and this covls knows "
            f"{SCHEMAS[-1]}: a newer covls has written it. Update covls."
        )
    elif not migrates:
        raise HistoryError(
            f"The history in {database.place} has schema {found}, that of an older covls. "
            "`covls history list` brings it up to date."
        )


def _make_folder(database: Database) -> None:
    """The folder of a file; the one that covls keeps beside a project is ignored by git."""
    file = database.place.file
    assert file is not None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        ignore = file.parent / ".gitignore"
        if database.place.ours and not ignore.exists():
            ignore.write_text("*\n", "utf-8")
    except OSError as error:
        raise HistoryError(
            f"The history's folder {file.parent} cannot be written to: {error.strerror}."
        ) from error


def _back_up(file: Path, schema: str) -> None:
    """Copy a database as it is, beside it: its writer's lock is ours."""
    backup = file.with_name(f"{file.name}.schema-{schema}")
    unfinished = backup.with_name(f"{backup.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        with (
            closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(unfinished)) as copy,
        ):
            source.backup(copy)
        unfinished.replace(backup)
    except (OSError, sqlite3.Error) as error:
        raise HistoryError(
            f"The history was not brought up to date, as a copy of {file} could not be kept "
            f"before: {error}"
        ) from error


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
