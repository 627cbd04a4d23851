"""`covls history record`: what the tests covered, put into the history under its commit."""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

import click

from covls import __version__
from covls.cli.alerting import alert_options, check_alert_options, tell_services
from covls.cli.history_data import (
    flag_option,
    format_option,
    history_of,
    percent_of,
)
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
from covls.cli.project_data import (
    load_data,
    nothing_to_report,
    open_project,
    warn,
    warn_of_problems,
)
from covls.core.formats.history_json import run_values
from covls.core.report import counted, printable

if TYPE_CHECKING:
    from covls.core.history import Commit, Run
    from covls.project import Project


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@flag_option("What tells this run from others of the same commit, such as py312.")
@click.option(
    "--merge",
    is_flag=True,
    help="Add to what was recorded of the commit with these flags, instead of replacing it.",
)
@click.option(
    "--commit", "ref", metavar="REF", default="HEAD", help="The commit that was measured."
)
@click.option("--branch", metavar="NAME", help="The branch. Else the one that is checked out.")
@click.option("--stale", is_flag=True, help="Record also where files changed since the tests ran.")
@format_option
@alert_options
@root_option
@trusted_option
@pass_invocation
def record(
    invocation: Invocation,
    flags: tuple[str, ...] | None,
    merge: bool,
    ref: str,
    branch: str | None,
    stale: bool,
    form: str,
    alert: bool,
    dry_run: bool,
) -> int:
    """Record what the tests covered, under the commit that they ran at.

    The same commit with the same flags is recorded once: a second time takes the place of the
    first, or is merged with it as combined data would be (--merge).

    With --alert, services are told where the total dropped by more than `alerts.drop` since the
    nearest ancestor on record. The run is recorded with --dry-run, too.
    """
    check_alert_options(alert=alert, dry_run=dry_run)
    project = open_project(invocation)
    try:
        load_data(project)
        run = record_run(
            invocation,
            project,
            flags=flags or (),
            merge=merge,
            ref=ref,
            branch=branch,
            stale=stale,
        )
    finally:
        project.close()
    if form == "json":
        print(json.dumps(run_values(run), indent=4))
    else:
        print(recorded_words(run))
    if alert and not _told(invocation, project, run, dry_run=dry_run):
        return FAILED
    return PASSED


def _told(invocation: Invocation, project: "Project", run: "Run", *, dry_run: bool) -> bool:
    """Tell services of a drop, or that it is made up for; false where that fails, and must not."""
    from covls.adapters.commits import commits_of
    from covls.core.alerts import Event, drops_over, of_drop
    from covls.project.recorded_runs import compare_runs, nearest_run

    settings, commits = project.settings, commits_of(project.root)
    assert commits is not None, "a run is recorded under a commit"
    with history_of(project.root, settings, invocation) as history:
        base = nearest_run(history, commits, run.commit.id, run.flags, itself=False)
        if isinstance(base, str):
            warn(f"A drop is not told: {base}")
        else:
            drop = compare_runs(history, commits, base, run).found.drop

    def events(branch: str, notes: Mapping[str, str]) -> list[Event]:
        found = drops_over(notes, run.totals, branch=branch, flags=run.flags)
        if not isinstance(base, str):
            found += of_drop(
                drop.fair_before,
                drop.fair_now,
                settings.alerts.drop,
                branch=branch,
                flags=run.flags,
                commit=run.commit.id,
                base=base.commit.id,
            )
        return found

    told = tell_services(project, events, commit=run.commit.id, dry_run=dry_run)
    return told or not settings.alerts.required


def record_run(
    invocation: Invocation,
    project: "Project",
    *,
    flags: tuple[str, ...] = (),
    merge: bool = False,
    ref: str = "HEAD",
    branch: str | None = None,
    stale: bool = False,
) -> "Run":
    """Record the data that a project has now. Raises NoDataError or SettingsError."""
    commit = _commit(project, ref, branch)
    recording = project.recording()
    if recording is None or not recording.files:
        raise NoDataError(nothing_to_report(project))
    warn_of_problems(project)
    if recording.stale and not stale:
        names = ", ".join(printable(name) for name in recording.stale[:3])
        more = f" and {len(recording.stale) - 3} more" if len(recording.stale) > 3 else ""
        raise NoDataError(
            f"{counted(len(recording.stale), 'file')} may have changed since the tests ran: "
            f"{names}{more}.\nRun the tests again, or record it nevertheless: --stale"
        )
    from covls.adapters.commits import commits_of

    commits = commits_of(project.root)
    clean = commits is not None and commits.holds(commit.id, recording.contents)
    snapshot = project.snapshot
    measured_by = {part.version for part in snapshot.parts if part.version} if snapshot else set()
    versions = {
        "covls": __version__,
        "coverage": ", ".join(sorted(measured_by)) or version("coverage"),
    }
    with history_of(project.root, project.settings, invocation, "write") as history:
        return history.record(
            commit,
            flags,
            clean=clean,
            versions=versions,
            has_branches=recording.has_branches,
            files=recording.files,
            same="merge" if merge else "replace",
        )


def recorded_words(run: "Run") -> str:
    """What was recorded, in one line."""
    flags = f" with {', '.join(run.flags)}" if run.flags else ""
    branch = f" on {run.commit.branch}" if run.commit.branch else ""
    unclean = "" if run.clean else ", of a work tree that is not the commit's"
    return printable(
        f"Recorded {run.commit.id[:12]}{branch}{flags}: {percent_of(run)} of "
        f"{counted(run.totals.n_files, 'file')}{unclean}."
    )


def _commit(project: "Project", ref: str, branch: str | None) -> "Commit":
    from covls.adapters.commits import commits_of

    commits = commits_of(project.root)
    if commits is None:
        raise SettingsError(
            f"{project.root} is in no git repository, or git was not found: a run is recorded "
            "under its commit."
        )
    name = commits.find(ref)
    found = commits.describe(name) if name else None
    if found is None:
        why = ", which has only the last ones: `git fetch --unshallow`" if commits.shallow else ""
        raise SettingsError(f"{ref} is no commit in {commits.top}{why}.")
    here = branch or (commits.branch(os.environ) if name == commits.find("HEAD") else None)
    return replace(found, branch=here)
