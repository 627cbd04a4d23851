"""What a run's processes wrote down: which tests ran, how they ended, and what each ran.

Each process has journals of its own, of one JSON object a line. A process may be killed at any
moment, so that a journal may end within a line; what stands before it counts.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from covls.adapters.snapshot import Snapshot
from covls.core.detail import (
    PHASES,
    SCOPES,
    UNATTRIBUTED,
    UNMEASURED,
    Detail,
    FileDetail,
    Ran,
    TestRecord,
    bits_of,
)
from covls.core.detail import places as numbers_of
from covls.core.lines import Arc

UNSEEN = "keeps coverage.py from recording all that it runs"
"""Why a test has to run again always."""

_PHASES = frozenset(PHASES)
_ERRORS = (KeyError, TypeError, ValueError, IndexError, AttributeError)


@dataclass(frozen=True, slots=True)
class CollectionError:
    """A file whose tests could not be found, as where it cannot be imported."""

    path: str
    line: int | None
    message: str


@dataclass(frozen=True)
class RunRecords:
    """What a run wrote down.

    `detail` has the records of all tests that ended, and the rows of those that are `ended`.
    """

    detail: Detail
    ended: frozenset[str]
    """Tests whose rows are whole: they began and ended in one process."""
    interrupted: frozenset[str]
    """Tests that began, and whose end nobody saw who ran them."""
    collected: tuple[str, ...] | None
    """The tests that were to run, in their order; None where the run did not come so far."""
    errors: tuple[CollectionError, ...]
    finished: bool
    """Whether the run came to its end, and recorded all that ran."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """What the run said of itself, as `core`, `coverage`, `python`, `branch`."""
    notices: tuple[str, ...] = ()


def nothing_ran(has_arcs: bool) -> RunRecords:
    """What there is to say where nothing had to run."""
    nobody: frozenset[str] = frozenset()
    return RunRecords(Detail(has_arcs, {}), nobody, nobody, (), (), finished=True)


def read_run(
    folder: Path, *, at: float, data: Snapshot | None = None, has_arcs: bool = False
) -> RunRecords:
    """Read the journals in a folder. `at` is when the run ended, in seconds since the epoch.

    `data` is what coverage.py itself wrote: it names files of which nothing ran, and what ran in
    processes of which nothing else is known. `has_arcs` is for a run that tells nothing.
    """
    events = _Events()
    for path in sorted(folder.glob("events-*.jsonl")):
        events.read(path)
    ended = frozenset(events.ended)
    interrupted = frozenset(events.started - events.ended)
    rows = _Rows()
    for path in sorted(folder.glob("detail-*.jsonl")):
        rows.read(path)
    arcs = data.has_arcs if data is not None and data.paths else rows.has_arcs
    files = rows.files(bool(has_arcs if arcs is None else arcs))
    finished = events.finished and not interrupted
    if data is not None:
        files = _completed(files, data, explained=finished)
    chosen = {
        path: FileDetail(
            file.pairs,
            {who: bits for who, bits in file.ran.items() if not who[0] or who[0] in ended},
        )
        for path, file in files.items()
    }
    tests = {
        test: TestRecord(
            outcome, seconds, at, path, line, UNSEEN if test in events.incomplete else ""
        )
        for test, (outcome, seconds, path, line) in events.outcomes.items()
    }
    return RunRecords(
        Detail(bool(has_arcs if arcs is None else arcs), chosen, tests),
        ended,
        interrupted,
        tuple(dict.fromkeys(events.collected)) if events.was_collected else None,
        tuple(events.errors),
        finished,
        events.about,
        tuple(events.notices),
    )


def _completed(
    files: Mapping[str, FileDetail], data: Snapshot, *, explained: bool
) -> dict[str, FileDetail]:
    """Add the files that only the data names, and, where all else is known, what only it has."""
    found = dict(files)
    for path in data.paths:
        file = found.get(path) or FileDetail(() if data.has_arcs else None, {})
        found[path] = file
        if not explained:
            continue
        known = file.measured()
        measured = data.measured(path)
        if measured.arcs is None or file.pairs is None:
            rest = bits_of(measured.lines - known.lines)
            if rest:
                found[path] = FileDetail(None, {**file.ran, UNATTRIBUTED: rest})
            continue
        new = measured.arcs - (known.arcs or frozenset())
        if new:
            number = {arc: place for place, arc in enumerate(file.pairs)}
            rest = bits_of([number.setdefault(arc, len(number)) for arc in sorted(new)])
            found[path] = FileDetail(tuple(number), {**file.ran, UNATTRIBUTED: rest})
    return found


class _Events:
    """What the journals of events say, all together."""

    def __init__(self) -> None:
        self.collected: list[str] = []
        self.was_collected = False
        self.started: set[str] = set()
        self.ended: set[str] = set()
        self.outcomes: dict[str, tuple[str, float, str | None, int | None]] = {}
        self.incomplete: set[str] = set()
        self.errors: list[CollectionError] = []
        self.notices: list[str] = []
        self.about: dict[str, Any] = {}
        self._processes = 0
        self._ends = 0

    @property
    def finished(self) -> bool:
        """Whether each process came to its end, and recorded all that ran."""
        return 0 < self._processes == self._ends

    def read(self, path: Path) -> None:
        """Read the events of one process."""
        here: set[str] = set()
        self._processes += 1
        for event in _lines(path):
            try:
                self._take(event, here)
            except _ERRORS:
                continue

    def _take(self, event: Mapping[str, Any], here: set[str]) -> None:
        match event["event"]:
            case "collected":
                self.was_collected = True
                self.collected += map(str, event["tests"])
            case "started":
                here.add(str(event["test"]))
                self.started.add(str(event["test"]))
            case "finished":
                test = str(event["test"])
                if test in here:
                    self.ended.add(test)
                line = event.get("line")
                path = event.get("file")
                self.outcomes[test] = (
                    str(event["outcome"]),
                    float(event.get("seconds") or 0.0),
                    None if path is None else str(path),
                    int(line) if isinstance(line, int) else None,
                )
            case "collection-error":
                line = event.get("line")
                self.errors.append(
                    CollectionError(
                        str(event.get("file") or ""),
                        int(line) if isinstance(line, int) else None,
                        str(event.get("message") or ""),
                    )
                )
            case "notice":
                self.notices.append(str(event["message"]))
            case "begin" | "end":
                self.about.update(event)
                if event["event"] == "end":
                    self._ends += event.get("complete") is not False
                    self.incomplete.update(map(str, event.get("incomplete", ())))


class _Rows:
    """What ran, all processes together."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[Arc, int]] = {}
        self._ran: dict[str, dict[Ran, int]] = {}
        self.has_arcs: bool | None = None

    def read(self, path: Path) -> None:
        """Read what one process ran."""
        paths: dict[int, str] = {}
        places: dict[int, list[int]] = {}
        moved: set[int] = set()
        for line in _lines(path):
            try:
                self._take(line, paths, places, moved)
            except _ERRORS:
                continue

    def _take(
        self,
        line: Mapping[str, Any],
        paths: dict[int, str],
        places: dict[int, list[int]],
        moved: set[int],
    ) -> None:
        if "file" in line:
            paths[int(line["file"])] = str(line["path"])
        elif "lines" in line:
            self.has_arcs = False
        elif "pairs" in line:
            self.has_arcs = True
            number = int(line["pairs"])
            known = self._numbers.setdefault(paths[number], {})
            targets = places.setdefault(number, [])
            for start, end in line["add"]:
                place = known.setdefault((int(start), int(end)), len(known))
                if place != len(targets):
                    # Another process saw other arcs first, so that the bits stand otherwise there.
                    moved.add(number)
                targets.append(place)
        elif "ran" in line:
            who = (str(line["test"]), _phase(line))
            for name, bitset in line["ran"].items():
                path = paths[int(name)]
                bits = int.from_bytes(bytes.fromhex(bitset), "little")
                if int(name) in moved:
                    target = places[int(name)]
                    bits = bits_of([target[place] for place in numbers_of(bits)])
                rows = self._ran.setdefault(path, {})
                rows[who] = rows.get(who, 0) | bits

    def files(self, has_arcs: bool) -> dict[str, FileDetail]:
        """What ran in each file, by path."""
        return {
            path: FileDetail(
                tuple(self._numbers.get(path, ())) if has_arcs else None,
                {who: bits for who, bits in rows.items() if bits},
            )
            for path, rows in self._ran.items()
        }


def _phase(line: Mapping[str, Any]) -> str:
    phase = str(line["phase"])
    scope = str(line.get("scope") or "")
    if phase and scope in SCOPES:
        phase = f"{phase}@{scope}"
    if line.get("outside"):
        phase += UNMEASURED
    if phase not in _PHASES:
        raise ValueError(phase)
    return phase


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    """The objects in a journal; a line that was not written to its end is none."""
    try:
        with path.open("rb") as stream:
            for line in stream:
                try:
                    found = json.loads(line)
                except ValueError:
                    continue
                if isinstance(found, dict):
                    yield found
    except OSError:
        return
