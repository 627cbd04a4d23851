"""A data file written anew and put in the place of the old one, whole or not at all.

The new file is made beside the old one under a name that no tool reads, and takes its place in one
step. What was there before is kept in the user's cache folder until the next time. A journal says
how far a write had come, so that one that was cut off, at any moment, is cleared up later.
"""

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import stat
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import coverage
from coverage.sqldata import SCHEMA, SCHEMA_VERSION

from covls.adapters.analysis_cache import cache_folder
from covls.adapters.data_file import fingerprint
from covls.adapters.snapshot import SCHEMA as KNOWN_SCHEMA
from covls.adapters.snapshot import FileStamp, Fingerprint
from covls.core.coverage import Measured
from covls.core.detail import bits_of

_FOLDER: Final = "data-1"
_JOURNAL: Final = "journal.json"
_SECONDS_TO_WAIT: Final = 10.0
_MOST_KEPT: Final = 1 << 30
"""Bytes of old data that are kept at most; more is not kept at all."""


class NotWrittenError(Exception):
    """Why the data file is as it was: one clear sentence that names it."""


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """One measured file: what ran in it by context; nothing ran where there is none."""

    path: str
    ran: Mapping[str, Measured]
    tracer: str = ""
    """The plugin that measured it; empty for plain Python."""


def write_data(
    data_file: Path,
    files: Iterable[WrittenFile],
    *,
    has_arcs: bool,
    replacing: Fingerprint,
    version: str | None = None,
    measured_at: float | None = None,
    folder: Path | None = None,
) -> Fingerprint:
    """Write a data file in the place of one, and of its parallel siblings, that looked so.

    `version` is that of the coverage.py that measured, None for covls's own. `measured_at`, in
    seconds since the epoch, becomes the file's time, so that sources that were saved later are not
    taken for those that were measured. `folder` is the cache folder.

    Returns how the data file looks then. Raises NotWrittenError where somebody else changed the
    data meanwhile, and where it cannot be written.
    """
    assert SCHEMA_VERSION == KNOWN_SCHEMA, "the tests run with this coverage.py"
    target = Path(os.path.realpath(data_file))
    place = _Place.of(data_file, folder)
    try:
        with place.locked():
            _recover(data_file, place)
            _check(data_file, replacing)
            temporary = target.with_name(f".covls-{uuid.uuid4().hex}.tmp")
            place.note({"new": str(temporary)})
            try:
                _make(temporary, files, has_arcs, version or coverage.__version__)
                _settle(temporary, target, measured_at)
                place.keep(replacing)
                made = _looks(temporary)
                place.note({"new": str(temporary), "made": made, "old": _told(replacing)})
                _check(data_file, replacing)
                temporary.replace(target)
            except BaseException:
                temporary.unlink(missing_ok=True)
                place.done()
                raise
            _sync_folder(target.parent)
            _remove_siblings(data_file, replacing)
            place.done()
            return fingerprint(data_file)
    except (OSError, sqlite3.Error) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise NotWrittenError(f"{data_file} was not written: {reason}.") from error


def recover(data_file: Path, folder: Path | None = None) -> bool:
    """Clear up after a write that was cut off. Returns whether there was one.

    The data file then is the old one or the new one, whole, and no file of covls's is beside it.
    """
    place = _Place.of(data_file, folder)
    if not place.journal.exists():
        return False
    try:
        with place.locked():
            return _recover(data_file, place)
    except (OSError, sqlite3.Error):
        return False  # Another process is at it, or the folder cannot be written; it may pass.


def kept_data(data_file: Path, folder: Path | None = None) -> tuple[Path, ...]:
    """The data files that were there before the last write, the data file's own first."""
    place = _Place.of(data_file, folder)
    return tuple(sorted(place.old.glob("*"), key=lambda path: (path.name != data_file.name, path)))


@dataclass(frozen=True, slots=True)
class _Place:
    """The folder in the cache that belongs to one data file."""

    folder: Path

    @classmethod
    def of(cls, data_file: Path, folder: Path | None) -> "_Place":
        real = os.path.realpath(data_file).encode("utf-8", "surrogatepass")
        name = hashlib.sha256(real).hexdigest()[:32]
        return cls((folder or cache_folder()) / _FOLDER / name)

    @property
    def journal(self) -> Path:
        return self.folder / _JOURNAL

    @property
    def old(self) -> Path:
        return self.folder / "old"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only one that writes this data file; SQLite's lock goes with its process."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / "lock.sqlite"
        with contextlib.closing(
            sqlite3.connect(path, timeout=_SECONDS_TO_WAIT, isolation_level=None)
        ) as database:
            database.execute("PRAGMA journal_mode = memory")
            database.execute("BEGIN EXCLUSIVE")
            yield

    def note(self, state: Mapping[str, Any]) -> None:
        """Write down how far a write has come."""
        draft = self.folder / "journal.new"
        with draft.open("w", encoding="utf-8") as stream:
            json.dump(state, stream)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(self.journal)

    def state(self) -> Mapping[str, Any] | None:
        try:
            found = json.loads(self.journal.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def done(self) -> None:
        self.journal.unlink(missing_ok=True)

    def keep(self, replaced: Fingerprint) -> None:
        """Keep the files that are about to be replaced, in the place of those kept before."""
        draft = self.folder / "old.new"
        for each in (draft, self.folder / "older"):
            shutil.rmtree(each, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if sum(stamp.size for stamp in replaced.files) <= _MOST_KEPT:
            for stamp in replaced.files:
                shutil.copy2(stamp.path, draft / stamp.path.name)
        if self.old.exists():
            self.old.replace(self.folder / "older")
        draft.replace(self.old)
        shutil.rmtree(self.folder / "older", ignore_errors=True)


def _check(data_file: Path, replacing: Fingerprint) -> None:
    if fingerprint(data_file) != replacing:
        raise NotWrittenError(
            f"{data_file} was written by somebody else meanwhile, and is left as it is. "
            "Run the tests again."
        )
    for end in ("-journal", "-wal"):
        if (beside := data_file.with_name(data_file.name + end)).exists():
            raise NotWrittenError(
                f"{data_file} was not written: {beside.name} lies beside it, as another process "
                "is writing it, or was stopped. Run `coverage erase`, delete it, and run all "
                "tests again."
            )


def _make(temporary: Path, files: Iterable[WrittenFile], has_arcs: bool, version: str) -> None:
    """Make a data file as coverage.py's `CoverageData` would."""
    with contextlib.closing(sqlite3.connect(temporary, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = off")
        database.execute("PRAGMA synchronous = off")
        database.executescript(SCHEMA)
        database.execute("BEGIN")
        database.execute("INSERT INTO coverage_schema (version) VALUES (?)", (SCHEMA_VERSION,))
        database.executemany(
            "INSERT INTO meta (key, value) VALUES (?, ?)",
            [("version", version), ("has_arcs", str(int(has_arcs)))],
        )
        contexts: dict[str, int] = {}
        for number, file in enumerate(files, 1):
            database.execute("INSERT INTO file (id, path) VALUES (?, ?)", (number, file.path))
            if file.tracer:
                database.execute(
                    "INSERT INTO tracer (file_id, tracer) VALUES (?, ?)", (number, file.tracer)
                )
            for context, measured in file.ran.items():
                if context not in contexts:
                    contexts[context] = len(contexts) + 1
                    database.execute(
                        "INSERT INTO context (id, context) VALUES (?, ?)",
                        (contexts[context], context),
                    )
                _add(database, number, contexts[context], measured)
        database.execute("COMMIT")


def _add(database: sqlite3.Connection, file: int, context: int, measured: Measured) -> None:
    if measured.arcs is not None:
        database.executemany(
            "INSERT INTO arc (file_id, context_id, fromno, tono) VALUES (?, ?, ?, ?)",
            [(file, context, start, end) for start, end in sorted(measured.arcs)],
        )
    elif measured.lines:
        bits = bits_of(measured.lines)
        numbits = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
        database.execute(
            "INSERT INTO line_bits (file_id, context_id, numbits) VALUES (?, ?, ?)",
            (file, context, numbits),
        )


def _settle(temporary: Path, target: Path, measured_at: float | None) -> None:
    """Bring a new file to the disk, with the rights of the one it replaces."""
    with contextlib.suppress(FileNotFoundError):
        temporary.chmod(stat.S_IMODE(target.stat().st_mode))
    if measured_at is not None:
        os.utime(temporary, (measured_at, measured_at))
    with temporary.open("rb+") as stream:
        os.fsync(stream.fileno())


def _remove_siblings(data_file: Path, replaced: Fingerprint) -> None:
    """Remove the parallel files whose data are in the new file, unless they were changed."""
    now = {stamp.path: stamp for stamp in fingerprint(data_file).files}
    for stamp in replaced.files:
        if stamp.path != data_file and now.get(stamp.path) == stamp:
            stamp.path.unlink(missing_ok=True)


def _recover(data_file: Path, place: _Place) -> bool:
    state = place.state()
    if state is None:
        return False
    target = Path(os.path.realpath(data_file))
    temporary = Path(str(state.get("new", "")))
    # Nothing but a file of our own making is removed, whatever the journal says.
    if temporary.parent == target.parent and temporary.name.startswith(".covls-"):
        temporary.unlink(missing_ok=True)
    if state.get("made") == _looks(target):
        with contextlib.suppress(TypeError, ValueError):
            old = [FileStamp(Path(path), *numbers) for path, *numbers in state.get("old", ())]
            _remove_siblings(data_file, Fingerprint(tuple(old)))
    place.done()
    return True


def _looks(path: Path) -> list[int] | None:
    """What tells a file from another that has its place."""
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_ino, found.st_size, found.st_mtime_ns]


def _told(found: Fingerprint) -> list[tuple[str, int, int, int]]:
    return [(str(s.path), s.inode, s.size, s.mtime_ns) for s in found.files]


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # Not every system lets a folder be opened.
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
