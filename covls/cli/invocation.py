"""What was said to `covls` before the name of a command, and how a command fails."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from click.core import ParameterSource

PASSED: Final = 0
FAILED: Final = 1
"""A gate failed, or a test did."""
USAGE: Final = 2
NO_DATA: Final = 3
"""No usable data: missing, unreadable or stale."""
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class NoDataError(click.ClickException):
    """There is nothing to show: the message names the file looked for, and what makes it."""

    exit_code = NO_DATA


class SettingsError(click.ClickException):
    """A setting or an option has a value that nothing can be done with."""

    exit_code = USAGE


@dataclass(slots=True)
class Invocation:
    """The options that every command shares, given before the command or behind it."""

    root: Path | None = None
    """The project's folder; None where it is to be found from the current one upwards."""
    trusted: bool | None = None
    """Whether code of the workspace may run; None where nobody said, and then it may not."""
    pulled: bool | None = None
    """Whether the command is about data that was pulled; None where nobody said."""


def root_option(command: Decorated) -> Decorated:
    """Let `--root` stand behind the command, too."""
    return click.option(
        "--root",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        expose_value=False,
        callback=_set("root"),
        help="The project's folder. Else the nearest one upwards that has coverage data.",
    )(command)


def trusted_option(command: Decorated) -> Decorated:
    """Let `--trusted` and `--no-trusted` stand behind the command, too."""
    return click.option(
        "--trusted/--no-trusted",
        default=None,
        envvar="COVLS_TRUSTED",
        expose_value=False,
        callback=_set("trusted"),
        help="Whether code of the project may run: coverage.py's plugins, its interpreter. "
        "Not unless you say so, here or in COVLS_TRUSTED.",
    )(command)


def pulled_option(command: Decorated) -> Decorated:
    """Let `--pulled` and `--no-pulled` stand behind the command."""
    return click.option(
        "--pulled/--no-pulled",
        default=None,
        expose_value=False,
        callback=_set("pulled"),
        help="Whether to go by what `covls pull` fetched, and not by the project's own data.",
    )(command)


def _set(name: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    def callback(context: click.Context, _parameter: click.Parameter, value: Any) -> Any:
        invocation = context.ensure_object(Invocation)
        # What was typed before the command goes over what the environment says behind it.
        typed = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if value is not None and (typed or getattr(invocation, name) is None):
            setattr(invocation, name, value)
        return value

    return callback


pass_invocation = click.make_pass_decorator(Invocation, ensure=True)
"""Give a command's function the `Invocation` as its first argument."""
