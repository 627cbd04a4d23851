"""What one client has open: its documents, its folders, the roots they belong to, and the work
that is under way for them.

Everything here lives on the loop; what takes time is done in threads, on values that do not
change. Whoever wants to know of a change is in `on_shown` or `on_status`, once, in `app`.
"""

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from covls.adapters.configuration import find_root
from covls.core.lines import split_lines
from covls.core.settings import Layer, Problem
from covls.project import FileView
from covls.server.capabilities import Capabilities
from covls.server.convert import uri_of
from covls.server.protocol import Server
from covls.server.root import Root, configure, explicit_root, innermost

logger = logging.getLogger(__name__)

P = ParamSpec("P")
Result = TypeVar("Result")

TOGETHER = 0.02
"""Seconds in which changes of several files become one request to ask again."""

TYPING = 0.05
"""Seconds from one computation of marks to the next: a burst of edits makes few of them."""

PATIENCE = 2.0
"""Seconds a client has to answer what the server must know to go on."""

DECIDING = 60.0
"""Seconds a client has for an edit: it may ask its user before it makes one, as Emacs does."""

AFTER_ANSWER = 0.1
"""Seconds from the answer to a command to what comes of it. Emacs's lsp-mode loses what it reads
together with an answer that it waits for."""

CLOSING = 1.2
"""Seconds that closing may take before whatever is stuck is left behind."""

THREADS = 8

HISTORY = 1.0
"""Seconds between two looks whether HEAD or a branch of git is another; each is a few `stat`s."""

Key = tuple[int, int, int, int]
"""Edit of a document, changes of its file, generation of its root, generation of the session."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A document's text with its coverage: what all features of that moment are made from."""

    key: Key
    version: int | None
    text: str
    lines: Sequence[str]
    view: FileView | None
    """None where there is no coverage, or none is to be shown."""


@dataclass(eq=False, slots=True)
class Document:
    """A file that the client has open."""

    uri: str
    """In the client's spelling."""
    path: Path
    version: int | None
    text: str
    edit: int = 0
    saves: int = 0
    """Changes of its file, by the client or behind its back."""
    closed: bool = False
    root: Root | None = None
    shown: Shown | None = None
    computing: tuple[Key, asyncio.Task[Shown]] | None = None
    timer: asyncio.TimerHandle | None = None
    update: asyncio.Task[None] | None = None
    update_again: bool = False
    updated: float = float("-inf")
    """When its marks were last computed anew, by the loop's clock."""

    published: list[types.Diagnostic] = field(default_factory=list)
    """The diagnostics last sent."""
    result_id: str | None = None
    pulled_edit: int | None = None
    """Which edit the client last pulled diagnostics of."""
    told: object = None
    """What `covls/didChangeCoverage` was last sent for."""
    lensed: tuple[Key, object] | None = None
    """What the lenses were last answered with."""
    hinted: tuple[Key, object] | None = None
    """What the inlay hints were last answered from."""


class Session:
    """One client's session, from `initialize` to `exit`."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.capabilities = Capabilities()
        self.folders: tuple[Path, ...] = ()
        self.folder_uris: dict[Path, str] = {}
        self.documents: dict[str, Document] = {}
        self.roots: dict[str, Root] = {}
        self.initialization_options: Layer | None = None
        self.client_settings: dict[Path | None, Layer] = {}
        self.configured = asyncio.Event()
        self.enabled = True
        self.generation = 0
        self.closing = False
        self._closed: asyncio.Task[None] | None = None
        self.jobs: dict[int | str, Callable[[], None]] = {}
        """What to call when the client cancels a progress."""
        self.on_shown: list[Callable[[Session, Document, Shown], Awaitable[None]]] = []
        self.on_status: list[Callable[[Session, Root], None]] = []
        self.turn = asyncio.Lock()
        """Held by the test run under way: those of several roots do not overlap either, as they
        may use one database, one port, one machine. Each waits for those before it."""
        self.in_background = asyncio.Lock()
        """Held by what is read ahead, so that it takes one thread at most."""
        self._refreshes: Counter[str] = Counter()
        self._refreshing: dict[str, asyncio.Task[None]] = {}
        self._root_folders: dict[Path, tuple[Path, Path | None]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="covls")

    # Work

    async def in_thread(
        self, function: Callable[P, Result], *args: P.args, **kwargs: P.kwargs
    ) -> Result:
        """Call what would hold up the loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(function, *args, **kwargs))

    def spawn(self, work: Coroutine[Any, Any, Result], name: str) -> asyncio.Task[Result]:
        """Start work that nobody waits for; what goes wrong in it is logged."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def request(self, answer: Awaitable[Result], patience: float = PATIENCE) -> Result | None:
        """Wait for a client's answer; None if it gave none in time, in seconds, or an error.

        What is waited for is shielded: pygls cannot take an answer to what was cancelled.
        """
        future = asyncio.ensure_future(answer)
        try:
            return await asyncio.wait_for(asyncio.shield(future), patience)
        except TimeoutError:
            logger.warning("The client did not answer in time.")
            future.add_done_callback(lambda late: late.cancelled() or late.exception())
        except JsonRpcException as error:
            logger.warning("The client answered with an error: %s", error)
        return None

    def ask_again(self, method: str) -> None:
        """Have the client ask again for what it shows, by one of the protocol's refresh requests.

        What changes while it is asked makes one request more.
        """
        self._refreshes[method] += 1
        asking = self._refreshing.get(method)
        if asking is None or asking.done():
            self._refreshing[method] = self.spawn(self._ask_again(method), f"Sending {method}")

    async def _ask_again(self, method: str) -> None:
        asked = -1
        while asked != self._refreshes[method]:
            await asyncio.sleep(TOGETHER)
            asked = self._refreshes[method]
            await self.request(self.server.protocol.send_request_async(method, None))

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not self.closing:
            logger.error("%s failed.", task.get_name(), exc_info=error)

    async def close(self) -> None:
        """End all work, workers and watchers, within `CLOSING` seconds."""
        if self._closed is None:
            self._closed = asyncio.create_task(self._close())
        await asyncio.shield(self._closed)

    async def _close(self) -> None:
        self.closing = True
        for document in self.documents.values():
            document.closed = True
            if document.timer is not None:
                document.timer.cancel()
        for cancel in tuple(self.jobs.values()):
            cancel()
        for task in tuple(self._tasks):
            task.cancel()
        roots = tuple(self.roots.values())
        for root in roots:
            root.closed = True
            if root.timer is not None:
                root.timer.cancel()
        if roots:
            # A pool of its own: the session's may be full of what is to be ended.
            with_threads = ThreadPoolExecutor(len(roots), thread_name_prefix="covls-close")
            loop = asyncio.get_running_loop()
            closed = [loop.run_in_executor(with_threads, root.close) for root in roots]
            done, pending = await asyncio.wait(closed, timeout=CLOSING)
            for one in done:
                if (error := one.exception()) is not None:
                    logger.error("Closing a root failed.", exc_info=error)
            if pending:
                logger.warning("%d roots did not close in time.", len(pending))
            with_threads.shutdown(wait=False, cancel_futures=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    # Documents

    def open(self, uri: str, path: Path, version: int | None, text: str) -> None:
        """Take in a document; one that is open already is taken as edited."""
        if uri in self.documents:
            self.edit(uri, version, text)
            return
        document = Document(uri, path, version, text)
        self.documents[uri] = document
        self.touch(document)

    def edit(self, uri: str, version: int | None, text: str) -> None:
        """Take in a document's new text."""
        document = self.documents.get(uri)
        if document is not None:
            document.version, document.text = version, text
            document.edit += 1
            now = asyncio.get_running_loop().time()
            self.touch(document, after=max(0.0, document.updated + TYPING - now))

    def file_changed(self, document: Document) -> None:
        """Show a document anew, because its file is another: measured text may be known by it."""
        document.saves += 1
        self.touch(document)

    def other_file_changed(self, path: Path) -> None:
        """Take note of a change of a file that is not open: it may be the patch's."""
        for root in self.roots.values():
            if path.is_relative_to(root.folder):
                root.files_changed += 1
                self.tell_status(root)

    def close_document(self, uri: str) -> Document | None:
        """Let go of a document."""
        document = self.documents.pop(uri, None)
        if document is None:
            return None
        document.closed = True
        if document.timer is not None:
            document.timer.cancel()
        root = document.root
        if root is not None and root.project is not None:
            if not any(other.path == document.path for other in self.documents.values()):
                self._threads.submit(root.project.forget, document.path)
            self._close_unused_roots()
            self.tell_status(root)
        return document

    def touch(self, document: Document, after: float = 0.0) -> None:
        """Have a document shown anew, soon; many calls make one."""
        if document.timer is None and not document.closed and not self.closing:
            loop = asyncio.get_running_loop()
            document.timer = loop.call_later(after, self._update, document)

    def _update(self, document: Document) -> None:
        document.timer = None
        document.updated = asyncio.get_running_loop().time()
        if document.update is not None and not document.update.done():
            document.update_again = True
        elif not document.closed:
            work = self._show_updated(document)
            document.update = self.spawn(work, f"Updating {document.path}")

    async def _show_updated(self, document: Document) -> None:
        while not document.closed:
            document.update_again = False
            shown = await self.shown(document)
            if shown is not None and shown.key == self.key(document):
                for tell in self.on_shown:
                    await tell(self, document, shown)
                if document.root is not None:
                    self.tell_status(document.root)
            if not document.update_again:
                return

    def key(self, document: Document) -> Key:
        """What a document's marks depend on, as it is now."""
        root = document.root
        generation = -1 if root is None else root.generation
        return document.edit, document.saves, generation, self.generation

    async def shown(self, document: Document) -> Shown | None:
        """A document with its coverage as they are now; None once it was closed."""
        root = await self.root_of(document.path)
        if document.root is not root:
            document.root = root
            document.shown = document.computing = None
        while not document.closed and not self.closing:
            key = self.key(document)
            if document.shown is not None and document.shown.key == key:
                return document.shown
            if document.computing is None or document.computing[0] != key:
                work = self._compute(document, root, key)
                document.computing = key, self.spawn(work, f"Viewing {document.path}")
            # Shielded, for whoever waits may be cancelled while others wait for the same.
            found = await asyncio.shield(document.computing[1])
            if found.key == self.key(document):
                document.shown = found
                return found
        return None

    async def _compute(self, document: Document, root: Root, key: Key) -> Shown:
        version, text, project = document.version, document.text, root.project
        visible = project is not None and self.enabled and root.settings.enable

        def compute() -> tuple[Shown, list[Problem]]:
            view, problems = None, []
            if visible and project is not None:
                view = project.view(document.path, text)
                if view is None:
                    places = str(document.path), os.path.realpath(document.path)
                    problems = [each for each in project.problems if each.where in places]
            lines = split_lines(text) if view is None else view.line_map.after.lines
            return Shown(key, version, text, lines, view), problems

        shown, problems = await self.in_thread(compute)
        # Workers that were ended for new settings are no fault of the file's.
        if not root.configuring and not root.closed and not self.closing:
            self._report_unreadable(root, problems)
        return shown

    # Roots

    def set_folders(self, folders: Sequence[tuple[Path, str]]) -> None:
        """Take the client's folders, as path and URI."""
        self.folders = tuple(dict.fromkeys(path for path, _ in folders))
        self.folder_uris = dict(folders)
        self._close_unused_roots()
        self.find_roots_anew()

    def find_roots_anew(self) -> None:
        """Ask again which root each document belongs to: folders, settings or files changed."""
        self._root_folders.clear()
        for document in self.documents.values():
            self.touch(document)
        self.spawn(self._settle_roots(), "Finding roots")

    async def _settle_roots(self) -> None:
        """Wait until each document knows its root, and close the roots that none is left in."""
        documents = tuple(self.documents.values())
        await asyncio.gather(*(self.shown(document) for document in documents))
        self._close_unused_roots()

    def _close_unused_roots(self) -> None:
        used = {id(document.root) for document in self.documents.values()}
        for key, root in tuple(self.roots.items()):
            if id(root) not in used and innermost(root.folder, self.folders) is None:
                del self.roots[key]
                self.drop(root)

    def drop(self, root: Root) -> None:
        """Stop serving a root."""
        root.closed = True
        root.runs.cancel()
        for uri in root.runs.published:
            params = types.PublishDiagnosticsParams(uri=uri, diagnostics=[])
            self.server.text_document_publish_diagnostics(params)
        for task in (root.look, root.counting, root.counting_patch, root.following, root.started):
            if task is not None:
                task.cancel()
        if root.timer is not None:
            root.timer.cancel()
        self._threads.submit(root.close)

    async def root_of(self, path: Path) -> Root:
        """The root that a file belongs to, ready to be asked."""
        await self._wait_until_configured()
        found = self._root_folders.get(path.parent)
        if found is None:
            found = await self.in_thread(self._find_root, path, self.folders)
            self._root_folders[path.parent] = found
        return await self._root_at(*found)

    async def root_at_folder(self, folder: Path) -> Root:
        """The root of a folder, ready to be asked."""
        return await self.root_of(folder / "any.py")

    async def _root_at(self, folder: Path, workspace_folder: Path | None) -> Root:
        key = os.path.realpath(folder)  # noqa: ASYNC240 - some microseconds, once a root
        root = self.roots.get(key)
        if root is None:
            root = self.roots[key] = Root(folder, workspace_folder)
            root.started = self.spawn(self._start(root), f"Opening {folder}")
        if root.started is not None:
            await asyncio.wait([root.started])
        return root

    def _find_root(self, path: Path, folders: tuple[Path, ...]) -> tuple[Path, Path | None]:
        workspace_folder = innermost(path, folders)
        if workspace_folder is None:
            return find_root(path), None
        if not path.is_relative_to(workspace_folder):
            path = Path(os.path.realpath(path))
            inner = Path(os.path.realpath(workspace_folder))
        else:
            inner = workspace_folder
        layers = self.client_layers(workspace_folder)
        roots = configure(workspace_folder, None, layers).settings.roots
        named = explicit_root(path, inner, roots) if roots else None
        root = named or find_root(path, within=inner)
        # One folder has one spelling, the client's, by whichever way a file in it was reached.
        real = os.path.realpath(root)
        spelled = (folder for folder in folders if os.path.realpath(folder) == real)
        return next(spelled, root), workspace_folder

    async def _wait_until_configured(self) -> None:
        if not self.configured.is_set():
            try:
                await asyncio.wait_for(self.configured.wait(), PATIENCE)
            except TimeoutError:
                logger.warning("The client has not told its settings; going on without.")
                self.configured.set()

    def client_layers(self, workspace_folder: Path | None) -> list[Layer]:
        """The client's settings for a folder, the weaker first."""
        specific = self.client_settings.get(workspace_folder, self.client_settings.get(None))
        layers = (self.initialization_options, specific)
        return [layer for layer in layers if layer is not None]

    def _callbacks(self, root: Root) -> tuple[Callable[[], None], Callable[[str], None]]:
        """What a root's watcher calls, from its own thread."""
        loop = asyncio.get_running_loop()

        def call(function: Callable[..., None], *arguments: object) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(function, *arguments)

        return partial(call, self.look, root), partial(call, self.log_message)

    async def _start(self, root: Root) -> None:
        layers = self.client_layers(root.workspace_folder)
        try:
            on_screen = [
                document.path
                for document in self.documents.values()
                if document.path.is_relative_to(root.folder)
            ]
            await self.in_thread(root.open, layers, on_screen, *self._callbacks(root))
        finally:
            if not root.closed:
                self.root_changed(root)
        # A run may be under way; the next look says when to look again.
        self.look(root)
        if not root.closed:
            root.following = self.spawn(self._follow_history(root), f"Following {root.folder}")

    async def _follow_history(self, root: Root) -> None:
        """Show all anew when git has another HEAD or branch: what was changed is something else."""
        while not root.closed:
            await asyncio.sleep(HISTORY)
            project = root.project
            on_screen = any(document.root is root for document in self.documents.values())
            if project is None or not on_screen or root.settings.watch.mode == "off":
                continue
            generation = await self.in_thread(project.base_generation)
            if generation != root.base_generation and not root.closed:
                root.base_generation = generation
                self.root_changed(root)
                if project.pulled is not None:
                    # How many commits ago it was measured is another number now.
                    self.look(root)

    def look(self, root: Root) -> None:
        """Look whether a root's data or settings changed; calls while it is looked at make one."""
        if root.closed or self.closing:
            return
        if root.look is not None and not root.look.done():
            root.look_again = True
            return
        if root.timer is not None:
            root.timer.cancel()
            root.timer = None
        root.look = self.spawn(self._look(root), f"Looking at {root.folder}")

    async def _look(self, root: Root) -> None:
        if root.started is not None:
            await asyncio.wait([root.started])
        while not root.closed:
            root.look_again = False
            on_screen = [d.path for d in self.documents.values() if d.root is root]
            layers = self.client_layers(root.workspace_folder)
            callbacks = self._callbacks(root)
            refreshed = await self.in_thread(root.refresh, layers, on_screen, *callbacks)
            if refreshed.changed:
                self.root_changed(root)
            if not root.look_again:
                if refreshed.again_in is not None:
                    loop = asyncio.get_running_loop()
                    root.timer = loop.call_later(refreshed.again_in, self.look, root)
                return

    def root_changed(self, root: Root) -> None:
        """Show anew what belongs to a root: its data or settings are others."""
        root.generation += 1
        root.configuring = False
        self._report_problems(root)
        for document in self.documents.values():
            if document.root is root or document.root is None:
                self.touch(document)
        self.tell_status(root)

    def configuration_changed(self) -> None:
        """Read all settings again: the client's, or those of files, changed."""
        for root in self.roots.values():
            root.reconfigure = True
            self.look(root)
        self.find_roots_anew()

    def show_anew(self) -> None:
        """Show every document anew, as after a change of what is to be shown."""
        self.generation += 1
        for document in self.documents.values():
            self.touch(document)

    def tell_status(self, root: Root) -> None:
        """Let the client know of a root's status, if it is another."""
        if not self.closing and not root.closed:
            for tell in self.on_status:
                tell(self, root)

    # What the client is asked to do

    async def apply_edit(self, label: str, edit: types.WorkspaceEdit) -> bool:
        """Have the client change files. Says whether it did, as far as it answers in time."""
        params = types.ApplyWorkspaceEditParams(edit=edit, label=label)
        answer = await self.request(self.server.workspace_apply_edit_async(params), DECIDING)
        return answer is not None and answer.applied

    async def show_document(
        self, uri: str, selection: types.Range | None = None, *, external: bool = False
    ) -> bool:
        """Have the client show a file, itself or, with `external`, in a browser. Says if it did."""
        if not self.capabilities.show_document:
            return False
        params = types.ShowDocumentParams(
            uri=uri, external=external, take_focus=True, selection=selection
        )
        answer = await self.request(self.server.window_show_document_async(params))
        return answer is not None and answer.success

    async def ask(
        self,
        question: str,
        choices: Sequence[str],
        kind: types.MessageType = types.MessageType.Info,
        *,
        instead: str = "",
    ) -> str | None:
        """Let the user choose; None for none of them. It takes as long as the user does.

        `instead` is what to tell the user of a client that asks no questions.
        """
        params = types.ShowMessageRequestParams(
            type=kind,
            message=f"covls: {question}",
            actions=[types.MessageActionItem(title=choice) for choice in choices],
        )
        answer = asyncio.ensure_future(self.server.window_show_message_request_async(params))
        try:
            chosen = await asyncio.shield(answer)
        except JsonRpcException as error:
            logger.warning("The client did not ask the user: %s", error)
            if instead:
                self.say(instead, kind)
            return None
        return None if chosen is None else chosen.title

    # Words for the user

    def _report_problems(self, root: Root) -> None:
        """Tell of each problem once, and again if it went away and came back."""
        problems: list[str] = []
        if root.configured is not None:
            problems += map(str, root.configured.problems)
        if root.project is not None:
            problems += map(str, root.project.configuration.problems)
            if root.project.snapshot is not None:
                data_file = root.project.snapshot.data_file
                problems += [f"`{data_file}`: {text}" for text in root.project.snapshot.problems]
        others = set().union(
            *(other.reported for other in self.roots.values() if other is not root)
        )
        for problem in dict.fromkeys(problems):
            if problem not in root.reported and problem not in others:
                self.warn(problem)
        unreadable = {problem for problem in root.reported if problem.startswith(_UNREADABLE)}
        root.reported = {*problems, *unreadable}

    def _report_unreadable(self, root: Root, problems: Sequence[Problem]) -> None:
        """Tell why a measured file shows no coverage: it cannot be read or does not parse."""
        for problem in problems:
            key = f"{_UNREADABLE}{problem}"
            if key not in root.reported:
                root.reported.add(key)
                self.warn(problem.message)

    def warn(self, text: str) -> None:
        """Show a warning to the user."""
        logger.warning("%s", text)
        self.say(text, types.MessageType.Warning)

    def inform(self, text: str) -> None:
        """Tell the user what was asked for."""
        self.say(text, types.MessageType.Info)

    def say(self, text: str, kind: types.MessageType) -> None:
        """Show a message to the user."""
        params = types.ShowMessageParams(type=kind, message=f"covls: {text}")
        self.server.window_show_message(params)

    def log_message(self, text: str) -> None:
        """Put a line into the client's log."""
        logger.info("%s", text)
        self.server.window_log_message(
            types.LogMessageParams(type=types.MessageType.Info, message=f"covls: {text}")
        )

    def folder_uri(self, root: Root) -> str:
        """A root's URI, in the client's spelling where it is one of its folders."""
        return self.folder_uris.get(root.folder) or uri_of(root.folder)


_UNREADABLE = "unreadable: "
