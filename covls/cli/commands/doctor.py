"""`covls doctor`: what covls sees of a folder, or why a file has no coverage, and what to do."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from covls.adapters.configuration import find_root
from covls.adapters.presence import is_folder
from covls.adapters.settings_files import read_settings_files
from covls.cli.invocation import (
    NO_DATA,
    PASSED,
    USAGE,
    Invocation,
    NoDataError,
    pass_invocation,
    root_option,
    trusted_option,
)
from covls.cli.project_data import absolute, load_data
from covls.core.absence import Absence, FileFacts, Reason, explain
from covls.core.report import counted, printable
from covls.core.settings import client_layer, read_settings
from covls.doctor import Diagnosis, Level, diagnose, facts
from covls.project import Project

# With these there is nothing wrong: the file has no coverage to show, or it is shown.
_FINE = {Reason.NO_CODE, Reason.EXCLUDED, Reason.NOT_REPORTED}

_LISTED = 10


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the text: a caption and its lines, each a label and what is seen there."""

    caption: str
    lines: tuple[tuple[str, str], ...]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    help="How to write what was found.",
)
@root_option
@trusted_option
@click.argument("path", required=False, type=click.Path(path_type=Path))
@pass_invocation
def doctor(invocation: Invocation, form: str, path: Path | None) -> int:
    """Show what covls sees of a folder, and what to do about each problem.

    PATH is a folder, or a file whose coverage is missed; without it the current folder.

    Exits with 0 where all is well, 2 where settings are wrong, 3 where there is no usable data.
    Nothing is run, and no file of yours is changed.
    """
    asked = absolute(path if path is not None else Path())
    root = invocation.root or find_root(asked)
    files = read_settings_files(root)
    given = {} if invocation.trusted is None else {"trusted": invocation.trusted}
    settings, problems = read_settings(*files.layers, client_layer(given, "command line"))
    project = Project(root, settings, trusted=invocation.trusted)
    try:
        # That there is none is a finding, and what was found otherwise is told all the same.
        with suppress(NoDataError):
            load_data(project)
        if path is not None and not is_folder(asked):
            return _tell_file(project, asked, form)
        diagnosis = diagnose(project, files, problems)
    finally:
        project.close()
    if form == "json":
        _write_json(asdict(diagnosis))
    elif form == "markdown":
        _write_markdown(diagnosis)
    else:
        _write_text(diagnosis)
    if diagnosis.has_wrong_settings():
        return USAGE
    return PASSED if diagnosis.data_is_usable() else NO_DATA


def _tell_file(project: Project, path: Path, form: str) -> int:
    file, root = facts(project, path)
    found = explain(file, root)
    if form == "json":
        _write_json(
            {
                "file": file.path,
                "root": root.root,
                "data_file": root.data_file,
                "measured_as": file.measured_as,
                "statements": file.statements,
                "executed": file.executed,
                "reason": found and found.reason,
                "message": found and found.message,
                "remedy": found and found.remedy,
            }
        )
    else:
        lines = _file_lines(file, found)
        if form == "markdown":
            lines = (f"- {_escaped(line)}" for line in lines)
        for line in lines:
            click.echo(printable(line))
    if found is None or found.reason in _FINE:
        return PASSED
    return USAGE if found.reason is Reason.NOT_THERE else NO_DATA


def _file_lines(file: FileFacts, found: Absence | None) -> Iterator[str]:
    if found is None:
        yield f"Nothing is wrong with the coverage of {file.name}."
    else:
        yield found.message
        if found.remedy:
            yield found.remedy
    if file.measured_as is not None and file.statements:
        yield f"{file.executed} of {counted(file.statements, 'statement')} ran."


def _write_json(values: Mapping[str, Any]) -> None:
    click.echo(json.dumps(values, indent=2, default=str))


def _write_markdown(diagnosis: Diagnosis) -> None:
    click.echo("# covls doctor")
    if diagnosis.findings:
        click.echo("\n## What to do\n")
        for finding in diagnosis.findings:
            remedy = f" {_escaped(finding.remedy)}" if finding.remedy else ""
            click.echo(f"- **{finding.level}** {_escaped(finding.message)}{remedy}")
    for section in _sections(diagnosis):
        click.echo(f"\n## {section.caption}\n\n| | |\n|---|---|")
        for label, value in section.lines:
            click.echo(f"| {_escaped(label)} | {_escaped(value)} |")


def _write_text(diagnosis: Diagnosis) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    width = max(len(label) for s in _sections(diagnosis) for label, _ in s.lines)
    for section in _sections(diagnosis):
        console.print(Text(section.caption, style="bold"))
        for label, value in section.lines:
            console.print(
                Text.assemble((f"  {label:<{width}}  ", "bright_black"), printable(value))
            )
        console.print()
    styles = {Level.ERROR: "bold red", Level.WARNING: "bold yellow", Level.NOTE: "bold cyan"}
    console.print(Text("What to do", style="bold"))
    if not diagnosis.findings:
        console.print(Text("  Nothing: all is well.", style="green"))
    for finding in diagnosis.findings:
        line = Text.assemble((f"  {finding.level:<7}  ", styles[finding.level]))
        console.print(line.append(printable(finding.message)))
        if finding.remedy:
            console.print(Text(f"           {printable(finding.remedy)}"))


def _sections(diagnosis: Diagnosis) -> Iterator[Section]:
    yield Section("covls", tuple(_covls_lines(diagnosis)))
    yield Section("Root", tuple(_root_lines(diagnosis)))
    yield Section("coverage.py's configuration", tuple(_configuration_lines(diagnosis)))
    yield Section("Data", tuple(_data_lines(diagnosis)))
    if diagnosis.files is not None:
        yield Section("Measured files", tuple(_measured_lines(diagnosis)))


def _covls_lines(diagnosis: Diagnosis) -> Iterator[tuple[str, str]]:
    yield "version", f"covls {diagnosis.covls_version}"
    yield "with", f"coverage.py {diagnosis.coverage_version}, Python {diagnosis.python_version}"
    size = _size_words(diagnosis.cache_bytes)
    yield "cache", f"{diagnosis.cache_folder} ({size}; safe to delete)"


def _root_lines(diagnosis: Diagnosis) -> Iterator[tuple[str, str]]:
    yield "folder", f"{diagnosis.root} ({diagnosis.chosen_because})"
    for other in diagnosis.other_roots[:_LISTED]:
        yield "also a root", str(other)
    if (more := len(diagnosis.other_roots) - _LISTED) > 0:
        yield "also roots", f"{more} more"
    words = {
        True: "yes: plugins and the project's interpreter may be used",
        False: "no: nothing of the workspace runs",
        None: "not said: nothing of the workspace runs on its own",
    }
    yield "trusted", words[diagnosis.trusted]
    yield "settings", str(diagnosis.settings_file or "none in files; defaults")
    for name, value in diagnosis.settings.items():
        yield f"  {name}", json.dumps(value)
    interpreter = diagnosis.interpreter
    yield "interpreter", "none found" if interpreter is None else interpreter.words()
    yield "tests", diagnosis.tests


def _configuration_lines(diagnosis: Diagnosis) -> Iterator[tuple[str, str]]:
    for tried in diagnosis.tried:
        yield tried.path.name, tried.state
    yield from diagnosis.environment.items()
    yield "data file", str(diagnosis.data_file)
    if diagnosis.source:
        yield "source", ", ".join(diagnosis.source)
    if diagnosis.plugins:
        loaded = "" if diagnosis.trusted else " (not loaded: not trusted)"
        yield "plugins", ", ".join(diagnosis.plugins) + loaded
    if diagnosis.core:
        yield "core", diagnosis.core


def _data_lines(diagnosis: Diagnosis) -> Iterator[tuple[str, str]]:
    data = diagnosis.data
    if data is None:
        yield "file", f"none to show at {diagnosis.data_file}"
        return
    for part in data.parts[:_LISTED]:
        size, age = _size_words(part.size), _age_words(part.written_at)
        yield "file", f"{part.path} ({size}, {age} old, {counted(part.files, 'file')})"
    if (more := len(data.parts) - _LISTED) > 0:
        yield "files", f"{more} more parts"
    yield "written by", f"coverage.py {data.coverage_version or '?'}, schema {data.schema}"
    yield "branches", "measured" if data.branches else "not measured"
    yield "contexts", str(data.contexts) if data.contexts else "none"
    if data.tracers:
        yield "measured by", ", ".join(data.tracers)


def _measured_lines(diagnosis: Diagnosis) -> Iterator[tuple[str, str]]:
    files = diagnosis.files
    assert files is not None, "asked only where there is data"
    yield "found here", f"{files.found} of {files.measured}"
    for rule in files.rules:
        yield "mapped", f"{rule.measured} → {rule.local} ({counted(rule.files, 'file')})"
    for measured, candidates in list(files.missing.items())[:_LISTED]:
        near = f" (nearest: {', '.join(candidates)})" if candidates else ""
        yield "not found", measured + near
    if (more := len(files.missing) - _LISTED) > 0:
        yield "not found", f"{more} more"
    for measured, candidates in list(files.ambiguous.items())[:_LISTED]:
        yield "ambiguous", f"{measured} may be {' or '.join(candidates)}"
    if (more := len(files.ambiguous) - _LISTED) > 0:
        yield "ambiguous", f"{more} more"
    if files.changed:
        yield "changed since", counted(len(files.changed), "file")


def _size_words(size: int) -> str:
    for unit, bytes_in_it in (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)):
        if size >= bytes_in_it:
            return f"{size / bytes_in_it:.1f} {unit}"
    return counted(size, "byte")


def _age_words(written_at: float) -> str:
    from covls.cli.terminal_table import age_words

    return age_words(time.time() - written_at)


def _escaped(text: str) -> str:
    """Text as Markdown shows it, in a list or in a table."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>|#" else char for char in printable(text))
