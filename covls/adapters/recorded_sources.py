"""The measured sources of a data file, in a file beside it that travels with it.

A zip file: `manifest.json` names the data by the hashes of its files and gives each measured path
the hash of its content, and `sources/` holds the contents under their hashes. Nothing in it is
run, or unpacked to disk, and every content is checked against its hash.
"""

import json
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final

from covls.adapters.data_file import fingerprint
from covls.adapters.ledger import content_hash
from covls.adapters.private_copy import file_hash
from covls.adapters.snapshot import Fingerprint
from covls.adapters.source import MAX_BYTES

_FORMAT: Final = 1
_MANIFEST: Final = "manifest.json"
_MAX_MANIFEST: Final = 64 << 20
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every member, so that equal sources make equal files."""


def sources_file(data_file: Path) -> Path:
    """Where the recorded sources of a data file are: `.coverage-sources` beside `.coverage`.

    `coverage combine` and `coverage erase` take all that begins with `.coverage.` for data.
    """
    return data_file.with_name(f"{data_file.name}-sources")


def data_hashes(data_file: Path, data: Fingerprint) -> tuple[str, ...] | None:
    """What names the data, wherever it is copied: the hashes of its files, sorted.

    None where they are no longer what they were when the fingerprint was taken.
    """
    try:
        hashes = sorted(file_hash(stamp.path) for stamp in data.files)
    except OSError:
        return None
    return tuple(hashes) if fingerprint(data_file) == data else None


def write_sources(
    stream: IO[bytes], hashes: Iterable[str], sources: Iterable[tuple[str, bytes]]
) -> None:
    """Write the sources by measured path; a content that several have is written once."""
    files: dict[str, str] = {}
    written: set[str] = set()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for measured_path, content in sources:
            digest = content_hash(content)
            files[measured_path] = digest
            if digest not in written:
                written.add(digest)
                archive.writestr(_member(f"sources/{digest}"), content)
        manifest = {"format": _FORMAT, "data": sorted(hashes), "files": files}
        archive.writestr(_member(_MANIFEST), json.dumps(manifest, indent=1, sort_keys=True))


def save_sources(path: Path, hashes: Iterable[str], sources: Iterable[tuple[str, bytes]]) -> None:
    """Write the sources to a file that appears whole or not at all. Raises OSError."""
    # Not named like parallel data, which would be combined.
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".covls-", delete=False) as stream:
        unfinished = Path(stream.name)
        try:
            write_sources(stream, hashes, sources)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    unfinished.chmod(0o644)
    unfinished.replace(path)


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _LONG_AGO)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = 0o644 << 16
    return member


@dataclass(frozen=True, slots=True)
class RecordedSources:
    """What a file of recorded sources holds."""

    path: Path
    data: tuple[str, ...]
    """The hashes of the data that these are the sources of, sorted."""
    files: Mapping[str, str]
    """The hash of each file's content, by measured path."""

    def digest(self, measured_path: str) -> str | None:
        """The hash of a file's content, None where there is none.

        The data may name files otherwise here than where they were recorded, by `[paths]`: then
        it is the one whose path ends most alike, if there is one such.
        """
        found = self.files.get(measured_path)
        if found is not None:
            return found
        wanted = _parts(measured_path)
        alike = [(_alike(wanted, _parts(path)), digest) for path, digest in self.files.items()]
        most = max((count for count, _ in alike), default=0)
        best = {digest for count, digest in alike if count == most}
        return best.pop() if most and len(best) == 1 else None

    def content(self, digest: str) -> bytes | None:
        """The content of this hash, None where it is not there or damaged."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                content = _read(archive, f"sources/{digest}", MAX_BYTES)
        except _DAMAGE:
            return None
        return content if content_hash(content) == digest else None


_DAMAGE: Final = (
    OSError,
    EOFError,
    KeyError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_sources(path: Path) -> RecordedSources | None:
    """Open recorded sources; None where there are none. Raises ValueError where damaged."""
    if not path.is_file():
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = json.loads(_read(archive, _MANIFEST, _MAX_MANIFEST))
        if manifest["format"] != _FORMAT:
            raise ValueError(f"it has format {manifest['format']}, and this covls knows {_FORMAT}")
        data = tuple(sorted(str(digest) for digest in manifest["data"]))
        files = {
            str(name): bytes.fromhex(digest).hex() for name, digest in manifest["files"].items()
        }
    except (*_DAMAGE, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"{path} cannot be used: {error}. Make it anew with `covls record-sources`, or "
            "delete it"
        ) from error
    return RecordedSources(path, data, files)


def _read(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    with archive.open(name) as stream:
        # What the archive says of a member's size may be a lie.
        content = stream.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{name} is too large")
    return content


def _parts(path: str) -> tuple[str, ...]:
    return PurePosixPath(path.replace("\\", "/")).parts


def _alike(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many of the last parts are the same."""
    count = 0
    for mine, theirs in zip(reversed(one), reversed(other), strict=False):
        if mine != theirs:
            break
        count += 1
    return count
