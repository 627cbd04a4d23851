"""Makes docs/pictures/saves.svg: click's source in Neovim, where saving a file runs its tests.

    .venv/bin/python -m scripts.picture_saves

Needs tmux. Each part is the screen of a real terminal after what stands above it. What Neovim is
told of covls is what docs/editors/neovim.md says.
"""

import os
import re
import shlex
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from scripts.picture import draw
from scripts.picture_edits import WIDTH, Terminal
from scripts.picture_neovim import INIT
from tests.cli.sources import CLICK, unpack

ROOT = Path(__file__).resolve().parent.parent
SOURCE = "src/click/utils.py"
TEST = """
def test_no_help():
    with pytest.raises(ValueError):
        click.utils.make_default_short_help("Help.", -1)
"""

RUN_ALL = (
    "vim.wait(60000, function() return #vim.lsp.get_clients() > 0 end) "
    "vim.lsp.get_clients()[1]:exec_cmd({ title = '', command = 'covls.runAll' })"
)

MORE = """
vim.lsp.config('covls', {{ settings = {{ covls = {{
  python = {python!r}, run = {{ workers = 0 }},
}} }} }})
"""


def main() -> None:
    """Edit click's source, then its tests, and look at the source after each save."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tree = unpack(CLICK, folder)
        for path in (tree / "tests").glob("test_*.py"):
            if f"tests/{path.name}" not in CLICK.tests:
                path.unlink()
        configuration = tree / "pyproject.toml"
        strict = 'filterwarnings = [\n    "error",\n'
        text = configuration.read_text(encoding="utf-8")
        text = text.replace(strict, f'{strict}    "{CLICK.ignored_warning}",\n')
        configuration.write_text(text, encoding="utf-8")
        os.environ["PYTHONPATH"] = str(tree / "src")
        os.environ["COVLS_CACHE_DIR"] = str(folder / "cache")
        page = (ROOT / "docs" / "editors" / "neovim.md").read_text(encoding="utf-8")
        (recipe,) = [b for b in re.findall(r"```lua\n(.*?)```", page, re.DOTALL) if "onSave" in b]
        init = folder / "init.lua"
        neovim = INIT.format(folder=str(ROOT / "editors" / "neovim"))
        more = MORE.format(python=sys.executable)
        init.write_text(f"{recipe}{more}{neovim}", encoding="utf-8")
        source = (tree / SOURCE).read_text(encoding="utf-8").splitlines()
        first = source.index("def make_default_short_help(help: str, max_length: int = 45) -> str:")
        command = ["nvim", "--clean", "-u", str(init), f"+{first + 1}", "+normal zt", SOURCE]
        lines: list[str] = []
        with Terminal(tree, shlex.join(command)) as terminal:

            def shown(caption: str, until: Callable[[str], bool]) -> None:
                screen = terminal.screen(until)
                lines.extend([f"\x1b[1m  {caption}\x1b[0m", "", *screen[:-2], ""])

            terminal.screen(lambda text: "make_default_short_help" in text)
            terminal.type(f":lua {RUN_ALL}", "Enter")
            shown("as the tests ran", lambda _: (tree / ".coverage").exists())
            terminal.type("jo", "if max_length < 0:", "Enter", "raise ValueError(max_length)")
            terminal.type("Escape", f"{first + 1}Gzt", ":w", "Enter")
            shown("two lines added, and :w", lambda text: "No test runs this line" in text)
            terminal.type(":e tests/test_utils.py", "Enter", "Go", "Escape", ":set paste", "Enter")
            terminal.type("o", *[key for line in TEST.splitlines() for key in (line, "Enter")])
            terminal.type("Escape", ":w", "Enter", f":e {SOURCE}", "Enter", f"{first + 1}Gzt")
            shown("a test of them added, and :w", lambda text: "No test runs" not in text)
        draw("saves", lines, title="Neovim, click, tests on save", width=WIDTH)


if __name__ == "__main__":
    main()
