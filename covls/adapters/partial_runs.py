"""What a run of tests changes: which to run, and their results put into data and detail.

This is where impact, splice, the kept detail and the data file come together: `look` before a run,
`select` what to run, and `take` what it brought.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from covls.adapters.data_file import fingerprint
from covls.adapters.data_writer import NotWrittenError, WrittenFile, write_data
from covls.adapters.ledger import content_hash, data_identity
from covls.adapters.project_files import (
    FileState,
    Versions,
    changes_since,
    import_graph,
    name_of,
    namer,
    project_files,
)
from covls.adapters.recorded_contexts import detail_of_contexts
from covls.adapters.run_records import RunRecords
from covls.adapters.snapshot import Fingerprint, Snapshot
from covls.adapters.source import Unreadable, read_source, source_text
from covls.adapters.test_detail import About, DetailStore
from covls.adapters.test_environment import changes_of_environment
from covls.core.coverage import Measured
from covls.core.detail import (
    OUTSIDE,
    UNATTRIBUTED,
    Detail,
    FileDetail,
    TestRecord,
    detail_of_arcs,
    detail_of_lines,
    places,
)
from covls.core.impact import Change, Selection, affected, holders
from covls.core.imports import ImportGraph, Imports
from covls.core.lines import Arc
from covls.core.outline import Edit, Outline, outline
from covls.core.splice import Imported, Lines, PartialRun, Spliced, splice
from covls.core.test_names import Place, places_of, ran_by

NEVER_RAN: Final = "has not run yet"
"""What is kept of a test file of which, since the first run of any tests, none or some ran."""


@dataclass(frozen=True)
class Before:
    """How things stand before a run: what is kept, and what changed since."""

    about: About | None
    detail: Detail | None
    files: Mapping[str, FileState]
    """The project's files, by their path from the root."""
    sources: Mapping[str, bytes]
    """Contents by hash, of those files that are to be kept."""
    changes: Mapping[str, Change]
    graph: ImportGraph
    environment: Mapping[str, str]
    data: Fingerprint
    refusal: str | None
    """Why nothing short of all tests will do, and nothing can be spliced."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a run made of the data: how the data file looks now, and whether its detail is kept."""

    data: Fingerprint
    kept: bool


class PartialRuns:
    """The runs of one root's tests. Not thread-safe: runs never overlap."""

    def __init__(
        self,
        root: Path,
        data_file: Path,
        store: DetailStore,
        *,
        cache: Path | None = None,
        is_test_file: Callable[[str], bool],
        unread: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.root = root
        self.data_file = data_file
        self.store = store
        self._cache = cache
        self._is_test_file = is_test_file
        self._unread = unread
        self._files: dict[str, FileState] = {}
        self._imports: dict[str, Imports | None] | None = None
        self._changes: dict[Versions, Change] = {}
        self._outlines: dict[str, Outline | None] = {}
        """By the hashes of contents."""

    def look(
        self, environment: Mapping[str, str], texts: Mapping[str, str] | None = None
    ) -> Before:
        """See how things stand. `environment` is what the tests depend on beside the project's
        files, a value by name; `texts` are unsaved texts of an editor, by path from the root.
        """
        about, detail = self.store.about(), self.store.detail()
        data = fingerprint(self.data_file)
        files = project_files(self.root, self._files, self.data_file, self._outside(detail))
        self._files = files
        there = {state.hash for state in files.values()}
        for digest in self._outlines.keys() - there:
            del self._outlines[digest]
        changes: Mapping[str, Change] = {}
        if about is not None and detail is not None:
            # Otherwise each file would be new, and be outlined, for all tests to run anyway.
            source, known = self.store.source, self._changes
            changes = changes_since(about.sources, files, source, self.root, texts, known)
        gone = [path for path, change in changes.items() if change.kind == "gone"]
        return Before(
            about,
            detail,
            files,
            self._contents(files, detail),
            changes,
            self._graph(files, gone),
            environment,
            data,
            _refusal(about, detail, data, environment),
        )

    def _graph(self, files: Mapping[str, FileState], gone: Collection[str]) -> ImportGraph:
        """The imports between the project's files, of which most were read before."""
        known = self.store.imports() if self._imports is None else self._imports
        used = dict(known)
        graph = import_graph(self.root, files, used, gone)
        if used.keys() != known.keys():
            self.store.keep_imports(used)
        self._imports = used
        return graph

    def _contents(self, files: Mapping[str, FileState], detail: Detail | None) -> dict[str, bytes]:
        """The texts by which the next edit will be judged, but those that are kept already."""
        kept = self.store.sources()
        measured = {} if detail is None else self._measured(detail)
        found = {}
        for path, state in files.items():
            if state.hash not in kept and (path.endswith((".py", ".pyw")) or path in measured):
                content = read_source(self.root / path)
                if not isinstance(content, Unreadable) and content_hash(content) == state.hash:
                    found[state.hash] = content
        return found

    def select(self, before: Before, tests_now: Collection[str] | None = None) -> Selection:
        """The tests that what changed may reach."""
        if before.refusal is not None or before.detail is None:
            return Selection({}, before.refusal or "no run of the tests was recorded")
        selection = self._select(before, tests_now)
        never = never_ran(before.detail)
        if not never or selection.everything is not None:
            return selection
        names = never[0] if len(never) == 1 else f"{never[0]} and {len(never) - 1} more"
        have = "has" if len(never) == 1 else "have"
        return replace(selection, everything=f"{names} {have} not run yet")

    def _select(self, before: Before, tests_now: Collection[str] | None = None) -> Selection:
        assert before.detail is not None, "something is recorded"
        scoped = all(record.outcome != "unknown" for record in before.detail.tests.values())
        return affected(
            before.detail,
            before.changes,
            before.graph,
            measured=self._measured(before.detail),
            is_test_file=self._is_test_file,
            scoped=scoped,
            tests_now=tests_now,
            unread=self._unread,
        )

    def _measured(self, detail: Detail) -> dict[str, str]:
        name_here = namer(self.root)
        return {name_here(self.root / path): path for path in detail.files}

    def adopt(
        self, snapshot: Snapshot, environment: Mapping[str, str], *, only_first_tests: bool = False
    ) -> bool:
        """Begin from data that another tool wrote: by its contexts, or as what some test ran.

        Its sources are those on disk that were not modified since; of the others it is not known
        what was measured. Returns whether that is kept.
        """
        # Where lines name their first test only, any other may run them as well.
        detail = None if only_first_tests else detail_of_contexts(snapshot)
        if detail is None:
            files = {path: _unattributed(snapshot.measured(path)) for path in snapshot.paths}
            detail = Detail(snapshot.has_arcs, files)
        files_now = project_files(self.root, self._files, self.data_file, self._outside(detail))
        written = snapshot.written_at * 1e9
        sources = {
            path: state.hash if state.stamp[0] <= written else ""
            for path, state in files_now.items()
        }
        about = About(data_identity(snapshot.fingerprint), detail.has_arcs, sources, environment)
        return self.store.write(detail, about, self._contents(files_now, detail))

    def take(
        self,
        before: Before,
        selection: Selection,
        records: RunRecords,
        run: Snapshot | None,
        *,
        old: Snapshot | None,
        asked: Collection[str] | None,
        collected_all: bool,
        began: float,
    ) -> Taken:
        """Put what a run brought into the data file and the kept detail.

        `run` is what coverage.py wrote in it, None where nothing had to run, and `old` what the
        data file held before; `asked` are the tests that it was to run, None for all;
        `collected_all` says that all test modules were imported; `began` is when it began, in
        seconds since the epoch. Raises NotWrittenError, and
        then has changed nothing.
        """
        about = self._about(before, records)
        # With `-x` a run ends in good order, and yet before its end.
        all_ended = records.detail.tests.keys() >= set(records.collected or ())
        whole = asked is None and records.finished and not records.errors and all_ended
        # What a plain program runs are no tests that could be told apart.
        told = bool(records.collected) or records.about.get("runner") == "script"
        if whole and told and run is not None:
            now = self._write_run(before, run, began)
            about = replace(about, data=data_identity(now))
            return Taken(now, self.store.write(records.detail, about, before.sources))
        if run is not None and not before.data:
            return self._begin(before, records, run, asked, about, began)
        if before.refusal is not None or before.detail is None or before.about is None:
            raise NotWrittenError(
                f"{self.data_file} is as it was, as the run did not come to its end, and what it "
                f"brought cannot be put into older data: {before.refusal}."
            )
        if records.detail.files and records.detail.has_arcs != before.detail.has_arcs:
            raise NotWrittenError(
                f"{self.data_file} is as it was: only one of it and this run was measured with "
                "branches. Run all tests."
            )
        if never_ran(before.detail):
            # That some have not run yet makes nothing outdated that others did.
            selection = self._select(before)
        gone = self._gone(before.detail, selection, records, asked)
        edits = self._edits(before)
        partial = PartialRun(
            records.detail,
            records.ended,
            frozenset(gone),
            complete=collected_all and records.collected is not None,
            names_files=run is not None and records.finished,
        )

        def outdated(test: str) -> str:
            if test in records.interrupted:
                return "was interrupted when it last ran"
            return next(iter(selection.reasons(test)), "")

        touched = self.store.files_of(records.ended | gone)
        spliced = splice(
            before.detail,
            partial,
            edits,
            self._outline,
            paths=None if collected_all else [*touched, *edits],
            imported=self._imported(before.detail, before.graph),
            outdated=outdated,
        )
        waiting = self._waiting(before, selection, records, asked, spliced.tests)
        spliced = replace(spliced, tests={**spliced.tests, **waiting})
        contexts = None
        if any(data is not None and data.has_contexts for data in (old, run)):
            contexts = self._contexts(before.detail, partial, edits, old, run)
        tracers: dict[str, str] = {}
        version = None
        for data in filter(None, (old, run)):
            tracers.update((path, data.tracer(path)) for path in data.paths)
            version = data.coverage_version
        files = (
            WrittenFile(
                path,
                _in_contexts(measured, None if contexts is None else contexts.get(path, {})),
                tracers.get(path, ""),
            )
            for path, measured in self._totals(spliced)
        )
        written = self._write(files, version, before, began, before.detail.has_arcs)
        about = replace(about, data=data_identity(written), has_arcs=before.detail.has_arcs)
        return Taken(written, self.store.splice(spliced, about, before.sources, onto=before.about))

    def _begin(
        self,
        before: Before,
        records: RunRecords,
        run: Snapshot,
        asked: Collection[str] | None,
        about: About,
        began: float,
    ) -> Taken:
        """Begin with what a part of the tests did; all will have to run before edits choose any."""
        if not records.ended:
            return self.replace(before, run, began)
        now = self._write_run(before, run, began)
        whole = set(asked or ()) if records.finished and not records.errors else set()
        never = {
            path: TestRecord("", outdated=NEVER_RAN)
            for path in before.files
            if path.endswith(".py") and self._is_test_file(path) and path not in whole
        }
        detail = replace(records.detail, tests={**records.detail.tests, **never})
        about = replace(about, data=data_identity(now))
        return Taken(now, self.store.write(detail, about, before.sources))

    def replace(self, before: Before, run: Snapshot, began: float) -> Taken:
        """Put what a run wrote in the place of the data, though it is not known what each test ran.

        As `take` otherwise.
        """
        written = self._write_run(before, run, began)
        self.store.forget()
        return Taken(written, kept=False)

    def _write_run(self, before: Before, run: Snapshot, began: float) -> Fingerprint:
        files = (
            WrittenFile(path, _by_context(run, path), run.tracer(path))
            for path in sorted(run.paths)
        )
        return self._write(files, run.coverage_version, before, began, run.has_arcs)

    def _write(
        self,
        files: Iterable[WrittenFile],
        version: str | None,
        before: Before,
        began: float,
        has_arcs: bool,
    ) -> Fingerprint:
        return write_data(
            self.data_file,
            files,
            has_arcs=has_arcs,
            replacing=before.data,
            version=version,
            measured_at=began,
            folder=self._cache,
        )

    def _about(self, before: Before, records: RunRecords) -> About:
        """What the new detail is true of; a source that was saved meanwhile is not known."""
        outside = self._outside(records.detail)
        now = project_files(self.root, before.files, self.data_file, outside)
        sources = {path: state.hash for path, state in now.items()}
        for path, state in before.files.items():
            if path.endswith((".py", ".pyw")):
                same = path in now and now[path].hash == state.hash
                sources[path] = state.hash if same else ""
        return About(b"", records.detail.has_arcs, sources, before.environment)

    def _outside(self, detail: Detail | None) -> list[Path]:
        """The measured files that are not below the root."""
        if detail is None:
            return []
        name_here = namer(self.root)
        names = ((path, name_here(self.root / path)) for path in detail.files)
        return [self.root / path for path, name in names if Path(name).is_absolute()]

    def _gone(
        self,
        old: Detail,
        selection: Selection,
        records: RunRecords,
        asked: Collection[str] | None,
    ) -> set[str]:
        """Recorded tests that a run, which should have met them, did not find any more."""
        gone = set(selection.gone)
        if records.collected is None:
            return gone
        there = set(records.collected)
        wanted = None if asked is None else set(asked)
        failed = {name_of(error.path, self.root) for error in records.errors}
        for test in old.tests:
            if test in there or (wanted is not None and wanted.isdisjoint(holders(test))):
                continue
            # Of a file that could not be imported it is not known which tests it has.
            if not failed or ("::" in test and test.partition("::")[0] not in failed):
                gone.add(test)
        return gone

    def _waiting(
        self,
        before: Before,
        selection: Selection,
        records: RunRecords,
        asked: Collection[str] | None,
        tests: Mapping[str, TestRecord],
    ) -> dict[str, TestRecord]:
        """Records of new tests that did not run, as they were not asked for or the run ended early.

        Of the next look at the project they would not be new any more. Their names may stand for
        several, as a new file's does.
        """
        if selection.everything is not None:
            changes = {
                path: change for path, change in before.changes.items() if self._is_test_file(path)
            }
            selection = self._select(replace(before, changes=changes))
        failed = {name_of(error.path, self.root) for error in records.errors}
        met = set(asked or ()) if records.finished and records.collected is not None else set()
        waiting = {
            name: reasons[0]
            for name, reasons in selection.tests.items()
            if name not in tests and (name not in met or name.partition("::")[0] in failed)
        }
        for test in records.collected or ():
            if test not in tests:
                waiting.setdefault(test, "did not run when it was to")
        return {name: TestRecord("", outdated=why) for name, why in waiting.items()}

    def _edits(self, before: Before) -> dict[str, Edit | None]:
        """What became of measured files, by measured path."""
        assert before.detail is not None, "there is something to move"
        measured = self._measured(before.detail)
        return {
            measured[path]: change.edit
            for path, change in before.changes.items()
            if path in measured
        }

    def _imported(self, detail: Detail, graph: ImportGraph) -> Imported:
        """Whether a file is imported by what tests ran that did not run again: its importers tell.

        A test that ran a line that imports it has it imported, and so has one that ran anything of
        a module that imports it outside of functions.
        """
        measured = self._measured(detail)
        names = {path: name for name, path in measured.items()}

        def is_imported(path: str, ran: Lines) -> bool:
            seen, rest = {names.get(path, path)}, [names.get(path, path)]
            while rest:
                for importer, lines in graph.imported_at(rest.pop()).items():
                    own = measured.get(importer)
                    if importer in seen or own is None:
                        continue
                    seen.add(importer)
                    outline = self._outline(own)
                    bodies = set() if outline is None else outline.lines_of_bodies()
                    if ran(own, lines):
                        return True
                    if not lines or lines - bodies:
                        if ran(own, bodies):
                            return True
                        rest.append(importer)
            return False

        return is_imported

    def _outline(self, measured: str) -> Outline | None:
        content = read_source(self.root / measured)
        if isinstance(content, Unreadable):
            return None
        digest = content_hash(content)
        if digest not in self._outlines:
            self._outlines[digest] = outline(source_text(content))
        return self._outlines[digest]

    def _totals(self, spliced: Spliced) -> Iterator[tuple[str, Measured]]:
        """All that ran in each file, after a splice that is not kept yet."""
        files = {path: file.measured() for path, file in spliced.files.items() if file is not None}
        files.update((path, ran) for path, ran in self.store.totals() if path not in spliced.files)
        return iter(sorted(files.items()))

    def _contexts(
        self,
        detail: Detail,
        partial: PartialRun,
        edits: Mapping[str, Edit | None],
        old: Snapshot | None,
        run: Snapshot | None,
    ) -> dict[str, dict[str, Measured]]:
        """What ran in each file by context, where the user's configuration asks for contexts."""
        names = {
            ran_by(context): context
            for data in (old, run)
            if data is not None
            for context in data.contexts
        }
        replaced = partial.ended | partial.gone
        by_place: dict[Place, list[str]] = {}
        for test in detail.tests:
            for place in places_of(test):
                by_place.setdefault(place, []).append(test)

        def is_replaced(name: str) -> bool:
            # A context may be named otherwise than the test, and be that of several.
            tests = [test for place in places_of(name) for test in by_place.get(place, ())]
            return name in replaced or (bool(tests) and replaced.issuperset(tests))

        ended = frozenset(name for name, _ in names if name and is_replaced(name))
        was, new = (
            (None if data is None else detail_of_contexts(data)) or Detail(detail.has_arcs, {})
            for data in (old, run)
        )
        run_of_contexts = replace(partial, detail=new, ended=ended, gone=frozenset())
        spliced = splice(was, run_of_contexts, edits, self._outline)
        found = dict(was.files)
        found.update((path, file) for path, file in spliced.files.items() if file is not None)
        return {
            path: {names[who]: _measured(file, bits) for who, bits in file.ran.items()}
            for path, file in found.items()
        }


def _refusal(
    about: About | None,
    detail: Detail | None,
    data: Fingerprint,
    environment: Mapping[str, str],
) -> str | None:
    """Why what is kept cannot be built upon."""
    if about is None or detail is None:
        return "no run of the tests was recorded by covls"
    if about.data != data_identity(data):
        return "the coverage data was written by something else than covls since"
    return changes_of_environment(about.environment, environment)


def never_ran(detail: Detail) -> list[str]:
    """The test files, by path, of which none or some tests have run since the very first."""
    return [name for name, record in detail.tests.items() if record.outdated == NEVER_RAN]


def _measured(file: FileDetail, bits: int) -> Measured:
    return FileDetail(file.pairs, {OUTSIDE: bits}).measured()


def _unattributed(measured: Measured) -> FileDetail:
    if measured.arcs is None:
        return detail_of_lines({UNATTRIBUTED: measured.lines} if measured.lines else {})
    return detail_of_arcs({UNATTRIBUTED: sorted(measured.arcs)} if measured.arcs else {})


def _by_context(snapshot: Snapshot, path: str) -> dict[str, Measured]:
    """What ran in a file, as the data has it."""
    if not snapshot.has_contexts:
        measured = snapshot.measured(path)
        return {"": measured} if measured.lines or measured.arcs else {}
    if not snapshot.has_arcs:
        lines = snapshot.lines_by_context(path)
        return {context: Measured(frozenset(places(bits))) for context, bits in lines}
    arcs: dict[str, list[Arc]] = {}
    for context, arc in snapshot.arcs_by_context(path):
        arcs.setdefault(context, []).append(arc)
    return {context: detail_of_arcs({OUTSIDE: own}).measured() for context, own in arcs.items()}


def _in_contexts(
    measured: Measured, contexts: Mapping[str, Measured] | None
) -> dict[str, Measured]:
    """All that ran in a file told apart by contexts; what is in none of them has none."""
    if not measured.lines and not measured.arcs:
        return {}
    if contexts is None:
        return {"": measured}
    if len(contexts) == 1:
        return dict.fromkeys(contexts, measured)
    found = {}
    rest_arcs, rest_lines = set(measured.arcs or ()), set(measured.lines)
    for context, own in contexts.items():
        if measured.arcs is not None:
            arcs = measured.arcs & (own.arcs or frozenset())
            rest_arcs -= arcs
            if arcs:
                found[context] = detail_of_arcs({OUTSIDE: sorted(arcs)}).measured()
        elif lines := measured.lines & own.lines:
            rest_lines -= lines
            found[context] = Measured(lines)
    if measured.arcs is not None and rest_arcs:
        own = found.get("", Measured(frozenset(), frozenset()))
        every = [*(own.arcs or ()), *rest_arcs]
        found[""] = detail_of_arcs({OUTSIDE: sorted(every)}).measured()
    elif measured.arcs is None and rest_lines:
        found[""] = Measured(found.get("", Measured(frozenset())).lines | rest_lines)
    return found
