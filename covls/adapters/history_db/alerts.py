"""What was told of alerts, so that each event is told once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from covls.adapters.history_db.database import Database, microseconds, moment_of, now
from covls.adapters.history_db.tables import alerts


@dataclass(frozen=True, slots=True)
class AlertState:
    """How it stands with an event."""

    event: str
    state: str
    since: datetime


class Alerts:
    """The states of events in a history."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def state(self, event: str) -> AlertState | None:
        """How it stands with an event; None where nothing was ever told of it."""
        with self._database.reading() as connection:
            row = connection.execute(select(alerts).where(alerts.c.event == event)).first()
            return None if row is None else _state(row)

    def set(self, event: str, state: str) -> bool:
        """Say how it stands with an event; True for the one who changed it, and no other."""
        with self._database.writing() as connection:
            where = alerts.c.event == event
            before = connection.execute(select(alerts.c.state).where(where)).scalar()
            if before == state:
                return False
            values = {"state": state, "since": microseconds(now())}
            if before is None:
                connection.execute(insert(alerts).values(event=event, **values))
            else:
                connection.execute(update(alerts).where(where).values(**values))
            return True

    def all(self) -> list[AlertState]:
        """All events, the latest change first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(alerts).order_by(alerts.c.since.desc()))
            return [_state(row) for row in rows]


def _state(row: Row[Any]) -> AlertState:
    return AlertState(row.event, row.state, moment_of(row.since))
