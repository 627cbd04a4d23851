"""`covls history show`: one run, file by file."""

import json
from dataclasses import replace
from pathlib import Path

import click

from covls.cli.history_data import (
    find_run,
    flag_option,
    format_option,
    history_of,
    root_and_settings,
)
from covls.cli.invocation import (
    PASSED,
    Invocation,
    NoDataError,
    pass_invocation,
    root_option,
    trusted_option,
)
from covls.core.formats.history_json import file_values, run_values, totals_values
from covls.core.history import lines_of
from covls.core.lines import ranges
from covls.core.report import Row, plain_table, printable, tabulate


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@flag_option("The run of the commit with exactly these flags.")
@click.option("--file", "path", metavar="PATH", help="One file, with its lines and functions.")
@format_option
@root_option
@trusted_option
@click.argument("meant", metavar="[COMMIT | #NUMBER]", default="HEAD")
@pass_invocation
def show(
    invocation: Invocation,
    flags: tuple[str, ...] | None,
    path: str | None,
    form: str,
    meant: str,
) -> int:
    """Show one run: that of a commit, by its name, the beginning of it, or a ref such as main~3."""
    root, settings = root_and_settings(invocation)
    with history_of(root, settings, invocation) as history:
        run = find_run(history, root, meant, flags)
        totals = history.file_totals(run) if path is None else {}
        file = None if path is None else history.file(run, Path(path).as_posix())
    if path is not None and file is None:
        raise NoDataError(f"{path} is not in the run of {run.commit.id[:12]}.")
    if form == "json":
        values = run_values(run)
        if file is not None:
            values["file"] = file_values(file)
        else:
            values["by_file"] = {name: totals_values(each) for name, each in totals.items()}
        print(json.dumps(values, indent=4))
        return PASSED
    commit = run.commit
    print(printable(f"commit    {commit.id}"))
    print(printable(f"          {commit.subject}"))
    print(printable(f"branch    {commit.branch or 'not known'}"))
    print(f"authored  {commit.authored:%Y-%m-%d %H:%M:%S} UTC")
    print(f"recorded  {run.recorded:%Y-%m-%d %H:%M:%S} UTC, as #{run.number}")
    print(f"tree      {'clean' if run.clean else 'not that of the commit'}")
    if run.flags:
        print(printable(f"flags     {', '.join(run.flags)}"))
    print(printable("by        " + ", ".join(f"{n} {v}" for n, v in run.versions.items())))
    print()
    if file is None:
        table = tabulate((Row(*each) for each in totals.items()), branches=run.has_branches)
    else:
        functions = (Row(function.name, function.totals) for function in file.functions)
        # What is outside of all functions counts, too.
        table = replace(tabulate(functions, branches=run.has_branches), totals=file.totals)
        missing = ", ".join(
            f"{first}" if first == last else f"{first}-{last}"
            for first, last in ranges(lines_of(file.missing))
        )
        print(printable(f"{file.path}: {f'lines {missing} did not run' if missing else 'all ran'}"))
        print()
    for line in plain_table(table):
        print(printable(line))
    return PASSED
