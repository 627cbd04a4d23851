"""`covls check`: whether coverage is what the project asks of it, from data that is there."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from covls.cli import github_actions
from covls.cli.compared import compared, compared_options
from covls.cli.github_actions import folder_in_repository
from covls.cli.invocation import (
    FAILED,
    NO_DATA,
    PASSED,
    Invocation,
    pass_invocation,
    root_option,
    trusted_option,
)
from covls.cli.project_data import load_data, open_project, warn
from covls.cli.written import findings_text, format_options, lines, write
from covls.core.coverage import NOTHING
from covls.core.formats.gates_text import gates_text
from covls.core.gates import Check, Facts, Outcome, needs_patch
from covls.core.gates import check as judge
from covls.project import Project
from covls.project.gated_files import Compared

if TYPE_CHECKING:
    from covls.core.findings import Finding

FORMATS = ("text", "json", "markdown", "github", "sarif", "gitlab", "junit", "badge")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@compared_options
@format_options(FORMATS)
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
    others: tuple[tuple[str, Path], ...],
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
        checked, facts = judged(project, compared(project, base, staged, first, second))
        for problem in project.problems:
            warn(str(problem))
        write(lambda name: _text(name, project, checked, facts), form, output, others)
        if github_actions.is_here():
            from covls.core.formats.gates_markdown import gates_markdown

            github_actions.tell(_findings(project, checked, facts), gates_markdown(checked))
        return exit_code(checked)
    finally:
        project.close()


def judged(project: Project, versions: Compared) -> tuple[Check, Facts]:
    """The verdicts of all gates, and what they were judged by."""
    facts = _facts(project, versions)
    configuration = project.configuration
    checked = judge(
        project.settings.gates,
        facts,
        precision=configuration.precision,
        fail_under=configuration.fail_under,
        run="covls run --affected",
    )
    return checked, facts


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


def _text(name: str, project: Project, checked: Check, facts: Facts) -> Iterable[str]:
    """The verdicts in a format, which is imported when it is asked for."""
    match name:
        case "json":
            from covls.core.formats.gates_json import gates_json

            return [gates_json(checked, facts)]
        case "markdown":
            from covls.core.formats.gates_markdown import gates_markdown

            return lines(gates_markdown(checked))
        case "junit":
            from covls.core.formats.junit import junit

            return [junit(checked)]
        case "badge":
            from covls.core.formats.badge import badge

            return [badge(_total(facts), project.configuration.precision)]
        case "text":
            return lines(gates_text(checked))
    return findings_text(name, _findings(project, checked, facts))


def _findings(project: Project, checked: Check, facts: Facts) -> "Iterable[Finding]":
    from covls.core.findings import of_check

    return of_check(checked, facts.files, folder_in_repository(project.root))


def _total(facts: Facts) -> float | None:
    """The figure of all code, None where it is not known."""
    if any(file.stale for file in facts.files):
        return None
    return sum((file.totals for file in facts.files), NOTHING).percent
