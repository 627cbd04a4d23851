"""How Alembic comes to the database: by the connection of `covls.adapters.history_db.schema`."""

from alembic import context

from covls.adapters.history_db.tables import SCHEMA_TABLE

# The transaction is the caller's: with the lock, and with all migrations or none.
context.configure(connection=context.config.attributes["connection"], version_table=SCHEMA_TABLE)
context.run_migrations()
