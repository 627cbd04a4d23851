"""Patch mode in a real Neovim with no plugin, with a real repository that moves underneath."""

from pathlib import Path
from typing import Any

import pytest

from tests.adapters.repositories import Repository, needs_git
from tests.e2e.neovim import Neovim
from tests.server.conftest import CONFIGURATION, SHOP, TESTS, run_tests

pytestmark = [needs_git, pytest.mark.needs_tool("nvim", why="it is the editor under test")]

BASE = SHOP.replace("total = a + b", "total = b + a")
STATUS = """
vim.lsp.config('covls', { handlers = { ['covls/status'] = function(_, status)
  vim.g.covls_status = status
end } })
"""


def blocks(nvim: Neovim) -> list[tuple[int, int]]:
    return [(found["lnum"] + 1, found["end_lnum"] + 1) for found in nvim.diagnostics()]


def told(nvim: Neovim) -> Any:
    return nvim.lua("return vim.g.covls_status") or {}


@pytest.mark.shows("Neovim", "patch", "status")
def test_only_what_the_work_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    repository = Repository(tmp_path / "shop")
    folder = repository.folder
    repository.write(".gitignore", ".coverage\n__pycache__\n")
    repository.write("test_shop.py", TESTS)
    repository.write(".coveragerc", CONFIGURATION)
    repository.write("shop.py", BASE)
    repository("add", ".")
    repository("commit", "-qm", "base")
    repository("checkout", "-qb", "work")
    repository.write("shop.py", SHOP)
    repository("commit", "-qam", "work")
    run_tests(folder)
    state = tmp_path / "state"
    state.mkdir()
    with Neovim(folder, state, {"editor": {"scope": "patch"}}) as nvim:
        nvim.lua(STATUS)
        nvim.edit(folder / "shop.py")
        nvim.wait(lambda: blocks(nvim) == [(17, 17)], "the one line of the patch that is uncovered")
        # Neovim keeps no null in its variables.
        nvim.wait(lambda: told(nvim).get("patchPercentText") == "0", "the patch's figure")

        # Lines above move it; back at the base's text it is no part of the patch any more.
        nvim.lua("vim.api.nvim_buf_set_lines(0, 0, 0, true, {'# one', '# two'})")
        nvim.wait(lambda: blocks(nvim) == [(19, 19)], "the mark to move")
        nvim.lua("vim.api.nvim_buf_set_lines(0, 18, 19, true, {'    total = b + a'})")
        nvim.wait(lambda: blocks(nvim) == [], "the mark to go")
        nvim.wait(lambda: "patchPercentText" not in told(nvim), "no figure")
        nvim.lua("vim.cmd.undo() vim.cmd.undo()")
        nvim.wait(lambda: blocks(nvim) == [(17, 17)], "the mark to come back after undo")

        # The default branch takes the work in, behind the editor's back.
        repository("branch", "-f", "main", "work")
        nvim.wait(lambda: blocks(nvim) == [], "nothing to be changed any more")
        expected = "No measured code was changed since main."
        nvim.wait(lambda: told(nvim).get("message") == expected, "the status to say so")
