"""A snapshot written as one data file of coverage.py's, in a folder of covls's own."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import coverage
from coverage.sqldata import SCHEMA, SCHEMA_VERSION

from covls.adapters.combination import add_rows
from covls.adapters.snapshot import SCHEMA as KNOWN_SCHEMA
from covls.adapters.snapshot import Snapshot


def write_combined(snapshot: Snapshot, path: Path, names: Mapping[str, str]) -> None:
    """Write all that a snapshot holds to a new file.

    `names` are other names of measured paths; those that are not in it keep theirs, and no two may
    get one. Nothing goes along of the machine and the command line that the data came from. Raises
    sqlite3.Error, where there is no room, too.
    """
    assert SCHEMA_VERSION == KNOWN_SCHEMA, "the tests run with this coverage.py"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = off")
        database.execute("PRAGMA synchronous = off")
        known: dict[int, str] = {}
        with snapshot.stores() as stores:
            first, *others = stores
            own = {number: name for name, ids in first.files.items() for number in ids}
            if len(set(own.values())) == len(own):
                # As a whole, which is much quicker than row by row.
                first.database.backup(database)
                known = own
            else:
                # Several measured files have become one, and their rows, too, have to.
                database.executescript(SCHEMA)
                others = [first, *others]
            for store in others:
                files = {number: name for name, ids in store.files.items() for number in ids}
                add_rows(database, known, store.database, files)
        database.execute("BEGIN")
        for table in ("tracer", "file", "meta", "coverage_schema"):
            database.execute(f"DELETE FROM {table}")  # noqa: S608  # Names of our own.
        database.execute("INSERT INTO coverage_schema (version) VALUES (?)", (SCHEMA_VERSION,))
        version = snapshot.coverage_version or coverage.__version__
        database.executemany(
            "INSERT INTO meta (key, value) VALUES (?, ?)",
            [("version", version), ("has_arcs", str(int(snapshot.has_arcs)))],
        )
        database.executemany(
            "INSERT INTO file (id, path) VALUES (?, ?)",
            [(number, names.get(name, name)) for number, name in known.items()],
        )
        database.executemany(
            "INSERT INTO tracer (file_id, tracer) VALUES (?, ?)",
            [
                (number, tracer)
                for number, name in known.items()
                if (tracer := snapshot.tracer(name))
            ],
        )
        database.execute("COMMIT")
