"""A text file that is edited: its text without byte order mark, and the way back to its bytes."""

import codecs
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path


class CannotEditError(Exception):
    """A file is left as it is. The message says why; `paste` is what was to be added, or ""."""

    def __init__(self, message: str, paste: str = "") -> None:
        super().__init__(message)
        self.paste = paste


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file as it was read: what is edited, and how it is kept."""

    path: Path
    text: str | None
    """With `\\n` at the ends of lines; None where there is no file."""
    content: bytes = b""

    def edited(self, text: str) -> bytes:
        """The file's bytes with another text: lines that stay keep their ends as they were."""
        if self.text is None:
            return text.encode()
        mark = codecs.BOM_UTF8 if self.content.startswith(codecs.BOM_UTF8) else b""
        kept = _lines(self.content.removeprefix(mark).decode())
        # What most lines end with is what new ones end with.
        windows = sum(line.endswith("\r\n") for line in kept) * 2 >= len(kept) > 1
        return mark + _with_ends(kept, text, "\r\n" if windows else "\n").encode()


def read_text_file(path: Path, root: Path) -> TextFile:
    """Read a file that may be edited.

    Raises CannotEditError for what is no text of the project's own: a folder, a link that leads out
    of the root or nowhere, other encodings, what may not be read.
    """
    if path.is_symlink():
        target = Path(os.path.realpath(path))
        if not target.is_relative_to(os.path.realpath(root)):
            raise CannotEditError(f"{path.name} is a link that leads out of the project")
        if not target.exists():
            raise CannotEditError(f"{path.name} is a link to nothing")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return TextFile(path, None)
    except OSError as error:
        raise CannotEditError(f"{path.name} cannot be read: {error.strerror}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CannotEditError(
            f"{path.name} is not UTF-8 (byte {error.start}): save it as UTF-8 first"
        ) from error
    if "\0" in text:
        raise CannotEditError(f"{path.name} is no text file")
    return TextFile(path, "\n".join(_without_ends(text)), content)


def write_whole(path: Path, content: bytes, expected: bytes | None) -> None:
    """Put a file in its place, whole or not at all; a link's target is what is replaced.

    Raises CannotEditError where the file is no longer what it was when it was read (`expected`,
    None for no file), or cannot be written.
    """
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=target.parent, prefix=f".{target.name}.", delete=False
        ) as stream:
            unfinished = Path(stream.name)
            try:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
                now = target.read_bytes() if target.exists() else None
                if now != expected:
                    raise CannotEditError(f"{path.name} was changed meanwhile: start again")
                unfinished.chmod(_mode(target))
                unfinished.replace(target)
            except BaseException:
                unfinished.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise CannotEditError(f"{path.name} cannot be written: {error.strerror}") from error


def _mode(target: Path) -> int:
    """The permissions the file has, or that a new one would get."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _lines(text: str) -> list[str]:
    """Lines with their ends, as editors see them; the last one has none, and may be empty."""
    return re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)


def _without_ends(text: str) -> list[str]:
    return [line.rstrip("\r\n") for line in _lines(text)]


def _with_ends(kept: Sequence[str], text: str, end: str) -> str:
    wanted = text.split("\n")
    bare = [line.rstrip("\r\n") for line in kept]
    found: list[str] = []
    for tag, i, j, k, m in SequenceMatcher(None, bare, wanted, autojunk=False).get_opcodes():
        if tag == "equal":
            found += kept[i:j]
        elif tag in ("insert", "replace"):
            found += [line + end for line in wanted[k:m]]
    # The last line of a text is what stands behind the last end of a line.
    last = found.pop().rstrip("\r\n")
    whole = [line if line.endswith(("\r", "\n")) else line + end for line in found]
    return "".join(whole) + last
