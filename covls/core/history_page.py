"""What the page of a history has to know of its runs, as small as it can be told.

Most files are the same from one run to the next. So a run has only what differs from the run before
it, as differences of counts; what they are differences of is in `covls/page/calculate.js`, which
reads them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from covls.core.coverage import Totals
from covls.core.history import RecordedFile, Run
from covls.core.priorities import Ranking, as_json
from covls.core.report import printable
from covls.core.settings import Gates

MAX_FUNCTIONS: Final = 40_000
"""How many functions a series has at most; those with the most to test go before others."""

MAX_SUBJECT: Final = 200
"""How many letters of a commit's subject are told."""

GONE: Final = 0
"""The number of the text of a file that is not there any more."""

UNKNOWN_SOURCE: Final = 1
"""The number of a text that is not known; those that are known count on from here."""

_N_FIGURES: Final = 5

_Figures = tuple[int, ...]
"""The number of the measured text, then `_counts` of the file."""


@dataclass(slots=True)
class Series:
    """The runs of one set of flags, gathered one by one, oldest first."""

    flags: tuple[str, ...]
    runs: list[Run] = field(default_factory=list)
    changes: list[dict[int, _Figures]] = field(default_factory=list)
    """By run and by number of the file: what is other than in the run before."""
    now: dict[int, _Figures] = field(default_factory=dict)
    files: Mapping[str, RecordedFile] = field(default_factory=dict)
    """Those of the last run."""


@dataclass(slots=True)
class Gathered:
    """All that was gathered of runs: files are told by number, and their texts, too."""

    numbers: dict[str, int] = field(default_factory=dict)
    sources: dict[int, dict[str, int]] = field(default_factory=dict)
    series: dict[tuple[str, ...], Series] = field(default_factory=dict)

    def add(self, run: Run, files: Mapping[str, RecordedFile]) -> None:
        """Add a run. Those of one set of flags are added in the order of their commits' times."""
        series = self.series.setdefault(run.flags, Series(run.flags))
        before = series.now
        now: dict[int, _Figures] = {}
        for path, file in files.items():
            number = self.numbers.setdefault(path, len(self.numbers))
            if series.files.get(path) is file:
                now[number] = before[number]
            else:
                now[number] = (self._source(number, file.source), *_counts(file.totals))
        change = {number: each for number, each in now.items() if before.get(number) != each}
        change.update({number: (GONE,) for number in before if number not in now})
        series.runs.append(run)
        series.changes.append(change)
        series.now = now
        series.files = files

    def _source(self, number: int, source: str) -> int:
        if not source:
            return UNKNOWN_SOURCE
        known = self.sources.setdefault(number, {})
        return known.setdefault(source, len(known) + UNKNOWN_SOURCE + 1)


@dataclass(frozen=True, slots=True)
class About:
    """What is said beside the runs."""

    project: str
    made: datetime
    """In UTC."""
    version: str
    """covls's own."""
    branch: str | None = None
    """The branch to show first."""
    gates: Gates = field(default_factory=Gates)
    ranking: Ranking | None = None
    """What to test next, by functions; None where there is no project to tell."""
    notes: tuple[str, ...] = ()


def gather(runs: Iterable[tuple[Run, Mapping[str, RecordedFile]]]) -> Gathered:
    """The runs, oldest first, with the files of each. They are asked for once, one by one."""
    gathered = Gathered()
    for run, files in runs:
        gathered.add(run, files)
    return gathered


def main_branch(branches: Iterable[str | None]) -> str | None:
    """The branch to show first, of those that runs were recorded on, each as often as it was.

    >>> main_branch(["topic", "topic", "main"])
    'main'
    >>> main_branch(["topic", "trunk", "trunk", None])
    'trunk'
    """
    often = Counter(branch for branch in branches if branch)
    usual = [name for name in ("main", "master") if name in often]
    return usual[0] if usual else max(often, key=lambda name: often[name], default=None)


def page_data(about: About, gathered: Gathered, runs_with_files: int | None = None) -> Any:
    """All that the page has to know, as values of JSON.

    Of the newest `runs_with_files` runs of each series (None: of all) every file is told, of those
    before them the totals alone.
    """
    paths = sorted(gathered.numbers)
    renumbered = {gathered.numbers[path]: number for number, path in enumerate(paths)}
    notes = list(about.notes)
    series = []
    for each in sorted(gathered.series.values(), key=lambda one: (-len(one.runs), one.flags)):
        first = 0 if runs_with_files is None else max(0, len(each.runs) - runs_with_files)
        if first:
            notes.append(
                f"Of runs before {each.runs[first].commit.authored:%Y-%m-%d} the totals alone are "
                "told, to keep this page small."
            )
        series.append(_series_json(each, first, renumbered, notes))
    return {
        "project": printable(about.project),
        "made": int(about.made.timestamp()),
        "version": about.version,
        "branch": about.branch and printable(about.branch),
        "gates": _gates_json(about.gates),
        "files": [printable(path) for path in paths],
        "series": series,
        "priorities": about.ranking and _ranking_json(about.ranking),
        "notes": [printable(note) for note in notes],
    }


def _series_json(
    series: Series, first: int, renumbered: Mapping[int, int], notes: list[str]
) -> dict[str, Any]:
    runs = series.runs
    branches = sorted({run.commit.branch or "" for run in runs})
    counts = [_counts(run.totals) for run in runs]
    return {
        "flags": list(series.flags),
        "first": first,
        "id": [printable(run.commit.id) for run in runs],
        "time": _steps([int(run.commit.authored.timestamp()) for run in runs]),
        "branches": [printable(branch) for branch in branches],
        "branch": [branches.index(run.commit.branch or "") for run in runs],
        "subject": [printable(run.commit.subject[:MAX_SUBJECT]) for run in runs],
        "clean": [int(run.clean) for run in runs],
        "totals": [_steps([each[column] for each in counts]) for column in range(_N_FIGURES)],
        "changes": [
            _packed(before, change, renumbered)
            for before, change in _with_what_was(_from_run(series.changes, first))
        ],
        "functions": _functions_json(series.files, sorted(series.files), notes),
    }


def _from_run(
    changes: Sequence[Mapping[int, _Figures]], first: int
) -> list[Mapping[int, _Figures]]:
    """The same changes, those up to the run `first` made one."""
    start: dict[int, _Figures] = {}
    for change in changes[: first + 1]:
        start.update(change)
    start = {number: figures for number, figures in start.items() if figures != (GONE,)}
    return [start, *changes[first + 1 :]]


def _with_what_was(
    changes: Iterable[Mapping[int, _Figures]],
) -> Iterable[tuple[Mapping[int, _Figures], Mapping[int, _Figures]]]:
    """Each change, with what the files in it were before."""
    now: dict[int, _Figures] = {}
    for change in changes:
        yield {number: now[number] for number in change if number in now}, change
        now.update(change)


def _packed(
    before: Mapping[int, _Figures],
    change: Mapping[int, _Figures],
    renumbered: Mapping[int, int],
) -> list[int]:
    """One run's change as numbers: file (from the one before), source, differences of counts."""
    numbers: list[int] = []
    last = 0
    for new, number in sorted((renumbered[number], number) for number in change):
        source, *counts = change[number]
        numbers += (new - last, source)
        last = new
        if source != GONE:
            was = before.get(number, ())[1:] or (0,) * _N_FIGURES
            numbers += (now - then for now, then in zip(counts, was, strict=True))
    return numbers


def _functions_json(
    files: Mapping[str, RecordedFile], paths: Sequence[str], notes: list[str]
) -> list[Any]:
    """Functions of the last run: the file's path, name, first line, and counts."""
    found = [
        (number, function)
        for number, path in enumerate(paths)
        for function in files[path].functions
        if function.totals.n_statements
    ]
    if len(found) > MAX_FUNCTIONS:
        notes.append(
            f"Of {len(found)} functions the {MAX_FUNCTIONS} are told that have the most to test."
        )
        found.sort(
            key=lambda each: each[1].totals.n_missing + each[1].totals.n_missing_branches,
            reverse=True,
        )
        found = sorted(found[:MAX_FUNCTIONS], key=lambda each: (each[0], each[1].first))
    return [
        [printable(paths[number]) for number in sorted({number for number, _ in found})],
        _steps(_ranks([number for number, _ in found])),
        [printable(function.name) for _, function in found],
        _steps([function.first for _, function in found]),
        *([_counts(function.totals)[at] for _, function in found] for at in range(_N_FIGURES)),
    ]


def _ranks(numbers: Sequence[int]) -> list[int]:
    """Which of the different numbers each is, ascending."""
    ranks = {number: rank for rank, number in enumerate(sorted(set(numbers)))}
    return [ranks[number] for number in numbers]


def _steps(values: Sequence[int]) -> list[int]:
    """The first value, and then how much each is over the one before."""
    return [now - before for before, now in zip([0, *values], values, strict=False)]


def _counts(totals: Totals) -> _Figures:
    return (
        totals.n_statements,
        totals.n_missing,
        totals.n_branches,
        totals.n_partial_branches,
        totals.n_missing_branches,
    )


def _gates_json(gates: Gates) -> list[dict[str, Any]]:
    """Gates that say the least of a folder, a file or, with the path "", of the whole."""
    found = [] if gates.total is None else [{"path": "", "least": gates.total}]
    for path, least in gates.paths.items():
        found.append({"path": printable(path.strip("/")), "least": least})
    return found


def _ranking_json(ranking: Ranking) -> dict[str, Any]:
    """The ranking without what is of use to programs alone."""
    told = as_json(ranking)
    rows = [
        {
            "file": printable(row["file"]),
            "title": printable(row["title"]),
            "start": row["start"],
            "score": row["score"],
            "missed": row["factors"]["statements"] + row["factors"]["branches"],
            "reasons": [printable(reason) for reason in row["reasons"]],
            "advice": printable(row["advice"] or ""),
        }
        for row in told["rows"]
    ]
    return {"total": told["total"], "rows": rows, "notes": [printable(n) for n in told["notes"]]}
