"""Writes the table of features by editor into docs/editors.md, from what the tests of editors saw.

    COVLS_FEATURES=$PWD/build/features make pytest ARGS="-m shows"
    COVLS_FEATURES=$PWD/build/features make test-vscode
    .venv/bin/python -m scripts.features build/features

Columns of clients that left nothing in the folder stay as they are: not every machine has every
editor. The workbench's tests run in a folder of their own, so that the path has to be absolute.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.features import CLIENTS, FEATURES, Seen, recorded

PAGE = Path(__file__).resolve().parent.parent / "docs" / "editors.md"
BEGIN = "<!-- made by `scripts/features.py` from runs of the tests -->\n"
END = "<!-- end -->\n"
VERSION = "version"
YES = "✓"

Columns = Mapping[str, Mapping[str, str]]
"""The cells of each client by the row they are in."""


def columns_of(seen: Sequence[Seen]) -> Columns:
    """The columns of the clients that were driven."""
    found: dict[str, dict[str, str]] = {}
    for each in seen:
        column = found.setdefault(each.client, {VERSION: each.version})
        column[each.feature] = YES
    return found


def table(columns: Columns) -> str:
    """The table, with a column for each client that there is something to say of."""
    clients = [client for client in CLIENTS if client in columns]
    lines = [["", *clients], ["---"] * (len(clients) + 1)]
    for name, words in {VERSION: VERSION, **FEATURES}.items():
        cells = [columns[client].get(name, "") for client in clients]
        if any(cells):
            lines.append([words, *cells])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def read(page: str) -> Columns:
    """The columns of the table that a page has."""
    names = {words: name for name, words in {VERSION: VERSION, **FEATURES}.items()}
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in between(page).splitlines()
        if line.startswith("|") and not line.startswith("| ---")
    ]
    if not rows:
        return {}
    (_, *clients), *others = rows
    return {
        client: {names[words]: cells[place] for words, *cells in others if cells[place]}
        for place, client in enumerate(clients)
    }


def between(page: str) -> str:
    """The text of the page that is made here."""
    return page[page.index(BEGIN) + len(BEGIN) : page.index(END)]


def main(folder: Path) -> None:
    """Put what was seen into the page."""
    page = PAGE.read_text(encoding="utf-8")
    columns = {**read(page), **columns_of(recorded(folder))}
    before, after = page[: page.index(BEGIN) + len(BEGIN)], page[page.index(END) :]
    PAGE.write_text(f"{before}{table(columns)}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
