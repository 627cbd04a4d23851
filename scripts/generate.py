"""Writes the files that are made from the code: what documents and editors' plugins repeat.

`make generate` writes them, and a test tells when that was forgotten.
"""

import json
import re
from pathlib import Path

from covls.core.settings import Setting, all_settings, settings_schema
from scripts.neovim_types import lua
from scripts.vscode_protocol import typescript
from scripts.vscode_settings import package_json

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = "covls/settings.schema.json"
PAGE = "docs/settings.md"
VSCODE_PACKAGE = "editors/vscode/package.json"
VSCODE_PROTOCOL = "editors/vscode/src/protocol.ts"
NEOVIM_TYPES = "editors/neovim/lua/covls/types.lua"
BEGIN = "<!-- made by `make generate` from covls/core/settings.py -->\n"
END = "<!-- end -->\n"


def row(setting: Setting) -> str:
    """A setting's line in the table, and those of what its tables have."""
    default = "" if setting.default in (None, (), {}, "") else f"`{json.dumps(setting.default)}`"
    about = setting.about.description
    if setting.about.client_only:
        about += " **From the editor or the command line only.**"
    if setting.about.restricted:
        about += " **From the workspace's files only where it is trusted.**"
    if setting.about.required:
        about += " **Needed.**"
    line = f"| `{setting.path}` | {setting.type} | {default} | {about} |\n"
    return line + "".join(map(row, setting.items))


def generated() -> dict[str, str]:
    """The text each generated file should hold, by its path from the root."""
    table = "| setting | type | default | what it does |\n|---|---|---|---|\n"
    table += "".join(row(setting) for setting in all_settings())
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    between = re.compile(f"(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", re.DOTALL)
    return {
        SCHEMA: json.dumps(settings_schema(), indent=2) + "\n",
        PAGE: between.sub(lambda _: table, page),
        VSCODE_PACKAGE: package_json((ROOT / VSCODE_PACKAGE).read_text(encoding="utf-8")),
        VSCODE_PROTOCOL: typescript(),
        NEOVIM_TYPES: lua(),
    }


if __name__ == "__main__":
    for name, text in generated().items():
        (ROOT / name).write_text(text, encoding="utf-8")
