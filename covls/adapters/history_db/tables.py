"""The tables of a history.

What was found in one file is a *record*, stored once however many runs found the same. A *path*
has a small number, and a run's `records` are four bytes a path, in the order of those numbers: the
number of the record, 0 where the file is not in the run. So a run of thousands of files is one row,
and one file of thousands of runs is four bytes cut out of each row.

Times are microseconds since 1970 in UTC, the same on every database.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMAS: Final = ("1", "2")
"""All schemas that there were, the last one being today's; each is a migration."""

SCHEMA_TABLE: Final = "covls_schema"

COUNTS: Final = (
    "n_files",
    "n_statements",
    "n_excluded",
    "n_missing",
    "n_branches",
    "n_partial_branches",
    "n_missing_branches",
)
"""The fields of Totals, in their order."""

metadata = MetaData()

paths = Table(
    "covls_path",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("path", Text, nullable=False, unique=True),
)

records = Table(
    "covls_record",
    metadata,
    Column(
        "id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False
    ),
    Column("path_id", Integer, nullable=False, index=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    *(Column(name, Integer, nullable=False) for name in COUNTS),
    Column("content", LargeBinary, nullable=False),
)

runs = Table(
    "covls_run",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("commit_id", Text, nullable=False),
    Column("flags", Text, nullable=False),  # sorted, commas between them
    Column("parents", Text, nullable=False),  # spaces between them
    Column("branch", Text),
    Column("authored", BigInteger, nullable=False, index=True),
    Column("subject", Text, nullable=False),
    Column("recorded", BigInteger, nullable=False),
    Column("clean", Boolean, nullable=False),
    Column("versions", Text, nullable=False),  # JSON
    Column("has_branches", Boolean, nullable=False),
    *(Column(name, Integer, nullable=False) for name in COUNTS),
    # Last, so that SQLite need not read past it for the others.
    Column("records", LargeBinary, nullable=False),
    UniqueConstraint("commit_id", "flags"),
)

alerts = Table(
    "covls_alert",
    metadata,
    Column("event", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
)

artifacts = Table(
    "covls_artifact",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("commit_id", Text, nullable=False),
    Column("flags", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("stored", BigInteger, nullable=False),
    UniqueConstraint("commit_id", "flags", "name"),
)

artifact_parts = Table(
    "covls_artifact_part",
    metadata,
    Column("artifact_id", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)
