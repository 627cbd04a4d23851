"""A file that is edited, formatted, undone, checked out and opened again, in a real Neovim."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.repositories import Repository, needs_git
from tests.e2e.neovim import Neovim
from tests.server.conftest import measure

pytestmark = pytest.mark.needs_tool("nvim", why="it is the editor under test")

SHOP = """\
def price(amount, member = False,
          voucher = None):
    if voucher :
        voucher.spend( )
    return amount


def never(order):
    raise ValueError('no refunds')
"""

AS_MEASURED = {"voucher.spend( )": "uncovered", "raise ValueError('no refunds')": "uncovered"}
FORMATTED = {"voucher.spend()": "uncovered", 'raise ValueError("no refunds")': "uncovered"}
PARTIAL = {"if voucher :": "partial-branch"}


@pytest.fixture
def shop(tmp_path: Path) -> Repository:
    """A project that was committed an hour ago, and measured as it is."""
    repository = Repository(tmp_path / "shop")
    then = time.time() - 3600
    repository.write(".coveragerc", "[run]\nbranch = true\n", then)
    repository.write(".gitignore", "__pycache__\n.coverage\n", then)
    repository.write("main.py", "import shop\nshop.price(1)\n", then)
    repository.write("shop.py", SHOP, then)
    repository("add", ".")
    repository("commit", "-qm", "shop", at=then)
    measure(repository.folder, "coverage", "run", "main.py")
    return repository


@pytest.fixture
def nvim(shop: Repository, tmp_path: Path, cache_folder: Path) -> Iterator[Neovim]:
    with Neovim(shop.folder, tmp_path) as editor:
        editor.edit(shop.folder / "shop.py")
        wait_for(editor, AS_MEASURED | PARTIAL)
        yield editor


def shown(nvim: Neovim) -> dict[str, str]:
    """The code of each diagnostic by the text of the line it begins on."""
    lines = nvim.lua("return vim.api.nvim_buf_get_lines(0, 0, -1, true)")
    return {
        lines[each["lnum"]].strip(): each["code"]
        for each in nvim.diagnostics()
        if each["lnum"] < len(lines)
    }


def wait_for(nvim: Neovim, expected: dict[str, str]) -> None:
    nvim.wait(lambda: shown(nvim) == expected, f"{expected}")


@pytest.mark.shows("Neovim", "moving")
def test_typed_formatted_and_undone(nvim: Neovim) -> None:
    # Keys as somebody would press them, above the line that no test runs.
    nvim.lua("vim.cmd.normal({ '4GO# why', bang = true })")
    nvim.lua("vim.cmd.normal({ 'ggOimport os', bang = true })")
    wait_for(nvim, AS_MEASURED | PARTIAL)
    assert [each["lnum"] for each in nvim.diagnostics()] == [3, 5, 10]
    ruff = f"{sys.executable} -m ruff format --isolated -"
    nvim.lua(f"vim.cmd([[silent %!{ruff}]])")
    wait_for(nvim, FORMATTED | {"if voucher:": "partial-branch"})
    for _ in range(3):
        nvim.lua("vim.cmd('silent undo')")
    wait_for(nvim, AS_MEASURED | PARTIAL)
    assert [each["lnum"] for each in nvim.diagnostics()] == [2, 3, 8]


@needs_git
def test_another_branch_a_stash_and_another_day(
    nvim: Neovim, shop: Repository, tmp_path: Path
) -> None:
    other = "import os\n\n" + SHOP.replace("voucher.spend( )", "voucher.spend(amount)")
    shop("checkout", "-qb", "other")
    shop.commit("shop.py", other, time.time() - 60)
    nvim.lua("vim.cmd('silent checktime')")
    nvim.lua("vim.cmd('silent edit!')")
    # What was edited is not known, and neither is the branch that leads there.
    here = {"raise ValueError('no refunds')": "uncovered"}
    wait_for(nvim, here)
    shop("checkout", "-q", "main")
    nvim.lua("vim.cmd('silent edit!')")
    wait_for(nvim, AS_MEASURED | PARTIAL)
    shop.write("shop.py", "# one\n# two\n" + SHOP)
    nvim.lua("vim.cmd('silent edit!')")
    wait_for(nvim, AS_MEASURED | PARTIAL)
    assert min(each["lnum"] for each in nvim.diagnostics()) == 4
    shop("stash", "-q")
    nvim.lua("vim.cmd('silent edit!')")
    wait_for(nvim, AS_MEASURED | PARTIAL)
    assert min(each["lnum"] for each in nvim.diagnostics()) == 2
    shop("checkout", "-q", "other")
    again = tmp_path / "again"
    again.mkdir()
    with Neovim(shop.folder, again) as reopened:
        reopened.edit(shop.folder / "shop.py")
        wait_for(reopened, here)
