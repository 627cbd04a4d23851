"""Running a root's tests, and making their results part of the project's data.

The server and the command line both run tests through here. A run writes into a folder of covls's
own, and the project's data are touched only when it has ended.
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from covls.adapters.data_file import DataFileError, DataFileProblem, Snapshot, read_snapshot
from covls.adapters.data_writer import NotWrittenError, recover
from covls.adapters.partial_runs import Before
from covls.adapters.run_records import RunRecords, nothing_ran, read_run
from covls.adapters.test_detail import DetailStore
from covls.adapters.test_framework import Framework, settles_processes
from covls.adapters.test_run import End, RunResult, discard, run_tests
from covls.adapters.turn import turn
from covls.choosing import NOTHING_AFFECTED, CannotRunError, Choice, Chooser, Request, Scope
from covls.core.explain import Affected, affected_of
from covls.core.test_events import Event, Tally
from covls.project import Project

PARALLEL_FROM = 200
"""From so many tests on they run in several processes, where the project has pytest-xdist."""

CANCELLED_BEFORE = "Cancelled before any test began."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run."""

    result: RunResult
    written: bool = False
    """Whether the project's data hold the results."""
    problem: str = ""
    """Why they do not, in a sentence or two."""
    workers: int = 0
    """In how many processes at once the tests ran, where it was covls that decided so."""

    @property
    def message(self) -> str:
        """What to tell people, in some sentences."""
        hint = ""
        if self.workers and not self.result.passed and self.result.end is End.FINISHED:
            hint = (
                f"The tests ran in {self.workers} processes at once; if they pass one after the "
                "other, set `run.workers = 0`."
            )
        return " ".join(filter(None, [self.result.message, self.problem, hint]))


class Runner:
    """The runs of one project, one at a time. Choices are for any thread."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._store = DetailStore(project.root)
        self._chooser = Chooser(project, self._store)
        self._choosing = threading.Lock()
        self._running = threading.Lock()

    def choose(self, request: Request) -> Choice:
        """The tests that a request is for. Runs nothing. Raises CannotRunError."""
        with self._choosing:
            return self._chooser.choose(request)

    def affected(self, tests: Collection[str], texts: Mapping[Path, str] | None = None) -> Affected:
        """Which of some tests a run of the affected tests would take, and why. Runs nothing.

        `texts` are what an editor has of files that are not saved, by path.
        """
        try:
            choice = self.choose(Request(Scope.AFFECTED, texts=texts or {}, in_passing=True))
        except CannotRunError as error:
            return Affected(unknown=str(error))
        return affected_of(
            tests,
            choice.tests,
            gone=choice.gone,
            changed=choice.files,
            everything=choice.everything,
        )

    def run(
        self,
        choice: Choice,
        *,
        on_event: Callable[[Event], None] = lambda _: None,
        on_wait: Callable[[], None] = lambda: None,
        cancelled: threading.Event | None = None,
    ) -> Outcome:
        """Run the tests of a choice, and write the project's data with their results.

        `on_event` is called in this thread, as is `on_wait` where another process runs tests of
        this root, whose end is waited for. A run that is cancelled leaves the data as they were.
        Raises CannotRunError where another run of this runner is under way.
        """
        if not self._running.acquire(blocking=False):
            raise CannotRunError("Another run of this project's tests is under way.")
        try:
            with turn(self.project.root, cancelled, on_wait) as ours:
                if not ours or (cancelled is not None and cancelled.is_set()):
                    return Outcome(RunResult(End.CANCELLED, CANCELLED_BEFORE, Tally()))
                return self._run(choice, on_event, cancelled)
        finally:
            self._running.release()

    def _run(
        self,
        choice: Choice,
        on_event: Callable[[Event], None],
        cancelled: threading.Event | None,
    ) -> Outcome:
        recover(self.project.configuration.data_file)
        with self._choosing:
            before = self._chooser.look(choice.framework)
        began = time.time()
        if choice.runs_nothing:
            result = RunResult(End.FINISHED, NOTHING_AFFECTED, Tally(), exit=0)
            if not choice.changed:
                return Outcome(result, written=True)
            with self._choosing, self.project.writing():
                return self._take_in(choice, before, began, result)
        workers = self._workers(choice)
        result = run_tests(
            _with_arguments(choice),
            None if choice.everything is not None else tuple(choice.tests),
            trusted=self.project.trusted,
            collect_all=choice.collect_all,
            workers=workers,
            timeout=self.project.settings.run.timeout,
            on_event=on_event,
            cancelled=cancelled,
        )
        try:
            # Whoever looks meanwhile would take the new data for another's.
            with self._choosing, self.project.writing():
                outcome = self._take_in(choice, before, began, result)
        finally:
            discard(result)
        decided = self.project.settings.run.workers is None
        return replace(outcome, workers=workers if decided else 0)

    def _workers(self, choice: Choice) -> int:
        wanted = self.project.settings.run.workers
        if wanted is not None:
            return wanted
        count = len(choice.tests)
        if choice.everything is not None:
            detail = self._store.detail()
            count = 0 if detail is None else len(detail.tests)
        may = choice.framework.parallel and not settles_processes(choice.request.arguments)
        return (os.cpu_count() or 1) if may and count >= PARALLEL_FROM else 0

    def _take_in(self, choice: Choice, before: Before, began: float, result: RunResult) -> Outcome:
        if result.end in (End.CANCELLED, End.NOT_STARTED):
            return Outcome(result)
        try:
            with contextlib.ExitStack() as open_data:
                old = self._read(self.project.configuration.data_file, open_data)
                run, records = None, nothing_ran(old is not None and old.has_arcs)
                if result.data_file is not None:
                    run = self._read(result.data_file, open_data)
                    records = read_run(
                        result.data_file.parent,
                        at=time.time(),
                        data=run,
                        has_arcs=self.project.configuration.branch,
                    )
                runs = self._chooser.partial_runs(choice.framework)
                if run is not None and result.passed and not result.tells_tests_apart:
                    runs.replace(before, run, began)
                else:
                    runs.take(
                        before,
                        runs.select(before),
                        records,
                        run,
                        old=old,
                        asked=_asked(choice, records),
                        collected_all=_collected_all(choice),
                        began=began,
                    )
        except (DataFileError, NotWrittenError) as error:
            return Outcome(result, problem=str(error))
        self.project.take_over()
        return Outcome(result, written=True)

    def _read(self, data_file: Path, open_data: contextlib.ExitStack) -> Snapshot | None:
        """Data as they are, None where there are none."""
        configuration = self.project.configuration
        try:
            snapshot = read_snapshot(
                data_file,
                root=self.project.root,
                paths=configuration.paths,
                relative_files=configuration.relative_files,
            )
        except DataFileError as error:
            if error.kind in (DataFileProblem.MISSING, DataFileProblem.EMPTY):
                return None
            raise
        return open_data.enter_context(snapshot)


def _with_arguments(choice: Choice) -> Framework:
    """How the tests are run, with what the user passes on this once."""
    command = choice.framework.command
    command = replace(command, arguments=(*command.arguments, *choice.request.arguments))
    return replace(choice.framework, command=command)


def _collected_all(choice: Choice) -> bool:
    """Whether all test modules are imported; what is passed on may well leave some out."""
    return not choice.request.arguments and (choice.everything is not None or choice.collect_all)


def _asked(choice: Choice, records: RunRecords) -> Collection[str] | None:
    """The tests that were to run, None for all that there are."""
    if choice.everything is None:
        return choice.tests
    # By what was passed on, `-k` for one, the runner may have chosen.
    return records.collected or () if choice.request.arguments else None
