"""Versions of one file in git, as candidates for the text that was measured.

Files are followed by their path alone: what a file was before it was renamed is not found.
"""

import os
import subprocess
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from covls.adapters.git_command import SECONDS, ask_git, find_git
from covls.adapters.source import MAX_BYTES

_TICK: Final = 1.0
"""git tells times in whole seconds, rounded down: something may have been so much later."""
_REFLOG: Final = 500
_COMMITS: Final = 20
"""The most commits after the data that are looked at, of each kind."""

_LACKING: Final = 5
"""The most contents that may lack before the rest is given up."""


@dataclass(frozen=True, slots=True)
class Version:
    """A file's content as git has it."""

    name: str
    """Where it is from, for people: "the index", "commit 1a2b3c4"."""
    content: bytes
    at: float
    """Seconds since the epoch, at the latest: when it was committed, checked out or, in the index,
    written to disk."""


class Git:
    """The history of the files of one root, as far as it may say what was measured."""

    def __init__(self, root: Path, *, seconds: float = SECONDS) -> None:
        self._root = root
        self._seconds = seconds

    def versions(self, path: Path, written_at: float) -> tuple[Version, ...]:
        """Contents that a file may have had when data was written.

        In this order: the index; what was checked out when the data was written, where git's log
        of HEAD reaches back so far; commits and stashes made since, as they may hold what was not
        committed yet; the last commit before. Empty where there is no git, no repository
        or nothing in it about the file, or where git takes too long.
        """
        program = find_git(self._root)
        if program is None or "\n" in path.name or not path.parent.is_dir():
            return ()
        asked = _Asked(program, path.parent, f"./{path.name}", self._seconds)
        try:
            return asked.versions(written_at)
        except (OSError, subprocess.SubprocessError, ValueError):
            # No repository, one that is not ours, no time: then git knows nothing.
            return ()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a content can be asked for."""

    name: str
    revision: str
    at: float


@dataclass(frozen=True, slots=True)
class _Asked:
    """git, asked about one file, from the folder of the file."""

    program: str
    folder: Path
    file: str
    seconds: float

    def versions(self, written_at: float) -> tuple[Version, ...]:
        places = []
        staged_at = self._staged_at()
        if staged_at is not None:
            places.append(_Place("the index", "", staged_at))
        if self._run("rev-parse", "--verify", "--quiet", "HEAD", fails=True):
            places += self._moves(written_at)
            places += self._commits(written_at)
            places += self._stashes(written_at)
        return tuple(self._contents(places))

    def _staged_at(self) -> float | None:
        """When the content in the index was written to disk; None where it has none.

        Where that is not known, as after `git read-tree`, it is later than anything.
        """
        listed = self._run("ls-files", "--debug", "--", self.file).decode(errors="replace")
        if not listed:
            return None
        for line in listed.splitlines()[1:]:
            words = line.replace(":", " ").split()
            if len(words) == 3 and words[0] == "mtime" and int(words[1]):
                return int(words[1]) + int(words[2]) / 1e9
        return float("inf")

    def _moves(self, written_at: float) -> list[_Place]:
        """What HEAD was at when the data was written, and what was committed here since."""
        moves = self._reflog("HEAD")
        before = [move for move in moves if move[1] <= written_at][:1]
        # A checkout since then says nothing, unless it was within a second. The oldest commits
        # are the nearest to the data.
        after = [
            move
            for move in moves
            if move[1] > written_at and (move[2].startswith("commit") or move[1] < written_at + 1)
        ]
        return [
            _Place(f"commit {commit[:7]}", commit, at)
            for commit, at, _ in (*before, *after[-_COMMITS:])
        ]

    def _stashes(self, written_at: float) -> list[_Place]:
        return [
            _Place(f"stash {commit[:7]}", commit, at)
            for commit, at, _ in self._reflog("refs/stash")[:_COMMITS]
            if at > written_at
        ]

    def _reflog(self, name: str) -> list[tuple[str, float, str]]:
        """Commit, time and reason of each move of a reference, the latest first."""
        shown = self._run(
            "log",
            "--walk-reflogs",
            "--no-show-signature",
            "--no-patch",
            "--date=unix",
            f"--max-count={_REFLOG}",
            "--format=%H%x00%gd%x00%gs",
            name,
            "--",
            fails=True,
        )
        moves = []
        for line in shown.decode(errors="replace").split("\n"):
            commit, _, rest = line.partition("\0")
            selector, _, reason = rest.partition("\0")
            at = selector.rpartition("@{")[2].rstrip("}")
            if at.isdigit():
                moves.append((commit, int(at) + _TICK, reason))
        return moves

    def _commits(self, written_at: float) -> list[_Place]:
        """The commits to this file since the data was written, and the last one before."""
        listing = ("rev-list", "--timestamp")
        second = int(written_at)
        since = (f"--max-age={second}", f"--max-count={_COMMITS}", "HEAD", "--", self.file)
        before = (f"--min-age={second - 1}", "--max-count=1", "HEAD", "--", self.file)
        found = self._run(*listing, *since) + self._run(*listing, *before)
        return [
            _Place(f"commit {commit[:7]}", commit, int(at) + _TICK)
            for at, commit in (line.split() for line in found.decode().splitlines())
        ]

    def _contents(self, places: Sequence[_Place]) -> list[Version]:
        found = list(self._found(places))
        sizes = {blob: size for _, blob, size in found}
        given = "".join(f"{blob}\n" for blob in sizes).encode()
        answer = self._run("cat-file", "--batch", given=given)
        contents: dict[str, bytes] = {}
        position = 0
        for blob, size in sizes.items():
            start = answer.index(b"\n", position) + 1
            contents[blob] = answer[start : start + size]
            position = start + size + 1
        return [Version(place.name, contents[blob], place.at) for place, blob, _ in found]

    def _found(self, places: Sequence[_Place]) -> Iterator[tuple[_Place, str, int]]:
        """Where there is a content, its name in git, and its size in bytes."""
        left = deque(places)
        for _ in range(_LACKING):
            specs = "".join(f"{place.revision}:{self.file}\n" for place in left)
            checked = self._run("cat-file", "--batch-check", given=os.fsencode(specs), cut=True)
            for line in checked.decode(errors="replace").splitlines():
                place = left.popleft()
                # An answer that is no blob's is words about what is missing, or a folder.
                words = line.split()
                if len(words) == 3 and words[1] == "blob" and int(words[2]) <= MAX_BYTES:
                    yield place, words[0], int(words[2])
            if not left:
                break
            # git gives up at a content that a partial clone lacks, and may not fetch.
            left.popleft()

    def _run(
        self, *arguments: str, given: bytes = b"", fails: bool = False, cut: bool = False
    ) -> bytes:
        return ask_git(
            self.program,
            self.folder,
            *arguments,
            given=given,
            fails=fails,
            cut=cut,
            seconds=self.seconds,
        )
