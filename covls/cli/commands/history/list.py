"""`covls history list`: the runs that were recorded, the newest commits first."""

import json
from collections.abc import Sequence

import click

from covls.cli.history_data import (
    flag_option,
    format_option,
    history_of,
    percent_of,
    root_and_settings,
)
from covls.cli.invocation import (
    PASSED,
    Invocation,
    pass_invocation,
    root_option,
    trusted_option,
)
from covls.core.formats.history_json import run_values
from covls.core.history import Run
from covls.core.report import printable


@click.command("list", context_settings={"help_option_names": ["-h", "--help"]})
@flag_option("Only runs with exactly these flags.")
@click.option("--branch", metavar="NAME", help="Only runs of this branch.")
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="How many; 0 for all.",
)
@format_option
@root_option
@trusted_option
@pass_invocation
def list_runs(
    invocation: Invocation,
    flags: tuple[str, ...] | None,
    branch: str | None,
    limit: int,
    form: str,
) -> int:
    """List the runs that were recorded, those of the newest commits first."""
    root, settings = root_and_settings(invocation)
    with history_of(root, settings, invocation) as history:
        runs = history.runs(branch=branch, flags=flags, limit=limit or None)
    if form == "json":
        print(json.dumps([run_values(run) for run in runs], indent=4))
        return PASSED
    for line in _table(runs):
        print(printable(line).rstrip())
    if not runs:
        click.echo("No run was recorded that is like this.", err=True)
    return PASSED


def _table(runs: Sequence[Run]) -> list[str]:
    rows = [
        (
            f"#{run.number}",
            run.commit.id[:12],
            f"{run.commit.authored:%Y-%m-%d %H:%M}",
            percent_of(run),
            run.commit.branch or "",
            ",".join(run.flags) + ("" if run.clean else " (not clean)"),
            run.commit.subject[:60],
        )
        for run in runs
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place in (0, 3) else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
