"""What a share has of the nearest measured commit, taken to where `Arrival` finds it."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from covls.adapters.ancestors import Ancestor, Ancestors, find_ancestors, find_commit
from covls.adapters.data_file import DataFileError, read_snapshot
from covls.adapters.pulled_data import PulledData, being_pulled, take
from covls.adapters.recorded_sources import (
    RecordedSources,
    read_sources,
    save_sources,
    sources_file,
)
from covls.adapters.share import ForbiddenError, Share, ShareError, copy_file, read_file
from covls.adapters.shared_archive import ArchiveError, unpack
from covls.core.report import counted
from covls.core.shared import INDEX, Manifest, is_manifest_name, read_index, read_manifest

PROBED: Final = 200
"""Ancestors that a share which cannot be listed is asked for, the nearest."""

_AT_ONCE: Final = 8
_MOST_MANIFEST: Final = 64 << 10
_MOST_INDEX: Final = 1 << 20
_MOST_MANIFESTS: Final = 64


class NothingPulledError(Exception):
    """Why nothing was pulled: one sentence or two for people. What was there before stays."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What was pulled."""

    data: PulledData
    distance: int
    """How many steps from child to parent the measured commit is away; 0 for the one asked for."""
    problems: tuple[str, ...]
    """What was found wrong, and passed over."""


def pull(
    root: Path,
    share: Share,
    *,
    commit: str = "HEAD",
    flags: Iterable[str] = (),
    max_mb: int,
    going_on: Callable[[], bool] = lambda: True,
) -> Pulled:
    """Fetch what was measured of a commit, or else of the nearest one it descends from.

    All pushes of that commit are combined that have these flags. `max_mb` bounds what they take,
    packed or unpacked. Raises NothingPulledError, NoCommitError, ShareError, OSError.
    """
    found = find_commit(root, commit)
    ancestors = find_ancestors(root, found.id)
    wanted = frozenset(flags)
    problems: list[str] = []
    for ancestor, names in _measured(share, ancestors):
        manifests = [
            manifest
            for manifest in _manifests(share, ancestor.id, names, problems)
            if manifest.folder == found.folder and wanted <= set(manifest.flags)
        ]
        if not manifests:
            continue
        _check_sizes(manifests, max_mb << 20)
        with being_pulled(root) as folder:
            _fetch(root, share, manifests, folder, problems, going_on)
            told = tuple(" ".join(manifest.flags) for manifest in manifests if manifest.flags)
            data = take(root, folder, ancestor.id, told, share.shown)
        return Pulled(data, ancestor.distance, tuple(problems))
    raise NothingPulledError(" ".join([_nothing(share, commit, ancestors, wanted), *problems[:3]]))


def _measured(
    share: Share, ancestors: Ancestors
) -> Iterator[tuple[Ancestor, Sequence[str] | None]]:
    """The commits that the share has something of, the nearest first, with its manifests.

    The names are None where they have to be asked for.
    """
    there = share.commits()
    if there is not None:
        yield from ((ancestor, None) for ancestor in ancestors.commits if ancestor.id in there)
        return
    forbidden: ForbiddenError | None = None

    def ask(ancestor: Ancestor) -> Sequence[str] | ForbiddenError | None:
        try:
            index = read_file(share, f"{ancestor.id}/{INDEX}", _MOST_INDEX)
            return None if index is None else read_index(index)
        except ForbiddenError as error:
            return error
        except ValueError as error:
            raise ShareError(f"{ancestor.id}/{INDEX} at {share.shown}: {error}.") from error

    probed = ancestors.commits[:PROBED]
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="covls pull") as threads:
        for start in range(0, len(probed), _AT_ONCE):
            some = probed[start : start + _AT_ONCE]
            for ancestor, answer in zip(some, threads.map(ask, some), strict=True):
                if isinstance(answer, ForbiddenError):
                    forbidden = answer
                elif answer is not None:
                    yield ancestor, answer
    if forbidden is not None:
        raise forbidden


def _manifests(
    share: Share, commit: str, names: Sequence[str] | None, problems: list[str]
) -> Iterator[Manifest]:
    if names is None:
        names = [name for name in share.names(commit) or () if is_manifest_name(name)]
    for name in names[:_MOST_MANIFESTS]:
        try:
            text = read_file(share, f"{commit}/{name}", _MOST_MANIFEST)
            manifest = None if text is None else read_manifest(text)
            if manifest is not None and (manifest.commit, manifest.name) != (commit, name):
                raise ValueError("it is the manifest of something else")
        except (ValueError, ForbiddenError) as error:
            problems.append(f"{commit}/{name} at {share.shown} was left out: {error}.")
            continue
        if manifest is not None:
            yield manifest


def _check_sizes(manifests: Sequence[Manifest], most: int) -> None:
    """See that there is not too much, before any of it is fetched."""
    for size in (
        sum(manifest.unpacked for manifest in manifests),
        sum(manifest.archive.size for manifest in manifests),
    ):
        if size > most:
            raise NothingPulledError(
                f"What was measured of commit {manifests[0].commit[:7]} takes {size >> 20} MB, and "
                f"`share.max_mb` lets {most >> 20} be pulled."
            )


def _fetch(
    root: Path,
    share: Share,
    manifests: Sequence[Manifest],
    folder: Path,
    problems: list[str],
    going_on: Callable[[], bool],
) -> None:
    """Fill a folder with the data of all manifests, as siblings, and their recorded sources."""
    recorded: list[tuple[Path, RecordedSources | None]] = []
    for number, manifest in enumerate(manifests):
        archive, sources = folder / "archive", folder / f"sources-{number}"
        data = folder / (".coverage" if not number else f".coverage.{number}")
        name = f"{manifest.commit}/{manifest.archive_name}"
        with archive.open("wb") as stream:
            copy_file(share, name, manifest.archive.size, stream, going_on)
        try:
            unpack(archive, manifest, data, sources)
            found = read_sources(sources)
        except ArchiveError as error:
            raise NothingPulledError(f"{name} at {share.shown} cannot be used: {error}.") from error
        except ValueError as error:
            found = None
            problems.append(f"The recorded sources of {name} are left out: {error}.")
        if found is not None and found.data != (manifest.data.hash,):
            found = None
            problems.append(f"The recorded sources of {name} are those of other data.")
        recorded.append((data, found))
        archive.unlink()
        # Of the machine that measured: what was written here later is no newer for that.
        at = min(max(manifest.measured.timestamp(), 0.0), time.time())
        os.utime(data, (at, at))
    try:
        hashes = [manifest.data.hash for manifest in manifests]
        save_sources(sources_file(folder / ".coverage"), hashes, _joined(root, recorded))
        with read_snapshot(folder / ".coverage", root=root, relative_files=True) as snapshot:
            problems += snapshot.problems
    except DataFileError as error:
        raise NothingPulledError(
            f"The data of commit {manifests[0].commit[:7]} at {share.shown} cannot be used: {error}"
        ) from error
    for _, found in recorded:
        if found is not None:
            found.path.unlink()


def _joined(
    root: Path, recorded: Sequence[tuple[Path, RecordedSources | None]]
) -> Iterator[tuple[str, bytes]]:
    """The recorded sources of several data files that are to be one.

    A file that two of them measured with another text, or one of them with an unknown one, has no
    text that all its lines are of.
    """
    texts: dict[str, set[str | None]] = {}
    where: dict[str, RecordedSources] = {}
    for data, found in recorded:
        with read_snapshot(data, root=root, relative_files=True) as snapshot:
            for path in snapshot.paths:
                digest = None if found is None else found.files.get(path)
                texts.setdefault(path, set()).add(digest)
                if found is not None and digest is not None:
                    where[digest] = found
    for path, (digest, *others) in texts.items():
        if digest is not None and not others:
            content = where[digest].content(digest)
            if content is not None:
                yield path, content


def _nothing(share: Share, commit: str, ancestors: Ancestors, flags: frozenset[str]) -> str:
    looked = len(ancestors.commits)
    probed = share.commits() is None and looked > PROBED
    of = f" with the flags {', '.join(sorted(flags))}" if flags else ""
    before = counted((PROBED if probed else looked) - 1, "commit")
    words = f"{share.shown} has nothing that was measured{of} of {commit} or of {before} before it"
    if ancestors.shallow:
        return (
            f"{words}, and there are no more here: this is a shallow clone. Fetch more of the "
            "history (`git fetch --unshallow`; on CI `fetch-depth: 0`)."
        )
    if probed or ancestors.bounded:
        return f"{words}, and no more are looked at: name a commit that was measured."
    return f"{words}."
