"""`covls priorities`: what to test next, and why."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from covls.adapters.configuration import find_root
from covls.cli import github_actions
from covls.cli.github_actions import folder_in_repository
from covls.cli.invocation import (
    PASSED,
    Invocation,
    NoDataError,
    pass_invocation,
    pulled_option,
    root_option,
    trusted_option,
)
from covls.cli.project_data import absolute, load_data, open_project, warn
from covls.cli.written import findings_text, format_options, write
from covls.core.priorities import Level, Ranking, as_json, as_markdown, as_text
from covls.project.priorities import Wanted

FORMATS = ("text", "json", "markdown", "github", "sarif", "gitlab")


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
@format_options(FORMATS)
@pulled_option
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
    others: tuple[tuple[str, Path], ...],
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
    project = open_project(invocation, shows=True)
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
        ranking = _from_here(ranking)
        folder = folder_in_repository(project.root)
        to: list[tuple[str, Path | None]] = [(form, output), *others]
        to_stdout = output is None or str(output) == "-"
        if form == "text" and to_stdout and sys.stdout.isatty():
            # Imported for people only: rich takes longer than a small ranking.
            from covls.cli.terminal_priorities import print_ranking

            print_ranking(ranking, sys.stdout)
            del to[0]
        write(lambda name: _text(name, ranking, folder), to)
        if github_actions.is_here():
            from covls.core.findings import of_ranking

            github_actions.tell(of_ranking(ranking, folder), [as_markdown(ranking)])
    finally:
        project.close()
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


def _text(name: str, ranking: Ranking, folder: str) -> Iterable[str]:
    match name:
        case "json":
            return [json.dumps(as_json(ranking), indent=4), "\n"]
        case "markdown":
            return [as_markdown(ranking), "\n"]
        case "text":
            return [as_text(ranking), "\n"]
    from covls.core.findings import of_ranking

    return findings_text(name, of_ranking(ranking, folder))
