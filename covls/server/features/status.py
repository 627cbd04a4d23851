"""`covls/status`: what the coverage of each root is worth, sent when it is another."""

import logging

from covls.core.coverage import percent_text
from covls.core.marks import Freshness
from covls.project import State
from covls.server.features.project_coverage import count
from covls.server.messages import STATUS, StatusParams
from covls.server.progress import Progress, with_progress
from covls.server.root import Root
from covls.server.session import Session

logger = logging.getLogger(__name__)

NAMES_SHOWN = 3


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
        state, message = State.STALE, _stale_message(edited)
    percent = root.totals.percent if root.totals is not None else None
    return StatusParams(
        folder=session.folder_uri(root),
        state=state.value,
        percent=percent,
        percent_text=None if percent is None else percent_text(percent, precision),
        patch_percent=None,
        stale=stale,
        message=message,
    )


def _stale_message(edited: list[str]) -> str:
    if not edited:
        return "Some files were modified after they were measured."
    names = ", ".join(edited[:NAMES_SHOWN])
    more = f" and {len(edited) - NAMES_SHOWN} more" if len(edited) > NAMES_SHOWN else ""
    return f"Not the text that was measured: {names}{more}."


def _to_count(session: Session, root: Root) -> bool:
    """Whether the figures are to be counted: there are new data, and somebody has a file open."""
    project = root.project
    if project is None or project.snapshot is None or _source(root) == root.counted:
        return False
    if root.counting is not None and not root.counting.done():
        return False
    return any(
        document.root is root and document.shown is not None
        for document in session.documents.values()
    )


async def _count(session: Session, root: Root) -> None:
    """Count a root's figures in the background, behind what is on screen."""
    project = root.project
    assert project is not None, "there are data to count"

    async def work(progress: Progress) -> None:
        while _source(root) != root.counted and not root.closed:
            # Noted before, so that work which was cancelled or failed is not begun again.
            root.counted = _source(root)
            found = await session.in_thread(count, project, progress)
            if found is None:
                return
            root.totals, root.any_unverified = found

    try:
        await with_progress(session, f"Counting coverage of {root.folder.name}", work)
    finally:
        root.counting = None
    session.tell_status(root)


def _source(root: Root) -> object:
    """What a root's figures depend on. The snapshot itself is not held on to, for it is large."""
    snapshot = root.project.snapshot if root.project is not None else None
    return None if snapshot is None else (snapshot.fingerprint, root.configured)
