"""A history in a database: a SQLite file beside the project, or a team's PostgreSQL.

SQLAlchemy, which takes longer to import than many commands take to answer, is imported when a
history is opened.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from covls.adapters.history_db.place import (
    HistoryError,
    NoHistoryError,
    Place,
    history_place,
)
from covls.core.settings import Settings

if TYPE_CHECKING:
    from covls.adapters.history_db.history import History

__all__ = [
    "HistoryError",
    "Mode",
    "NoHistoryError",
    "Place",
    "history_place",
    "open_history",
]

Mode = Literal["read", "use", "write"]
"""What may become of a history that is opened.

- `read`: nothing is written, created or migrated.
- `use`: one of an older schema is migrated; there has to be one.
- `write`: it is made where there is none.
"""


def open_history(
    root: Path, settings: Settings, *, mode: Mode = "use", trusted: bool = True
) -> "History":
    """The history of a root, to be closed.

    A database that a workspace's settings name is only gone to where the workspace is `trusted`.
    Raises NoHistoryError where there is none yet, and HistoryError where it cannot be had.
    """
    place = history_place(root, settings, os.environ, trusted=trusted)
    if mode != "write" and place.file is not None and not place.file.is_file():
        raise NoHistoryError(f"There is no history yet: {place} is not there.")
    try:
        from covls.adapters.history_db.history import History

        if place.file is None:
            import psycopg  # noqa: F401
    except ImportError as error:
        extra = "postgres" if error.name and error.name.startswith("psycopg") else "team"
        raise HistoryError(
            f"A history needs {error.name}, which is not installed here. It comes with "
            f'covls[{extra}]: python -m pip install "covls[{extra}]"'
        ) from error
    history = History(place)
    try:
        history.prepare(mode)
    except BaseException:
        history.close()
        raise
    return history
