"""Tests run when a file is saved, where that was asked for and the workspace is trusted."""

import asyncio
from pathlib import Path
from typing import Final

from covls.adapters.test_run import End
from covls.choosing import CannotRunError, Choice, Request, Scope, together
from covls.running import Outcome
from covls.server.features import test_run
from covls.server.features.run import choose, run, tell
from covls.server.progress import Progress, with_progress
from covls.server.root import Root
from covls.server.runs import Job
from covls.server.session import Document, Session

QUIET: Final = 0.05
"""Seconds without another save after which tests run: several files are saved at once, and some
formatters save a second time. Which tests these are is found out meanwhile.
"""

RUN_ALL: Final = "Run all tests"
ALWAYS: Final = "Always, without asking"
NOT_NOW: Final = "Not now"


async def saved(session: Session, document: Document) -> None:
    """Have tests run for a file that was saved. A run that an earlier save began is begun anew."""
    root = await session.root_of(document.path)
    if root.closed or root.settings.run.on_save == "off":
        return
    if root.settings.trusted is not True:
        if not root.runs.told_untrusted:
            root.runs.told_untrusted = True
            session.inform(
                "No test runs on save, for the editor does not say that this workspace is trusted "
                "(`covls.trusted`)."
            )
        return
    runs = root.runs
    runs.saved.add(document.path)
    runs.saved_at = asyncio.get_running_loop().time()
    for job in tuple(runs.jobs):
        if job.on_save:
            job.supersede()
    _begin(session, root)


def _may_begin(root: Root) -> bool:
    """Whether tests may run on save; settings may have changed since."""
    run_settings = root.settings.run
    return not root.closed and run_settings.on_save != "off" and root.settings.trusted is True


def obey(_session: Session, root: Root) -> None:
    """End what new settings forbid."""
    if not root.runs.jobs:
        return
    if root.settings.trusted is False:
        root.runs.cancel()
    elif root.settings.run.on_save == "off" or not root.settings.trusted:
        for job in tuple(root.runs.jobs):
            if job.on_save:
                job.cancel()


def _begin(session: Session, root: Root) -> None:
    """Begin a run for what was saved, where none is about to do that, or to end."""
    runs = root.runs
    if not _may_begin(root):
        runs.saved.clear()
    if session.closing or not runs.saved:
        return
    if any(job.on_save and not job.cancelled.is_set() for job in runs.jobs):
        return
    what = (
        "Affected tests" if root.settings.run.on_save == "affected" else "Tests of what was saved"
    )
    job = Job(f"{what} of {root.folder.name}", on_save=True)

    def on_end() -> None:
        session.tell_status(root)
        if job.superseded:
            _begin(session, root)

    runs.add(job, session.spawn(_run_saved(session, root, job), job.title), on_end)


async def _run_saved(session: Session, root: Root, job: Job) -> None:
    runs = root.runs

    async def work(progress: Progress) -> Outcome | None:
        progress.on_cancel = job.cancel
        async with session.turn:
            job.stop_waiting = None
            paths = frozenset(runs.saved)
            runs.saved.clear()
            choice = await _choose(session, root, job, paths)
            await asyncio.sleep(runs.saved_at + QUIET - asyncio.get_running_loop().time())
            if job.cancelled.is_set() or not _may_begin(root):
                choice = None
            if choice is not None and _may_run(session, root, job, choice, paths):
                said = ""
                try:
                    outcome = await run(session, root, job, choice, progress)
                    said = test_run.words_of(outcome)
                finally:
                    test_run.ended(session, root, job, said)
                if outcome.result.end is not End.CANCELLED:
                    return outcome
                session.log_message(f"{job.title}: {outcome.message}")
            if job.superseded:
                runs.saved |= paths
            return None

    outcome = None
    try:
        outcome = await with_progress(session, job.title, work)
    except CannotRunError as error:
        session.log_message(f"{job.title}: {error}")
    finally:
        job.end()
    if outcome is not None:
        await tell(session, root, job, outcome)


async def _choose(session: Session, root: Root, job: Job, paths: frozenset[Path]) -> Choice | None:
    """The tests to run; None where there are none, or the run is begun anew already."""
    if root.settings.run.on_save == "affected":
        choices = [await choose(session, root, Request(Scope.AFFECTED))]
    else:
        choices = []
        for path in sorted(paths):
            try:
                choices.append(await choose(session, root, Request(Scope.FILE, path)))
            except CannotRunError as error:
                session.log_message(f"{job.title}: {error}")
    if not choices or job.cancelled.is_set():
        return None
    choice = together(choices)
    return None if choice.runs_nothing and not choice.changed else choice


def _may_run(
    session: Session, root: Root, job: Job, choice: Choice, paths: frozenset[Path]
) -> bool:
    """Whether tests may run now. The user is asked before all of them do, but not every time."""
    why, runs = choice.everything, root.runs
    once, runs.once_on_save = runs.once_on_save, False
    if why is None or runs.all_on_save or once:
        return True
    if why in runs.refused:
        session.log_message(f"{job.title}: nothing runs on save until all tests did: {why}.")
        return False
    runs.saved |= paths
    if not runs.asking:
        runs.asking = True
        session.spawn(_ask(session, root, why), "Asking whether to run all tests")
    return False


async def _ask(session: Session, root: Root, why: str) -> None:
    runs = root.runs
    question = f"All tests of {root.folder.name} have to run: {why}."
    try:
        answer = await session.ask(question, [RUN_ALL, ALWAYS, NOT_NOW])
    finally:
        runs.asking = False
    if answer in (RUN_ALL, ALWAYS):
        runs.once_on_save = True
        runs.all_on_save = runs.all_on_save or answer == ALWAYS
        _begin(session, root)
        return
    if answer is None and why not in runs.refused:
        # The editor may be one that shows no questions.
        session.inform(f"{question} Until they did (`covls.runAll`), none runs on save.")
    runs.refused.add(why)
    runs.saved.clear()
