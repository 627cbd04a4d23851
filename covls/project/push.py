"""What was measured of a root, left at a share for others."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from covls.adapters.ancestors import find_commit
from covls.adapters.combined_data import write_combined
from covls.adapters.data_file import Snapshot
from covls.adapters.recorded_sources import write_sources
from covls.adapters.share import Share, ShareError, read_file
from covls.adapters.shared_archive import content_of, pack
from covls.core.shared import (
    INDEX,
    Manifest,
    checked_flags,
    is_manifest_name,
    read_index,
    written_index,
    written_manifest,
)
from covls.project.project import Project

_MOST_INDEX = 1 << 20
_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Pushed:
    """What was left at a share."""

    manifest: Manifest
    sources: int
    """Files whose measured source went along."""
    unknown: tuple[str, ...]
    """Measured files whose source is not known: nobody can be shown their coverage. Sorted."""


def push(project: Project, share: Share, *, commit: str, flags: Sequence[str]) -> Pushed:
    """Leave the data on show, and the sources that were measured, at a share.

    The archive is written first, and its manifest then, so that whoever sees this finds all of it.
    `commit` is any name that git understands. Raises NoCommitError, ShareError, OSError and
    sqlite3.Error, and ValueError for flags that are none.
    """
    snapshot = project.snapshot
    assert snapshot is not None, "there is something to push"
    told = checked_flags(flags)
    found = find_commit(project.root, commit)
    names = _names_below(project, snapshot)
    unknown: list[str] = []
    known = 0

    def sources() -> Iterator[tuple[str, bytes]]:
        nonlocal known
        for measured_path, content in project.measured_sources():
            name = names.get(measured_path, measured_path)
            if content is None:
                unknown.append(name)
            else:
                known += 1
                yield name, content

    with tempfile.TemporaryDirectory(prefix="covls-push-") as folder:
        data, texts, archive = (Path(folder, name) for name in ("data", "sources", "archive"))
        write_combined(snapshot, data, names)
        content = content_of(data)
        with texts.open("wb") as stream:
            write_sources(stream, [content.hash], sources())
        pack(archive, data, texts)
        manifest = Manifest(
            found.id,
            found.parents,
            found.authored,
            told,
            found.folder,
            datetime.fromtimestamp(max(snapshot.written_at, 0.0), UTC),
            content_of(archive),
            content,
            content_of(texts),
        )
        share.write(f"{found.id}/{manifest.archive_name}", archive)
        share.write(f"{found.id}/{manifest.name}", written_manifest(manifest))
    _enter(share, found.id, manifest.name)
    return Pushed(manifest, known, tuple(sorted(unknown)))


def _names_below(project: Project, snapshot: Snapshot) -> dict[str, str]:
    """What measured files are called elsewhere: by their path against the root, with slashes."""
    names: dict[str, str] = {}
    for measured_path, local in project.located.found.items():
        path = Path(local)
        if path.is_relative_to(project.root):
            name = path.relative_to(project.root).as_posix()
            if name not in snapshot.paths:
                names[measured_path] = name
    return names


def _enter(share: Share, commit: str, name: str) -> None:
    """Put a manifest into the index of its commit, for those who cannot list what is there.

    Others may be doing the same. Where the share can be listed, the last to write looks again after
    it has, so that nobody is left out; where it cannot, one that writes between our look and our
    writing may be.
    """
    for _ in range(_ATTEMPTS):
        index = read_file(share, f"{commit}/{INDEX}", _MOST_INDEX)
        try:
            entered = set(read_index(index or b""))
        except ValueError:
            entered = set()
        listed = share.names(commit)
        wanted = {name, *(entered if listed is None else filter(is_manifest_name, listed))}
        if entered == wanted:
            return
        share.write(f"{commit}/{INDEX}", written_index(sorted(wanted)))
    raise ShareError(f"{share.shown} does not keep what is written there: {commit}/{INDEX}.")
