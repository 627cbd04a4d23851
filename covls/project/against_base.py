"""What is here set against a recorded run of the base: the figures that a drop is told from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from covls.adapters.commits import Commits
from covls.adapters.git_versions import GitVersions
from covls.adapters.source import Unreadable, read_source, source_text
from covls.core.gates import BaseFigures
from covls.core.history import RecordedFile, Run, recorded_file, source_name
from covls.core.marks import Freshness
from covls.core.patched import PatchedFiles
from covls.core.paths import PYTHON_SUFFIXES
from covls.core.regression import Comparison, Kind, compare, paths_before, statements_alone
from covls.core.report import counted
from covls.project.gated_files import Compared
from covls.project.measured_files import MeasuredFiles
from covls.project.recorded_runs import Texts, flaky_in, nearest_run, runs_along
from covls.project.report import ReportFile
from covls.project.view import view_file

if TYPE_CHECKING:
    from covls.adapters.history_db.history import History


def recorded_base(
    history: "History",
    commits: Commits,
    patched: PatchedFiles,
    flags: Sequence[str] | None,
) -> Run | str:
    """The run to compare with: that of the nearest recorded ancestor of the base, or why none.

    Where nothing was changed since the base, and it is HEAD, as on the default branch itself, that
    would be to compare the commit with itself: it is compared with those before it.
    """
    itself = bool(patched.files) or commits.find("HEAD") != patched.commit
    return nearest_run(history, commits, patched.commit, flags, itself=itself)


def base_figures(
    history: "History",
    commits: Commits,
    run: Run,
    patched: PatchedFiles,
    files: MeasuredFiles,
    reported: Iterable[ReportFile],
    compared: Compared,
) -> BaseFigures:
    """The figures of a run without what was deleted since, and without flaky lines.

    Files are looked at whose text is another than was recorded, or that have flaky lines; in those
    that tests have not run as they are, nothing counts as deleted.
    """
    texts = Texts(commits)
    flaky = flaky_in(texts, history, run, runs_along(history, commits, run))
    before = history.files(run)
    now: dict[str, tuple[Path, str]] = {}
    for each in reported:
        text = _text(compared, each.path)
        if text is not None:
            now[each.name.replace("\\", "/")] = each.path, text
    sources = {name: source_name(text) for name, (_, text) in now.items()}
    was = paths_before(before, sources, _renamed(commits, run, patched))
    first = {name: file for name, file in before.items() if name not in was.values()}
    second: dict[str, RecordedFile] = {}
    measured: dict[str, Sequence[str]] = {}
    for name, earlier in was.items():
        if sources[name] == before[earlier].source and not flaky.get(earlier):
            continue
        path, text = now[name]
        view = view_file(files, path, text, None)
        if view is not None and view.freshness is Freshness.FRESH:
            lines = view.line_map.before.lines
            second[name] = recorded_file(name, source_name("\n".join(lines)), view.coverage)
            measured[name] = lines
            first[earlier] = before[earlier]
    alone = run.has_branches != files.measurement.snapshot.has_arcs
    if alone:
        first = {name: statements_alone(file) for name, file in first.items()}
        second = {name: statements_alone(file) for name, file in second.items()}

    def lines_before(name: str) -> Sequence[str] | None:
        text = texts.text(run, before[name])
        return None if text is None else text.lines

    pairs = [(file, before[was[name]]) for name, file in second.items()]
    texts.read((run, base) for file, base in pairs if file.source != base.source)
    found = compare(
        first,
        second,
        lines_before,
        measured.get,
        renamed=was,
        flaky=flaky,
        is_python=lambda name: Path(name).suffix in PYTHON_SUFFIXES,
    )
    return _figures(run, patched, found, alone)


def _figures(run: Run, patched: PatchedFiles, found: Comparison, alone: bool) -> BaseFigures:
    totals = run.totals.of_statements if alone else run.totals
    drop = replace(found.drop, before=totals)
    lines = [
        (pair not in file.flaky_changed, f"{file.name}:{pair[1]}")
        for file in found.files
        for pair in file.flaky
    ]
    short = run.commit.id[:7]
    if run.commit.id == patched.commit:
        name = f"{patched.base} ({short})"
    else:
        name = f"{short}, the nearest recorded commit before {patched.base}"
    if run.flags:
        name += f" [{', '.join(run.flags)}]"
    unknown = sum(file.kind is Kind.UNKNOWN for file in found.files)
    note = ""
    if unknown:
        note = (
            f"What was deleted of {counted(unknown, 'file')} is not known, as git has not the text "
            "that was recorded."
        )
    return BaseFigures(
        name,
        drop.fair_before,
        # What differs this time comes first.
        tuple(words for _, words in sorted(lines, key=lambda line: line[0])),
        drop.flaky_now,
        alone,
        note,
    )


def _renamed(commits: Commits, run: Run, patched: PatchedFiles) -> Mapping[str, str]:
    """What files were called in a run, by what they are called now."""
    found: dict[str, str] = {}
    if run.commit.id != patched.commit:
        found.update(commits.renamed(run.commit.id, patched.commit))
    for file in patched.files:
        if file.name_before:
            base = file.name_before.replace("\\", "/")
            found[file.name.replace("\\", "/")] = found.pop(base, base)
    return found


def _text(compared: Compared, path: Path) -> str | None:
    if isinstance(compared, GitVersions):
        return compared.current(path)
    source = read_source(path)
    return None if isinstance(source, Unreadable) else source_text(source)
