"""`covls check`: whether coverage is what the project asks of it, from data that is there."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from covls.cli import github_actions
from covls.cli.alerting import alert_options, check_alert_options, tell_services
from covls.cli.compared import compared, compared_options
from covls.cli.github_actions import folder_in_repository
from covls.cli.history_data import flag_option
from covls.cli.invocation import (
    FAILED,
    NO_DATA,
    PASSED,
    Invocation,
    NoDataError,
    SettingsError,
    pass_invocation,
    pulled_option,
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
from covls.cli.written import findings_text, format_options, lines, write
from covls.core.coverage import NOTHING
from covls.core.formats.gates_text import gates_text
from covls.core.gates import BaseFigures, Check, Facts, GatedFile, Outcome, needs_patch, shares
from covls.core.gates import check as judge
from covls.core.patched import PatchedFiles
from covls.project import Project
from covls.project.gated_files import Compared

if TYPE_CHECKING:
    from covls.core.findings import Finding

FORMATS = ("text", "json", "markdown", "github", "sarif", "gitlab", "junit", "badge")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@compared_options
@format_options(FORMATS)
@click.option(
    "--base-report",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON report of the base, which `max-drop` compares with. Else `gates.base_report`.",
)
@flag_option(
    "Compare, for `max-drop`, with a recorded run that has exactly these flags. Else with any."
)
@click.option(
    "--ratchet",
    is_flag=True,
    help="Where all passes, raise `gates.ratchet` in the settings to the total; it never falls.",
)
@click.option(
    "--data-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The data to judge. Else where coverage.py's configuration puts it.",
)
@alert_options
@pulled_option
@root_option
@trusted_option
@pass_invocation
def check(
    invocation: Invocation,
    base: str | None,
    staged: bool,
    first: str | None,
    second: str | None,
    form: str,
    output: Path | None,
    others: tuple[tuple[str, Path], ...],
    base_report: Path | None,
    flags: tuple[str, ...] | None,
    ratchet: bool,
    data_file: Path | None,
    alert: bool,
    dry_run: bool,
) -> int:
    """Judge coverage by the gates of the settings: the total, the patch, paths.

    Exits with 0 where all pass, 1 where one fails, 2 for wrong options, and 3 where one cannot be
    judged because the data are missing or older than the code.

    Nothing is run, and no file of yours is changed, but for the settings with --ratchet.
    """
    check_alert_options(alert=alert, dry_run=dry_run)
    project = open_project(invocation, data_file)
    try:
        load_data(project)
        checked, facts = judged(
            project, compared(project, base, staged, first, second), base_report, flags
        )
        warn_of_problems(project)
        write(lambda name: _text(name, project, checked, facts), ((form, output), *others))
        if github_actions.is_here():
            from covls.core.formats.gates_markdown import gates_markdown

            github_actions.tell(_findings(project, checked, facts), gates_markdown(checked))
        if ratchet and checked.outcome is Outcome.PASSED:
            _raise(project, facts)
        code = exit_code(checked)
        if alert and not _told(project, checked, dry_run=dry_run) and code == PASSED:
            return FAILED
        return code
    finally:
        project.close()


def judged(
    project: Project,
    versions: Compared,
    base_report: Path | None = None,
    flags: tuple[str, ...] | None = None,
) -> tuple[Check, Facts]:
    """The verdicts of all gates, and what they were judged by.

    Raises NoDataError where the data have nothing that could be judged.
    """
    if not project.files_to_report():
        raise NoDataError(nothing_to_report(project))
    facts = _facts(project, versions, base_report, flags)
    configuration = project.configuration
    checked = judge(
        project.settings.gates,
        facts,
        precision=configuration.precision,
        fail_under=configuration.fail_under,
        run="covls run --affected",
    )
    return checked, facts


def _told(project: Project, checked: Check, *, dry_run: bool) -> bool:
    """Tell services what came of the gates; false where that fails, and must not."""
    from covls.core.alerts import of_gates

    told = tell_services(project, lambda branch, _: of_gates(checked, branch), dry_run=dry_run)
    return told or not project.settings.alerts.required


def exit_code(checked: Check) -> int:
    """What the command exits with."""
    if checked.outcome is Outcome.UNKNOWN:
        return NO_DATA
    return FAILED if checked.outcome is Outcome.FAILED else PASSED


def _facts(
    project: Project,
    versions: Compared,
    base_report: Path | None,
    flags: tuple[str, ...] | None,
) -> Facts:
    gates = project.settings.gates
    patch = project.patched_files(versions) if needs_patch(gates) else None
    known = None if isinstance(patch, str) else patch
    files = tuple(project.gated_files(known, versions))
    figures: BaseFigures | str | None = None
    if gates.max_drop is not None and known is not None:
        given = base_report or (project.root / gates.base_report if gates.base_report else None)
        figures = None if given is None else _base_figures(given, known, files)
        # A report that was given goes before what is on record.
        figures = figures or _recorded(project, known, versions, flags)
    elif gates.max_drop is not None and isinstance(patch, str):
        figures = patch
    return Facts(
        files,
        base=known.base if known is not None else "",
        no_patch=patch if isinstance(patch, str) else "",
        base_figures=None if isinstance(figures, str) else figures,
        no_base=figures if isinstance(figures, str) else "",
    )


def _recorded(
    project: Project,
    patched: PatchedFiles,
    versions: Compared,
    flags: tuple[str, ...] | None,
) -> BaseFigures | str:
    """The figures of the base as the history has them, or why it has none."""
    from covls.adapters.history_db import HistoryError, open_history

    trusted = project.trusted is not False
    try:
        with open_history(project.root, project.settings, mode="read", trusted=trusted) as history:
            return project.recorded_base(history, patched, versions, flags)
    except HistoryError as error:
        return str(error)


def _base_figures(
    report: Path, patched: PatchedFiles, files: Iterable[GatedFile]
) -> BaseFigures | None:
    """The figures of the base, None where its report is not there (yet)."""
    from covls.core.base_report import WrongReportError, base_totals

    try:
        found = json.loads(report.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise SettingsError(f"{report} cannot be read as a JSON report: {error}") from error
    before = {file.name: file.name_before or file.name for file in patched.files}
    names = {before.get(file.name, file.name) for file in files}
    gone = {before[file.name]: file.gone for file in patched.files}
    try:
        return BaseFigures(patched.base, base_totals(found, names, gone))
    except WrongReportError as error:
        raise SettingsError(f"{report}: {error}") from error


def _raise(project: Project, facts: Facts) -> None:
    """Raise the ratchet to the total, in hundredths that are reached."""
    from covls.adapters.settings_edit import CannotEditError, set_number
    from covls.adapters.settings_files import read_settings_files

    if any(file.stale for file in facts.files):
        warn("The ratchet stays: the total is not known, as the data are older than the code.")
        return
    covered, possible = shares(sum((file.totals for file in facts.files), NOTHING))
    floor = (10_000 * covered // possible if possible else 10_000) / 100
    before = project.settings.gates.ratchet
    if before is not None and floor <= before:
        return
    # To where the settings are; a project that has none keeps them with its others.
    file = read_settings_files(project.root).file or project.root / "pyproject.toml"
    table = "gates" if file.name == "covls.toml" else "tool.covls.gates"
    try:
        set_number(file, table, "ratchet", floor)
    except (CannotEditError, OSError) as error:
        raise SettingsError(f"The ratchet cannot be raised to {floor:g}: {error}") from error
    was = "" if before is None else f" from {before:g}"
    warn(f"The ratchet is raised{was} to {floor:g} in {file}.")


def _text(name: str, project: Project, checked: Check, facts: Facts) -> Iterable[str]:
    """The verdicts in a format, which is imported when it is asked for."""
    match name:
        case "json":
            from covls.core.formats.gates_json import gates_json

            return [gates_json(checked, facts)]
        case "markdown":
            from covls.core.formats.gates_markdown import gates_markdown

            return lines(gates_markdown(checked))
        case "junit":
            from covls.core.formats.junit import junit

            return [junit(checked)]
        case "badge":
            from covls.core.formats.badge import badge

            return [badge(_total(facts), project.configuration.precision)]
        case "text":
            return lines(gates_text(checked))
    return findings_text(name, _findings(project, checked, facts))


def _findings(project: Project, checked: Check, facts: Facts) -> "Iterable[Finding]":
    from covls.core.findings import of_check

    return of_check(checked, facts.files, folder_in_repository(project.root))


def _total(facts: Facts) -> float | None:
    """The figure of all code, None where it is not known."""
    if any(file.stale for file in facts.files):
        return None
    return sum((file.totals for file in facts.files), NOTHING).percent
