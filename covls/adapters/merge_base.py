"""The commit that a branch left the default branch at, and what the files were there.

Files belong to the innermost repository around them. That of the root is compared with the merge
base of HEAD and the default branch, a submodule with the commit that the outer repository had at
its own base, and any other repository within it with a merge base of its own.
"""

import contextlib
import hashlib
import os
import subprocess
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final

from covls.adapters.git_command import ask_git, find_git
from covls.adapters.source import MAX_BYTES, Unreadable, read_source, source_text
from covls.core.lines import split_lines

_SECONDS: Final = 20.0
"""What one question may take: in a long history a merge base or a renamed file is far to seek."""

_TEXTS_KEPT: Final = 128

_NAMES_AT_ONCE: Final = 200
"""Files that git is asked about in one command, whose length is bounded."""

_REMOTE_HEAD: Final = "refs/remotes/origin/HEAD"
"""The default branch of a clone, where git has noted it."""

_ERRORS = (OSError, subprocess.SubprocessError, ValueError)


@dataclass(frozen=True, slots=True)
class Base:
    """What a patch is told against."""

    name: str
    """The branch, as people name it: "origin/main"."""
    commit: str
    """The full name of the commit that the work here began at."""


class NoText(Enum):
    """Why a file has no text at the base."""

    IGNORED = "ignored"
    """git is told to leave it alone: it is in no patch."""
    UNKNOWN = "unknown"
    """It is not here, as in a partial clone, or there is no repository around the file."""


Stamp = tuple[tuple[int, int, int] | None, ...]
"""Time of change, size and number of each of some files, None where there is none."""


@dataclass(eq=False)
class _Repository:
    """One repository as it was when it was last asked."""

    folder: Path
    """Its work tree."""
    program: str
    git_folder: Path
    common_folder: Path
    """The same, but in a work tree of its own, which shares branches with others."""
    base: Base | str = ""
    """Or why there is none."""
    files: dict[str, str] = field(default_factory=dict)
    """The names of the contents at the base, by path."""
    submodules: dict[str, str] = field(default_factory=dict)
    """The commits of submodules at the base, by path."""
    told_by: tuple[Path, ...] = ()
    """The files that change when another commit becomes the base."""
    stamp: Stamp = ()
    renamed: dict[str, str] = field(default_factory=dict)
    ignored: dict[str, bool] = field(default_factory=dict)
    index_stamp: Stamp = ()
    """That of the index when renamed and ignored files were last asked for."""

    def ask(self, *arguments: str, given: bytes = b"", fails: bool = False) -> bytes:
        """What git answers. Raises SubprocessError or OSError."""
        return ask_git(
            self.program, self.folder, *arguments, given=given, fails=fails, seconds=_SECONDS
        )

    def line(self, *arguments: str) -> str:
        """The first line of an answer, "" where git has none."""
        return self.ask(*arguments, fails=True).decode(errors="replace").partition("\n")[0]


class MergeBase:
    """What the files of one root were at the base of the work there.

    `ref` names what to compare with; None: the default branch. Nothing is asked of git again until
    a file says that HEAD, a branch or, for new files, the index is another. Thread-safe.
    """

    def __init__(self, root: Path, ref: str | None = None) -> None:
        self._root = root
        self._ref = ref
        self._lock = threading.RLock()
        self._repositories: dict[Path, _Repository] = {}
        self._folders: dict[Path, Path | None] = {}
        self._texts: OrderedDict[str, Sequence[str]] = OrderedDict()
        self._hashes: dict[Path, tuple[Stamp, str, bool]] = {}
        self._root_top: Path | None = None
        self._generation = 0

    def base(self) -> Base | str:
        """What the root's files are compared with, or why that is nothing, for people."""
        with self._lock:
            self._look()
            found = self._repository(self._root)
            return f"{self._root} is in no git repository." if found is None else found.base

    def generation(self) -> int:
        """A number that grows where HEAD, a branch or the base are others than when last asked of.

        Asks git nothing.
        """
        with self._lock:
            self._look()
            return self._generation

    def text(self, path: Path) -> Sequence[str] | NoText:
        """The lines of a file at the base; none of a file that is new. `path` is a real one."""
        with self._lock:
            self._look()
            repository = self._repository(path.parent)
            if repository is None or isinstance(repository.base, str):
                return NoText.UNKNOWN
            try:
                return self._text(repository, repository.base, path)
            except _ERRORS:
                return NoText.UNKNOWN

    def path_before(self, path: Path) -> Path | None:
        """The path that a renamed file had at the base; None for one that was not renamed."""
        with self._lock:
            repository = self._repository(path.parent)
            if repository is None or isinstance(repository.base, str):
                return None
            name = _name_in(repository, path)
            try:
                content = self._content(repository, repository.base, path)
            except _ERRORS:
                return None
            before = repository.renamed.get(name) if name and content else None
            return repository.folder / before if before else None

    def changed(self, paths: Iterable[Path]) -> list[Path]:
        """Those of some files that have another content on disk than at the base, or are new."""
        paths = list(paths)
        self._ask_of_new(paths)
        return [path for path in paths if self._is_changed(path)]

    # Finding out

    def _look(self) -> None:
        """Forget what is no longer so."""
        self._folders.clear()
        top = self._top(self._root)
        stale = any(each.stamp != _stamp(each.told_by) for each in self._repositories.values())
        if stale or top != self._root_top:
            # All of them, for a submodule is compared by what the outer repository has.
            self._repositories.clear()
            self._root_top = top
            self._generation += 1

    def _repository(self, folder: Path) -> _Repository | None:
        top = self._top(folder)
        if top is None:
            return None
        found = self._repositories.get(top)
        if found is None:
            stamp = _stamp([top / ".git"])
            try:
                found = self._opened(top)
            except _ERRORS:
                reason = f"git does not answer in {top}: `git -C {top} status` may say why."
                found = _refused(top, reason, stamp)
            self._repositories[top] = found
        return found

    def _top(self, folder: Path) -> Path | None:
        """The innermost folder around a file that git would take for a work tree."""
        if folder not in self._folders:
            if (folder / ".git").exists():
                self._folders[folder] = folder
            else:
                above = folder.parent
                self._folders[folder] = self._top(above) if above != folder else None
        return self._folders[folder]

    def _opened(self, top: Path) -> _Repository:
        program = find_git(self._root)
        if program is None:
            reason = "git was not found on this machine's PATH."
            return _refused(top, reason, _stamp([top / ".git"]))
        asked = ("rev-parse", "--show-toplevel", "--absolute-git-dir", "--git-common-dir")
        answer = os.fsdecode(ask_git(program, top, *asked)).splitlines()
        folder, git_folder, common_folder = (Path(os.path.realpath(top / each)) for each in answer)
        repository = _Repository(folder, program, git_folder, common_folder)
        told_by = [
            *(git_folder / name for name in ("HEAD", "logs/HEAD")),
            *(common_folder / name for name in ("config", "packed-refs", "shallow")),
            common_folder / "reftable" / "tables.list",
            common_folder / _REMOTE_HEAD,
        ]
        # Taken before git is asked, so that what changes meanwhile is noticed.
        first = _stamp(told_by)
        branch = repository.line("symbolic-ref", "--quiet", "HEAD")
        pinned = self._pinned(top)
        if pinned:
            repository.told_by, repository.stamp = tuple(told_by), first
            repository.base = self._of_submodule(repository, pinned)
        else:
            ref = self._ref if top == self._root_top else None
            refs: list[str] = []
            files: list[Path] = []
            second: Stamp = ()
            named: list[tuple[str, str, str]] = []
            for refs in self._candidates(repository, branch, ref):
                names = [name for name in (*refs, branch) if name.startswith("refs/")]
                files = [common_folder / name for name in names]
                second = _stamp(files)
                named = _named(repository, refs, ref)
                if named:
                    break
            # One that another stands for, as origin/HEAD does.
            others = [common_folder / full for _, full, _ in named if full not in refs]
            repository.told_by = (*told_by, *files, *others)
            repository.stamp = (*first, *second, *_stamp(others))
            repository.base = _merge_base(repository, ref, named)
        if isinstance(repository.base, Base):
            self._list(repository, repository.base.commit)
        return repository

    def _candidates(
        self, repository: _Repository, branch: str, ref: str | None
    ) -> Iterator[list[str]]:
        """What the work may be compared with, one list after the other until one has a commit."""
        if ref is not None:
            yield [ref]
            return
        if (repository.common_folder / _REMOTE_HEAD).exists():
            # Nothing goes before it, and each question that is not asked saves some milliseconds.
            yield [_REMOTE_HEAD]
        yield self._default(repository, branch)

    def _default(self, repository: _Repository, branch: str) -> list[str]:
        """What the default branch may be, best first."""
        default = repository.line("config", "--get", "init.defaultBranch")
        names = [_REMOTE_HEAD]
        for name in dict.fromkeys((default, "main", "master")):
            if name:
                names += [f"refs/remotes/origin/{name}", f"refs/heads/{name}"]
        upstream = branch and repository.line("for-each-ref", "--format=%(upstream)", branch)
        return [*names, upstream] if upstream else names

    def _pinned(self, top: Path) -> str:
        """The commit of a submodule at the base of what is around it; "" for no submodule."""
        outer_top = self._root_top
        if outer_top is None or top == outer_top or not top.is_relative_to(outer_top):
            return ""
        outer = self._repository(top.parent)
        return outer.submodules.get(_name_in(outer, top) or "", "") if outer else ""

    def _of_submodule(self, repository: _Repository, pinned: str) -> Base | str:
        if repository.line("rev-parse", "--verify", "--quiet", f"{pinned}^{{commit}}"):
            return Base("the outer repository's commit", pinned)
        return (
            f"{repository.folder} lacks the commit that the outer repository had of it, "
            f"{pinned[:7]}: fetch it."
        )

    def _list(self, repository: _Repository, commit: str) -> None:
        listed = repository.ask("ls-tree", "-r", "-z", "--full-tree", commit)
        for entry in os.fsdecode(listed).split("\0")[:-1]:
            about, _, name = entry.partition("\t")
            mode, _, content = about.split(" ")
            if mode == "160000":
                repository.submodules[name] = content
            elif mode.startswith("100"):
                repository.files[name] = content

    # Texts

    def _text(self, repository: _Repository, base: Base, path: Path) -> Sequence[str] | NoText:
        content = self._content(repository, base, path)
        if content is None:
            return NoText.IGNORED
        if not content:
            return ()
        lines = self._texts.get(content)
        if lines is None:
            blob = repository.ask("cat-file", "blob", content)
            if len(blob) > MAX_BYTES:
                return NoText.UNKNOWN
            lines = self._texts[content] = split_lines(source_text(blob))
            while len(self._texts) > _TEXTS_KEPT:
                self._texts.popitem(last=False)
        self._texts.move_to_end(content)
        return lines

    def _content(self, repository: _Repository, base: Base, path: Path) -> str | None:
        """The name of a file's content at the base; "" where it is new, None where it is ignored.

        A file that was renamed is known by its name in the index.
        """
        name = _name_in(repository, path)
        if name is None:
            return None
        found = repository.files.get(name)
        if found is not None:
            return found
        self._look_at_index(repository, base)
        before = repository.renamed.get(name)
        if before is not None and before in repository.files:
            return repository.files[before]
        if name not in repository.ignored:
            self._look_for_ignored(repository, [name])
        return None if repository.ignored[name] else ""

    def _ask_of_new(self, paths: Iterable[Path]) -> None:
        """Ask at once which files are ignored, of those that are not at the base."""
        with self._lock:
            new: dict[Path, tuple[_Repository, Base, list[str]]] = {}
            for path in paths:
                repository = self._repository(path.parent)
                if repository is None or isinstance(repository.base, str):
                    continue
                name = _name_in(repository, path)
                if name is not None and name not in repository.files:
                    known = repository, repository.base, list[str]()
                    new.setdefault(repository.folder, known)[2].append(name)
            for repository, base, names in new.values():
                with contextlib.suppress(*_ERRORS):
                    self._look_at_index(repository, base)
                    self._look_for_ignored(repository, names)

    def _look_at_index(self, repository: _Repository, base: Base) -> None:
        """Ask anew what was renamed, and forget what is ignored, where the index is another."""
        index = _stamp([repository.git_folder / "index"])
        if index != repository.index_stamp:
            repository.renamed = self._renamed(repository, base)
            repository.ignored = {}
            repository.index_stamp = index

    def _look_for_ignored(self, repository: _Repository, names: Sequence[str]) -> None:
        unknown = [name for name in names if name not in repository.ignored]
        for start in range(0, len(unknown), _NAMES_AT_ONCE):
            some = unknown[start : start + _NAMES_AT_ONCE]
            seen = self._not_ignored(repository, some)
            if not seen <= set(some):
                # A file system that takes names for the same that are spelt otherwise.
                seen = {name for name in some if self._not_ignored(repository, [name])}
            repository.ignored.update((name, name not in seen) for name in some)

    def _not_ignored(self, repository: _Repository, names: Sequence[str]) -> set[str]:
        # Not `check-ignore`, which takes no path literally.
        listed = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *names)
        return set(os.fsdecode(repository.ask(*listed)).split("\0")) - {""}

    def _renamed(self, repository: _Repository, base: Base) -> dict[str, str]:
        """What files of the index were called at the base, where they have another name now."""
        arguments = ("diff-index", "--cached", "-M", "--diff-filter=R", "--name-status", "-z")
        plain = ("--no-ext-diff", "--no-textconv", "--ignore-submodules=all")
        answer = os.fsdecode(repository.ask(*arguments, *plain, base.commit, "--", fails=True))
        words = answer.split("\0")
        return {words[i + 2]: words[i + 1] for i in range(0, len(words) - 3, 3)}

    def _is_changed(self, path: Path) -> bool:
        with self._lock:
            repository = self._repository(path.parent)
            if repository is None or isinstance(repository.base, str):
                return False
            try:
                content = self._content(repository, repository.base, path)
            except _ERRORS:
                return False
            if not content:
                return content is not None
            stamp = _stamp([path])
            known = self._hashes.get(path)
            if known is not None and known[:2] == (stamp, content):
                return known[2]
            source = read_source(path)
            changed = isinstance(source, Unreadable) or content_name(source, content) != content
            self._hashes[path] = stamp, content, changed
            return changed


def _named(
    repository: _Repository, refs: Sequence[str], ref: str | None
) -> list[tuple[str, str, str]]:
    """What is there of some references: name for people, full name, and commit.

    `ref` is one that a setting names, in any way that git understands.
    """
    if ref is not None:
        asked = ("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        commit = "" if ref.startswith("-") else repository.line(*asked)
        full = commit and repository.line("rev-parse", "--symbolic-full-name", ref)
        return [(ref, full, commit)] if commit else []
    there: dict[str, tuple[str, str]] = {}
    listed = "--format=%(refname)%00%(symref)%00%(objectname)"
    shown = repository.ask("for-each-ref", listed, *refs, fails=True)
    for line in shown.decode(errors="replace").splitlines():
        name, symref, commit = line.split("\0")
        there[name] = symref or name, commit
    return [
        (full.removeprefix("refs/heads/").removeprefix("refs/remotes/"), full, commit)
        for full, commit in (there[name] for name in refs if name in there)
    ]


def _merge_base(
    repository: _Repository, ref: str | None, named: Sequence[tuple[str, str, str]]
) -> Base | str:
    folder = repository.folder
    if named and (found := repository.line("merge-base", "HEAD", named[0][2])):
        return Base(named[0][0], found)
    if not repository.line("rev-parse", "--verify", "--quiet", "HEAD^{commit}"):
        return f"There are no commits in {folder} yet."
    if not named and ref is not None:
        return f"`editor.base` names {ref}, which is no commit in {folder}."
    if not named:
        return (
            f"{folder} has no default branch that covls can find: set `editor.base` to what the "
            "work is to be compared with."
        )
    name = named[0][0]
    if repository.line("rev-parse", "--is-shallow-repository") == "true":
        return (
            f"The history of {folder} is cut off before HEAD and {name} meet: fetch more of it, "
            "as `git fetch --unshallow` does."
        )
    return f"HEAD and {name} have no commit in common in {folder}."


def _refused(top: Path, reason: str, stamp: Stamp) -> _Repository:
    """What stands for a repository that nothing can be asked of, until it is touched."""
    git_folder = top / ".git"
    return _Repository(
        top, "", git_folder, git_folder, base=reason, told_by=(git_folder,), stamp=stamp
    )


def _name_in(repository: _Repository, path: Path) -> str | None:
    """A path as git has it; None for one outside of the work tree."""
    if not path.is_relative_to(repository.folder):
        return None
    return path.relative_to(repository.folder).as_posix()


def content_name(content: bytes, like: str) -> str:
    """The name that git gives a content, by the algorithm of such a name."""
    whole = b"blob %d\0%s" % (len(content), content)
    if len(like) == 40:
        return hashlib.sha1(whole, usedforsecurity=False).hexdigest()
    return hashlib.sha256(whole).hexdigest()


def _stamp(files: Iterable[Path]) -> Stamp:
    found: list[tuple[int, int, int] | None] = []
    for file in files:
        try:
            seen = file.stat()
        except OSError:
            found.append(None)
        else:
            found.append((seen.st_mtime_ns, seen.st_size, seen.st_ino))
    return tuple(found)
