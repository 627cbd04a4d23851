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
from pathlib import Path

from covls.adapters.combination import Combination
from covls.adapters.path_rules import PathRules
from covls.adapters.private_copy import (
    PAUSE,
    DataFileError,
    DataFileProblem,
    explain,
)
from covls.adapters.snapshot import FileStamp, Fingerprint, Part, Snapshot

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
    combination = Combination()
    try:
        siblings = [stamp.path for stamp in seen.files if stamp.path != data_file]
        try:
            combination.add(data_file, None, give_up)
        except DataFileError as error:
            # coverage.py too reports from parallel files alone.
            if error.kind not in (DataFileProblem.MISSING, DataFileProblem.EMPTY) or not siblings:
                raise
        errors = _add_siblings(combination, siblings, rules, give_up)
        if not combination.parts:
            raise errors[0]
        problems += [f"left out: {error}" for error in errors]
        if paths:
            combination.rename(PathRules(root, paths, relative_files=relative_files))
        return Snapshot(data_file, combination.contents(), seen, tuple(problems))
    except sqlite3.DatabaseError as error:
        combination.close()
        raise explain(data_file, error) from error
    except BaseException:
        combination.close()
        raise


def _add_siblings(
    combination: Combination,
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
            combination.add(path, rules, give_up)
        except DataFileError as error:
            if error.kind is DataFileProblem.MISSING:
                raise _VanishedError(f"{path} is being combined by another process.") from error
            if error.kind in (DataFileProblem.BUSY, DataFileProblem.NO_ROOM):
                raise
            errors.append(error)
        if hashed:
            hashes.add(hashed[1])
    return errors
