"""`covls html`: coverage.py's HTML report, of a private copy of the data."""

import sys
import threading
from pathlib import Path

import click

from covls.adapters.html_report import HtmlReportError
from covls.adapters.private_copy import DataFileError
from covls.cli.invocation import (
    PASSED,
    Invocation,
    NoDataError,
    pass_invocation,
    root_option,
    trusted_option,
)
from covls.cli.place import Place, place
from covls.cli.project_data import absolute, load_data, open_project, warn


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--open", "open_it", is_flag=True, help="Open the report in the browser.")
@click.option(
    "--at",
    callback=place,
    metavar="FILE[:LINE]",
    help="Open it at this file, or at this line of it: shop.py:12.",
)
@click.option(
    "-d",
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to write it. Else a folder in covls's cache.",
)
@click.option(
    "--data-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The data to report on. Else where coverage.py's configuration puts it.",
)
@root_option
@trusted_option
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@pass_invocation
def html(
    invocation: Invocation,
    open_it: bool,
    at: Place | None,
    directory: Path | None,
    data_file: Path | None,
    paths: tuple[Path, ...],
) -> int:
    """Write coverage.py's HTML report and say where it is. PATHS are files or folders to keep to.

    It is what `coverage html` writes, with your configuration: title, styles, contexts. Only what
    changed since the last time is written again. Your data file is not touched: parallel data is
    combined in a copy.

    coverage.py's plugins are only imported with --trusted.
    """
    project = open_project(invocation, data_file)
    try:
        load_data(project)
        shown = False

        def report(done: int, of: int) -> None:
            nonlocal shown
            if sys.stderr.isatty():
                print(f"\r{done} of {of}", end="", file=sys.stderr, flush=True)
                shown = True

        def say_waiting() -> None:
            click.echo("Waiting for another process to end that writes this report.", err=True)

        try:
            found = project.html_report(
                directory=None if directory is None else absolute(directory),
                paths=[absolute(path) for path in paths],
                at=None if at is None else at.path,
                report=report,
                on_wait=say_waiting,
                cancelled=threading.Event(),
            )
        except (HtmlReportError, DataFileError) as error:
            raise NoDataError(str(error)) from error
        finally:
            if shown:
                print("\r\033[K", end="", file=sys.stderr, flush=True)
    finally:
        project.close()
    assert found is not None, "nobody cancels it"
    for problem in found.problems:
        warn(problem)
    if at is not None and found.page is None:
        warn(f"{at.path} has no page in the report")
    print(found.page or found.index)
    if open_it or at is not None:
        import webbrowser

        if not webbrowser.open(found.url(at.line if at else None)):
            warn("no browser was found; open the file above in one")
    return PASSED
