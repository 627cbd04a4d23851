"""Where a history is kept, as settings and the environment say."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from covls.core.settings import Settings

VARIABLE: Final = "COVLS_HISTORY_URL"

_FOLDER: Final = ".covls"
_FILE: Final = "history.sqlite"
_URL = re.compile(r"(?P<kind>[a-z0-9+]+)://(?P<rest>.*)", re.DOTALL)
_POSTGRESQL: Final = ("postgresql", "postgres", "postgresql+psycopg")


class HistoryError(Exception):
    """A history cannot be had, read or written: one clear sentence, or two."""


class NoHistoryError(HistoryError):
    """There is no history, or nothing of what was asked for is in it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A database: a SQLite file, or the URL of a PostgreSQL."""

    file: Path | None
    url: str
    """As SQLAlchemy has it; "" for a file."""
    ours: bool = False
    """Whether it is the file that covls keeps beside the project."""

    def __str__(self) -> str:
        """As people are told of it, without a password."""
        if self.file is not None:
            return str(self.file)
        return re.sub(r"//([^/@:]*):[^@/]*@", r"//\1:***@", self.url.partition("?")[0])


def history_place(
    root: Path, settings: Settings, environment: Mapping[str, str], *, trusted: bool = True
) -> Place:
    """Where a root's history is. Raises HistoryError for a URL that nothing can be done with."""
    given = environment.get(VARIABLE) or settings.history.url
    if not given:
        return Place(root / _FOLDER / _FILE, "", ours=True)
    if not environment.get(VARIABLE) and not trusted:
        raise HistoryError(
            "`history.url` names a database, which is not gone to where the workspace is not "
            "trusted."
        )
    found = _URL.fullmatch(given.strip())
    if found is None:
        raise HistoryError(
            "The history's URL is none: such a one is sqlite:///history.sqlite or "
            "postgresql+psycopg://user@host/database."
        )
    kind, rest = found["kind"], found["rest"]
    if kind in _POSTGRESQL:
        return Place(None, f"postgresql+psycopg://{rest}")
    if kind != "sqlite":
        raise HistoryError(f"A history is kept in sqlite or postgresql+psycopg, not in {kind}.")
    name = rest.removeprefix("/")
    if not rest.startswith("/") or not name or "?" in name or name.startswith((":", "file:")):
        raise HistoryError(
            "A history's SQLite URL has three slashes and the path of a file, four where it begins "
            "at the top: sqlite:///history.sqlite."
        )
    return Place(root / name, "")
