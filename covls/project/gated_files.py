"""All files of a root as gates see them: figures, what is stale, what was changed."""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from covls.adapters.configuration import (
    CoverageConfiguration,
    left_out_of_measuring,
    left_out_of_reports,
)
from covls.adapters.git_versions import GitVersions
from covls.adapters.local_files import local_python_files
from covls.adapters.merge_base import MergeBase, NoText
from covls.adapters.source import Unreadable, read_source, source_text, text_source
from covls.core.analysis import Analysis, NotAnalysed
from covls.core.changed_lines import changed_lines
from covls.core.coverage import NOTHING as NO_TOTALS
from covls.core.coverage import State
from covls.core.drift import Change, drift
from covls.core.gaps import Gap, gaps
from covls.core.gates import GatedFile
from covls.core.lines import LineRange, ranges, split_lines
from covls.core.marks import Freshness, changed_marks
from covls.core.patch import FilePatch, PatchTotals
from covls.core.patched import LeftOutFile, PatchedFile, PatchedFiles
from covls.core.paths import PYTHON_SUFFIXES
from covls.core.report import counted
from covls.core.statements import Text
from covls.project.measured_files import MeasuredFiles
from covls.project.on_disk import stamp_of
from covls.project.report import ReportFile, name_in, report_files
from covls.project.view import FileView, view_file

Compared = MergeBase | GitVersions


def patched_files(
    root: Path,
    files: MeasuredFiles,
    reported: Iterable[ReportFile],
    configuration: CoverageConfiguration,
    compared: Compared,
) -> PatchedFiles | str:
    """What was changed since the base, in every file that counts; a string says why not known."""
    base = compared.base()
    if isinstance(base, str):
        return base
    by_path = {file.path: file for file in reported}
    found: list[PatchedFile] = []
    left_out: list[LeftOutFile] = []
    for path in compared.changed(list(by_path)):
        if (text := _text(compared, path)) is not None:
            found += _patched(root, files, by_path[path], compared, text)
    for path in _others_changed(root, compared, by_path):
        name = name_in(root, str(path))
        text = _text(compared, path)
        if text is None:
            other: PatchedFile | str = "it cannot be read"
        else:
            other = _unmeasured(root, name, files, configuration, compared, path, text)
        if isinstance(other, str):
            left_out.append(LeftOutFile(name, other))
        else:
            found.append(other)
    if isinstance(compared, GitVersions):
        left_out += (
            LeftOutFile(change.name, "a submodule: its changes are told in its own folder")
            for change in compared.changes
            if change.submodule
        )
    found.sort(key=lambda file: file.name)
    return PatchedFiles(base.name, base.commit, tuple(found), tuple(left_out))


def gated_files(
    files: MeasuredFiles,
    reported: Sequence[ReportFile],
    patch: PatchedFiles | None,
    compared: Compared,
) -> Iterator[GatedFile]:
    """Every file of the report, and those that belong there, one at a time.

    Of a `GitVersions` the files are as they are in its second version, not as they are on disk.
    """
    changed = {file.name: file for file in patch.files} if patch is not None else {}
    seen: set[str] = set()
    for found in report_files(files, reported, ()):
        path, name = found.file.path, found.file.name
        seen.add(name)
        text = _other_text(compared, path)
        if found.freshness is Freshness.FRESH and text is None:
            one = GatedFile(name, found.coverage.totals, gaps(name, found.coverage))
        else:
            one = _drifted(files, path, name, text, isinstance(compared, GitVersions))
        yield _with_patch(one, changed.get(name))
    failures = files.failures
    for each in reported:
        if each.name not in seen and each.path in failures:
            seen.add(each.name)
            one = GatedFile(each.name, NO_TOTALS, stale=failures[each.path])
            yield _with_patch(one, changed.get(each.name))
    for file in changed.values():
        if file.name not in seen:
            yield _with_patch(GatedFile(file.name, NO_TOTALS, stale=file.unknown), file)


def _patched(
    root: Path, files: MeasuredFiles, reported: ReportFile, compared: Compared, text: str
) -> Iterator[PatchedFile]:
    path, name = reported.path, reported.name
    before = compared.text(path)
    is_new = before == () and compared.path_before(path) is None
    lines = split_lines(text)
    view = view_file(files, path, text, compared)
    if view is None or view.patch is None:
        reason = files.failures.get(path, "what it was at the base is not known")
        totals = PatchTotals(unverified=1)
        was = _was(root, compared, path, lines)
        yield PatchedFile(name, FilePatch(totals=totals), (), is_new, lines, reason, *was)
    elif view.patch.lines or (not isinstance(before, NoText) and [*before] != lines):
        was = _was(root, compared, path, lines)
        yield PatchedFile(name, view.patch, _patch_gaps(name, view), is_new, lines, "", *was)


def _was(
    root: Path, compared: Compared, path: Path, lines: Sequence[str]
) -> tuple[str, tuple[LineRange, ...]]:
    """What a file was called, where it was renamed, and the lines of its statements that are gone.

    A statement that became another is not gone.
    """
    renamed, before = compared.path_before(path), compared.text(path)
    name = "" if renamed is None else name_in(root, str(renamed))
    if isinstance(before, NoText) or not before:
        return name, ()
    python = path.suffix in PYTHON_SUFFIXES
    line_map = drift(Text(before, python=python), Text(lines, python=python))
    edited = {was for _, was in line_map.took_place}
    text = line_map.before
    return name, tuple(
        (text.starts[index], text.ends[index])
        for index, partner in enumerate(line_map.partners)
        if partner < 0 and index not in edited and index not in line_map.group_of
    )


def _unmeasured(
    root: Path,
    name: str,
    files: MeasuredFiles,
    configuration: CoverageConfiguration,
    compared: Compared,
    path: Path,
    text: str,
) -> PatchedFile | str:
    """A changed file that is not in the report, or why it is in no figure."""
    for left_out in (left_out_of_measuring, left_out_of_reports):
        if (found := left_out(configuration, str(path))) is not None:
            return f"{found.option} of coverage.py's configuration leaves it out"
    analysis = files.analysts.analyse(path, text_source(text))
    if isinstance(analysis, NotAnalysed):
        return analysis.reason
    before = compared.text(path)
    if isinstance(before, NoText):
        return "what it was at the base is not known"
    lines = split_lines(text)
    touched = _touched(analysis, changed_lines(before, lines))
    moved = _is_measured_under(files, compared.path_before(path))
    if not touched and not moved:
        return "no statement of it was changed"
    statements = counted(len(touched), "statement")
    if not moved and not _should_be_measured(files, configuration, path):
        return f"no test imports it, so that {statements} of it are in no figure"
    is_new = before == () and compared.path_before(path) is None
    whole = {line for first in touched for line in range(first, analysis.last_line(first) + 1)}
    patch = FilePatch(ranges(whole), totals=PatchTotals(new=len(touched)))
    was = _was(root, compared, path, lines)
    return PatchedFile(name, patch, (), is_new, lines, "it is not in the data", *was)


def _should_be_measured(
    files: MeasuredFiles, configuration: CoverageConfiguration, path: Path
) -> bool:
    """Whether tests that run now would measure a file, as far as can be told.

    coverage.py looks for files that never ran only below what `source` names, and there in packages
    alone. Else a file may be as it should where the data are younger, and where nothing beside it
    is measured.
    """
    stamp = stamp_of(path)
    if stamp is not None and files.measurement.is_surely_measured(stamp):
        return False
    if configuration.source_folders or configuration.source_packages or configuration.run_include:
        return True
    return any(measured.parent == path.parent for measured in files.measurement.measured_paths)


def _is_measured_under(files: MeasuredFiles, path: Path | None) -> bool:
    """Whether the data have a file under the path that it had before it was renamed."""
    gone = files.measurement.located.missing if path is not None else ()
    return any(str(path).endswith(os.sep + measured.lstrip(os.sep)) for measured in gone)


def _touched(analysis: Analysis, changes: Iterable[Change]) -> list[int]:
    """The first lines of the statements that changes touch."""
    found: set[int] = set()
    for change in changes:
        first, count = change.after
        found.update(analysis.first_line(line) for line in range(first, first + count))
    return sorted(found & analysis.statements)


def _patch_gaps(name: str, view: FileView) -> tuple[Gap, ...]:
    patch = view.patch
    if patch is None or view.freshness is Freshness.UNVERIFIED:
        return ()
    found = list(gaps(name, view.coverage, view.line_map, patch.statements))
    # Those of statements that are laid out otherwise than when they ran are known as marks alone.
    told = {line for gap in found for line in range(gap.first, gap.last + 1)}
    for mark in patch.marks:
        if mark.freshness is not Freshness.FRESH or not told.isdisjoint(
            range(mark.start, mark.end + 1)
        ):
            continue
        if mark.state is State.MISSING:
            found.append(Gap(name, mark.start, mark.end, 1, 0))
        elif mark.state is State.PARTIAL:
            words = "; ".join(branch.words for branch in mark.branches)
            found.append(Gap(name, mark.start, mark.end, 0, len(mark.branches), words))
    return tuple(sorted(found, key=lambda gap: gap.first))


def _drifted(
    files: MeasuredFiles, path: Path, name: str, text: str | None, committed: bool
) -> GatedFile:
    """A file whose text is not, byte by byte, the one that was measured; its code may be.

    Of a version that is `committed` more may have been measured, as where work goes on: what is
    left out of the commit does not count, and of all that is in it, it is known what ran.
    """
    view = view_file(files, path, text, None)
    if view is None:
        return GatedFile(name, NO_TOTALS, stale=files.failures.get(path, "it cannot be read"))
    if view.freshness is Freshness.FRESH:
        found = gaps(name, view.coverage, view.line_map)
        return GatedFile(name, view.coverage.totals, found)
    if view.freshness is Freshness.UNVERIFIED:
        why = "it is not surely the text that was measured"
    else:
        changed = [mark.freshness for mark in changed_marks(view.coverage, view.line_map)]
        edited, new = changed.count(Freshness.EDITED), changed.count(Freshness.NEW)
        parts = [
            f"{number} {word}" for number, word in ((edited, "edited"), (new, "new")) if number
        ]
        if committed and not parts:
            whole = view_file(files, path, text, _Nothing())
            if whole is not None and whole.patch is not None and not whole.patch.totals.stale:
                return GatedFile(name, whole.patch.totals.known, _patch_gaps(name, whole))
        number = counted(edited + new, "statement")
        why = f"{number} changed: {', '.join(parts)}" if parts else "statements were taken away"
    return GatedFile(name, view.coverage.totals, stale=why)


class _Nothing:
    """A base without files, against which all of a file is changed."""

    def text(self, path: Path) -> Sequence[str]:  # noqa: ARG002
        return ()


def _with_patch(one: GatedFile, patched: PatchedFile | None) -> GatedFile:
    if patched is None:
        return one
    return replace(
        one,
        is_changed=True,
        is_new=patched.is_new,
        patch=patched.patch.totals,
        patch_gaps=patched.gaps,
    )


def _text(compared: Compared, path: Path) -> str | None:
    """A file's text after the patch."""
    if isinstance(compared, GitVersions):
        return compared.current(path)
    source = read_source(path)
    return None if isinstance(source, Unreadable) else source_text(source)


def _other_text(compared: Compared, path: Path) -> str | None:
    """A file's text where it is not the one on disk that is asked about."""
    if not isinstance(compared, GitVersions):
        return None
    source = read_source(path)
    if isinstance(source, Unreadable) or compared.is_in(path, source):
        return None
    text = compared.current(path)
    return None if text == source_text(source) else text


def _others_changed(root: Path, compared: Compared, known: Collection[Path]) -> list[Path]:
    """The changed Python files below a root beside those that are `known`."""
    if isinstance(compared, MergeBase):
        found = map(Path, local_python_files(root))
        return compared.changed([path for path in found if path not in known])
    paths = [compared.top / change.name for change in compared.changes if change.after]
    return [
        path
        for path in paths
        if path.suffix in PYTHON_SUFFIXES and path.is_relative_to(root) and path not in known
    ]
