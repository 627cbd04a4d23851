"""What did run, laid over what could run: the numbers of coverage.py, from its own rules.

The rules are those of `coverage.results.Analysis`, `AnalysisNarrower` and `Numbers`; the tests
hold them equal, file by file, to what coverage.py says of the same data.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TypeVar

from covls.core.analysis import Analysis, Region
from covls.core.lines import Arc

Value = TypeVar("Value")

Branches = Mapping[int, tuple[int, ...]]
"""Destinations by the line they are reached from, both sorted. A negative one is an exit."""


class State(StrEnum):
    """What the tests did at a place."""

    COVERED = "covered"
    MISSING = "missing"
    PARTIAL = "partial"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class Measured:
    """What ran in one file, as the data file has it.

    `arcs` is None where the run measured lines only, without branches.
    """

    lines: frozenset[int]
    arcs: frozenset[Arc] | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts that add up over files, and the percentages made of them when shown."""

    n_files: int = 0
    n_statements: int = 0
    n_excluded: int = 0
    n_missing: int = 0
    n_branches: int = 0
    n_partial_branches: int = 0
    n_missing_branches: int = 0

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(
            self.n_files + other.n_files,
            self.n_statements + other.n_statements,
            self.n_excluded + other.n_excluded,
            self.n_missing + other.n_missing,
            self.n_branches + other.n_branches,
            self.n_partial_branches + other.n_partial_branches,
            self.n_missing_branches + other.n_missing_branches,
        )

    def __sub__(self, part: "Totals") -> "Totals":
        return Totals(
            self.n_files - part.n_files,
            self.n_statements - part.n_statements,
            self.n_excluded - part.n_excluded,
            self.n_missing - part.n_missing,
            self.n_branches - part.n_branches,
            self.n_partial_branches - part.n_partial_branches,
            self.n_missing_branches - part.n_missing_branches,
        )

    @property
    def of_statements(self) -> "Totals":
        """The counts that a run without branches would have had."""
        return Totals(self.n_files, self.n_statements, self.n_excluded, self.n_missing)

    @property
    def n_executed(self) -> int:
        """Statements that ran."""
        return self.n_statements - self.n_missing

    @property
    def n_executed_branches(self) -> int:
        """Branches that were taken."""
        return self.n_branches - self.n_missing_branches

    @property
    def percent(self) -> float:
        """Statements and branches covered, 0 to 100; 100 where there are none."""
        return percent(
            self.n_executed + self.n_executed_branches, self.n_statements + self.n_branches
        )

    @property
    def percent_statements(self) -> float:
        """Statements covered, 0 to 100."""
        return percent(self.n_executed, self.n_statements)

    @property
    def percent_branches(self) -> float:
        """Branches covered, 0 to 100."""
        return percent(self.n_executed_branches, self.n_branches)


NOTHING = Totals()
"""The counts of nothing."""


def percent(numerator: int, denominator: int) -> float:
    """The share as coverage.py computes it: nothing to cover counts as all covered."""
    return (100.0 * numerator) / denominator if denominator > 0 else 100.0


def percent_text(value: float, precision: int = 0) -> str:
    """Round a percentage for show, as coverage.py's `display_covered`.

    Rounding never makes 0 or 100 of a figure that is neither.
    """
    near0 = 1.0 / 10**precision
    if 0 < value < near0:
        value = near0
    elif (100.0 - near0) < value < 100:
        value = 100.0 - near0
    else:
        value = round(value, precision)
    return f"{value:.{precision}f}"


@dataclass(frozen=True)
class FileCoverage:
    """One file's coverage, or that of some of its lines."""

    analysis: Analysis
    statements: frozenset[int]
    excluded: frozenset[int]
    executed: frozenset[int]
    has_branches: bool
    exits: Mapping[int, int]
    """How many ways lead on from each branch line, excluded destinations left out."""
    executed_branches: Branches
    missing_branches: Branches

    @cached_property
    def missing(self) -> frozenset[int]:
        """Statements that did not run."""
        return self.statements - self.executed

    @cached_property
    def partial(self) -> frozenset[int]:
        """Branch lines that ran, but not every way on from them."""
        return frozenset(self.missing_branches).difference(self.missing)

    @cached_property
    def states(self) -> tuple[tuple[int, int, State], ...]:
        """First line, last line and state of each statement and excluded line, in order."""
        last_line = self.analysis.last_line
        executed, partial, excluded = self.executed, self.partial, self.excluded
        states: list[tuple[int, int, State]] = []
        for line in sorted(self.statements | excluded):
            if line in excluded:
                state = State.EXCLUDED
            elif line not in executed:
                state = State.MISSING
            else:
                state = State.PARTIAL if line in partial else State.COVERED
            states.append((line, last_line(line), state))
        return tuple(states)

    @cached_property
    def named_regions(self) -> "tuple[tuple[str, Region, FileCoverage], ...]":
        """Each function, then each class: its name, as `regions` has it, and its coverage."""
        found: list[tuple[str, Region, FileCoverage]] = []
        for kind in ("function", "class"):
            written = sorted(
                (region for region in self.analysis.regions if region.kind == kind),
                key=lambda region: region.start,
            )
            # What is outside of all of them comes last.
            for (name, _, inner), region in zip(regions(self, kind), written, strict=False):
                found.append((name, region, inner))
        return tuple(found)

    @cached_property
    def totals(self) -> Totals:
        """The counts, as one file's."""
        missing = self.missing
        return Totals(
            n_files=1,
            n_statements=len(self.statements),
            n_excluded=len(self.excluded),
            n_missing=len(missing),
            n_branches=sum(self.exits.values()),
            n_partial_branches=sum(
                len(ends) for line, ends in self.missing_branches.items() if line not in missing
            ),
            n_missing_branches=sum(map(len, self.missing_branches.values())),
        )


def cover(analysis: Analysis, measured: Measured) -> FileCoverage:
    """Lay what ran over what could run."""
    statements = analysis.statements
    executed = statements.intersection(_first_lines(analysis, measured.lines))
    if measured.arcs is None:
        return FileCoverage(analysis, statements, analysis.excluded, executed, False, {}, {}, {})
    arcs = _branch_arcs(analysis, measured.arcs)
    excluded, no_branch = analysis.excluded, analysis.no_branch
    exits: dict[int, int] = {}
    taken: dict[int, tuple[int, ...]] = {}
    missed: dict[int, tuple[int, ...]] = {}
    for line, ends in sorted(analysis.branches.items()):
        # Comprehensions, because this is where a report on many files spends its time.
        counted = [end for end in ends if end not in excluded]
        exits[line] = len(counted)
        run = [end for end in ends if (line, end) in arcs]
        if run:
            taken[line] = tuple(run)
        if len(run) < len(ends) and line not in no_branch:
            not_run = [end for end in counted if end not in run] if run else counted
            if not_run:
                missed[line] = tuple(not_run)
    return FileCoverage(analysis, statements, excluded, executed, True, exits, taken, missed)


def narrow(coverage: FileCoverage, lines: Collection[int]) -> FileCoverage:
    """The same coverage, of some lines only: a function's, a class's, a patch's."""
    return FileCoverage(
        coverage.analysis,
        coverage.statements.intersection(lines),
        coverage.excluded.intersection(lines),
        coverage.executed.intersection(lines),
        coverage.has_branches,
        _only(coverage.exits, lines),
        _only(coverage.executed_branches, lines),
        _only(coverage.missing_branches, lines),
    )


def regions(coverage: FileCoverage, kind: str) -> Iterator[tuple[str, int, FileCoverage]]:
    """Name, first line and coverage of each function or class, and last of what is outside.

    Names are made unique as coverage.py's JSON report makes them: of regions of the same name
    the first that has statements keeps it, the others get `@line` behind it. What lies outside
    of all of them has the name "".
    """
    found = [
        (region, narrow(coverage, region.lines()))
        for region in sorted(coverage.analysis.regions, key=lambda region: region.start)
        if region.kind == kind
    ]
    with_statements = {region.name for region, inner in found if inner.statements}
    seen: set[str] = set()
    outside = set(range(1, coverage.analysis.line_count + 1))
    for region, inner in found:
        name = region.name
        if name in seen or (name in with_statements and not inner.statements):
            name = f"{name}@{region.start}"
        seen.add(name)
        outside.difference_update(region.lines())
        yield name, region.start, inner
    yield "", min(outside, default=1), narrow(coverage, outside)


def _only(by_line: Mapping[int, Value], lines: Collection[int]) -> dict[int, Value]:
    # A function has few lines of a long file, and there are many functions.
    if len(lines) < len(by_line):
        return {line: by_line[line] for line in sorted(lines) if line in by_line}
    return {line: value for line, value in by_line.items() if line in lines}


def _first_lines(analysis: Analysis, lines: Iterable[int]) -> Iterable[int]:
    first_lines = analysis.first_lines
    return [first_lines.get(line, line) for line in lines] if first_lines else lines


def _branch_arcs(analysis: Analysis, arcs: Collection[Arc]) -> Collection[Arc]:
    """Arcs from branch lines, between first lines, jumps out of `with` blocks put straight.

    coverage.py translates twice, the second time what the first made, and a fixer may apply to
    an arc whose ends were moved to first lines only then.
    """
    fixers = analysis.jump_fixers
    if fixers:
        arcs = _fix_jumps(analysis, _between_first_lines(analysis, _fix_jumps(analysis, arcs)))
    return _between_first_lines(analysis, arcs)


def _fix_jumps(analysis: Analysis, arcs: Collection[Arc]) -> Collection[Arc]:
    fixers = analysis.jump_fixers
    return {fixed for arc in arcs if (fixed := fixers.get(arc, arc)) is not None}


def _between_first_lines(analysis: Analysis, arcs: Collection[Arc]) -> Collection[Arc]:
    first_lines, branches = analysis.first_lines, analysis.branches
    if not first_lines:
        return arcs
    first = first_lines.get
    return {
        (line, first(end, end) if end > 0 else -first(-end, -end))
        for start, end in arcs
        if (line := first(start, start)) in branches
    }
