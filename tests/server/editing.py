"""What an editor does with a workspace edit, done to files and open texts in a test."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from covls.core.lines import split_lines


def path_of(uri: str) -> Path:
    return Path(unquote(urlsplit(uri).path))


def apply(edit: dict[str, Any], encoding: str = "utf-16") -> list[Path]:
    """Change the files on disk as the edit says; returns the files that it made."""
    made: list[Path] = []
    for change in edit.get("documentChanges", ()):
        if change.get("kind") == "create":
            path = path_of(change["uri"])
            assert not path.exists(), "the edit would overwrite a file"
            assert not change["options"].get("overwrite")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
            made.append(path)
        else:
            _change(path_of(change["textDocument"]["uri"]), change["edits"], encoding)
    for uri, edits in edit.get("changes", {}).items():
        path = path_of(uri)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
            made.append(path)
        _change(path, edits, encoding)
    return made


def _change(path: Path, edits: list[dict[str, Any]], encoding: str) -> None:
    text = path.read_bytes().decode()
    starts = [0]
    for line in split_lines(text)[:-1]:
        end = starts[-1] + len(line)
        starts.append(end + (2 if text[end : end + 2] == "\r\n" else 1))

    def offset(position: dict[str, int]) -> int:
        if position["line"] >= len(starts):
            return len(text)
        start = starts[position["line"]]
        units, place = 0, start
        codec = encoding.replace("utf-16", "utf-16-le").replace("utf-32", "utf-32-le")
        size = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
        while units < position["character"]:
            units += len(text[place].encode(codec)) // size
            place += 1
        return place

    for edit in sorted(edits, key=lambda edit: offset(edit["range"]["start"]), reverse=True):
        start, end = offset(edit["range"]["start"]), offset(edit["range"]["end"])
        text = text[:start] + edit["newText"] + text[end:]
    path.write_bytes(text.encode())
