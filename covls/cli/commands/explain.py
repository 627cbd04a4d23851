"""`covls explain`: all that is known of one line."""

import json
from dataclasses import replace

import click

from covls.adapters.configuration import find_root
from covls.cli.invocation import (
    PASSED,
    Invocation,
    NoDataError,
    pass_invocation,
    pulled_option,
    root_option,
    trusted_option,
)
from covls.cli.place import Place, place_with_line
from covls.cli.project_data import load_data, open_project
from covls.core.absence import explain as explain_absence
from covls.core.explain import as_json, as_markdown, as_text
from covls.doctor import facts
from covls.running import Runner


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    help="How to write what is known.",
)
@pulled_option
@root_option
@trusted_option
@click.argument("place", callback=place_with_line, metavar="FILE:LINE")
@pass_invocation
def explain(invocation: Invocation, form: str, place: Place) -> int:
    """Say all that is known of a line.

    Its state, whether that is true of the text as it is now, which branches no test took, which
    tests reach it, which of these have to run after the edits since the last run and why, the
    figures of the function, class and file it is in, and where the text that was measured is known
    from.

    Nothing is run, and no file of yours is changed.
    """
    assert place.line is not None, "the callback has looked"
    invocation.root = invocation.root or find_root(place.path)
    project = open_project(invocation, of_tests=True, shows=True)
    try:
        load_data(project)
        found = project.explanation(place.path, place.line)
        if found is None:
            file, root = facts(project, place.path)
            reason = explain_absence(file, root)
            words = f"{place.path} has no coverage"
            raise NoDataError(words if reason is None else f"{reason.message}\n{reason.remedy}")
        found = replace(found, affected=Runner(project).affected(found.reached))
    finally:
        project.close()
    if form == "json":
        print(json.dumps(as_json(found), indent=4))
    elif form == "markdown":
        print(as_markdown(found))
    else:
        print(as_text(found))
    return PASSED
