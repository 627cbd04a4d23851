"""Which features of covls were seen in which editors, as the tests that drive editors find them.

A test says `@pytest.mark.shows("Neovim", "hover")`. Where COVLS_FEATURES names a folder, each
such test that passes leaves a line there; `scripts/features.py` makes the table of docs/editors.md
of them.
"""

import ast
import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

FOLDER = "COVLS_FEATURES"

CLIENTS = {
    "VS Code": (),
    "Neovim": ("nvim", "--version"),
    "Neovim, plugin": ("nvim", "--version"),
    "Emacs, eglot": ("emacs", "--version"),
    "Emacs, lsp-mode": ("emacs", "--version"),
    "Vim, ALE": ("vim", "--version"),
    "pytest-lsp": (),
}
"""The clients that are driven, in the order of the columns, and what tells their version."""

FEATURES = {
    "diagnostics": "uncovered lines and branches as diagnostics",
    "moving": "they move with edits",
    "new data": "and follow new data",
    "lost": "coverage lost is told apart",
    "failed tests": "failed tests at their lines",
    "marks": "every line marked, covered ones too",
    "hover": "hover",
    "lenses": "code lenses",
    "hints": "inlay hints",
    "run": "tests run by an action, a command or a key",
    "run on save": "tests run on save",
    "cancel": "a run cancelled",
    "progress": "progress of runs, or messages of them",
    "exclude": "excluding a block",
    "create test": "creating a test",
    "go to tests": "going to the tests of a line",
    "report": "the HTML report at a line",
    "explain": "all that is known of a line",
    "priorities": "what to test next",
    "patch": "the patch alone",
    "summary": "the project's files with figures",
    "status": "a figure in the status line",
    "settings": "settings from the editor",
    "trust": "nothing runs untrusted",
    "restart": "a killed server is started again",
}
"""What there is to see, in the order of the table's rows, in its words."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A feature that was seen in a client, of a version if that could be told, by a test."""

    client: str
    feature: str
    version: str
    test: str


def record(client: str, features: Iterable[str], test: str) -> None:
    """Leave a line for each feature in the folder that is asked for, if one is."""
    folder = os.environ.get(FOLDER)
    if folder:
        # A file for each process: tests run in several at a time.
        path = Path(folder) / f"{os.getpid()}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        version = version_of(client)
        with path.open("a", encoding="utf-8") as lines:
            for feature in features:
                row = {"client": client, "feature": feature, "version": version, "test": test}
                lines.write(json.dumps(row) + "\n")


def version_of(client: str) -> str:
    """A client's version by its own word, empty where it has no program of its own."""
    command = CLIENTS[client]
    if not command:
        return ""
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"\d+\.\d+(\.\d+)*", said)
    return "" if found is None else found[0]


def recorded(folder: Path) -> list[Seen]:
    """What the runs left in a folder."""
    return [
        Seen(**json.loads(line))
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def promised() -> set[tuple[str, str]]:
    """Which features of which clients there are tests for: those of pytest, and of VS Code."""
    found: set[tuple[str, str]] = set()
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if "mark.shows" in text:
            found.update(_marked(ast.parse(text)))
    for path in sorted((ROOT / "editors/vscode/tests/e2e").glob("*.test.ts")):
        text = path.read_text(encoding="utf-8")
        for call in re.findall(r"bench\.shows\((.*?)\);", text, re.DOTALL):
            found.update(("VS Code", feature) for feature in re.findall(r"'([^']+)'", call))
    return found


def _marked(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.shows":
            client, *features = [ast.literal_eval(argument) for argument in node.args]
            for feature in features:
                yield client, feature
