"""Sources as they were when data landed, kept in the user's cache folder.

Texts are kept once per content, by their hash, which is checked on reading; what one data file
measured is one record of paths and hashes.
"""

import hashlib
import json
import os
import sqlite3
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from covls.adapters.analysis_cache import cache_folder
from covls.adapters.cache_database import SECONDS_TO_WRITE, CacheDatabase, used_bytes
from covls.adapters.snapshot import Fingerprint
from covls.adapters.source import MAX_BYTES, Unreadable, read_source

_FORMAT: Final = 1
_FILE: Final = f"ledger-{_FORMAT}.sqlite"
_DAY: Final = 24 * 60 * 60
_RECORDS: Final = 8
"""Records kept of one root: data files that are swapped for each other are still known."""
_BATCH: Final = 2 << 20
"""Bytes of sources that are held until they are written."""
_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS source (
        hash BLOB PRIMARY KEY,
        used INTEGER NOT NULL,
        body BLOB NOT NULL
    );
    CREATE INDEX IF NOT EXISTS source_by_use ON source (used);
    CREATE TABLE IF NOT EXISTS record (
        root TEXT NOT NULL,
        data BLOB NOT NULL,
        made INTEGER NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (root, data)
    );
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One measured file in a record: its content, and how it looked on disk when it was read."""

    hash: str
    """SHA-256 of the content, in hexadecimal."""
    stamp: tuple[int, int, int]
    """Times of modification and of change in nanoseconds, and size; zeros where not to be
    relied on."""


Record = Mapping[str, Entry]
"""The measured files of one data file, by their paths in the data."""


def data_identity(data: Fingerprint) -> bytes:
    """What tells one state of a data file from another.

    Sizes and times of it and its siblings, by name: a file that was rewritten has another time.
    """
    told = sorted((stamp.path.name, stamp.size, stamp.mtime_ns) for stamp in data.files)
    return hashlib.sha256(json.dumps(told).encode("utf-8", "surrogatepass")).digest()


def content_hash(content: bytes) -> str:
    """The name of a content: SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


class Ledger:
    """The measured sources of all roots. Thread-safe, shared between processes; never raises."""

    def __init__(
        self, folder: Path | None = None, *, max_mb: float = 256, max_days: float = 90
    ) -> None:
        self._database = CacheDatabase((folder or cache_folder()) / _FILE, _SCHEMA)
        self._max_bytes = max_mb * 1024 * 1024
        self._max_days = max_days

    def record(self, root: Path, data: Fingerprint) -> Record:
        """What is known of one state of a root's data; empty where there is nothing."""
        return self._database.ask(lambda database: _record(database, root, data_identity(data)), {})

    def content(self, digest: str) -> bytes | None:
        """The content of this hash, None where it is not kept (any more)."""

        def body(database: sqlite3.Connection) -> Sequence[Any] | None:
            query = "SELECT body FROM source WHERE hash = ?"
            found: Sequence[Any] | None
            found = database.execute(query, (bytes.fromhex(digest),)).fetchone()
            return found

        row = self._database.ask(body, None)
        content = None if row is None else _unpacked(row[0])
        return content if content is not None and content_hash(content) == digest else None

    def note(
        self,
        root: Path,
        data: Fingerprint,
        files: Mapping[str, Path],
        *,
        written_at: float,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Record:
        """Keep the sources of these files, by measured path, as those that the data measured.

        Only files that were not modified after `written_at` (seconds since the epoch) are kept:
        the others are not surely what was measured. What is on record of this data already
        stays. Files that look as they did in any record of the root are not read again. Returns
        the record as it is now; `stopped` is asked between files, and ends it early.
        """
        if self._max_bytes <= 0:
            return {}
        identity = data_identity(data)

        def look(database: sqlite3.Connection) -> tuple[Record, Record, set[str]]:
            hashes = {row[0].hex() for row in database.execute("SELECT hash FROM source")}
            return _record(database, root, identity), _last_record(database, root), hashes

        nothing: tuple[Record, Record, set[str]] = ({}, {}, set())
        on_record, seen, kept = self._database.ask(look, nothing, SECONDS_TO_WRITE)
        known = dict(on_record)
        used: set[str] = set()
        new: dict[str, bytes] = {}
        pending = 0
        for measured_path, path in files.items():
            if stopped():
                break
            entry = known.get(measured_path)
            if entry is None:
                entry, content = _look(path, seen.get(measured_path), kept, written_at)
                if entry is None:
                    continue
                known[measured_path] = entry
                if content is not None and entry.hash not in kept:
                    new[entry.hash] = zlib.compress(content, 1)
                    kept.add(entry.hash)
                    pending += len(new[entry.hash])
            used.add(entry.hash)
            if pending > _BATCH:
                self._write(new, used)
                new, pending = {}, 0
        if known:
            # Also if nothing is new: what is in use is not to be thrown out.
            self._write(new, used, (root, identity, known))
        return known

    def _write(
        self,
        new: Mapping[str, bytes],
        used: set[str],
        record: tuple[Path, bytes, Record] | None = None,
    ) -> None:
        today = int(time.time() // _DAY)
        self._database.change(
            lambda database: self._keep(database, today, new, used, record),
            lambda database: self._let_go(database, today),
        )

    def _keep(
        self,
        database: sqlite3.Connection,
        today: int,
        new: Mapping[str, bytes],
        used: set[str],
        record: tuple[Path, bytes, Record] | None,
    ) -> None:
        database.executemany(
            "INSERT OR REPLACE INTO source (hash, used, body) VALUES (?, ?, ?)",
            [(bytes.fromhex(digest), today, body) for digest, body in new.items()],
        )
        database.executemany(
            "UPDATE source SET used = ? WHERE hash = ? AND used < ?",
            [(today, bytes.fromhex(digest), today) for digest in used],
        )
        if record:
            root, identity, entries = record
            # Another server may have been here since we looked; what it kept first stays.
            entries = {**entries, **_record(database, root, identity)}
            database.execute(
                "INSERT OR REPLACE INTO record (root, data, made, body) VALUES (?, ?, ?, ?)",
                (str(root), identity, int(time.time() * 1e9), _packed(entries)),
            )
            database.execute(
                "DELETE FROM record WHERE root = ? AND data NOT IN "
                "(SELECT data FROM record WHERE root = ? ORDER BY made DESC LIMIT ?)",
                (str(root), str(root), _RECORDS),
            )

    def _let_go(self, database: sqlite3.Connection, today: int) -> None:
        """Throw out what is too old, and, if room is used up, the longest unused."""
        oldest = today - self._max_days
        database.execute("DELETE FROM source WHERE used < ?", (oldest,))
        database.execute("DELETE FROM record WHERE made < ?", (oldest * _DAY * 1e9,))
        used = used_bytes(database)
        if used > self._max_bytes:
            excess = used - 0.8 * self._max_bytes
            gone = []
            query = "SELECT rowid, length(body) FROM source ORDER BY used, rowid"
            for rowid, size in database.execute(query):
                gone.append((rowid,))
                excess -= size
                if excess <= 0:
                    break
            database.executemany("DELETE FROM source WHERE rowid = ?", gone)
            # Records of roots that nobody looks at any more go with their sources.
            if excess > 0:
                database.execute("DELETE FROM record")


def _look(
    path: Path, seen: Entry | None, kept: set[str], written_at: float
) -> tuple[Entry | None, bytes | None]:
    """A file's entry, and its content if it had to be read; no entry if it cannot be relied on."""
    stamp = _stamp(path)
    if stamp is None or stamp[0] > written_at * 1e9:
        return None, None
    if seen is not None and seen.stamp == stamp and seen.hash in kept:
        return seen, None
    content = read_source(path)
    if isinstance(content, Unreadable) or _stamp(path) != stamp:
        return None, None
    # A file that is changed twice within a tick of the disk's clock looks the same afterwards.
    settled = time.time() - stamp[1] / 1e9 > 2
    return Entry(content_hash(content), stamp if settled else (0, 0, 0)), content


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116  # A third faster, for thousands of files.
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size


def _record(database: sqlite3.Connection, root: Path, identity: bytes) -> Record:
    query = "SELECT body FROM record WHERE root = ? AND data = ?"
    return _entries(database.execute(query, (str(root), identity)).fetchone())


def _last_record(database: sqlite3.Connection, root: Path) -> Record:
    query = "SELECT body FROM record WHERE root = ? ORDER BY made DESC LIMIT 1"
    return _entries(database.execute(query, (str(root),)).fetchone())


def _packed(entries: Record) -> bytes:
    told = [[path, entry.hash, *entry.stamp] for path, entry in entries.items()]
    return zlib.compress(json.dumps(told, separators=(",", ":")).encode(), 1)


def _entries(row: Sequence[Any] | None) -> Record:
    body = None if row is None else _unpacked(row[0])
    if body is None:
        return {}
    try:
        return {
            str(path): Entry(bytes.fromhex(digest).hex(), (int(modified), int(changed), int(size)))
            for path, digest, modified, changed, size in json.loads(body)
        }
    except (TypeError, ValueError):
        return {}


def _unpacked(body: object) -> bytes | None:
    """What was compressed; None where it is damaged, or longer than any source may be."""
    if not isinstance(body, bytes):
        return None
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(body, MAX_BYTES + 1)
    except zlib.error:
        return None
    return content if unpacker.eof and len(content) <= MAX_BYTES else None
