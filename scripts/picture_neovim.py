"""Makes docs/pictures/neovim.svg: Neovim's screen, read from a real terminal, on click's source.

    .venv/bin/python -m scripts.picture_neovim

Needs tmux. The project is click under a part of its own tests; the lines, words and colours are
those that Neovim has drawn with no plugin but its own LSP client.
"""

import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scripts.picture import draw
from tests.cli.sources import CLICK, run_tests, unpack

WIDTH, HEIGHT = 128, 34
FILE = "src/click/_termui_impl.py"
LINE = 369

INIT = """
vim.g.loaded_covls = true
vim.opt.runtimepath:append({folder!r})
vim.opt.swapfile, vim.opt.number, vim.opt.termguicolors = false, true, true
vim.opt.signcolumn, vim.opt.laststatus = 'yes', 2
vim.cmd.colorscheme('habamax')
vim.api.nvim_set_hl(0, 'DiagnosticHint', {{ fg = '#e5b448' }})
vim.api.nvim_set_hl(0, 'DiagnosticUnderlineHint', {{}})
local hint = vim.diagnostic.severity.HINT
vim.diagnostic.config({{
  virtual_text = {{ prefix = '▎' }},
  signs = {{ text = {{ [hint] = '▎' }}, numhl = {{ [hint] = 'DiagnosticSignHint' }} }},
}})
vim.lsp.enable('covls')
"""


def main() -> None:
    """Measure click, open one of its files in Neovim in tmux, and draw what the terminal has."""
    with tempfile.TemporaryDirectory() as folder:
        tree = unpack(CLICK, Path(folder))
        run_tests(CLICK, tree)
        init = Path(folder, "init.lua")
        editor = Path(__file__).resolve().parent.parent / "editors" / "neovim"
        init.write_text(INIT.format(folder=str(editor)), encoding="utf-8")
        draw("neovim", screen(tree, init), title="Neovim, click", width=WIDTH)


def screen(tree: Path, init: Path) -> list[str]:
    """The lines of the terminal, colours included, once the diagnostics are there."""
    server = ["tmux", "-u", "-L", f"covls-picture-{os.getpid()}"]
    command = shlex.join(["nvim", "--clean", "-u", str(init), f"+{LINE}", "+normal zt", FILE])
    size = ["-x", str(WIDTH), "-y", str(HEIGHT)]
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": programs, "LC_ALL": "C.UTF-8", "COLORTERM": "truecolor"}
    subprocess.run(
        [*server, "-f", "/dev/null", "new-session", "-d", *size, "-c", str(tree), command],
        env=environment,
        check=True,
    )
    try:
        deadline = time.monotonic() + 30
        before = ""
        while True:
            captured = subprocess.run(
                [*server, "capture-pane", "-p", "-e"], capture_output=True, text=True, check=True
            ).stdout
            # The same screen twice: Neovim has drawn all of it.
            if "No test runs" in captured and captured == before:
                return captured.splitlines()
            before = captured
            if time.monotonic() > deadline:
                raise TimeoutError(f"no diagnostics came:\n{captured}")
            time.sleep(0.2)
    finally:
        subprocess.run([*server, "kill-server"], check=False)


if __name__ == "__main__":
    main()
