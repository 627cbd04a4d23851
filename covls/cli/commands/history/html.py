"""`covls history html`: the history as one page that needs nothing else."""

from datetime import UTC, datetime
from pathlib import Path

import click

from covls import __version__
from covls.cli.history_data import flag_option, history_of, root_and_settings
from covls.cli.invocation import (
    PASSED,
    Invocation,
    NoDataError,
    SettingsError,
    pass_invocation,
    root_option,
    trusted_option,
)
from covls.cli.output import opened
from covls.cli.project_data import absolute, open_project, warn
from covls.core.history_page import About, gather, main_branch
from covls.core.priorities import Ranking
from covls.page.filling import history_page
from covls.project.priorities import Wanted

_N_PRIORITIES = 100


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Where to write it. Else .covls/history.html in the project's folder; `-` is stdout.",
)
@click.option("--open", "open_it", is_flag=True, help="Open it in a browser.")
@click.option("--title", metavar="NAME", help="The project's name. Else that of its folder.")
@flag_option("Only runs with exactly these flags.")
@click.option("--branch", metavar="NAME", help="Only runs of this branch.")
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(0),
    default=1000,
    show_default=True,
    help="How many runs, the newest; 0 for all.",
)
@click.option(
    "--priorities/--no-priorities",
    default=True,
    show_default=True,
    help="Say what to test next, by the data that is here.",
)
@root_option
@trusted_option
@pass_invocation
def html(
    invocation: Invocation,
    output: Path | None,
    open_it: bool,
    title: str | None,
    flags: tuple[str, ...] | None,
    branch: str | None,
    limit: int,
    priorities: bool,
) -> int:
    """Write the history as one page, which works without a network, and say where it is.

    Trend, map, files, functions, what to test next, and any two commits compared.
    """
    to_stdout = output is not None and str(output) == "-"
    if open_it and to_stdout:
        raise click.UsageError("What goes to stdout cannot be opened: leave out one of both.")
    root, settings = root_and_settings(invocation)
    with history_of(root, settings, invocation) as history:
        runs = history.runs(branch=branch, flags=flags, limit=limit or None)
        if not runs:
            raise NoDataError(
                "No run was recorded that is like this.\n"
                "To see what was: covls history list --limit 0"
            )
        runs.sort(key=lambda run: (run.flags, run.commit.authored, run.number))
        gathered = gather(history.files_of(runs))
    about = About(
        title or absolute(root).name or "/",
        datetime.now(UTC),
        __version__,
        main_branch(run.commit.branch for run in runs),
        settings.gates,
        _ranking(invocation) if priorities else None,
    )
    page = history_page(about, gathered)
    file = absolute(output) if output else _own_folder(absolute(root)) / "history.html"
    with opened(output if to_stdout else file) as stream:
        stream.write(page)
    if to_stdout:
        return PASSED
    print(file)
    if open_it:
        import webbrowser

        if not webbrowser.open(file.as_uri()):
            warn("no browser was found; open the file above in one")
    return PASSED


def _ranking(invocation: Invocation) -> Ranking | None:
    """What to test next, where there is coverage data here to tell it by."""
    project = open_project(invocation)
    try:
        project.load()
        if project.snapshot is None:
            return None
        return project.priorities(Wanted("function", _N_PRIORITIES))
    finally:
        project.close()


def _own_folder(root: Path) -> Path:
    """The folder that covls has in a project, which git passes over."""
    folder = root / ".covls"
    try:
        folder.mkdir(exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", "utf-8")
    except OSError as error:
        raise SettingsError(f"{folder} cannot be written to: {error.strerror}") from error
    return folder
