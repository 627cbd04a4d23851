"""How a command comes to its project, and says what is wrong with it."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from covls.adapters.configuration import find_root
from covls.adapters.settings_files import read_settings_files
from covls.cli.invocation import Invocation, NoDataError
from covls.core.report import counted, printable
from covls.core.settings import Problem, client_layer, read_settings
from covls.project import Project


def open_project(
    invocation: Invocation,
    data_file: Path | None = None,
    *,
    of_tests: bool = False,
    shows: bool = False,
) -> Project:
    """The project that the command is about, with its settings; problems go to stderr.

    `of_tests` says that the command is about running tests: then how they are run is taken from the
    workspace's files, too, unless it is said not to be trusted. That alone runs nothing of it.

    Raises NoDataError where what was pulled is asked for, and nothing was.

    `shows` says that the command shows coverage, and so what was pulled, where `share.show` has it
    so. Others go by the project's own data, unless they are asked to go by what was pulled.
    """
    root = invocation.root or find_root(Path.cwd())
    given: dict[str, object] = {}
    trusted = invocation.trusted
    if trusted is not None or of_tests:
        given["trusted"] = trusted is not False
    if data_file is not None:
        given["data_file"] = str(absolute(data_file))
    found = read_settings_files(root)
    settings, problems = read_settings(*found.layers, client_layer(given, "command line"))
    for problem in (*found.problems, *problems):
        warn(str(problem))
    if data_file is not None or invocation.pulled is False or not (shows or invocation.pulled):
        settings = replace(settings, share=replace(settings.share, show="never"))
    elif invocation.pulled:
        from covls.adapters.pulled_data import find_pulled

        if find_pulled(root) is None:
            raise NoDataError(f"Nothing was pulled for {root}.\nTo fetch what CI left: covls pull")
        settings = replace(settings, share=replace(settings.share, show="always"))
    return Project(root, replace(settings, trusted=trusted), trusted=trusted)


def load_data(project: Project) -> None:
    """Have the project read its data. Raises NoDataError where there is none to be shown."""
    project.load()
    message = project.status().message
    if project.snapshot is None:
        raise NoDataError(
            f"{message}\nTo measure: coverage run -m pytest\n"
            f"To see where covls looks, and why: covls doctor"
        )
    if message:
        warn(message)


def warn_of_problems(project: Project) -> None:
    """Say what is wrong with configuration and data, and which measured files are not here."""
    located = project.located
    for problem in project.problems:
        warn(str(problem))
    for measured, candidates in sorted(located.ambiguous.items()):
        several = " or ".join(candidates)
        warn(str(Problem(measured, f"measured elsewhere, and may be {several}")))
    if located.missing:
        names = sorted(located.missing)
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        warn(
            f"{counted(len(names), 'measured file')} not found here, and left out: "
            f"{', '.join(names[:3])}{more}. See covls doctor."
        )


def nothing_to_report(project: Project, paths: Sequence[Path] = ()) -> str:
    """Why there is not one row: what was asked for was not measured, or is left out."""
    data_file = project.configuration.data_file
    if paths and project.files_to_report():
        names = ", ".join(str(path) for path in paths)
        return f"{data_file} has nothing on {names}.\nTo see why: covls doctor {paths[0]}"
    found = counted(len(project.located.found), "measured file")
    return (
        f"No file to report on: {data_file} has {found} that are here, and include and omit leave "
        "none of them.\nTo see what was measured: covls doctor"
    )


def warn(message: str) -> None:
    """Say something that is not the result."""
    click.echo(f"covls: {printable(message)}", err=True)


def absolute(path: Path) -> Path:
    """A path made absolute by its words alone, so that links stay as they were typed."""
    return Path(os.path.abspath(path))  # noqa: PTH100
