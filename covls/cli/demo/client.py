"""A small language client, as an editor has one: JSON-RPC over the pipes of a child process."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self


class ClientError(Exception):
    """The server went away, answered with an error, or took too long."""


class Client:
    """A language server as a child process, and the conversation with it.

    Messages are read by a thread of the client's own. What the server asks of an editor is
    answered with null, as by an editor that has no settings; what it tells is kept in order.
    """

    def __init__(self, command: Sequence[str], *, folder: Path, env: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._changed = threading.Condition()
        self._answers: dict[int, dict[str, Any]] = {}
        self._told: list[tuple[str, Any]] = []
        self._sent = 0
        self._ended = False
        self._log: list[bytes] = []
        # The log's first: at the end the other waits for it.
        self._readers = [
            threading.Thread(target=self._read_log, daemon=True),
            threading.Thread(target=self._read, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def request(self, method: str, params: object, timeout: float = 20.0) -> Any:
        """Ask, and wait for the answer. Raises ClientError."""
        self._sent += 1
        number = self._sent
        self._send({"id": number, "method": method, "params": params})
        with self._changed:
            self._wait(lambda: number in self._answers, timeout, f"an answer to {method}")
            answer = self._answers.pop(number)
        if "error" in answer:
            raise ClientError(f"{method}: {answer['error'].get('message')}")
        return answer.get("result")

    def notify(self, method: str, params: object) -> None:
        """Tell the server something."""
        self._send({"method": method, "params": params})

    @property
    def told(self) -> int:
        """How many notifications have come so far: a place to wait from."""
        with self._changed:
            return len(self._told)

    def wait_for(
        self,
        method: str,
        wanted: Callable[[Any], bool] = lambda _: True,
        *,
        since: int = 0,
        timeout: float = 20.0,
    ) -> tuple[Any, int]:
        """The first notification from place `since` on that is wanted, and the place after it."""
        found: list[tuple[Any, int]] = []
        place = since

        def look() -> bool:
            nonlocal place
            for name, params in self._told[place:]:
                place += 1
                if name == method and wanted(params):
                    found.append((params, place))
                    return True
            return False

        with self._changed:
            self._wait(look, timeout, method)
        return found[0]

    def close(self) -> None:
        """Say goodbye as the protocol has it, and end the server if it does not listen."""
        if self._process.poll() is None:
            try:
                self.request("shutdown", None, timeout=5)
                self.notify("exit", None)
                self._process.wait(timeout=5)
            except (ClientError, subprocess.TimeoutExpired):
                self._process.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join(timeout=5)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _wait(self, done: Callable[[], bool], timeout: float, what: str) -> None:
        """Wait with the lock held until something is so."""
        give_up = time.monotonic() + timeout
        while not done():
            if self._ended:
                log = b"".join(self._log).decode(errors="replace").strip().splitlines()
                last = f": {log[-1]}" if log else ""
                raise ClientError(f"the server ended while {what} was waited for{last}")
            left = give_up - time.monotonic()
            if left <= 0:
                raise ClientError(f"{what} did not come within {timeout:g} seconds")
            self._changed.wait(left)

    def _write(self, message: dict[str, object]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None, "it was opened as a pipe"
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()

    def _send(self, message: dict[str, object]) -> None:
        try:
            self._write(message)
        except OSError:
            # The reader sees the end as well, and can say what the server's last words were.
            with self._changed:
                self._wait(lambda: False, 5, "a message to the server")

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None, "it was opened as a pipe"
        while (message := _next_message(stream)) is not None:
            if "method" in message and "id" in message:
                self._answer(message)
                continue
            with self._changed:
                if "method" in message:
                    self._told.append((message["method"], message.get("params")))
                else:
                    self._answers[message["id"]] = message
                self._changed.notify_all()
        # What the server said last is read by now, unless something it started holds its log open.
        self._readers[0].join(timeout=2)
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _answer(self, request: dict[str, Any]) -> None:
        result: object = None
        if request["method"] == "workspace/configuration":
            result = [None] * len(request["params"]["items"])
        with suppress(OSError):  # The server is gone, which the reader is about to see.
            self._write({"id": request["id"], "result": result})

    def _read_log(self) -> None:
        """Take away what the server logs, so that it never waits for a reader."""
        stream = self._process.stderr
        assert stream is not None, "it was opened as a pipe"
        for line in stream:
            self._log = [*self._log[-50:], line]


def _next_message(stream: IO[bytes]) -> dict[str, Any] | None:
    """The next message of a server, None at the end."""
    length = 0
    while header := stream.readline():
        name, _, value = header.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
        elif not header.strip():
            body = stream.read(length)
            message: dict[str, Any] | None = json.loads(body) if len(body) == length else None
            return message
    return None
