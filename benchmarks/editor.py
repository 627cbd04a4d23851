"""The language server as an editor feels it: seconds between what is sent and what arrives."""

import shutil
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cases import Case, environment_of
from benchmarks.lsp_client import Arrived, Client
from benchmarks.measure import MemoryWatch, Spread, memory_of, memory_of_tree, processor_seconds

LARGEST = "sympy/polys/polytools.py"
"""The largest file of the package that is not a test."""

MEDIAN = "sympy/polys/polyfuncs.py"
"""As long as half of the package's files that are not tests."""

OTHERS = (
    "sympy/core/expr.py",
    "sympy/core/function.py",
    "sympy/core/numbers.py",
    "sympy/logic/boolalg.py",
    "sympy/matrices/common.py",
    "sympy/polys/rings.py",
    "sympy/sets/sets.py",
    "sympy/solvers/solvers.py",
)
"""What somebody at work on the package may also have open."""

EDITS = 200
EDITS_PER_PLACE = 20
HOVERS = 200

BETWEEN_EDITS = 0.1
"""Seconds from the answer to an edit to the next: somebody types fast."""

Diagnostics = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of a server with files open: of itself, of all its processes, and at their peak."""

    server: int
    together: int
    peak: int


class Editor:
    """Starts servers on one case and does to them what an editor does."""

    def __init__(self, case: Case, python: Path, scratch: Path) -> None:
        self.case = case
        self.python = python
        self.scratch = scratch
        self.cache = scratch / "cache"

    def start(self) -> Client:
        return Client(
            [str(self.python), "-m", "covls", "serve"],
            folder=self.case.folder,
            environment=environment_of(self.cache),
            log=self.scratch / "server.log",
        )

    def initialize(self) -> float:
        """Process start → `initialize` answered."""
        with self.start() as client:
            return client.initialize()[0]

    def open_first(self, name: str, *, cached: bool) -> float:
        """A file is open as the editor starts: `initialized` and `didOpen` → its diagnostics."""
        if not cached:
            shutil.rmtree(self.cache, ignore_errors=True)
        with self.start() as client:
            client.initialize()
            return self.open(client, name)

    def open_later(self, client: Client, name: str) -> float:
        """A file is opened in a server at rest: `didOpen` → its diagnostics.

        The server has let go of the file before; its analysis is in the cache on disk.
        """
        client.close(self.path(name))
        self.rest(client)
        client.forget()
        return self.open(client, name)

    def rest(self, client: Client) -> None:
        """Wait until the server and its workers have nothing to do for half a second."""
        spent = -1.0
        while (now := processor_seconds(client.process.pid)) > spent + 0.03:
            spent = now
            time.sleep(0.5)

    def open(self, client: Client, name: str) -> float:
        path = self.path(name)
        sent = client.open(path, path.read_text(encoding="utf-8"))
        return self.some_diagnostics(client, path).at - sent

    def data_changed(self, client: Client, name: str) -> float:
        """One more line of an open file runs: data written → the line's diagnostic is gone.

        The data file is replaced by one that has all that was there and one row more.
        """
        path = self.path(name)
        self.rest(client)
        client.forget()
        line = self.first_uncovered(client, path)
        changed = self.case.folder / "changed-data"
        shutil.copyfile(self.case.data_file, changed)
        with closing(sqlite3.connect(changed)) as database, database:
            database.execute(
                "insert into arc (file_id, context_id, fromno, tono) "
                "select file.id, min(context.id), ?, -1 from file, context where path = ?",
                (line, str(path)),
            )
        changed.replace(self.case.data_file)
        written = time.perf_counter()
        while True:
            arrived = client.diagnostics(path)
            if all(first_line(d) > line for d in uncovered(published(arrived))):
                return arrived.at - written

    def edits(self, client: Client, name: str) -> Spread:
        """A line is inserted again and again, in ten places: `didChange` → marks that moved."""
        path = self.path(name)
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        samples: list[float] = []
        places = EDITS // EDITS_PER_PLACE
        for edit in range(EDITS):
            place = (edit // EDITS_PER_PLACE) * len(lines) // (places + 1)
            lines.insert(place + edit % EDITS_PER_PLACE, "\n")
            version = 2 + edit
            sent = client.change(path, version, "".join(lines))
            samples.append(client.diagnostics(path, version=version).at - sent)
            time.sleep(BETWEEN_EDITS)
        return Spread(tuple(samples))

    def hovers(self, client: Client, name: str) -> Spread:
        """Hover over lines that tests reach, spread over the file → the hover with its tests."""
        path = self.path(name)
        n_lines = len(path.read_text(encoding="utf-8").splitlines())
        samples: list[float] = []
        for line in range(1, n_lines, max(1, n_lines // (4 * HOVERS))):
            seconds, result = hover(client, path, line)
            if result is not None and "::test_" in str(result["contents"]):
                samples.append(seconds)
        assert samples, "no line of the file shows tests"
        return Spread(tuple(samples))

    def memory(self) -> Memory:
        """What a server needs with ten files open, nothing having been cached before."""
        shutil.rmtree(self.cache, ignore_errors=True)
        with self.start() as client:
            watch = MemoryWatch(client.process.pid)
            client.initialize()
            for name in (LARGEST, MEDIAN, *OTHERS):
                self.open(client, name)
            self.rest(client)
            self.edits(client, LARGEST)
            hover(client, self.path(LARGEST), 500)
            pid = client.process.pid
            return Memory(memory_of(pid), memory_of_tree(pid), watch.stop())

    def path(self, name: str) -> Path:
        return self.case.folder / name

    def some_diagnostics(self, client: Client, path: Path) -> Arrived:
        """The next diagnostics of a file that are not empty, as they are before data is read."""
        while not published(arrived := client.diagnostics(path)):
            pass
        return arrived

    def first_uncovered(self, client: Client, path: Path) -> int:
        """The first line (from 1) in which an uncovered block of a file begins."""
        client.close(path)
        client.open(path, path.read_text(encoding="utf-8"))
        found = uncovered(published(self.some_diagnostics(client, path)))
        return min(map(first_line, found))


def hover(client: Client, path: Path, line: int) -> tuple[float, Mapping[str, Any] | None]:
    """Hover over the beginning of a line (from 1): seconds, and the result."""
    position = {"line": line - 1, "character": 0}
    return client.request(
        "textDocument/hover", {"textDocument": {"uri": path.as_uri()}, "position": position}
    )


def published(arrived: Arrived) -> Diagnostics:
    """The diagnostics that a notification publishes."""
    found: Diagnostics = arrived.body["params"]["diagnostics"]
    return found


def uncovered(diagnostics: Diagnostics) -> Diagnostics:
    """Those that say that a block of lines is uncovered."""
    return [d for d in diagnostics if d.get("code") == "uncovered"]


def first_line(diagnostic: Mapping[str, Any]) -> int:
    """The first line of a diagnostic, from 1."""
    line: int = diagnostic["range"]["start"]["line"]
    return line + 1
