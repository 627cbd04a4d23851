"""`covls comment`: what gates and patch say, as one comment on a pull request on GitHub."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from covls.adapters.github import API, GitHub, GitHubError, Head, Posted
from covls.cli.compared import compared, compared_options
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
from covls.cli.output import opened
from covls.cli.project_data import load_data, open_project, warn
from covls.core.comment import compose, marked
from covls.core.report import escape_markdown, printable

_MOST_BYTES = 1_000_000

_SAID = {
    Posted.CREATED: "commented pull request {}",
    Posted.UPDATED: "brought the comment on pull request {} up to date",
    Posted.UNCHANGED: "the comment on pull request {} is up to date",
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@compared_options
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Write the comment to a file, and post nothing.",
)
@click.option(
    "--post",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Post a comment that was written to a file before.",
)
@click.option(
    "--pull-request",
    "number",
    type=click.IntRange(1),
    metavar="NUMBER",
    help="The pull request. Else the one that the workflow runs for.",
)
@click.option(
    "--repository",
    envvar="GITHUB_REPOSITORY",
    metavar="OWNER/NAME",
    help="Its repository. Else GITHUB_REPOSITORY.",
)
@root_option
@trusted_option
@pass_invocation
def comment(
    invocation: Invocation,
    base: str | None,
    staged: bool,
    first: str | None,
    second: str | None,
    output: Path | None,
    post: Path | None,
    number: int | None,
    repository: str | None,
) -> int:
    """Comment a pull request on GitHub: the verdicts of the gates, and the patch.

    There is one comment, which is brought up to date. The token is taken from GITHUB_TOKEN or
    GH_TOKEN, and is neither shown nor kept. A pull request from a fork gets no token that may
    comment: write the comment to a file there (--output), and post it (--post) from a workflow on
    `workflow_run`, as `covls init` sets it up.

    Exits with 0, also where gates fail, which is for `covls check` to say; with 1 where the comment
    could not be posted, 2 for wrong options, 3 where there are no data.
    """
    if output is not None and post is not None:
        raise click.UsageError("Give one of --output and --post.")
    if post is None:
        body = _composed(invocation, base, staged, first, second, told=output is not None)
        if output is not None:
            with opened(output) as stream:
                stream.write(body)
            return PASSED
    else:
        with post.open("rb") as stream:
            # What is in it may come from a fork, and is taken for nothing but text.
            body = marked(stream.read(_MOST_BYTES).decode("utf-8", errors="replace"))
    try:
        return _posted(body, number, repository)
    except GitHubError as error:
        warn(str(error))
        return FAILED


def _composed(
    invocation: Invocation,
    base: str | None,
    staged: bool,
    first: str | None,
    second: str | None,
    *,
    told: bool,
) -> str:
    """The comment. Where there are no data and it goes into a file, it says so (`told`)."""
    from covls.cli.commands.check import judged
    from covls.core.formats.diff_markdown import diff_markdown
    from covls.core.formats.gates_markdown import gates_markdown

    pull_request = _event().get("pull_request") or {}
    commit = str((pull_request.get("head") or {}).get("sha") or "")
    project = open_project(invocation)
    try:
        try:
            load_data(project)
            versions = compared(project, base, staged, first, second)
            checked, _ = judged(project, versions)
            patched = project.patched_files(versions)
        except NoDataError as error:
            if not told:
                raise
            warn(error.message)
            return compose([f"Not known: {escape_markdown(printable(error.message))}"], commit)

        def parts() -> Iterator[str]:
            yield "\n".join(gates_markdown(checked))
            if isinstance(patched, str):
                yield escape_markdown(printable(patched))
            else:
                yield "\n".join(diff_markdown(patched, project.configuration.precision))

        return compose(parts(), commit)
    finally:
        project.close()


def _posted(body: str, number: int | None, repository: str | None) -> int:
    """Post a comment. Raises GitHubError."""
    token = (os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN") or "").strip()
    if not token:
        raise SettingsError(
            "There is no token: in a workflow set `GITHUB_TOKEN: ${{ github.token }}` under `env:`."
        )
    if not repository:
        raise SettingsError("Which repository? Give --repository OWNER/NAME.")
    github = GitHub(repository, token, api=os.environ.get("GITHUB_API_URL") or API)
    if number is None:
        event = _event()
        run = event.get("workflow_run")
        if isinstance(run, dict):
            # The number is not taken from the artifact: that comes from a fork.
            number = github.find_pull_request(_head(run))
            if number is None:
                click.echo("No open pull request has this commit at its tip: nothing is posted.")
                return PASSED
        else:
            found = (event.get("pull_request") or {}).get("number")
            number = found if isinstance(found, int) else None
    if number is None:
        raise SettingsError("Which pull request? Give --pull-request NUMBER.")
    click.echo(_SAID[github.post_comment(number, body)].format(number))
    return PASSED


def _head(run: dict[str, Any]) -> Head:
    """The branch that a workflow ran for. Raises SettingsError."""
    try:
        owner = run["head_repository"]["owner"]["login"]
        return Head(str(owner), str(run["head_branch"]), str(run["head_sha"]))
    except (KeyError, TypeError):
        raise SettingsError("GITHUB_EVENT_PATH does not say what the workflow ran for.") from None


def _event() -> dict[str, Any]:
    """What started the workflow, as GitHub has left it in a file; nothing elsewhere."""
    name = os.environ.get("GITHUB_EVENT_PATH")
    if not name:
        return {}
    try:
        event = json.loads(Path(name).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return event if isinstance(event, dict) else {}
