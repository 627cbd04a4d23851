"""From covls's lines and paths to the protocol's positions and URIs, and back."""

import os
import re
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from lsprotocol import types

from covls.core.coverage import Totals, percent_text
from covls.server.messages import Summary

_DRIVE = re.compile(r"/[A-Za-z]:")


class Encoding(StrEnum):
    """What a position's `character` counts."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"


def units(text: str, encoding: Encoding) -> int:
    """The length of `text` in the units of an encoding.

    A lone surrogate, which JSON can carry, counts as JavaScript and Neovim count it.
    """
    if encoding is Encoding.UTF32 or text.isascii():
        return len(text)
    if encoding is Encoding.UTF8:
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def lines_range(lines: Sequence[str], first: int, last: int, encoding: Encoding) -> types.Range:
    """The range of the lines `first` to `last`, 1-based, without the white space around them."""
    start, end = lines[first - 1], lines[last - 1].rstrip()
    indent = len(start) - len(start.lstrip())
    if indent == len(start):
        indent = 0
    if not start.isascii():
        indent = units(start[:indent], encoding)
    return _range(first - 1, indent, last - 1, units(end, encoding))


@lru_cache(1 << 14)
def _range(start: int, start_character: int, end: int, end_character: int) -> types.Range:
    """A range that may be shared: after an edit most of a file's are what they were before."""
    return types.Range(
        start=types.Position(line=start, character=start_character),
        end=types.Position(line=end, character=end_character),
    )


def path_of(uri: str) -> Path | None:
    """The absolute path of a file's URI; None for anything that is not a file of this machine."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    path = unquote(parts.path, errors="surrogateescape")
    if parts.scheme.lower() != "file" or not path.startswith("/") or "\0" in path:
        return None
    if os.name == "nt":
        if parts.netloc and parts.netloc.lower() != "localhost":
            path = f"//{parts.netloc}{path}"
        elif _DRIVE.match(path):
            path = path[1:]
    elif parts.netloc and parts.netloc.lower() != "localhost":
        return None
    return Path(os.path.normpath(path))


def uri_of(path: Path | str) -> str:
    """The URI of an absolute path."""
    text = os.fspath(path)
    if os.name == "nt":
        text = "/" + text.replace("\\", "/").lstrip("/")
    return "file://" + quote(os.fsencode(text), safe="/:" if os.name == "nt" else "/")


def summary_of(totals: Totals, precision: int) -> Summary:
    """Totals as they are sent, the percentage also as coverage.py writes it."""
    return Summary(
        percent=totals.percent,
        percent_text=percent_text(totals.percent, precision),
        statements=totals.n_statements,
        missing=totals.n_missing,
        excluded=totals.n_excluded,
        branches=totals.n_branches,
        partial_branches=totals.n_partial_branches,
        missing_branches=totals.n_missing_branches,
    )
