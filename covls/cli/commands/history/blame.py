"""`covls history blame`: since which recorded commit each line of a file is covered, or missed."""

import json
from pathlib import Path

import click

from covls.cli.history_data import (
    find_run,
    flag_option,
    format_option,
    history_of,
    root_and_settings,
    told,
)
from covls.cli.invocation import (
    PASSED,
    Invocation,
    NoDataError,
    pass_invocation,
    root_option,
    trusted_option,
)
from covls.cli.project_data import warn
from covls.core.formats.blame_text import blame_text


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--at",
    metavar="COMMIT",
    help="The run to tell of: a commit, a ref, or the number of a run. Else the nearest to HEAD.",
)
@flag_option("Only runs with exactly these flags.")
@format_option
@root_option
@trusted_option
@click.argument("file", type=click.Path(path_type=Path))
@pass_invocation
def blame(
    invocation: Invocation,
    at: str | None,
    flags: tuple[str, ...] | None,
    form: str,
    file: Path,
) -> int:
    """Show since which recorded commit each statement of a file is covered, or missed.

    Statements are followed through the texts that git has, wherever they stood. Lines are those
    of the text that the run measured.
    """
    root, settings = root_and_settings(invocation)
    with told(), history_of(root, settings, invocation) as history:
        from covls.adapters.commits import commits_of
        from covls.project.recorded_runs import blame_file, nearest_run

        commits = commits_of(root)
        if at is not None or commits is None:
            run = find_run(history, root, at or "HEAD", flags)
        else:
            head = commits.find("HEAD")
            nearest = (
                "There are no commits yet."
                if head is None
                else nearest_run(history, commits, head, flags)
            )
            if isinstance(nearest, str):
                raise NoDataError(nearest)
            run = nearest
        path = _path(root, file)
        found = blame_file(history, commits, run, path)
    if found is None:
        raise NoDataError(
            f"{path} is not in the run of {run.commit.id[:12]}.\n"
            f"To see what is: covls history show {run.commit.id[:12]}"
        )
    blocks, runs, lines = found
    if form == "json":
        values = [
            {
                "first_line": block.lines[0],
                "last_line": block.lines[1],
                "state": block.state.value,
                "since": runs[block.run].commit.id,
                "authored": runs[block.run].commit.authored.isoformat(),
                "run": runs[block.run].number,
                "before": block.before.value,
            }
            for block in blocks
        ]
        print(json.dumps({"path": path, "at": run.commit.id, "blocks": values}, indent=4))
        return PASSED
    if lines is None and any(runs[block.run].number != run.number for block in blocks):
        warn("Its text is not in git as it was measured: it is followed where it was the same.")
    for line in blame_text(blocks, runs, lines):
        print(line)
    return PASSED


def _path(root: Path, file: Path) -> str:
    """A file as it was typed, relative to the root and with slashes."""
    absolute = file if file.is_absolute() else Path.cwd() / file
    if absolute.is_relative_to(root):
        return absolute.relative_to(root).as_posix()
    return file.as_posix()
