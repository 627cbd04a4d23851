"""Insertions as edits that a client makes, in texts with ends of any kind."""

from pathlib import Path

import pytest

from covls.core.skeleton import Insertion, Skeleton
from covls.server.convert import Encoding
from covls.server.workspace_edit import insertions
from tests.server.client import uri_of
from tests.server.editing import apply

INSERTIONS = [Insertion(0, "import a, c\n", 1), Insertion(1, "\n\ndef test():\n    é = a\n")]


@pytest.mark.parametrize("text", ["import a", "import a\n", "import a\nimport b\n"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_client_makes_what_covls_would(
    tmp_path: Path, text: str, end: str, encoding: Encoding
) -> None:
    path = tmp_path / "test_it.py"
    path.write_bytes(text.replace("\n", end).encode())
    edits = insertions(path.read_bytes().decode(), INSERTIONS, encoding)
    told = [
        {
            "range": {
                "start": {"line": each.range.start.line, "character": each.range.start.character},
                "end": {"line": each.range.end.line, "character": each.range.end.character},
            },
            "newText": each.new_text,
        }
        for each in edits
    ]
    apply({"changes": {uri_of(path): told}}, encoding)
    made = path.read_bytes().decode()
    assert ("\r\n" in made) is (end == "\r\n" and "\n" in text)
    assert made.count("\n") == made.count("\r\n") or "\r\n" not in made
    # A text without an end of its last line gets one by the insertion behind it.
    wanted = Skeleton("test", tuple(INSERTIONS), 1).applied(text)
    assert made.replace("\r\n", "\n").removesuffix("\n") == wanted.removesuffix("\n")
