"""Long work shown to the user, who can cancel it."""

import asyncio
import logging
import threading
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

from lsprotocol import types

from covls.server.session import Result, Session

logger = logging.getLogger(__name__)

PATIENT = 0.5
"""Seconds that work may take before it is shown: what is over at once would only flicker."""


class Progress:
    """One piece of work as the user sees it. `report` and `cancelled` are for any thread."""

    def __init__(
        self, session: Session, title: str, token: int | str | None, patience: float = PATIENT
    ) -> None:
        self.cancelled = threading.Event()
        self.on_cancel: Callable[[], None] | None = None
        """What else to call where the user cancels it; called on the loop."""
        self._session = session
        self._title = title
        self._given = token is not None
        self._token: int | str = str(uuid.uuid4()) if token is None else token
        self._loop = asyncio.get_running_loop()
        self._shown = False
        self._patience = patience
        self._percentage = -1
        self._words: str | None = None
        session.jobs[self._token] = self.cancel

    def cancel(self) -> None:
        """Have the work end, as its user asked."""
        self.cancelled.set()
        if self.on_cancel is not None:
            self.on_cancel()

    def report(self, done: int, of: int, what: str) -> None:
        """Say how far the work has come; more often than is worth showing does no harm."""
        percentage = 100 * done // max(of, 1)
        if percentage != self._percentage:
            self.say(what, percentage)

    def say(self, words: str, percentage: int = 0) -> None:
        """Say where the work is; each call is shown."""
        self._words, self._percentage = words, percentage
        if not self._loop.is_closed():
            value = types.WorkDoneProgressReport(message=words, percentage=percentage)
            self._loop.call_soon_threadsafe(self._send, value)

    async def begin(self) -> None:
        """Show the work, where the client gave a token for it or can make one."""
        if not self._given:
            await asyncio.sleep(self._patience)
            if not self._session.capabilities.progress:
                return
            server = self._session.server
            params = types.WorkDoneProgressCreateParams(token=self._token)
            answer = server.protocol.send_request_async(
                types.WINDOW_WORK_DONE_PROGRESS_CREATE, params
            )
            try:
                await asyncio.wait_for(asyncio.shield(answer), PATIENT * 4)
            except Exception as error:  # noqa: BLE001 - work goes on, shown or not
                logger.warning("The client shows no progress: %s", error)
                return
        self._shown = True
        begin = types.WorkDoneProgressBegin(
            title=self._title,
            cancellable=True,
            message=self._words,
            percentage=max(self._percentage, 0),
        )
        self._send(begin)

    def end(self) -> None:
        """Take the work off the screen."""
        self._session.jobs.pop(self._token, None)
        if self._shown:
            self._send(types.WorkDoneProgressEnd())
            self._shown = False

    def _send(
        self,
        value: types.WorkDoneProgressBegin
        | types.WorkDoneProgressReport
        | types.WorkDoneProgressEnd,
    ) -> None:
        if self._shown:
            params = types.ProgressParams(token=self._token, value=value)
            self._session.server.protocol.notify(types.PROGRESS, params)


async def with_progress(
    session: Session,
    title: str,
    work: Callable[[Progress], Coroutine[Any, Any, Result]],
    token: int | str | None = None,
    *,
    patience: float = PATIENT,
) -> Result:
    """Do `work` and show it, under the client's own token if it gave one.

    `patience` is how many seconds it may take before it is shown, where the client gave none.
    """
    progress = Progress(session, title, token, patience)
    showing = session.spawn(progress.begin(), f"Showing {title}")
    if token is not None:
        await asyncio.wait([showing])
    try:
        return await work(progress)
    finally:
        progress.cancelled.set()
        if not showing.done():
            showing.cancel()
        progress.end()


def cancel(session: Session, params: types.WorkDoneProgressCancelParams) -> None:
    """Cancel the work that a progress shows; one that has ended is none any more."""
    stop = session.jobs.get(params.token)
    if stop is not None:
        stop()
