"""`covls diff`: how much of what was changed the tests reach, and the code that they do not."""

from collections.abc import Iterable
from pathlib import Path

import click

from covls.cli import github_actions
from covls.cli.compared import compared, compared_options
from covls.cli.github_actions import folder_in_repository
from covls.cli.invocation import (
    FAILED,
    NO_DATA,
    PASSED,
    Invocation,
    NoDataError,
    pass_invocation,
    pulled_option,
    root_option,
    trusted_option,
)
from covls.cli.project_data import load_data, open_project, warn, warn_of_problems
from covls.cli.written import findings_text, format_options, lines, write
from covls.core.formats.diff_text import diff_text, figures, stale_sentence
from covls.core.gates import passes, shares
from covls.core.patched import PatchedFiles
from covls.project import Project

FORMATS = ("text", "json", "markdown", "github", "sarif", "gitlab")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@compared_options
@format_options(FORMATS)
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Exit with 1 if less of the patch is covered, with 3 if that is not known.",
)
@click.option(
    "--data-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The data to show. Else where coverage.py's configuration puts it.",
)
@pulled_option
@root_option
@trusted_option
@pass_invocation
def diff(
    invocation: Invocation,
    base: str | None,
    staged: bool,
    first: str | None,
    second: str | None,
    form: str,
    output: Path | None,
    others: tuple[tuple[str, Path], ...],
    fail_under: float | None,
    data_file: Path | None,
) -> int:
    """Show how much of the patch the tests reach, and the code of it that they do not.

    Statements and branches count that the patch touches by any of their lines. What was edited
    since the tests ran is in no figure, and told apart.

    Nothing is run, and no file of yours is changed.
    """
    project = open_project(invocation, data_file, shows=True)
    try:
        load_data(project)
        patched = project.patched_files(compared(project, base, staged, first, second))
        if isinstance(patched, str):
            raise NoDataError(
                f"{patched}\nTo name what to compare with: covls diff --base REF\n"
                "To tell of what is about to be committed: covls diff --staged"
            )
        warn_of_problems(project)
        precision = project.configuration.precision
        write(lambda name: _text(name, project, patched), ((form, output), *others))
        if github_actions.is_here():
            from covls.core.findings import of_patch
            from covls.core.formats.diff_markdown import diff_markdown

            found = of_patch(patched, folder_in_repository(project.root))
            github_actions.tell(found, diff_markdown(patched, precision))
        return 0 if fail_under is None else _judged(patched, fail_under, precision)
    finally:
        project.close()


def _judged(patched: PatchedFiles, fail_under: float, precision: int) -> int:
    """The exit code, and on stderr why it is not 0."""
    totals = patched.totals
    if totals.stale:
        again = "Run the tests again: covls run --affected"
        warn(f"--fail-under is not judged. {stale_sentence(totals)} {again}")
        return NO_DATA
    if totals.percent is None or passes(*shares(totals.known), fail_under, precision):
        return PASSED
    warn(f"the patch is under {fail_under:g}%: {figures(totals, precision)}")
    return FAILED


def _text(name: str, project: Project, patched: PatchedFiles) -> Iterable[str]:
    """The patch in a format, which is imported when it is asked for."""
    precision = project.configuration.precision
    match name:
        case "json":
            from covls.core.formats.diff_json import diff_json

            return [diff_json(patched, precision)]
        case "markdown":
            from covls.core.formats.diff_markdown import diff_markdown

            return lines(diff_markdown(patched, precision))
        case "text":
            return lines(diff_text(patched, precision))
    from covls.core.findings import of_patch

    return findings_text(name, of_patch(patched, folder_in_repository(project.root)))
