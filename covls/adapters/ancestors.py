"""Commits and their ancestors, as git has them."""

import os
import subprocess
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from covls.adapters.git_command import ask_git, find_git

MOST: Final = 5000
"""Ancestors that are looked at."""

_SECONDS: Final = 20.0
_ERRORS = (OSError, subprocess.SubprocessError, ValueError)


class NoCommitError(Exception):
    """There is no such commit, or no git: the message says which, for people."""


@dataclass(frozen=True, slots=True)
class FoundCommit:
    """A commit, and where the root is in it."""

    id: str
    """Its full name."""
    parents: tuple[str, ...]
    authored: datetime
    """UTC."""
    folder: str
    """The root against the top of the repository, with slashes; "" for the top itself."""


@dataclass(frozen=True, slots=True)
class Ancestor:
    """A commit that another descends from."""

    id: str
    distance: int
    """Steps from child to parent, at least; 0 for the commit itself."""


@dataclass(frozen=True, slots=True)
class Ancestors:
    """A commit and those it descends from, the nearest first."""

    commits: tuple[Ancestor, ...]
    shallow: bool
    """Whether the history is cut off here."""
    bounded: bool
    """Whether there are more than were looked at."""


def find_commit(root: Path, name: str = "HEAD") -> FoundCommit:
    """A commit by any name that git understands. Raises NoCommitError."""
    program = _git(root)
    try:
        top = os.fsdecode(ask_git(program, root, "rev-parse", "--show-toplevel", fails=True))
        if not top:
            raise NoCommitError(f"{root} is in no git repository.")
        asked = ("log", "-1", "--no-show-signature", "--format=%H%n%P%n%at", name, "--")
        found = b"" if name.startswith("-") else ask_git(program, root, *asked, fails=True)
        if not found:
            raise NoCommitError(f"{name} is no commit in {root}.")
        commit, parents, at = found.decode().splitlines()
        folder = Path(os.path.realpath(root)).relative_to(os.path.realpath(top.rstrip("\n")))
        return FoundCommit(
            commit,
            tuple(parents.split()),
            datetime.fromtimestamp(int(at), UTC),
            "" if folder == Path() else folder.as_posix(),
        )
    except (*_ERRORS, OverflowError) as error:
        raise NoCommitError(_silent(root)) from error


def find_ancestors(root: Path, commit: str) -> Ancestors:
    """A commit and its ancestors, by the fewest steps. Raises NoCommitError.

    Which come before which is told by who is whose parent, and by no clock. Of a very long history
    git gives those with the latest dates.
    """
    program = _git(root)
    try:
        # `--format` would have git look up every commit; the lists are what it walks by anyway.
        listing = ("rev-list", "--parents", f"--max-count={MOST + 1}", commit, "--")
        listed = ask_git(program, root, *listing, seconds=_SECONDS).decode().splitlines()
        asked = ("rev-parse", "--is-shallow-repository")
        shallow = ask_git(program, root, *asked, fails=True).strip() == b"true"
    except _ERRORS as error:
        raise NoCommitError(_silent(root)) from error
    parents = {own: others for own, *others in (line.split() for line in listed)}
    commits = tuple(_nearest_first(commit, parents))
    return Ancestors(commits[:MOST], shallow, bounded=len(listed) > MOST)


def commits_since(root: Path, commit: str) -> int | None:
    """How many commits HEAD has that another has not.

    None where HEAD does not descend from it, or it is not here.
    """
    try:
        asked = ("rev-list", "--count", "--left-right", f"{commit}...HEAD", "--")
        answer = ask_git(_git(root), root, *asked, fails=True, seconds=_SECONDS).split()
    except (*_ERRORS, NoCommitError):
        return None
    if len(answer) != 2 or int(answer[0]):
        return None
    return int(answer[1])


def _nearest_first(commit: str, parents: dict[str, list[str]]) -> Iterator[Ancestor]:
    seen = {commit}
    waiting = deque([Ancestor(commit, 0)])
    while waiting:
        ancestor = waiting.popleft()
        yield ancestor
        for parent in parents.get(ancestor.id, ()):
            if parent not in seen:
                seen.add(parent)
                waiting.append(Ancestor(parent, ancestor.distance + 1))


def _git(root: Path) -> str:
    program = find_git(root)
    if program is None:
        raise NoCommitError("git was not found on this machine's PATH.")
    return program


def _silent(root: Path) -> str:
    return f"git does not answer in {root}: `git -C {root} status` may say why."
