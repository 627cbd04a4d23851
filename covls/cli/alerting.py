"""Alerts of what came about on a branch: to which services, each event once, and what is said."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from covls.cli.invocation import SettingsError
from covls.cli.project_data import warn
from covls.core.settings import Settings

if TYPE_CHECKING:
    from covls.adapters.history_db.history import History
    from covls.adapters.notify import Service
    from covls.core.alerts import Event, Message
    from covls.project import Project

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

EventsOf = Callable[[str, Mapping[str, str]], "list[Event]"]
"""What there is to tell of a branch, by what a service was told before: notes by keys of events."""


def alert_options(command: Decorated) -> Decorated:
    """Let `--alert` and `--dry-run` stand behind a command."""
    options = (
        click.option(
            "--alert",
            is_flag=True,
            help="Tell the services that COVLS_ALERT_URLS names what went wrong on the branches "
            "of `alerts.branches`, and once more when it is well again.",
        ),
        click.option(
            "--dry-run",
            is_flag=True,
            help="With --alert: only say what would be sent where.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def check_alert_options(*, alert: bool, dry_run: bool) -> None:
    """Raise SettingsError for options that do not go together."""
    if dry_run and not alert:
        raise SettingsError("--dry-run says what --alert would send: give both.")


def tell_services(
    project: "Project",
    events_of: EventsOf,
    *,
    commit: str | None = None,
    dry_run: bool = False,
) -> bool:
    """Tell each service what it was not told of yet. Returns whether all that was to be told is.

    `commit` is the one that it is about; None: the one that is checked out.
    Whatever goes wrong is said on stderr, and no address is in what is said.
    """
    from covls.adapters.ci_run import branch_and_commit
    from covls.adapters.history_db import HistoryError, Mode, NoHistoryError, open_history
    from covls.adapters.notify import services
    from covls.core.alerts import is_told_of

    root, settings = project.root, project.settings
    branch, here = branch_and_commit(root)
    commit = commit or here
    if not is_told_of(branch, settings.alerts.branches):
        here = f"This is {branch}" if branch else "This is no branch"
        warn(f"No alert: {here}, and `alerts.branches` has {', '.join(settings.alerts.branches)}.")
        return True
    found = services(settings.alerts.variable)
    if not found:
        warn(f"No alert: {settings.alerts.variable} has no address.")
        return False
    try:
        mode: Mode = "read" if dry_run else "write"
        trusted = project.trusted is not False
        with open_history(root, settings, mode=mode, trusted=trusted) as history:
            return _tell(root, settings, found, history, branch, commit, events_of, dry_run)
    except NoHistoryError:
        return _tell(root, settings, found, None, branch, commit, events_of, dry_run)
    except HistoryError as error:
        warn(f"No alert: what was told before is not known. {error}")
        return False


def _tell(
    root: Path,
    settings: Settings,
    found: "list[Service]",
    history: "History | None",
    branch: str,
    commit: str,
    events_of: EventsOf,
    dry_run: bool,
) -> bool:
    """Claim, for each service, the events that it is to be told, and tell them."""
    from covls.adapters.ci_run import ci_run
    from covls.adapters.notify import CannotNotifyError, send
    from covls.core.alerts import OVER, Place, message, still_to_tell

    said = ci_run()
    place = Place(root.name, branch, commit, "" if said is None else said.link)
    noted = {} if history is None else {each.event: each.state for each in history.alerts.all()}
    to: list[tuple[Service, Message]] = []
    claimed: list[list[Event]] = []
    for service in found:
        notes = {
            key.removeprefix(f"{service.name}: "): note
            for key, note in noted.items()
            if key.startswith(f"{service.name}: ")
        }
        events = still_to_tell(events_of(branch, notes), notes)
        if history is not None and not dry_run:
            # Of two processes that see the same event, the one that notes it first tells it.
            events = [
                event
                for event in events
                if history.alerts.set(f"{service.name}: {event.key}", event.note)
            ]
        if events:
            to.append((service, message(events, place)))
            claimed.append(events)
    if dry_run:
        _say(to)
        return True
    try:
        results = send(to, settings.alerts.timeout) if to else []
    except CannotNotifyError as error:
        results = [str(error)] * len(to)
    for (service, _), events, wrong in zip(to, claimed, results, strict=True):
        if not wrong:
            warn(f"Told {service.name}: {'; '.join(event.key for event in events)}.")
            continue
        warn(f"{service.name} was not told: {wrong}. It is told by the next run.")
        for event in events:
            assert history is not None, "what is sent was claimed"
            before = noted.get(f"{service.name}: {event.key}", OVER)
            history.alerts.set(f"{service.name}: {event.key}", before)
    return not any(results)


def _say(to: "list[tuple[Service, Message]]") -> None:
    if not to:
        warn("No alert would be sent: there is nothing that was not told.")
    for service, message in to:
        warn(f"Would be sent to {service.name}:")
        for line in (message.title, *message.body.splitlines()):
            click.echo(f"    {line}".rstrip(), err=True)
