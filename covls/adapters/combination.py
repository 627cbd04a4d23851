"""Data files put together as `coverage combine` would, in private databases.

The rules are those of `coverage.CoverageData.update`. Large parts stay databases of their own, as
copying rows one by one takes longer than all else; the rows of small parts go into the first.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from covls.adapters.path_rules import PathRules, own_slashes
from covls.adapters.private_copy import (
    DataFileError,
    DataFileProblem,
    copy_file,
    damaged,
    explain,
    foreign,
)
from covls.adapters.snapshot import SCHEMA, Contents, Part, Store

# Bytes from which on a part stays by itself, and how many may: each costs a handle and a cache.
_LARGE = 2 << 20
_MOST = 16


class Combination:
    """Parts being put together; the first to be added decides what fits."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._databases: list[tuple[sqlite3.Connection, dict[int, str]]] = []
        self._originals: list[Path] = []
        self._has_arcs: bool | None = None
        """None while nothing says whether branches were measured."""
        self._tracers: dict[str, str] = {}
        self._paths: dict[str, None] = {}
        """All paths in the order in which coverage.py would have come to know them."""

    def close(self) -> None:
        """Drop what was put together so far."""
        for database, _ in self._databases:
            database.close()

    def add(self, path: Path, rules: PathRules | None, give_up: float) -> None:
        """Add a file: the data file itself, as it is, or a part, its paths mapped by rules.

        Raises DataFileError, and has then added nothing.
        """
        database, part, kind = _copy_checked(path, give_up)
        try:
            files = _files(database, rules)
            tracers = _tracers(database, files)
            self._check_fit(path, kind, files, tracers)
            # Asked of the copy: the file itself may have been combined and be gone by now.
            size = "select page_count * page_size from pragma_page_count, pragma_page_size"
            (copied,) = database.execute(size).fetchone()
            large = copied >= _LARGE and len(self._databases) < _MOST
            if self._databases and not large:
                _check_soundness(path, database)
            # The data file says what it is; of what is combined, the rows do.
            recorded = kind if rules is None else _recorded(database)
        except BaseException:
            database.close()
            raise
        if self._databases and not large:
            with closing(database):
                add_rows(*self._databases[0], database, files)
        else:
            self._databases.append((database, files))
            self._originals.append(path)
        if self._has_arcs is None:
            self._has_arcs = recorded
        self._tracers = {**tracers, **self._tracers}
        self._paths.update(dict.fromkeys(files.values()))
        self.parts.append(part)

    def _check_fit(
        self, path: Path, kind: bool | None, files: Mapping[int, str], tracers: Mapping[str, str]
    ) -> None:
        if kind is not None and self._has_arcs not in (None, kind):
            first, second = ("lines only", "branches") if kind else ("branches", "lines only")
            raise DataFileError(
                DataFileProblem.FOREIGN,
                f"{path} measured {second}, but {self.parts[0].path} measured {first}: they "
                "cannot be combined. Run `coverage erase` and all tests with the same "
                "configuration.",
            )
        for name in files.values():
            mine, others = tracers.get(name, ""), self._tracers.get(name, "")
            if name in self._paths and mine != others:
                raise DataFileError(
                    DataFileProblem.FOREIGN,
                    f"{path} measured {name} with the plugin {mine!r}, but others with "
                    f"{others!r}. Run `coverage erase` and all tests with the same configuration.",
                )

    def rename(self, rules: PathRules) -> None:
        """Map all paths, as reports do with `[paths]`."""
        new = {path: own_slashes(rules.map(path)) for path in self._paths}
        tracers: dict[str, str] = {}
        for path, tracer in self._tracers.items():
            tracers.setdefault(new[path], tracer)
        self._tracers = tracers
        self._paths = dict.fromkeys(new.values())
        for _, files in self._databases:
            files.update({number: new[path] for number, path in files.items()})
        recorded = [_recorded(database) for database, _ in self._databases]
        self._has_arcs = True if True in recorded else False if False in recorded else None

    def contents(self) -> Contents:
        """What was put together."""
        stores = []
        for path, (database, files) in zip(self._originals, self._databases, strict=True):
            ids: dict[str, tuple[int, ...]] = {}
            for number, name in files.items():
                ids[name] = (*ids.get(name, ()), number)
            contexts = dict(database.execute("SELECT id, context FROM context"))
            stores.append(Store(path, database, ids, contexts))
        return Contents(
            tuple(stores),
            tuple(self.parts),
            frozenset(self._paths),
            self._tracers,
            self._has_arcs is True,
        )


def add_rows(
    database: sqlite3.Connection,
    known: dict[int, str],
    other: sqlite3.Connection,
    files: Mapping[int, str],
) -> None:
    """Add the rows of one database to another, both in coverage.py's layout.

    `known` are the files there by their row ids, and get new ones; `files` those of the other.
    """
    ids = {path: number for number, path in reversed(known.items())}
    for path in files.values():
        if path not in ids:
            # What files are called is ours to say; the table of them is not looked at any more.
            ids[path] = len(known) + 1
            while ids[path] in known:
                ids[path] += 1
            known[ids[path]] = path
    names = dict(other.execute("SELECT id, context FROM context"))
    database.execute("BEGIN")
    database.executemany(
        "INSERT OR IGNORE INTO context (context) VALUES (?)", [(name,) for name in names.values()]
    )
    own = {name: number for number, name in database.execute("SELECT id, context FROM context")}
    file_ids = {number: ids[path] for number, path in files.items()}
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


def _tracers(database: sqlite3.Connection, files: Mapping[int, str]) -> dict[str, str]:
    tracers: dict[str, str] = {}
    for number, tracer in database.execute("SELECT file_id, tracer FROM tracer"):
        if tracer and number in files:
            tracers.setdefault(files[number], tracer)
    return tracers


def _union(first: bytes, second: bytes) -> bytes:
    size = max(len(first), len(second))
    both = int.from_bytes(first, "little") | int.from_bytes(second, "little")
    return both.to_bytes(size, "little")
