"""Runs of a history set against one another: the base, flaky lines, what differs.

The order of runs is that of their commits, from parent to child. Without a repository it is told
by the times of their authors, which is all that a history has by itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

from covls.adapters.commits import Commits
from covls.core.detail import bits_of, places
from covls.core.drift import drift
from covls.core.flaky import RUNS, Seen, flaky_lines
from covls.core.history import RecordedFile, Run, source_name
from covls.core.paths import PYTHON_SUFFIXES
from covls.core.regression import Comparison, Kind, RunComparison, compare, statements_alone
from covls.core.report import counted
from covls.core.since import Since, since
from covls.core.statements import Text

if TYPE_CHECKING:
    from covls.adapters.history_db.history import History

TREND: Final = 20_000
"""Commits of a branch that are walked for a trend, at most."""

UNSHALLOW: Final = (
    "The history of commits is cut off here: fetch more of it, as `git fetch --unshallow` does, or "
    "`fetch-depth: 0` of actions/checkout."
)


def nearest_run(
    history: "History",
    commits: Commits,
    commit: str,
    flags: Sequence[str] | None = None,
    *,
    itself: bool = True,
) -> Run | str:
    """The run of a commit, or of the nearest of its ancestors that has one; or why there is none.

    Along first parents before all others. Not `itself`: that of its ancestors alone.
    """
    along = commits.along(commit)
    if found := history.nearest(along if itself else along[1:], flags):
        return found
    around = commits.around(commit)
    if found := history.nearest(around if itself else around[1:], flags):
        return found
    words = f" under the flags {', '.join(flags)}" if flags else ""
    reason = f"Neither {commit[:7]} nor one of its ancestors has a run on record{words}."
    return f"{reason} {UNSHALLOW}" if commits.shallow else reason


def runs_along(
    history: "History", commits: Commits | None, run: Run, most: int | None = None
) -> list[Run]:
    """A run, and those before it on its branch under the same flags, the newest commit first."""
    runs = history.runs(flags=run.flags)
    along = commits.along(run.commit.id) if commits is not None else []
    if along:
        by_commit = {each.commit.id: each for each in runs}
        found = [by_commit[commit] for commit in along if commit in by_commit]
    else:
        places_of = [number for number, each in enumerate(runs) if each.number == run.number]
        found = [run, *runs[places_of[0] + 1 :]] if places_of else [run]
        found = [each for each in found if each.commit.branch == run.commit.branch]
    return found[:most]


def runs_of_branch(
    history: "History",
    commits: Commits | None,
    branch: str | None,
    flags: Sequence[str] | None = None,
) -> tuple[list[Run], bool]:
    """The runs of a branch (None: of HEAD), newest first, and whether that is told by time alone.

    `flags` are those of the runs; None: those of the newest, or none at all where it has both.
    """
    runs = history.runs(flags=flags)
    by_commit: dict[str, list[Run]] = {}
    for run in runs:
        by_commit.setdefault(run.commit.id, []).append(run)
    names = ("HEAD",) if branch is None else (branch, f"origin/{branch}")
    along: list[str] = []
    if commits is not None:
        commit = next(filter(None, map(commits.find, names)), None)
        along = commits.along(commit, TREND) if commit is not None else []
    found = [run for each in along for run in by_commit.get(each, ())]
    by_time = not found
    if by_time:
        found = [run for run in runs if branch is None or run.commit.branch == branch]
    if flags is None and found:
        newest = min(by_commit[found[0].commit.id], key=lambda run: (run.flags != (), -run.number))
        found = [run for run in found if run.flags == newest.flags]
    return found, by_time


def blame_file(
    history: "History", commits: Commits | None, run: Run, path: str
) -> tuple[tuple[Since, ...], Sequence[Run], Sequence[str] | None] | None:
    """Since when the statements of a file are as they are in a run; None where it is not in it.

    With the runs that were looked at, newest first, and the text, where git has it.
    """
    runs = runs_along(history, commits, run)
    versions = history.versions(path, runs)
    file = versions[0][1]
    if file is None:
        return None
    texts = None if commits is None else Texts(commits)
    lines: dict[str, Sequence[int] | None] = {}
    looked_at: list[Run] = []
    seen: list[Seen] = []
    for other, version in versions:
        if version is None:
            looked_at.append(other)
            seen.append(Seen(0, 0))
            continue
        if version.source not in lines:
            lines[version.source] = _lines_of(texts, run, file, other, version)
        there = lines[version.source]
        # Of a text that is not known nothing can be told, not even that it was another.
        if there is None or len(there):
            looked_at.append(other)
            seen.append(_seen(file, version, there))
    text = None if texts is None else texts.text(run, file)
    return since(file.statements, seen), looked_at, None if text is None else text.lines


def _lines_of(
    texts: "Texts | None", run: Run, file: RecordedFile, other: Run, version: RecordedFile
) -> Sequence[int] | None:
    if other.number == run.number:
        return None
    if texts is None:
        return None if file.source and file.source == version.source else ()
    return texts.lines_of(run, file, other, version)


def flaky_in(
    texts: "Texts", history: "History", run: Run, evidence: Sequence[Run]
) -> dict[str, int]:
    """The flaky lines of the files of a run, as bits, told by other runs, newest commit first."""
    runs = [each for each in evidence if each.clean][:RUNS]
    changed: set[str] = set()
    for one, other in pairwise(runs):
        first, second = history.differing(one, other)
        changed.update(first.keys() & second.keys())
    names = texts.commits.code_names([each.commit.id for each in reversed(runs)])
    codes = {
        each.number: f"{names[each.commit.id]} {sorted(each.versions.items())}"
        for each in runs
        if each.commit.id in names
    }
    mine = history.files(run, sorted(changed)) if changed else {}
    found: dict[str, int] = {}
    for path, file in mine.items():
        versions = history.versions(path, [run, *runs])[1:]
        if bits := _flaky(texts, run, file, versions, codes):
            found[path] = bits
    return found


def _flaky(
    texts: "Texts",
    run: Run,
    file: RecordedFile,
    versions: Sequence[tuple[Run, RecordedFile | None]],
    codes: Mapping[int, str],
) -> int:
    # The same record is the same object, and what a text says of lines is found out once.
    seen: dict[int, Seen] = {}
    lines: dict[str, Sequence[int] | None] = {}
    states: list[Seen] = []
    for other, version in reversed(versions):
        if version is None:
            continue
        if id(version) not in seen:
            if version.source not in lines:
                lines[version.source] = texts.lines_of(run, file, other, version)
            seen[id(version)] = _seen(file, version, lines[version.source])
        states.append(replace(seen[id(version)], code=codes.get(other.number, "")))
    return flaky_lines(states)


def _seen(file: RecordedFile, version: RecordedFile, lines: Sequence[int] | None) -> Seen:
    """What a version says of the lines of a file. `lines` are those of the version, by line."""
    if lines is None:
        known = file.statements & version.statements
        return Seen(known, version.executed & known, version.partial & known)
    known_lines = [
        (line, lines[line])
        for line in places(file.statements)
        if line < len(lines) and version.statements >> lines[line] & 1
    ]
    return Seen(
        bits_of(line for line, there in known_lines if there),
        bits_of(line for line, there in known_lines if version.executed >> there & 1),
        bits_of(line for line, there in known_lines if version.partial >> there & 1),
    )


class Texts:
    """The texts that runs measured, from git; each is read and taken apart once."""

    def __init__(self, commits: Commits) -> None:
        self.commits = commits
        self._texts: dict[tuple[str, str], Text] = {}
        self._not_here: set[tuple[str, str]] = set()

    def text(self, run: Run, file: RecordedFile) -> Text | None:
        """The text of a recorded file, None where git has it not, or another one."""
        self.read(run, [file])
        return self._texts.get(_key(run, file))

    def read(self, run: Run, files: Iterable[RecordedFile]) -> None:
        """Read the texts of many files of a run at once."""
        commit = run.commit.id
        wanted = {
            file.path: file
            for file in files
            if _key(run, file) not in self._texts and (file.path, commit) not in self._not_here
        }
        found = self.commits.texts(commit, list(wanted)) if wanted else {}
        for path, file in wanted.items():
            lines = found.get(path)
            # What was measured may have been something else than what was committed.
            if lines is None or file.source not in ("", source_name("\n".join(lines))):
                self._not_here.add((path, commit))
            else:
                python = Path(path).suffix in PYTHON_SUFFIXES
                self._texts[_key(run, file)] = Text(lines, python=python)

    def lines_of(
        self, run: Run, file: RecordedFile, other: Run, version: RecordedFile
    ) -> Sequence[int] | None:
        """By each line of a file where its statement stands in another version, 0 where nowhere.

        None where both have the same text.
        """
        if file.source and file.source == version.source:
            return None
        here, there = self.text(run, file), self.text(other, version)
        if here is None or there is None:
            return ()
        line_map = drift(here, there)
        return [0, *(line_map.now(line) for line in range(1, len(here.lines) + 1))]


def _key(run: Run, file: RecordedFile) -> tuple[str, str]:
    return file.path, file.source or run.commit.id


def compare_runs(
    history: "History", commits: Commits | None, before: Run, now: Run
) -> RunComparison:
    """Compare two runs, with the texts that git has."""
    texts = None if commits is None else Texts(commits)
    first, second = history.differing(before, now)
    notes: list[str] = []
    flaky: dict[str, int] = {}
    renamed: Mapping[str, str] = {}
    if texts is not None:
        renamed = texts.commits.renamed(before.commit.id, now.commit.id)
        evidence = runs_along(history, commits, now)
        if all(each.number != before.number for each in evidence):
            evidence = runs_along(history, commits, before)
        flaky = flaky_in(texts, history, before, evidence)
        # What is flaky is left out of both, whether or not it differs this time.
        others = flaky.keys() - first.keys()
        first |= history.files(before, others)
        second |= history.files(now, others)
        changed = [
            name for name in second if name not in first or _differ(first[name], second[name])
        ]
        texts.read(now, [second[name] for name in changed])
        texts.read(
            before, [first[was] for name in changed if (was := renamed.get(name, name)) in first]
        )
    alone = before.has_branches != now.has_branches
    if alone:
        first = {name: statements_alone(file) for name, file in first.items()}
        second = {name: statements_alone(file) for name, file in second.items()}

    def lines(run: Run, files: Mapping[str, RecordedFile], name: str) -> Sequence[str] | None:
        text = None if texts is None else texts.text(run, files[name])
        return None if text is None else text.lines

    found = compare(
        first,
        second,
        lambda name: lines(before, first, name),
        lambda name: lines(now, second, name),
        renamed=renamed,
        flaky=flaky,
        is_python=lambda name: Path(name).suffix in PYTHON_SUFFIXES,
    )
    totals = before.totals, now.totals
    if alone:
        totals = before.totals.of_statements, now.totals.of_statements
        notes.append("Branches were not measured both times, and count in neither.")
    unknown = [file.name for file in found.files if file.kind is Kind.UNKNOWN]
    if unknown:
        words = counted(len(unknown), "file")
        reason = (
            f"Of {words} the text of one of the commits is not here, so that only totals are told."
        )
        notes.append(f"{reason} {UNSHALLOW}" if commits is not None and commits.shallow else reason)
    found = Comparison(found.files, *totals)
    return RunComparison(before, now, found, tuple(notes))


def _differ(one: RecordedFile, other: RecordedFile) -> bool:
    return not one.source or one.source != other.source
