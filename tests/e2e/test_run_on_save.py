"""Tests run on save and by keys in a real Neovim that is set up as docs/editors/neovim.md says."""

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.sources import CLICK, unpack
from tests.e2e.neovim import Neovim

pytestmark = pytest.mark.needs_tool("nvim", why="it is the editor under test")

ROOT = Path(__file__).parents[2]

SOURCE = "src/click/utils.py"
TESTS = "tests/test_utils.py"
AT = "    words = help.split()\n"
BRANCH = "    if max_length < 0:\n        raise ValueError(max_length)\n"
TEST = """

def test_no_help_is_shorter_than_nothing():
    with pytest.raises(ValueError):
        click.utils.make_default_short_help("Help.", max_length=-1)
"""

HEARD = """
_G.heard = {}
local function hear(_, params) table.insert(_G.heard, params.message) end
vim.lsp.handlers['window/logMessage'] = hear
vim.lsp.handlers['window/showMessage'] = hear
"""


def recipe() -> str:
    """What docs/editors/neovim.md says about runs, word for word."""
    page = (ROOT / "docs" / "editors" / "neovim.md").read_text(encoding="utf-8")
    (found,) = [b for b in re.findall(r"```lua\n(.*?)```", page, re.DOTALL) if "onSave" in b]
    return str(found)


@pytest.fixture
def click(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache_folder: Path
) -> Iterator[tuple[Neovim, Path]]:
    """Neovim with click's source, and the tests of one of its modules."""
    tree = unpack(replace(CLICK, tests=(TESTS,)), tmp_path)
    for path in (tree / "tests").glob("test_*.py"):
        if path.name != Path(TESTS).name:
            path.unlink()
    configuration = tree / "pyproject.toml"
    strict = 'filterwarnings = [\n    "error",\n'
    text = configuration.read_text()
    assert strict in text
    configuration.write_text(text.replace(strict, f'{strict}    "{CLICK.ignored_warning}",\n'))
    monkeypatch.setenv("PYTHONPATH", str(tree / "src"))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    settings = {"python": sys.executable, "run": {"workers": 0}}
    with Neovim(tree, tmp_path, settings, recipe() + HEARD) as nvim:
        yield nvim, tree


def press(nvim: Neovim, keys: str) -> None:
    """Press keys as somebody would, mappings included."""
    nvim.lua(f"vim.api.nvim_feedkeys([[{keys}]], 'xm', false)")


def heard(nvim: Neovim, words: str) -> str:
    """Wait until covls has said something, and forget what it said until then."""

    def said() -> str | None:
        found: list[str] = nvim.lua("return _G.heard")
        return next((each for each in found if words in each), None)

    message: str = nvim.wait(said, repr(words))
    nvim.lua("_G.heard = {}")
    return message


def save(nvim: Neovim, path: Path, text: str) -> None:
    """Have a file's text replaced and saved in the editor."""
    nvim.edit(path)
    lines = text.removesuffix("\n").split("\n")
    quoted = ",".join("[==[" + line + "]==]" for line in lines)
    nvim.lua(f"vim.api.nvim_buf_set_lines(0, 0, -1, true, {{{quoted}}}); vim.cmd('silent write')")


def uncovered(nvim: Neovim) -> set[str]:
    """The first lines of what no test runs in the buffer that is on screen."""
    lines = nvim.lua("return vim.api.nvim_buf_get_lines(0, 0, -1, true)")
    found: list[dict[str, Any]] = nvim.diagnostics()
    return {lines[each["lnum"]].strip() for each in found if each["code"] == "uncovered"}


@pytest.mark.shows("Neovim", "run", "run on save", "new data")
def test_marks_turn_when_files_are_saved_and_keys_run_tests(click: tuple[Neovim, Path]) -> None:
    nvim, tree = click
    source, tests = tree / SOURCE, tree / TESTS
    nvim.edit(source)
    nvim.wait(lambda: nvim.lua("return #vim.lsp.get_clients({ name = 'covls' }) == 1"), "covls")
    press(nvim, "\\tf")
    assert "passed" in heard(nvim, " s)")
    nvim.wait(nvim.diagnostics, "marks")
    never = "raise ValueError(max_length)"
    assert never not in uncovered(nvim)

    # A line that no test runs, and then a test of it: two saves.
    text = source.read_text()
    save(nvim, source, text.replace(AT, AT + BRANCH))
    assert re.search(r"Affected tests of click-[\d.]+: \d+ passed\.", heard(nvim, " s)"))
    nvim.wait(lambda: never in uncovered(nvim), "the line that no test runs")
    save(nvim, tests, tests.read_text() + TEST)
    assert "1 passed." in heard(nvim, " s)")
    nvim.edit(source)
    nvim.wait(lambda: nvim.diagnostics() and never not in uncovered(nvim), "the line to turn")

    press(nvim, "\\ta")
    heard(nvim, "No test is affected by what changed since the last run.")
    nvim.lua("vim.fn.search([[raise ValueError(max_length)]])")
    press(nvim, "\\tt")
    assert "1 passed." in heard(nvim, " s)")
    assert os.fspath(source) == nvim.lua("return vim.api.nvim_buf_get_name(0)")


@pytest.mark.shows("Neovim", "cancel")
def test_a_run_is_cancelled_by_a_key(click: tuple[Neovim, Path]) -> None:
    nvim, tree = click
    waits = "import pathlib\nimport time\n\n\ndef test_waits():\n"
    waits += "    pathlib.Path('../waiting').touch()\n    time.sleep(600)\n"
    (tree / "tests" / "test_waits.py").write_text(waits)
    nvim.edit(tree / "tests" / "test_waits.py")
    nvim.wait(lambda: nvim.lua("return #vim.lsp.get_clients({ name = 'covls' }) == 1"), "covls")
    press(nvim, "\\tf")
    nvim.wait((tree.parent / "waiting").exists, "the test to begin")
    press(nvim, "\\tc")
    assert "Cancelled after 0 of 1 tests." in heard(nvim, " s)")
