"""What to test next in a root: its uncovered code, and all that ranks it, gathered and kept."""

import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from covls.adapters.complexity import complexities, parse
from covls.adapters.git_history import History, read_history
from covls.adapters.source import Unreadable, read_source, source_text
from covls.adapters.test_framework import Framework, find_framework, uses_django
from covls.adapters.test_place import TestFiles, TestPlace, find_test_place
from covls.core.coverage import FileCoverage
from covls.core.lines import Arc, LineRange
from covls.core.lost import NOTHING_LOST
from covls.core.marks import Freshness, missed_branches
from covls.core.naming import is_test_file
from covls.core.platforms import other_platforms
from covls.core.priorities import (
    DJANGO,
    Action,
    Level,
    Priority,
    Ranking,
    Source,
    action_for,
    find_blocks,
    may_lead,
    nearest_test,
    nearest_that_ran,
    rank,
    row_of,
)
from covls.core.report import counted
from covls.core.settings import Settings
from covls.core.test_names import places_of
from covls.project.measured_files import MeasuredFiles
from covls.project.on_disk import stamp_of
from covls.project.patch import Patch
from covls.project.report import FileReport, ReportFile, report_files
from covls.project.view import FileView, view_file

_EVERY: Final = 20
"""Files between two reports of how far the work is."""

_KEPT: Final = 2
"""Rankings that are kept beside the last one."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for."""

    level: Level = "function"
    limit: int | None = None
    only_patch: bool = False
    paths: tuple[Path, ...] = ()
    """Absolute files and folders to keep to; none: all but the tests."""


@dataclass(frozen=True, slots=True)
class _Known:
    """All that was gathered of one state of the root."""

    made_from: object
    sources: dict[str, Source]
    """By path. What their texts say is found out for those that may come first by it."""
    looked_at: set[str]
    """The paths of those for which it was."""
    tests: TestFiles
    framework: Framework
    django: bool
    notes: tuple[str, ...]
    actions: dict[tuple[str, tuple[int, ...]], Action]
    """Filled as rows are shown."""


class Priorities:
    """The ranking of a root, gathered once for each state of its data, files and settings.

    Thread-safe: `_lock` lets one thread at a time gather, so that all who ask wait for one.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._kept: dict[object, _Known] = {}
        """By what was asked for: the patch and all are asked for in turn."""
        self._history: tuple[int, History] | None = None

    def rank(
        self,
        files: MeasuredFiles,
        reported: Sequence[ReportFile],
        settings: Settings,
        wanted: Wanted,
        texts: Mapping[Path, str],
        generation: int,
        patch: Callable[[], Patch | str],
        report: Callable[[int, int], bool],
    ) -> Ranking | None:
        """The first rows with what to do about each; None where it was cancelled.

        `texts` are those of files that have another one than on disk, by absolute path.
        `generation` tells states of the repository apart. `report` is told how many files of how
        many are done, and answers whether to go on.
        """
        unsaved = {
            path: text
            for path, text in ((Path(os.path.realpath(path)), text) for path, text in texts.items())
            if not _is_on_disk(path, text)
        }
        with self._lock:
            made_from = (
                files.measurement.snapshot.fingerprint,
                settings,
                generation,
                tuple(stamp_of(file.path) for file in reported),
                tuple(sorted(unsaved.items())),
            )
            asked = wanted.only_patch, wanted.paths
            known = self._kept.get(asked)
            if known is None or known.made_from != made_from:
                known = self._gather(
                    made_from, files, reported, settings, wanted, unsaved, generation, patch, report
                )
                if known is None:
                    return None
                self._kept = {**dict(list(self._kept.items())[-_KEPT:]), asked: known}
            rules = (*(DJANGO if known.django else ()), *settings.priorities)
            ranked = rank(known.sources.values(), wanted.level, rules)
            if _look_closer(known, may_lead(ranked, wanted.limit), files):
                ranked = rank(known.sources.values(), wanted.level, rules)
            shown = []
            for row in map(row_of, ranked[: wanted.limit]):
                key = row.path, row.measured
                if key not in known.actions:
                    known.actions[key] = _action(row, files, known)
                shown.append(replace(row, action=known.actions[key]))
                if not report(len(reported), len(reported)):
                    return None
            return Ranking(wanted.level, tuple(shown), len(ranked), known.notes)

    def _gather(
        self,
        made_from: object,
        files: MeasuredFiles,
        reported: Sequence[ReportFile],
        settings: Settings,
        wanted: Wanted,
        texts: Mapping[Path, str],
        generation: int,
        patch: Callable[[], Patch | str],
        report: Callable[[int, int], bool],
    ) -> _Known | None:
        framework = find_framework(self._root, settings)
        if self._history is None or self._history[0] != generation:
            self._history = generation, read_history(self._root)
        history = self._history[1]
        changed = patch()
        notes = [history.note] if history.note else []
        if isinstance(changed, str):
            notes.append(f"What is in the patch is not known: {changed}")
            lines = {}
        else:
            lines = {each.file.path: each.patch.lines for each in changed.files}
            if changed.totals.stale:
                many = counted(changed.totals.stale, "statement")
                notes.append(f"Not measured as now, of the patch: {many}. Run the tests.")
        chosen = [file for file in reported if wanted.paths or not _is_test(file, framework)]
        if wanted.only_patch:
            chosen = [file for file in chosen if file.path in lines]
        if left_out := len(reported) - len(chosen) if not wanted.only_patch else 0:
            notes.append(f"Left out: {counted(left_out, 'file')} of tests.")
        sources: dict[str, Source] = {}
        edited: list[str] = []
        stale = 0
        for number, found in enumerate(report_files(files, chosen, ()), 1):
            if number % _EVERY == 0 and not report(number, len(chosen)):
                return None
            source = _source(
                found,
                files,
                texts.get(found.file.path),
                lines.get(found.file.path),
                history,
                edited,
                only_patch=wanted.only_patch,
            )
            if source is not None:
                sources[source.path] = source
                stale += source.stale
        if edited:
            notes.append(
                f"{counted(len(edited), 'file')} edited since the tests ran: what was edited is "
                "left out."
            )
        if stale:
            notes.append(
                f"{counted(stale, 'file')} may have changed since the tests ran: the lines of what "
                "is missing there may be others. Run the tests again."
            )
        return _Known(
            made_from,
            sources,
            set(),
            TestFiles(framework),
            framework,
            uses_django(framework),
            tuple(notes),
            {},
        )


def _look_closer(known: _Known, paths: set[str], files: MeasuredFiles) -> bool:
    """Find out what the texts of some files say; whether any of it was not known yet."""
    new = paths - known.looked_at
    for path in new:
        measured = files.find(Path(path))
        if measured is not None:
            tree = parse("\n".join(measured.text.lines))
            if tree is not None:
                source = known.sources[path]
                starts = {block.function.measured for block in source.blocks}
                known.sources[path] = source.looked_at(
                    complexities(tree, starts), other_platforms(tree, sys.platform)
                )
    known.looked_at.update(new)
    return bool(new)


def _is_on_disk(path: Path, text: str) -> bool:
    source = read_source(path)
    return not isinstance(source, Unreadable) and source_text(source) == text


def _is_test(file: ReportFile, framework: Framework) -> bool:
    """Whether a file belongs to the tests, which nobody tests."""
    name = file.name.replace(os.sep, "/")
    *folders, last = name.split("/")
    return is_test_file(name, framework.conventions) or last == "conftest.py" or "tests" in folders


def _source(
    found: FileReport,
    files: MeasuredFiles,
    text: str | None,
    patch: Sequence[LineRange] | None,
    history: History,
    edited: list[str],
    *,
    only_patch: bool,
) -> Source | None:
    """What is missing in a file; None where nothing is, or nothing is known.

    Its name is put to those `edited` where some of it is no longer what was measured.
    """
    path, coverage = found.file.path, found.coverage
    stale, words = False, None
    if text is None and found.freshness is Freshness.FRESH:
        if not coverage.missing and not coverage.missing_branches:
            return None
        where = {line: (line, coverage.analysis.last_line(line)) for line in _missed(coverage)}
        places = {
            region.start: (region.start, max((end for _, end in region.ranges), default=0))
            for region in coverage.analysis.regions
        }
    else:
        view = view_file(files, path, text, None)
        if view is None:
            return None
        coverage = view.coverage
        stale = view.freshness is Freshness.UNVERIFIED
        if view.freshness is Freshness.EDITED:
            edited.append(found.file.name)
        where, words = _moved(view)
        places = {
            region.measured.start: (region.start, region.end)
            for region in view.regions()
            if region.measured is not None
        }
    blocks = find_blocks(coverage, where, places, patch, words, only_patch=only_patch)
    if not blocks:
        return None
    return Source(
        found.file.name.replace(os.sep, "/"),
        os.fspath(path),
        blocks,
        history.commits.get(os.fspath(path), 0) if history.known else None,
        stale,
        bool(coverage.executed),
        len(coverage.statements),
    )


def _missed(coverage: FileCoverage) -> Iterable[int]:
    return coverage.missing.union(coverage.missing_branches)


def _moved(view: FileView) -> tuple[dict[int, LineRange], dict[Arc, str]]:
    """Where in the current text each statement is that is still known to be missed, or partly, and
    what is said of its branches there.
    """
    coverage, line_map = view.coverage, view.line_map
    where: dict[int, LineRange] = {}
    words: dict[Arc, str] = {}
    for line in _missed(coverage):
        if line in coverage.partial:
            branches = missed_branches(coverage, line_map, line, NOTHING_LOST)
            if branches is None:
                continue
            for end, branch in zip(coverage.missing_branches[line], branches, strict=True):
                words[line, end] = branch.words
        now = line_map.move((line, coverage.analysis.last_line(line)))
        if now is not None:
            where[line] = now
    return where, words


# What to do


def _action(row: Priority, files: MeasuredFiles, about: _Known) -> Action:
    """What to do about a row: the test that comes nearest, where a new one goes, what to run."""
    path, framework = Path(row.path), about.framework
    known = files.find(path)
    tests = files.measurement.tests
    near: Sequence[str] = ()
    if known is not None:
        for line in nearest_that_ran(known.coverage, row.measured[0]):
            near = tests.reaching(known.measured_path, [line])
            if near:
                break
    place = find_test_place(framework, path, about.tests)
    named, exists = "", False
    if isinstance(place, TestPlace):
        named, exists = place.file.relative_to(framework.root).as_posix(), place.exists
    test = nearest_test(near, named if exists else "", row.name)
    file = _file_of(test, framework) if test is not None else ""
    if not file or (file != named and exists and not row.partial):
        # It is not known where it is written; or the file with the module's tests goes before, for
        # none of them comes near what no test calls.
        test, file = None, ""
    file, exists = (file, True) if file else (named, exists)
    return action_for(row, file, test, os.fspath(framework.root / file) if file else "", exists)


def _file_of(test: str, framework: Framework) -> str:
    """The file that a test is written in, relative to the root; "" where it is not found."""
    for top in dict.fromkeys(("", framework.top, *framework.also)):
        for file, _ in places_of(test):
            name = f"{top}/{file}".lstrip("/") if top else file
            if (framework.root / name).is_file():
                return name
    return ""
