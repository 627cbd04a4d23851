"""What a command tells GitHub beside its result, where it runs in one of its workflows."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from covls.cli.project_data import warn

if TYPE_CHECKING:
    from covls.core.findings import Finding


def is_here() -> bool:
    """Whether this is a step of a workflow."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def tell(found: "Iterable[Finding]", summary: Iterable[str]) -> None:
    """Annotate the code, and add to the step's summary.

    The annotations go to stderr, which a workflow reads as well as stdout, and where no format of
    the result is.
    """
    from covls.core.formats.github import annotations

    for line in annotations(found):
        click.echo(line, err=True)
    name = os.environ.get("GITHUB_STEP_SUMMARY")
    if name:
        try:
            with Path(name).open("a", encoding="utf-8") as stream:
                stream.writelines(f"{line}\n" for line in (*summary, ""))
        except OSError as error:
            warn(f"the step's summary cannot be written: {error.strerror}")


def folder_in_repository(root: Path) -> str:
    """The path of a root from the top of its repository, "" or with a slash behind."""
    for folder in (root, *root.parents):
        if (folder / ".git").exists():
            path = root.relative_to(folder).as_posix()
            return "" if path == "." else path + "/"
    return ""
