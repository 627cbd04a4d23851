"""Writes the files that are made from the code: what documents and editors' plugins repeat.

`make generate` writes them, and a test tells when that was forgotten.
"""

import json
import re
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import click

from covls.cli.main import cli
from covls.core.settings import Setting, all_settings, settings_schema
from scripts.neovim_types import lua
from scripts.vscode_protocol import typescript
from scripts.vscode_settings import package_json

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = "covls/settings.schema.json"
PAGE = "docs/settings.md"
COMMANDS = "docs/commands.md"
VSCODE_PACKAGE = "editors/vscode/package.json"
VSCODE_PROTOCOL = "editors/vscode/src/protocol.ts"
NEOVIM_TYPES = "editors/neovim/lua/covls/types.lua"
BEGIN = "<!-- made by `make generate` from covls/core/settings.py -->\n"
END = "<!-- end -->\n"
COMMANDS_BEGIN = "<!-- made by `make generate` from covls/cli -->\n"


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


def every_command(group: click.Group, above: click.Context) -> Iterator[click.Context]:
    """The commands of a group and of those within it, each as it would be invoked."""
    for name in group.list_commands(above):
        command = group.get_command(above, name)
        assert command is not None, name
        context = click.Context(command, info_name=name, parent=above)
        if isinstance(command, click.Group):
            yield from every_command(command, context)
        else:
            yield context


def command_section(context: click.Context) -> str:
    """What a command does, and each of its options.

    In words of our own: click's differ from version to version.
    """
    command = context.command
    options = [each for each in command.params if isinstance(each, click.Option)]
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    path = f"{context.parent.command_path} {context.info_name}" if context.parent else ""
    usage = " ".join([path, "[OPTIONS]", *map(_argument, arguments)])
    text = f"## {path}\n\n    {usage}\n\n{cleandoc(command.help or '')}\n\n"
    return text + "| option | what it does |\n|---|---|\n" + "".join(map(_option, options)) + "\n"


def _argument(argument: click.Argument) -> str:
    if argument.metavar is not None:
        return argument.metavar
    name = str(argument.name).upper()
    name = name if argument.required else f"[{name}]"
    return name if argument.nargs == 1 else f"{name}..."


def _option(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    value = ""
    if not option.is_flag and not option.count:
        if isinstance(option.type, click.Choice):
            value = f" {', '.join(f'`{choice}`' for choice in option.type.choices)}"
        else:
            value = f" {option.metavar or option.type.name.partition(' ')[0].upper()}"
    about = option.help or ""
    if option.show_default and option.default is not None:
        about += f" Default: {option.default}."
    cells = (each.replace("|", "\\|") for each in (names + value, about))
    return f"| {' | '.join(cells)} |\n"


def between(begin: str, page: str, text: str) -> str:
    """A page with a text in the place of what stood after `begin`, up to the end of it."""
    old = re.compile(f"(?<={re.escape(begin)}).*?(?={re.escape(END)})", re.DOTALL)
    return old.sub(lambda _: text, (ROOT / page).read_text(encoding="utf-8"))


def generated() -> dict[str, str]:
    """The text each generated file should hold, by its path from the root."""
    table = "| setting | type | default | what it does |\n|---|---|---|---|\n"
    table += "".join(row(setting) for setting in all_settings())
    covls = click.Context(cli, info_name="covls")
    commands = "".join(map(command_section, every_command(cli, covls)))
    return {
        SCHEMA: json.dumps(settings_schema(), indent=2) + "\n",
        PAGE: between(BEGIN, PAGE, table),
        COMMANDS: between(COMMANDS_BEGIN, COMMANDS, f"\n{commands}"),
        VSCODE_PACKAGE: package_json((ROOT / VSCODE_PACKAGE).read_text(encoding="utf-8")),
        VSCODE_PROTOCOL: typescript(),
        NEOVIM_TYPES: lua(),
    }


if __name__ == "__main__":
    for name, text in generated().items():
        (ROOT / name).write_text(text, encoding="utf-8")
