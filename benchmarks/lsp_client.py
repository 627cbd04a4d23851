"""A language server over stdio as an editor sees it, with the time each message arrived at."""

import itertools
import json
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

PATIENCE_SECONDS = 120.0

#: What a plain editor can do: it takes pushed diagnostics and no more.
CAPABILITIES: Mapping[str, Any] = {
    "general": {"positionEncodings": ["utf-16"]},
    "workspace": {"workspaceFolders": True, "configuration": False},
    "textDocument": {
        "synchronization": {"didSave": True},
        "publishDiagnostics": {"versionSupport": True, "relatedInformation": True},
        "hover": {"contentFormat": ["markdown"]},
    },
}


class ServerError(Exception):
    """The server ended, kept silent for too long, or answered a request with an error."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message and the moment (`time.perf_counter`) at which its last byte was read."""

    at: float
    body: Mapping[str, Any]


class Client:
    """One server process. Use as a context manager: leaving it ends the server."""

    def __init__(
        self, command: Sequence[str], *, folder: Path, environment: Mapping[str, str], log: Path
    ) -> None:
        self._log = log.open("ab")
        self.folder = folder
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        self._ids = itertools.count(1)
        self._arrived: queue.SimpleQueue[Arrived | None] = queue.SimpleQueue()
        self._unclaimed: list[Arrived] = []
        assert self.process.stdout is not None
        threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True).start()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            if self.process.poll() is None:
                self.request("shutdown", None)
                self.notify("exit", None)
            self.process.wait(10)
        except (ServerError, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        finally:
            self._log.close()

    def notify(self, method: str, params: Any) -> float:
        """Send a notification. Returns the moment before its first byte was written."""
        return self._send({"method": method, "params": params})

    def request(self, method: str, params: Any) -> tuple[float, Any]:
        """Send a request and wait for its answer: the seconds that took, and the result."""
        identity = next(self._ids)
        sent = self._send({"id": identity, "method": method, "params": params})
        answer = self.wait(lambda body: body.get("id") == identity and "method" not in body)
        if "error" in answer.body:
            raise ServerError(f"{method}: {answer.body['error']}")
        return answer.at - sent, answer.body["result"]

    def wait(
        self, wanted: Callable[[Mapping[str, Any]], bool], *, patience: float = PATIENCE_SECONDS
    ) -> Arrived:
        """The first message that is wanted, whether it has come already or is still to come."""
        for index, arrived in enumerate(self._unclaimed):
            if wanted(arrived.body):
                return self._unclaimed.pop(index)
        deadline = time.perf_counter() + patience
        while True:
            try:
                arrived_or_end = self._arrived.get(timeout=deadline - time.perf_counter())
            except (queue.Empty, ValueError):
                raise ServerError(f"nothing of what was waited for in {patience} s") from None
            if arrived_or_end is None:
                raise ServerError("the server closed its output")
            if "id" in arrived_or_end.body and "method" in arrived_or_end.body:
                self._answer(arrived_or_end.body)
            elif wanted(arrived_or_end.body):
                return arrived_or_end
            else:
                self._unclaimed.append(arrived_or_end)

    def forget(self) -> None:
        """Drop what has arrived and nobody asked for."""
        self._unclaimed.clear()
        while not self._arrived.empty():
            arrived = self._arrived.get()
            if arrived is None:
                raise ServerError("the server closed its output")
            if "id" in arrived.body and "method" in arrived.body:
                self._answer(arrived.body)

    def initialize(self) -> tuple[float, Any]:
        """Shake hands: the seconds from the process's start to the answer, and the answer."""
        _, result = self.request(
            "initialize",
            {
                "processId": None,
                "rootUri": self.folder.as_uri(),
                "workspaceFolders": [{"uri": self.folder.as_uri(), "name": self.folder.name}],
                "capabilities": CAPABILITIES,
            },
        )
        answered = time.perf_counter() - self.started
        self.notify("initialized", {})
        return answered, result

    def open(self, path: Path, text: str) -> float:
        return self.notify(
            "textDocument/didOpen",
            {
                "textDocument": {
                    "uri": path.as_uri(),
                    "languageId": "python",
                    "version": 1,
                    "text": text,
                }
            },
        )

    def change(self, path: Path, version: int, text: str) -> float:
        return self.notify(
            "textDocument/didChange",
            {
                "textDocument": {"uri": path.as_uri(), "version": version},
                "contentChanges": [{"text": text}],
            },
        )

    def close(self, path: Path) -> float:
        return self.notify("textDocument/didClose", {"textDocument": {"uri": path.as_uri()}})

    def diagnostics(self, path: Path, *, version: int | None = None) -> Arrived:
        """The next diagnostics published for a file, of one version if that is asked for."""
        uri = path.as_uri()

        def wanted(body: Mapping[str, Any]) -> bool:
            if body.get("method") != "textDocument/publishDiagnostics":
                return False
            params = body["params"]
            return params["uri"] == uri and version in (None, params.get("version"))

        return self.wait(wanted)

    def _answer(self, request: Mapping[str, Any]) -> None:
        items = (request.get("params") or {}).get("items", [])
        result = [None] * len(items) if request["method"] == "workspace/configuration" else None
        self._send({"id": request["id"], "result": result})

    def _send(self, message: Mapping[str, Any]) -> float:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        sent = time.perf_counter()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()
        return sent

    def _read(self, stream: IO[bytes]) -> None:
        while True:
            length = 0
            while (line := stream.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            body = stream.read(length) if line else b""
            if not body:
                self._arrived.put(None)
                return
            at = time.perf_counter()
            self._arrived.put(Arrived(at, json.loads(body)))
