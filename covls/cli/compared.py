"""The options that say which versions a command compares."""

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from covls.adapters.git_versions import GitVersions, NoVersionsError
from covls.adapters.merge_base import MergeBase
from covls.cli.invocation import NoDataError, SettingsError
from covls.project import Project

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def compared_options(command: Decorated) -> Decorated:
    """Let `--base`, or `--staged`, or `--from` and `--to`, stand behind a command."""
    options = (
        click.option(
            "--base",
            metavar="REF",
            help="Compare what is here with where it left REF: a branch, a tag, a commit. Else "
            "`editor.base` of the settings, else the default branch.",
        ),
        click.option(
            "--staged",
            is_flag=True,
            help="Compare what is staged with the last commit; in a pre-push hook of pre-commit "
            "what is pushed with what the remote has.",
        ),
        click.option(
            "--from",
            "first",
            metavar="REF",
            help="Compare two commits: where --to left this one, with --to.",
        ),
        click.option("--to", "second", metavar="REF", help="The later of two commits. Else HEAD."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def compared(
    project: Project, base: str | None, staged: bool, first: str | None, second: str | None
) -> MergeBase | GitVersions:
    """What is compared. Raises SettingsError for options that do not go together, and NoDataError
    where there is nothing to compare.
    """
    if sum((base is not None, staged, first is not None or second is not None)) > 1:
        raise SettingsError("Of --base, --staged and --from with --to only one can be given.")
    try:
        if staged:
            return _of_hook(project)
        if first is not None or second is not None:
            return GitVersions(project.root, first=first or "0", second=second or "HEAD")
    except NoVersionsError as error:
        raise NoDataError(str(error)) from None
    found = MergeBase(project.root, base or project.settings.editor.base)
    if base is not None and isinstance(reason := found.base(), str):
        raise NoDataError(reason.replace("`editor.base`", "--base"))
    return found


def _of_hook(project: Project) -> GitVersions:
    """What a hook is about: the index, or what pre-commit's variables say is pushed."""
    last = os.environ.get("PRE_COMMIT_TO_REF")
    if last:
        return GitVersions(
            project.root, first=os.environ.get("PRE_COMMIT_FROM_REF") or "0", second=last
        )
    if os.environ.get("PRE_COMMIT_REMOTE_NAME"):
        # All that there is is pushed: pre-commit names no commits then.
        return GitVersions(project.root, first="0", second="HEAD")
    return GitVersions(project.root)
