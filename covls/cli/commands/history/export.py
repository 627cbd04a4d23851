"""`covls history export`: runs as JSON lines, or as a table in Parquet."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from covls.cli.history_data import flag_option, history_of, root_and_settings
from covls.cli.invocation import (
    PASSED,
    Invocation,
    SettingsError,
    pass_invocation,
    root_option,
    trusted_option,
)
from covls.cli.output import opened
from covls.core.history import Run

if TYPE_CHECKING:
    from covls.adapters.history_db.history import History


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@flag_option("Only runs with exactly these flags.")
@click.option("--branch", metavar="NAME", help="Only runs of this branch.")
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["jsonl", "parquet"]),
    default="jsonl",
    show_default=True,
    help="jsonl has everything, and can be imported; parquet has the counts of every file.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="A file to write to.",
)
@root_option
@trusted_option
@pass_invocation
def export(
    invocation: Invocation,
    flags: tuple[str, ...] | None,
    branch: str | None,
    form: str,
    output: Path | None,
) -> int:
    """Write runs out, those of the oldest commits first, for other programs and databases."""
    if form == "parquet" and (output is None or str(output) == "-"):
        raise click.UsageError("Parquet is written to a file: --output history.parquet")
    root, settings = root_and_settings(invocation)
    with history_of(root, settings, invocation) as history:
        runs = history.runs(branch=branch, flags=flags)[::-1]
        if form == "parquet":
            assert output is not None
            _write_parquet(history, runs, output)
            return PASSED
        from covls.core.formats.history_lines import history_lines

        with opened(output) as stream:
            for line in history_lines(history.walk(runs)):
                stream.write(line + "\n")
    return PASSED


def _write_parquet(history: "History", runs: Sequence[Run], output: Path) -> None:
    try:
        from covls.adapters.parquet import write_parquet
    except ImportError as error:
        raise SettingsError(
            f"Parquet needs {error.name}, which is not installed here. It comes with "
            'covls[parquet]: python -m pip install "covls[parquet]"'
        ) from error
    unfinished = output.with_name(f".{output.name}.unfinished")
    try:
        write_parquet(unfinished, ((run, history.file_totals(run)) for run in runs))
        unfinished.replace(output)
    except OSError as error:
        raise SettingsError(f"{output} cannot be written: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
