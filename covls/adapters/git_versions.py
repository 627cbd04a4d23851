"""Two versions of a repository as git has them stored: a commit, and a commit or the index.

What is in the work tree has no part in it. A pre-commit hook is about what is staged, a pre-push
hook about commits; the files on disk may be ahead of both.
"""

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from covls.adapters.git_command import ask_git, find_git
from covls.adapters.merge_base import Base, MergeBase, NoText, content_name
from covls.adapters.source import MAX_BYTES, source_text
from covls.core.lines import split_lines

_SECONDS: Final = 20.0
_SUBMODULE: Final = "160000"
_ERRORS = (OSError, subprocess.SubprocessError, ValueError)
_PLAIN = ("--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty")


class NoVersionsError(Exception):
    """There is nothing to compare: the message says why, for people."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One file that differs between the versions."""

    name: str
    """Its path against the top of the repository, with slashes; of a deleted file what it was."""
    before: str = ""
    """The name that git gives its content in the first version; "" where it is new."""
    after: str = ""
    """The same of the second version; "" where it is deleted."""
    name_before: str = ""
    """What it was called, where it was renamed."""
    submodule: bool = False


class GitVersions:
    """What was changed between two versions; read once, and never again.

    Stands in for a `MergeBase` where the second version is not the work tree. Raises
    NoVersionsError where there is nothing to compare.
    """

    def __init__(self, root: Path, *, first: str | None = None, second: str | None = None) -> None:
        """Compare the merge base of commits `first` and `second` with `second`.

        With neither the last commit is compared with the index.
        """
        self._root = root
        self._texts: dict[str, str] = {}
        program = find_git(root)
        if program is None:
            raise NoVersionsError("git was not found on this machine's PATH.")
        self._program = program
        # A commit of some files, or with `-a`, has an index of its own, which hooks are told of.
        index = os.environ.get("GIT_INDEX_FILE") if second is None else None
        self._environment = {"GIT_INDEX_FILE": str(Path(index).absolute())} if index else {}
        try:
            top = self._line(root, "rev-parse", "--show-toplevel")
            if not top:
                raise NoVersionsError(f"{root} is in no git repository.")
            self.top = Path(os.path.realpath(top))
            if second is None:
                self._base, listed = self._index_and_head()
            else:
                self._base, listed = self._commits(first or "", second)
            self.changes = tuple(_changes(os.fsdecode(listed)))
        except _ERRORS as error:
            where = f"git -C {root} status"
            raise NoVersionsError(f"git does not answer: `{where}` may say why.") from error
        self._second = second
        self._files: Mapping[str, str] | None = None
        self._by_path = {self.top / change.name: change for change in self.changes}

    def base(self) -> Base | str:
        """What is compared with."""
        return self._base

    def generation(self) -> int:
        """A number that stays: what was compared does not become another."""
        return 0

    def changed(self, paths: Iterable[Path]) -> list[Path]:
        """Those of some files that were changed, or are new."""
        found = ((path, self._by_path.get(path)) for path in paths)
        return [path for path, change in found if change is not None and change.after]

    def text(self, path: Path) -> Sequence[str] | NoText:
        """The lines of a file in the first version; none of a file that is new."""
        change = self._by_path.get(path)
        content = self._contents().get(self._name(path)) if change is None else change.before
        if content is None:
            return NoText.IGNORED
        if not content:
            return ()
        text = self._blob(content)
        return NoText.UNKNOWN if text is None else split_lines(text)

    def path_before(self, path: Path) -> Path | None:
        """The path that a renamed file had; None for one that was not renamed."""
        change = self._by_path.get(path)
        return self.top / change.name_before if change and change.name_before else None

    def current(self, path: Path) -> str | None:
        """The text of a file in the second version; None where it has none there."""
        content = self._contents().get(self._name(path))
        return None if content is None else self._blob(content)

    def is_in(self, path: Path, source: bytes) -> bool:
        """Whether a file has this content in the second version."""
        content = self._contents().get(self._name(path))
        return content is not None and content_name(source, content) == content

    # git

    def _index_and_head(self) -> tuple[Base, bytes]:
        head = self._line(self.top, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        # Before the first commit all is new. git knows the empty tree without having it.
        tree = head or self._line(self.top, "hash-object", "-t", "tree", "--stdin")
        asked = ("diff-index", "--cached", "--raw", "-z", "-M", *_PLAIN, tree, "--")
        base = Base("HEAD" if head else "nothing, for there is no commit yet", tree)
        return base, self._ask(self.top, *asked)

    def _commits(self, first: str, second: str) -> tuple[Base, bytes]:
        if set(second) == {"0"}:
            # What is pushed is that a branch goes away.
            return Base(first, ""), b""
        after = self._commit(second)
        if set(first) == {"0"}:
            # A branch that is not there yet is compared with where it began.
            default = MergeBase(self._root).base()
            if isinstance(default, str):
                raise NoVersionsError(default)
            name, before = default.name, default.commit
        else:
            name, before = first, self._commit(first)
        found = self._line(self.top, "merge-base", before, after)
        if not found:
            shallow = self._line(self.top, "rev-parse", "--is-shallow-repository") == "true"
            way_out = " Fetch more of the history: `git fetch --unshallow`." if shallow else ""
            raise NoVersionsError(f"{name} and {second} have no commit in common.{way_out}")
        asked = ("diff-tree", "-r", "--raw", "-z", "-M", *_PLAIN, found, after, "--")
        return Base(name, found), self._ask(self.top, *asked)

    def _commit(self, ref: str) -> str:
        asked = ("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        found = "" if ref.startswith("-") else self._line(self.top, *asked)
        if not found:
            raise NoVersionsError(f"{ref or 'nothing'} is no commit in {self.top}.")
        return found

    def _contents(self) -> Mapping[str, str]:
        """The names of the contents in the second version, by path."""
        if self._files is None:
            found: dict[str, str] = {}
            if self._second is None:
                listed = self._ask(self.top, "ls-files", "--stage", "-z")
            elif set(self._second) == {"0"}:
                listed = b""
            else:
                listed = self._ask(self.top, "ls-tree", "-r", "-z", "--full-tree", self._second)
            for entry in os.fsdecode(listed).split("\0")[:-1]:
                about, _, name = entry.partition("\t")
                words = about.split(" ")
                if not words[0].startswith("100"):
                    continue
                # In a tree: mode, type, content; in the index: mode, content, stage, which is not
                # 0 where a merge has left conflicts.
                if self._second is not None:
                    found[name] = words[2]
                elif words[2] == "0":
                    found[name] = words[1]
            self._files = found
        return self._files

    def _blob(self, content: str) -> str | None:
        if content not in self._texts:
            try:
                blob = self._ask(self.top, "cat-file", "blob", content)
            except _ERRORS:
                return None
            if len(blob) > MAX_BYTES:
                return None
            self._texts[content] = source_text(blob)
        return self._texts[content]

    def _name(self, path: Path) -> str:
        return path.relative_to(self.top).as_posix() if path.is_relative_to(self.top) else ""

    def _ask(self, folder: Path, *arguments: str, fails: bool = False) -> bytes:
        return ask_git(
            self._program,
            folder,
            *arguments,
            fails=fails,
            seconds=_SECONDS,
            environment=self._environment,
        )

    def _line(self, folder: Path, *arguments: str) -> str:
        answer = self._ask(folder, *arguments, fails=True)
        return os.fsdecode(answer).partition("\n")[0]


def _changes(listed: str) -> Iterable[Changed]:
    """What `git diff-tree --raw -z` and its like list."""
    words = iter(listed.split("\0"))
    for about in words:
        if not about.startswith(":"):
            return
        mode_before, mode, before, after, status = about[1:].split(" ")
        name_before, name = "", next(words)
        if status[0] in "RC":
            name_before, name = name, next(words)
        if status[0] == "C":
            name_before = ""
        yield Changed(
            name,
            "" if status[0] in "AC" or not int(before, 16) else before,
            "" if status[0] == "D" or not int(after, 16) else after,
            name_before,
            _SUBMODULE in (mode_before, mode),
        )
