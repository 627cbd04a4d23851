"""What a data file says, asked of a private copy of it.

The queries are those of `coverage.CoverageData` (`lines`, `arcs`, `contexts_by_lineno`); the tests
hold the answers equal.
"""

import re
import sqlite3
import threading
import weakref
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from covls.adapters.private_copy import explain
from covls.core.coverage import Measured
from covls.core.lines import Arc

SCHEMA = 7
"""The one layout of the data file that coverage.py 5 to 7 write."""

_CHOSEN = "AND context_id IN (SELECT context_id FROM temp.chosen WHERE choice = :choice)"
_ARCS = "SELECT DISTINCT fromno, tono FROM arc WHERE file_id = :file "
_LINES = "SELECT numbits FROM line_bits WHERE file_id = :file "
_ARC_CONTEXTS = "SELECT context_id, fromno, tono FROM arc WHERE file_id = :file "
_LINE_CONTEXTS = "SELECT context_id, numbits FROM line_bits WHERE file_id = :file "
_CONTEXTS_AT = """
    SELECT DISTINCT context_id FROM arc
    WHERE file_id = :file AND (fromno BETWEEN :first AND :last OR tono BETWEEN :first AND :last)
"""


@dataclass(frozen=True, slots=True)
class FileStamp:
    """How one file looked, as cheaply as can be told."""

    path: Path
    inode: int
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """How a data file and its parallel siblings looked; equal when nothing was written."""

    files: tuple[FileStamp, ...]

    def __bool__(self) -> bool:
        return bool(self.files)


@dataclass(frozen=True, slots=True)
class Part:
    """One file that a snapshot was read from."""

    path: Path
    mtime: float
    version: str | None
    """The coverage.py that made it, where the file says so."""
    files: int
    """How many measured files it names."""


@dataclass(frozen=True, slots=True)
class Contents:
    """A private database in coverage.py's layout, and what its small tables mean."""

    database: sqlite3.Connection
    has_arcs: bool
    files: Mapping[str, tuple[int, ...]]
    """Row ids by path: several where rules map several measured paths to one file."""
    contexts: Mapping[int, str]
    tracers: Mapping[str, str]


class Snapshot:
    """A private, immutable copy of the data; safe to use from several threads."""

    schema = SCHEMA

    def __init__(
        self,
        data_file: Path,
        contents: Contents,
        parts: tuple[Part, ...],
        fingerprint: Fingerprint,
        problems: tuple[str, ...],
    ) -> None:
        self.data_file = data_file
        self.parts = parts
        self.fingerprint = fingerprint
        self.problems = problems
        self.has_arcs = contents.has_arcs
        self.paths = frozenset(contents.files)
        self._contents = contents
        self._lock = threading.RLock()
        # Who lets go of a snapshot that others may still be reading leaves it to the last of them.
        self._close = weakref.finalize(self, contents.database.close)
        self._choices: dict[tuple[str, ...], int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop the private copy. Asking anything of it afterwards is an error."""
        with self._lock:
            self._close()

    @property
    def written_at(self) -> float:
        """When the oldest part was last written, seconds since the epoch.

        A source modified later than this is not surely the one that was measured.
        """
        return min(part.mtime for part in self.parts)

    @property
    def coverage_version(self) -> str | None:
        """The coverage.py that made the data, where it says so."""
        return self.parts[0].version

    @property
    def contexts(self) -> tuple[str, ...]:
        """All contexts that were recorded, the empty one included, sorted."""
        return tuple(sorted(self._contents.contexts.values()))

    @property
    def has_contexts(self) -> bool:
        """Whether anything but the empty context was recorded."""
        return any(self._contents.contexts.values())

    def tracer(self, path: str) -> str:
        """The plugin that measured this file; empty for plain Python and for unknown files."""
        return self._contents.tracers.get(path, "")

    def measured(self, path: str, contexts: Sequence[str] = ()) -> Measured:
        """What ran in one file, in the contexts that any of the regexes finds (none: in all).

        An unknown file is one of which nothing ran. Raises ValueError for a wrong regex.
        """
        if self.has_arcs:
            return _from_arcs(frozenset(self._rows(_ARCS, path, contexts)))
        union = 0
        for (numbits,) in self._rows(_LINES, path, contexts):
            union |= int.from_bytes(numbits, "little")
        return Measured(lines_of(union))

    def all_measured(self, contexts: Sequence[str] = ()) -> Iterator[tuple[str, Measured]]:
        """Every file and what ran in it, sorted by path."""
        for path in sorted(self.paths):
            yield path, self.measured(path, contexts)

    def contexts_by_line(self, path: str, contexts: Sequence[str] = ()) -> dict[int, list[str]]:
        """The contexts that reached each line of one file, sorted."""
        reached: defaultdict[int, set[int]] = defaultdict(set)
        if self.has_arcs:
            for context, start, end in self._rows(_ARC_CONTEXTS, path, contexts):
                if start > 0:
                    reached[start].add(context)
                if end > 0:
                    reached[end].add(context)
        else:
            for context, numbits in self._rows(_LINE_CONTEXTS, path, contexts):
                for line in lines_of(int.from_bytes(numbits, "little")):
                    reached[line].add(context)
        return {line: self._names(ids) for line, ids in reached.items()}

    def contexts_at(self, path: str, first: int, last: int) -> tuple[str, ...]:
        """The contexts that reached any of these lines of one file, sorted."""
        if self.has_arcs:
            rows = self._rows(_CONTEXTS_AT, path, (), first=max(first, 1), last=last)
            return tuple(self._names(context for (context,) in rows))
        wanted = (1 << last + 1) - (1 << max(first, 1))
        return tuple(
            self._names(
                context
                for context, numbits in self._rows(_LINE_CONTEXTS, path, ())
                if int.from_bytes(numbits, "little") & wanted
            )
        )

    def _names(self, ids: Iterable[int]) -> list[str]:
        names = self._contents.contexts
        return sorted({names[number] for number in ids if number in names})

    def _rows(
        self, query: str, path: str, contexts: Sequence[str], **values: int
    ) -> Iterator[tuple[Any, ...]]:
        """The rows of a query about one file, to be used up by who asks: others wait for that.

        A copy that proves damaged blames its original.
        """
        try:
            with self._lock:
                if contexts:
                    values["choice"] = self._choose(tuple(contexts))
                    query += _CHOSEN
                for file in self._contents.files.get(path, ()):
                    values["file"] = file
                    yield from self._contents.database.execute(query, values)
        except sqlite3.DatabaseError as error:
            raise explain(self.data_file, error) from error

    def _choose(self, patterns: tuple[str, ...]) -> int:
        """The number under which the contexts that the patterns find are set down."""
        choice = self._choices.get(patterns)
        if choice is None:
            compiled = []
            for pattern in patterns:
                try:
                    compiled.append(re.compile(pattern))
                except re.error as error:
                    raise ValueError(f"Invalid context regex {pattern!r}: {error}") from error
            choice = len(self._choices)
            database = self._contents.database
            database.execute(
                "CREATE TEMP TABLE IF NOT EXISTS chosen "
                "(choice, context_id, PRIMARY KEY (choice, context_id)) WITHOUT ROWID"
            )
            database.executemany(
                "INSERT INTO temp.chosen VALUES (?, ?)",
                [
                    (choice, number)
                    for number, name in self._contents.contexts.items()
                    if any(pattern.search(name) for pattern in compiled)
                ],
            )
            self._choices[patterns] = choice
        return choice


def lines_of(bits: int) -> frozenset[int]:
    """The positions of the bits that are set, as coverage.py stores line numbers."""
    lines = []
    for index, byte in enumerate(bits.to_bytes((bits.bit_length() + 7) // 8, "little")):
        if byte:
            first = index * 8
            lines.extend([first + bit for bit in range(8) if byte >> bit & 1])
    return frozenset(lines)


def _from_arcs(arcs: frozenset[Arc]) -> Measured:
    """What ran where branches were measured: a line is one that an arc starts or ends at."""
    lines = {start for start, _ in arcs}
    lines.update([end for _, end in arcs])
    return Measured(frozenset([line for line in lines if line > 0]), arcs)
