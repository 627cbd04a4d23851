"""`covls pull`: what CI measured, fetched to be shown."""

import click

from covls.adapters.ancestors import NoCommitError
from covls.adapters.pulled_data import forget as forget_pulled
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
from covls.cli.project_data import open_project, warn
from covls.cli.share_address import share_of
from covls.core.report import printable
from covls.project import Project
from covls.project.pull import NothingPulledError, Pulled
from covls.project.pull import pull as pull_data


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--from",
    "origin",
    metavar="ADDRESS",
    help="Where from: a folder, https://, s3://, gs://, az:// or `history`. Else `share.url` of "
    "the settings.",
)
@click.option(
    "--flag",
    "flags",
    multiple=True,
    metavar="FLAG",
    help="Only what was pushed with this flag; may be repeated. Else all pushes are combined.",
)
@click.option("--forget", is_flag=True, help="Let go of what was pulled, and show it no more.")
@root_option
@trusted_option
@click.argument("commit", default="HEAD")
@pass_invocation
def pull(
    invocation: Invocation, origin: str | None, flags: tuple[str, ...], forget: bool, commit: str
) -> int:
    """Fetch what `covls push` has left of COMMIT, or of the nearest commit before it.

    It goes to the user's cache folder, and is shown where the project has no data of its own: in
    the editor, and by report, diff, explain and priorities. Lines that were changed since are told
    apart.

    Nothing is run, and no file of yours is changed.
    """
    # What is typed names the share of this workspace; nothing of it runs for that.
    project = open_project(invocation, of_tests=True, shows=True)
    try:
        if forget:
            there = forget_pulled(project.root)
            print("What was pulled is let go of." if there else "Nothing was pulled.")
            return PASSED
        share = share_of(invocation, project, origin, "--from")
        done = pull_data(
            project.root,
            share,
            commit=commit,
            flags=flags,
            max_mb=project.settings.share.max_mb,
        )
        for problem in done.problems:
            warn(problem)
        print(_words(project, done))
    except NoCommitError as error:
        raise SettingsError(str(error)) from error
    except NothingPulledError as error:
        raise NoDataError(str(error)) from error
    except ShareError as error:
        warn(str(error))
        return FAILED
    except OSError as error:
        warn(f"What was found cannot be kept: {error}")
        return FAILED
    finally:
        project.close()
    return PASSED


def _words(project: Project, done: Pulled) -> str:
    """What was pulled, and whether it is what is shown from now on."""
    steps = f", {done.distance} before" if done.distance else ""
    flags = f" ({'; '.join(done.data.flags)})" if done.data.flags else ""
    words = f"Commit {done.data.commit[:7]}{flags}{steps}, from {printable(done.data.origin)}."
    project.load()
    if project.pulled is not None:
        return words
    own = project.configuration.data_file
    return (
        f"{words}\nThe project's own data, {printable(str(own))}, are shown all the same: "
        "`--pulled` shows these, and so does `share.show` in the settings."
    )
