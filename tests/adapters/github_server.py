"""A server on this machine that behaves as GitHub's API does where comments are concerned."""

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "ghp_0123456789abcdefghijklmnopqrstuvwxyz"
APP_TOKEN = "ghs_0123456789abcdefghijklmnopqrstuvwxyz"
REPOSITORY = "team/parcels"


@dataclass
class Answer:
    """What is said to a request in the place of what would be."""

    code: int
    message: str = "no"
    headers: dict[str, str] = field(default_factory=dict)
    after: bool = False
    """Whether what was asked for is done all the same, as where an answer is lost."""
    seconds: float = 0.0
    body: bytes | None = None


@dataclass
class Service:
    """The repository's state, what comes next, and what was asked."""

    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    pulls: list[dict[str, Any]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    """Given one after the other, each to the next request."""
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    def add(self, body: str, kind: str = "Bot") -> dict[str, Any]:
        comment = {"id": len(self.comments) + 1, "body": body, "user": {"type": kind}}
        self.comments.append(comment)
        return comment

    def add_pull(self, number: int, branch: str, commit: str, owner: str = "team") -> None:
        head = {"sha": commit, "ref": branch, "label": f"{owner}:{branch}"}
        self.pulls.append({"number": number, "head": head})

    def answer(self, method: str, path: str, values: Any) -> tuple[int, Any, dict[str, str]]:
        place = urlsplit(path)
        query = {name: found[0] for name, found in parse_qs(place.query).items()}
        base = f"/repos/{REPOSITORY}"
        if place.path == f"{base}/issues/7/comments":
            if method == "POST":
                return 201, self.add(values["body"]), {}
            return self._page(self.comments, query)
        if match := re.fullmatch(f"{base}/issues/comments/([0-9]+)", place.path):
            for comment in self.comments:
                if comment["id"] == int(match[1]) and method == "PATCH":
                    comment["body"] = values["body"]
                    return 200, comment, {}
        if place.path == f"{base}/pulls":
            of = [pull for pull in self.pulls if pull["head"]["label"] == query["head"]]
            return self._page(of, query)
        return 404, {"message": "Not Found"}, {}

    def _page(
        self, found: list[dict[str, Any]], query: dict[str, str]
    ) -> tuple[int, Any, dict[str, str]]:
        size, page = int(query["per_page"]), int(query["page"])
        more = len(found) > size * page
        # The address of the next page is another host's: nobody is to go there.
        link = {"Link": '<https://elsewhere.invalid/next>; rel="next"'} if more else {}
        return 200, found[size * (page - 1) : size * page], link


@contextmanager
def github_service() -> Iterator[Service]:
    """A service that listens, and ends with the block."""
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            values = json.loads(self.rfile.read(length) or b"null")
            service.asked.append(f"{self.command} {self.path}")
            service.tokens.add(self.headers.get("Authorization", ""))
            planned = service.answers.pop(0) if service.answers else None
            if planned is None or planned.after:
                code, told, headers = service.answer(self.command, self.path, values)
            else:
                code, told, headers = planned.code, {"message": planned.message}, {}
            if planned is not None:
                code, headers = planned.code, planned.headers
                time.sleep(planned.seconds)
            content = json.dumps(told).encode()
            if planned is not None and planned.body is not None:
                content = planned.body
            try:
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                pass  # Whoever asked has not waited.

        do_GET = do_POST = do_PATCH = _do  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
