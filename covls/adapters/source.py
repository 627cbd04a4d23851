"""Source files: their bytes as coverage.py finds them, and their text as editors show it."""

import codecs
import io
import stat
import tokenize
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 32 * 1024 * 1024
"""The longest source that is read. The parser needs a hundred times as much memory."""

_ZIP_SUFFIXES: Final = (".zip", ".whl", ".egg", ".pex")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why there is no source: one clear sentence that names the file."""

    reason: str
    missing: bool = False


def read_source(path: Path) -> bytes | Unreadable:
    """Read a source file's bytes, also from within a zip file, as coverage.py does."""
    try:
        status = path.stat()
        # To open a pipe or a device would block, or never end.
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            return Unreadable(f"{path} is no regular file")
        if status.st_size > MAX_BYTES:
            return _too_large(path)
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return _read_zipped(path)
    except IsADirectoryError:
        return Unreadable(f"{path} is a folder, not a source file")
    except PermissionError:
        return Unreadable(f"no permission to read {path}")
    except (OSError, ValueError) as error:
        return Unreadable(f"{path} cannot be read: {_words(error)}")


def source_text(source: bytes) -> str:
    """Decode source as an editor would: by its byte order mark or PEP 263 comment, else UTF-8.

    Line ends stay as they are, the byte order mark goes, and what does not decode is replaced.
    """
    return source.decode(_encoding(source), "replace")


def text_source(text: str) -> bytes:
    """Encode an editor's text as a save would, so that it decodes to itself.

    Editors strip the byte order mark, which UTF-8 does not need.
    """
    encoding = _encoding(text.encode("utf-8", "replace"))
    return text.encode("utf-8" if encoding == "utf-8-sig" else encoding, "replace")


def _encoding(source: bytes) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(_with_plain_ends(source)).readline)
    except SyntaxError:
        # There is no way to run such a file, but an editor still shows it.
        if source.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        return "utf-8"
    return encoding


def _with_plain_ends(source: bytes) -> bytes:
    """The first two lines, where an encoding can be declared; lone carriage returns end lines."""
    return source[:4096].replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _read_zipped(path: Path) -> bytes | Unreadable:
    for folder in path.parents:
        if folder.suffix in _ZIP_SUFFIXES and folder.is_file():
            inner = path.relative_to(folder).as_posix()
            try:
                with zipfile.ZipFile(folder) as archive:
                    if archive.getinfo(inner).file_size > MAX_BYTES:
                        return _too_large(path)
                    return archive.read(inner)
            except KeyError:
                break
            except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
                return Unreadable(f"{folder} cannot be read as a zip file: {_words(error)}")
    return Unreadable(f"{path} does not exist", missing=True)


def _too_large(path: Path) -> Unreadable:
    return Unreadable(
        f"{path} is larger than {MAX_BYTES // 1024 // 1024} MB, too large to analyse; "
        "leave it out with [report] omit"
    )


def _words(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
