"""The runs of one root's tests: one is under way, the others wait for their turn."""

import asyncio
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lsprotocol import types

from covls.core.failures import Failure
from covls.core.test_events import Collected, Event, Finished
from covls.project import Project
from covls.running import Runner

SECONDS_TO_CLOSE: Final = 0.8
"""How long closing a root waits for its run. One that lives on has its guard, and no data file."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How far a run is: tests that have ended, of how many, and how many of them failed."""

    done: int = 0
    of: int = 0
    failed: int = 0

    @property
    def words(self) -> str:
        """How far it is, for people: "12 of 96 tests, 1 failed"."""
        if not self.of:
            return "collecting tests"
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{self.done} of {self.of} tests{failed}"

    @property
    def percentage(self) -> int:
        """How far it is, in percent."""
        return 100 * self.done // max(self.of, 1)


class Counter:
    """Counts what happens in a run. Written by the run's thread, read by any."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._collected: set[str] = set()
        self._finished: set[str] = set()
        self._failed: set[str] = set()

    def add(self, event: Event) -> None:
        """Take an event into account."""
        match event:
            case Collected(tests):
                self._collected.update(tests)
            case Finished(test):
                self._finished.add(test)
                # A test that is run again may pass.
                (self._failed.add if event.failed else self._failed.discard)(test)
            case _:
                return
        of = max(len(self._collected), len(self._finished))
        self.counts = Counts(len(self._finished), of, len(self._failed))


@dataclass(eq=False, slots=True)
class Job:
    """A run that was asked for, or that the saving of a file calls for."""

    title: str
    on_save: bool = False
    number: int = field(default_factory=itertools.count(1).__next__)
    """By which the client is told of it."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    stop_waiting: Callable[[], None] | None = None
    """Ends it while it waits for its turn."""
    end: Callable[[], None] = lambda: None
    """Has it be no longer among the runs of its root."""
    said: str = ""
    """What came of it, for people."""
    counts: Counts | None = None
    """None until it is under way."""
    superseded: bool = False
    """Whether it is cancelled for another to do what it was to do."""

    def supersede(self) -> None:
        """Have it give way, and begin anew."""
        self.superseded = True
        self.cancel()

    def cancel(self) -> None:
        """Have it end, or never begin."""
        self.cancelled.set()
        if self.stop_waiting is not None:
            self.stop_waiting()


class Runs:
    """What is kept of a root's runs. Lives on the loop, but for what its thread does."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        """In the order they were asked for."""
        self.failing: frozenset[str] = frozenset()
        """The tests and files that the user was last told of."""

        self.failures: tuple[Failure, ...] = ()
        """What failed when it last ran."""
        self.published: dict[str, list[types.Diagnostic]] = {}
        """What was published of files that are not open, by URI."""

        self.saved: set[Path] = set()
        """Files that were saved, and whose tests have not begun to run."""
        self.saved_at = float("-inf")
        """When the last of them was, by the loop's clock."""
        self.told_untrusted = False
        self.asking = False
        """The user is being asked whether all tests are to run on save."""
        self.all_on_save = False
        """He said yes, once and for all."""
        self.once_on_save = False
        self.refused: set[str] = set()
        """For which reasons he does not want to run all."""

        self._runner: Runner | None = None
        self._making = threading.Lock()
        self._idle = threading.Event()
        self._idle.set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="covls-run")

    def runner(self, project: Project) -> Runner:
        """What runs the project's tests. Does IO when it is made."""
        with self._making:
            if self._runner is None or self._runner.project is not project:
                self._runner = Runner(project)
            return self._runner

    def add(self, job: Job, work: asyncio.Task[None], on_end: Callable[[], None]) -> None:
        """Take in a run with the task that does it, until `job.end()`."""

        def end(_: object = None) -> None:
            if job in self.jobs:
                self.jobs.remove(job)
                on_end()

        def stop_waiting() -> None:
            work.cancel()

        self.jobs.append(job)
        job.stop_waiting, job.end = stop_waiting, end
        # A task that is cancelled before it began does nothing at all, not even at its end.
        work.add_done_callback(end)

    @property
    def counts(self) -> Counts | None:
        """How far the run under way is; None where there is none."""
        return next((job.counts for job in self.jobs if job.counts is not None), None)

    def cancel(self) -> bool:
        """Cancel all runs, those that wait as well. Says whether there were any."""
        self.saved.clear()
        jobs = tuple(self.jobs)
        for job in jobs:
            job.cancel()
        return bool(jobs)

    async def in_own_thread(self, work: Callable[[], object]) -> None:
        """Do what takes as long as tests do: the session's threads are for others."""

        def noted() -> None:
            try:
                work()
            finally:
                self._idle.set()

        self._idle.clear()
        await asyncio.get_running_loop().run_in_executor(self._thread, noted)

    def close(self) -> None:
        """End all runs, and wait a moment for that. Called in a thread."""
        for job in tuple(self.jobs):
            job.cancelled.set()
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._idle.wait(SECONDS_TO_CLOSE)
