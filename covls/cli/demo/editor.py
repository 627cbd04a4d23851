"""What the demo's editor knows: files open in a language server, and their coverage."""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from covls.cli.demo.client import Client
from covls.cli.demo.project import environment

# -P: the current folder's modules are not to stand in for covls or its libraries.
SERVER = (sys.executable, "-P", "-m", "covls", "serve")

_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Shown:
    """One file as the editor shows it; lines count from 0, as in the protocol."""

    name: str
    text: str
    summary: dict[str, Any]
    freshness: str
    states: dict[int, str]
    """The state of each line that has one: covered, missing, partial, excluded."""
    branches: dict[int, list[str]]
    """What to say of branches not taken, by line."""
    messages: list[str]
    """The diagnostics' messages, in the order of lines."""


class Editor:
    """An editor without a screen: it opens files of one folder, and listens."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        started = time.monotonic()
        self.client = Client(SERVER, folder=folder, env=environment())
        try:
            answer = self.client.request("initialize", _introduction(folder), _SECONDS)
            self.client.notify("initialized", {})
        except BaseException:
            self.client.close()
            raise
        self.server: dict[str, Any] = answer.get("serverInfo") or {}
        self.seconds_to_start = time.monotonic() - started
        self._diagnostics: dict[str, list[dict[str, Any]]] = {}

    def close(self) -> None:
        """Close the server."""
        self.client.close()

    def open(self, name: str) -> Shown:
        """Open a file and wait until its diagnostics are there."""
        uri = self._uri(name)
        text = (self.folder / name).read_text(encoding="utf-8")
        since = self.client.told
        document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        self.client.notify("textDocument/didOpen", {"textDocument": document})
        published, _ = self.client.wait_for(
            "textDocument/publishDiagnostics",
            lambda params: params["uri"] == uri and params["diagnostics"],
            since=since,
            timeout=_SECONDS,
        )
        return self._shown(name, text, published["diagnostics"])

    def hover(self, name: str, line: int) -> str:
        """What is shown with the pointer on a line, counted from 0."""
        found = self.client.request(
            "textDocument/hover",
            {
                "textDocument": {"uri": self._uri(name)},
                "position": {"line": line, "character": 8},
            },
            _SECONDS,
        )
        return str(found["contents"]["value"]) if found else ""

    def wait_for_change(self, before: Shown, since: int) -> tuple[Shown, float]:
        """The file as it is once its marks are others, and when word of that came."""
        uri = self._uri(before.name)
        while True:
            _, since = self.client.wait_for(
                "covls/didChangeCoverage",
                lambda params: params["uri"] == uri,
                since=since,
                timeout=_SECONDS,
            )
            came = time.time()
            shown = self._shown(before.name, before.text, [])
            if shown.states != before.states:
                return shown, came

    def project(self) -> dict[str, Any]:
        """Totals and a row per file."""
        found: dict[str, Any] = self.client.request("covls/projectCoverage", {}, _SECONDS)
        return found

    def _shown(self, name: str, text: str, diagnostics: list[dict[str, Any]]) -> Shown:
        found = self.client.request(
            "covls/fileCoverage", {"textDocument": {"uri": self._uri(name)}}, _SECONDS
        )
        states = {
            line: state for start, end, state, _ in found["marks"] for line in range(start, end + 1)
        }
        branches: dict[int, list[str]] = {}
        for branch in found["branches"]:
            branches.setdefault(branch["line"], []).append(branch["words"])
        by_line = sorted(diagnostics, key=lambda each: each["range"]["start"]["line"])
        return Shown(
            name,
            text,
            found["summary"],
            found["freshness"],
            states,
            branches,
            [each["message"] for each in by_line],
        )

    def _uri(self, name: str) -> str:
        return (self.folder / name).as_uri()


def _introduction(folder: Path) -> dict[str, object]:
    """What a plain editor says of itself: no extension, nothing but the protocol."""
    return {
        "processId": os.getpid(),
        "clientInfo": {"name": "covls demo"},
        "rootUri": folder.as_uri(),
        "workspaceFolders": [{"uri": folder.as_uri(), "name": folder.name}],
        "capabilities": {
            "general": {"positionEncodings": ["utf-8"]},
            "textDocument": {
                "publishDiagnostics": {"relatedInformation": True, "versionSupport": True},
                "hover": {"contentFormat": ["markdown"]},
            },
            "workspace": {"configuration": True, "workspaceFolders": True},
        },
    }
