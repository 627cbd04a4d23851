"""`workspace/executeCommand`: the commands, and what they are given, checked."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from covls.server.convert import path_of
from covls.server.features import (
    create_test,
    exclusion,
    explain,
    failed_tests,
    go_to_tests,
    open_report,
    priorities,
    pull,
    run,
)
from covls.server.session import Session

Kind = type[str] | type[int] | type[list[str]]


@dataclass(frozen=True, slots=True)
class Command:
    """A command: what it does, and its arguments in their order, by name, with their types.

    Those that are not `required` may be null or left out.
    """

    run: Callable[..., Awaitable[Any]]
    arguments: Mapping[str, Kind] = field(default_factory=dict)
    required: int = 0
    """How many of them must be there."""


async def toggle(session: Session) -> dict[str, bool]:
    """Take all marks and diagnostics off the screen, or put them back. Says which."""
    session.enabled = not session.enabled
    session.show_anew()
    failed_tests.show_all_closed(session)
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


_LINES: Mapping[str, Kind] = {"uri": str, "startLine": int, "endLine": int}

_TYPE_WORDS: Mapping[Kind, str] = {
    str: "a string",
    int: "a whole number from 0",
    list: "a list of strings",
}

COMMANDS = {
    create_test.COMMAND: Command(create_test.create_test, {"uri": str, "line": int}, required=2),
    exclusion.COMMAND: Command(exclusion.exclude_lines, _LINES, required=2),
    explain.COMMAND: Command(explain.explain, {"uri": str, "line": int}, required=2),
    go_to_tests.COMMAND: Command(go_to_tests.go_to_tests, _LINES, required=2),
    open_report.COMMAND: Command(open_report.open_report, {"uri": str, "line": int}),
    priorities.COMMAND: Command(priorities.show_priorities, {"folder": str, "limit": int}),
    pull.COMMAND: Command(pull.pull, {"folder": str}),
    run.RUN_FILE: Command(run.run_file, {"uri": str}, required=1),
    run.RUN_AT_CURSOR: Command(
        run.run_at_cursor, {"uri": str, "line": int, "endLine": int}, required=2
    ),
    run.RUN_AFFECTED: Command(run.run_affected, {"folder": str}),
    run.RUN_ALL: Command(run.run_all, {"folder": str}),
    run.RUN_TESTS: Command(run.run_tests, {"folder": str, "tests": list}, required=2),
    run.CANCEL_RUN: Command(run.cancel_run, {"folder": str}),
    "covls.refresh": Command(refresh, {"folder": str}),
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
    if len(arguments) < command.required:
        wanted = ", ".join(tuple(command.arguments)[: command.required])
        raise JsonRpcInvalidParams(f"{params.command} needs {wanted}, and got {len(arguments)}")
    for place, (name, kind) in enumerate(command.arguments.items()):
        value = arguments[place] if place < len(arguments) else None
        if value is None and place >= command.required:
            continue
        if not _is(value, kind):
            words = _TYPE_WORDS[kind]
            raise JsonRpcInvalidParams(f"{params.command}: {name} must be {words}, not {value!r}")
    return await command.run(session, *arguments)


def _is(value: object, kind: Kind) -> bool:
    """Whether a value from JSON is of a kind; true and false are no numbers."""
    if type(value) is not kind:
        return False
    if isinstance(value, list):
        return all(isinstance(each, str) for each in value)
    return not isinstance(value, int) or value >= 0


def announce(session: Session) -> None:
    """Have the commands told with the server's capabilities."""
    for name in COMMANDS:
        session.server.protocol.fm.commands[name] = COMMANDS[name].run
