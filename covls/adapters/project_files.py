"""The files of a project that its tests may depend on, and which of them changed since a run."""

import json
import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from covls.adapters.ledger import content_hash
from covls.adapters.local_files import own_folders
from covls.adapters.source import MAX_BYTES, Unreadable, read_source, source_text
from covls.core.impact import Change
from covls.core.imports import ImportGraph, Imports, imports_of
from covls.core.outline import compare, outline

_MOST: Final = 50_000
"""Files that are looked at, at most; of a larger project the rest is not known."""

_NOT_OF_THE_PROJECT: Final = frozenset(
    {"node_modules", "__pycache__", "site-packages", "__pypackages__", "htmlcov", "dist"}
)
_WRITTEN_BY_TOOLS: Final = (".pyc", ".pyo", ".log", ".tmp", ".swp", "~", ".orig", ".rej")
_REPORTS: Final = frozenset({"coverage.xml", "coverage.json", "coverage.lcov", "lcov.info"})

Stamp = tuple[int, int, int]
"""A file's times of modification and of change in nanoseconds, and its size."""


Versions = tuple[str, str | None, str]
"""A file's path, and the SHA-256 of it as it was measured and as it is; None: it was not there."""


@dataclass(frozen=True, slots=True)
class FileState:
    """How a file was: the SHA-256 of its content, and how it looked on disk."""

    hash: str
    stamp: Stamp


def project_files(
    root: Path,
    known: Mapping[str, FileState] | None = None,
    data_file: Path | None = None,
    others: Iterable[Path] = (),
) -> dict[str, FileState]:
    """The files below the root by their path from there, with slashes, and some `others`.

    Left out are hidden folders, environments, what tools write, and the data file. Files that
    look as they did when they were `known` are not read again.
    """
    known = known or {}
    found: dict[str, FileState] = {}
    name_here = namer(root)
    skipped = f"{data_file.name}" if data_file is not None else ".coverage"
    for path, name in _walk(os.path.realpath(root)):
        if len(found) == _MOST:
            break
        if name == skipped or name.startswith((f"{skipped}.", ".covls-")) or name in _REPORTS:
            continue
        below = name_here(path)
        state = _state(path, known.get(below))
        if state is not None:
            found[below] = state
    for other in others:
        state = _state(str(other), known.get(name_here(other)))
        if state is not None:
            found[name_here(other)] = state
    return found


def name_of(path: str | Path, root: Path) -> str:
    """A file's path from the root, with slashes; of one elsewhere, its own."""
    return namer(root)(path)


def namer(root: Path) -> Callable[[str | Path], str]:
    """What `name_of` says, for many files of one root."""
    start = Path(os.path.realpath(root)).as_posix().rstrip("/") + "/"

    def name(path: str | Path) -> str:
        return Path(path).as_posix().removeprefix(start)

    return name


def _walk(root: str) -> Iterator[tuple[str, str]]:
    for folder, names in own_folders(root, _is_not_of_the_project):
        for name in names:
            if not name.endswith(_WRITTEN_BY_TOOLS):
                yield f"{folder}{os.sep}{name}", name


def _is_not_of_the_project(folder: str) -> bool:
    return folder in _NOT_OF_THE_PROJECT or folder.endswith(".egg-info")


def _state(path: str, known: FileState | None) -> FileState | None:
    try:
        status = os.stat(path)  # noqa: PTH116  # A third faster, for thousands of files.
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    stamp = status.st_mtime_ns, status.st_ctime_ns, status.st_size
    if known is not None and known.stamp == stamp:
        return known
    if status.st_size > MAX_BYTES:
        # Too large to be read at each look: it is another when it looks otherwise.
        return FileState(content_hash(json.dumps(stamp).encode()), stamp)
    content = read_source(Path(path))
    return None if isinstance(content, Unreadable) else FileState(content_hash(content), stamp)


def changes_since(
    measured: Mapping[str, str],
    now: Mapping[str, FileState],
    source: Callable[[str], bytes | None],
    root: Path,
    texts: Mapping[str, str] | None = None,
    known: dict[Versions, Change] | None = None,
) -> dict[str, Change]:
    """What became of the project's files since their contents had these hashes.

    `measured` are SHA-256 by path, empty where it is not known what was measured; `source` gives
    a content by its hash. `texts` are what an editor has of files, in the place of the disk's.
    `known` are changes that were found before, and holds afterwards what was found now.
    """
    found: dict[str, Change] = {}
    texts = texts or {}
    known = {} if known is None else known
    before = dict(known)
    known.clear()
    for path in sorted({*measured, *now}):
        state, digest = now.get(path), measured.get(path)
        if state is None:
            if digest is not None and not (root / path).exists():
                found[path] = Change("gone")
            continue
        if digest == state.hash and path not in texts:
            continue
        text = texts.get(path)
        if text is not None:
            found[path] = _change(path, digest, text, source)
            continue
        versions = path, digest, state.hash
        change = before.get(versions)
        if change is None:
            content = read_source(root / path)
            text = "" if isinstance(content, Unreadable) else source_text(content)
            change = _change(path, digest, text, source)
            if isinstance(content, Unreadable) or content_hash(content) != state.hash:
                found[path] = change
                continue
        found[path] = known[versions] = change
    return {path: change for path, change in found.items() if not _is_nothing(change)}


def _change(
    path: str, digest: str | None, text: str, source: Callable[[str], bytes | None]
) -> Change:
    python = path.endswith((".py", ".pyw"))
    if digest is None:
        return Change("new", after=outline(text) if python else None)
    before = source(digest) if digest else None
    if before is None:
        return Change("unknown" if python else "data")
    edit = compare(source_text(before), text, python=python)
    return Change("edited" if python else "data", edit)


def _is_nothing(change: Change) -> bool:
    """Whether a file was saved with what it held."""
    edit = change.edit
    if edit is None or edit.changed:
        return False
    return all(line == now for line, now in enumerate(edit.lines))


def import_graph(
    root: Path,
    now: Mapping[str, FileState],
    known: dict[str, Imports | None],
    gone: Collection[str] = (),
) -> ImportGraph:
    """The imports between the project's files; those `gone` are in it without any.

    `known` are imports by the hash of a content and its path, and takes up those that are new, and
    gives up those of contents that are nowhere any more. A file that cannot be parsed is taken to
    import whatever is near it.
    """
    keys = {f"{state.hash} {path}" for path, state in now.items()}
    for key in known.keys() - keys:
        del known[key]
    files: dict[str, Imports] = dict.fromkeys(gone, Imports({}))
    for path, state in now.items():
        if not path.endswith((".py", ".pyw")):
            continue
        key = f"{state.hash} {path}"
        if key not in known:
            content = read_source(root / path)
            text = None if isinstance(content, Unreadable) else source_text(content)
            known[key] = None if text is None else imports_of(text, path)
        files[path] = known[key] or Imports({}, discovers=True)
    return ImportGraph(files)
