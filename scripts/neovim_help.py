"""The parts of the Neovim plugin's help that are made from its code: options and highlight groups.

    .venv/bin/python -m scripts.neovim_help

writes them into editors/neovim/doc/covls.txt; a test tells when that was forgotten. A Neovim reads
the plugin's own tables for it.
"""

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

EDITOR_FOLDER = Path(__file__).resolve().parent.parent / "editors" / "neovim"
PAGE = EDITOR_FOLDER / "doc" / "covls.txt"

_WIDTH = 78

_TYPES = {"list": "list of strings"}

_READ = """
local options = {}
for _, option in ipairs(require('covls.schema')) do
  option.default = vim.inspect(option.default, { newline = ' ', indent = '' })
  options[#options + 1] = option
end
io.write(vim.json.encode({ options = options, groups = require('covls.highlights').GROUPS }))
"""


def tables() -> Any:
    """The plugin's `options` and highlight `groups`, as its Lua has them."""
    folder = json.dumps(str(EDITOR_FOLDER))
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        ["nvim", "--clean", "--cmd", f"lua vim.opt.rtp:append({folder})", "-l", "-"],
        input=_READ,
        env={**os.environ, "PATH": programs},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def page(text: str) -> str:
    """The help with these parts as the code has them now."""
    found = tables()
    options = "\n".join(map(_option, found["options"]))
    names = [name for name, _ in found["groups"]]
    width = max(map(len, names)) + 4
    groups = "".join(
        f"    {f'*hl-{name}*':>{_WIDTH - 4}}\n    {name:<{width}}{', '.join(targets)}\n"
        for name, targets in found["groups"]
    )
    return _between(_between(text, "options", options), "groups", groups)


def _option(option: dict[str, Any]) -> str:
    """An option's tag, type, default and purpose."""
    name = option["name"]
    types = " or ".join(_TYPES.get(each, each) for each in option["types"] if each != "string")
    if "string" in option["types"]:
        choices = " or ".join(f"'{each}'" for each in option.get("choices", ()))
        types = " or ".join(filter(None, [types, choices or "string"]))
    head = name + f"*covls-option-{name}*".rjust(_WIDTH - len(name))
    about = textwrap.fill(
        f"{option['about']} ({types}, default `{option['default']}`)",
        _WIDTH,
        initial_indent="    ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f"{head}\n{about}\n"


def _between(text: str, what: str, made: str) -> str:
    """A page with a part replaced: what stands between two lines that are named after it."""
    begin, end = _MARKS[what]
    pattern = re.compile(f"(?<={re.escape(begin)}).*?(?={re.escape(end)})", re.DOTALL)
    replaced, count = pattern.subn(lambda _: made, text)
    if count != 1:
        raise ValueError(f"the help has {count} places for {what}")
    return replaced


# Lines of the page itself, so that nothing stands in it for this script alone.
_MARKS = {
    "options": (
        "its default is used.\n\n",
        f"\n{'=' * _WIDTH}\n7. TRUST",
    ),
    "groups": (
        "Set one as you like, and it stays so.\n\n",
        f"\n{'=' * _WIDTH}\n10. IF THE SERVER ENDS",
    ),
}


def main() -> None:
    """Write the help anew."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
