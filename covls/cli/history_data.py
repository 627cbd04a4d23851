"""How a command comes to a history, and to the run that is meant."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from covls.adapters.configuration import find_root
from covls.adapters.history_db import HistoryError, Mode, NoHistoryError, open_history
from covls.adapters.settings_files import read_settings_files
from covls.cli.invocation import Invocation, NoDataError, SettingsError
from covls.cli.project_data import warn
from covls.core.coverage import percent_text
from covls.core.history import Run, tidy_flags
from covls.core.settings import Settings, client_layer, read_settings

if TYPE_CHECKING:
    from covls.adapters.history_db.history import History

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@contextmanager
def history_of(
    root: Path, settings: Settings, invocation: Invocation, mode: Mode = "use"
) -> "Iterator[History]":
    """The history of a root, while it is needed; what is wrong with it ends the command.

    A command that is about the history goes to the database that the settings name, unless it is
    said that the workspace is not trusted.
    """
    with (
        told(),
        open_history(root, settings, mode=mode, trusted=invocation.trusted is not False) as history,
    ):
        yield history


@contextmanager
def told() -> Iterator[None]:
    """Turn what is wrong with a history into an exit code."""
    try:
        yield
    except NoHistoryError as error:
        raise NoDataError(f"{error}\nTo record a run: covls history record") from error
    except HistoryError as error:
        raise SettingsError(str(error)) from error


def root_and_settings(invocation: Invocation) -> tuple[Path, Settings]:
    """The project's folder and its settings, for a command that needs no coverage data."""
    root = invocation.root or find_root(Path.cwd())
    given = {} if invocation.trusted is None else {"trusted": invocation.trusted}
    found = read_settings_files(root)
    settings, problems = read_settings(*found.layers, client_layer(given, "command line"))
    for problem in (*found.problems, *problems):
        warn(str(problem))
    return root, settings


def flag_option(words: str) -> Callable[[Decorated], Decorated]:
    """Let `--flag` stand behind a command; `flags` is None where none was given."""

    def tidy(
        _context: click.Context, _parameter: click.Parameter, values: Sequence[str]
    ) -> tuple[str, ...] | None:
        try:
            flags = tidy_flags(part for value in values for part in value.split(","))
        except ValueError as error:
            raise click.BadParameter(str(error)) from error
        return flags or None

    return click.option("--flag", "flags", multiple=True, metavar="FLAG", callback=tidy, help=words)


def format_option(command: Decorated) -> Decorated:
    """Let `--format` stand behind a command."""
    return click.option(
        "-f",
        "--format",
        "form",
        type=click.Choice(["text", "json"]),
        default="text",
        help="How to write the result.",
    )(command)


def find_run(history: "History", root: Path, meant: str, flags: Sequence[str] | None = None) -> Run:
    """The run that somebody means: `#12`, a commit by its name or the beginning of it, or a ref.

    Raises NoDataError where there is none, SettingsError where it may be several.
    """
    with told():
        if re.fullmatch(r"#\d+", meant):
            run = history.run(int(meant[1:]))
            if run is None:
                raise NoDataError(
                    f"There is no run {meant}. To see those there are: covls history list"
                )
            return run
        if re.fullmatch(r"[0-9a-fA-F]{4,}", meant):
            names = {run.commit.id for run in history.runs(commit=meant.lower())}
            if len(names) > 1:
                several = ", ".join(sorted(name[:12] for name in names)[:4])
                raise SettingsError(f"{meant} may be one of {len(names)} commits: {several}.")
            if names:
                return _run_of(history, names.pop(), meant, flags)
        if meant.isdecimal() and (run := history.run(int(meant))) is not None:
            # To most shells what stands behind a # is a comment.
            return run
        exact = history.run_of(meant, flags)
        if exact is not None:
            return exact
        from covls.adapters.commits import commits_of

        commits = commits_of(root)
        commit = commits.find(meant) if commits else None
        if commit is None:
            raise NoDataError(
                f"{meant} is no commit of a recorded run, and none that git knows here."
            )
        return _run_of(history, commit, meant, flags)


def _run_of(history: "History", commit: str, meant: str, flags: Sequence[str] | None) -> Run:
    run = history.run_of(commit, flags)
    if run is None:
        under = f" with {', '.join(flags)}" if flags else ""
        name = "" if commit.startswith(meant) else f" ({commit[:12]})"
        raise NoDataError(
            f"Nothing was recorded of {meant}{name}{under}. To see what was: covls history list"
        )
    return run


def percent_of(run: Run) -> str:
    """A run's figure with two decimals."""
    return f"{percent_text(run.totals.percent, 2)} %"
