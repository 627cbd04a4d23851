"""`covls history trend`: how coverage went from commit to commit."""

import json
import re
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from covls.cli.history_data import (
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
from covls.core.formats.history_json import run_values, totals_values
from covls.core.formats.trend_text import trend_text
from covls.core.trend import BARS, PLAIN_BARS, Point, below, trend

if TYPE_CHECKING:
    from covls.core.history import Run

_DAYS = re.compile(r"(\d{1,5}) ?d(?:ays?)?")


def _since(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> datetime | None:
    if value is None:
        return None
    if found := _DAYS.fullmatch(value):
        return datetime.now(UTC) - timedelta(days=int(found[1]))
    try:
        given = datetime.fromisoformat(value)
    except ValueError as error:
        words = f"{value!r} is neither a date such as 2026-01-31 nor a number of days such as 30d."
        raise click.BadParameter(words) from error
    return given if given.tzinfo else given.replace(tzinfo=UTC)


@click.command("trend", context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--branch",
    metavar="NAME",
    help="The branch, or another commit, whose line to follow. Else HEAD.",
)
@flag_option("Only runs with exactly these flags. Else those with the flags of the newest.")
@click.option(
    "--since",
    metavar="DATE|DAYS",
    callback=_since,
    help="Only commits that were written since: 2026-01-31, or 30d.",
)
@click.option(
    "--path",
    metavar="PATH",
    help="Only the files that are below a folder, or fit a pattern with * and **.",
)
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="How many rows to show as text, the newest; 0 for all.",
)
@format_option
@root_option
@trusted_option
@pass_invocation
def show_trend(
    invocation: Invocation,
    branch: str | None,
    flags: tuple[str, ...] | None,
    since: datetime | None,
    path: str | None,
    limit: int,
    form: str,
) -> int:
    """Show how coverage went, along the first parents of a branch.

    The order is that of the commits. Where there is no repository, or the branch is not in it, it
    is that of their authors' times, of the runs that were recorded on the branch.
    """
    root, settings = root_and_settings(invocation)
    with told(), history_of(root, settings, invocation) as history:
        from covls.adapters.commits import commits_of
        from covls.project.recorded_runs import runs_of_branch

        runs, by_time = runs_of_branch(history, commits_of(root), branch, flags)
        chosen = [run for run in reversed(runs) if since is None or run.commit.authored >= since]
        if not chosen:
            raise NoDataError(
                f"No run is on record of {branch or 'what led to HEAD'} that is like this.\n"
                "To see what is: covls history list"
            )
        if by_time:
            warn("The order is that of the authors' times, as git does not know the branch here.")
        if path is None:
            found = trend((run, run.totals) for run in chosen)
        else:
            found = trend((run, below(history.file_totals(run), path)) for run in chosen)
    if form == "json":
        print(json.dumps([_values(point) for point in found], indent=4))
        return PASSED
    title = " of ".join(filter(None, (path, branch or _name(chosen[-1]))))
    if chosen[-1].flags:
        title += f" [{', '.join(chosen[-1].flags)}]"
    for line in trend_text(found, title, limit, _levels()):
        print(line)
    return PASSED


def _values(point: Point) -> dict[str, object]:
    change = None if point.change is None else float(point.change)
    return {**run_values(point.run), "totals": totals_values(point.totals), "change": change}


def _name(run: "Run") -> str:
    return run.commit.branch or run.commit.id[:7]


def _levels() -> str:
    """The characters for bars that the terminal has."""
    try:
        BARS.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return PLAIN_BARS
    return BARS
