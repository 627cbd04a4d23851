"""`covls history prune`: runs let go of, by age, by number, or with their branch."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from covls.cli.history_data import format_option, history_of, percent_of, root_and_settings
from covls.cli.invocation import (
    PASSED,
    Invocation,
    SettingsError,
    pass_invocation,
    root_option,
    trusted_option,
)
from covls.core.formats.history_json import run_values
from covls.core.history import Run
from covls.core.report import counted, printable

_DAYS = {"": 1, "d": 1, "w": 7, "m": 30, "y": 365}


def _age(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> timedelta | None:
    if value is None:
        return None
    found = re.fullmatch(r"(\d{1,5})([dwmy]?)", value.strip())
    if found is None:
        raise click.BadParameter(f"{value!r} is no age: such are 90d, 12w, 6m and 2y.")
    return timedelta(days=int(found[1]) * _DAYS[found[2]])


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--older-than",
    "age",
    metavar="AGE",
    callback=_age,
    help="Runs of commits that were written so long ago: 90d, 12w, 6m, 2y.",
)
@click.option(
    "--keep",
    type=click.IntRange(1),
    metavar="NUMBER",
    help="All runs but those of the newest NUMBER of commits.",
)
@click.option(
    "--gone",
    is_flag=True,
    help="Runs of branches that are gone, where no branch has the commit.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Only say which.")
@format_option
@root_option
@trusted_option
@pass_invocation
def prune(
    invocation: Invocation,
    age: timedelta | None,
    keep: int | None,
    gone: bool,
    dry_run: bool,
    form: str,
) -> int:
    """Let go of runs that are old, many, or of branches that are gone.

    A run goes that any of the options is about. What other runs have in common with it stays.
    """
    if age is None and keep is None and not gone:
        raise click.UsageError("Say which runs: --older-than, --keep or --gone.")
    root, settings = root_and_settings(invocation)
    with history_of(root, settings, invocation) as history:
        runs = history.runs()
        chosen: set[int] = set()
        if age is not None:
            before = datetime.now(UTC) - age
            chosen |= {run.number for run in runs if run.commit.authored < before}
        if keep is not None:
            newest = set(list(dict.fromkeys(run.commit.id for run in runs))[:keep])
            chosen |= {run.number for run in runs if run.commit.id not in newest}
        if gone:
            chosen |= _of_gone_branches(root, runs)
        pruned = history.prune(chosen, dry_run=dry_run)
        if pruned.records and not dry_run:
            history.compact()
    if form == "json":
        told = {
            "dry_run": dry_run,
            "records": pruned.records,
            "runs": [run_values(run) for run in pruned.runs],
        }
        print(json.dumps(told, indent=4))
        return PASSED
    for run in pruned.runs if dry_run else ():
        words = f"#{run.number}  {run.commit.id[:12]}  {run.commit.authored:%Y-%m-%d}"
        print(printable(f"{words}  {percent_of(run)}  {run.commit.branch or ''}").rstrip())
    verb = "Would let go of" if dry_run else "Let go of"
    records = counted(pruned.records, "record")
    print(f"{verb} {counted(len(pruned.runs), 'run')}, and {records} of files.")
    return PASSED


def _of_gone_branches(root: Path, runs: Sequence[Run]) -> set[int]:
    """The runs whose branch is gone, and whose commit no branch has."""
    from covls.adapters.commits import commits_of

    commits = commits_of(root)
    if commits is None:
        raise SettingsError(f"{root} is in no git repository, which would tell what is gone.")
    branches = commits.branches()
    if branches is None or commits.shallow:
        raise SettingsError(
            "This clone does not have all branches with all commits, so that it cannot tell what "
            "is gone: `git fetch --unshallow`, or clone without --single-branch."
        )
    names, reachable = branches
    return {
        run.number
        for run in runs
        if run.commit.branch is not None
        and run.commit.branch not in names
        and run.commit.id not in reachable
    }
