"""What a commit's tests were seen to cover, as a history keeps it: runs, files, functions.

Sets of lines are integers here, as in `core.detail`: bit n stands for line n, bit 0 for nothing.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from covls.core.coverage import NOTHING, FileCoverage, Totals
from covls.core.detail import bits_of, places
from covls.core.lines import split_lines

RecordedBranch = tuple[int, int, tuple[int, ...]]
"""A branch line, how many ways lead on from it, and where the ways lead that were not taken.

Where another tool's report does not say where a way leads, it is told by its place among them.
"""

MAX_FLAG: Final = 100
"""The letters a flag may have."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, as git told of it when it was recorded."""

    id: str
    """Its full name; of what was imported, whatever the other tool called it."""
    parents: tuple[str, ...] = ()
    branch: str | None = None
    """The branch it was recorded on, where that was known."""
    authored: datetime = field(kw_only=True)
    """When it was written, in UTC."""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured at a commit under some flags, without its files."""

    number: int
    """Its number in the database, which stays when it is recorded again."""
    commit: Commit
    flags: tuple[str, ...]
    """What tells it from other runs of the same commit, such as `py312`; sorted."""
    recorded: datetime
    """When it was recorded last, in UTC."""
    clean: bool
    """Whether the work tree was that of the commit; unknown counts as not."""
    versions: Mapping[str, str]
    """What measured, by name: `python`, `coverage`, `covls`, or the format it was imported from."""
    has_branches: bool
    totals: Totals


@dataclass(frozen=True, slots=True)
class RecordedFunction:
    """A function, or method, of a recorded file."""

    name: str
    first: int
    last: int
    totals: Totals
    statements: int = 0
    """Its own statements: those of functions within it are theirs."""


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """What ran in one file in one run."""

    path: str
    """Relative to the root, with slashes."""
    source: str
    """`source_name` of the text that was measured; "" where that is not known."""
    totals: Totals
    statements: int
    executed: int
    partial: int
    """Lines that ran, but not every way on from them."""
    functions: tuple[RecordedFunction, ...] = ()
    branches: tuple[RecordedBranch, ...] = ()
    """Every branch line that has ways on which count, ascending."""

    @property
    def missing(self) -> int:
        """Statements that did not run."""
        return self.statements & ~self.executed


def source_name(text: str) -> str:
    r"""The name of a text that was measured: the same for every kind of line ends.

    >>> source_name("a = 1\r\n") == source_name("a = 1\n")
    True
    """
    return hashlib.sha256("\n".join(split_lines(text)).encode("utf-8", "replace")).hexdigest()


def recorded_file(path: str, source: str, coverage: FileCoverage) -> RecordedFile:
    """What a history keeps of a file's coverage; `source` is the name of its text."""
    functions = tuple(
        RecordedFunction(
            name,
            region.start,
            max((end for _, end in region.ranges), default=region.start),
            replace(inner.totals, n_files=0),
            bits_of(inner.statements),
        )
        for name, region, inner in coverage.named_regions
        if region.kind == "function"
    )
    branches = tuple(
        (line, ways, coverage.missing_branches.get(line, ()))
        for line, ways in sorted(coverage.exits.items())
        if ways
    )
    return RecordedFile(
        path,
        source,
        coverage.totals,
        bits_of(coverage.statements),
        bits_of(coverage.executed),
        bits_of(coverage.partial),
        functions,
        branches,
    )


def counts(
    statements: int,
    executed: int,
    branches: Iterable[RecordedBranch],
    *,
    excluded: int = 0,
    files: int = 0,
) -> Totals:
    """Count some statements, and the branches that begin on them; `excluded` is a number."""
    missing = statements & ~executed
    ways = not_taken = partial = 0
    for line, exits, ends in branches:
        ways += exits
        not_taken += len(ends)
        if not missing >> line & 1:
            partial += len(ends)
    return Totals(
        n_files=files,
        n_statements=statements.bit_count(),
        n_excluded=excluded,
        n_missing=missing.bit_count(),
        n_branches=ways,
        n_partial_branches=partial,
        n_missing_branches=not_taken,
    )


def merged(first: RecordedFile, second: RecordedFile) -> RecordedFile:
    """What ran in either of two runs of the same text: what combined data would have said.

    Where the texts differ, or one is not known, and what could run differs, they are not of one
    thing, and the second stands alone.
    """
    same = first.statements == second.statements and (
        first.source == second.source or not (first.source and second.source)
    )
    if not same:
        return second
    executed = first.executed | second.executed
    missed = {line: frozenset(ends) for line, _, ends in first.branches}
    branches = tuple(
        (line, ways, tuple(end for end in ends if line not in missed or end in missed[line]))
        for line, ways, ends in (second.branches or first.branches)
    )
    missing = second.statements & ~executed
    partial = bits_of(line for line, _, ends in branches if ends) & ~missing
    totals = counts(
        second.statements, executed, branches, excluded=second.totals.n_excluded, files=1
    )
    functions = []
    for function in second.functions or first.functions:
        lines = function.statements
        inner = [branch for branch in branches if lines >> branch[0] & 1]
        excluded = function.totals.n_excluded
        functions.append(
            replace(function, totals=counts(lines, executed & lines, inner, excluded=excluded))
        )
    return replace(
        second,
        source=second.source or first.source,
        totals=totals,
        executed=executed,
        partial=partial,
        functions=tuple(functions),
        branches=branches,
    )


def total(files: Iterable[RecordedFile]) -> Totals:
    """The counts of all files together."""
    return sum((file.totals for file in files), NOTHING)


def tidy_flags(flags: Iterable[str]) -> tuple[str, ...]:
    """Flags as a run has them: each once, sorted. Raises ValueError for one that cannot be one.

    >>> tidy_flags(["py312", "linux", "py312"])
    ('linux', 'py312')
    """
    found = sorted({flag.strip() for flag in flags})
    for flag in found:
        if not flag or len(flag) > MAX_FLAG or not flag.isprintable() or "," in flag:
            raise ValueError(
                f"{flag!r} is no flag: one is a word of 1 to {MAX_FLAG} letters without commas"
            )
    return tuple(found)


def lines_of(bits: int) -> list[int]:
    """The lines of a set, ascending.

    >>> lines_of(0b10110)
    [1, 2, 4]
    """
    return list(places(bits))
