"""Schema 1: paths, records of files, and runs."""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None

COUNTS = (
    "n_files",
    "n_statements",
    "n_excluded",
    "n_missing",
    "n_branches",
    "n_partial_branches",
    "n_missing_branches",
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "covls_path",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("path", sa.Text, nullable=False, unique=True),
    )
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "covls_record",
        sa.Column("id", number, primary_key=True, autoincrement=False),
        sa.Column("path_id", sa.Integer, nullable=False, index=True),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        *(sa.Column(name, sa.Integer, nullable=False) for name in COUNTS),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "covls_run",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("commit_id", sa.Text, nullable=False),
        sa.Column("flags", sa.Text, nullable=False),
        sa.Column("parents", sa.Text, nullable=False),
        sa.Column("branch", sa.Text),
        sa.Column("authored", sa.BigInteger, nullable=False, index=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("recorded", sa.BigInteger, nullable=False),
        sa.Column("clean", sa.Boolean, nullable=False),
        sa.Column("versions", sa.Text, nullable=False),
        sa.Column("has_branches", sa.Boolean, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in COUNTS),
        sa.Column("records", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("commit_id", "flags"),
    )
    if op.get_bind().dialect.name == "postgresql":
        # Not compressed, so that four bytes can be cut out without reading all; the contents of
        # records are compressed already.
        op.execute("ALTER TABLE covls_run ALTER COLUMN records SET STORAGE EXTERNAL")
        op.execute("ALTER TABLE covls_record ALTER COLUMN content SET STORAGE EXTERNAL")
