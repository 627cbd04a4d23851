"""What a share says of a measured commit: manifests, as JSON that others may have written."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

FORMAT: Final = 1
MOST_FLAGS: Final = 32
_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_FLAG: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,254}")


@dataclass(frozen=True, slots=True)
class Content:
    """What names a content and bounds it."""

    hash: str
    """SHA-256 in hexadecimal."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one push left of a commit: one archive, and what is in it."""

    commit: str
    """Its full name."""
    parents: tuple[str, ...]
    authored: datetime
    """UTC."""
    flags: tuple[str, ...]
    """What tells pushes of one commit apart, such as "py312" and "linux"; sorted."""
    folder: str
    """The measured root against the top of its repository, with slashes; "" for the top itself."""
    measured: datetime
    """When the data was written, UTC."""
    archive: Content
    data: Content
    """coverage.py's data file, as it is in the archive."""
    sources: Content
    """The recorded sources, likewise."""

    @property
    def name(self) -> str:
        """The name of the manifest itself: one for each flags and root of a commit."""
        told = json.dumps([self.folder, self.flags])
        digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        return f"{'-'.join(self.flags)[:100] or 'all'}.{digest}.json"

    @property
    def archive_name(self) -> str:
        """The name of the archive: another content is another file, so that none is half new."""
        return f"{self.name.removesuffix('.json')}.{self.archive.hash[:16]}.zip"

    @property
    def unpacked(self) -> int:
        """Bytes of all that is in the archive."""
        return self.data.size + self.sources.size


def is_commit(text: str) -> bool:
    """Whether this is the full name of a commit."""
    return _COMMIT.fullmatch(text) is not None


def is_manifest_name(text: str) -> bool:
    """Whether a file of this name may be a manifest; none of them leads anywhere else."""
    return _NAME.fullmatch(text) is not None and text.endswith(".json") and text != INDEX


INDEX: Final = "index.json"
"""The names of a commit's manifests, for places that cannot be listed."""


def checked_flags(flags: Sequence[str]) -> tuple[str, ...]:
    """Flags in their order, each once. Raises ValueError for one that cannot be in a name."""
    for flag in flags:
        if not _FLAG.fullmatch(flag):
            raise ValueError(
                f"{flag!r} is no flag: letters, digits, dots, dashes, + and _ make one, at most 64"
            )
    if len(set(flags)) > MOST_FLAGS:
        raise ValueError(f"there are more than {MOST_FLAGS} flags")
    return tuple(sorted(set(flags)))


def written_manifest(manifest: Manifest) -> bytes:
    """A manifest as JSON."""
    told = {
        "format": FORMAT,
        "commit": manifest.commit,
        "parents": list(manifest.parents),
        "authored": manifest.authored.astimezone(UTC).isoformat(),
        "flags": list(manifest.flags),
        "folder": manifest.folder,
        "measured": manifest.measured.astimezone(UTC).isoformat(),
        "archive": _told(manifest.archive),
        "data": _told(manifest.data),
        "sources": _told(manifest.sources),
    }
    return json.dumps(told, indent=1, sort_keys=True).encode()


def read_manifest(text: bytes) -> Manifest:
    """A manifest as somebody wrote it. Raises ValueError with what is wrong, for people."""
    found = _json(text)
    if not isinstance(found, dict):
        raise ValueError("it is no object")
    if found.get("format") != FORMAT:
        raise ValueError(f"it has format {found.get('format')!r}, and this covls knows {FORMAT}")
    try:
        commit = str(found["commit"])
        parents = tuple(str(parent) for parent in found["parents"])
        if not all(is_commit(each) for each in (commit, *parents)):
            raise ValueError("it names what is no commit")
        return Manifest(
            commit,
            parents,
            _time(found["authored"]),
            checked_flags([str(flag) for flag in found["flags"]]),
            str(found["folder"]),
            _time(found["measured"]),
            _content(found["archive"]),
            _content(found["data"]),
            _content(found["sources"]),
        )
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"it lacks what belongs to it: {error}") from error


def written_index(names: Sequence[str]) -> bytes:
    """The names of a commit's manifests as JSON."""
    return json.dumps({"format": FORMAT, "manifests": sorted(set(names))}, indent=1).encode()


def read_index(text: bytes) -> tuple[str, ...]:
    """The names of a commit's manifests, sorted; those that can be none are left out.

    Raises ValueError where it is no index.
    """
    found = _json(text)
    names = found.get("manifests") if isinstance(found, dict) else None
    if not isinstance(names, list):
        raise ValueError("it is no list of manifests")
    told = {name for name in names if isinstance(name, str)}
    return tuple(sorted(filter(is_manifest_name, told)))


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON: {error}") from error


def _told(content: Content) -> dict[str, object]:
    return {"sha256": content.hash, "size": content.size}


def _content(found: Any) -> Content:
    digest, size = str(found["sha256"]), found["size"]
    if not _HASH.fullmatch(digest) or type(size) is not int or size < 0:
        raise ValueError("it gives a content no hash and size")
    return Content(digest, size)


def _time(found: Any) -> datetime:
    time = datetime.fromisoformat(str(found))
    if time.tzinfo is None:
        raise ValueError(f"{found} has no time zone")
    return time.astimezone(UTC)
