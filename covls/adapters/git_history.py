"""How often the files of a root were changed of late, as git's history has it."""

import hashlib
import json
import os
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from covls.adapters.analysis_cache import cache_folder
from covls.adapters.cache_database import CacheDatabase
from covls.adapters.git_command import ask_git, find_git

DAYS: Final = 365
"""How far back is looked, from the time of HEAD's commit."""

COMMITS: Final = 3000
"""Commits that are looked at, at most."""

SWEEPING: Final = 100
"""A commit that changes more files than this says nothing of any: all were formatted, or moved."""

_SECONDS: Final = 10.0

_KEPT: Final = 50
"""Histories that are kept, of all roots."""

_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS history (
        key TEXT PRIMARY KEY,
        used INTEGER NOT NULL,
        body TEXT NOT NULL
    )
"""

_ERRORS = (OSError, subprocess.SubprocessError, ValueError)


@dataclass(frozen=True, slots=True)
class History:
    """How many commits changed each file."""

    commits: Mapping[str, int] = field(default_factory=dict)
    """By real path; a file that is not there was not changed."""
    known: bool = True
    """Whether anything is known; where it is not, `note` says why."""
    note: str = ""
    """A sentence for people, where it is not the whole of the last `DAYS` days."""


def read_history(root: Path) -> History:
    """How often the files below a root were changed in its repository.

    Read once for each commit that HEAD is at, and kept in the cache folder. Merges do not count.
    """
    root = Path(os.path.realpath(root))
    program = find_git(root)
    if program is None:
        return History(known=False, note="How often files change is not known: there is no git.")
    try:
        asked = ("rev-parse", "--is-shallow-repository", "--show-toplevel")
        answer = os.fsdecode(ask_git(program, root, *asked, fails=True)).splitlines()
        if len(answer) < 2:
            note = f"How often files change is not known: {root} is in no git repository."
            return History(known=False, note=note)
        shallow, top = answer[0] == "true", Path(answer[1])
        head = ask_git(program, root, "log", "-1", "--format=%H %ct", fails=True).decode()
        if not head:
            note = "How often files change is not known: there are no commits yet."
            return History(known=False, note=note)
        commit, time = head.split()
        counts, looked_at = _kept_counts(root, commit) or _read(program, root, top, commit, time)
    except _ERRORS:
        note = "How often files change is not known: git does not tell, or not in time."
        return History(known=False, note=note)
    note = ""
    if shallow:
        note = (
            f"How often files change is told from {looked_at} commits: the history is cut off here "
            "(a shallow clone)."
        )
    elif looked_at >= COMMITS:
        note = f"How often files change is told from the last {COMMITS} commits."
    return History({os.fspath(top / name): count for name, count in counts.items()}, note=note)


def _read(
    program: str, root: Path, top: Path, commit: str, time: str
) -> tuple[dict[str, int], int]:
    """The commits of each file by its name below `top`, and how many commits were looked at."""
    arguments = [
        *("-c", "log.showRoot=false", "log", "-z", "--name-only", "--format=%x01%H"),
        *("--no-merges", "--no-renames", "--no-relative", "--no-ext-diff", "--no-textconv"),
        *("--ignore-submodules=all", f"--max-count={COMMITS}"),
        *(f"--since=@{int(time) - DAYS * 86_400}", commit, "--"),
    ]
    if root != Path(os.path.realpath(top)):
        arguments.append(".")
    answer = os.fsdecode(ask_git(program, root, *arguments, seconds=_SECONDS))
    counts: Counter[str] = Counter()
    changed: list[str] = []
    looked_at = 0
    for word in answer.split("\0"):
        if word.startswith("\x01"):
            _count(counts, changed)
            changed = []
            looked_at += 1
        elif name := word.removeprefix("\n"):
            changed.append(name)
    _count(counts, changed)
    found = dict(counts)
    _keep(root, commit, found, looked_at)
    return found, looked_at


def _count(counts: Counter[str], changed: list[str]) -> None:
    if len(changed) <= SWEEPING:
        counts.update(name for name in changed if name.endswith((".py", ".pyw")))


def _database() -> CacheDatabase:
    return CacheDatabase(cache_folder() / "history-1.sqlite", _SCHEMA)


def _key(root: Path, commit: str) -> str:
    words = (os.fspath(root), commit, str(DAYS), str(COMMITS), str(SWEEPING))
    return hashlib.sha256("\0".join(words).encode(errors="surrogateescape")).hexdigest()


def _kept_counts(root: Path, commit: str) -> tuple[dict[str, int], int] | None:
    def ask(database: sqlite3.Connection) -> str | None:
        found = database.execute(
            "SELECT body FROM history WHERE key = ?", (_key(root, commit),)
        ).fetchone()
        return None if found is None else str(found[0])

    body = _database().ask(ask, None)
    if body is None:
        return None
    counts, looked_at = json.loads(body)
    return dict(counts), int(looked_at)


def _keep(root: Path, commit: str, counts: Mapping[str, int], looked_at: int) -> None:
    def change(database: sqlite3.Connection) -> None:
        (last,) = database.execute("SELECT coalesce(max(used), 0) FROM history").fetchone()
        row = (_key(root, commit), last + 1, json.dumps([counts, looked_at]))
        database.execute("INSERT OR REPLACE INTO history VALUES (?, ?, ?)", row)
        database.execute("DELETE FROM history WHERE used <= ?", (last + 1 - _KEPT,))

    _database().change(change)
