"""Runs of a history set against one another: the base, flaky lines, what differs.

The order of runs is that of their commits, from parent to child. Without a repository it is told
by the times of their authors, which is all that a history has by itself.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from covls.adapters.commits import Commits
from covls.core.drift import drift, map_lines
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

Stretch = tuple[int, int, int]
"""From one line of a text to another, and how many lines below what stands there is in another."""

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
    if texts is not None:
        texts.read((other, each) for other, each in versions if each is not None)
    known = list(_each_seen(texts, run, file, versions, _as_code))
    found = since(file.statements, [seen for _, seen in known])
    text = None if texts is None else texts.text(run, file)
    return found, [other for other, _ in known], None if text is None else text.lines


def flaky_in(
    texts: "Texts", history: "History", run: Run, evidence: Sequence[Run], most: int = RUNS
) -> dict[str, int]:
    """The flaky lines of the files of a run, as bits, told by other runs, newest commit first."""
    runs = [each for each in evidence if each.clean][:most]
    changed = history.changing(runs)
    names = texts.commits.code_names([each.commit.id for each in reversed(runs)])
    codes = {
        each.number: f"{names[each.commit.id]} {sorted(each.versions.items())}"
        for each in runs
        if each.commit.id in names
    }
    mine = history.files(run, sorted(changed)) if changed else {}
    versions = {path: history.versions(path, runs) for path in mine}
    others = {
        (path, version.source): (other, version)
        for path, each in versions.items()
        for other, version in each
        if version is not None and version.source != mine[path].source
    }
    texts.read([*((run, mine[path]) for path, _ in others), *others.values()])
    found: dict[str, int] = {}
    for path, file in mine.items():
        states = [
            replace(seen, code=codes.get(other.number, ""))
            for other, seen in _each_seen(texts, run, file, versions[path], _as_written)
        ]
        if bits := flaky_lines(states[::-1]):
            found[path] = bits
    return found


def _each_seen(
    texts: "Texts | None",
    run: Run,
    file: RecordedFile,
    versions: Iterable[tuple[Run, RecordedFile | None]],
    unchanged: Callable[[Text, Text], Sequence[Stretch]],
) -> Iterator[tuple[Run, Seen]]:
    """What each run knows of the lines of a file. Those of which no text is known are left out."""
    # The same record is the same object, and what a text says of lines is found out once.
    found: dict[str, Sequence[Stretch] | None] = {}
    seen: dict[int, Seen] = {}
    for other, version in versions:
        if version is None:
            yield other, Seen(0, 0)
            continue
        if id(version) not in seen:
            source = version.source or other.commit.id
            same = other.number == run.number or (bool(file.source) and file.source == source)
            if not same and source not in found:
                here = texts.text(run, file) if texts is not None else None
                there = texts.text(other, version) if texts is not None else None
                found[source] = unchanged(here, there) if here and there else None
            if same:
                seen[id(version)] = _seen(file, version, ((1, file.statements.bit_length(), 0),))
            elif (stretches := found[source]) is not None:
                seen[id(version)] = _seen(file, version, stretches)
            else:
                continue
        yield other, seen[id(version)]


def _seen(file: RecordedFile, version: RecordedFile, stretches: Sequence[Stretch]) -> Seen:
    """What a version says of the lines of a file, of those that are in it unchanged."""
    known = executed = partial = 0
    for low, high, shift in stretches:
        lines = file.statements & ((2 << high) - (1 << low))
        known |= lines & _moved(version.statements, shift)
        executed |= lines & _moved(version.executed, shift)
        partial |= lines & _moved(version.partial, shift)
    return Seen(known, executed & known, partial & known)


def _moved(bits: int, shift: int) -> int:
    """Bits that stand so many lines below, put where they stood."""
    return bits >> shift if shift >= 0 else bits << -shift


def _as_written(here: Text, there: Text) -> list[Stretch]:
    """The statements of which no character differs between two texts."""
    found: list[Stretch] = []
    line, shift = 1, 0
    for change in map_lines(here.lines, there.lines):
        first, count = change.before
        place = here.first_from(first)
        # A statement that a change is in the middle of begins above it.
        torn = place < len(here.starts) and here.starts[place] < first
        found.append((line, (here.starts[place] if torn else first) - 1, shift))
        line = first + count
        if torn:
            line = max(line, here.ends[place] + 1)
        shift += change.after[1] - count
    found.append((line, len(here.lines), shift))
    return [stretch for stretch in found if stretch[0] <= stretch[1]]


def _as_code(here: Text, there: Text) -> list[Stretch]:
    """The statements whose code is the same in two texts, wherever they stand."""
    line_map = drift(here, there)
    before = line_map.before
    found: list[Stretch] = []
    done = 0
    for first, end, shift in (*line_map.kept, (len(before.starts), len(before.starts), 0)):
        others = ((line, line_map.now(line)) for line in before.starts[done:first])
        found += ((line, line, now - line) for line, now in others if now)
        if first < end:
            found.append((before.starts[first], before.ends[end - 1], shift))
        done = end
    return found


class Texts:
    """The texts that runs measured, from git; each is read and taken apart once."""

    def __init__(self, commits: Commits) -> None:
        self.commits = commits
        self._texts: dict[tuple[str, str], Text] = {}
        self._not_here: set[tuple[str, str]] = set()

    def text(self, run: Run, file: RecordedFile) -> Text | None:
        """The text of a recorded file, None where git has it not, or another one."""
        self.read([(run, file)])
        return self._texts.get(_key(run, file))

    def read(self, files: Iterable[tuple[Run, RecordedFile]]) -> None:
        """Read the texts of many files at once."""
        wanted = {
            (run.commit.id, file.path): (run, file)
            for run, file in files
            if _key(run, file) not in self._texts
            and (run.commit.id, file.path) not in self._not_here
        }
        found = self.commits.texts_of(wanted) if wanted else {}
        for place, (run, file) in wanted.items():
            lines = found.get(place)
            # What was measured may have been something else than what was committed.
            if lines is None or file.source not in ("", source_name("\n".join(lines))):
                self._not_here.add(place)
            else:
                python = Path(file.path).suffix in PYTHON_SUFFIXES
                self._texts[_key(run, file)] = Text(lines, python=python)


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
        texts.read((now, second[name]) for name in changed)
        earlier = (renamed.get(name, name) for name in changed)
        texts.read((before, first[name]) for name in earlier if name in first)
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
