"""Makes docs/pictures/edits.svg: one file in Neovim as measured, typed in, formatted, and undone.

    .venv/bin/python -m scripts.picture_edits

Needs tmux. Each part is the screen of a real terminal after the keys that stand above it.
"""

import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from scripts.picture import draw
from scripts.picture_neovim import INIT

WIDTH, HEIGHT = 124, 17

SHOP = '''\
"""Prices of a shop."""

def price(amount, member = False,
          voucher = None):
    if voucher :
        amount = amount - voucher.worth
        voucher.spend( )
    if not member:
        return amount
    return amount * (0.9)


def refund(order):
    raise ValueError('no refunds')
'''

RUN = "import shop\nshop.price(10)\n"


def main() -> None:
    """Measure a small file, and look at it in Neovim after each of some edits."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "shop")
        folder.mkdir()
        (folder / "shop.py").write_text(SHOP, encoding="utf-8")
        (folder / "run.py").write_text(RUN, encoding="utf-8")
        (folder / ".coveragerc").write_text("[run]\nbranch = true\n", encoding="utf-8")
        subprocess.run([sys.executable, "-m", "coverage", "run", "run.py"], cwd=folder, check=True)
        init = Path(name, "init.lua")
        editor = Path(__file__).resolve().parent.parent / "editors" / "neovim"
        init.write_text(INIT.format(folder=str(editor)), encoding="utf-8")
        command = shlex.join(["nvim", "--clean", "-u", str(init), "shop.py"])
        lines: list[str] = []
        with Terminal(folder, command) as terminal:

            def shown(caption: str, until: Callable[[str], bool]) -> None:
                screen = terminal.screen(until)
                lines.extend([f"\x1b[1m  {caption}\x1b[0m", "", *screen[:-2], ""])

            shown("as it was measured", lambda text: "lines 6 to 7" in text)
            terminal.type("gg2jOimport warnings", "Enter", "Enter", "Escape", "gg")
            shown("two lines typed above", lambda text: "lines 9 to 10" in text)
            terminal.type(":%!ruff format -", "Enter", "gg")
            shown(":%!ruff format -", lambda text: "lines 8 to 9" in text)
            terminal.type("u", "u", "gg")
            shown("undone", lambda text: "lines 6 to 7" in text)
        draw("edits", lines, title="Neovim, a file that is edited", width=WIDTH)


class Terminal:
    """A program in a terminal of its own, which no configuration of the user's touches."""

    def __init__(
        self, folder: Path, command: str, *, width: int = WIDTH, height: int = HEIGHT
    ) -> None:
        self._server = ["tmux", "-u", "-L", f"covls-edits-{os.getpid()}"]
        self._start = [*self._server, "-f", "/dev/null", "new-session", "-d"]
        self._start += ["-x", str(width), "-y", str(height), "-c", str(folder), command]

    def __enter__(self) -> Self:
        programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {**os.environ, "PATH": programs, "LC_ALL": "C.UTF-8"}
        subprocess.run(self._start, env={**environment, "COLORTERM": "truecolor"}, check=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        subprocess.run([*self._server, "kill-server"], check=False)

    def type(self, *keys: str) -> None:
        """Press keys, each by tmux's name for it or as text."""
        for key in keys:
            subprocess.run([*self._server, "send-keys", key], check=True)

    def screen(self, until: Callable[[str], bool]) -> list[str]:
        """The screen, colours included, once it is as wanted and does not move any more."""
        deadline = time.monotonic() + 120
        before = ""
        while True:
            shown = [*self._server, "capture-pane", "-p", "-e"]
            captured = subprocess.run(shown, capture_output=True, text=True, check=True).stdout
            if until(captured) and captured == before:
                return captured.splitlines()
            before = captured
            if time.monotonic() > deadline:
                raise TimeoutError(f"the screen is not as it was to be:\n{captured}")
            time.sleep(0.5)


if __name__ == "__main__":
    main()
