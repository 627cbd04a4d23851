"""What a history is to keep of the data that a project has now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from covls.adapters.source import Unreadable, read_source, source_text
from covls.core.history import RecordedFile, recorded_file, source_name
from covls.core.marks import Freshness
from covls.project.measured_files import MeasuredFiles
from covls.project.report import ReportFile, report_files


@dataclass(frozen=True, slots=True)
class Recording:
    """The files of a report, as they are to be recorded."""

    files: tuple[RecordedFile, ...]
    contents: Mapping[str, bytes]
    """What stands in each file, by its path."""
    stale: tuple[str, ...]
    """The files whose text may be another than was measured."""
    has_branches: bool


def recording_of(files: MeasuredFiles, reported: Iterable[ReportFile]) -> Recording:
    """All files of a report with what ran in them; the figures are those of the report."""
    found: list[RecordedFile] = []
    contents: dict[str, bytes] = {}
    stale: list[str] = []
    for each in report_files(files, reported, ()):
        path = each.file.name.replace("\\", "/")
        content = read_source(each.file.path)
        if isinstance(content, Unreadable):
            stale.append(each.file.name)
            continue
        contents[path] = content
        if each.freshness is not Freshness.FRESH:
            stale.append(each.file.name)
        found.append(recorded_file(path, source_name(source_text(content)), each.coverage))
    has_branches = files.measurement.snapshot.has_arcs
    return Recording(tuple(found), contents, tuple(stale), has_branches)
