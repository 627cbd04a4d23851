"""`covls/status`: what the coverage of each root is worth, sent when it is another."""

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from covls.core.coverage import percent_text
from covls.core.marks import Freshness
from covls.project import Patch, Project, State
from covls.server.features.project_coverage import count
from covls.server.messages import STATUS, RunCounts, StatusParams
from covls.server.progress import Progress, with_progress
from covls.server.root import Root
from covls.server.session import Session

if TYPE_CHECKING:
    from covls.project.past import BaseFigure

logger = logging.getLogger(__name__)

NAMES_SHOWN = 3

BETWEEN = 0.3
"""Seconds from one count of the patch to the next, while somebody types."""

QUIET = 0.5
"""Seconds after the last edit, or file opened, in which counting does not begin."""

LONGEST_WAIT = 10.0
"""Seconds after which it begins all the same."""


def tell(session: Session, root: Root) -> None:
    """Send a root's status if it is not the one last sent, and count its figures where due."""
    status = status_of(session, root)
    if status != root.told:
        before, root.told = root.told, status
        session.server.protocol.notify(STATUS, status)
        if status.state == State.ERROR and (before is None or before.message != status.message):
            session.warn(status.message)
    if _to_count(session, root):
        root.counting = session.spawn(_count(session, root), f"Counting {root.folder}")
    if _to_count_patch(session, root):
        work = _count_patch(session, root)
        root.counting_patch = session.spawn(work, f"Counting the patch of {root.folder}")


def status_of(session: Session, root: Root) -> StatusParams:
    """A root's status as it is now."""
    project = root.project
    state, message = State.ERROR, f"{root.folder} could not be opened; covls's log says why."
    precision = 0
    if project is not None:
        status = project.status()
        state, message = status.state, status.message
        precision = project.configuration.precision
    edited = sorted(
        document.path.name
        for document in session.documents.values()
        if document.root is root
        and document.shown is not None
        and document.shown.view is not None
        and document.shown.view.freshness is not Freshness.FRESH
    )
    stale = bool(edited) or root.any_unverified
    if state is State.OK and stale:
        state, message = State.STALE, f"{message} {_stale_message(edited)}".lstrip()
    percent = root.totals.percent if root.totals is not None else None
    patch_percent = root.patch.totals.percent if root.patch is not None else None
    if root.settings.editor.scope == "patch" and root.patch_counted is not None:
        about_patch = _no_patch(root) if root.patch is None else patch_message(root.patch)
        message = f"{message} {about_patch}".lstrip()
    at_base = root.at_base
    run = None
    if (counts := root.runs.counts) is not None:
        state, message = State.RUNNING, f"covls runs tests: {counts.words}. {message}".strip()
        run = RunCounts(counts.done, counts.of, counts.failed)
    python = tests = None
    if root.framework is not None:
        interpreter = root.framework.interpreter
        python = "none found" if interpreter is None else interpreter.words()
        tests = root.framework.words()
    return StatusParams(
        folder=session.folder_uri(root),
        state=state.value,
        percent=percent,
        percent_text=None if percent is None else percent_text(percent, precision),
        patch_percent=patch_percent,
        patch_percent_text=(
            None if patch_percent is None else percent_text(patch_percent, precision)
        ),
        base_percent=None if at_base is None else at_base.percent,
        base_percent_text=None if at_base is None else percent_text(at_base.percent, precision),
        base_commit=None if at_base is None else at_base.commit,
        stale=stale,
        message=message,
        python=python,
        tests=tests,
        run=run,
    )


def _stale_message(edited: list[str]) -> str:
    if not edited:
        return "Some files were modified after they were measured."
    return f"Not the text that was measured: {_listed(edited)}."


def patch_message(patch: Patch) -> str:
    """The patch in one sentence: what is covered of how much, and what is not known of it."""
    totals = patch.totals
    known = totals.known
    against = f"changed since {patch.base.name}"
    if totals.counted:
        covered = known.n_executed + known.n_executed_branches
        what = "statements and branches" if known.n_branches else "statements"
        text = f"{covered} of {totals.counted} {what} {against} are covered"
    elif totals.stale or patch.unknown:
        text = f"Of the code {against} nothing was measured"
    else:
        return f"No measured code was {against}."
    if totals.counted and totals.stale:
        were = "more statement was" if totals.stale == 1 else "more statements were"
        text += f"; {totals.stale} {were} not measured as now on screen or disk"
    if patch.unknown:
        names = _listed([file.name for file in patch.unknown])
        text += f"; not known: {names}"
    return f"{text}."


def _no_patch(root: Root) -> str:
    return f"All code is shown, for there is no base: {root.no_patch}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


def _to_count(session: Session, root: Root) -> bool:
    """Whether the figures are to be counted: there are new data, and somebody has a file open."""
    project = root.project
    if project is None or project.snapshot is None or root.source == root.counted:
        return False
    if root.counting is not None and not root.counting.done():
        return False
    return _is_open(session, root)


def _is_open(session: Session, root: Root) -> bool:
    return any(
        document.root is root and document.shown is not None
        for document in session.documents.values()
    )


async def _count(session: Session, root: Root) -> None:
    """Count a root's figures in the background, behind what is on screen."""
    project = root.project
    assert project is not None, "there are data to count"

    async def work(progress: Progress) -> None:
        while root.source != root.counted and not root.closed:
            # Noted before, so that work which was cancelled or failed is not begun again.
            root.counted = root.source
            found = await session.in_thread(count, project, progress)
            if found is None:
                return
            root.totals, root.any_unverified = found

    try:
        await _quiet(session)
        await with_progress(session, f"Counting coverage of {root.folder.name}", work)
    finally:
        root.counting = None
    session.tell_status(root)


def _to_count_patch(session: Session, root: Root) -> bool:
    """Whether the patch is to be counted anew: once the whole was, while a file is open."""
    if root.project is None or root.totals is None or root.closed:
        return False
    if root.counting_patch is not None and not root.counting_patch.done():
        return False
    return _is_open(session, root) and _patch_source(session, root) != root.patch_counted


async def _count_patch(session: Session, root: Root) -> None:
    """Count the patch in the background, with what is typed but not saved."""
    project = root.project
    assert project is not None, "there are data to count"
    try:
        while not root.closed and _patch_source(session, root) != root.patch_counted:
            # Noted before, so that work which failed is not begun again.
            root.patch_counted = _patch_source(session, root)
            texts = {
                document.path: document.text
                for document in session.documents.values()
                if document.root is root
            }
            found = await session.in_thread(_patch_of, project, texts)
            root.patch, root.no_patch, root.at_base = found
            session.tell_status(root)
            await asyncio.sleep(BETWEEN)
    finally:
        root.counting_patch = None
    session.tell_status(root)


def _patch_of(
    project: Project, texts: dict[Path, str]
) -> "tuple[Patch | None, str, BaseFigure | None]":
    patch = project.patch(texts)
    base = project.base()
    return patch, base if isinstance(base, str) else "", project.base_figure()


def _patch_source(session: Session, root: Root) -> object:
    """What the patch's figures depend on."""
    edits = [
        (document.uri, document.edit, document.saves)
        for document in session.documents.values()
        if document.root is root
    ]
    return root.source, root.base_generation, root.files_changed, edits


async def _quiet(session: Session) -> None:
    """Wait until nobody has opened or edited anything for a moment, but not for ever.

    Counting takes all the workers, and the next file that is opened wants one at once.
    """
    loop = asyncio.get_running_loop()
    latest = loop.time() + LONGEST_WAIT
    while True:
        now = loop.time()
        active = max((document.updated for document in session.documents.values()), default=now)
        if now >= min(active + QUIET, latest):
            return
        await asyncio.sleep(min(active + QUIET, latest) - now)
