"""Two runs compared, for people at a terminal."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Final

from covls.core.coverage import NOTHING, Totals, percent_text
from covls.core.history import Run
from covls.core.lines import ranges
from covls.core.regression import FileChange, Kind, RunComparison
from covls.core.report import counted, printable

SHOWN: Final = 10
"""Ranges of lines that are named of one kind, at most."""

STEPS: Final = ("deleted code", "tests", "changed code", "flaky lines")
"""What a change of the total is made of, in the order of the steps."""


def comparison_text(compared: RunComparison) -> Iterator[str]:
    """The lines to print."""
    for run in (compared.before, compared.now):
        yield printable(f"{run_words(run)}  {figure(run.totals)}  {run.commit.subject}".rstrip())
    yield ""
    drop = compared.found.drop
    yield f"Total  {change_words(drop.before, drop.now, drop.naive)}"
    for name, value, words in steps(compared):
        yield f"  {name:<12}  {points(value):>7}  {words}".rstrip()
    yield f"Fair   {change_words(drop.fair_before, drop.fair_now, drop.fair)}"
    yield "       deleted code and flaky lines left out of both"
    for file in compared.found.files:
        if file.differs:
            yield ""
            yield printable(title(file))
            yield from (printable(f"  {line}") for line in details(file))
    for note in compared.notes:
        yield ""
        yield printable(note)


def run_words(run: Run) -> str:
    """Which run it is: number, commit, time, and flags."""
    flags = f"  [{', '.join(run.flags)}]" if run.flags else ""
    return f"#{run.number}  {run.commit.id[:12]}  {run.commit.authored:%Y-%m-%d %H:%M}{flags}"


def figure(totals: Totals) -> str:
    """A percentage with two decimals, rounded as coverage.py rounds."""
    return f"{percent_text(totals.percent, 2)}%"


def points(value: Fraction) -> str:
    """Percentage points with their sign; what is not nothing is never shown as 0.00."""
    if value and abs(value) < Fraction(1, 200):
        return "> -0.01" if value < 0 else "< +0.01"
    return f"{float(value):+.2f}" if value else "0.00"


def change_words(before: Totals, now: Totals, drop: Fraction) -> str:
    """From one figure to another: "91.20% -> 90.00%, lost 1.20 points"."""
    amount = points(abs(drop)).replace("+", "")
    moved = f"{'lost' if drop > 0 else 'gained'} {amount} points" if drop else "as before"
    return f"{figure(before)} -> {figure(now)}, {moved}"


def steps(compared: RunComparison) -> Iterator[tuple[str, Fraction, str]]:
    """What the change of the total is made of: its name, points, and what it is about."""
    files, drop = compared.found.files, compared.found.drop
    gone = drop.deleted
    fresh_covered = sum(len(file.new_covered) for file in files)
    fresh = fresh_covered + sum(len(file.new_missed) for file in files)
    missed = sum(len(file.newly_missed) for file in files)
    covered = sum(len(file.newly_covered) for file in files)
    branches = sum(len(file.branches_missed) + len(file.branches_covered) for file in files)
    flaky = [file.flaky_changed for file in files]
    all_flaky = sum(len(file.flaky) for file in files)
    words = (
        f"{counted(gone.n_statements, 'statement')} gone, {gone.n_executed} of them covered"
        if gone.n_statements
        else "",
        _join(
            f"unchanged code: {counted(missed, 'statement')} newly missed" if missed else "",
            f"{'' if missed else 'unchanged code: '}{counted(covered, 'statement')} newly covered"
            if covered
            else "",
            f"other branches taken on {counted(branches, 'line')}" if branches else "",
        ),
        f"{fresh_covered} of {counted(fresh, 'new or changed statement')} covered" if fresh else "",
        f"{counted(all_flaky, 'line')}, of which {sum(map(len, flaky))} differ"
        if all_flaky
        else "",
    )
    values = (drop.by_deleted, drop.by_tests, drop.by_code, drop.by_chance)
    yield from zip(STEPS, values, words, strict=True)


def title(file: FileChange) -> str:
    """What became of a file, in one line."""
    match file.kind:
        case Kind.DELETED:
            return f"{file.name}: deleted, was {figure(file.before)}"
        case Kind.NEW:
            return f"{file.name}: new, {figure(file.now)}"
    name = f"{file.name_before} -> {file.name}" if file.renamed else file.name
    if file.before == file.now:
        return f"{name}: {figure(file.now)}"
    return f"{name}: {figure(file.before)} -> {figure(file.now)}"


def details(file: FileChange) -> Iterator[str]:
    """What is told of a file, a line each."""
    if file.kind is Kind.UNKNOWN:
        yield "its text of then or of now is not here: only its totals are known"
    if file.kind is Kind.DELETED:
        gone = file.deleted
        yield f"{counted(gone.n_statements, 'statement')}, {gone.n_executed} of them covered"
        return
    told: tuple[tuple[str, Iterable[int]], ...] = (
        ("newly missed, the code unchanged", (line for _, line in file.newly_missed)),
        ("newly covered, the code unchanged", (line for _, line in file.newly_covered)),
        ("fewer branches taken, the code unchanged", (line for _, line in file.branches_missed)),
        ("more branches taken, the code unchanged", (line for _, line in file.branches_covered)),
        ("new or changed, and missed", file.new_missed),
        ("new or changed, and covered", file.new_covered),
        ("flaky, left out", (line for _, line in file.flaky_changed)),
    )
    for words, lines in told:
        if found := range_words(lines):
            yield f"{words}: {found}"
    if file.deleted != NOTHING:
        gone = file.deleted
        number = counted(gone.n_statements, "statement")
        yield f"deleted: {number}, {gone.n_executed} of them covered"


def range_words(lines: Iterable[int]) -> str:
    """Lines as people write them: "3-5, 9"."""
    found = [str(first) if first == last else f"{first}-{last}" for first, last in ranges(lines)]
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more


def _join(*parts: str) -> str:
    return ", ".join(part for part in parts if part)
