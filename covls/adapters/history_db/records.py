"""What ran in a file as bytes, the same for the same, and back."""

import hashlib
import json
import sys
import zlib
from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from functools import lru_cache
from operator import attrgetter
from typing import Any

from covls.core.coverage import Totals
from covls.core.history import RecordedFile, RecordedFunction

counts_of: Callable[[Totals], tuple[int, ...]] = attrgetter(*(each.name for each in fields(Totals)))
"""The counts in their order: what `astuple` says, in a tenth of the time."""

MAX_BYTES = 64 * 1024 * 1024
"""The most that one file's record may be unpacked to."""


def packed(file: RecordedFile) -> bytes:
    """What is known of a file beside its path and totals, not compressed yet."""
    branches: list[object] = []
    for line, ways, ends in file.branches:
        branches += (line, ways, len(ends), *ends)
    functions: list[object] = []
    for function in file.functions:
        functions += (function.name, function.first, function.last, hex(function.statements))
        functions += counts_of(function.totals)
    parts = (
        file.source,
        hex(file.statements),
        hex(file.executed),
        hex(file.partial),
        branches,
        functions,
    )
    return json.dumps(parts, separators=(",", ":")).encode()


def digest(path: str, totals: Totals, content: bytes) -> bytes:
    """What tells a record from every other."""
    head = json.dumps([path, *counts_of(totals)]).encode()
    return hashlib.sha256(head + b"\0" + content).digest()


def compressed(content: bytes) -> bytes:
    """Content as it is stored."""
    return zlib.compress(content, 6)


def unpacked(path: str, totals: Totals, content: bytes, *, functions: bool = True) -> RecordedFile:
    """A stored record, with its functions or without. Raises ValueError where it is none."""
    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(content, MAX_BYTES)
        parts = json.loads(text)
        source, statements, executed, partial, flat, named = parts
        starts = range(0, len(named), 11) if functions else ()
        return RecordedFile(
            path,
            source,
            totals,
            int(statements, 16),
            int(executed, 16),
            int(partial, 16),
            tuple(_function(named[first : first + 11]) for first in starts),
            tuple(_branches(flat)),
        )
    except (zlib.error, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"what is recorded of {path} is damaged") from error


def _function(parts: list[Any]) -> RecordedFunction:
    name, first, last, statements, *counts = parts
    return RecordedFunction(name, first, last, _totals(*counts), int(statements, 16))


@lru_cache(maxsize=65_536)
def _totals(*counts: int) -> Totals:
    # Most functions have the counts of some other.
    return Totals(*counts)


def _branches(flat: Iterable[int]) -> Iterable[tuple[int, int, tuple[int, ...]]]:
    rest = iter(flat)
    for line in rest:
        ways, count = next(rest), next(rest)
        yield line, ways, tuple([next(rest) for _ in range(count)])


def row_of_records(by_path: Mapping[int, int]) -> bytes:
    """The records of a run, by the numbers of their paths, as a run keeps them."""
    found = array("I", bytes(4 * max(by_path, default=0)))
    for path, record in by_path.items():
        found[path - 1] = record
    return _little(found).tobytes()


def records_of_row(row: bytes) -> "array[int]":
    """The number of the record of each path, beginning with path 1; 0 where there is none."""
    found = array("I")
    found.frombytes(row)
    return _little(found)


def record_of_place(four: bytes) -> int:
    """One number cut out of a row; 0 where the row is too short."""
    return int.from_bytes(four, "little")


def _little(numbers: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
