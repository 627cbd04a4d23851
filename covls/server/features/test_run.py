"""`covls/testRun`: what happens in a run, test by test, for clients that show tests."""

from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from lsprotocol import types

from covls.core.test_events import Collected, CollectionError, Event, Finished, Started
from covls.running import Outcome
from covls.server.convert import uri_of
from covls.server.messages import TEST_RUN, TestResult, TestRunParams
from covls.server.root import Root
from covls.server.runs import Job
from covls.server.session import Session

BEGUN: Final = "begun"
RUNNING: Final = "running"
ENDED: Final = "ended"


class News:
    """What has happened in a run since the client was last told. Added to by the run's thread."""

    def __init__(self, session: Session, root: Root, job: Job) -> None:
        self._session = session
        self._root = root
        self._job = job
        self._events: SimpleQueue[Event] = SimpleQueue()

    def add(self, event: Event) -> None:
        """Take note of an event."""
        if self._session.capabilities.test_runs:
            self._events.put(event)

    def tell(self) -> None:
        """Tell the client of what happened, if anything did."""
        tests: list[str] = []
        started: list[str] = []
        finished: list[TestResult] = []
        while True:
            try:
                event = self._events.get_nowait()
            except Empty:
                break
            match event:
                case Collected(names):
                    tests += names
                case Started(test):
                    started.append(test)
                case Finished() | CollectionError():
                    finished.append(_result(self._root, event))
                case _:
                    pass
        if tests or started or finished:
            _send(
                self._session,
                self._root,
                self._job,
                RUNNING,
                tests=tests,
                started=started,
                finished=finished,
            )


def begun(session: Session, root: Root, job: Job) -> None:
    """Tell of a run that begins."""
    _send(session, root, job, BEGUN)


def ended(session: Session, root: Root, job: Job, message: str) -> None:
    """Tell of a run that is over, or never came to run."""
    _send(session, root, job, ENDED, message=message)


def words_of(outcome: Outcome) -> str:
    """What came of a run, and what else there is to say of it, a line each."""
    notices = dict.fromkeys(notice.message for notice in outcome.result.tally.notices)
    log = outcome.result.log
    told = [] if log is None else [f"What the tests printed is in {log}"]
    return "\n".join([outcome.message, *notices, *told])


def _send(
    session: Session,
    root: Root,
    job: Job,
    state: str,
    *,
    tests: list[str] | None = None,
    started: list[str] | None = None,
    finished: list[TestResult] | None = None,
    message: str = "",
) -> None:
    if not session.capabilities.test_runs or session.closing:
        return
    params = TestRunParams(
        folder=session.folder_uri(root),
        run=job.number,
        title=job.title,
        state=state,
        tests=tests or [],
        started=started or [],
        finished=finished or [],
        message=message,
    )
    session.server.protocol.notify(TEST_RUN, params)


def _result(root: Root, event: Finished | CollectionError) -> TestResult:
    """How a test ended; what a file that could not be imported stands for is the file's name."""
    location = None
    if event.file is not None and event.line is not None:
        start = types.Position(line=event.line - 1, character=0)
        place = types.Range(start=start, end=start)
        location = types.Location(uri=uri_of(root.folder / event.file), range=place)
    if isinstance(event, Finished):
        return TestResult(
            event.test, event.outcome, event.seconds, event.message, event.long, location
        )
    file = Path(event.file or "?")
    name = file.relative_to(root.folder) if file.is_relative_to(root.folder) else file
    return TestResult(name.as_posix(), "error", 0.0, event.message, event.long, location)
