"""Running tests: `covls.runFile`, `covls.runAtCursor`, `covls.runAffected`, `covls.runAll`,
`covls.runTests` and `covls.cancelRun`.
"""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from covls.adapters.source import Unreadable, read_source, source_text
from covls.adapters.test_choice import choose_at_lines
from covls.adapters.test_run import End
from covls.choosing import CannotRunError, Choice, Request, Scope
from covls.core.test_events import Event
from covls.project import Project
from covls.running import Outcome
from covls.server.convert import path_of, uri_of
from covls.server.features import failed_tests, test_run
from covls.server.features.tests_at import names_at
from covls.server.place import Place
from covls.server.progress import Progress, with_progress
from covls.server.root import Root
from covls.server.runs import Counter, Counts, Job
from covls.server.session import AFTER_ANSWER, Session

logger = logging.getLogger(__name__)

RUN_FILE: Final = "covls.runFile"
RUN_AT_CURSOR: Final = "covls.runAtCursor"
RUN_AFFECTED: Final = "covls.runAffected"
RUN_ALL: Final = "covls.runAll"
RUN_TESTS: Final = "covls.runTests"
CANCEL_RUN: Final = "covls.cancelRun"

KIND: Final = "covls.run"
FILE_KIND: Final = f"{KIND}.file"
LINE_KIND: Final = f"{KIND}.line"
AFFECTED_KIND: Final = f"{KIND}.affected"

SHOW_THE_LOG: Final = "Show the log"

WAITING: Final = "waiting for the run under way"

BETWEEN: Final = 0.1
"""Seconds from one count shown to the next."""

NAMED: Final = 3
"""Failed tests that a message names; the others are in the log, and at their lines."""

LOGGED: Final = 50
"""Tests of a choice whose reasons are logged."""


async def run_file(session: Session, uri: str) -> list[int]:
    """Begin to run the tests that reach a file, or, of a test file, its own.

    This and its likes answer with the number of each run that begins.
    """
    root, path = await _root_of_file(session, RUN_FILE, uri)
    return [start(session, root, Request(Scope.FILE, path), f"Tests of {path.name}")]


async def run_at_cursor(
    session: Session, uri: str, line: int, end_line: int | None = None
) -> list[int]:
    """Begin to run the test at a line, or the tests that reach it, or the lines to `end_line`."""
    root, path = await _root_of_file(session, RUN_AT_CURSOR, uri)
    document = session.documents.get(uri)
    text = None if document is None else document.text
    first, last = line + 1, max(line, line if end_line is None else end_line) + 1
    where = f"{path.name}:{first}" if first == last else f"{path.name}:{first}-{last}"
    request = Request(Scope.LINES, path, first, last, text)
    return [start(session, root, request, f"Tests at {where}")]


async def run_affected(session: Session, folder: str | None = None) -> list[int]:
    """Begin to run the tests that the changes since the last run may affect."""
    request = Request(Scope.AFFECTED)
    return [
        start(session, root, request, f"Affected tests of {root.folder.name}")
        for root in await _roots(session, RUN_AFFECTED, folder)
    ]


async def run_all(session: Session, folder: str | None = None) -> list[int]:
    """Begin to run all tests."""
    return [
        start(session, root, Request(Scope.ALL), f"All tests of {root.folder.name}")
        for root in await _roots(session, RUN_ALL, folder)
    ]


async def run_tests(session: Session, folder: str, tests: list[str]) -> list[int]:
    """Begin to run some tests, by their names as the runner has them."""
    if not tests:
        raise JsonRpcInvalidParams(f"{RUN_TESTS}: there are no tests to run")
    title = tests[0] if len(tests) == 1 else f"{len(tests)} tests"
    request = Request(Scope.TESTS, tests=tuple(tests))
    return [
        start(session, root, request, title) for root in await _roots(session, RUN_TESTS, folder)
    ]


async def cancel_run(session: Session, folder: str | None = None) -> bool:
    """End the runs of a root, or all, and those that wait. Says whether there were any."""
    if folder is None:
        roots = list(session.roots.values())
    else:
        roots = await _roots(session, CANCEL_RUN, folder)
    cancelled = [root.runs.cancel() for root in roots]
    return any(cancelled)


async def _root_of_file(session: Session, command: str, uri: str) -> tuple[Root, Path]:
    document = session.documents.get(uri)
    path = document.path if document is not None else path_of(uri)
    if path is None:
        raise JsonRpcInvalidParams(f"{command}: {uri!r} is not the URI of a file")
    root = await session.root_of(path)
    _refuse(command, root)
    return root, path


async def _roots(session: Session, command: str, folder: str | None) -> list[Root]:
    """The root of a folder; without one, all that are in the client's folders."""
    if folder is not None:
        path = path_of(folder)
        if path is None:
            raise JsonRpcInvalidParams(f"{command}: {folder!r} is not the URI of a folder")
        roots = [await session.root_at_folder(path)]
    else:
        for each in session.folders:
            await session.root_at_folder(each)
        roots = list(session.roots.values())
        roots = [root for root in roots if root.workspace_folder is not None] or roots
        if not roots:
            raise JsonRpcInvalidParams(f"{command}: there is no folder; name one by its URI")
    if command != CANCEL_RUN:
        for root in roots:
            _refuse(command, root)
    return roots


def _refuse(command: str, root: Root) -> None:
    """Raise an error where nothing may run, or nothing can."""
    if root.project is None:
        raise JsonRpcInvalidParams(f"{command}: {root.folder} could not be opened")
    if root.settings.trusted is False:
        raise JsonRpcInvalidParams(
            f"{command}: this workspace is not trusted, so that nothing of it is run. Trust it in "
            "the editor (`covls.trusted`)"
        )


async def line_actions(
    session: Session, place: Place, _context: types.CodeActionContext
) -> Sequence[types.CodeAction | types.Command]:
    """Running the tests at the lines, or those that reach them."""
    root = await _root_to_run(session, place)
    if root is None or root.framework is None:
        return ()
    one = place.first == place.last
    arguments: list[str | int] = [place.uri, place.first - 1]
    if not one:
        arguments.append(place.last - 1)
    tests = await session.in_thread(
        choose_at_lines, root.framework, place.path, place.first, place.last, place.text
    )
    if tests:
        title = f"Run {tests[0].test}" if len(tests) == 1 else f"Run these {len(tests)} tests"
        return _action(session, LINE_KIND, title, RUN_AT_CURSOR, arguments)
    names = await names_at(session, place.uri, place.first, place.last)
    if not names:
        return ()
    where = "this line" if one else "these lines"
    which = "test that reaches" if len(names) == 1 else f"{len(names)} tests that reach"
    return _action(session, LINE_KIND, f"Run the {which} {where}", RUN_AT_CURSOR, arguments)


async def file_actions(
    session: Session, place: Place, _context: types.CodeActionContext
) -> Sequence[types.CodeAction | types.Command]:
    """Running the tests of the file."""
    if await _root_to_run(session, place) is None:
        return ()
    return _action(session, FILE_KIND, "Run the tests of this file", RUN_FILE, [place.uri])


async def affected_actions(
    session: Session, place: Place, _context: types.CodeActionContext
) -> Sequence[types.CodeAction | types.Command]:
    """Running the affected tests of the root."""
    root = await _root_to_run(session, place)
    if root is None:
        return ()
    folder = session.folder_uri(root)
    return _action(session, AFFECTED_KIND, "Run the affected tests", RUN_AFFECTED, [folder])


async def _root_to_run(session: Session, place: Place) -> Root | None:
    """The root of a place, None where nothing of it may run, or the file has nothing to run."""
    root = await session.root_of(place.path)
    if root.settings.trusted is False or place.path.suffix not in (".py", ".pyw"):
        return None
    return root


def _action(
    session: Session, kind: str, title: str, name: str, arguments: list[str | int]
) -> Sequence[types.CodeAction | types.Command]:
    command = types.Command(title=title, command=name, arguments=arguments)
    if not session.capabilities.code_action_literals:
        return (command,)
    return (types.CodeAction(title=title, kind=kind, command=command),)


def start(session: Session, root: Root, request: Request, title: str) -> int:
    """Begin a run that the user asks for. It waits for those before it, and goes before those that
    saving calls for. Returns its number.
    """
    for other in tuple(root.runs.jobs):
        if other.on_save:
            other.supersede()
    job = Job(title)

    def on_end() -> None:
        session.tell_status(root)
        test_run.ended(session, root, job, job.said)

    root.runs.add(job, session.spawn(_asked_for(session, root, job, request), title), on_end)
    return job.number


async def _asked_for(session: Session, root: Root, job: Job, request: Request) -> None:
    unsaved = ""

    async def work(progress: Progress) -> tuple[Choice, Outcome]:
        nonlocal unsaved
        progress.on_cancel = job.cancel
        if session.turn.locked():
            progress.say(WAITING)
        async with session.turn:
            job.stop_waiting = None
            choice = await choose(session, root, request)
            unsaved = await _unsaved(session, root)
            _log(session, job, choice, unsaved)
            if not choice.runs_nothing and not session.capabilities.progress:
                session.inform(f"{job.title}: running {choice.headline}")
            return choice, await run(session, root, job, choice, progress)

    try:
        choice, outcome = await with_progress(session, job.title, work, patience=AFTER_ANSWER)
        job.said = test_run.words_of(outcome)
    except CannotRunError as error:
        job.said = str(error)
        session.warn(job.said)
        return
    finally:
        job.end()
    if choice.runs_nothing and not outcome.problem:
        session.inform(f"{choice.headline} {unsaved}".strip())
    else:
        await tell(session, root, job, outcome)


async def choose(session: Session, root: Root, request: Request) -> Choice:
    """The tests of a request. Raises CannotRunError."""
    project = _project(root)
    return await session.in_thread(lambda: root.runs.runner(project).choose(request))


async def run(
    session: Session, root: Root, job: Job, choice: Choice, progress: Progress
) -> Outcome:
    """Run the tests of a choice and show what they did. The turn is the job's.

    Raises CannotRunError.
    """
    loop = asyncio.get_running_loop()
    project, counter, news = _project(root), Counter(), test_run.News(session, root, job)
    outcomes: list[Outcome] = []
    told = True

    def show() -> None:
        nonlocal told
        told = True
        if job.counts is not None:
            _count(session, root, job, counter.counts, progress)
            news.tell()

    def on_event(event: Event) -> None:
        nonlocal told
        counter.add(event)
        news.add(event)
        if told and not loop.is_closed():
            told = False
            loop.call_soon_threadsafe(loop.call_later, BETWEEN, show)

    def on_wait() -> None:
        progress.say(WAITING)

    def work() -> None:
        runner = root.runs.runner(project)
        outcomes.append(
            runner.run(choice, on_event=on_event, on_wait=on_wait, cancelled=job.cancelled)
        )

    _count(session, root, job, Counts(), progress)
    test_run.begun(session, root, job)
    try:
        await root.runs.in_own_thread(work)
    finally:
        job.counts = None
        news.tell()
    (outcome,) = outcomes
    await failed_tests.take(session, root, choice, outcome)
    if outcome.written and not root.closed:
        session.root_changed(root)
    return outcome


def _project(root: Root) -> Project:
    if root.project is None or root.closed:
        raise CannotRunError(f"{root.folder} was closed.")
    return root.project


def _count(session: Session, root: Root, job: Job, counts: Counts, progress: Progress) -> None:
    job.counts = counts
    progress.say(counts.words, counts.percentage)
    session.tell_status(root)


async def _unsaved(session: Session, root: Root) -> str:
    """Which of a root's open files are not saved, in a sentence: tests run on what is on disk."""
    texts = {
        document.path: document.text
        for document in session.documents.values()
        if document.path.is_relative_to(root.folder)
    }

    def differ() -> list[str]:
        sources = ((path, read_source(path)) for path in texts)
        return sorted(
            path.name
            for path, source in sources
            if not isinstance(source, Unreadable) and source_text(source) != texts[path]
        )

    names = await session.in_thread(differ)
    return f"Not saved, and so not looked at: {', '.join(names)}." if names else ""


def _log(session: Session, job: Job, choice: Choice, unsaved: str) -> None:
    """Say in the client's log which tests were chosen, and by which rule each."""
    lines = [f"{job.title}: {choice.headline}", *([f"  {unsaved}"] if unsaved else [])]
    tests = list(choice.tests.items())
    lines += [f"  {test}: {'; '.join(reasons)}" for test, reasons in tests[:LOGGED]]
    if len(tests) > LOGGED:
        lines.append(f"  and {len(tests) - LOGGED} more")
    session.log_message("\n".join(lines))


async def tell(session: Session, root: Root, job: Job, outcome: Outcome) -> None:
    """Say what came of a run: in the log, and to the user where there is something to do."""
    result, tally = outcome.result, outcome.result.tally
    notices = dict.fromkeys(notice.message for notice in tally.notices)
    said = f"{job.title}: {outcome.message} ({result.seconds:.1f} s)"
    session.log_message("\n".join([said, *(f"  {notice}" for notice in notices)]))
    if result.end is End.CANCELLED or (result.passed and not outcome.problem):
        # Who sees no progress does not see its end either.
        if not session.capabilities.progress and not job.on_save:
            session.inform(said)
        return
    failing = frozenset(_failed(outcome))
    before, root.runs.failing = root.runs.failing, failing
    if job.on_save and failing and failing <= before:
        return
    words = " ".join([outcome.message, *_named(outcome)])
    log = result.log
    if log is None or job.on_save:
        session.warn(words)
        return
    with_log = f"{words} What they printed: {log}"
    if not session.capabilities.show_document:
        session.warn(with_log)
        return
    warning = types.MessageType.Warning
    answer = await session.ask(words, [SHOW_THE_LOG], warning, instead=with_log)
    if answer == SHOW_THE_LOG and not await session.show_document(uri_of(log)):
        session.inform(f"What the tests printed is in {log}")


def _failed(outcome: Outcome) -> list[str]:
    """The failed tests, and files that could not be imported, with what they said."""
    tally = outcome.result.tally
    found = [f"{Path(error.file or '?').name}: {error.message}" for error in tally.errors]
    return found + [f"{test.test}: {test.message}" for test in tally.failures]


def _named(outcome: Outcome) -> list[str]:
    """The first of what failed, a line each."""
    found = _failed(outcome)
    more = len(found) - NAMED
    return [*("\n" + words for words in found[:NAMED]), *([f"\nand {more} more"] * (more > 0))]
