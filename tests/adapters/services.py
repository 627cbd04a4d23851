"""Services on this machine that take messages: one that speaks HTTP, and one that takes e-mail."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Web:
    """What a service was sent, and how it answers."""

    port: int = 0
    status: int = 200
    drips: bool = False
    """Whether it sends its answer byte by byte, without end."""
    received: list[tuple[str, Any]] = field(default_factory=list)
    """Paths, and bodies as JSON has them."""
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def bodies(self) -> list[Any]:
        return [body for _, body in self.received]


@contextmanager
def web_service() -> Iterator[Web]:
    """A service that takes JSON, as webhooks do."""
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            web.received.append((self.path, json.loads(body)))
            if web.drips:
                try:
                    while not web.released.wait(0.02):
                        self.wfile.write(b"H")
                except OSError:
                    pass
                return
            self.send_response(web.status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield web
    finally:
        web.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Mail:
    """The letters that were taken, whole."""

    port: int = 0
    letters: list[str] = field(default_factory=list)


@contextmanager
def mail_service() -> Iterator[Mail]:
    """A service that takes e-mail by SMTP, of everybody and for everybody."""
    mail = Mail()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 here")
            while line := self.rfile.readline().decode().strip():
                word = line.split(":")[0].upper()
                if word == "QUIT":
                    self._say("221 bye")
                    return
                if word != "DATA":
                    self._say("250 ok")
                    continue
                self._say("354 go on")
                letter = []
                while (line := self.rfile.readline().decode()) not in (".\r\n", ""):
                    letter.append(line)
                mail.letters.append("".join(letter))
                self._say("250 taken")

        def _say(self, words: str) -> None:
            self.wfile.write(f"{words}\r\n".encode())

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        mail.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield mail
        finally:
            server.shutdown()
            thread.join()
