"""A group of commands, each imported when it is run."""

import gc
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

import click

from covls.cli.invocation import root_option, trusted_option

Commands = Mapping[str, tuple[str, str]]
"""Where each command lives, as `module:attribute`, and what it does, in one line."""


class LazyGroup(click.Group):
    """The group; the help texts stand in its table, so that `--help` imports no command."""

    commands_there: Commands = MappingProxyType({})

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self.commands_there)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in self.commands_there:
            return None
        module, attribute = self.commands_there[cmd_name][0].split(":")
        command: click.Command = getattr(import_module(module), attribute)
        if not gc.isenabled():
            # What was imported stays to the end: nobody need look for garbage among it.
            gc.freeze()
            gc.enable()
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in self.commands_there.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; where there is none, say which one may have been meant."""
        name = args[0]
        if name not in self.commands_there and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name, self.commands_there, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"No such command {name!r}.{hint}")
        return super().resolve_command(ctx, args)


def lazy_group(name: str, commands: Commands, words: str) -> LazyGroup:
    """A group within a command line; `words` are its help."""

    @click.group(
        name, cls=LazyGroup, help=words, context_settings={"help_option_names": ["-h", "--help"]}
    )
    @root_option
    @trusted_option
    def group() -> None: ...

    assert isinstance(group, LazyGroup)
    group.commands_there = commands
    return group
