"""Data that was pulled from a share, kept in the user's cache folder, for each root.

Each pull has a folder of its own, and a file says which one counts; it is put there last, and
whole, so that a pull that was broken off, or one beside another, leaves nothing half. Nothing is
ever put where the project has its own data.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from covls.adapters.analysis_cache import cache_folder

_FOLDER: Final = "pulled-1"
_CURRENT: Final = "current.json"
_DATA: Final = ".coverage"
_GRACE: Final = 3600.0
"""Seconds that a folder which does not count stays, for whoever still reads it or fills it."""
_DAYS_KEPT: Final = 90
"""Days after which what was pulled for a root is let go of, whoever pulls next."""


@dataclass(frozen=True, slots=True)
class PulledData:
    """What was last pulled for a root."""

    data_file: Path
    """With siblings, where several pushes are combined, and recorded sources beside it."""
    commit: str
    """What was measured."""
    flags: tuple[str, ...]
    """Of the pushes that it is made of, in words: "py312, linux"."""
    origin: str
    """The address it is from, for people."""
    at: float
    """When it was pulled, seconds since the epoch."""

    def sentence(self, since: int | None) -> str:
        """Where it is from, for people.

        `since` is how many commits HEAD is ahead, None where it does not descend from the commit.
        """
        ago = {
            None: "which HEAD does not descend from",
            0: "the one that is checked out",
            1: "one commit ago",
        }.get(since, f"{since} commits ago")
        return f"From CI: commit {self.commit[:7]}, {ago}."


def pointer(root: Path) -> Path:
    """The file that says what counts: it changes whenever something is pulled, or let go of."""
    return _place(root) / _CURRENT


def find_pulled(root: Path) -> PulledData | None:
    """What was last pulled for a root; None where there is nothing, or it is damaged."""
    place = _place(root)
    try:
        found = json.loads((place / _CURRENT).read_text("utf-8"))
        folder = place / str(found["folder"])
        data = PulledData(
            folder / _DATA,
            str(found["commit"]),
            tuple(str(flags) for flags in found["flags"]),
            str(found["origin"]),
            float(found["at"]),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    # The cache may be emptied at any time.
    return data if folder.parent == place and data.data_file.is_file() else None


@contextlib.contextmanager
def being_pulled(root: Path) -> Iterator[Path]:
    """A new folder to be filled, where the data file is to be `.coverage`. Raises OSError.

    It goes where an error ends its being filled.
    """
    place = _place(root)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="data-", dir=place))
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def take(root: Path, folder: Path, commit: str, flags: tuple[str, ...], origin: str) -> PulledData:
    """Have what is in a folder count from now on. Raises OSError."""
    data = PulledData(folder / _DATA, commit, flags, origin, time.time())
    told = {**asdict(data), "data_file": None, "folder": folder.name, "root": str(root)}
    place = _place(root)
    before = find_pulled(root)
    with tempfile.NamedTemporaryFile("w", dir=place, delete=False, encoding="utf-8") as stream:
        json.dump(told, stream, indent=1)
    Path(stream.name).replace(place / _CURRENT)
    # A server may be reading what was there before, until it has seen what is new.
    _let_go(place, {folder, *([before.data_file.parent] if before else [])})
    return data


def forget(root: Path) -> bool:
    """Let go of what was pulled for a root. Returns whether there was anything."""
    place = _place(root)
    there = (place / _CURRENT).exists()
    (place / _CURRENT).unlink(missing_ok=True)
    _let_go(place, set())
    return there


def _place(root: Path) -> Path:
    real = os.path.realpath(root).encode("utf-8", "surrogatepass")
    return cache_folder() / _FOLDER / hashlib.sha256(real).hexdigest()[:32]


def _let_go(place: Path, kept: set[Path]) -> None:
    """Remove what does not count any more, and what was pulled long ago for other roots."""
    now = time.time()
    for folder in _entries(place):
        if folder not in kept and folder.name != _CURRENT and _age(folder, now) > _GRACE:
            _remove(folder)
    for other in _entries(place.parent):
        if other != place and _age(other / _CURRENT, now) > _DAYS_KEPT * 86_400:
            _remove(other)


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _age(path: Path, now: float) -> float:
    """Seconds since something was changed; none where it is not there, so that it stays."""
    try:
        return now - path.stat().st_mtime
    except OSError:
        return 0.0


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
