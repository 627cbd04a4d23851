"""What a data file says, asked of a private copy of it.

The queries are those of `coverage.CoverageData` (`lines`, `arcs`, `contexts_by_lineno`); the tests
hold the answers equal.
"""

import json
import re
import sqlite3
import threading
import weakref
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from covls.adapters.private_copy import explain
from covls.core.coverage import Measured
from covls.core.detail import bits_of
from covls.core.lines import Arc
from covls.core.reached import Reached, reached
from covls.core.told_apart import only_first_tests

SCHEMA = 7
"""The one layout of the data file that coverage.py 5 to 7 write."""

_CHOSEN = "AND context_id IN (SELECT context_id FROM temp.chosen WHERE choice = :choice)"
_ARCS = "SELECT DISTINCT fromno, tono FROM arc WHERE file_id = :file "
_ARCS_OF_MANY = """
    WITH wanted (id) AS (VALUES {files})
    SELECT group_concat(id || ':' || coalesce(arcs, ''), ';') FROM (
        SELECT id, (
            SELECT group_concat(fromno || ',' || tono)
            FROM (SELECT DISTINCT fromno, tono FROM arc WHERE file_id = id {chosen})
        ) AS arcs FROM wanted
    )
"""
_LINES = "SELECT numbits FROM line_bits WHERE file_id = :file "
_ARC_CONTEXTS = "SELECT context_id, fromno, tono FROM arc WHERE file_id = :file "
_ARCS_OF_CONTEXTS = """
    SELECT context_id, '[' || group_concat(fromno) || ',' || group_concat(tono) || ']' FROM arc
    WHERE file_id = :file AND context_id > :after
    GROUP BY context_id ORDER BY context_id LIMIT :count
"""
_LINE_CONTEXTS = "SELECT context_id, numbits FROM line_bits WHERE file_id = :file "
_LINES_OF_CONTEXTS = """
    SELECT context_id, numbits FROM line_bits WHERE file_id = :file AND context_id > :after
    ORDER BY context_id LIMIT :count
"""
_CONTEXTS_AT = """
    SELECT DISTINCT context_id FROM arc
    WHERE file_id = :file AND (fromno BETWEEN :first AND :last OR tono BETWEEN :first AND :last)
"""

_CONTEXTS_IN = """
    WITH RECURSIVE found (id) AS (
        SELECT min(context_id) FROM {table} WHERE file_id = :file
        UNION ALL
        SELECT (SELECT min(context_id) FROM {table} WHERE file_id = :file AND context_id > found.id)
        FROM found WHERE found.id IS NOT NULL
    )
    SELECT id FROM found WHERE id IS NOT NULL
"""
"""From one context to the next by the table's index: a file has thousands of rows for each."""

_SOME_ARC_CONTEXTS = """
    SELECT tono, min(context_id), max(context_id) FROM arc
    WHERE file_id = :file AND tono > 0
    AND context_id IS NOT (SELECT id FROM context WHERE context = '') GROUP BY tono
"""

_ENTERING = "SELECT 1 FROM arc WHERE fromno < 0 LIMIT 1"

_BATCH = 8
"""Files read in one go, for which whoever asks of another file has to wait."""

_CONTEXTS_IN_ONE_GO = 64
"""Contexts of a file read in one go, likewise: some milliseconds where each reaches all of it."""


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
class Store:
    """A private database in coverage.py's layout, and what its small tables mean."""

    path: Path
    """Whose copy it is; rows of others may have been added."""
    database: sqlite3.Connection
    files: Mapping[str, tuple[int, ...]]
    """Row ids by path: several where rules map several measured paths to one file."""
    contexts: Mapping[int, str]

    def rows(self, query: str, values: Mapping[str, int]) -> Iterator[tuple[Any, ...]]:
        """The rows of a query. A copy that proves damaged blames its original."""
        try:
            yield from self.database.execute(query, values)
        except sqlite3.DatabaseError as error:
            raise explain(self.path, error) from error

    def names(self, ids: Iterable[int]) -> Iterator[str]:
        """The contexts of these row ids, as far as there are any."""
        return (self.contexts[number] for number in ids if number in self.contexts)


@dataclass(frozen=True, slots=True)
class Contents:
    """Parts put together, in one database or in several that complement each other."""

    stores: tuple[Store, ...]
    parts: tuple[Part, ...]
    paths: frozenset[str]
    tracers: Mapping[str, str]
    has_arcs: bool


class Snapshot:
    """A private, immutable copy of the data; safe to use from several threads."""

    schema = SCHEMA

    def __init__(
        self,
        data_file: Path,
        contents: Contents,
        fingerprint: Fingerprint,
        problems: tuple[str, ...],
    ) -> None:
        self.data_file = data_file
        self.parts = contents.parts
        self.paths = contents.paths
        self.has_arcs = contents.has_arcs
        self.fingerprint = fingerprint
        self.problems = problems
        self._stores = contents.stores
        self._tracers = contents.tracers
        self._contexts = {name for store in self._stores for name in store.contexts.values()}
        self._lock = threading.RLock()
        # Who lets go of a snapshot that others may still be reading leaves it to the last of them.
        self._close = weakref.finalize(self, _close, self._stores)
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

    @contextmanager
    def stores(self) -> Iterator[tuple[Store, ...]]:
        """The databases of the copy, while nobody else asks anything of them; only to be read."""
        with self._lock:
            yield self._stores

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
        return tuple(sorted(self._contexts))

    @property
    def has_contexts(self) -> bool:
        """Whether anything but the empty context was recorded."""
        return any(self._contexts)

    @cached_property
    def only_first_tests(self) -> bool:
        """Whether the contexts name only the first test of each line, as `core.told_apart` has it.

        Read when it is first asked for: a few files, or all where that is the case. Arcs that
        enter a function are recorded by other cores than sysmon, which name all tests.
        """

        def lines(ran: Any) -> int:
            if not self.has_arcs:
                return int.from_bytes(ran, "little")
            return bits_of(line for line in set(json.loads(ran)) if line > 0)

        if not self.has_contexts or (self.has_arcs and self._enters()):
            return False
        return only_first_tests(
            (
                (store.contexts.get(context, ""), lines(ran))
                for store, context, ran in self._by_context(path)
            )
            for path in sorted(self.paths)
        )

    def _enters(self) -> bool:
        with self._lock:
            return any(list(store.rows(_ENTERING, {})) for store in self._stores)

    def tracer(self, path: str) -> str:
        """The plugin that measured this file; empty for plain Python and for unknown files."""
        return self._tracers.get(path, "")

    @property
    def has_tracers(self) -> bool:
        """Whether any file was measured by a plugin."""
        return any(self._tracers.values())

    def measured(self, path: str, contexts: Sequence[str] = ()) -> Measured:
        """What ran in one file, in the contexts that any of the regexes finds (none: in all).

        An unknown file is one of which nothing ran. Raises ValueError for a wrong regex.
        """
        if self.has_arcs:
            arcs = chain.from_iterable(rows for _, rows in self._rows(_ARCS, path, contexts))
            return _from_arcs(frozenset(arcs))
        union = 0
        for _, rows in self._rows(_LINES, path, contexts):
            for (numbits,) in rows:
                union |= int.from_bytes(numbits, "little")
        return Measured(lines_of(union))

    def all_measured(self, contexts: Sequence[str] = ()) -> Iterator[tuple[str, Measured]]:
        """Every file and what ran in it, sorted by path."""
        paths = sorted(self.paths)
        return zip(paths, self.measured_in_turn(paths, contexts), strict=True)

    def measured_in_turn(
        self, paths: Sequence[str], contexts: Sequence[str] = ()
    ) -> Iterator[Measured]:
        """What ran in each of many files, as `measured` tells of one.

        Branches are read ahead by a thread while the caller works on the files before.
        """
        if not self.has_arcs:
            yield from (self.measured(path, contexts) for path in paths)
            return
        ahead = ThreadPoolExecutor(1, thread_name_prefix="covls snapshot")
        try:
            # All at once: as text, what ran in thousands of files takes a few megabytes.
            pending = deque(
                (batch, ahead.submit(self._arcs_of_many, batch, contexts))
                for batch in (paths[i : i + _BATCH] for i in range(0, len(paths), _BATCH))
            )
            while pending:
                batch, found = pending.popleft()
                arcs = found.result()
                yield from (_from_arcs(_parsed(arcs[path])) for path in batch)
        finally:
            ahead.shutdown(cancel_futures=True)

    def _arcs_of_many(self, paths: Sequence[str], contexts: Sequence[str]) -> dict[str, list[str]]:
        """The arcs of some files, as text; a path may have several.

        All is put into one row, because SQLite works on a row without holding up other threads,
        and has to wait for them between two.
        """
        found: defaultdict[str, list[str]] = defaultdict(list)
        with self._lock:
            for store in self._stores:
                files = {file: path for path in paths for file in store.files.get(path, ())}
                if not files:
                    continue
                query = _ARCS_OF_MANY.format(
                    files=", ".join(f"({file:d})" for file in files),
                    chosen=_CHOSEN if contexts else "",
                )
                values = {"choice": self._choose(tuple(contexts))} if contexts else {}
                ((text,),) = store.rows(query, values)
                for part in text.split(";"):
                    file, _, arcs = part.partition(":")
                    found[files[int(file)]].append(arcs)
        return found

    def contexts_by_line(self, path: str, contexts: Sequence[str] = ()) -> dict[int, list[str]]:
        """The contexts that reached each line of one file, sorted."""
        names: defaultdict[int, set[str]] = defaultdict(set)
        query = _ARC_CONTEXTS if self.has_arcs else _LINE_CONTEXTS
        for store, rows in self._rows(query, path, contexts):
            reached: defaultdict[int, set[int]] = defaultdict(set)
            if self.has_arcs:
                for context, start, end in rows:
                    reached[start].add(context)
                    reached[end].add(context)
            else:
                for context, numbits in rows:
                    for line in lines_of(int.from_bytes(numbits, "little")):
                        reached[line].add(context)
            for line, ids in reached.items():
                names[line].update(store.names(ids))
        # What is not positive stands for entering and leaving, and is no line.
        return {line: sorted(names[line]) for line in sorted(names) if line > 0 and names[line]}

    def arcs_by_context(self, path: str) -> Iterator[tuple[str, Arc]]:
        """Each arc that ran in one file and a context that it ran in, in no order."""
        for store, rows in self._rows(_ARC_CONTEXTS, path, ()):
            contexts = store.contexts
            yield from ((contexts[context], (start, end)) for context, start, end in rows)

    def lines_by_context(self, path: str) -> Iterator[tuple[str, int]]:
        """The lines that ran in one file in each context, as the bits of an integer."""
        for store, rows in self._rows(_LINE_CONTEXTS, path, ()):
            for context, numbits in rows:
                yield store.contexts[context], int.from_bytes(numbits, "little")

    def some_contexts_by_line(self, path: str) -> dict[int, tuple[str, ...]]:
        """One or two of the contexts that reached each line of one file, whichever is quickest.

        The empty context does not count; a line that no other reached is left out.
        """
        found: dict[int, tuple[str, ...]] = {}
        if self.has_arcs:
            for store, rows in self._rows(_SOME_ARC_CONTEXTS, path, ()):
                for line, *ids in rows:
                    names = tuple(dict.fromkeys(store.names(ids)))
                    if names:
                        found.setdefault(line, names)
            return found
        seen = 0
        for context, bits in self.lines_by_context(path):
            if context and bits & ~seen:
                found.update(dict.fromkeys(lines_of(bits & ~seen), (context,)))
                seen |= bits
        return found

    def contexts_in(self, path: str) -> set[str]:
        """The contexts that reached anything in one file."""
        query = _CONTEXTS_IN.format(table="arc" if self.has_arcs else "line_bits")
        names: set[str] = set()
        for store, rows in self._rows(query, path, ()):
            names.update(store.names(context for (context,) in rows))
        return names

    def contexts_at(self, path: str, first: int, last: int) -> tuple[str, ...]:
        """The contexts that reached any of these lines of one file, sorted."""
        first = max(first, 1)
        names: set[str] = set()
        if self.has_arcs:
            for store, rows in self._rows(_CONTEXTS_AT, path, (), first=first, last=last):
                names.update(store.names(context for (context,) in rows))
            return tuple(sorted(names))
        wanted = (1 << max(last + 1, first)) - (1 << first)
        for store, rows in self._rows(_LINE_CONTEXTS, path, ()):
            names.update(
                store.names(
                    context
                    for context, numbits in rows
                    if int.from_bytes(numbits, "little") & wanted
                )
            )
        return tuple(sorted(names))

    def reached(self, path: str) -> Reached:
        """The tests that reached each line of one file: one look at all that was recorded of it.

        It is read in parts, between which others may ask.
        """

        def recorded() -> Iterator[tuple[str, Iterable[int]]]:
            for store, context, lines in self._by_context(path):
                if not (name := store.contexts.get(context)):
                    continue
                if self.has_arcs:
                    # Most lines start some arcs and end others: few of the numbers are left.
                    yield name, set(json.loads(lines))
                else:
                    yield name, lines_of(int.from_bytes(lines, "little"))

        return reached(recorded())

    def _by_context(self, path: str) -> Iterator[tuple[Store, int, Any]]:
        """What ran in one file in each context: numbers of lines as a JSON array, or as bits."""
        query = _ARCS_OF_CONTEXTS if self.has_arcs else _LINES_OF_CONTEXTS
        for store in self._stores:
            for file in store.files.get(path, ()):
                values = {"file": file, "after": -1, "count": _CONTEXTS_IN_ONE_GO}
                while True:
                    with self._lock:
                        rows = list(store.rows(query, values))
                    yield from ((store, context, lines) for context, lines in rows)
                    if len(rows) < _CONTEXTS_IN_ONE_GO:
                        break
                    values["after"] = rows[-1][0]

    def _rows(
        self, query: str, path: str, contexts: Sequence[str], **values: int
    ) -> Iterator[tuple[Store, Iterable[tuple[Any, ...]]]]:
        """The rows of a query about one file, to be used up by who asks: others wait for that."""
        with self._lock:
            if contexts:
                values["choice"] = self._choose(tuple(contexts))
                query += _CHOSEN
            for store in self._stores:
                for file in store.files.get(path, ()):
                    yield store, store.rows(query, {**values, "file": file})

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
            for store in self._stores:
                store.database.execute(
                    "CREATE TEMP TABLE IF NOT EXISTS chosen "
                    "(choice, context_id, PRIMARY KEY (choice, context_id)) WITHOUT ROWID"
                )
                store.database.executemany(
                    "INSERT INTO temp.chosen VALUES (?, ?)",
                    [
                        (choice, number)
                        for number, name in store.contexts.items()
                        if any(pattern.search(name) for pattern in compiled)
                    ],
                )
            self._choices[patterns] = choice
        return choice


def _close(stores: Iterable[Store]) -> None:
    for store in stores:
        store.database.close()


def lines_of(bits: int) -> frozenset[int]:
    """The positions of the bits that are set, as coverage.py stores line numbers."""
    lines = []
    for index, byte in enumerate(bits.to_bytes((bits.bit_length() + 7) // 8, "little")):
        if byte:
            first = index * 8
            lines.extend([first + bit for bit in range(8) if byte >> bit & 1])
    return frozenset(lines)


def _parsed(texts: Iterable[str]) -> frozenset[Arc]:
    """Arcs from numbers with commas between: the start of one, its end, the start of the next."""
    numbers = map(int, chain.from_iterable(text.split(",") for text in texts if text))
    return frozenset(zip(numbers, numbers, strict=True))


def _from_arcs(arcs: frozenset[Arc]) -> Measured:
    """What ran where branches were measured: a line is one that an arc starts or ends at."""
    lines = {start for start, _ in arcs}
    lines.update([end for _, end in arcs])
    return Measured(frozenset([line for line in lines if line > 0]), arcs)
