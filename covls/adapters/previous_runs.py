"""What the runs before the one on show covered, and what of it was lost."""

import contextlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

from covls.adapters.ledger import Ledger, Record, data_identity
from covls.adapters.local_files import local_python_files
from covls.adapters.run_store import LineTests, Packed, RanFile, Run, RunStore, pack
from covls.adapters.snapshot import Snapshot
from covls.adapters.source import Unreadable, read_source, source_text
from covls.core.analysis import Analysis
from covls.core.coverage import FileCoverage, cover
from covls.core.detail import Detail, some_tests_by_line
from covls.core.drift import drift
from covls.core.lines import Arc, LineRange, split_lines
from covls.core.lost import (
    NOTHING_LOST,
    Loss,
    Losses,
    Written,
    left_out_file,
    left_out_test,
    lost,
    says_skip,
)
from covls.core.statements import Text
from covls.core.test_names import find_definition, named_in, places_of, without_parameters

DAYS_LOST = 14
"""Days after which a loss is taken for accepted, unless no run came after it."""

SECONDS_FOR_THE_LAST = 1.0
"""How long the record of the run that was on show before is waited for."""

TESTS_LOOKED_FOR = 20
"""Tests of the run on show of which one must be found for others to be missed, at most."""

Analyse = Callable[[bytes], Analysis | None]
"""What could run in a source; None where it cannot be analysed."""


class PreviousRuns:
    """The runs before the one that wrote a snapshot. Thread-safe; all is looked up when asked for.

    `located` are local files by measured path. `unfinished` says that the run is known to have
    ended early. `recorder` is the thread that may still be keeping what was on show before.
    `detail` is what each test ran in it, where covls ran them; it is read piece by piece, and
    `detail_holds` says whether that is still of this run.
    """

    def __init__(
        self,
        root: Path,
        snapshot: Snapshot,
        store: RunStore,
        ledger: Ledger,
        located: Mapping[str, str],
        *,
        unfinished: bool = False,
        recorder: threading.Thread | None = None,
        detail: Detail | None = None,
        detail_holds: Callable[[], bool] = lambda: True,
    ) -> None:
        self._snapshot = snapshot
        self._sources = _Sources(root, located)
        self._store = store
        self._ledger = ledger
        self._unfinished = unfinished
        self._recorder = recorder
        self._detail = detail
        self._detail_holds = detail_holds
        self._data = data_identity(snapshot.fingerprint)
        self._at = max(stamp.mtime_ns for stamp in snapshot.fingerprint.files) / 1e9
        self._lock = threading.Lock()
        self._compared: Sequence[tuple[Run, bool]] | None = None

    def losses(self, measured_path: str, now: FileCoverage, text: Text, analyse: Analyse) -> Losses:
        """What the runs before covered of a file, and this one does not.

        `now` is its coverage, `text` the source that was measured. Empty for a partial run.
        """
        if not now.missing and not now.missing_branches:
            return NOTHING_LOST
        lines: dict[int, Loss] = {}
        branches: dict[Arc, Loss] = {}
        done: set[bytes] = set()
        for run, last in self._comparable():
            found = self._store.file(run, measured_path)
            if found is None or found[0] in done:
                continue
            done.add(found[0])
            before = found[1]
            content = self._ledger.content(before.source) if before.source else None
            analysis = analyse(content) if content is not None else None
            if content is None or analysis is None:
                continue
            was = Text(split_lines(source_text(content)), python=text.python)
            covered = cover(analysis, before.measured)
            lost_lines, lost_branches = lost(covered, now, drift(was, text))
            when = datetime.fromtimestamp(run.at).astimezone()
            loss = Loss((), run.at, f"{when:%Y-%m-%d %H:%M}", last)
            for line, source in lost_lines.items():
                if line not in lines:
                    end = analysis.last_line(source)
                    lines[line] = replace(loss, tests=_tests_at(before.tests, source, end))
            for arc in lost_branches:
                branches.setdefault(arc, loss)
        return Losses(lines, branches) if lines or branches else NOTHING_LOST

    def record(self, sources: Record, stopped: Callable[[], bool]) -> None:
        """Put the run on record, with the `sources` that it measured; all of it, or nothing.

        `stopped` is asked between files, and ends it.
        """
        if any(run.data == self._data for run in self._runs):
            return
        snapshot, detail = self._snapshot, self._detail
        files: dict[str, Packed] = {}
        named: dict[tuple[str, ...], tuple[str, ...]] = {}
        of_detail: dict[str, LineTests | None] = {}
        for path in snapshot.paths if detail is not None else ():
            if stopped():
                return
            file = detail.files.get(path) if detail is not None else None
            if file is not None:
                of_detail[path] = line_tests(some_tests_by_line(file), named)
        if not self._detail_holds():
            of_detail.clear()
        for path, measured in snapshot.all_measured():
            if stopped():
                return
            entry = sources.get(path)
            tests = of_detail.get(path)
            if tests is None and measured.lines and snapshot.has_contexts:
                tests = line_tests(snapshot.some_contexts_by_line(path), named)
            files[path] = pack(RanFile(entry.hash if entry else None, measured, tests))
        partial = self._unfinished or any(
            self._left_out(run) for run in self._before if not run.partial
        )
        self._store.keep(
            snapshot.data_file,
            self._data,
            self._at,
            self._tests,
            files,
            partial=partial,
            unfinished=self._unfinished,
        )

    def _comparable(self) -> Sequence[tuple[Run, bool]]:
        """The runs that this one can have lost against, and whether each is the last one."""
        with self._lock:
            if self._compared is None:
                own = next((run for run in self._runs if run.data == self._data), None)
                unfinished = self._unfinished or (own is not None and own.unfinished)
                since = own.since if own is not None else self._at
                oldest = self._at - DAYS_LOST * 24 * 60 * 60
                self._compared = [
                    (run, number == 0 and since >= self._at)
                    for number, run in enumerate(self._before)
                    if not unfinished
                    and (number == 0 or run.at >= oldest)
                    and not self._left_out(run)
                ]
            return self._compared

    @cached_property
    def _runs(self) -> Sequence[Run]:
        if self._recorder is not None:
            self._recorder.join(SECONDS_FOR_THE_LAST)
        return self._store.runs(self._snapshot.data_file)

    @property
    def _before(self) -> Sequence[Run]:
        """The runs before, the newest first, without those that are known to have ended early."""
        return [
            run
            for run in self._runs
            if run.data != self._data and run.at <= self._at and not run.unfinished
        ]

    def _left_out(self, run: Run) -> str | None:
        """What shows that this run was partial, set against another; None where nothing does."""
        if run.tests and self._tests and self._sources.found(self._tests):
            return left_out_test(
                run.tests, self._tests, lambda test: self._sources.test(test, run.at)
            )
        return left_out_file(
            self._store.lines(run), self._line_counts, lambda path: self._sources.file(path, run.at)
        )

    @cached_property
    def _tests(self) -> frozenset[str]:
        """The functions that are tests: those that ran, or those that contexts name."""
        detail = self._detail
        tests = named_in(self._snapshot.contexts) if detail is None else tuple(detail.tests)
        return frozenset(without_parameters(test) for test in tests if places_of(test))

    @cached_property
    def _line_counts(self) -> dict[str, int]:
        return {path: len(measured.lines) for path, measured in self._snapshot.all_measured()}


class _Sources:
    """What is written on disk, of files and of tests, each file looked at once."""

    def __init__(self, root: Path, located: Mapping[str, str]) -> None:
        self._root = root
        self._located = located
        self._read: dict[Path, tuple[Sequence[str], float] | None] = {}

    def file(self, measured_path: str, at: float) -> Written:
        """What became of a measured file since a time (seconds since the epoch)."""
        path = Path(self._located.get(measured_path) or self._root / measured_path)
        try:
            modified = path.stat().st_mtime
        except OSError:
            return Written.GONE
        return Written.EDITED if modified > at else Written.THERE

    def test(self, test: str, at: float) -> Written:
        """What became of a test since a time (seconds since the epoch)."""
        state = Written.GONE
        for path, steps in self._places(test):
            found = self._lines(path)
            if found is None:
                continue
            lines, modified = found
            line = find_definition(lines, steps)
            if line is not None and says_skip(lines, line):
                return Written.SKIPPED
            if line is not None:
                return Written.EDITED if modified > at else Written.THERE
            if modified <= at:
                # Nobody took it away: its class inherits it, or it is no function.
                state = Written.THERE
        return state

    def found(self, tests: Iterable[str]) -> bool:
        """Whether tests that were run are where their names say; looks at some of them."""
        some = sorted(tests)[:TESTS_LOOKED_FOR]
        return any(self._lines(path) for test in some for path, _ in self._places(test))

    def _places(self, test: str) -> Iterator[tuple[Path, Sequence[str]]]:
        for file, steps in places_of(test):
            path = self._root / file
            if self._lines(path) is None:
                # The folder of the tests may be one from which modules are imported.
                named = [found for found in self._named(path.name) if found.endswith(f"/{file}")]
                if len(named) != 1:
                    continue
                path = Path(named[0])
            yield path, steps

    def _lines(self, path: Path) -> tuple[Sequence[str], float] | None:
        if path not in self._read:
            self._read[path] = None
            source = read_source(path)
            if not isinstance(source, Unreadable):
                with contextlib.suppress(OSError):
                    modified = path.stat().st_mtime
                    self._read[path] = split_lines(source_text(source)), modified
        return self._read[path]

    def _named(self, name: str) -> Sequence[str]:
        return self._by_name.get(name, ())

    @cached_property
    def _by_name(self) -> Mapping[str, Sequence[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for path in local_python_files(self._root):
            found[Path(path).name].append(Path(path).as_posix())
        return found


def line_tests(
    contexts: Mapping[int, tuple[str, ...]], named: dict[tuple[str, ...], tuple[str, ...]]
) -> LineTests | None:
    """The tests of each line, from its contexts; `named` keeps what contexts name, between files.

    None where there are none.
    """
    places: dict[str, int] = {}
    ranges: list[tuple[LineRange, tuple[int, ...]]] = []
    for line, reached in sorted(contexts.items()):
        tests = named.get(reached)
        if tests is None:
            # Of one function's cases, one tells as much as two.
            cases = {without_parameters(test): test for test in reversed(named_in(reached))}
            tests = named[reached] = tuple(reversed(cases.values()))
        found = tuple(places.setdefault(test, len(places)) for test in tests)
        if ranges and ranges[-1][1] == found and ranges[-1][0][1] == line - 1:
            ranges[-1] = (ranges[-1][0][0], line), found
        elif found:
            ranges.append(((line, line), found))
    return LineTests(tuple(places), tuple(ranges)) if ranges else None


def _tests_at(tests: LineTests | None, first: int, last: int) -> tuple[str, ...]:
    return tests.at(first, last) if tests is not None else ()
