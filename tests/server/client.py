"""An editor for tests: real capabilities, real stdio, and nothing that is said to it goes unheard.

Every message from the server must be claimed: received by the test, or ignored by its method,
explicitly. What is left at the end fails the test.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

CAPABILITIES = Path(__file__).parent / "capabilities"
KINDS = ("neovim", "vscode", "minimal")
DEADLINE = 60.0

Params = Any


class ResponseError(Exception):
    """The server answered a request with an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: int = error["code"]
        self.message: str = error["message"]


def uri_of(path: Path | str) -> str:
    """A file's URI, encoded as Neovim does."""
    return "file://" + quote(os.fspath(path))


def capabilities(kind: str) -> dict[str, Any]:
    """What an editor says it can do, as recorded from the real one."""
    found: dict[str, Any] = json.loads((CAPABILITIES / f"{kind}.json").read_text())
    return found


class Client:
    """One editor with one server of its own, started as a child process."""

    def __init__(self, kind: str = "minimal", *arguments: str) -> None:
        self.kind = kind
        self.capabilities = capabilities(kind)
        self.arguments = arguments
        self.settings: dict[str, Any] = {}
        self.environment = dict(os.environ)
        self.process: asyncio.subprocess.Process
        self.server: dict[str, Any] = {}
        self.unclaimed: list[dict[str, Any]] = []
        self.answers: dict[str, Callable[[Params], Any]] = {}
        self.registrations: dict[str, Any] = {}
        self._ignored: set[str] = set()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._arrived = asyncio.Event()
        self._last_id = 0
        self.silent = False
        """Whether requests that are not expected stay unanswered, instead of being refused."""
        self.refreshes = 0
        """How often the server asked to pull diagnostics again."""
        self.asked_again: Counter[str] = Counter()
        """How often the server asked to ask again for code lenses and for inlay hints."""
        self._versions: dict[str, int] = {}
        self._errors: IO[bytes]
        self._reading: asyncio.Task[None] | None = None

    # The process

    async def launch(self) -> None:
        """Start the server's process."""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by kill()
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "covls",
            "serve",
            *self.arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._errors,
            env=self.environment,
            limit=1 << 26,
        )
        self._reading = asyncio.create_task(self._read())

    async def start(
        self,
        *folders: Path,
        options: Any = None,
        settings: dict[str, Any] | None = None,
        process_id: int | None = None,
        uri: Callable[[Path], str] = uri_of,
    ) -> dict[str, Any]:
        """Launch, initialize, and answer what the server may ask such a client."""
        await self.launch()
        self.settings = settings or {}
        workspace = self.capabilities.get("workspace", {})
        if workspace.get("configuration"):
            self.answers["workspace/configuration"] = self._configuration
        if workspace.get("didChangeWatchedFiles", {}).get("dynamicRegistration"):
            self.answers["client/registerCapability"] = self._register
        if workspace.get("diagnostics", {}).get("refreshSupport"):
            self.answers["workspace/diagnostic/refresh"] = self._refresh
        for shown in ("codeLens", "inlayHint"):
            if (workspace.get(shown) or {}).get("refreshSupport"):
                self.answers[f"workspace/{shown}/refresh"] = partial(self._note_refresh, shown)
        if self.capabilities.get("window", {}).get("workDoneProgress"):
            self.answers["window/workDoneProgress/create"] = lambda _: None
        params = {
            "processId": os.getpid() if process_id is None else process_id,
            "rootUri": uri(folders[0]) if folders else None,
            "capabilities": self.capabilities,
            "workspaceFolders": [{"uri": uri(f), "name": f.name} for f in folders] or None,
        }
        if options is not None:
            params["initializationOptions"] = options
        self.server = await self.request("initialize", params)
        self.notify("initialized", {})
        return self.server

    async def end(self, code: int = 0) -> None:
        """Shut the server down; it must leave with `code`, and nothing may be left unclaimed."""
        if self.process.returncode is None:
            await self.request("shutdown", None)
            self.notify("exit", None)
        await self.left(code)
        assert self.unclaimed == [], f"unclaimed messages: {json.dumps(self.unclaimed, indent=1)}"

    async def left(self, code: int) -> None:
        """Wait until the server's process has ended with `code`."""
        async with asyncio.timeout(DEADLINE):
            found = await self.process.wait()
            if self._reading is not None:
                await self._reading
        assert found == code, self.log()

    async def kill(self) -> None:
        """Make an end of it, whatever state it is in."""
        if self._reading is None:
            return
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        # Of a server whose output nobody read to its end, the pipe is open still.
        self.process._transport.close()  # type: ignore[attr-defined]
        self._errors.close()

    def log(self) -> str:
        """What the server wrote to standard error so far."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")

    # Messages

    def send(self, message: dict[str, Any]) -> None:
        """Send a message as it is."""
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.send_bytes(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def send_bytes(self, data: bytes) -> None:
        """Send what may be no message at all."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    def notify(self, method: str, params: Params) -> None:
        """Send a notification."""
        self.send({"method": method, **({} if params is None else {"params": params})})

    def ask(self, method: str, params: Params) -> tuple[int, asyncio.Future[Any]]:
        """Send a request; its id, and what will hold the answer."""
        self._last_id += 1
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[self._last_id] = future
        message = {"id": self._last_id, "method": method}
        self.send({**message, **({} if params is None else {"params": params})})
        return self._last_id, future

    async def request(self, method: str, params: Params) -> Any:
        """Send a request and wait for its result. Raises ResponseError."""
        _, future = self.ask(method, params)
        try:
            async with asyncio.timeout(DEADLINE):
                return await future
        except TimeoutError:
            raise AssertionError(f"{method} was not answered.\n{self.log()}") from None

    def ignore(self, *methods: str) -> None:
        """Claim all messages of some methods, past and to come."""
        self._ignored.update(methods)
        self.unclaimed = [m for m in self.unclaimed if m["method"] not in self._ignored]

    async def receive(
        self, method: str, where: Callable[[Params], bool] = lambda _: True
    ) -> Params:
        """The next message of a method that is as asked for; it alone is claimed."""
        try:
            async with asyncio.timeout(DEADLINE):
                while True:
                    for message in self.unclaimed:
                        if message["method"] == method and where(message.get("params")):
                            self.unclaimed.remove(message)
                            return message.get("params")
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            raise AssertionError(
                f"{method} did not come; unclaimed: {json.dumps(self.unclaimed, indent=1)}\n"
                f"{self.log()}"
            ) from None

    async def receive_until(self, method: str, where: Callable[[Params], bool]) -> Params:
        """As `receive`, and messages of the method before the one asked for are claimed, too."""
        found = await self.receive(method, where)
        self.unclaimed = [m for m in self.unclaimed if m["method"] != method]
        return found

    def count(self, method: str) -> int:
        """How many messages of a method are unclaimed."""
        return sum(message["method"] == method for message in self.unclaimed)

    async def _read(self) -> None:
        assert self.process.stdout is not None
        stdout = self.process.stdout
        while header := await stdout.readline():
            name, _, value = header.partition(b":")
            assert name == b"Content-Length", f"not a message: {header!r}"
            assert await stdout.readline() == b"\r\n"
            self._take(json.loads(await stdout.readexactly(int(value))))
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ConnectionError("the server is gone"))

    def _take(self, message: dict[str, Any]) -> None:
        if "method" not in message:
            future = self._waiting.pop(message.get("id", 0), None)
            if future is None:
                self.unclaimed.append({"method": "(answer to nothing)", **message})
            elif future.cancelled():
                pass
            elif "error" in message:
                future.set_exception(ResponseError(message["error"]))
            else:
                future.set_result(message["result"])
            return
        if "id" in message and message["method"] in self.answers:
            result = self.answers[message["method"]](message.get("params"))
            self.send({"id": message["id"], "result": result})
            self._arrived.set()
            return
        if "id" in message and not self.silent:
            error = {"code": -32601, "message": "the test did not expect this request"}
            self.send({"id": message["id"], "error": error})
        if message["method"] not in self._ignored:
            self.unclaimed.append(message)
            self._arrived.set()

    def _configuration(self, params: Params) -> list[Any]:
        return [
            self.settings.get(item.get("scopeUri"), self.settings.get(item.get("section")))
            for item in params["items"]
        ]

    def _note_refresh(self, shown: str, _: Params) -> None:
        self.asked_again[shown] += 1
        self._arrived.set()

    async def asked(self, shown: str, times: int) -> None:
        """Wait until the server has asked so often to ask again for what is shown."""
        try:
            async with asyncio.timeout(DEADLINE):
                while self.asked_again[shown] < times:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            raise AssertionError(f"nobody asked to get {shown} again\n{self.log()}") from None

    def _refresh(self, _: Params) -> None:
        self.refreshes += 1
        self._arrived.set()

    async def _refresh_after(self, asked: int) -> None:
        try:
            async with asyncio.timeout(DEADLINE):
                while self.refreshes == asked:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            raise AssertionError(f"nobody asked to pull again\n{self.log()}") from None

    def _register(self, params: Params) -> None:
        for registration in params["registrations"]:
            self.registrations[registration["method"]] = registration.get("registerOptions")

    # Documents

    def open(self, path: Path, text: str | None = None, *, uri: str | None = None) -> str:
        """Open a file, with its text on disk or another. Returns its URI."""
        uri = uri or uri_of(path)
        if text is None:
            # Line ends stay as they are: an editor tells them apart, and so does the protocol.
            text = path.read_bytes().decode()
        self._versions[uri] = 1
        document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})
        return uri

    def change(self, uri: str, text: str) -> int:
        """Replace a document's text. Returns its new version."""
        self._versions[uri] += 1
        document = {"uri": uri, "version": self._versions[uri]}
        changes = [{"text": text}]
        params = {"textDocument": document, "contentChanges": changes}
        self.notify("textDocument/didChange", params)
        return self._versions[uri]

    def save(self, uri: str) -> None:
        """Say that a document was saved."""
        self.notify("textDocument/didSave", {"textDocument": {"uri": uri}})

    def close(self, uri: str) -> None:
        """Close a document."""
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    @property
    def pulls(self) -> bool:
        """Whether diagnostics are pulled from the server rather than published by it."""
        return "diagnosticProvider" in self.server["capabilities"]

    async def diagnostics(
        self, uri: str, where: Callable[[list[Any]], bool] = lambda _: True
    ) -> list[Any]:
        """The next diagnostics of a document that are as asked for, published or pulled.

        A client that pulls does so again whenever it is asked to, as VS Code does.
        """
        if not self.pulls:
            params = await self.receive(
                "textDocument/publishDiagnostics",
                lambda params: params["uri"] == uri and where(params["diagnostics"]),
            )
            return list(params["diagnostics"])
        while True:
            asked = self.refreshes
            items: list[Any] = (await self.pull(uri))["items"]
            if where(items):
                return items
            await self._refresh_after(asked)

    async def pull(self, uri: str, previous: str | None = None) -> Any:
        """Pull a document's diagnostics."""
        params: dict[str, Any] = {"textDocument": {"uri": uri}, "identifier": "covls"}
        if previous is not None:
            params["previousResultId"] = previous
        return await self.request("textDocument/diagnostic", params)

    async def hover(self, uri: str, line: int, character: int = 0) -> Any:
        """Hover over a line, 0-based."""
        position = {"line": line, "character": character}
        params = {"textDocument": {"uri": uri}, "position": position}
        return await self.request("textDocument/hover", params)

    async def lenses(self, uri: str) -> Any:
        """A document's code lenses."""
        return await self.request("textDocument/codeLens", {"textDocument": {"uri": uri}})

    async def hints(self, uri: str, first: int = 0, last: int = 10_000) -> Any:
        """A document's inlay hints on some lines, 0-based."""
        place = {"start": {"line": first, "character": 0}, "end": {"line": last, "character": 99}}
        params = {"textDocument": {"uri": uri}, "range": place}
        return await self.request("textDocument/inlayHint", params)

    async def coverage(self, uri: str) -> Any:
        """A file's coverage."""
        return await self.request("covls/fileCoverage", {"textDocument": {"uri": uri}})

    async def actions(
        self,
        uri: str,
        first: int,
        last: int | None = None,
        *,
        only: list[str] | None = None,
        diagnostics: list[Any] | None = None,
    ) -> Any:
        """The code actions at lines, counted from 1."""
        end = first if last is None else last
        place = {
            "start": {"line": first - 1, "character": 0},
            "end": {"line": end - 1, "character": 1 if last is not None else 0},
        }
        context: dict[str, Any] = {"diagnostics": diagnostics or []}
        if only is not None:
            context["only"] = only
        params = {"textDocument": {"uri": uri}, "range": place, "context": context}
        return await self.request("textDocument/codeAction", params)

    async def until(self, come: Callable[[], Any]) -> None:
        """Wait until something is true that messages which are answered here make true."""
        try:
            async with asyncio.timeout(DEADLINE):
                while not come():
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            raise AssertionError(f"it did not come\n{self.log()}") from None

    async def command(self, name: str, *arguments: Any) -> Any:
        """Run a command of the server's."""
        params = {"command": name, "arguments": list(arguments)}
        return await self.request("workspace/executeCommand", params)


def shape(diagnostics: list[Any]) -> list[tuple[int, int, str]]:
    """First line, last line (1-based) and code of diagnostics."""
    return [
        (d["range"]["start"]["line"] + 1, d["range"]["end"]["line"] + 1, d["code"])
        for d in diagnostics
    ]
