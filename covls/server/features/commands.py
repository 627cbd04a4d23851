"""`workspace/executeCommand`: the commands, and what they are given, checked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from covls.server.convert import path_of
from covls.server.session import Session


@dataclass(frozen=True, slots=True)
class Command:
    """A command: what it does, and the names of its arguments, strings all, each may be missing."""

    run: Callable[..., Awaitable[Any]]
    arguments: tuple[str, ...] = ()


async def toggle(session: Session) -> dict[str, bool]:
    """Take all marks and diagnostics off the screen, or put them back. Says which."""
    session.enabled = not session.enabled
    session.show_anew()
    return {"enabled": session.enabled}


async def refresh(session: Session, folder: str | None = None) -> None:
    """Look at settings and data anew, of one folder or of all. Does not wait for what comes."""
    path = None
    if folder is not None:
        path = path_of(folder)
        if path is None:
            raise JsonRpcInvalidParams(f"covls.refresh: {folder!r} is not the URI of a folder")
    for root in session.roots.values():
        if path is None or root.folder == path:
            root.reconfigure = True
            session.look(root)
    session.find_roots_anew()


COMMANDS = {
    "covls.refresh": Command(refresh, ("folder",)),
    "covls.toggle": Command(toggle),
}


async def execute(session: Session, params: types.ExecuteCommandParams) -> Any:
    """Run a command; an unknown one, or arguments that do not fit, are refused in words."""
    command = COMMANDS.get(params.command)
    if command is None:
        known = ", ".join(COMMANDS)
        raise JsonRpcInvalidParams(f"covls has no command {params.command!r}; it has {known}")
    arguments = list(params.arguments or ())
    if len(arguments) > len(command.arguments):
        wanted = f"at most {', '.join(command.arguments)}" if command.arguments else "no arguments"
        raise JsonRpcInvalidParams(f"{params.command} takes {wanted}, and got {len(arguments)}")
    for name, value in zip(command.arguments, arguments, strict=False):
        if value is not None and not isinstance(value, str):
            raise JsonRpcInvalidParams(f"{params.command}: {name} must be a string, not {value!r}")
    return await command.run(session, *arguments)


def announce(session: Session) -> None:
    """Have the commands told with the server's capabilities."""
    for name in COMMANDS:
        session.server.protocol.fm.commands[name] = COMMANDS[name].run
