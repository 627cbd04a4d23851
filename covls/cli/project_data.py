"""How a command comes to its project, and says what is wrong with it."""

import os
import time
from pathlib import Path
from typing import Final

import click

from covls.adapters.configuration import find_root
from covls.adapters.settings_files import read_settings_files
from covls.cli.invocation import Invocation, NoDataError
from covls.core.report import printable
from covls.core.settings import client_layer, read_settings
from covls.project import Project

PATIENCE: Final = 2.0
"""Seconds to wait for data that is being written this moment."""


def open_project(invocation: Invocation, data_file: Path | None = None) -> Project:
    """The project that the command is about, with its settings; problems go to stderr."""
    root = invocation.root or find_root(Path.cwd())
    given: dict[str, object] = {}
    if invocation.trusted is not None:
        given["trusted"] = invocation.trusted
    if data_file is not None:
        given["data_file"] = str(absolute(data_file))
    found = read_settings_files(root)
    settings, problems = read_settings(*found.layers, client_layer(given, "command line"))
    for problem in (*found.problems, *problems):
        warn(str(problem))
    return Project(root, settings, trusted=invocation.trusted)


def wait_for_data(project: Project) -> None:
    """Have the project read its data; data that is written this moment is waited for shortly.

    Raises NoDataError where there is none that could be shown.
    """
    give_up = time.monotonic() + PATIENCE
    while True:
        again_in = project.refresh().again_in
        if project.snapshot is not None:
            return
        if again_in is None or time.monotonic() + again_in > give_up:
            break
        time.sleep(again_in)
    message = project.status().message or f"{project.configuration.data_file} cannot be shown."
    raise NoDataError(
        f"{message}\nTo measure: coverage run -m pytest\n"
        f"To see where covls looks, and why: covls doctor"
    )


def warn(message: str) -> None:
    """Say something that is not the result."""
    click.echo(f"covls: {printable(message)}", err=True)


def absolute(path: Path) -> Path:
    """A path made absolute by its words alone, so that links stay as they were typed."""
    return Path(os.path.abspath(path))  # noqa: PTH100
