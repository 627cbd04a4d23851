"""`:help covls` has all options, commands, maps and groups, and no reference to nothing."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.neovim_help import PAGE, page
from tests.e2e.neovim import EDITOR_FOLDER, own_folders

pytestmark = pytest.mark.needs_tool("nvim", why="it reads the plugin's tables")

TEXT = PAGE.read_text(encoding="utf-8")


def source(name: str) -> str:
    return (EDITOR_FOLDER / "lua/covls" / f"{name}.lua").read_text(encoding="utf-8")


def test_options_and_groups_are_those_of_the_plugin() -> None:
    assert page(TEXT) == TEXT, "python -m scripts.neovim_help"


def test_every_subcommand_is_described() -> None:
    table = source("command").partition("M.SUBCOMMANDS = {")[2].partition("\n}\n")[0]
    names = re.findall(r"^  (\w+) = \{$", table, re.MULTILINE)
    assert len(names) > 15
    assert sorted(names) == sorted(re.findall(r"\*:Covls-(\w+)\*", TEXT))


def test_every_map_is_named() -> None:
    table = source("entry").partition("local MAPS = {")[2].partition("\n}\n")[0]
    names = re.findall(r"^  (?:\['([\w-]+)'\]|(\w+)) = '", table, re.MULTILINE)
    maps = sorted(one or other for one, other in names)
    assert len(maps) > 10
    listed = TEXT.partition("These can be given one")[2].partition("For example")[0]
    assert maps == sorted(re.findall(r"<Plug>\(covls-([\w-]+)\)", listed))


@pytest.mark.parametrize("window", ["summary", "priorities"])
def test_every_key_of_a_window_is_described(window: str) -> None:
    keys = re.findall(r"key = '([^']+)'", source(window))
    about = TEXT.partition(f"*covls-{window}*")[2].partition("q, <Esc>")[0]
    assert keys
    assert sorted(keys) == sorted(re.findall(r"^    (\S+) {3,}", about, re.MULTILINE))


def test_every_reference_leads_somewhere(tmp_path: Path) -> None:
    plugin = tmp_path / "plugin"
    shutil.copytree(EDITOR_FOLDER / "doc", plugin / "doc")
    names = sorted({*re.findall(r"\|([^|\s]+)\|", TEXT)})
    asks = "".join(
        f"if not pcall(vim.cmd.help, [==[{name}]==]) then io.write([==[{name} ]==]) end\n"
        for name in names
    )
    script = tmp_path / "ask.lua"
    script.write_text(
        f"vim.opt.rtp:append([[{plugin}]])\nvim.cmd.helptags([[{plugin / 'doc'}]])\n"
        f"{asks}io.write('done')\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        ["nvim", "--clean", "-l", script],
        env=own_folders(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout + done.stderr == "done"


def test_no_line_is_wider_than_help_is() -> None:
    assert [line for line in TEXT.splitlines() if len(line) > 80] == []
