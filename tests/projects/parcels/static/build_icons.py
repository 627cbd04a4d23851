"""Makes one file of all icons, where the site is built."""

import sys
from pathlib import Path


def main():
    folder = Path(sys.argv[1])
    icons = sorted(folder.glob("*.svg"))
    sprite = "".join(icon.read_text() for icon in icons)
    (folder / "sprite.svg").write_text(f"<svg>{sprite}</svg>")


if __name__ == "__main__":
    main()
