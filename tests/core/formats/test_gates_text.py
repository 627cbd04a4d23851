"""Verdicts as text, as Markdown and as JSON: all of them say the same."""

import json

from covls.core.formats.gates_json import gates_json
from covls.core.formats.gates_markdown import gates_markdown
from covls.core.formats.gates_text import gates_text
from tests.core.formats.values import checked, facts


def test_text_is_safe_for_a_terminal_and_names_all() -> None:
    lines = list(gates_text(checked()))
    assert all(line.isprintable() for line in lines)
    assert [line.split()[:2] for line in lines if not line.startswith(" ")] == [
        ["UNKNOWN", "total"],
        ["FAILED", "patch"],
        ["passed", "changed-files"],
        ["skipped", "max-drop"],
    ]
    assert "  b/late.py: 1 statement edited" in lines
    assert "  One more would do, as here:" in lines


def test_markdown_keeps_its_table() -> None:
    lines = list(gates_markdown(checked()))
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 6
    for row in rows:
        assert row.replace("\\|", "").count("|") == 4, row
    assert all("\n" not in line for line in lines)


def test_json_has_every_number() -> None:
    found = json.loads(gates_json(checked(), facts()))
    assert (found["outcome"], found["base"], found["by_default"]) == ("unknown", "ma|in", False)
    patch = next(each for each in found["verdicts"] if each["gate"] == "patch")
    assert (patch["covered"], patch["possible"], patch["percent"], patch["needed"]) == (
        *(8, 10),
        "80",
        1,
    )
    assert patch["gaps"][0] == {
        "file": facts().files[0].name,
        "first": 3,
        "last": 5,
        "statements": 2,
        "branches": 1,
        "words": "2 statements and 1 branch",
    }
