"""Schema 2: what was told of alerts, and what CI leaves for others to fetch."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "covls_alert",
        sa.Column("event", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "covls_artifact",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("commit_id", sa.Text, nullable=False),
        sa.Column("flags", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("stored", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("commit_id", "flags", "name"),
    )
    op.create_table(
        "covls_artifact_part",
        sa.Column("artifact_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
