"""`covls report`: totals and a row per file, from data that is there already."""

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TypeVar

import click

from covls import __version__
from covls.adapters.configuration import report_matcher
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
from covls.cli.output import opened
from covls.cli.project_data import (
    absolute,
    load_data,
    nothing_to_report,
    open_project,
    warn,
    warn_of_problems,
)
from covls.core.coverage import NOTHING
from covls.core.formats.badge import badge
from covls.core.formats.cobertura import XmlFile, cobertura
from covls.core.formats.lcov import lcov
from covls.core.json_report import KINDS, JsonFile, JsonForm, json_report
from covls.core.marks import Freshness
from covls.core.report import (
    SORT_COLUMNS,
    Row,
    Table,
    below_threshold,
    counted,
    markdown_table,
    missing_words,
    plain_table,
    printable,
    tabulate,
)
from covls.project import FileReport, Project, ReportFile

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Choices:
    """What the report is to show: the command line's word, else coverage.py's configuration's."""

    show_missing: bool
    skip_covered: bool
    skip_empty: bool
    precision: int
    sort: str | None
    show_contexts: bool
    pretty: bool
    contexts: tuple[str, ...]
    fail_under: float


def _patterns(
    _context: click.Context, _parameter: click.Parameter, values: Sequence[str]
) -> object:
    """Options that may be given several times, with commas, too, as coverage.py has them."""
    return tuple(part for value in values for part in value.split(",") if part) or None


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown", "cobertura", "lcov", "badge"]),
    default="text",
    help="json is coverage.py's JSON report, with covls's own under the key `covls`; cobertura and "
    "lcov are its XML and LCOV reports; badge is a picture of the total.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="A file to write the report to.",
)
@click.option("-m", "--show-missing/--no-show-missing", default=None, help="List missing lines.")
@click.option(
    "--sort",
    metavar="[-]COLUMN",
    help=f"The column to sort by: {', '.join(SORT_COLUMNS)}; a minus before it for the other way.",
)
@click.option("--skip-covered/--no-skip-covered", default=None, help="Leave out files at 100%.")
@click.option("--skip-empty/--no-skip-empty", default=None, help="Leave out files without code.")
@click.option("--precision", type=click.IntRange(0, 20), help="Decimals of percentages.")
@click.option(
    "--include", multiple=True, callback=_patterns, metavar="PATTERNS", help="Only these files."
)
@click.option(
    "--omit", multiple=True, callback=_patterns, metavar="PATTERNS", help="Not these files."
)
@click.option(
    "--contexts",
    multiple=True,
    callback=_patterns,
    metavar="REGEXES",
    help="Count only what ran in contexts (tests) that one of these finds.",
)
@click.option(
    "--show-contexts/--no-show-contexts", default=None, help="JSON: the tests that ran each line."
)
@click.option("--pretty-print/--no-pretty-print", default=None, help="JSON: indent it.")
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Exit with 1 if the total is less.",
)
@click.option(
    "--data-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The data to report on. Else where coverage.py's configuration puts it.",
)
@pulled_option
@root_option
@trusted_option
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@pass_invocation
def report(
    invocation: Invocation,
    form: str,
    output: Path | None,
    show_missing: bool | None,
    sort: str | None,
    skip_covered: bool | None,
    skip_empty: bool | None,
    precision: int | None,
    include: tuple[str, ...] | None,
    omit: tuple[str, ...] | None,
    contexts: tuple[str, ...] | None,
    show_contexts: bool | None,
    pretty_print: bool | None,
    fail_under: float | None,
    data_file: Path | None,
    paths: tuple[Path, ...],
) -> int:
    """Show how much of each file the tests reach.

    The figures are those of `coverage report` and `coverage json`, from the same data and the
    same configuration. PATHS are files or folders to keep to.

    Nothing is run, and no file of yours is changed.
    """
    project = open_project(invocation, data_file, shows=True)
    try:
        configuration = project.configuration
        choices = Choices(
            show_missing=_chosen(show_missing, configuration.show_missing),
            skip_covered=_chosen(skip_covered, configuration.skip_covered),
            skip_empty=_chosen(skip_empty, configuration.skip_empty),
            precision=_chosen(precision, configuration.precision),
            sort=_chosen(sort, configuration.sort),
            show_contexts=_chosen(show_contexts, configuration.json_show_contexts),
            pretty=_chosen(pretty_print, configuration.json_pretty_print),
            contexts=_chosen(contexts, configuration.report_contexts),
            fail_under=_chosen(fail_under, configuration.fail_under),
        )
        _check_regexes(choices.contexts)
        load_data(project)
        reported = report_matcher(
            replace(
                configuration,
                report_include=_chosen(include, configuration.report_include),
                report_omit=_chosen(omit, configuration.report_omit),
            )
        )
        files = project.files_to_report([absolute(path) for path in paths], reported)
        if not files:
            raise NoDataError(nothing_to_report(project, paths))
        shown = Shown(project, choices)
        with opened(output) as stream:
            if form == "json":
                for piece in shown.json(files):
                    stream.write(piece)
                stream.write("\n")
            elif form in {"cobertura", "lcov", "badge"}:
                stream.writelines(shown.for_others(form, files))
            else:
                _write_table(shown.table(files, asked=sort), shown, form, stream)
            stream.flush()
        return shown.judge()
    finally:
        project.close()


class Shown:
    """One report in the making, and what was found out on the way."""

    def __init__(self, project: Project, choices: Choices) -> None:
        assert project.snapshot is not None, "there is data"
        self.project = project
        self.snapshot = project.snapshot
        self.choices = choices
        self.stale: list[str] = []
        self.totals_percent = 100.0

    def table(self, files: Sequence[ReportFile], *, asked: str | None) -> Table:
        """The rows, read one file at a time. `asked` is the order the user asked for here."""
        choices = self.choices
        sort = choices.sort or "name"
        branches = self.snapshot.has_arcs
        try:
            tabulate((), branches=branches, sort=sort)
        except ValueError as error:
            if asked is not None:
                raise SettingsError(f"--sort: {error}") from None
            warn(f"[report] sort: {error}; sorted by name")
            sort = "name"
        table = tabulate(
            self._rows(files),
            branches=branches,
            show_missing=choices.show_missing,
            skip_covered=choices.skip_covered,
            skip_empty=choices.skip_empty,
            sort=sort,
            precision=choices.precision,
        )
        self.totals_percent = table.totals.percent
        warn_of_problems(self.project)
        return table

    def json(self, files: Sequence[ReportFile]) -> Iterator[str]:
        """The JSON report in pieces."""
        from coverage.version import __version__ as coverage_version

        choices = self.choices
        form = JsonForm(
            branches=self.snapshot.has_arcs,
            contexts=choices.show_contexts,
            precision=choices.precision,
            pretty=choices.pretty,
        )
        yield from json_report(
            form,
            version=coverage_version,
            timestamp=datetime.now(UTC).astimezone().replace(tzinfo=None).isoformat(),
            files=self._json_files(files),
            added=self._added,
        )
        warn_of_problems(self.project)

    def for_others(self, form: str, files: Sequence[ReportFile]) -> Iterator[str]:
        """The report as other tools read it, in pieces."""
        choices, totals = self.choices, NOTHING

        def counted_in() -> Iterator[FileReport]:
            nonlocal totals
            for found in self._reports(files):
                totals += found.coverage.totals
                yield found

        if form == "lcov":
            found = ((each.file.name, each.coverage) for each in counted_in())
            yield from (f"{line}\n" for line in lcov(found, skip_empty=choices.skip_empty))
        elif form == "cobertura":
            yield from cobertura(
                map(self._xml_file, counted_in()),
                sources=self._xml_sources(),
                branches=self.snapshot.has_arcs,
                version=__version__,
                timestamp=int(time.time() * 1000),
                skip_empty=choices.skip_empty,
            )
        else:
            for _ in counted_in():
                pass
            yield badge(None if self.stale else totals.percent, choices.precision)
        self.totals_percent = totals.percent
        warn_of_problems(self.project)

    def _xml_file(self, found: FileReport) -> XmlFile:
        name = found.file.name.replace("\\", "/")
        relative = self.project.configuration.relative_files
        path = name if relative else found.file.path.as_posix()
        return XmlFile(path, name, found.coverage)

    def _xml_sources(self) -> list[str]:
        """The folders that `source` names, as coverage.py's XML report has them."""
        configuration = self.project.configuration
        if configuration.relative_files:
            there = (source for source in configuration.source if self._is_there(source))
            return [source.rstrip("/\\") for source in there]
        return [folder.resolve().as_posix() for folder in configuration.source_folders]

    def _is_there(self, source: str) -> bool:
        return (self.project.root / source).exists()

    def judge(self) -> int:
        """The exit code, and on stderr why it is not 0."""
        choices = self.choices
        if not choices.fail_under:
            return PASSED
        if self.stale:
            warn(
                f"fail_under={choices.fail_under:g} is not judged: {self.stale_words} "
                "Run the tests again."
            )
            return NO_DATA
        if words := below_threshold(self.totals_percent, choices.fail_under, choices.precision):
            warn(words)
            return FAILED
        return PASSED

    @property
    def stale_words(self) -> str:
        """One sentence on the files that changed, empty where none did."""
        if not self.stale:
            return ""
        names = ", ".join(printable(name) for name in self.stale[:3])
        more = f" and {len(self.stale) - 3} more" if len(self.stale) > 3 else ""
        return (
            f"{counted(len(self.stale), 'file')} may have changed since the tests ran, so that the "
            f"figures may not be true of the text that is there now: {names}{more}."
        )

    def _reports(self, files: Sequence[ReportFile]) -> Iterator[FileReport]:
        for found in self.project.coverages(files, self.choices.contexts):
            if found.freshness is not Freshness.FRESH:
                self.stale.append(found.file.name)
            yield found

    def _rows(self, files: Sequence[ReportFile]) -> Iterator[Row]:
        show_missing = self.choices.show_missing
        for found in self._reports(files):
            yield Row(
                found.file.name,
                found.coverage.totals,
                missing_words(found.coverage) if show_missing else "",
                found.freshness is not Freshness.FRESH,
            )

    def _json_files(self, files: Sequence[ReportFile]) -> Iterator[JsonFile]:
        choices = self.choices
        total, possible = 0, 0
        for found in self._reports(files):
            measured_path = found.file.measured_path
            contexts = (
                self.snapshot.contexts_by_line(measured_path, choices.contexts)
                if choices.show_contexts
                else {}
            )
            totals = found.coverage.totals
            total += totals.n_executed + totals.n_executed_branches
            possible += totals.n_statements + totals.n_branches
            # Only Python files are known to have regions: coverage.py asks a plugin which kinds.
            present = {region.kind for region in found.coverage.analysis.regions}
            python = not self.snapshot.tracer(measured_path)
            kinds = [kind for kind in KINDS if python or kind[0] in present]
            yield JsonFile(found.file.name, found.coverage, contexts, kinds)
        self.totals_percent = 100.0 * total / possible if possible else 100.0

    def _added(self) -> dict[str, object]:
        written_at = self.snapshot.written_at
        configuration = self.project.configuration
        return {
            "version": __version__,
            "root": str(self.project.root),
            "configuration": str(configuration.file) if configuration.file else None,
            "data_file": str(self.snapshot.data_file),
            "written_at": datetime.fromtimestamp(written_at, UTC).isoformat(),
            "age": round(max(0.0, time.time() - written_at), 3),
            "stale": list(self.stale),
            "paths": [
                {"from": measured, "to": local, "files": count}
                for measured, local, count in self.project.located.mounts
            ],
            "missing": sorted(self.project.located.missing),
            "ambiguous": {
                measured: list(candidates)
                for measured, candidates in sorted(self.project.located.ambiguous.items())
            },
            "problems": [
                {"where": problem.where, "message": problem.message}
                for problem in self.project.problems
            ],
        }


def _write_table(table: Table, shown: Shown, form: str, stream: IO[str]) -> None:
    if form == "markdown":
        lines = list(markdown_table(table))
    elif stream.isatty():
        # Imported for people only: rich takes longer than a small report.
        from covls.cli.terminal_table import print_table

        print_table(table, stream, data_file=shown.snapshot.data_file, notes=shown.stale_words)
        return
    else:
        lines = list(plain_table(table))
    for line in lines:
        stream.write(line + "\n")
    if shown.stale:
        stream.write(f"\n{shown.stale_words} Run the tests again.\n")


def _chosen(given: Value | None, configured: Value) -> Value:
    return configured if given is None else given


def _check_regexes(patterns: Iterable[str]) -> None:
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise SettingsError(
                f"--contexts: {pattern!r} is no regular expression: {error}"
            ) from None
