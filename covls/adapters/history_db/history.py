"""What past runs measured: recorded, looked up, and let go of."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import pairwise
from types import TracebackType
from typing import Any, Final, Literal

from sqlalchemy import (
    Connection,
    LargeBinary,
    Row,
    Select,
    delete,
    func,
    insert,
    select,
    update,
)

from covls.adapters.history_db import Mode
from covls.adapters.history_db.alerts import Alerts
from covls.adapters.history_db.artifacts import Artifacts, forget_artifacts
from covls.adapters.history_db.database import Database, microseconds, moment_of, now
from covls.adapters.history_db.place import HistoryError, NoHistoryError, Place
from covls.adapters.history_db.records import (
    compressed,
    counts_of,
    digest,
    packed,
    record_of_place,
    records_of_row,
    row_of_records,
    unpacked,
)
from covls.adapters.history_db.schema import prepare
from covls.adapters.history_db.tables import COUNTS, paths, records, runs
from covls.core.coverage import NOTHING, Totals
from covls.core.history import Commit, RecordedFile, Run, merged, tidy_flags, total

Same = Literal["replace", "merge"]

_AT_ONCE: Final = 500
"""How many values one question names."""

_RUN = [column for column in runs.c if column.name != "records"]
"""What a Run is made of, in the order of the table."""
_COUNTS = [records.c[name] for name in COUNTS]
_NEWEST_FIRST = (runs.c.authored.desc(), runs.c.id.desc())


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was let go of."""

    runs: tuple[Run, ...]
    records: int
    """Records of files that no other run has."""


class History:
    """A history that is open. Thread-safe; what cannot be done raises HistoryError."""

    def __init__(self, place: Place) -> None:
        self._database = Database(place)
        self.alerts = Alerts(self._database)
        self.artifacts = Artifacts(self._database)

    @property
    def place(self) -> Place:
        """Where it is."""
        return self._database.place

    def prepare(self, mode: Mode) -> None:
        """See to it that the tables are there."""
        self._database.read_only = mode == "read"
        prepare(self._database, migrates=mode != "read", creates=mode == "write")

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def __enter__(self) -> "History":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # Recording

    def record(
        self,
        commit: Commit,
        flags: Iterable[str],
        *,
        clean: bool,
        versions: Mapping[str, str],
        has_branches: bool,
        files: Iterable[RecordedFile],
        same: Same = "replace",
        recorded: datetime | None = None,
        totals: Totals | None = None,
    ) -> Run:
        """Record what was measured at a commit, whole or not at all.

        Where the commit was recorded under these flags before, `same` says what becomes of that:
        this takes its place, or both are merged as combined data would be. `totals` are the counts
        of all code where no file is known.
        """
        try:
            text = ",".join(tidy_flags(flags))
        except ValueError as error:
            raise HistoryError(str(error)) from error
        by_path = {_plain(file.path): file for file in files}
        # What takes long is done before others have to wait.
        prepared = {path: _prepared(path, file) for path, file in by_path.items()}
        about: dict[str, object] = {
            "commit_id": commit.id,
            "flags": text,
            "parents": " ".join(commit.parents),
            "branch": None if commit.branch is None else _plain(commit.branch),
            "authored": microseconds(commit.authored),
            "subject": _plain(commit.subject),
            "recorded": microseconds(recorded or now()),
        }
        with self._database.writing() as connection:
            where = (runs.c.commit_id == commit.id) & (runs.c.flags == text)
            before = connection.execute(select(*_RUN).where(where)).first()
            if before is not None and same == "merge":
                known = _files(connection, _row_of(connection, before.id), None)
                for path, file in known.items():
                    by_path[path] = merged(file, by_path[path]) if path in by_path else file
                prepared = {path: _prepared(path, file) for path, file in by_path.items()}
                clean = clean and before.clean
                has_branches = has_branches or before.has_branches
                versions = {**json.loads(before.versions), **versions}
            whole = total(by_path.values()) if by_path else totals or NOTHING
            counts = dict(zip(COUNTS, counts_of(whole), strict=True))
            about |= counts | {
                "clean": clean,
                "has_branches": has_branches,
                "versions": json.dumps(dict(versions), sort_keys=True),
                "records": _store(connection, prepared),
            }
            if before is None:
                about["id"] = 1 + (connection.execute(select(func.max(runs.c.id))).scalar() or 0)
                connection.execute(insert(runs).values(**about))
            else:
                connection.execute(update(runs).where(runs.c.id == before.id).values(**about))
            return _run(connection.execute(select(*_RUN).where(where)).one())

    # Runs

    def runs(
        self,
        *,
        branch: str | None = None,
        commit: str | None = None,
        flags: Sequence[str] | None = None,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> list[Run]:
        """The runs, those of the newest commits first, by the times of their authors.

        `commit` may be the beginning of one's name. `flags` are all flags of a run; None: any.
        """
        asked = select(*_RUN).order_by(*_NEWEST_FIRST)
        if branch is not None:
            asked = asked.where(runs.c.branch == branch)
        if commit is not None:
            asked = asked.where(runs.c.commit_id.startswith(commit, autoescape=True))
        if since is not None:
            asked = asked.where(runs.c.authored >= microseconds(since))
        if limit is not None:
            asked = asked.limit(limit)
        with self._database.reading() as connection:
            return [_run(row) for row in connection.execute(_with_flags(asked, flags))]

    def run(self, number: int) -> Run | None:
        """The run of a number."""
        with self._database.reading() as connection:
            row = connection.execute(select(*_RUN).where(runs.c.id == number)).first()
            return None if row is None else _run(row)

    def run_of(self, commit: str, flags: Sequence[str] | None = None) -> Run | None:
        """The run of a commit, by its full name.

        With any flags (None), that without flags, or else the one that was recorded last.
        """
        with self._database.reading() as connection:
            return _run_of(connection, commit, flags)

    def nearest(self, commits: Sequence[str], flags: Sequence[str] | None = None) -> Run | None:
        """The run of the first of these commits, full names, that has one."""
        with self._database.reading() as connection:
            asked = _with_flags(select(runs.c.commit_id).distinct(), flags)
            known = set(connection.execute(asked).scalars())
            found = next((commit for commit in commits if commit in known), None)
            return None if found is None else _run_of(connection, found, flags)

    # Files

    def files(self, run: Run, paths: Collection[str] | None = None) -> dict[str, RecordedFile]:
        """The files of a run, or those of some paths, in the order of their paths."""
        with self._database.reading() as connection:
            return _files(connection, _row_of(connection, run.number), paths)

    def files_of(self, some: Iterable[Run]) -> Iterator[tuple[Run, dict[str, RecordedFile]]]:
        """The files of several runs, one run after another.

        What a run and the next have in common is read once, and the same object in both.
        """
        known: dict[int, RecordedFile] = {}
        for run in some:
            with self._database.reading() as connection:
                wanted = _numbers(_row_of(connection, run.number))
                known = {number: known[number] for number in wanted if number in known}
                known.update(_each_record(connection, wanted.difference(known)))
            yield run, {file.path: file for file in known.values()}

    def file(self, run: Run, path: str) -> RecordedFile | None:
        """One file of a run."""
        return self.files(run, [path]).get(path)

    def file_totals(self, run: Run) -> dict[str, Totals]:
        """The counts of each file of a run, without their lines."""
        with self._database.reading() as connection:
            wanted = _numbers(_row_of(connection, run.number))
            names = _path_names(connection)
            asked = select(records.c.path_id, *_COUNTS)
            found = {names[row[0]]: Totals(*row[1:]) for row in _each(connection, asked, wanted)}
            return dict(sorted(found.items()))

    def differing(
        self, first: Run, second: Run
    ) -> tuple[dict[str, RecordedFile], dict[str, RecordedFile]]:
        """The files of each of two runs that are not the very same in the other.

        Without their functions: to read these takes as long as all the rest.
        """
        with self._database.reading() as connection:
            one = _numbers(_row_of(connection, first.number))
            other = _numbers(_row_of(connection, second.number))
            return (
                _records(connection, one.difference(other), functions=False),
                _records(connection, other.difference(one), functions=False),
            )

    def changing(self, of: Iterable[Run]) -> set[str]:
        """The paths of which some run holds something else than the one before it in `of`."""
        with self._database.reading() as connection:
            rows = [records_of_row(_row_of(connection, run.number)) for run in of]
            names = _path_names(connection)
        changed: set[int] = set()
        for one, other in pairwise(rows):
            # Paths that one of them has not heard of are beyond the end of its row.
            both = enumerate(zip(one, other, strict=False), 1)
            changed.update(path for path, (a, b) in both if a != b and a and b)
        return {names[path] for path in changed}

    def versions(
        self, path: str, of: Sequence[Run] | None = None
    ) -> list[tuple[Run, RecordedFile | None]]:
        """What was recorded of one file in each run, None where nothing was; newest commits first.

        `of` are the runs to look at, and their order; None: all. Where the same was found, it is
        the same object.
        """
        with self._database.reading() as connection:
            number = connection.execute(select(paths.c.id).where(paths.c.path == path)).scalar()
            if of is None:
                rows = connection.execute(select(*_RUN).order_by(*_NEWEST_FIRST))
                of = [_run(row) for row in rows]
            if number is None:
                return [(run, None) for run in of]
            place = func.substr(runs.c.records, 4 * (number - 1) + 1, 4, type_=LargeBinary)
            asked = select(runs.c.id, place)
            if len(of) <= _AT_ONCE:
                asked = asked.where(runs.c.id.in_([run.number for run in of]))
            at = {row[0]: record_of_place(row[1]) for row in connection.execute(asked)}
            wanted = {at[run.number] for run in of if at.get(run.number)}
            known = dict(_each_record(connection, wanted))
            return [(run, known.get(at.get(run.number, 0))) for run in of]

    def walk(self, of: Iterable[Run]) -> Iterator[tuple[Run, dict[str, RecordedFile]]]:
        """The files of each of some runs, in the order of their paths.

        What is the same in one run and the next is the same object.
        """
        known: dict[int, RecordedFile] = {}
        for run in of:
            with self._database.reading() as connection:
                wanted = _numbers(_row_of(connection, run.number))
                known = {number: file for number, file in known.items() if number in wanted}
                known |= _each_record(connection, wanted - known.keys())
            files = sorted(known.values(), key=lambda file: file.path)
            yield run, {file.path: file for file in files}

    # Letting go

    def prune(self, chosen: Collection[int], *, dry_run: bool = False) -> Pruned:
        """Let go of the runs of these numbers, with what only they have; or only say of what."""
        if dry_run:
            with self._database.reading() as connection:
                return _pruned(connection, chosen)[0]
        with self._database.writing() as connection:
            found, useless = _pruned(connection, chosen)
            for some in _portions(sorted(chosen)):
                connection.execute(delete(runs).where(runs.c.id.in_(some)))
            for some in _portions(sorted(useless)):
                connection.execute(delete(records).where(records.c.id.in_(some)))
            used = select(records.c.path_id).distinct()
            connection.execute(delete(paths).where(paths.c.id.not_in(used)))
            forget_artifacts(connection, {run.commit.id for run in found.runs})
        return found

    def compact(self) -> None:
        """Give room that is free back to the disk, where nobody else is at work on it."""
        self._database.compact()


def _plain(text: str) -> str:
    """A text that every database can hold: a path may have bytes that are no letters."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def _prepared(path: str, file: RecordedFile) -> tuple[bytes, Totals, bytes]:
    content = packed(file)
    return digest(path, file.totals, content), file.totals, content


def _store(connection: Connection, prepared: Mapping[str, tuple[bytes, Totals, bytes]]) -> bytes:
    """Store the records that are new; the row of all."""
    numbers = {row.path: row.id for row in connection.execute(select(paths.c.path, paths.c.id))}
    taken = set(numbers.values())
    free = (number for number in range(1, len(taken) + len(prepared) + 1) if number not in taken)
    new = [{"id": next(free), "path": path} for path in prepared if path not in numbers]
    if new:
        connection.execute(insert(paths), new)
        numbers |= {str(row["path"]): row["id"] for row in new}
    by_digest: dict[bytes, int] = {}
    for some in _portions([found for found, _, _ in prepared.values()]):
        asked = select(records.c.digest, records.c.id).where(records.c.digest.in_(some))
        by_digest |= {bytes(row.digest): row.id for row in connection.execute(asked)}
    last = connection.execute(select(func.max(records.c.id))).scalar() or 0
    rows = []
    for path, (found, totals, content) in prepared.items():
        if found not in by_digest:
            last += 1
            by_digest[found] = last
            counts = dict(zip(COUNTS, counts_of(totals), strict=True))
            rows.append(
                {"id": last, "path_id": numbers[path], "digest": found, **counts}
                | {"content": compressed(content)}
            )
    if rows:
        connection.execute(insert(records), rows)
    return row_of_records({numbers[path]: by_digest[row[0]] for path, row in prepared.items()})


def _run(row: Row[Any]) -> Run:
    # By place: a trend reads ten thousand of them.
    number, name, flags, parents, branch, authored, subject, recorded, *rest = tuple(row)
    clean, versions, has_branches, *counts = rest
    commit = Commit(
        name, tuple(parents.split()), branch, authored=moment_of(authored), subject=subject
    )
    return Run(
        number,
        commit,
        tuple(flags.split(",")) if flags else (),
        moment_of(recorded),
        clean,
        _versions(versions),
        has_branches,
        Totals(*counts),
    )


@cache
def _versions(text: str) -> Mapping[str, str]:
    # Thousands of runs have the same.
    found: dict[str, str] = json.loads(text)
    return found


def _with_flags(asked: Select[Any], flags: Sequence[str] | None) -> Select[Any]:
    return asked if flags is None else asked.where(runs.c.flags == ",".join(sorted(set(flags))))


def _run_of(connection: Connection, commit: str, flags: Sequence[str] | None) -> Run | None:
    asked = _with_flags(select(*_RUN).where(runs.c.commit_id == commit), flags)
    row = connection.execute(
        asked.order_by(runs.c.flags != "", runs.c.recorded.desc(), runs.c.id.desc()).limit(1)
    ).first()
    return None if row is None else _run(row)


def _row_of(connection: Connection, number: int) -> bytes:
    """The records of a run, as they are now."""
    row = connection.execute(select(runs.c.records).where(runs.c.id == number)).scalar()
    if row is None:
        raise NoHistoryError(f"Run #{number} is not in the history any more.")
    return bytes(row)


def _numbers(row: bytes) -> set[int]:
    return set(records_of_row(row)) - {0}


def _path_names(connection: Connection) -> dict[int, str]:
    return {row.id: row.path for row in connection.execute(select(paths.c.id, paths.c.path))}


def _files(
    connection: Connection, row: bytes, some: Collection[str] | None
) -> dict[str, RecordedFile]:
    if some is None:
        return _records(connection, _numbers(row))
    found = records_of_row(row)
    wanted: set[int] = set()
    for portion in _portions(list(some)):
        asked = select(paths.c.id).where(paths.c.path.in_(portion))
        numbers = connection.execute(asked).scalars()
        wanted.update(found[number - 1] for number in numbers if number <= len(found))
    return _records(connection, wanted - {0})


def _records(
    connection: Connection, wanted: Collection[int], *, functions: bool = True
) -> dict[str, RecordedFile]:
    read = _each_record(connection, wanted, functions=functions)
    found = {file.path: file for _, file in read}
    return dict(sorted(found.items()))


def _each_record(
    connection: Connection, wanted: Collection[int], *, functions: bool = True
) -> Iterator[tuple[int, RecordedFile]]:
    if not wanted:
        return
    columns = select(records.c.id, paths.c.path, records.c.content, *_COUNTS)
    asked = columns.join(paths, paths.c.id == records.c.path_id)
    for row in _each(connection, asked, wanted):
        try:
            totals = Totals(*row[3:])
            yield row.id, unpacked(row.path, totals, row.content, functions=functions)
        except ValueError as error:
            raise HistoryError(f"The history cannot be read: {error}.") from error


def _each(
    connection: Connection, asked: Select[Any], wanted: Collection[int]
) -> Iterator[Row[Any]]:
    """The rows of some records."""
    for some in _portions(sorted(wanted)):
        yield from connection.execute(asked.where(records.c.id.in_(some)))


def _portions(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for first in range(0, len(values), _AT_ONCE):
        yield values[first : first + _AT_ONCE]


def _pruned(connection: Connection, chosen: Collection[int]) -> tuple[Pruned, set[int]]:
    """What goes with some runs, and the numbers of the records that no run is left to have."""
    gone = [
        _run(row)
        for row in connection.execute(select(*_RUN).order_by(*_NEWEST_FIRST))
        if row.id in chosen
    ]
    useless = set(connection.execute(select(records.c.id)).scalars())
    asked = select(runs.c.id, runs.c.records).execution_options(yield_per=100)
    rows = connection.execute(asked)
    for number, row in rows:
        if number not in chosen:
            useless.difference_update(records_of_row(row))
    return Pruned(tuple(gone), len(useless)), useless
