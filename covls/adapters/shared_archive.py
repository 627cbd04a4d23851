"""The archive that a share has of a push: a data file and its recorded sources, in a zip file.

It has two members of fixed names, and nothing else is taken out of it. An archive may be anybody's:
all that is read is bounded by what its manifest says, and compared with the hashes there.
"""

import hashlib
import shutil
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO, Final

from covls.core.shared import Content, Manifest

_DATA: Final = "data"
_SOURCES: Final = "sources"
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every member, so that equal contents make equal archives."""

_CHUNK: Final = 1 << 20
_END: Final = struct.Struct("<4s4H2LH")
"""The record that ends a zip file: a signature, two numbers of disks, members here and in all,
bytes of their directory, its place, and bytes of a comment."""
_MOST_DIRECTORY: Final = 4096


class ArchiveError(Exception):
    """What is wrong with an archive, for people."""


def pack(archive: Path, data: Path, sources: Path) -> None:
    """Write an archive. Raises OSError."""
    with zipfile.ZipFile(archive, "w") as packed:
        for name, path, kind in (
            (_DATA, data, zipfile.ZIP_DEFLATED),
            (_SOURCES, sources, zipfile.ZIP_STORED),  # It is packed itself.
        ):
            member = zipfile.ZipInfo(name, _LONG_AGO)
            member.compress_type = kind
            member.file_size = path.stat().st_size  # Says whether it takes the large format.
            with path.open("rb") as stream, packed.open(member, "w") as target:
                shutil.copyfileobj(stream, target, _CHUNK)


def content_of(path: Path) -> Content:
    """The hash and the size of a file. Raises OSError."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Content(digest, path.stat().st_size)


def unpack(archive: Path, manifest: Manifest, data: Path, sources: Path) -> None:
    """Write the two members of an archive to files of these names.

    Raises ArchiveError where it is not what the manifest says, and OSError. What is written by then
    is of no use.
    """
    if content_of(archive) != manifest.archive:
        raise ArchiveError("its checksum is not that of its manifest")
    with archive.open("rb") as stream:
        _check_end(stream, manifest.archive.size)
        try:
            with zipfile.ZipFile(stream) as packed:
                if sorted(packed.namelist()) != [_DATA, _SOURCES]:
                    raise ArchiveError("it has other members than `data` and `sources`")
                _take(packed, _DATA, manifest.data, data)
                _take(packed, _SOURCES, manifest.sources, sources)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            ValueError,
            RuntimeError,
            NotImplementedError,
        ) as error:
            raise ArchiveError(f"it is damaged: {error}") from error


def _take(packed: zipfile.ZipFile, name: str, content: Content, path: Path) -> None:
    digest = hashlib.sha256()
    left = content.size
    with packed.open(name) as stream, path.open("xb") as target:
        # What the archive says of a member's size may be a lie.
        while piece := stream.read(min(_CHUNK, left + 1)):
            left -= len(piece)
            if left < 0:
                raise ArchiveError(f"its {name} is larger than its manifest says")
            digest.update(piece)
            target.write(piece)
    if left or digest.hexdigest() != content.hash:
        raise ArchiveError(f"the checksum of its {name} is not that of its manifest")


def _check_end(stream: IO[bytes], size: int) -> None:
    """See that the directory is short, before it is read: members take memory by the million."""
    if size < _END.size:
        raise ArchiveError("it is no zip file")
    stream.seek(size - _END.size)
    signature, _, _, _, members, directory, start, comment = _END.unpack(stream.read(_END.size))
    stream.seek(0)
    whole = start + directory + _END.size == size
    if signature != b"PK\5\6" or comment or not whole or directory > _MOST_DIRECTORY:
        raise ArchiveError("it is no archive that covls made")
    if members != 2:
        raise ArchiveError("it has other members than `data` and `sources`")
