"""`covls record-sources`: the measured sources, in a file that travels with the data."""

from collections.abc import Iterator
from pathlib import Path

import click

from covls.adapters.recorded_sources import data_hashes, save_sources, sources_file
from covls.cli.invocation import (
    PASSED,
    Invocation,
    NoDataError,
    SettingsError,
    pass_invocation,
    root_option,
    trusted_option,
)
from covls.cli.project_data import absolute, load_data, open_project, warn
from covls.core.report import counted, printable

_NAMED = 10
"""Files named one by one."""


@click.command("record-sources", context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write. Else `.coverage-sources` beside `.coverage`, where it is looked for.",
)
@click.option(
    "--data-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The data file. Else where coverage.py's configuration has it.",
)
@root_option
@trusted_option
@pass_invocation
def record_sources(invocation: Invocation, output: Path | None, data_file: Path | None) -> int:
    """Put the sources that were measured into one file beside the data.

    Where both are copied to another place, as from a CI job, covls shows the coverage there on the
    text that is there: on the lines that are still the same, and the others as edited or new.

    To be run after the tests, and after `coverage combine`.
    """
    project = open_project(invocation, data_file)
    try:
        load_data(project)
        snapshot = project.snapshot
        assert snapshot is not None, "load_data raises without"
        hashes = data_hashes(snapshot.data_file, snapshot.fingerprint)
        if hashes is None:
            raise NoDataError(
                f"{snapshot.data_file} is being written. Run this when the tests have ended."
            )
        unknown: list[str] = []
        recorded: list[str] = []

        def known() -> Iterator[tuple[str, bytes]]:
            for measured_path, content in project.measured_sources():
                if content is None:
                    unknown.append(measured_path)
                else:
                    recorded.append(measured_path)
                    yield measured_path, content

        target = absolute(output) if output else sources_file(snapshot.data_file)
        try:
            save_sources(target, hashes, known())
        except OSError as error:
            raise SettingsError(f"{target} cannot be written: {error.strerror}") from error
    finally:
        project.close()
    for path in sorted(unknown)[:_NAMED]:
        warn(f"{path} was modified since, and what was measured is not known: it is left out")
    if len(unknown) > _NAMED:
        warn(f"and so are {counted(len(unknown) - _NAMED, 'file')} more")
    print(f"{counted(len(recorded), 'source')} recorded in {printable(str(target))}")
    return PASSED
