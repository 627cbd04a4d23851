"""Databases of every schema that there was, of newer ones, and of somebody else's."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from covls.adapters.history_db import HistoryError, Mode, NoHistoryError, open_history
from covls.adapters.history_db.database import Database
from covls.adapters.history_db.place import Place, history_place
from covls.adapters.history_db.tables import SCHEMA_TABLE, SCHEMAS, metadata
from covls.core.history import total
from covls.core.settings import History as HistorySettings
from covls.core.settings import Settings
from tests.adapters.history_db.synthetic import START, commit, file
from tests.history_databases import KINDS

OLD = SCHEMAS[:-1]


def settings(url: str) -> Settings:
    """Those that name a database."""
    return Settings(history=HistorySettings(url))


def place_of(url: str) -> Place:
    """Where the database of a URL is."""
    return history_place(Path("/nowhere"), settings(url), {})


def run_dump(url: str, dump: Path) -> None:
    """Put a dump into an empty database, by its own driver."""
    place = place_of(url)
    statements = dump.read_text("utf-8")
    if place.file is not None:
        with closing(sqlite3.connect(place.file)) as database:
            database.executescript(statements)
        return
    import psycopg

    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute(statements.encode())


@pytest.fixture(params=[(kind, schema) for kind in KINDS for schema in OLD])
def old_url(request: pytest.FixtureRequest, new_history_url: Callable[[str], str]) -> str:
    """The URL of a database of each old schema, with two runs."""
    kind, schema = request.param
    url = new_history_url(kind)
    run_dump(url, Path(__file__).with_name(f"schema_{schema}.{kind}.sql"))
    return url


def test_an_old_history_is_brought_up_to_date_with_all_that_is_in_it(old_url: str) -> None:
    """Of a file a copy is kept as it was."""
    for mode in ("use", "read"):
        with open_history(Path("/nowhere"), settings(old_url), mode=mode) as history:
            second, first = history.runs()
            assert (first.commit, first.flags) == (commit(1), ("linux", "py312"))
            assert first.recorded == second.recorded == START
            assert history.files(first) == {"a.py": file("a.py"), "b/ü.py": file("b/ü.py", (1,))}
            assert history.files(second) == {"a.py": file("a.py"), "c.py": file("c.py")}
            assert second.totals == total(history.files(second).values())
            assert history.artifacts.list() == []
            assert history.alerts.all() == []
    path = place_of(old_url).file
    if path is not None:
        with closing(sqlite3.connect(path.with_name(f"{path.name}.schema-1"))) as copy:
            assert copy.execute(f"SELECT * FROM {SCHEMA_TABLE}").fetchall() == [("1",)]
            assert copy.execute("SELECT count(*) FROM covls_run").fetchall() == [(2,)]
        assert len(list(path.parent.iterdir())) == 2


def test_who_may_only_read_leaves_an_old_history_as_it_is(old_url: str) -> None:
    """And says what brings it up to date."""
    for _ in range(2):
        with pytest.raises(HistoryError, match=r"has schema 1, .*`covls history list`"):
            open_history(Path("/nowhere"), settings(old_url), mode="read")


def test_an_old_history_that_several_open_is_brought_up_to_date_once(old_url: str) -> None:
    """The others wait for the one."""
    found: list[int] = []

    def look() -> None:
        with open_history(Path("/nowhere"), settings(old_url)) as history:
            found.append(len(history.runs()))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [2] * 4


def test_the_tables_are_those_that_the_migrations_make(history_url: str) -> None:
    """Column by column: what the code asks of is there."""
    open_history(Path("/nowhere"), settings(history_url), mode="write").close()
    database = Database(place_of(history_url))
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": SCHEMA_TABLE})
        assert compare_metadata(context, metadata) == []
    database.close()


@pytest.mark.parametrize("mode", ["read", "use", "write"])
def test_a_history_of_a_newer_covls_is_refused(history_url: str, mode: Mode) -> None:
    """And nothing of it is changed."""
    open_history(Path("/nowhere"), settings(history_url), mode="write").close()
    database = Database(place_of(history_url))
    with database.writing() as connection:
        connection.execute(text(f"UPDATE {SCHEMA_TABLE} SET version_num = '77'"))
    with pytest.raises(HistoryError, match=r"has schema 77, .* a newer covls has written it"):
        open_history(Path("/nowhere"), settings(history_url), mode=mode)
    database.close()


@pytest.mark.parametrize("mode", ["read", "use"])
def test_a_database_without_a_history(history_url: str, mode: Mode) -> None:
    """Is not made one by looking."""
    place = place_of(history_url)
    for _ in range(2):
        with pytest.raises(NoHistoryError, match="There is no history yet"):
            open_history(Path("/nowhere"), settings(history_url), mode=mode)
        if place.file is not None:
            assert not place.file.exists()


def test_somebody_elses_file_is_left_alone(tmp_path: Path) -> None:
    """Such as coverage's own data, or what is no database."""
    path = tmp_path / "data"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE meta (key)")
    before = path.read_bytes()
    with pytest.raises(HistoryError, match="is a database of something else than a history"):
        open_history(tmp_path, settings("sqlite:///data"), mode="write")
    assert path.read_bytes() == before
    path.write_bytes(b"no database, whatever it is called " * 40)
    with pytest.raises(HistoryError, match="it is no SQLite database, or damaged"):
        open_history(tmp_path, settings("sqlite:///data"), mode="write")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("history.sqlite", "is none: such a one is"),
        ("sqlite://", "has three slashes"),
        ("sqlite:///:memory:", "has three slashes"),
        ("sqlite:///file:x?mode=memory&uri=true", "has three slashes"),
        ("mysql://somewhere/coverage", "not in mysql"),
        ("postgresql+psycopg://covls@host:port/coverage", "is none"),
    ],
)
def test_a_url_that_is_none(tmp_path: Path, url: str, words: str) -> None:
    """Is told with what it should be."""
    with pytest.raises(HistoryError, match=words):
        open_history(tmp_path, settings(url), mode="write")


def test_where_a_history_is(tmp_path: Path) -> None:
    """Passwords are nobody's business; the environment goes over the settings."""
    ours = tmp_path / ".covls/history.sqlite"
    assert history_place(tmp_path, Settings(), {}) == Place(ours, "", ours=True)
    named = history_place(tmp_path, settings("sqlite:///x/y.sqlite"), {})
    assert named == Place(tmp_path / "x/y.sqlite", "")
    given = {"COVLS_HISTORY_URL": "postgres://me:secret@db/coverage?sslmode=require"}
    place = history_place(tmp_path, settings("sqlite:///x.sqlite"), given, trusted=False)
    assert place.url == "postgresql+psycopg://me:secret@db/coverage?sslmode=require"
    assert str(place) == "postgresql+psycopg://me:***@db/coverage"
    with pytest.raises(HistoryError, match="where the workspace is not trusted"):
        history_place(tmp_path, settings("postgresql://db/coverage"), {}, trusted=False)
