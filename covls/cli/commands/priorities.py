"""`covls priorities`: what to test next, and why."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

import click

from covls.adapters.configuration import find_root
from covls.cli.invocation import (
    PASSED,
    Invocation,
    NoDataError,
    pass_invocation,
    root_option,
    trusted_option,
)
from covls.cli.output import opened
from covls.cli.project_data import absolute, load_data, open_project, warn
from covls.core.priorities import Level, Ranking, as_json, as_markdown, as_text
from covls.project.priorities import Wanted


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--by",
    "level",
    type=click.Choice(["file", "function", "block"]),
    default="function",
    show_default=True,
    help="What to rank.",
)
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    help="Rows to show; 0: all.",
)
@click.option("--patch", is_flag=True, help="Only what was changed since the base.")
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    help="How to write the result.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="A file to write the result to.",
)
@root_option
@trusted_option
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@pass_invocation
def priorities(
    invocation: Invocation,
    level: Level,
    limit: int,
    patch: bool,
    form: str,
    output: Path | None,
    paths: Sequence[Path],
) -> int:
    """Say what to test next: uncovered code, by what testing it would bring, with the reasons.

    The score is the number of statements and branches that no test reaches (those in the patch
    count three times), times 1 + complexity/20, times 1 + commits of the last year/20, times the
    weight that the settings give the file. PATHS are files and folders to keep to.

    Nothing is run, and no file of yours is changed.
    """
    if invocation.root is None and paths:
        invocation.root = find_root(absolute(paths[0]))
    project = open_project(invocation)
    try:
        load_data(project)
        chosen = tuple(absolute(path) for path in paths)
        if chosen and not project.files_to_report(chosen):
            names = ", ".join(map(str, paths))
            raise NoDataError(
                f"{project.configuration.data_file} has nothing on {names}.\n"
                f"To see why: covls doctor {paths[0]}"
            )
        base = project.base()
        if patch and isinstance(base, str):
            raise NoDataError(f"What is in the patch is not known: {base}")
        ranking = project.priorities(Wanted(level, limit or None, only_patch=patch, paths=chosen))
        assert ranking is not None, "there is data, and nobody cancels"
        for problem in project.problems:
            warn(str(problem))
    finally:
        project.close()
    with opened(output) as stream:
        _write(_from_here(ranking), form, stream)
    return PASSED


def _from_here(ranking: Ranking) -> Ranking:
    """The same with commands for the current folder, which need not be the root."""
    rows = []
    for row in ranking.rows:
        action = row.action
        if action is not None and action.path:
            file = Path(os.path.relpath(action.path)).as_posix()
            action = replace(action, command=(*action.command[:-1], file))
        rows.append(replace(row, action=action))
    return replace(ranking, rows=tuple(rows))


def _write(ranking: Ranking, form: str, stream: IO[str]) -> None:
    if form == "json":
        json.dump(as_json(ranking), stream, indent=4)
        stream.write("\n")
    elif form == "markdown":
        stream.write(as_markdown(ranking) + "\n")
    elif stream is sys.stdout and stream.isatty():
        # Imported for people only: rich takes longer than a small ranking.
        from covls.cli.terminal_priorities import print_ranking

        print_ranking(ranking, stream)
    else:
        stream.write(as_text(ranking) + "\n")
