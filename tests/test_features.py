"""The table of features by editor: nothing in it that no test sees, and what makes it."""

import json
from pathlib import Path

import pytest

from scripts.features import BEGIN, END, PAGE, VERSION, columns_of, read, table
from tests.features import CLIENTS, FEATURES, FOLDER, promised, record, recorded

PROMISED = promised()


def shown() -> set[tuple[str, str]]:
    """What the committed table says: clients with their features."""
    columns = read(PAGE.read_text(encoding="utf-8"))
    return {(client, row) for client, column in columns.items() for row in column} - {
        (client, VERSION) for client in columns
    }


def test_tests_name_clients_and_features_that_there_are() -> None:
    assert {client for client, _ in PROMISED} <= set(CLIENTS)
    assert {feature for _, feature in PROMISED} <= set(FEATURES)


def test_the_table_says_nothing_that_no_test_sees() -> None:
    assert shown()
    assert shown() - PROMISED == set()


def test_what_was_seen_becomes_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    record("pytest-lsp", ["hover", "diagnostics"], "one")
    record("VS Code", ["hover"], "two")
    seen = recorded(tmp_path)
    assert [(each.client, each.feature, each.test) for each in seen] == [
        ("pytest-lsp", "hover", "one"),
        ("pytest-lsp", "diagnostics", "one"),
        ("VS Code", "hover", "two"),
    ]
    line = {"client": "VS Code", "feature": "marks", "version": "1.2", "test": "three"}
    (tmp_path / "vscode.jsonl").write_text(json.dumps(line) + "\n")
    columns = columns_of(recorded(tmp_path))
    made = table(columns)
    assert made.splitlines()[0] == "|  | VS Code | pytest-lsp |"
    assert f"| {FEATURES['hover']} | ✓ | ✓ |" in made.splitlines()
    # Read again, for another machine to go on with.
    again = read(f"before\n{BEGIN}{made}{END}after\n")
    assert again["pytest-lsp"] == {"diagnostics": "✓", "hover": "✓"}
    assert again["VS Code"]["marks"] == "✓"


def test_nothing_is_left_where_nobody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER, raising=False)
    monkeypatch.chdir(tmp_path)
    record("pytest-lsp", ["hover"], "one")
    assert list(tmp_path.iterdir()) == []
