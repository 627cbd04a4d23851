"""Makes docs/pictures/neovim-*.svg: the plugin for Neovim in a real terminal, on click's source.

    .venv/bin/python -m scripts.picture_neovim_plugin

Needs tmux. The project is click under a part of its own tests; what is drawn is what the terminal
has.
"""

import shlex
import tempfile
from collections.abc import Callable
from pathlib import Path

from scripts.picture import draw
from scripts.picture_edits import Terminal
from tests.cli.sources import CLICK, run_tests, unpack

WIDTH, HEIGHT = 112, 36
FILE = "src/click/termui.py"
LINE = 150

INIT = """
vim.opt.runtimepath:append({folder!r})
vim.opt.swapfile, vim.opt.number, vim.opt.termguicolors = false, true, true
vim.opt.signcolumn, vim.opt.laststatus, vim.opt.shortmess = 'yes', 2, 'filnxtToOFI'
vim.opt.statusline = " %f %= %{{%v:lua.require'covls'.statusline()%}} "
vim.cmd.colorscheme('habamax')
"""


def main() -> None:
    """Measure click, open one of its files in Neovim in tmux, and draw what the terminal has."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tree = unpack(CLICK, folder)
        run_tests(CLICK, tree)
        init = folder / "init.lua"
        editor = Path(__file__).resolve().parent.parent / "editors" / "neovim"
        init.write_text(INIT.format(folder=str(editor)), encoding="utf-8")
        command = shlex.join(["nvim", "--clean", "-u", str(init), f"+{LINE}", "+normal zt", FILE])
        with Terminal(tree, command, width=WIDTH, height=HEIGHT) as terminal:

            def picture(what: str, until: Callable[[str], bool]) -> None:
                draw(f"neovim-{what}", terminal.screen(until), title="Neovim, click", width=WIDTH)

            picture("plugin", lambda text: "▌" in text and " %" in text)
            terminal.type(":Covls summary", "Enter")
            picture("summary", lambda text: "src/click/core.py" in text)


if __name__ == "__main__":
    main()
