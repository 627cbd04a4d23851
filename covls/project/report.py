"""The files of a whole root's report, and what of each is covered."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from covls.adapters.configuration import CoverageConfiguration, report_matcher
from covls.core.analysis import NotAnalysed
from covls.core.coverage import FileCoverage, cover
from covls.core.marks import Freshness
from covls.core.plausible import lines_can_run
from covls.project.measured_files import MeasuredFiles
from covls.project.measurement import Measurement
from covls.project.on_disk import plugin_not_loaded, stamp_of


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A measured file that is in the report, before it is analysed."""

    path: Path
    name: str
    """The path as coverage.py's reports write it: relative to the root where it is below it."""
    measured_path: str


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file's coverage as coverage.py would count it now, with the source that is on disk.

    Of pulled data, with the source that was measured.
    """

    file: ReportFile
    coverage: FileCoverage
    freshness: Freshness


def name_in(root: Path, local: str) -> str:
    """A file's path as people write it: relative to the root where it is below it."""
    return local.removeprefix(str(root).rstrip(os.sep) + os.sep)


def files_to_report(
    root: Path,
    data: Measurement,
    configuration: CoverageConfiguration,
    paths: Iterable[Path] = (),
    reported: Callable[[str], bool] | None = None,
) -> list[ReportFile]:
    """The measured files that coverage.py's reports would show, in their order.

    `paths` are absolute files and folders to keep to; none: all. `reported` says of a path whether
    it is in the report, None: as the configuration has it. Measured files that are not on this
    machine are left out.
    """
    chosen = [os.path.realpath(path) for path in paths]
    reported = reported or report_matcher(configuration)
    files: list[tuple[str, ReportFile]] = []
    for measured_path, local in data.located.found.items():
        if not reported(local):
            continue
        if chosen and not any(local == c or local.startswith(c + os.sep) for c in chosen):
            continue
        relative = configuration.relative_files and not Path(measured_path).is_absolute()
        name = measured_path if relative else name_in(root, local)
        order = measured_path if relative else local
        files.append((order, ReportFile(Path(local), name, measured_path)))
    return [file for _, file in sorted(files, key=lambda item: item[0])]


def report_files(
    files: MeasuredFiles, reported: Iterable[ReportFile], contexts: Sequence[str]
) -> Iterator[FileReport]:
    """The coverage of each reported file, one at a time, so that memory stays bounded.

    `contexts` are regexes: only what ran in contexts that one of them finds counts. A file that
    cannot be analysed is left out, and the `failures` of `files` say why.
    """
    data, analysts = files.measurement, files.analysts
    wanted: list[ReportFile] = []
    for file in reported:
        tracer = data.snapshot.tracer(file.measured_path)
        if tracer and not analysts.plugins:
            files.fail(file.path, plugin_not_loaded(file.path, tracer))
        else:
            wanted.append(file)
    found = analysts.analyse_many(
        (file.path, data.snapshot.tracer(file.measured_path)) for file in wanted
    )
    ran = data.snapshot.measured_in_turn([file.measured_path for file in wanted], contexts)
    for file, (path, source, analysis), measured in zip(wanted, found, ran, strict=True):
        if isinstance(analysis, NotAnalysed):
            # As in coverage.py, something that does not look like Python need not parse.
            if path.suffix.startswith(".py") or not path.suffix:
                files.fail(path, analysis.reason)
            continue
        unmodified = data.is_surely_measured(stamp_of(path))
        same = data.sources.agree(file.measured_path, source, unmodified=unmodified)
        fresh = same and lines_can_run(analysis, measured)
        if data.pulled and not fresh:
            # What ran elsewhere is counted over the text that ran there, where that is known.
            text = data.sources.beside(file.measured_path, measured, files.analyser(path))
            analysis = analysis if text is None else text.analysis
        yield FileReport(
            file,
            cover(analysis, measured),
            Freshness.FRESH if fresh else Freshness.UNVERIFIED,
        )
