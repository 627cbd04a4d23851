"""One root, as the server and the command line talk to it."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from covls.adapters.configuration import CoverageConfiguration
from covls.adapters.data_file import Snapshot, fingerprint
from covls.adapters.merge_base import Base, MergeBase
from covls.adapters.source import Unreadable, read_source
from covls.core.gates import GatedFile
from covls.core.patched import PatchedFiles
from covls.core.paths import Located
from covls.core.reached import Reached
from covls.core.settings import Problem, Settings
from covls.project.arrival import Arrival, Refreshed, Status
from covls.project.gated_files import Compared, gated_files, patched_files
from covls.project.location import NOTHING_LOCATED
from covls.project.measured_files import MeasuredFiles
from covls.project.patch import Patch, Patches
from covls.project.recorded_tests import RecordedTests
from covls.project.report import FileReport, ReportFile, files_to_report, name_in, report_files
from covls.project.setup import set_up
from covls.project.view import FileView, view_file

if TYPE_CHECKING:
    # What single answers need is imported for them: a check in a commit hook has no use for it.
    from covls.adapters.history_db.history import History
    from covls.adapters.html_report import HtmlReport
    from covls.adapters.pulled_data import PulledData
    from covls.core.exclusion import Exclusion
    from covls.core.explain import Explanation
    from covls.core.gates import BaseFigures
    from covls.core.history import Commit
    from covls.core.priorities import Ranking
    from covls.project.new_test import NewTest
    from covls.project.past import BaseFigure, Past
    from covls.project.priorities import Priorities, Wanted
    from covls.project.recording import Recording


class Project:
    """The coverage of one root. Safe to use from several threads; nothing here is awaited.

    `trusted` is true where the project's interpreter and coverage plugins may run. Where it is
    false or not said (None), nothing of the workspace runs.

    What is asked takes what is on show at that moment, and goes by it to the end. `_configuring`
    lets one thread at a time take over settings.
    """

    def __init__(self, root: Path, settings: Settings, *, trusted: bool | None = None) -> None:
        self.root = Path(os.path.realpath(root))
        self.trusted = trusted
        self._configuring = threading.Lock()
        self._setup = set_up(self.root, settings, trusted=trusted)
        self._patches = Patches(MergeBase(self.root, settings.editor.base))
        self._priorities: Priorities | None = None
        self._history: Past | None = None
        self._arrival = Arrival(self.root, self._setup)

    # Configuration

    def configure(self, settings: Settings) -> None:
        """Read the configuration anew and take over settings; the data is looked at afresh."""
        with self._configuring:
            before, self._setup = self._setup, set_up(self.root, settings, trusted=self.trusted)
            self._patches = Patches(MergeBase(self.root, settings.editor.base))
            self._arrival.use(self._setup)
            before.analysts.close()

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._setup.settings

    @property
    def configuration(self) -> CoverageConfiguration:
        """coverage.py's configuration, as the settings and the project's plugins have it."""
        return self._setup.configuration

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with configuration and data, one clear line each."""
        found = list(self.configuration.problems)
        if (files := self._arrival.files) is not None:
            data = files.measurement
            where = str(data.snapshot.data_file)
            found += [Problem(where, text) for text in data.snapshot.problems]
            found += [Problem(str(path), text) for path, text in files.failures.items()]
            if data.sources.problem:
                found.append(Problem(str(self.root), data.sources.problem))
        return tuple(found)

    # Data

    @property
    def snapshot(self) -> Snapshot | None:
        """The data on show, None before any was read."""
        files = self._arrival.files
        return None if files is None else files.measurement.snapshot

    @property
    def pulled(self) -> "PulledData | None":
        """Where the data on show is from, if it is not the project's own; None for its own."""
        files = self._arrival.files
        return None if files is None else files.measurement.pulled

    @property
    def tells_tests(self) -> bool:
        """Whether it is known which test ran what of the data on show."""
        files = self._arrival.files
        return files is not None and files.measurement.tests.are_told

    @property
    def only_first_tests(self) -> bool:
        """Whether the data on show names only the first test of each line, which tells nothing."""
        files = self._arrival.files
        return files is not None and files.measurement.tests.only_first

    @property
    def located(self) -> Located:
        """Where the measured files are on this machine."""
        files = self._arrival.files
        return NOTHING_LOCATED if files is None else files.measurement.located

    def status(self) -> Status:
        """What the data on show is worth."""
        return self._arrival.status

    def load(self) -> None:
        """Show the data as it is now, for one look at it: nothing was on show that could flicker.

        If a test run is under way, the data may be part of what it will be; the status says so.
        """
        self._arrival.load()

    def writing(self) -> AbstractContextManager[None]:
        """Have nobody look at the data while a run of covls's own writes them and takes them over:
        they would be taken for another's.
        """
        return self._arrival.writing()

    def take_over(self) -> None:
        """Show the data that a run of covls's own has just written: they are whole."""
        self._arrival.take_over()

    def refresh(self, on_screen: Iterable[Path] = ()) -> Refreshed:
        """Look at the data file, and show what is new unless a test run is in the middle of it.

        `on_screen` are the files that must not flicker: data in which lines of theirs got lost
        is held back until the run that writes it has ended.
        """
        return self._arrival.refresh(tuple(on_screen))

    # One file

    def prepare(self, paths: Sequence[Path]) -> None:
        """Begin to analyse Python files that are about to be viewed; returns at once.

        What could run depends on no data, so that this can go on while the data are read.
        """
        analysts = self._setup.analysts

        def analyse() -> None:
            for path in paths:
                source = read_source(path)
                if path.suffix == ".py" and not isinstance(source, Unreadable):
                    analysts.analyse(path, source)

        if paths and fingerprint(self.configuration.data_file):
            threading.Thread(target=analyse, name="covls prepare", daemon=True).start()
        else:
            analysts.warm_up()

    def view(self, path: Path, text: str | None = None) -> FileView | None:
        """The coverage of a file on the lines of `text` (None: of the file on disk).

        None where the data has nothing on the file, or it cannot be read or analysed; `problems`
        tells of the latter.
        """
        files = self._arrival.files
        return None if files is None else self._view(files, path, text)

    def forget(self, path: Path) -> None:
        """Drop what is kept for a file that is no longer on screen."""
        if (files := self._arrival.files) is not None:
            files.forget(Path(os.path.realpath(path)))

    def reached(self, view: FileView) -> Reached | None:
        """The tests that reach each line of a view's measured text; None where none were recorded,
        and where other data is on show by now.

        Read once for each state of the data, from the file's many rows: some tenths of a second
        where thousands of tests reach it.
        """
        tests = self._tests_in(view)
        return None if tests is None else tests.reached(view.measured_path)

    def has_read_tests(self, view: FileView) -> bool:
        """Whether `reached` has read the tests of a view's file, or has none to read."""
        tests = self._tests_in(view)
        return tests is None or tests.has_read(view.measured_path)

    def tests_of(self, path: Path) -> list[str]:
        """The tests that reach a file, sorted; empty where it is not known which."""
        files = self._arrival.files
        if files is None:
            return []
        measured_path = files.measurement.measured_paths.get(Path(os.path.realpath(path)))
        return [] if measured_path is None else files.measurement.tests.of_file(measured_path)

    def tests_by_file(self) -> dict[Path, list[str]]:
        """The tests that reach each file of coverage.py's reports, sorted, none where they are not
        known: some milliseconds for a file that thousands of tests reach.
        """
        files = self._arrival.files
        if files is None:
            return {}
        reported = files_to_report(self.root, files.measurement, self.configuration)
        tests = files.measurement.tests
        return {file.path: tests.of_file(file.measured_path) for file in reported}

    def tests_at(self, path: Path, first: int, last: int, text: str | None = None) -> list[str]:
        """The tests that reach lines `first` to `last` of `text`, sorted, as `tests_reaching`.

        None (of `text`) is the file on disk.
        """
        files = self._arrival.files
        if files is None or not files.measurement.tests.are_told:
            return []
        view = view_file(files, Path(os.path.realpath(path)), text, None)
        return [] if view is None else self.tests_reaching(view, first, last)

    def tests_reaching(self, view: FileView, first: int, last: int) -> list[str]:
        """The tests that reach lines `first` to `last` of the text viewed, sorted.

        A line of a multi-line statement stands for the whole statement. Empty also where none
        were recorded, and where other data is on show by now.
        """
        tests = self._tests_in(view)
        lines = view.measured_lines(first, last)
        return [] if tests is None else tests.reaching(view.measured_path, lines)

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

    def explanation(self, path: Path, line: int, text: str | None = None) -> "Explanation | None":
        """All that is known of a line of `text` (None: of the file on disk), None where nothing is.

        None as `view` has it.
        """
        files = self._arrival.files
        view = None if files is None else self._view(files, path, text)
        if files is None or view is None:
            return None
        from covls.project.explanation import explain_line

        return explain_line(
            view,
            line,
            files.measurement.tests,
            name=name_in(self.root, str(view.path)),
            precision=self.configuration.precision,
        )

    def exclusion(
        self, view: FileView, text: str, first: int, last: int
    ) -> "Exclusion | str | None":
        """What excludes the uncovered block at lines `first` to `last` of the text viewed.

        Proved by analysing the text with it. A string says why an uncovered block has none; None
        stands where nothing is uncovered.
        """
        from covls.project.exclusion import exclusion

        return exclusion(self.root, self._setup, view, text, first, last)

    def new_test(
        self, view: FileView, text: str, line: int, open_texts: Mapping[Path, str]
    ) -> "NewTest | str | None":
        """The skeleton of a test for the uncovered function at a line of the text viewed.

        `open_texts` are what editors have of files in the place of what is on disk. A string says
        why there can be none; None stands where no function is uncovered.
        """
        from covls.project.new_test import new_test

        return new_test(self.root, self.settings, view, text, line, open_texts)

    def _view(self, files: MeasuredFiles, path: Path, text: str | None) -> FileView | None:
        settings = self.settings
        only_patch = settings.editor.scope == "patch"
        louder = settings.diagnostics.patch_severity is not None
        base = self._patches.base if only_patch or louder else None
        return view_file(files, Path(os.path.realpath(path)), text, base, only_patch=only_patch)

    def _tests_in(self, view: FileView) -> RecordedTests | None:
        """The tests of the data that a view is of, None where other data is on show by now."""
        files = self._arrival.files
        if files is None or files.measurement.snapshot.fingerprint != view.data:
            return None
        return files.measurement.tests

    # What past runs measured

    def base_figure(self) -> "BaseFigure | None":
        """What the history has of the base that patches are told against."""
        base = self.base()
        if isinstance(base, str):
            return None
        return self._past().base(base.commit, self.settings, trusted=self.trusted is True)

    def has_read_past(self, view: FileView) -> bool:
        """Whether `read_past` has nothing to do, as far as is known without waiting."""
        return self._history is not None and self._history.covered_until(view) is not None

    def read_past(self, view: FileView) -> None:
        """Read when the missing lines of a file were covered last, for `covered_until`."""
        self._past().read(view, self.settings, trusted=self.trusted is True)

    def covered_until(self, view: FileView, first: int, last: int) -> "Commit | None":
        """The commit that lines of the text viewed were covered at last, of what was read."""
        known = self._history.covered_until(view) if self._history is not None else None
        lines = view.measured_lines(first, last) if known else ()
        return next((known[line] for line in lines if line in known), None) if known else None

    def _past(self) -> "Past":
        from covls.project.past import Past

        with self._configuring:
            if self._history is None:
                self._history = Past(self.root)
            return self._history

    # What was changed

    def base(self) -> Base | str:
        """What patches are told against, or why that is nothing, for people."""
        return self._patches.base.base()

    def base_generation(self) -> int:
        """A number that grows when HEAD, a branch or the base may be others; asks git nothing."""
        return self._patches.base.generation()

    def patch(self, texts: Mapping[Path, str] | None = None) -> Patch | None:
        """The coverage of all that was changed since the base; None where no base is known.

        `texts` are those of files that have another one than on disk, by absolute path.
        """
        files = self._arrival.files
        if files is None:
            return None
        reported = files_to_report(self.root, files.measurement, self.configuration)
        return self._patches.patch(files, reported, texts or {})

    def patched_files(self, compared: Compared) -> PatchedFiles | str:
        """All that was changed, as gates see it; a string says why that is not known."""
        files = self._arrival.files
        if files is None:
            return "There is no data."
        reported = files_to_report(self.root, files.measurement, self.configuration)
        return patched_files(self.root, files, reported, self.configuration, compared)

    def gated_files(self, patch: PatchedFiles | None, compared: Compared) -> Iterator[GatedFile]:
        """Every file as gates see it, one at a time; `patch` is what was changed in them."""
        files = self._arrival.files
        if files is None:
            return iter(())
        reported = files_to_report(self.root, files.measurement, self.configuration)
        return gated_files(files, reported, patch, compared)

    def recorded_base(
        self,
        history: "History",
        patched: PatchedFiles,
        compared: Compared,
        flags: Sequence[str] | None = None,
    ) -> "BaseFigures | str":
        """The figures of the recorded run that a drop is told from, or why there is none.

        `flags` are those of the run; None: any. Raises HistoryError.
        """
        from covls.adapters.commits import commits_of
        from covls.project.against_base import base_figures, recorded_base

        files, commits = self._arrival.files, commits_of(self.root)
        if files is None or commits is None:
            return "Git does not answer."
        run = recorded_base(history, commits, patched, flags)
        if isinstance(run, str):
            return run
        reported = files_to_report(self.root, files.measurement, self.configuration)
        return base_figures(history, commits, run, patched, files, reported, compared)

    # All files

    def files_to_report(
        self, paths: Iterable[Path] = (), reported: Callable[[str], bool] | None = None
    ) -> list[ReportFile]:
        """The measured files that coverage.py's reports would show, in their order.

        `paths` are absolute files and folders to keep to; none: all. `reported` says of a path
        whether it is in the report, None: as the configuration has it. Measured files that are not
        on this machine are left out, and named in `located`.
        """
        files = self._arrival.files
        if files is None:
            return []
        return files_to_report(self.root, files.measurement, self.configuration, paths, reported)

    def coverages(
        self, files: Iterable[ReportFile], contexts: Sequence[str] = ()
    ) -> Iterator[FileReport]:
        """The coverage of each file, one at a time, so that memory stays bounded.

        `contexts` are regexes: only what ran in contexts that one of them finds counts. A file that
        cannot be analysed is left out, and `problems` says why.
        """
        shown = self._arrival.files
        return iter(()) if shown is None else report_files(shown, files, contexts)

    def recording(self) -> "Recording | None":
        """What a history is to keep of the data; None where there are none."""
        from covls.project.recording import recording_of

        shown = self._arrival.files
        return None if shown is None else recording_of(shown, self.files_to_report())

    def priorities(
        self,
        wanted: "Wanted",
        texts: Mapping[Path, str] | None = None,
        report: Callable[[int, int], bool] = lambda _done, _of: True,
    ) -> "Ranking | None":
        """What to test next, best first; None where there is no data, or it was cancelled.

        `texts` are those of files that have another one than on disk, by absolute path. `report` is
        told how many files of how many are done, and answers whether to go on.
        """
        files = self._arrival.files
        if files is None:
            return None

        def patch() -> Patch | str:
            base = self.base()
            found = None if isinstance(base, str) else self.patch(texts)
            return found if found is not None else str(base)

        from covls.project.priorities import Priorities

        # Made by two threads at once, one of them goes, with what it has kept.
        kept = self._priorities = self._priorities or Priorities(self.root)
        return kept.rank(
            files,
            self.files_to_report(wanted.paths),
            self.settings,
            wanted,
            texts or {},
            self.base_generation(),
            patch,
            report,
        )

    def measured_sources(self) -> Iterator[tuple[str, bytes | None]]:
        """The source of each measured Python file that is here, by measured path.

        None where it is not known surely enough to be told to others.
        """
        files = self._arrival.files
        return iter(()) if files is None else files.sources()

    def html_report(
        self,
        *,
        directory: Path | None = None,
        paths: Sequence[Path] = (),
        at: Path | None = None,
        report: Callable[[int, int], None],
        on_wait: Callable[[], None] = lambda: None,
        cancelled: threading.Event,
    ) -> "HtmlReport | None":
        """Write coverage.py's HTML report, all of it or of some files and folders.

        See `write_html_report`, also for what it raises. Files that plugins measured are left out
        where these may not run.
        """
        from covls.adapters.html_report import HtmlReportError, write_html_report

        analysts, snapshot = self._setup.analysts, self.snapshot
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
            on_wait=on_wait,
            cancelled=cancelled,
        )

    def close(self) -> None:
        """End the workers and let go of the data."""
        self._arrival.close()
        self._setup.analysts.close()
