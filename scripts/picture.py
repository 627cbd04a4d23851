"""Makes the pictures of the terminal in docs/pictures: `covls demo`, as it has just run here.

    .venv/bin/python scripts/picture.py

What is in them is what the demo printed, in two parts; only what lies between the two, and the
words at its end, are left out.
"""

import io
import re
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from covls.cli.demo.stage import play

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
WIDTH = 96

# The colours of a terminal, dark and calm, with enough contrast between red, green and yellow.
THEME = TerminalTheme(
    (22, 27, 34),
    (214, 221, 229),
    [
        (72, 79, 88),
        (255, 107, 104),
        (74, 201, 111),
        (229, 180, 72),
        (108, 174, 255),
        (201, 148, 255),
        (86, 212, 221),
        (214, 221, 229),
    ],
    [
        (118, 129, 144),
        (255, 123, 114),
        (86, 211, 100),
        (240, 200, 100),
        (138, 190, 255),
        (210, 168, 255),
        (110, 225, 232),
        (240, 246, 252),
    ],
)


def main() -> None:
    """Run the demo once and draw both parts of it."""
    console = Console(
        file=io.StringIO(),
        record=True,
        width=WIDTH,
        force_terminal=True,
        color_system="truecolor",
        highlight=False,
    )
    play(console)
    lines = console.export_text(styles=True).splitlines()
    plain = [Text.from_ansi(line).plain for line in lines]
    stock = next(number for number, line in enumerate(plain) if "bookshop/stock.py" in line)
    added = next(number for number, line in enumerate(plain) if "One more test" in line)
    end = next(number for number, line in enumerate(plain) if "What next" in line)
    draw("demo", lines[1:stock])
    draw("demo-live", lines[added:end])


def draw(name: str, lines: list[str], title: str = "covls demo", width: int = WIDTH) -> None:
    """Draw lines of terminal output into a picture."""
    console = Console(
        file=io.StringIO(),
        record=True,
        width=width,
        force_terminal=True,
        color_system="truecolor",
        highlight=False,
    )
    for line in lines:
        console.print(Text.from_ansi(line), soft_wrap=True)
    PICTURES.mkdir(parents=True, exist_ok=True)
    target = PICTURES / f"{name}.svg"
    picture = console.export_svg(title=title, theme=THEME, unique_id=name)
    # rich names a font on a server far away; any monospaced font here does.
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    target.write_text(picture, encoding="utf-8")
    print(f"{target}: {len(lines)} lines")


if __name__ == "__main__":
    main()
