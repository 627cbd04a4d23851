"""The plugin's signs on the screen of a real terminal, while somebody types."""

import shlex
from pathlib import Path

import pytest
from rich.text import Text

from scripts.picture_edits import Terminal
from tests.cli.measured import coverage_json
from tests.e2e.neovim import own_folders, with_plugin
from tests.e2e.vscode_projects import bars
from tests.server.conftest import CONFIGURATION, SHOP, TESTS, run_tests, write

pytestmark = [
    pytest.mark.needs_tool("nvim", why="it is the editor under test"),
    pytest.mark.needs_tool("tmux", why="it is the terminal"),
]

SIGNS = {"covered": "▎", "missing": "▌", "partial": "┋", None: " "}


def first_cells(screen: str) -> list[str]:
    """The first cell of each row on the screen."""
    return [Text.from_ansi(line).plain[:1] or " " for line in screen.splitlines()]


def test_signs_stand_before_their_lines(tmp_path: Path) -> None:
    shop = write(tmp_path / "shop", shop__py=SHOP, test_shop__py=TESTS)
    (shop / ".coveragerc").write_text(CONFIGURATION)
    run_tests(shop)
    right = bars(shop / "shop.py", coverage_json(shop)["files"]["shop.py"])
    lines = len(SHOP.splitlines())
    expected = [SIGNS[right.get(line)] for line in range(1, lines + 1)]
    assert {*expected} == {*SIGNS.values()}
    init = tmp_path / "init.lua"
    init.write_text(f"vim.opt.swapfile = false\n{with_plugin({'trusted': False})}")
    folders = [f"{name}={value}" for name, value in own_folders(tmp_path).items() if "XDG" in name]
    command = shlex.join(["env", *folders, "nvim", "--clean", "-u", str(init), "shop.py"])
    with Terminal(shop, command, width=80, height=lines + 6) as terminal:
        terminal.screen(lambda screen: first_cells(screen)[:lines] == expected)
        # Two lines above all others: everything moves, and of the new statement nothing is known.
        terminal.type("ggO# one", "Enter", "two", "Escape", "gg")
        terminal.screen(lambda screen: first_cells(screen)[: lines + 2] == [" ", "┊", *expected])
        terminal.type("u")
        terminal.screen(lambda screen: first_cells(screen)[:lines] == expected)
