"""Messages over two byte streams: read and written by threads of their own, handled on the loop.

pygls' own loop reads through its pool of workers, of which one is then never free, and writes on
the loop, which a client that does not read would block.
"""

import asyncio
import logging
import os
import queue
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Protocol as Interface

logger = logging.getLogger(__name__)

Read = Callable[[int], bytes]
"""At most so many bytes as soon as there are some; none at the end, as `os.read`."""

Write = Callable[[bytes], object]
"""Writes all of the bytes."""

GOODBYE = 0.5
"""Seconds a client has to read what was written before the server ends."""

_READ_SIZE = 1 << 16
_LONGEST_HEADER = 1 << 13


class Endpoint(Interface):
    """What messages are for: the protocol's side of the transport."""

    def parse(self, body: bytes) -> object | None:
        """A message, in any thread; None for one that was answered here and now."""

    def serialise(self, message: object) -> bytes:
        """The body of a message, in any thread."""

    def handle(self, message: object) -> None:
        """A message that came in, on the loop."""

    def start(self, send: Callable[[object], None], end: Callable[[int], None]) -> None:
        """Take the functions that send a message and that end the server with an exit code."""

    async def close(self) -> None:
        """End all work, soon."""

    def code_without_exit(self) -> int:
        """The exit code where the client went away without a word."""


def serve(endpoint: Endpoint, read: Read, write: Write) -> int:
    """Serve until the client says `exit` or is gone; returns the exit code."""
    return asyncio.run(_serve(endpoint, read, write))


async def _serve(endpoint: Endpoint, read: Read, write: Write) -> int:
    loop = asyncio.get_running_loop()
    finished: asyncio.Future[int] = loop.create_future()

    def end(code: int | None) -> None:
        if not finished.done():
            finished.set_result(endpoint.code_without_exit() if code is None else code)

    def call(function: Callable[..., None], *arguments: object) -> None:
        try:
            loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            logger.debug("A message came in after the end.")

    outbox: queue.SimpleQueue[object] = queue.SimpleQueue()

    def read_all() -> None:
        try:
            for body in frames(read):
                message = endpoint.parse(body)
                if message is not None:
                    call(endpoint.handle, message)
        except OSError as error:
            logger.warning("The client's stream broke: %s", error)
        call(end, None)

    written = asyncio.Event()

    def write_all() -> None:
        try:
            write_messages()
        finally:
            call(written.set)

    def write_messages() -> None:
        while (message := outbox.get()) is not None:
            body = endpoint.serialise(message)
            try:
                write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            except OSError as error:
                logger.warning("The client is gone: %s", error)
                call(end, None)
                return

    endpoint.start(outbox.put, end)
    threading.Thread(target=read_all, name="covls-read", daemon=True).start()
    threading.Thread(target=write_all, name="covls-write", daemon=True).start()
    try:
        code = await finished
    finally:
        await endpoint.close()
        outbox.put(None)
    try:
        await asyncio.wait_for(written.wait(), GOODBYE)
    except TimeoutError:
        logger.warning("The client does not read what was still to be said.")
    return code


def frames(read: Read) -> Iterator[bytes]:
    """The bodies of messages, up to the end of the stream; half a message at its end is dropped.

    Headers other than the length, and lines that are no headers, are passed over.
    """
    buffer = bytearray()

    def fill() -> bool:
        data = read(_READ_SIZE)
        buffer.extend(data)
        return bool(data)

    length: int | None = None
    while True:
        while (end := buffer.find(b"\n")) < 0:
            if len(buffer) > _LONGEST_HEADER:
                del buffer[:]
            if not fill():
                return
        line = bytes(buffer[:end]).strip()
        del buffer[: end + 1]
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            length = int(value)
        elif not line and length is not None:
            while len(buffer) < length:
                if not fill():
                    return
            body = bytes(buffer[:length])
            del buffer[:length]
            length = None
            yield body


def take_stdio() -> tuple[Read, Write]:
    """Take standard input and output for the protocol alone.

    What anything else prints from here on goes to standard error, and nothing else reads what the
    client sends.
    """
    source, target = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdout.flush()
    os.dup2(2, 1)

    def write(data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(target, rest) :]

    return lambda size: os.read(source, size), write


def take_connection(listening: socket.socket) -> tuple[Read, Write]:
    """Wait for one client and take its connection; no other is let in."""
    connection, _ = listening.accept()
    listening.close()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection.recv, connection.sendall
