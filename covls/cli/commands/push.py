"""`covls push`: what was measured, left where others find it."""

import sqlite3

import click

from covls.adapters.ancestors import NoCommitError
from covls.adapters.share import ShareError
from covls.cli.invocation import (
    FAILED,
    PASSED,
    Invocation,
    NoDataError,
    SettingsError,
    pass_invocation,
    root_option,
    trusted_option,
)
from covls.cli.project_data import load_data, open_project, warn
from covls.cli.share_address import share_of
from covls.core.report import counted, printable
from covls.project import State
from covls.project.push import push as push_data

_NAMED = 5
"""Files named one by one."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--to",
    metavar="ADDRESS",
    help="Where to: a folder, https://, s3://, gs://, az:// or `history`. Else `share.url` of the "
    "settings.",
)
@click.option(
    "--flag",
    "flags",
    multiple=True,
    metavar="FLAG",
    help="What tells this from other pushes of the commit, such as py312; may be repeated.",
)
@click.option("--commit", default="HEAD", help="The commit that was measured. Else HEAD.")
@root_option
@trusted_option
@pass_invocation
def push(invocation: Invocation, to: str | None, flags: tuple[str, ...], commit: str) -> int:
    """Leave the coverage data and the measured sources where others find them with `covls pull`.

    To be run on CI, after the tests. Parallel parts are combined on the way, as `coverage combine`
    would, in a private copy. What was pushed before of the same commit with the same flags is
    replaced.

    No file of yours is changed.
    """
    # What is typed names the share of this workspace; nothing of it runs for that.
    project = open_project(invocation, of_tests=True)
    try:
        share = share_of(invocation, project, to, "--to")
        load_data(project)
        if project.status().state is State.RUNNING:
            raise NoDataError("Push when the tests have ended.")
        done = push_data(project, share, commit=commit, flags=flags)
    except (NoCommitError, ValueError) as error:
        raise SettingsError(str(error)) from error
    except ShareError as error:
        warn(str(error))
        return FAILED
    except (OSError, sqlite3.Error) as error:
        raise NoDataError(f"What was measured cannot be packed: {error}") from error
    finally:
        project.close()
    for path in done.unknown[:_NAMED]:
        warn(f"{path} was modified since, and what was measured is not known: nobody is shown it")
    if len(done.unknown) > _NAMED:
        warn(f"and so are {counted(len(done.unknown) - _NAMED, 'file')} more")
    manifest = done.manifest
    with_flags = f" ({', '.join(manifest.flags)})" if manifest.flags else ""
    print(
        f"Commit {manifest.commit[:7]}{with_flags} pushed to {printable(share.shown)}: "
        f"{counted(done.sources, 'source')}, {_size(manifest.archive.size)}"
    )
    return PASSED


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{max(1, round(size / 1e3))} kB"
