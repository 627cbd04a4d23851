"""`covls check`: whether coverage is what the project asks of it, from data that is there."""

from pathlib import Path

import click

from covls.cli.compared import compared, compared_options
from covls.cli.invocation import (
    FAILED,
    NO_DATA,
    PASSED,
    Invocation,
    pass_invocation,
    root_option,
    trusted_option,
)
from covls.cli.output import opened
from covls.cli.project_data import load_data, open_project, warn
from covls.core.formats.gates_json import gates_json
from covls.core.formats.gates_text import gates_text
from covls.core.gates import Check, Facts, Outcome, needs_patch
from covls.core.gates import check as judge
from covls.project import Project
from covls.project.gated_files import Compared

RUN = "covls run"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@compared_options
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="How to write the verdicts.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="A file to write them to.",
)
@click.option(
    "--data-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The data to judge. Else where coverage.py's configuration puts it.",
)
@root_option
@trusted_option
@pass_invocation
def check(
    invocation: Invocation,
    base: str | None,
    staged: bool,
    first: str | None,
    second: str | None,
    form: str,
    output: Path | None,
    data_file: Path | None,
) -> int:
    """Judge coverage by the gates of the settings: the total, the patch, paths.

    Exits with 0 where all pass, 1 where one fails, 2 for wrong options, and 3 where one cannot be
    judged because the data are missing or older than the code.

    Nothing is run, and no file of yours is changed.
    """
    project = open_project(invocation, data_file)
    try:
        load_data(project)
        found = _facts(project, compared(project, base, staged, first, second))
        configuration = project.configuration
        checked = judge(
            project.settings.gates,
            found,
            precision=configuration.precision,
            fail_under=configuration.fail_under,
            run=RUN,
        )
        for problem in project.problems:
            warn(str(problem))
        with opened(output) as stream:
            if form == "json":
                stream.write(gates_json(checked, found))
            else:
                stream.writelines(f"{line}\n" for line in gates_text(checked))
        return exit_code(checked)
    finally:
        project.close()


def exit_code(checked: Check) -> int:
    """What the command exits with."""
    if checked.outcome is Outcome.UNKNOWN:
        return NO_DATA
    return FAILED if checked.outcome is Outcome.FAILED else PASSED


def _facts(project: Project, versions: Compared) -> Facts:
    patch = project.patched_files(versions) if needs_patch(project.settings.gates) else None
    known = None if isinstance(patch, str) else patch
    return Facts(
        tuple(project.gated_files(known, versions)),
        base=known.base if known is not None else "",
        no_patch=patch if isinstance(patch, str) else "",
    )
