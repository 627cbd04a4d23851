"""coverage.py's data file and its parallel siblings, read as one snapshot.

What is read is what `coverage report` would report: the data file, the `.coverage.*` files beside
it as `coverage combine` would add them, and the paths as `[paths]` maps them. All of it happens in
a private database; no file of the user's is changed.
"""

import os
import re
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from covls.adapters.path_rules import PathRules, own_slashes
from covls.adapters.private_copy import (
    PAUSE,
    DataFileError,
    DataFileProblem,
    copy_file,
    damaged,
    explain,
    foreign,
    open_private,
)
from covls.adapters.snapshot import SCHEMA, Contents, FileStamp, Fingerprint, Part, Snapshot

__all__ = [
    "DataFileError",
    "DataFileProblem",
    "FileStamp",
    "Fingerprint",
    "Part",
    "Snapshot",
    "fingerprint",
    "read_snapshot",
]

# What a run that is just writing would explain is looked at again for so long (seconds) before it
# is reported.
_SETTLE = 0.25

# How coverage.py ends the names of parallel files; equal hashes mean equal data.
_HASHED = re.compile(r"\.[^.]+\.pid\d+\.X\w{6}x\.H(\w{10}h)$")


class _VanishedError(Exception):
    """A parallel file went away while it was wanted: it is being combined."""


def fingerprint(data_file: Path) -> Fingerprint:
    """Look at the data file and its parallel siblings, without opening any."""
    files = []
    for path in [data_file, *parallel_files(data_file)]:
        try:
            found = path.stat()
        except OSError:
            continue
        files.append(FileStamp(path, found.st_ino, found.st_size, found.st_mtime_ns))
    return Fingerprint(tuple(files))


def parallel_files(data_file: Path) -> tuple[Path, ...]:
    """The files that `coverage combine` would add to the data file, in its order."""
    prefix = data_file.name + "."
    try:
        with os.scandir(data_file.parent) as entries:
            names = [entry.name for entry in entries if entry.name.startswith(prefix)]
    except OSError:
        return ()
    return tuple(data_file.parent / name for name in sorted(names) if not name.endswith("-journal"))


def read_snapshot(
    data_file: Path,
    *,
    root: Path,
    paths: Mapping[str, Sequence[str]] | None = None,
    relative_files: bool = False,
    deadline: float = 5.0,
) -> Snapshot:
    """Read the data and close the user's files again.

    `root` is the folder that relative paths in the data and in `paths` (coverage.py's `[paths]`)
    are relative to; `deadline` is in seconds from now. Raises DataFileError where there is nothing
    to show; parallel files that cannot be used are left out and named in the snapshot's problems.
    """
    data_file = data_file.absolute()
    started = time.monotonic()
    give_up = started + deadline
    settled = started + min(_SETTLE, deadline)
    while True:
        seen = fingerprint(data_file)
        try:
            return _read(data_file, seen, root, paths or {}, relative_files, give_up)
        except _VanishedError as vanished:
            if time.monotonic() >= give_up:
                raise DataFileError(DataFileProblem.BUSY, str(vanished)) from vanished
        except DataFileError as error:
            if not error.passing or time.monotonic() >= settled:
                raise
        time.sleep(PAUSE)


def _read(
    data_file: Path,
    seen: Fingerprint,
    root: Path,
    paths: Mapping[str, Sequence[str]],
    relative_files: bool,
    give_up: float,
) -> Snapshot:
    rules = PathRules(root, paths, relative_files=relative_files)
    problems = list(rules.problems)
    merged = _Merged()
    try:
        siblings = [stamp.path for stamp in seen.files if stamp.path != data_file]
        try:
            merged.start(data_file, None, give_up)
        except DataFileError as error:
            # coverage.py too reports from parallel files alone.
            if error.kind not in (DataFileProblem.MISSING, DataFileProblem.EMPTY) or not siblings:
                raise
        errors = _add_siblings(merged, siblings, rules, give_up)
        if not merged.parts:
            raise errors[0]
        problems += [f"left out: {error}" for error in errors]
        if paths:
            merged.rename(PathRules(root, paths, relative_files=relative_files))
        return Snapshot(data_file, merged.contents(), tuple(merged.parts), seen, tuple(problems))
    except sqlite3.DatabaseError as error:
        merged.database.close()
        raise explain(data_file, error) from error
    except BaseException:
        merged.database.close()
        raise


def _add_siblings(
    merged: "_Merged",
    siblings: Sequence[Path],
    rules: PathRules,
    give_up: float,
) -> list[DataFileError]:
    """Add the parallel files one by one; what is wrong with those left out is returned."""
    errors = []
    hashes = set()
    for path in siblings:
        hashed = _HASHED.search(path.name)
        if hashed and hashed[1] in hashes:
            continue
        try:
            if merged.parts:
                merged.add(path, rules, give_up)
            else:
                merged.start(path, rules, give_up)
        except DataFileError as error:
            if error.kind is DataFileProblem.MISSING:
                raise _VanishedError(f"{path} is being combined by another process.") from error
            if error.kind in (DataFileProblem.BUSY, DataFileProblem.NO_ROOM):
                raise
            errors.append(error)
        if hashed:
            hashes.add(hashed[1])
    return errors


class _Merged:
    """Parts becoming one database: the first is copied as it is, the rows of others are added."""

    def __init__(self) -> None:
        self.database: sqlite3.Connection = open_private()
        self.parts: list[Part] = []
        self._has_arcs: bool | None = None
        """None while nothing says whether branches were measured."""
        self._files: dict[int, str] = {}
        self._tracers: dict[str, str] = {}

    def start(self, path: Path, rules: PathRules | None, give_up: float) -> None:
        """Take a file as it is, with its paths mapped where there are rules."""
        self.database.close()
        self.database, part, kind = _copy_checked(path, give_up)
        # What is combined is what there are rows of; the data file itself says what it is.
        self._has_arcs = kind if rules is None else _recorded(self.database)
        self._files = _files(self.database, rules)
        self._tracers = {}
        for tracer_path, tracer in _tracers(self.database, self._files):
            self._tracers.setdefault(tracer_path, tracer)
        self.parts.append(part)

    def add(self, path: Path, rules: PathRules, give_up: float) -> None:
        """Add a file's rows, as `CoverageData.update` does."""
        other, part, kind = _copy_checked(path, give_up)
        with closing(other):
            if kind is not None and self._has_arcs not in (None, kind):
                first, second = ("lines only", "branches") if kind else ("branches", "lines only")
                raise DataFileError(
                    DataFileProblem.FOREIGN,
                    f"{path} measured {second}, but {self.parts[0].path} measured {first}: they "
                    "cannot be combined. Run `coverage erase` and all tests with the same "
                    "configuration.",
                )
            _check_soundness(path, other)
            files = _files(other, rules)
            tracers = dict(_tracers(other, files))
            known = set(self._files.values())
            for name in files.values():
                if name in known and tracers.get(name, "") != self._tracers.get(name, ""):
                    raise DataFileError(
                        DataFileProblem.FOREIGN,
                        f"{path} measured {name} with the plugin {tracers.get(name, '')!r}, but "
                        f"others with {self._tracers.get(name, '')!r}. Run `coverage erase` and "
                        "all tests with the same configuration.",
                    )
            if self._has_arcs is None:
                self._has_arcs = _recorded(other)
            self._add_rows(other, files)
            for name, tracer in tracers.items():
                self._tracers.setdefault(name, tracer)
        self.parts.append(part)

    def _add_rows(self, other: sqlite3.Connection, files: Mapping[int, str]) -> None:
        database = self.database
        ids = {name: number for number, name in reversed(self._files.items())}
        for name in files.values():
            if name not in ids:
                # Mapped names are only ours; what the table says does not matter any more.
                ids[name] = max(self._files, default=0) + 1
                self._files[ids[name]] = name
        names = dict(other.execute("SELECT id, context FROM context"))
        database.execute("BEGIN")
        database.executemany(
            "INSERT OR IGNORE INTO context (context) VALUES (?)", [(n,) for n in names.values()]
        )
        own = {name: number for number, name in database.execute("SELECT id, context FROM context")}
        file_ids = {number: ids[name] for number, name in files.items()}
        context_ids = {number: own[name] for number, name in names.items()}
        database.executemany(
            "INSERT OR IGNORE INTO arc (file_id, context_id, fromno, tono) VALUES (?, ?, ?, ?)",
            (
                (file_ids[file], context_ids[context], start, end)
                for file, context, start, end in other.execute(
                    "SELECT file_id, context_id, fromno, tono FROM arc"
                )
                if file in file_ids and context in context_ids
            ),
        )
        database.create_function("numbits_union", 2, _union, deterministic=True)
        database.executemany(
            "INSERT INTO line_bits (file_id, context_id, numbits) VALUES (?, ?, ?) "
            "ON CONFLICT (file_id, context_id) "
            "DO UPDATE SET numbits = numbits_union(numbits, excluded.numbits)",
            (
                (file_ids[file], context_ids[context], numbits)
                for file, context, numbits in other.execute(
                    "SELECT file_id, context_id, numbits FROM line_bits"
                )
                if file in file_ids and context in context_ids
            ),
        )
        database.execute("COMMIT")

    def rename(self, rules: PathRules) -> None:
        """Map all paths, as reports do with `[paths]`."""
        tracers: dict[str, str] = {}
        for number, name in self._files.items():
            self._files[number] = new = own_slashes(rules.map(name))
            if name in self._tracers:
                tracers.setdefault(new, self._tracers[name])
        self._tracers = tracers
        self._has_arcs = _recorded(self.database)

    def contents(self) -> Contents:
        """The database with what its small tables say."""
        ids: dict[str, tuple[int, ...]] = {}
        for number, name in self._files.items():
            ids[name] = (*ids.get(name, ()), number)
        contexts = dict(self.database.execute("SELECT id, context FROM context"))
        return Contents(self.database, self._has_arcs is True, ids, contexts, self._tracers)


def _copy_checked(path: Path, give_up: float) -> tuple[sqlite3.Connection, Part, bool | None]:
    """Copy a file and check that it is coverage.py's; says too whether it has arcs, if it says."""
    database, found = copy_file(path, give_up)
    try:
        rows = database.execute("SELECT version FROM coverage_schema").fetchall()
        _check_schema(path, rows[0][0] if rows else None)
        meta = dict(database.execute("SELECT key, value FROM meta"))
        (files,) = database.execute("SELECT count(*) FROM file").fetchone()
        database.execute("SELECT id, context FROM context LIMIT 1").fetchone()
        database.execute("SELECT file_id, context_id, fromno, tono FROM arc LIMIT 1").fetchone()
        database.execute("SELECT file_id, context_id, numbits FROM line_bits LIMIT 1").fetchone()
        database.execute("SELECT file_id, tracer FROM tracer LIMIT 1").fetchone()
        has_arcs = meta.get("has_arcs")
        kind = None if has_arcs is None else bool(int(has_arcs))
    except BaseException as error:
        database.close()
        if isinstance(error, sqlite3.OperationalError):
            raise foreign(path, f"it is a SQLite database, but {error}", passing=True) from error
        if isinstance(error, sqlite3.DatabaseError):
            raise explain(path, error) from error
        if isinstance(error, ValueError):
            raise foreign(path, str(error)) from error
        raise
    return database, Part(path, found.st_mtime, meta.get("version"), files), kind


def _check_schema(path: Path, version: object) -> None:
    if not isinstance(version, int):
        raise foreign(path, "it does not say the version of its schema", passing=True)
    if version > SCHEMA:
        raise DataFileError(
            DataFileProblem.NEWER,
            f"{path} was written by a newer coverage.py: its schema is {version}, and this covls "
            f"knows {SCHEMA}. Upgrade covls and the coverage.py beside it.",
        )
    if version < SCHEMA:
        raise DataFileError(
            DataFileProblem.OLDER,
            f"{path} was written by an old coverage.py: its schema is {version} instead of "
            f"{SCHEMA}. Run the tests again with a current coverage.py.",
        )


def _check_soundness(path: Path, database: sqlite3.Connection) -> None:
    """Look through a copy before its rows are added: what was added cannot be taken back."""
    try:
        (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        raise explain(path, error) from error
    if verdict != "ok":
        raise damaged(path, verdict)


def _recorded(database: sqlite3.Connection) -> bool | None:
    """Whether there are branches (True), lines (False) or nothing (None)."""
    (arcs, lines) = database.execute(
        "SELECT EXISTS(SELECT 1 FROM arc), EXISTS(SELECT 1 FROM line_bits)"
    ).fetchone()
    return bool(arcs) if arcs or lines else None


def _files(database: sqlite3.Connection, rules: PathRules | None) -> dict[int, str]:
    """Paths by row id, in the order in which coverage.py would map them."""
    rows = database.execute("SELECT id, path FROM file").fetchall()
    if rules is None:
        return dict(rows)
    return {number: own_slashes(rules.map(path)) for number, path in rows}


def _tracers(database: sqlite3.Connection, files: Mapping[int, str]) -> list[tuple[str, str]]:
    rows = database.execute("SELECT file_id, tracer FROM tracer")
    return [(files[number], tracer) for number, tracer in rows if tracer and number in files]


def _union(first: bytes, second: bytes) -> bytes:
    size = max(len(first), len(second))
    both = int.from_bytes(first, "little") | int.from_bytes(second, "little")
    return both.to_bytes(size, "little")
