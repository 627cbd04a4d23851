"""Ways to have `lsp/covls.lua` in a Neovim with no plugin: copied, or as nvim-lspconfig has it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.neovim import EDITOR_FOLDER
from tests.e2e.other_editors import PATIENCE, Place, place
from tests.server.conftest import SHAPE

pytestmark = pytest.mark.needs_tool("nvim", why="it is the editor under test")

WAYS = {
    "copied": "config/nvim",
    "nvim-lspconfig": "data/nvim/site/pack/plugins/start/nvim-lspconfig",
}
"""Where the folder `lsp` stands: in one's own configuration, or in a package of many servers'."""

INIT = """
vim.lsp.config('covls', { settings = { covls = { diagnostics = { severity = 'warning' } } } })
vim.lsp.enable('covls')
"""

LOOK = """
vim.wait(90000, function() return #vim.diagnostic.get(0) > 0 end, 50)
local client = vim.lsp.get_clients({ name = 'covls', bufnr = 0 })[1]
local lines = {}
for _, each in ipairs(vim.diagnostic.get(0)) do
  table.insert(lines, { each.lnum + 1, each.end_lnum + 1, each.code, each.severity })
end
local found = { lines = lines, root = client and client.root_dir }
vim.fn.writefile({ vim.json.encode(found) }, vim.env.COVLS_RESULT)
vim.cmd('qall!')
"""


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A measured project."""
    return place(tmp_path_factory.mktemp("ways"), INIT)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.shows("Neovim", "diagnostics", "settings")
def test_enabled_by_its_name(at: Place, tmp_path: Path, way: str) -> None:
    folder = tmp_path / WAYS[way] / "lsp"
    folder.mkdir(parents=True)
    shutil.copy(EDITOR_FOLDER / "lsp" / "covls.lua", folder)
    init = tmp_path / "config/nvim/init.lua"
    init.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(at.configuration, init)
    look, result = tmp_path / "look.lua", tmp_path / "result.json"
    look.write_text(LOOK)
    places = {f"XDG_{name.upper()}_HOME": str(tmp_path / name) for name in ("config", "data")}
    places |= {f"XDG_{name.upper()}_HOME": str(tmp_path / name) for name in ("state", "cache")}
    done = subprocess.run(
        ["nvim", "--headless", "-n", at.shop / "shop.py", "-c", f"luafile {look}"],
        cwd=at.shop,
        env={**os.environ, **places, "COVLS_RESULT": str(result)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert result.is_file(), done.stderr
    found = json.loads(result.read_text())
    assert found["root"] == str(at.shop)
    assert sorted((first, last, code) for first, last, code, _ in found["lines"]) == SHAPE
    assert {severity for *_, severity in found["lines"]} == {2}
