"""Measured repositories to push from and to pull into, and a server that takes and gives files."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from coverage import CoverageData

from tests.adapters.repositories import Repository

SHOP = """\
def price(count):
    if count > 10:
        return count * 8
    return count * 10


def refund(count):
    return -price(count)
"""
SHOP_RAN = (1, 2, 4, 7)
"""The lines that run when one calls `price(1)`."""


def measured_repository(folder: Path, ran: Sequence[int] = SHOP_RAN) -> Repository:
    """A repository of one commit, with data of a run in it."""
    repository = Repository(folder)
    repository.write("pyproject.toml", '[tool.coverage.run]\nsource = ["shop"]\n')
    repository.write(".gitignore", ".coverage*\n")
    repository.write("shop/__init__.py", "")
    repository.write("shop/price.py", SHOP)
    repository("add", ".")
    repository("commit", "-qm", "first")
    measure(repository, {"shop/__init__.py": (), "shop/price.py": ran})
    return repository


def measure(
    repository: Repository, ran: Mapping[str, Sequence[int]], name: str = ".coverage"
) -> None:
    """Leave data in which these lines ran, as coverage.py would, in the place of what was there."""
    (repository.folder / name).unlink(missing_ok=True)
    data = CoverageData(str(repository.folder / name))
    data.add_lines({str(repository.folder / file): list(lines) for file, lines in ran.items()})
    data.touch_files([str(repository.folder / file) for file in ran])
    data.write()
    data.close(force=True)


def commit(repository: Repository, text: str, at: float | None = None) -> str:
    """Commit another text of the shop."""
    repository.write("shop/price.py", text)
    repository("commit", "-qam", "next", at=at)
    return repository("rev-parse", "HEAD")


def clone(repository: Repository, folder: Path, *arguments: str) -> Repository:
    """A fresh clone, which has no data."""
    repository("clone", "-q", *arguments, repository.folder.as_uri(), str(folder))
    return Repository(folder, init=False)


@dataclass
class Served:
    """What a server has, what it was asked, and how it is to misbehave."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    """By path, with a slash before it."""
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, int] = field(default_factory=dict)
    """Answers to requests whose path ends so."""
    redirects: dict[str, str] = field(default_factory=dict)
    """Where requests whose path begins so are sent, the rest of the path behind it."""
    cut: str = ""
    """The end of a path whose answer breaks off in the middle."""
    ranges: bool = False
    """Whether it says that it gives parts of files."""


@contextmanager
def file_server() -> Iterator[Served]:
    """A server on this machine that takes files by PUT, and ends with the block."""
    served = Served()

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            path = self.path.partition("?")[0]
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            served.asked.append(f"{self.command} {self.path}")
            served.headers.append(dict(self.headers.items()))
            code = next((code for end, code in served.codes.items() if path.endswith(end)), 0)
            to = next((begin for begin in served.redirects if path.startswith(begin)), None)
            if code:
                self._answer(code)
            elif to is not None:
                place = served.redirects[to] + path.removeprefix(to)
                self._answer(302, headers={"Location": place})
            elif self.command == "PUT":
                served.files[path] = body
                self._answer(201)
            elif path in served.files:
                cut = bool(served.cut) and path.endswith(served.cut)
                self._answer(200, served.files[path], cut=cut)
            else:
                self._answer(404)

        def _answer(
            self,
            code: int,
            content: bytes = b"",
            headers: Mapping[str, str] | None = None,
            *,
            cut: bool = False,
        ) -> None:
            try:
                self.send_response(code)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                if served.ranges:
                    self.send_header("Accept-Ranges", "bytes")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if cut else content)
            except OSError:
                pass  # Whoever asked has not waited.

        do_GET = do_PUT = _do  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def serve(served: Served, folder: Path, at: str = "") -> None:
    """Have a server give what is in a folder."""
    for path in folder.rglob("*"):
        if path.is_file():
            served.files[f"{at}/{path.relative_to(folder).as_posix()}"] = path.read_bytes()
