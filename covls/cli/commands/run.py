"""`covls run`: run tests, all or some, and make what they did part of the data."""

import json
import re
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from covls.adapters.configuration import find_root
from covls.adapters.test_run import End
from covls.choosing import CannotRunError, Choice, Request, Scope, together
from covls.cli.history_data import flag_option
from covls.cli.invocation import (
    FAILED,
    INTERRUPTED,
    PASSED,
    Invocation,
    SettingsError,
    pass_invocation,
    root_option,
    trusted_option,
)
from covls.cli.project_data import absolute, open_project, warn
from covls.core.coverage import percent_text
from covls.core.report import printable
from covls.core.test_events import Event, Finished, Tally
from covls.running import Outcome, Runner

_PASSED_ON = "covls.passed_on"

_LINES = re.compile(r"(.+?):(\d+)(?:-(\d+))?")
_DOTTED = re.compile(r"[\w.]*\w(?<!\.py)")


class _PassesOn(click.Command):
    """A command that keeps what stands behind `--` apart, for somebody else."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            place = args.index("--")
            ctx.meta[_PASSED_ON] = tuple(args[place + 1 :])
            args = args[:place]
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise click.UsageError(
                f"There is no option {error.option_name}. What is meant for the test runner stands "
                f"behind `--`: covls run -- {error.option_name}",
                ctx,
            ) from error


@click.command(
    cls=_PassesOn,
    context_settings={"help_option_names": ["-h", "--help"]},
    options_metavar="[OPTIONS]",
)
@click.option("--affected", is_flag=True, help="The tests that changes since the last run reach.")
@click.option("--app", metavar="NAME", help="The tests of a Django app.")
@click.option("-n", "--dry-run", is_flag=True, help="Only say which tests, and why each.")
@click.option(
    "--record",
    is_flag=True,
    help="Record what is covered then in the history, as `covls history record` does.",
)
@flag_option("With --record: what tells the run from others of the same commit.")
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="How to write the result.",
)
@root_option
@trusted_option
@click.argument("what", nargs=-1, metavar="[FILE[:LINE[-LINE]] | FOLDER | TEST]... [-- ARGUMENTS]")
@click.pass_context
@pass_invocation
def run(
    invocation: Invocation,
    context: click.Context,
    affected: bool,
    app: str | None,
    dry_run: bool,
    record: bool,
    flags: tuple[str, ...] | None,
    form: str,
    what: tuple[str, ...],
) -> int:
    """Run the project's tests under coverage, all of them or some.

    A file stands for the tests that reach it, a line for those that reach the line; where that was
    not recorded yet, for the tests that are named after the file or import it. A test file stands
    for itself, a line of one for its test, a folder for the tests in it, and a test's name
    (tests/test_shop.py::test_total) for that test.

    What the tests did takes the place of what the same tests did before; what all others did stays,
    so that the totals are those of a full run. ARGUMENTS go to pytest, unittest or Django's test
    command.
    """
    if affected + (app is not None) + bool(what) > 1:
        raise click.UsageError("Give one of --affected, --app, and files or tests.")
    if flags and not record:
        raise click.UsageError("A --flag is for what is recorded: --record.")
    requests = _requests(what, affected=affected, app=app)
    passed_on: tuple[str, ...] = context.meta.get(_PASSED_ON, ())
    if invocation.root is None and requests[0].path is not None:
        invocation.root = find_root(requests[0].path)
    project = open_project(invocation, of_tests=True)
    try:
        project.load()
        runner = Runner(project)
        try:
            choice = together(
                [runner.choose(replace(request, arguments=passed_on)) for request in requests]
            )
            if dry_run:
                _tell_choice(choice, form)
                return PASSED
            if not choice.runs_nothing:
                _announce(choice, form)
            with _interruptible() as cancelled, _Screen(form) as screen:
                outcome = runner.run(
                    choice, on_event=screen.show, on_wait=_say_waiting, cancelled=cancelled
                )
        except CannotRunError as error:
            raise SettingsError(str(error)) from error
        _tell_outcome(outcome, form)
        for request in requests:
            if request.path is not None and form == "text" and outcome.written:
                view = project.view(request.path)
                if view is not None:
                    percent = percent_text(
                        view.coverage.totals.percent, project.configuration.precision
                    )
                    print(f"{request.path.name}: {percent}% covered")
        if record and outcome.written and outcome.result.end is not End.CANCELLED:
            from covls.cli.commands.history.record import record_run, recorded_words

            project.load()
            recorded = record_run(invocation, project, flags=flags or ())
            click.echo(recorded_words(recorded), err=form == "json")
    finally:
        project.close()
    if outcome.result.end is End.CANCELLED:
        return INTERRUPTED
    return PASSED if outcome.result.passed and not outcome.problem else FAILED


def _requests(what: Sequence[str], *, affected: bool, app: str | None) -> list[Request]:
    """What is asked for, a request a place; the tests that are named are one."""
    if affected:
        return [Request(Scope.AFFECTED)]
    if app is not None:
        return [Request(Scope.APP, app=app)]
    if not what:
        return [Request(Scope.ALL)]
    requests: list[Request] = []
    tests: list[str] = []
    for word in what:
        match = None if Path(word).exists() else _LINES.fullmatch(word)
        path = Path(match[1] if match else word)
        if "::" in word or (match is None and not path.exists() and _DOTTED.fullmatch(word)):
            tests.append(word)
        elif not path.exists():
            raise click.UsageError(f"There is no file {path}.")
        elif match is None:
            requests.append(Request(Scope.FILE, absolute(path)))
        else:
            first = int(match[2])
            last = int(match[3] or first)
            if not 1 <= first <= last:
                raise click.UsageError(f"{word} names no lines: they count from 1, upwards.")
            requests.append(Request(Scope.LINES, absolute(path), first, last))
    if tests:
        requests.append(Request(Scope.TESTS, tests=tuple(tests)))
    return requests


def _tell_choice(choice: Choice, form: str) -> None:
    if form == "json":
        told: dict[str, Any] = {
            "tests": [
                {"id": test, "reasons": list(reasons)} for test, reasons in choice.tests.items()
            ],
            "all": choice.everything is not None,
        }
        if choice.everything is not None:
            told["why"] = choice.everything
        print(json.dumps(told, indent=4))
        return
    print(choice.headline)
    for test, reasons in choice.tests.items():
        print(f"\n{printable(test)}")
        for reason in reasons:
            print(f"    {printable(reason)}")


def _announce(choice: Choice, form: str) -> None:
    """Say what is going to run, on stderr where stdout is for a program."""
    click.echo(printable(choice.headline), err=form == "json")
    if choice.note and form == "text":
        for test, reasons in choice.tests.items():
            click.echo(printable(f"  {test}: {'; '.join(reasons)}"))


def _say_waiting() -> None:
    click.echo("Waiting for another run of these tests to end.", err=True)


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets, so that the run is ended well; a second one ends covls."""
    cancelled = threading.Event()

    def cancel(_number: int, _frame: object) -> None:
        if cancelled.is_set():
            raise KeyboardInterrupt
        cancelled.set()
        click.echo("\nEnding the run; Ctrl-C again leaves at once.", err=True)

    before = signal.signal(signal.SIGINT, cancel)
    try:
        yield cancelled
    finally:
        signal.signal(signal.SIGINT, before)


class _Screen:
    """What people see while tests run: how far they are, and each failure when it happens."""

    def __init__(self, form: str) -> None:
        self._tally = Tally()
        self._text = form == "text"
        self._lively = sys.stderr.isatty()
        self._width = 0

    def __enter__(self) -> "_Screen":
        return self

    def __exit__(self, *_: object) -> None:
        self._wipe()

    def show(self, event: Event) -> None:
        """Show what happened."""
        self._tally.add(event)
        if isinstance(event, Finished) and event.failed and self._text:
            self._wipe()
            click.echo(printable(f"FAILED {event.test}{_place(event)}: {event.message}"))
        if self._lively and isinstance(event, Finished):
            failed = len(self._tally.failures)
            words = f"{len(self._tally.finished)} of {len(self._tally.collected)} tests"
            words += f", {failed} failed" if failed else ""
            print(f"\r{words:<{self._width}}", end="", file=sys.stderr, flush=True)
            self._width = len(words)

    def _wipe(self) -> None:
        if self._width:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
            self._width = 0


def _place(event: Finished) -> str:
    if event.file is None:
        return ""
    return f" ({event.file}:{event.line})" if event.line else f" ({event.file})"


def _tell_outcome(outcome: Outcome, form: str) -> None:
    result, tally = outcome.result, outcome.result.tally
    if form == "json":
        told = {
            "end": result.end.value,
            "message": outcome.message,
            "written": outcome.written,
            "seconds": round(result.seconds, 3),
            "log": None if result.log is None else str(result.log),
            "tests": [
                {
                    "id": test.test,
                    "outcome": test.outcome,
                    "seconds": round(test.seconds, 6),
                    **({"message": test.message} if test.message else {}),
                    **({"file": test.file, "line": test.line} if test.file else {}),
                }
                for test in tally.finished.values()
            ],
            "errors": [
                {"file": error.file, "line": error.line, "message": error.message}
                for error in tally.errors
            ],
        }
        print(json.dumps(told, indent=4))
        return
    for error in tally.errors:
        where = f"{error.file}:{error.line}" if error.line else f"{error.file}"
        click.echo(printable(f"ERROR {where}: {error.message}"))
    for notice in dict.fromkeys(notice.message for notice in tally.notices):
        warn(notice)
    click.echo(printable(outcome.message))
    if not result.passed and result.log is not None:
        click.echo(f"What they printed: {result.log}")
