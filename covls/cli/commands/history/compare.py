"""`covls history compare`: two recorded runs, and what between them came of what."""

from collections.abc import Iterable
from pathlib import Path

import click

from covls.cli.history_data import find_run, flag_option, history_of, root_and_settings, told
from covls.cli.invocation import (
    PASSED,
    Invocation,
    pass_invocation,
    root_option,
    trusted_option,
)
from covls.cli.written import format_options, lines, write
from covls.core.regression import RunComparison


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@flag_option("Of each commit the run with exactly these flags.")
@format_options(("text", "json", "markdown"))
@root_option
@trusted_option
@click.argument("before")
@click.argument("now", default="HEAD")
@pass_invocation
def compare(
    invocation: Invocation,
    flags: tuple[str, ...] | None,
    form: str,
    output: Path | None,
    others: tuple[tuple[str, Path], ...],
    before: str,
    now: str,
) -> int:
    """Compare two recorded runs: commits, refs such as main~3, or the numbers of runs.

    What changed in code is told apart from what tests reach of unchanged code, and from deleted
    code and flaky lines, which are left out of the fair figures. Texts are taken from git.
    """
    root, settings = root_and_settings(invocation)
    with told(), history_of(root, settings, invocation) as history:
        from covls.adapters.commits import commits_of
        from covls.project.recorded_runs import compare_runs

        found = compare_runs(
            history,
            commits_of(root),
            find_run(history, root, before, flags),
            find_run(history, root, now, flags),
        )
    write(lambda name: _text(name, found), ((form, output), *others))
    return PASSED


def _text(name: str, found: RunComparison) -> Iterable[str]:
    match name:
        case "json":
            from covls.core.formats.comparison_json import comparison_json

            return [comparison_json(found)]
        case "markdown":
            from covls.core.formats.comparison_markdown import comparison_markdown

            return lines(comparison_markdown(found))
    from covls.core.formats.comparison_text import comparison_text

    return lines(comparison_text(found))
