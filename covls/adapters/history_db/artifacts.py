"""What CI leaves in the database for others to fetch, in parts of bounded size."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select

from covls.adapters.history_db.database import Database, microseconds, moment_of, now
from covls.adapters.history_db.place import HistoryError, NoHistoryError
from covls.adapters.history_db.tables import artifact_parts, artifacts, runs
from covls.core.history import tidy_flags

_PART: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that was left, without its content."""

    commit: str
    flags: tuple[str, ...]
    name: str
    size: int
    """In bytes."""
    sha256: str
    """Of the content, in hexadecimal digits."""
    stored: datetime


class Artifacts:
    """The files that were left in a history."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, commit: str, name: str, content: bytes, flags: Iterable[str] = ()) -> Artifact:
        """Leave a file, in the place of one of the same name, whole or not at all."""
        text = ",".join(tidy_flags(flags))
        about = {
            "commit_id": commit,
            "flags": text,
            "name": name,
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "stored": microseconds(now()),
        }
        with self._database.writing() as connection:
            same = (
                (artifacts.c.commit_id == commit)
                & (artifacts.c.flags == text)
                & (artifacts.c.name == name)
            )
            _forget(connection, connection.execute(select(artifacts.c.id).where(same)).scalars())
            number = 1 + (connection.execute(select(func.max(artifacts.c.id))).scalar() or 0)
            connection.execute(insert(artifacts).values(id=number, **about))
            for part, first in enumerate(range(0, len(content), _PART)):
                values = {"number": part, "content": content[first : first + _PART]}
                connection.execute(insert(artifact_parts).values(artifact_id=number, **values))
            row = connection.execute(select(artifacts).where(artifacts.c.id == number)).one()
            return _artifact(row)

    def list(self, commit: str | None = None) -> "list[Artifact]":
        """All files, or those of a commit, the last that were left first."""
        asked = select(artifacts).order_by(artifacts.c.stored.desc(), artifacts.c.id.desc())
        if commit is not None:
            asked = asked.where(artifacts.c.commit_id == commit)
        with self._database.reading() as connection:
            return [_artifact(row) for row in connection.execute(asked)]

    def commits(self) -> set[str]:
        """The commits that something was left of."""
        with self._database.reading() as connection:
            return set(connection.execute(select(artifacts.c.commit_id).distinct()).scalars())

    def content(self, artifact: Artifact, at_most: int) -> bytes:
        """A file's content. Raises HistoryError where it is longer, damaged or gone."""
        if artifact.size > at_most:
            raise HistoryError(
                f"{artifact.name} of {artifact.commit[:12]} has {artifact.size} bytes, and no more "
                f"than {at_most} are taken."
            )
        content = bytearray()
        with self._database.reading() as connection:
            number = connection.execute(
                select(artifacts.c.id).where(
                    artifacts.c.commit_id == artifact.commit,
                    artifacts.c.flags == ",".join(artifact.flags),
                    artifacts.c.name == artifact.name,
                )
            ).scalar()
            if number is None:
                raise NoHistoryError(f"{artifact.name} of {artifact.commit[:12]} is gone.")
            parts = connection.execute(
                select(artifact_parts.c.content)
                .where(artifact_parts.c.artifact_id == number)
                .order_by(artifact_parts.c.number)
                .execution_options(yield_per=4)
            )
            for part in parts.scalars():
                content += part
                if len(content) > artifact.size:
                    break
        if hashlib.sha256(content).hexdigest() != artifact.sha256:
            raise HistoryError(
                f"{artifact.name} of {artifact.commit[:12]} is not what was left there: its "
                "checksum differs."
            )
        return bytes(content)


def forget_artifacts(connection: Connection, commits: Collection[str]) -> None:
    """Take away what was left of commits that have no run any more."""
    if commits:
        left = set(connection.execute(select(runs.c.commit_id).distinct()).scalars())
        rows = connection.execute(select(artifacts.c.id, artifacts.c.commit_id)).all()
        _forget(connection, [row.id for row in rows if row.commit_id in set(commits) - left])


def _forget(connection: Connection, numbers: Iterable[int]) -> None:
    for number in list(numbers):
        where = artifact_parts.c.artifact_id == number
        connection.execute(delete(artifact_parts).where(where))
        connection.execute(delete(artifacts).where(artifacts.c.id == number))


def _artifact(row: Row[Any]) -> Artifact:
    return Artifact(
        row.commit_id,
        tuple(row.flags.split(",")) if row.flags else (),
        row.name,
        row.size,
        row.sha256,
        moment_of(row.stored),
    )
