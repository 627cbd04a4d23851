"""One root: its data, configuration and sources, as views that server and command line share."""

import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from covls.adapters.analysis_cache import AnalysisCache
from covls.adapters.analyst import AnalystError, Analysts, Rules
from covls.adapters.configuration import (
    CoverageConfiguration,
    after_plugins,
    read_configuration,
    report_matcher,
)
from covls.adapters.data_file import (
    DataFileError,
    DataFileProblem,
    Fingerprint,
    Snapshot,
    fingerprint,
    read_snapshot,
)
from covls.adapters.git import Git
from covls.adapters.html_report import HtmlReport, HtmlReportError, write_html_report
from covls.adapters.interpreter import find_interpreter
from covls.adapters.ledger import Ledger, data_identity
from covls.adapters.local_files import local_python_files
from covls.adapters.measured_sources import MeasuredSources
from covls.adapters.merge_base import Base, MergeBase, NoText
from covls.adapters.previous_runs import PreviousRuns
from covls.adapters.run_store import RunStore
from covls.adapters.runs import RunFinder
from covls.adapters.source import Unreadable, read_source, source_text
from covls.adapters.test_detail import DetailStore
from covls.adapters.test_framework import find_framework
from covls.adapters.test_place import TestPlace, find_test_place
from covls.core.analysis import Analysis, NotAnalysed
from covls.core.arrival import MOVING, Digest, Hold, Run, Waiting, decide, decide_unread
from covls.core.changed_lines import changed_lines
from covls.core.coverage import FileCoverage, Measured, Totals, cover
from covls.core.detail import Detail
from covls.core.drift import LineMap, drift
from covls.core.exclusion import PRAGMA, Exclusion, exclusion_at, pragma_of
from covls.core.explain import Explanation, regions_around
from covls.core.lines import ranges, split_lines
from covls.core.lost import NOTHING_LOST, Losses
from covls.core.marks import Freshness, Mark, Marking, missing_blocks, missing_near
from covls.core.patch import FilePatch, PatchTotals, file_patch, inside
from covls.core.paths import Located, locate
from covls.core.placed_regions import PlacedRegion, placed_regions
from covls.core.plausible import lines_can_run
from covls.core.reached import Reached, reached
from covls.core.settings import Problem, Settings
from covls.core.skeleton import Skeleton, target_at, write_test
from covls.core.statements import Text
from covls.core.test_names import named_in

LOOK_AGAIN = 1.0
"""Seconds until data that could not be read is tried again, where that may pass by itself."""

_NOTHING_THERE = (DataFileProblem.MISSING, DataFileProblem.EMPTY)

SECONDS_TO_RECORD = 2.0
"""How long closing waits for sources that are being kept; what is not done then is left out."""

NOTHING_LOCATED = Located({}, {}, {}, ())

MB_OF_RUNS = 64
"""Megabytes that what past runs ran may take, of all roots."""

FILES_KEPT = 64
"""Files whose coverage is kept at hand: what a person has open, and some more."""


class State(StrEnum):
    """What a root's data is worth at the moment."""

    OK = "ok"
    NO_DATA = "noData"
    RUNNING = "running"
    STALE = "stale"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Status:
    """A root's state, with one sentence for people where there is something to say."""

    state: State
    message: str = ""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a look at the data brought: something new to show, and when to look again (seconds)."""

    changed: bool
    again_in: float | None = None


@dataclass(frozen=True, slots=True)
class FileView:
    """One file as an editor shows it. Its marks are on lines of the text that was asked about,
    its coverage is that of the text that was measured.
    """

    path: Path
    measured_path: str
    freshness: Freshness
    coverage: FileCoverage
    all_marks: tuple[Mark, ...]
    line_map: LineMap
    """From lines of the measured text to those of the text that was asked about."""
    data: Fingerprint
    """Which state of the data the coverage is of."""
    origin: str = ""
    """Where the measured text is from, for people; empty where it is the file's on disk."""
    patch: FilePatch | None = None
    """What was changed since the base; None where that was not asked for or is not known."""
    only_patch: bool = False
    """Whether nothing but the patch is to be shown."""

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The marks to show."""
        return self.patch.marks if self.only_patch and self.patch else self.all_marks

    @property
    def missing(self) -> list[Mark]:
        """The missing marks to show, those as one that coverage.py would write as one."""
        found = missing_blocks(self.all_marks)
        return inside(found, self.patch.lines) if self.only_patch and self.patch else found

    def shown_regions(self) -> tuple[PlacedRegion, ...]:
        """The functions and classes to tell of: in the scope "patch", those that it touches."""
        patch = self.patch if self.only_patch else None
        return tuple(
            region
            for region in self.regions()
            if patch is None or patch.touches(region.start, region.end)
        )

    def regions(self) -> tuple[PlacedRegion, ...]:
        """The functions and classes of the text that was asked about, by line."""
        verified = self.freshness is not Freshness.UNVERIFIED
        return placed_regions(self.coverage, self.all_marks, self.line_map, verified=verified)


@dataclass(frozen=True, slots=True)
class NewTest:
    """The skeleton of a test for a function, and the text of the file that it goes into."""

    function: str
    place: TestPlace
    existing: str
    skeleton: Skeleton


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A measured file that is in the report, before it is analysed."""

    path: Path
    name: str
    """The path as coverage.py's reports write it: relative to the root where it is below it."""
    measured_path: str


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file's coverage as coverage.py would count it now, with the source that is on disk."""

    file: ReportFile
    coverage: FileCoverage
    freshness: Freshness


@dataclass(frozen=True, slots=True)
class PatchFile:
    """A file that the patch changes, with the coverage of what it changes."""

    file: ReportFile
    patch: FilePatch


@dataclass(frozen=True, slots=True)
class Patch:
    """All that was changed since the base, with its coverage."""

    base: Base
    files: tuple[PatchFile, ...]
    unknown: tuple[ReportFile, ...] = ()
    """Files that are changed, but it is not known where, or what of them is covered."""

    @property
    def totals(self) -> PatchTotals:
        """The figures of all files."""
        return sum((file.patch.totals for file in self.files), PatchTotals())


@dataclass(frozen=True)
class _MeasuredFile:
    """What is known of one file under one snapshot: its coverage, and the text it is true of."""

    measured_path: str
    coverage: FileCoverage
    ran: frozenset[int]
    """Its executed lines, as the data have them."""
    text: Text
    verified: bool
    stamp: tuple[int, int] | None
    """Time of change and size of the file on disk, None where it has another text."""
    data: Fingerprint
    origin: str = ""
    """Where the text is from where it is not the one on disk."""
    losses: Losses = NOTHING_LOST
    """What the runs before covered of it, and this one does not."""

    @cached_property
    def marking(self) -> Marking:
        """Its marks on one text after another."""
        return Marking(self.coverage, verified=self.verified, losses=self.losses)


class Project:
    """The coverage of one root. Safe to use from several threads; nothing here is awaited.

    `trusted` is true where the project's interpreter and coverage plugins may run. Where it is
    false or not said (None), nothing of the workspace runs.
    """

    def __init__(self, root: Path, settings: Settings, *, trusted: bool | None = None) -> None:
        self.root = Path(os.path.realpath(root))
        self.trusted = trusted
        self._lock = threading.RLock()
        self._refreshing = threading.RLock()
        self._snapshot: Snapshot | None = None
        self._detail: Detail | None = None
        """What each test ran, where covls's own run wrote the data on show."""
        self._sources: MeasuredSources | None = None
        self._previous: PreviousRuns | None = None
        self._located = NOTHING_LOCATED
        self._measured_paths: dict[Path, str] = {}
        self._files: OrderedDict[Path, _MeasuredFile] = OrderedDict()
        self._reached: OrderedDict[Path, Reached] = OrderedDict()
        self._reading_tests = threading.Lock()
        self._compared: tuple[Snapshot | None, dict[str, Measured]] = None, {}
        self._failures: dict[Path, str] = {}
        self._status = Status(State.NO_DATA)
        self._held: Snapshot | None = None
        """Data that was read and not shown yet, as its run has not ended."""
        self._waiting = False
        self._seen: Fingerprint | None = None
        self._changed_at = 0.0
        self._written_at_most = float("inf")
        self._patch_files: dict[Path, tuple[object, FilePatch | None]] = {}
        """The changed files by what their patch was made from."""
        self._runs = RunFinder(self.root)
        self._analysts: Analysts | None = None
        self.configure(settings)

    # Configuration

    def configure(self, settings: Settings) -> None:
        """Read the configuration anew and take over settings; the data is looked at afresh."""
        configuration = read_configuration(self.root)
        analysts = self._make_analysts(configuration, settings)
        if self.trusted and (analysts.plugins or not analysts.own):
            configuration, analysts = self._in_their_words(configuration, settings, analysts)
        if settings.data_file:
            configuration = replace(configuration, data_file=self.root / settings.data_file)
        with self._lock:
            self.settings = settings
            self._merge_base = MergeBase(self.root, settings.editor.base)
            self._patch_files.clear()
            self.configuration = configuration
            self._seen = None
            self._files.clear()
            before, self._analysts = self._analysts, analysts
        if before is not None:
            before.close()

    def _make_analysts(
        self, configuration: CoverageConfiguration, settings: Settings, *, own: bool = False
    ) -> Analysts:
        """Workers in the project's interpreter, if it may be used and has coverage.py, else (and
        with `own`) in covls's own.
        """
        python = None
        if self.trusted and not own:
            found = find_interpreter(self.root, settings.python)
            if found is not None and found.coverage_version and not _is_ours(found.python):
                python = str(found.python)
        return Analysts(
            self.root,
            Rules(exclude=configuration.exclude, partial=configuration.partial),
            python=python,
            plugins=bool(self.trusted) and (python is not None or bool(configuration.plugins)),
            cache=AnalysisCache(max_mb=settings.cache.max_mb),
        )

    def _in_their_words(
        self, configuration: CoverageConfiguration, settings: Settings, analysts: Analysts
    ) -> tuple[CoverageConfiguration, Analysts]:
        """The configuration as the project's own coverage.py and plugins have it.

        Its version has other defaults than ours, and plugins may add exclusions.
        """
        try:
            configuration = after_plugins(configuration, analysts.settings())
        except AnalystError as error:
            problem = Problem(
                str(configuration.file or self.root),
                f"{error}; without its plugins, coverage is shown by covls's own coverage.py. "
                "Install what is missing in the project's environment (`covls doctor` names it)",
            )
            configuration = replace(configuration, problems=(*configuration.problems, problem))
            analysts.close()
            return configuration, self._make_analysts(configuration, settings, own=True)
        if analysts.rules != Rules(exclude=configuration.exclude, partial=configuration.partial):
            analysts.close()
            analysts = self._make_analysts(configuration, settings)
        return configuration, analysts

    @property
    def analysts(self) -> Analysts:
        """The workers that analyse this root's sources."""
        assert self._analysts is not None, "made by configure()"
        return self._analysts

    @property
    def snapshot(self) -> Snapshot | None:
        """The data on show, None before any was read."""
        return self._snapshot

    @property
    def tells_tests(self) -> bool:
        """Whether it is known which test ran what of the data on show."""
        snapshot = self._snapshot
        return self._detail is not None or (snapshot is not None and snapshot.has_contexts)

    @property
    def located(self) -> Located:
        """Where the measured files are on this machine."""
        return self._located

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with configuration and data, one clear line each."""
        found = list(self.configuration.problems)
        with self._lock:
            snapshot = self._snapshot
            if snapshot is not None:
                found += [Problem(str(snapshot.data_file), text) for text in snapshot.problems]
            found += [Problem(str(path), text) for path, text in self._failures.items()]
            if self._sources is not None and self._sources.problem:
                found.append(Problem(str(self.root), self._sources.problem))
        return tuple(found)

    def status(self) -> Status:
        """What the data on show is worth."""
        return self._status

    # Data

    def load(self) -> None:
        """Show the data as it is now, for one look at it: nothing was on show that could flicker.

        If a test run is under way, the data may be part of what it will be; the status says so.
        """
        with self._refreshing:
            candidate, failure = self._read()
            if candidate is None:
                there = failure is not None and failure.kind not in _NOTHING_THERE
                self._settle(Status(State.ERROR if there else State.NO_DATA, str(failure)), None)
                return
            self._show(candidate)
            if self._runs.look(self.configuration.data_file).alive:
                message = "A test run is under way; its data may not be complete yet."
                self._settle(Status(State.RUNNING, message), None)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Have nobody look at the data while a run of covls's own writes them and takes them over:
        they would be taken for another's.
        """
        with self._refreshing:
            yield

    def take_over(self) -> None:
        """Show the data that a run of covls's own has just written: they are whole."""
        with self._refreshing:
            candidate, failure = self._read()
            if candidate is None:
                self._settle(Status(State.ERROR, str(failure)), None)
                return
            self._seen = candidate.fingerprint
            self._written_at_most = float("inf")
            self._show(candidate)
            self._record()

    def refresh(self, on_screen: Iterable[Path] = ()) -> Refreshed:
        """Look at the data file, and show what is new unless a test run is in the middle of it.

        `on_screen` are the files that must not flicker: data in which lines of theirs got lost
        is held back until the run that writes it has ended.
        """
        with self._refreshing:
            return self._refresh(tuple(on_screen))

    def _refresh(self, on_screen: Sequence[Path]) -> Refreshed:
        seen = fingerprint(self.configuration.data_file)
        unsettled = self._waiting or self._status.state is State.ERROR
        if seen == self._seen and not unsettled:
            return Refreshed(False)
        now = time.monotonic()
        if seen != self._seen:
            self._note_change(seen, now)
        self._seen = seen
        quiet = now - self._changed_at
        run = self._runs.look(self.configuration.data_file)
        shown = self._snapshot
        if shown is not None and seen == shown.fingerprint:
            self._held = None
            return self._settle(Status(State.OK), None)
        if hold := decide_unread(run, quiet):
            return self._hold(hold, run)
        candidate, failure = self._read(seen)
        if failure is not None and failure.kind not in _NOTHING_THERE:
            if run.alive:
                return self._hold(Hold(Waiting.RUNNING, LOOK_AGAIN), run)
            again = LOOK_AGAIN if failure.kind is DataFileProblem.BUSY else None
            return self._settle(Status(State.ERROR, str(failure)), again)
        decision = decide(
            None if shown is None else self._digest(shown, on_screen),
            None if candidate is None else self._digest(candidate, on_screen),
            run,
            quiet,
            self.settings.watch.settle,
        )
        if isinstance(decision, Hold):
            self._held = candidate
            return self._hold(decision, run, str(failure or ""))
        assert candidate is not None, "only data that was read is shown"
        self._show(candidate, unfinished=decision.unfinished)
        self._record()
        return Refreshed(True)

    def _read(
        self, seen: Fingerprint | None = None
    ) -> tuple[Snapshot | None, DataFileError | None]:
        """The data, or why there is none; what was `seen` and held back need not be read again."""
        if self._held is not None and self._held.fingerprint == seen:
            return self._held, None
        configuration = self.configuration
        try:
            snapshot = read_snapshot(
                configuration.data_file,
                root=self.root,
                paths=configuration.paths,
                relative_files=configuration.relative_files,
            )
        except DataFileError as error:
            return None, error
        return snapshot, None

    def _note_change(self, seen: Fingerprint, now: float) -> None:
        """Remember when the data last changed, and from when on sources may have been measured."""
        first_look = self._seen is None
        age = max(0.0, time.time() - max((f.mtime_ns for f in seen.files), default=0) / 1e9)
        # The clock of the file's time need not be ours, and a file that took the place of another
        # may be old: it tells no more than that the data do not move just now.
        self._changed_at = now - (age if first_look else min(age, MOVING))
        if not first_look and not self._waiting:
            # A source that is saved from here on, while the run goes on, is not surely the one
            # that the run imported.
            self._written_at_most = time.time()

    def _hold(self, decision: Hold, run: Run, nothing: str = "") -> Refreshed:
        """Keep what is on show. `nothing` says what is wrong where there is no data."""
        if decision.reason is Waiting.NO_DATA:
            return self._settle(Status(State.NO_DATA, nothing), decision.again_in)
        self._waiting = True
        if decision.reason is Waiting.SETTLING:
            # Most likely all is well in a moment, so nobody needs to be told.
            return Refreshed(False, decision.again_in)
        changed = self._status.state is not State.RUNNING
        message = f"{run.name or 'A test run'} is under way; coverage is that of the last run."
        self._status = Status(State.RUNNING, message)
        return Refreshed(changed, decision.again_in)

    def _settle(self, status: Status, again_in: float | None) -> Refreshed:
        self._waiting = again_in is not None
        changed, self._status = status != self._status, status
        return Refreshed(changed, again_in)

    def _show(self, snapshot: Snapshot, *, unfinished: bool = False) -> None:
        located = self._locate(snapshot)
        kept = self.settings.ledger
        ledger = Ledger(max_mb=kept.max_mb, max_days=kept.max_days)
        written_at = self._last_written(snapshot)
        sources = MeasuredSources(
            self.root, snapshot, ledger, Git(self.root), written_at=written_at
        )
        previous = PreviousRuns(
            self.root,
            snapshot,
            RunStore(max_mb=min(kept.max_mb, MB_OF_RUNS)),
            ledger,
            located.found,
            unfinished=unfinished,
            recorder=self._sources.recorder if self._sources is not None else None,
        )
        tests = DetailStore(self.root)
        about = tests.about()
        own = about is not None and about.data == data_identity(snapshot.fingerprint)
        with self._lock:
            # The snapshot before is not closed here: another thread may be reading it. It closes
            # itself when the last of them lets go.
            self._snapshot, self._located = snapshot, located
            self._detail = tests.detail() if own else None
            self._sources, self._previous = sources, previous
            self._measured_paths = {Path(local): name for name, local in located.found.items()}
            self._files.clear()
            self._reached.clear()
            self._failures.clear()
            self._held, self._waiting = None, False
            self._status = Status(State.OK)

    def _record(self) -> None:
        """Keep what the data on show measured, and the sources of it, in the background."""
        sources, previous = self._sources, self._previous
        assert sources is not None, "they came with what was just shown"
        assert previous is not None, "they came with what was just shown"
        files = {name: Path(local) for name, local in self._located.found.items()}
        sources.record(files, previous.record)

    def _digest(self, snapshot: Snapshot, on_screen: Sequence[Path]) -> Digest:
        lines: dict[str, frozenset[int]] = {}
        # What is compared now is viewed next, if it is shown.
        compared: dict[str, Measured] = {}
        for path in on_screen:
            known = self._files.get(path)
            if known is None or not known.verified or known.stamp != _stamp(path):
                continue  # Its text has changed, so its lines are expected to.
            if snapshot is self._snapshot:
                lines[known.measured_path] = known.ran
            elif known.measured_path in snapshot.paths:
                measured = compared[known.measured_path] = snapshot.measured(known.measured_path)
                lines[known.measured_path] = measured.lines
        if snapshot is not self._snapshot:
            self._compared = snapshot, compared
        return Digest(
            files=snapshot.paths,
            contexts=frozenset(snapshot.contexts),
            parts=sum(part.path != snapshot.data_file for part in snapshot.parts),
            lines=lines,
        )

    def _locate(self, snapshot: Snapshot) -> Located:
        """Find the measured files on this machine; content decides where names do not."""

        def plausible(measured_path: str, local: str) -> bool:
            known = self._analyse(Path(local), snapshot, measured_path)
            return not isinstance(known, str) and lines_can_run(known[0].analysis, known[2])

        here: dict[str, str] = {}
        foreign: list[str] = []
        folders: dict[str, str] = {}
        for measured_path in sorted(snapshot.paths):
            local = _real_path(str(self.root / measured_path), folders)
            if Path(local).exists():
                here[measured_path] = local
            else:
                foreign.append(measured_path)
        if not foreign:
            return replace(NOTHING_LOCATED, found=here)
        # Walking the whole root is only worth it where something has to be looked for.
        files = local_python_files(self.root)
        located = locate(foreign, str(self.root), files, plausible, taken=here.values())
        return replace(located, found={**here, **located.found})

    # One file

    def prepare(self, paths: Sequence[Path]) -> None:
        """Begin to analyse Python files that are about to be viewed; returns at once.

        What could run depends on no data, so that this can go on while the data are read.
        """

        def analyse() -> None:
            for path in paths:
                source = read_source(path)
                if path.suffix == ".py" and not isinstance(source, Unreadable):
                    self.analysts.analyse(path, source)

        if paths and fingerprint(self.configuration.data_file):
            threading.Thread(target=analyse, name="covls prepare", daemon=True).start()
        else:
            self.analysts.warm_up()

    def view(self, path: Path, text: str | None = None) -> FileView | None:
        """The coverage of a file on the lines of `text` (None: of the file on disk).

        None where the data has nothing on the file, or it cannot be read or analysed; `problems`
        tells of the latter.
        """
        path = Path(os.path.realpath(path))
        only_patch = self.settings.editor.scope == "patch"
        louder = self.settings.diagnostics.patch_severity is not None
        return self._view(path, text, with_patch=only_patch or louder, only_patch=only_patch)

    def _view(
        self, path: Path, text: str | None, *, with_patch: bool, only_patch: bool = False
    ) -> FileView | None:
        known = self._known(path)
        if known is None:
            return None
        if text is None:
            source = read_source(path)
            if isinstance(source, Unreadable):
                return None
            text = source_text(source)
        lines = split_lines(text)
        line_map = drift(known.text, Text(lines, python=known.text.python))
        found = known.marking.on(line_map)
        if not known.verified:
            freshness = Freshness.UNVERIFIED
        else:
            freshness = Freshness.EDITED if line_map.edited else Freshness.FRESH
        return FileView(
            path,
            known.measured_path,
            freshness,
            known.coverage,
            found,
            line_map,
            known.data,
            known.origin,
            self._file_patch(path, lines, known, line_map, found) if with_patch else None,
            only_patch,
        )

    def reached(self, view: FileView) -> Reached | None:
        """The tests that reach each line of a view's measured text; None where none were recorded,
        and where other data is on show by now.

        Read once for each state of the data, from the file's many rows: some tenths of a second
        where thousands of tests reach it.
        """
        with self._reading_tests:
            with self._lock:
                snapshot, known = self._snapshot, self._reached.get(view.path)
            if snapshot is None or not self.tells_tests or snapshot.fingerprint != view.data:
                return None
            if known is not None:
                return known
            known = self._reached_in(snapshot, view.measured_path)
            with self._lock:
                if self._snapshot is snapshot:
                    self._reached[view.path] = known
                    while len(self._reached) > FILES_KEPT:
                        self._reached.popitem(last=False)
            return known

    def has_read_tests(self, view: FileView) -> bool:
        """Whether `reached` has read the tests of a view's file, or has none to read."""
        with self._lock:
            return view.path in self._reached or not self.tells_tests

    def _file_patch(
        self,
        path: Path,
        lines: Sequence[str],
        known: _MeasuredFile,
        line_map: LineMap,
        found: Sequence[Mark],
    ) -> FilePatch | None:
        base = self._merge_base.text(path)
        if base is NoText.UNKNOWN:
            return None
        if base is NoText.IGNORED:
            return FilePatch()
        changes = changed_lines(base, lines)
        return file_patch(known.coverage, line_map, found, changes, verified=known.verified)

    def base(self) -> Base | str:
        """What patches are told against, or why that is nothing, for people."""
        return self._merge_base.base()

    def base_generation(self) -> int:
        """A number that grows when HEAD, a branch or the base may be others; asks git nothing."""
        return self._merge_base.generation()

    def patch(self, texts: Mapping[Path, str] | None = None) -> Patch | None:
        """The coverage of all that was changed since the base; None where no base is known.

        `texts` are those of files that have another one than on disk, by absolute path.
        """
        base = self._merge_base.base()
        snapshot = self._snapshot
        if isinstance(base, str) or snapshot is None:
            return None
        unsaved = {Path(os.path.realpath(path)): text for path, text in (texts or {}).items()}
        reported = {file.path: file for file in self.files_to_report()}
        on_disk = [path for path in reported if path not in unsaved]
        changed = {*self._merge_base.changed(on_disk), *unsaved}
        files: list[PatchFile] = []
        unknown: list[ReportFile] = []
        made: dict[Path, tuple[object, FilePatch | None]] = {}
        for path, file in reported.items():
            if path not in changed:
                continue
            text = unsaved.get(path)
            generation = self._merge_base.generation()
            made_from = snapshot.fingerprint, generation, _stamp(path), text
            kept = self._patch_files.get(path)
            if kept is None or kept[0] != made_from:
                view = self._view(path, text, with_patch=True)
                kept = made_from, view.patch if view is not None else None
            made[path] = kept
            if kept[1] is None:
                unknown.append(file)
            elif kept[1].lines:
                files.append(PatchFile(file, kept[1]))
        with self._lock:
            self._patch_files = made
        return Patch(base, tuple(files), tuple(unknown))

    def _reached_in(self, snapshot: Snapshot, measured_path: str) -> Reached:
        detail = self._detail
        if detail is None:
            return snapshot.reached(measured_path)
        file = detail.files.get(measured_path)
        if file is None:
            return Reached((), {})
        return reached((test, file.lines(bits)) for (test, _), bits in file.ran.items())

    def tests_of(self, path: Path) -> list[str]:
        """The tests that reach a file, sorted; empty where it is not known which."""
        path = Path(os.path.realpath(path))
        with self._lock:
            snapshot, measured_path = self._snapshot, self._measured_paths.get(path)
        if snapshot is None or measured_path is None or not self.tells_tests:
            return []
        if self._detail is not None:
            return sorted(self._detail.tests_in([measured_path]))
        return sorted(self._reached_in(snapshot, measured_path).tests)

    def tests_at(self, path: Path, first: int, last: int, text: str | None = None) -> list[str]:
        """The tests that reach lines `first` to `last` of `text`, sorted, as `tests_reaching`.

        None (of `text`) is the file on disk.
        """
        if not self.tells_tests:
            return []
        view = self._view(Path(os.path.realpath(path)), text, with_patch=False)
        return [] if view is None else self.tests_reaching(view, first, last)

    def tests_reaching(self, view: FileView, first: int, last: int) -> list[str]:
        """The tests that reach lines `first` to `last` of the text viewed, sorted.

        A line of a multi-line statement stands for the whole statement. Empty also where none
        were recorded, and where other data is on show by now.
        """
        with self._lock:
            snapshot, known = self._snapshot, self._reached.get(view.path)
        if snapshot is None or not self.tells_tests or snapshot.fingerprint != view.data:
            return []
        analysis = view.coverage.analysis
        wanted = view.line_map.measured(first, last)
        firsts = {analysis.first_line(line) for line in wanted}
        lines = [line for first in firsts for line in range(first, analysis.last_line(first) + 1)]
        if known is not None:
            return list(known.names(lines))
        if self._detail is not None:
            file = self._detail.files.get(view.measured_path)
            return [] if file is None else sorted({test for test, _ in file.reaching(lines)} - {""})
        contexts: set[str] = set()
        for start, end in ranges(lines):
            contexts.update(snapshot.contexts_at(view.measured_path, start, end))
        return sorted(named_in(contexts))

    def tests_of_what_begins(self, view: FileView, line: int) -> tuple[str, ...] | None:
        """The tests that reach the function or class that begins on a line of the text viewed.

        They run its own lines, and not only the `def`, as whoever imports it does. None where
        nothing begins there, or it is not known which tests do.
        """
        region = next((region for region in view.regions() if region.start == line), None)
        reached = self.reached(view)
        if region is None or region.measured is None or reached is None:
            return None
        return reached.names(region.measured.lines())

    def exclusion(self, view: FileView, text: str, first: int, last: int) -> Exclusion | str | None:
        """What excludes the uncovered block at lines `first` to `last` of the text viewed.

        Proved by analysing the text with it. A string says why an uncovered block has none; None
        stands where nothing is uncovered.
        """
        current = Text(split_lines(text), python=view.line_map.before.python)
        if not current.python or not missing_near(view.marks, first, last):
            return None
        before = self.analysts.analyse(view.path, text.encode(errors="replace"))
        if isinstance(before, NotAnalysed):
            return None
        comment = pragma_of(self.configuration.exclude)
        found = exclusion_at(current, before, view.all_marks, first, last, comment or PRAGMA)
        if found is None:
            return None
        if comment is None:
            file = self.configuration.file or self.root
            return f"no comment excludes lines here: the `exclude_lines` of {file} have no pragma"
        edited = "\n".join(found.applied(current.lines))
        after = self.analysts.analyse(view.path, edited.encode(errors="replace"))
        if isinstance(after, NotAnalysed) or not found.holds(before, after):
            return f"no comment excludes {found.what} and nothing else"
        return found

    def new_test(
        self, view: FileView, text: str, line: int, open_texts: Mapping[Path, str]
    ) -> NewTest | str | None:
        """The skeleton of a test for the uncovered function at a line of the text viewed.

        `open_texts` are what editors have of files in the place of what is on disk. A string says
        why there can be none; None stands where no function is uncovered.
        """
        target = target_at(text, view.marks, line)
        if target is None:
            return None
        place = find_test_place(find_framework(self.root, self.settings), view.path)
        if isinstance(place, str):
            return place
        existing = open_texts.get(place.file, "")
        if place.exists and place.file not in open_texts:
            source = read_source(place.file)
            if isinstance(source, Unreadable):
                return source.reason
            existing = source_text(source)
        skeleton = write_test(target, place.module, place.style, existing, place.package)
        if skeleton is None:
            return f"{place.file} does not parse as it is, and would have the test"
        return NewTest(target.name, place, existing, skeleton)

    def explanation(self, path: Path, line: int, text: str | None = None) -> Explanation | None:
        """All that is known of a line of `text` (None: of the file on disk), None where nothing is.

        None as `view` has it.
        """
        view, snapshot = self.view(path, text), self._snapshot
        if view is None or snapshot is None:
            return None
        mark = next((mark for mark in view.all_marks if mark.start <= line <= mark.end), None)
        name = self._name(str(view.path))
        tests = None
        if self.tells_tests and mark is not None and mark.is_told:
            tests = tuple(self.tests_reaching(view, line, line))
        return Explanation(
            name,
            line,
            mark,
            tests,
            self.tells_tests,
            _origin(view),
            regions_around(view.coverage, view.line_map, name, line),
            self.configuration.precision,
        )

    def forget(self, path: Path) -> None:
        """Drop what is kept for a file that is no longer on screen."""
        path = Path(os.path.realpath(path))
        with self._lock:
            self._files.pop(path, None)
            self._reached.pop(path, None)

    def _known(self, path: Path) -> _MeasuredFile | None:
        with self._lock:
            snapshot, sources, previous = self._snapshot, self._sources, self._previous
            measured_path = self._measured_paths.get(path)
            known = self._files.get(path)
        if snapshot is None or sources is None or previous is None or measured_path is None:
            return None
        stamp = _stamp(path)
        if known is not None and (known.verified or known.stamp == stamp):
            return known
        found = self._find(path, snapshot, sources, measured_path, stamp)
        if isinstance(found, str):
            self._fail(path, found)
            return None
        known = found
        if known.verified:
            analyse = self._analyser(path)
            losses = previous.losses(measured_path, known.coverage, known.text, analyse)
            known = replace(known, losses=losses)
        with self._lock:
            if self._snapshot is snapshot:
                self._failures.pop(path, None)
                self._files[path] = known
                self._files.move_to_end(path)
                while len(self._files) > FILES_KEPT:
                    self._files.popitem(last=False)
        return known

    def _find(
        self,
        path: Path,
        snapshot: Snapshot,
        sources: MeasuredSources,
        measured_path: str,
        stamp: tuple[int, int] | None,
    ) -> _MeasuredFile | str:
        """The measured text of a file and its coverage, or why there is none.

        The text is, in this order: what was recorded beside the data; the file on disk, where it
        was not modified since the data was written; what the ledger kept; what git has. Where
        there is none of these, what is on disk is shown unverified.
        """
        measured = self._measured(snapshot, measured_path)
        analyse = self._analyser(path)
        # Of a file that a plugin measured only the plugin knows what could run, and asks the disk.
        plain = not snapshot.tracer(measured_path)
        source = sources.beside(measured_path, measured, analyse) if plain else None
        disk: tuple[FileCoverage, bytes, Measured] | str | None = None
        if source is None and self._surely_measured(snapshot, stamp):
            disk = self._analyse(path, snapshot, measured_path, measured)
            if not isinstance(disk, str) and lines_can_run(disk[0].analysis, measured):
                text = Text(split_lines(source_text(disk[1])), python=plain)
                return _MeasuredFile(
                    measured_path, disk[0], measured.lines, text, True, stamp, snapshot.fingerprint
                )
        if source is None and plain:
            source = sources.elsewhere(path, measured_path, measured, analyse)
        if source is not None:
            on_disk = read_source(path) == source.content
            return _MeasuredFile(
                measured_path,
                cover(source.analysis, measured),
                measured.lines,
                Text(split_lines(source_text(source.content)), doubtful=source.doubtful),
                True,
                stamp if on_disk else None,
                snapshot.fingerprint,
                "" if on_disk else source.origin,
            )
        disk = disk or self._analyse(path, snapshot, measured_path, measured)
        if isinstance(disk, str):
            return disk
        text = Text(split_lines(source_text(disk[1])), python=plain)
        return _MeasuredFile(
            measured_path, disk[0], measured.lines, text, False, stamp, snapshot.fingerprint
        )

    def _measured(self, snapshot: Snapshot, measured_path: str) -> Measured:
        compared_with, compared = self._compared
        measured = compared.pop(measured_path, None) if compared_with is snapshot else None
        return snapshot.measured(measured_path) if measured is None else measured

    def _analyse(
        self,
        path: Path,
        snapshot: Snapshot,
        measured_path: str,
        measured: Measured | None = None,
    ) -> tuple[FileCoverage, bytes, Measured] | str:
        """One file's coverage with the source it was made from, or why there is none."""
        source = read_source(path)
        if isinstance(source, Unreadable):
            return source.reason
        tracer = snapshot.tracer(measured_path)
        if tracer and not self.analysts.plugins:
            return _plugin_not_loaded(path, tracer)
        analysis = self.analysts.analyse(path, source, tracer)
        if isinstance(analysis, NotAnalysed):
            return analysis.reason
        if measured is None:
            measured = self._measured(snapshot, measured_path)
        return cover(analysis, measured), source, measured

    def _analyser(self, path: Path) -> Callable[[bytes], Analysis | None]:
        """Says what could run in a source of this file, None where it cannot be analysed."""

        def analyse(source: bytes) -> Analysis | None:
            analysis = self.analysts.analyse(path, source)
            return None if isinstance(analysis, NotAnalysed) else analysis

        return analyse

    def _fail(self, path: Path, reason: str) -> None:
        with self._lock:
            self._failures[path] = reason

    def _surely_measured(self, snapshot: Snapshot, stamp: tuple[int, int] | None) -> bool:
        """Whether a file has not been modified since the data was written."""
        return stamp is not None and stamp[0] <= self._last_written(snapshot) * 1e9

    def _last_written(self, snapshot: Snapshot) -> float:
        """When the data was written, at the latest that a measured source may have been saved."""
        return min(snapshot.written_at, self._written_at_most)

    # All files

    def files_to_report(
        self, paths: Iterable[Path] = (), reported: Callable[[str], bool] | None = None
    ) -> list[ReportFile]:
        """The measured files that coverage.py's reports would show, in their order.

        `paths` are absolute files and folders to keep to; none: all. `reported` says of a path
        whether it is in the report, None: as the configuration has it. Measured files that are not
        on this machine are left out, and named in `located`.
        """
        snapshot, located = self._snapshot, self._located
        if snapshot is None:
            return []
        chosen = [os.path.realpath(path) for path in paths]
        reported = reported or report_matcher(self.configuration)
        files: list[tuple[str, ReportFile]] = []
        for measured_path, local in located.found.items():
            if not reported(local):
                continue
            if chosen and not any(local == c or local.startswith(c + os.sep) for c in chosen):
                continue
            relative = self.configuration.relative_files and not Path(measured_path).is_absolute()
            name = measured_path if relative else self._name(local)
            order = measured_path if relative else local
            files.append((order, ReportFile(Path(local), name, measured_path)))
        return [file for _, file in sorted(files, key=lambda item: item[0])]

    def coverages(
        self, files: Iterable[ReportFile], contexts: Sequence[str] = ()
    ) -> Iterator[FileReport]:
        """The coverage of each file, one at a time, so that memory stays bounded.

        `contexts` are regexes: only what ran in contexts that one of them finds counts. A file that
        cannot be analysed is left out, and `problems` says why.
        """
        snapshot, sources = self._snapshot, self._sources
        if snapshot is None or sources is None:
            return
        wanted: list[ReportFile] = []
        for file in files:
            tracer = snapshot.tracer(file.measured_path)
            if tracer and not self.analysts.plugins:
                self._fail(file.path, _plugin_not_loaded(file.path, tracer))
            else:
                wanted.append(file)
        items = ((file.path, snapshot.tracer(file.measured_path)) for file in wanted)
        found = self.analysts.analyse_many(items)
        ran = snapshot.measured_in_turn([file.measured_path for file in wanted], contexts)
        for file, (path, source, analysis), measured in zip(wanted, found, ran, strict=True):
            if isinstance(analysis, NotAnalysed):
                # As in coverage.py, something that does not look like Python need not parse.
                if path.suffix.startswith(".py") or not path.suffix:
                    self._fail(path, analysis.reason)
                continue
            coverage = cover(analysis, measured)
            unmodified = self._surely_measured(snapshot, _stamp(path))
            same = sources.agree(file.measured_path, source, unmodified=unmodified)
            fresh = same and lines_can_run(analysis, measured)
            yield FileReport(file, coverage, Freshness.FRESH if fresh else Freshness.UNVERIFIED)

    def measured_sources(self) -> Iterator[tuple[str, bytes | None]]:
        """The source of each measured Python file that is here, by measured path.

        None where it is not known surely enough to be told to others.
        """
        snapshot, sources = self._snapshot, self._sources
        if snapshot is None or sources is None:
            return
        for measured_path, local in self._located.found.items():
            if snapshot.tracer(measured_path):
                continue
            path, measured = Path(local), snapshot.measured(measured_path)
            if self._surely_measured(snapshot, _stamp(path)):
                # Who reads it looks at all that ran; here it need not be analysed for that.
                content = read_source(path)
                if not isinstance(content, Unreadable) and max(measured.lines, default=0) <= len(
                    split_lines(source_text(content))
                ):
                    yield measured_path, content
                    continue
            found = sources.elsewhere(path, measured_path, measured, self._analyser(path))
            yield measured_path, found.content if found and not found.doubtful else None

    def html_report(
        self,
        *,
        directory: Path | None = None,
        paths: Sequence[Path] = (),
        at: Path | None = None,
        report: Callable[[int, int], None],
        cancelled: threading.Event,
    ) -> HtmlReport | None:
        """Write coverage.py's HTML report, all of it or of some files and folders.

        See `write_html_report`, also for what it raises. Files that plugins measured are left out
        where these may not run.
        """
        analysts, snapshot = self.analysts, self._snapshot
        files = None
        barred = snapshot is not None and snapshot.has_tracers and not analysts.plugins
        if paths or barred:
            files = [
                file.path
                for file in self.files_to_report(paths)
                if analysts.plugins or snapshot is None or not snapshot.tracer(file.measured_path)
            ]
            if not files:
                raise HtmlReportError("there is nothing to report on")
        return write_html_report(
            self.root,
            self.configuration.data_file,
            python=analysts.python,
            plugins=analysts.plugins,
            directory=directory,
            files=files,
            at=None if at is None else Path(os.path.realpath(at)),
            report=report,
            cancelled=cancelled,
        )

    def totals(self) -> Totals:
        """The figures of the whole report."""
        total = Totals()
        for report in self.coverages(self.files_to_report()):
            total += report.coverage.totals
        return total

    def _name(self, local: str) -> str:
        prefix = str(self.root).rstrip(os.sep) + os.sep
        return local.removeprefix(prefix)

    def close(self) -> None:
        """End the workers and let go of the data."""
        if self._sources is not None:
            self._sources.finish(SECONDS_TO_RECORD)
        with self._lock:
            self.analysts.close()
            self._snapshot = self._sources = self._previous = None
            self._measured_paths = {}
            self._files.clear()
            self._reached.clear()


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _real_path(path: str, folders: dict[str, str]) -> str:
    """`os.path.realpath` for thousands of files of few folders, those done being in `folders`."""
    folder, separator, name = path.rpartition(os.sep)
    real = folders.get(folder)
    if real is None:
        real = folders[folder] = os.path.realpath(folder + separator)
    local = f"{real.rstrip(os.sep)}{os.sep}{name}"
    # A name that is a link, or none at all, is looked at in full.
    if not name or name == os.pardir or os.path.islink(local):  # noqa: PTH114
        return os.path.realpath(path)
    return local


def _is_ours(python: Path) -> bool:
    """Whether an interpreter is the one that runs here, its environment included."""
    return os.path.abspath(python) == os.path.abspath(sys.executable)  # noqa: PTH100  # no links


def _origin(view: FileView) -> str:
    """Where the measured text of a file is from, for people."""
    if view.freshness is Freshness.UNVERIFIED:
        return "not known; the file on disk was modified after the data was written"
    return view.origin or "the file on disk"


def _plugin_not_loaded(path: Path, tracer: str) -> str:
    return (
        f"{path} was measured by the coverage plugin {tracer}, which is not loaded because this "
        "workspace is not trusted"
    )
