"""The plugin's Lua: its own tables of cases, its style, and that nothing is loaded too early."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import MISSING
from tests.e2e.neovim import EDITOR_FOLDER, own_folders

CASES = sorted((EDITOR_FOLDER / "tests").glob("*.lua"))

needs_nvim = pytest.mark.needs_tool("nvim", why="it runs the plugin")


def nvim(state: Path, *arguments: str) -> str:
    """What a Neovim with the plugin on its runtime path, and nothing else, wrote."""
    folder = json.dumps(str(EDITOR_FOLDER))
    done = subprocess.run(
        ["nvim", "--clean", "--cmd", f"lua vim.opt.rtp:append({folder})", *arguments],
        env=own_folders(state),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@needs_nvim
@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_cases(case: Path, tmp_path: Path) -> None:
    nvim(tmp_path, "-l", str(case))


@needs_nvim
def test_a_case_can_fail(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.lua"
    wrong.write_text("assert(require('covls.marks').kind('covered', 'fresh') == 'missing')")
    with pytest.raises(AssertionError):
        nvim(tmp_path, "-l", str(wrong))


@needs_nvim
def test_nothing_is_loaded_before_a_python_file(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Notes.\n")
    asks = "io.write(vim.inspect(vim.tbl_filter(function(name) return name:match('covls') end, "
    asks += "vim.tbl_keys(package.loaded))), vim.fn.exists(':Covls'), #vim.lsp.get_clients())"
    said = nvim(
        tmp_path,
        *("--headless", str(tmp_path / "notes.txt"), "-c", "set filetype=text"),
        *("-c", f"lua {asks}", "-c", "qall!"),
    )
    assert said == '{ "covls.entry" }20'


@needs_nvim
def test_no_key_is_taken(tmp_path: Path) -> None:
    keys = (
        "for _, mode in ipairs({ 'n', 'x', 'o', 'i' }) do\n"
        "  for _, map in ipairs(vim.api.nvim_get_keymap(mode)) do io.write(map.lhs, ' ') end\n"
        "end"
    )
    without = {
        *subprocess.run(
            ["nvim", "--clean", "--headless", "-c", f"lua {keys}", "-c", "qall!"],
            env=own_folders(tmp_path),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
    }
    with_plugin = {*nvim(tmp_path, "--headless", "-c", f"lua {keys}", "-c", "qall!").split()}
    more = with_plugin - without
    assert more
    assert all(key.startswith("<Plug>(covls-") for key in more)


def test_luacheck_finds_nothing() -> None:
    # No program that anything else needs: where it cannot be installed, that is said at the end.
    if shutil.which("luacheck") is None:
        pytest.skip(f"{MISSING}luacheck")
    done = subprocess.run(
        ["luacheck", "--no-color", "."],
        cwd=EDITOR_FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
