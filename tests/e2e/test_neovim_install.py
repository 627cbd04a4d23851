"""The plugin installed as docs/editors/neovim-plugin.md tells, in a real Neovim each.

COVLS_PLUGIN_MANAGERS names a folder with clones of lazy.nvim, vim-plug and mini.deps; without it
those recipes are only read.
"""

import json
import os
import re
from pathlib import Path

import pytest

from tests.e2e.neovim import EDITOR_FOLDER, Neovim
from tests.e2e.test_neovim_plugin import marks
from tests.server.conftest import CONFIGURATION, SHOP, TESTS, run_tests, write

pytestmark = pytest.mark.needs_tool("nvim", why="it is the editor under test")

ROOT = EDITOR_FOLDER.parents[1]
PAGE = ROOT / "docs" / "editors" / "neovim-plugin.md"
MANAGERS = os.environ.get("COVLS_PLUGIN_MANAGERS", "")

needs_managers = pytest.mark.skipif(not MANAGERS, reason="COVLS_PLUGIN_MANAGERS names no folder")


def recipes(name: str) -> list[str]:
    """The blocks of the page under a name, with this clone in the place of the user's."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.findall(rf"<!-- tested: {re.escape(name)} -->\n```\w+\n(.*?)```", text, re.DOTALL)
    assert found, name
    return [block.replace("~/src/covls", str(ROOT)) for block in found]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project that was measured."""
    folder = write(tmp_path_factory.mktemp("project") / "shop", shop__py=SHOP, test_shop__py=TESTS)
    (folder / ".coveragerc").write_text(CONFIGURATION)
    run_tests(folder)
    return folder


def check_works(shop: Path, state: Path, init: str) -> None:
    """Marks come in a file that is named on the command line, and the help is there."""
    with Neovim(shop, state, init=init, files=[shop / "shop.py"]) as nvim:
        nvim.wait(lambda: nvim.lua("return package.loaded['covls.draw'] ~= nil"), "the plugin")
        nvim.wait(lambda: "missing" in marks(nvim).values(), "marks")
        assert nvim.lua("return vim.fn.exists(':Covls')") == 2
        assert nvim.lua("return #vim.api.nvim_get_runtime_file('doc/covls.txt', true)") == 1


def test_on_the_runtime_path(shop: Path, tmp_path: Path) -> None:
    (recipe,) = recipes("rtp")
    check_works(shop, tmp_path, recipe)


def test_as_a_package(shop: Path, tmp_path: Path) -> None:
    (recipe,) = recipes("packadd")
    # `--clean` takes the user's folders away, which are these.
    site = tmp_path / "data" / "nvim" / "site"
    package = site / "pack" / "covls" / "opt"
    package.mkdir(parents=True)
    (package / "covls").symlink_to(EDITOR_FOLDER)
    check_works(shop, tmp_path, f"vim.opt.packpath:append({json.dumps(str(site))})\n{recipe}")


@needs_managers
@pytest.mark.parametrize("number", [0, 1])
def test_by_lazy_nvim(shop: Path, tmp_path: Path, number: int) -> None:
    recipe = recipes("lazy")[number].replace(
        "url = 'https://git.example.com/covls.git'", f"dir = {json.dumps(str(ROOT))}"
    )
    lazy = json.dumps(str(Path(MANAGERS) / "lazy.nvim"))
    folder = json.dumps(str(tmp_path / "lazy"))
    lock = json.dumps(str(tmp_path / "lock.json"))
    check_works(
        shop,
        tmp_path,
        f"vim.opt.runtimepath:prepend({lazy})\n"
        f"require('lazy').setup({{ {recipe} }}, {{ root = {folder}, lockfile = {lock}, "
        "rocks = { enabled = false } })",
    )


@needs_managers
def test_by_vim_plug(shop: Path, tmp_path: Path) -> None:
    (recipe,) = recipes("vim-plug")
    plugins = tmp_path / "plugged"
    plugins.mkdir()
    (plugins / "covls").symlink_to(ROOT)
    script = tmp_path / "plug.vim"
    script.write_text(f"call plug#begin('{plugins}')\n{recipe}call plug#end()\n")
    plug = json.dumps(str(Path(MANAGERS) / "vim-plug" / "plug.vim"))
    check_works(
        shop, tmp_path, f"vim.cmd.source({plug})\nvim.cmd.source({json.dumps(str(script))})"
    )


@needs_managers
def test_by_mini_deps(shop: Path, tmp_path: Path) -> None:
    (recipe,) = recipes("mini.deps")
    site = tmp_path / "site"
    package = site / "pack" / "deps" / "opt"
    package.mkdir(parents=True)
    (package / "covls").symlink_to(ROOT)
    mini = json.dumps(str(Path(MANAGERS) / "mini.deps"))
    path = json.dumps(str(site))
    check_works(
        shop,
        tmp_path,
        f"vim.opt.runtimepath:prepend({mini})\nvim.opt.packpath:append({path})\n"
        f"require('mini.deps').setup({{ path = {{ package = {path} }} }})\n{recipe}",
    )
