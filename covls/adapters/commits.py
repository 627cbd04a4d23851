"""Commits of a root's repository: which came before which, and what their files were.

What came before what is told by parents alone. Dates are the clocks of other people's machines,
and a rebase, a force push or a squash merge leaves commits behind that no walk from here meets.
"""

import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

from covls.adapters.git_command import ask_git, find_git
from covls.adapters.merge_base import content_name
from covls.adapters.source import MAX_BYTES, source_text
from covls.core.history import Commit
from covls.core.lines import split_lines

FIRST_PARENTS: Final = 2_000
"""Commits that are walked along first parents, at most."""

OTHERS: Final = 5_000
"""Commits that are walked on all ways, at most, where none of those is what is looked for."""

_SECONDS: Final = 20.0
_LAST_SECOND: Final = 253_402_214_400  # In the year 9999, the last that Python knows.
_ERRORS = (OSError, subprocess.SubprocessError, ValueError)
_PLAIN = ("--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_DOCUMENT = re.compile(
    r"(?:.*\.(?:md|rst|adoc)|(?:.*/)?docs?/.*\.(?:txt|png|jpe?g|svg|gif)"
    r"|(?:LICEN[CS]E|CHANGES|CHANGELOG|AUTHORS|CONTRIBUTORS|NEWS|README|COPYING)(?:\.\w+)?)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Commits:
    """The commits of the repository that a root is in. Asks git anew each time; thread-safe.

    What git does not answer, or not in time, is not known: no method raises.
    """

    program: str
    top: Path
    """The folder of the work tree."""
    prefix: str
    """The root's path below it, with a slash at its end; empty where they are the same."""
    shallow: bool
    """Whether the history is cut off here."""

    def find(self, ref: str) -> str | None:
        """The full name of a commit, by any name that git understands; None for no commit."""
        if ref.startswith("-"):
            return None
        found = self._line("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        return found if _COMMIT.fullmatch(found) else None

    def describe(self, commit: str, branch: str | None = None) -> Commit | None:
        """A commit of a full name as a history has it; None where it is not here."""
        if not _COMMIT.fullmatch(commit):
            return None
        try:
            return _described(commit, self._ask("cat-file", "commit", commit), branch)
        except _ERRORS:
            return None

    def branch(self, environment: Mapping[str, str]) -> str | None:
        """The branch that is checked out; on CI, which checks out commits, the one it is for."""
        for name in ("GITHUB_HEAD_REF", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"):
            if environment.get(name):
                return environment[name]
        if found := self._line("symbolic-ref", "--quiet", "--short", "HEAD"):
            return found
        if environment.get("GITHUB_REF_TYPE") == "branch":
            return environment.get("GITHUB_REF_NAME") or None
        return environment.get("CI_COMMIT_BRANCH") or None

    def branches(self) -> tuple[frozenset[str], frozenset[str]] | None:
        """The names of all branches, here and at remotes, and all commits that they have.

        None where it is not known: where git does not answer, or has not all branches of a remote.
        """
        try:
            fetched = self._ask("config", "--get-regexp", r"^remote\..*\.fetch$", fails=True)
            remotes = self._ask("config", "--get-regexp", r"^remote\..*\.url$", fails=True)
            listed = self._ask("for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes")
            commits = self._ask("rev-list", "--branches", "--remotes")
        except _ERRORS:
            return None
        if remotes and b"refs/heads/*" not in fetched:
            return None
        names = set()
        for ref in os.fsdecode(listed).split():
            _, kind, name = ref.split("/", 2)
            names.add(name if kind == "heads" else name.partition("/")[2])
        return frozenset(names), frozenset(commits.decode().split())

    def names(self, commit: str) -> Mapping[str, str] | None:
        """The files of a commit below the root, and what git calls their contents."""
        if not _COMMIT.fullmatch(commit):
            return None
        try:
            listed = os.fsdecode(self._ask("ls-tree", "-r", "-z", "--full-tree", commit))
        except _ERRORS:
            return None
        names: dict[str, str] = {}
        for entry in listed.split("\0")[:-1]:
            about, _, name = entry.partition("\t")
            if name.startswith(self.prefix):
                names[name.removeprefix(self.prefix)] = about.split(" ")[2]
        return names

    def holds(self, commit: str, files: Mapping[str, bytes]) -> bool:
        """Whether files, by path below the root, have these contents in a commit.

        Other line ends are none of git's business, which may make them on checkout.
        """
        names = self.names(commit)
        if names is None:
            return False
        for path, content in files.items():
            there = names.get(path, "")
            plain = content.replace(b"\r\n", b"\n")
            if there not in (content_name(content, there), content_name(plain, there)):
                return False
        return True

    def merge_base(self, one: str, other: str) -> str | None:
        """The best commit that both come from."""
        return self._line("merge-base", one, other) or None

    def along(self, commit: str, most: int = FIRST_PARENTS) -> list[str]:
        """A commit and those before it along first parents, which are the branch's own."""
        if not _COMMIT.fullmatch(commit):
            return []
        return self._listed("rev-list", "--first-parent", f"--max-count={most}", commit, "--")

    def around(self, commit: str) -> list[str]:
        """A commit and all its ancestors, by the number of steps to them.

        Of those that are equally far those come first that an earlier parent leads to.
        """
        if not _COMMIT.fullmatch(commit):
            return []
        listed = self._listed("rev-list", "--parents", f"--max-count={OTHERS}", commit, "--")
        parents = {words[0]: words[1:] for words in map(str.split, listed)}
        found = [commit]
        met = {commit}
        for here in found:
            for parent in parents.get(here, ()):
                if parent not in met:
                    met.add(parent)
                    found.append(parent)
        return found

    def texts(self, commit: str, paths: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """The lines of files of a commit, by path below the root. What is not there is left out."""
        found = self.texts_of([(commit, path) for path in paths])
        return {path: lines for (_, path), lines in found.items()}

    def texts_of(self, files: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Sequence[str]]:
        """The lines of files, each by its commit and its path below the root, asked for at once."""
        asked = [
            (commit, path)
            for commit, path in files
            if _COMMIT.fullmatch(commit) and "\n" not in path and not path.startswith(("/", "../"))
        ]
        given = "".join(f"{commit}:{self.prefix}{path}\n" for commit, path in asked)
        try:
            answer = self._ask("cat-file", "--batch", given=os.fsencode(given)) if asked else b""
        except _ERRORS:
            return {}
        found: dict[tuple[str, str], Sequence[str]] = {}
        place = 0
        for each in asked:
            end = answer.find(b"\n", place)
            words = answer[place:end].split(b" ") if end >= 0 else []
            place = end + 1
            # "NAME blob SIZE", or "WHAT WAS ASKED missing", which may have any blanks in it.
            if len(words) != 3 or not words[2].isdigit():
                continue
            size = int(words[2])
            if words[1] == b"blob" and size <= MAX_BYTES:
                found[each] = split_lines(source_text(answer[place : place + size]))
            place += size + 1
        return found

    def renamed(self, before: str, now: str) -> Mapping[str, str]:
        """What files were called in an earlier commit, by what they are called in a later one."""
        if not (_COMMIT.fullmatch(before) and _COMMIT.fullmatch(now)):
            return {}
        options = ("-r", "-z", "-M", "--diff-filter=R", "--name-status", *_PLAIN)
        try:
            words = os.fsdecode(self._ask("diff-tree", *options, before, now, "--")).split("\0")
        except _ERRORS:
            return {}
        pairs = ((words[place + 2], words[place + 1]) for place in range(0, len(words) - 2, 3))
        return {
            after.removeprefix(self.prefix): earlier.removeprefix(self.prefix)
            for after, earlier in pairs
            if after.startswith(self.prefix) and earlier.startswith(self.prefix)
        }

    def code_names(self, commits: Sequence[str]) -> Mapping[str, str]:
        """A name of the code of each commit: the same for one and the next where no file was
        changed between them but documentation. Commits that are not here have none.
        """
        there = self._present(commit for commit in commits if _COMMIT.fullmatch(commit))
        given = "".join(f"{now} {was}\n" for was, now in pairwise(there))
        options = ("--stdin", "-r", "-z", "--name-only", "--no-renames", *_PLAIN)
        try:
            answer = self._ask("diff-tree", *options, given=given.encode()) if given else b""
        except _ERRORS:
            return {}
        changed = dict.fromkeys(there, False)
        here = ""
        for word in os.fsdecode(answer).split("\0"):
            # A commit, and what was changed in it; one in which nothing was is not listed.
            if _COMMIT.fullmatch(word):
                here = word
            elif word and not _DOCUMENT.fullmatch(word):
                changed[here] = True
        names: dict[str, str] = {}
        name = ""
        for commit in there:
            name = commit if changed[commit] or not name else name
            names[commit] = name
        return names

    def _present(self, commits: Iterable[str]) -> list[str]:
        given = "".join(f"{commit}\n" for commit in commits)
        try:
            answer = self._ask("cat-file", "--batch-check", given=given.encode()) if given else b""
        except _ERRORS:
            return []
        # "NAME commit SIZE", or "NAME missing".
        lines = (line.split() for line in answer.decode().splitlines())
        return [words[0] for words in lines if words[1:2] == ["commit"]]

    def _listed(self, *arguments: str) -> list[str]:
        try:
            return self._ask(*arguments).decode().splitlines()
        except _ERRORS:
            return []

    def _line(self, *arguments: str) -> str:
        try:
            answer = self._ask(*arguments, fails=True)
        except _ERRORS:
            return ""
        return answer.decode(errors="replace").partition("\n")[0]

    def _ask(self, *arguments: str, given: bytes = b"", fails: bool = False) -> bytes:
        return ask_git(
            self.program, self.top, *arguments, given=given, fails=fails, seconds=_SECONDS
        )


def _described(name: str, content: bytes, branch: str | None) -> Commit:
    """A commit from what git has stored of it. Raises ValueError where it says no time."""
    head, _, message = content.partition(b"\n\n")
    parents: list[str] = []
    authored: datetime | None = None
    encoding = "utf-8"
    for line in head.split(b"\n"):
        word, _, rest = line.partition(b" ")
        if word == b"parent":
            parents.append(rest.decode("ascii"))
        elif word == b"author" and authored is None:
            # "NAME <ADDRESS> SECONDS ZONE"; a time out of all bounds is as good as none.
            seconds = int(rest.rpartition(b">")[2].split()[0])
            authored = datetime.fromtimestamp(min(max(seconds, 0), _LAST_SECOND), UTC)
        elif word == b"encoding":
            encoding = rest.decode("ascii", "replace")
    if authored is None:
        raise ValueError(f"{name} has no author")
    try:
        subject = message.decode(encoding, "replace")
    except LookupError:
        subject = message.decode("utf-8", "replace")
    lines = subject.strip().splitlines()
    first = "".join(letter for letter in lines[0] if letter.isprintable()) if lines else ""
    return Commit(name, tuple(parents), branch, authored=authored, subject=first)


def commits_of(root: Path) -> Commits | None:
    """The repository that a root is in, None where there is none, or no git."""
    program = find_git(root)
    if program is None:
        return None
    asked = ("rev-parse", "--is-shallow-repository", "--show-toplevel", "--show-prefix")
    try:
        answer = os.fsdecode(ask_git(program, root, *asked)).split("\n")
    except _ERRORS:
        return None
    if len(answer) < 3:
        return None
    return Commits(program, Path(answer[1]), answer[2], answer[0] == "true")
