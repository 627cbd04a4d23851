"""Runs from the plugin, on save as well; trust that is asked for once; a server that is killed."""

import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.neovim import Neovim, with_plugin
from tests.e2e.test_neovim_plugin import HEARD, answered, marks, said
from tests.server.conftest import CONFIGURATION, MISSING, PARTIAL, SHOP, TESTS, run_tests, write

pytestmark = pytest.mark.needs_tool("nvim", why="it is the editor under test")

ASKED = """
_G.asked = {}
vim.ui.select = function(items, options, go)
  table.insert(_G.asked, options.prompt)
  go(items[1], 1)
end
"""

NEW = """

def refund(amount):
    if amount < 0:
        raise ValueError(amount)
    return -amount
"""

NEW_TEST = """

def test_refund():
    from shop import refund

    assert refund(3) == -3
"""

SLOW = """\
import pathlib
import time


def test_waits():
    pathlib.Path("../waiting").touch()
    time.sleep(600)
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shop that was never measured, and an environment for quick runs of its tests."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    folder = write(tmp_path / "shop", shop__py=SHOP, test_shop__py=TESTS)
    (folder / ".coveragerc").write_text(CONFIGURATION)
    return folder


def options(**more: Any) -> dict[str, Any]:
    """The plugin's options: this Python, and one process a run."""
    return {"settings": {"python": sys.executable, "run": {"workers": 0}, **more}}


def gaps(nvim: Neovim) -> set[int]:
    return {line for line, kind in marks(nvim).items() if kind == "missing"}


def log(nvim: Neovim) -> str:
    """What the server said for the log."""
    lines: list[str] = nvim.lua(
        "vim.cmd('Covls log')\n"
        "local found = vim.api.nvim_buf_get_lines(0, 0, -1, true)\n"
        "vim.cmd.close()\n"
        "return found"
    )
    return "\n".join(lines)


def is_logged(nvim: Neovim, words: str) -> bool:
    return words in log(nvim)


def save(nvim: Neovim, path: Path, more: str) -> None:
    """Append to a file in the editor, and save it."""
    nvim.edit(path)
    lines = json.dumps(more.removesuffix("\n").split("\n"))
    nvim.lua(
        f"vim.api.nvim_buf_set_lines(0, -1, -1, true, vim.json.decode({json.dumps(lines)}))\n"
        "vim.cmd('silent write')"
    )


@pytest.mark.shows("Neovim, plugin", "run", "run on save", "cancel", "trust")
def test_trust_is_asked_for_once_and_tests_run(shop: Path, tmp_path: Path) -> None:
    init = with_plugin(options(run={"onSave": "affected", "workers": 0}), HEARD + ASKED)
    with Neovim(shop, tmp_path, init=init, files=[shop / "shop.py"]) as nvim:
        nvim.wait(lambda: nvim.lua("return #vim.lsp.get_clients() == 1"), "covls")
        nvim.wait(
            lambda: nvim.lua("return require('covls').statusline()") == "no coverage",
            "word that there is no coverage",
        )
        nvim.lua("vim.cmd('Covls trust')")
        assert "is not decided" in said(nvim)
        assert nvim.lua("return _G.asked") == [], "nobody is asked before something is to run"

        nvim.lua("vim.cmd('Covls run')")
        missing = {line for first, last in MISSING for line in range(first, last + 1)}
        # Blank lines and comments inside of blocks have no mark.
        nvim.wait(lambda: 12 in gaps(nvim), "marks")
        assert gaps(nvim) <= missing
        assert {line for line, kind in marks(nvim).items() if kind == "partial"} == {*PARTIAL}
        (asked,) = nvim.lua("return _G.asked")
        assert "may the code of" in asked
        kept = json.loads((tmp_path / "state/nvim/covls/trust.json").read_text())
        assert kept == {str(shop.resolve()): True}

        # Two saves: lines that no test runs, and then a test of them.
        save(nvim, shop / "shop.py", NEW)
        last = len(SHOP.splitlines()) + len(NEW.splitlines())
        nvim.wait(lambda: {last - 1, last} <= gaps(nvim), "the new lines")
        save(nvim, shop / "test_shop.py", NEW_TEST)
        nvim.edit(shop / "shop.py")
        nvim.wait(lambda: marks(nvim).get(last) == "covered", "the line that is tested now")
        assert marks(nvim)[last - 1] == "missing"

        for command, words in (
            ("Covls run affected", "No test is affected"),
            ("Covls run all", "All tests of shop: 4 passed"),
            ("5Covls run cursor", "Tests at shop.py:5"),
        ):
            nvim.lua(f"vim.cmd('{command}')")
            nvim.wait(partial(is_logged, nvim, words), words)
        assert len(nvim.lua("return _G.asked")) == 1, "asked once"

        (shop / "test_waits.py").write_text(SLOW)
        nvim.edit(shop / "test_waits.py")
        nvim.lua("vim.cmd('Covls run file')")
        nvim.wait((tmp_path / "waiting").exists, "the test to begin")
        nvim.wait(
            lambda: "tests" in nvim.lua("return require('covls').statusline()"), "its progress"
        )
        nvim.lua("vim.cmd('Covls cancel')")
        nvim.wait(lambda: "Cancelled after 0 of 1 tests." in log(nvim), "the end of the run")

        nvim.lua("vim.cmd('Covls trust no')")
        assert "is not trusted" in said(nvim)
        nvim.lua("vim.cmd('Covls trust forget')")
        assert json.loads((tmp_path / "state/nvim/covls/trust.json").read_text()) == {}


def servers(nvim: Neovim) -> list[int]:
    """The processes that Neovim has started and that are there."""
    found: list[int] = nvim.lua("return vim.api.nvim_get_proc_children(vim.fn.getpid())")
    return found


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop that was measured, once for all of it; its data name files by relative paths."""
    folder = write(tmp_path_factory.mktemp("template") / "shop", shop__py=SHOP, test_shop__py=TESTS)
    (folder / ".coveragerc").write_text(CONFIGURATION)
    run_tests(folder)
    return folder


@pytest.fixture
def measured(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "measured"))


@pytest.fixture
def nvim(measured: Path, tmp_path: Path) -> Iterator[Neovim]:
    """An editor with marks, whose servers are started again without long pauses."""
    quick = (
        "local restarts = require('covls.restarts')\n"
        "local pause_after = restarts.pause_after\n"
        "restarts.pause_after = function(...)\n"
        "  local pause, failed = pause_after(...)\n"
        "  return pause and 10, failed\n"
        "end\n"
    )
    init = with_plugin({"trusted": False}, HEARD + quick)
    with Neovim(measured, tmp_path, init=init, files=[measured / "shop.py"]) as editor:
        editor.wait(lambda: marks(editor), "marks")
        yield editor


@pytest.mark.shows("Neovim, plugin", "restart")
def test_a_killed_server_is_started_again_but_not_for_ever(measured: Path, nvim: Neovim) -> None:
    before = marks(nvim)
    (first,) = servers(nvim)
    os.kill(first, signal.SIGKILL)
    nvim.wait(lambda: first not in servers(nvim) and servers(nvim), "another server")
    assert marks(nvim) == before, "marks stay meanwhile"
    assert "the server ended by signal 9. It is started again in" in said(nvim)
    # It answers for the text on screen.
    nvim.lua("vim.api.nvim_buf_set_lines(0, 0, 0, true, { '# new' })")
    path = str(measured / "shop.py")
    moved = {line + 1: kind for line, kind in before.items()}
    nvim.wait(lambda: answered(nvim, path) and marks(nvim) == moved, "its answer")

    known = {first}
    while "again and again" not in said(nvim):
        new = nvim.wait(
            lambda: {*servers(nvim)} - known or "again and again" in said(nvim), "a server"
        )
        for pid in new if isinstance(new, set) else ():
            known.add(pid)
            os.kill(pid, signal.SIGKILL)
    assert len(known) == 5, "four times it was started again"
    nvim.lua("vim.cmd('Covls restart')")
    nvim.wait(lambda: nvim.lua("return #vim.lsp.get_clients() == 1"), "a server that was asked for")
    nvim.lua("vim.api.nvim_buf_set_lines(0, 0, 1, true, {})")
    nvim.wait(lambda: answered(nvim, path) and marks(nvim) == before, "its answer")


def test_a_server_that_is_stopped_stays_so_until_it_is_wanted(nvim: Neovim) -> None:
    before = marks(nvim)
    nvim.lua("vim.cmd('Covls stop')")
    nvim.wait(lambda: not servers(nvim), "the end of the server")
    assert marks(nvim) == {}
    nvim.lua("vim.cmd('Covls run')")
    assert "covls is not running here" in said(nvim)
    assert "started again" not in said(nvim)
    nvim.lua("vim.cmd('Covls start')")
    nvim.wait(lambda: marks(nvim) == before, "marks")
    nvim.lua("require('covls').setup({ marks = { covered = false, numbers = true } })")
    few = {line: kind for line, kind in before.items() if kind != "covered"}
    nvim.wait(lambda: marks(nvim) == few, "the marks that the new options want")


def test_a_program_that_is_not_there_is_said(measured: Path, tmp_path: Path) -> None:
    init = with_plugin({"cmd": ["no-such-covls", "serve"]}, HEARD)
    with Neovim(measured, tmp_path, init=init, files=[measured / "shop.py"]) as nvim:
        nvim.wait(lambda: "there is no program no-such-covls" in said(nvim), "the words")
        nvim.lua("vim.cmd('silent checkhealth covls')")
        health = nvim.lua("return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), ' ')")
        assert "ERROR There is no program no-such-covls." in health
