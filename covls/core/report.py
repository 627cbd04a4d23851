"""The rows of a report, and the tables coverage.py makes of them, in plain text and in Markdown.

Rules and layout are those of `coverage.report.SummaryReporter`; the tests hold them equal.
"""

import re
import string
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from covls.core.coverage import FileCoverage, Totals, percent_text

SORT_COLUMNS = ("name", "stmts", "miss", "branch", "brpart", "cover")
"""What a report can be sorted by; a `-` before it turns the order round."""


@dataclass(frozen=True, slots=True)
class Row:
    """One file of a table."""

    name: str
    totals: Totals
    missing: str = ""
    """Lines and branches that did not run, in coverage.py's words, where they were asked for."""
    stale: bool = False
    """Whether the file is no longer surely the one that was measured."""


@dataclass(frozen=True, slots=True)
class Table:
    """The files to show, in order, and what was left out of them; the totals are of all files."""

    rows: tuple[Row, ...]
    totals: Totals
    branches: bool
    show_missing: bool
    precision: int
    skipped_covered: int = 0
    skipped_empty: int = 0

    def percent(self, totals: Totals) -> str:
        """The percentage covered, rounded as coverage.py does, without a sign."""
        return percent_text(totals.percent, self.precision)

    @property
    def header(self) -> list[str]:
        """The columns' captions."""
        branches = ["Branch", "BrPart"] if self.branches else []
        missing = ["Missing"] if self.show_missing else []
        return ["Name", "Stmts", "Miss", *branches, "Cover", *missing]

    def cells(self, name: str, totals: Totals, missing: str) -> list[str]:
        """One line's values, in the order of the header; the percentage without its sign."""
        values = [name, str(totals.n_statements), str(totals.n_missing)]
        if self.branches:
            values += [str(totals.n_branches), str(totals.n_partial_branches)]
        values.append(self.percent(totals))
        return [*values, missing] if self.show_missing else values

    @property
    def notes(self) -> list[str]:
        """Whole sentences on what the table leaves out."""
        notes = []
        if self.skipped_covered:
            files = counted(self.skipped_covered, "file")
            notes.append(f"{files} skipped due to complete coverage.")
        if self.skipped_empty:
            notes.append(f"{counted(self.skipped_empty, 'empty file')} skipped.")
        return notes


def tabulate(
    rows: Iterable[Row],
    *,
    branches: bool,
    show_missing: bool = False,
    skip_covered: bool = False,
    skip_empty: bool = False,
    sort: str = "name",
    precision: int = 0,
) -> Table:
    """Choose and sort the rows. Raises ValueError where they cannot be sorted as asked."""
    key, reverse = _sorting(sort, branches)
    shown = []
    totals = Totals()
    skipped_covered = skipped_empty = 0
    for row in rows:
        totals += row.totals
        if skip_covered and not row.totals.n_missing and not row.totals.n_partial_branches:
            skipped_covered += 1
        elif skip_empty and not row.totals.n_statements:
            skipped_empty += 1
        else:
            shown.append(row)
    shown.sort(key=key, reverse=reverse)
    return Table(
        tuple(shown), totals, branches, show_missing, precision, skipped_covered, skipped_empty
    )


def missing_words(coverage: FileCoverage) -> str:
    """Lines and branches that did not run, as coverage.py writes them: `5-11, 14->exit`.

    Ranges run over lines that hold no statement. A branch from or to a line that did not run is
    left out, since that line stands there already.
    """
    missing = coverage.missing
    items = [
        (start, f"{start}" if start == end else f"{start}-{end}")
        for start, end in _statement_ranges(sorted(coverage.statements), missing)
    ]
    items += [
        (line, f"{line}->{end if end > 0 else 'exit'}")
        for line, ends in coverage.missing_branches.items()
        for end in ends
        if line not in missing and end not in missing
    ]
    return ", ".join(words for _, words in sorted(items))


def plain_table(table: Table) -> Iterator[str]:
    """The table as `coverage report` prints it; rows that are stale end in the word `stale`."""
    header = table.header
    rows = [table.cells(printable(row.name), row.totals, row.missing) for row in table.rows]
    total = table.cells("TOTAL", table.totals, "")
    cover = header.index("Cover")
    name_width = max([len(row[0]) for row in rows] + [5]) + 1
    cover_width = max([len(total[cover]) + 3, 7] + [len(row[cover]) + 2 for row in rows])

    def line(values: Sequence[str], percent: str) -> str:
        cells = [f"{values[0]:{name_width}}"]
        cells += [f"{value:>7}" for value in values[1:cover]]
        cells.append(f"{values[cover]:>{cover_width - len(percent)}}{percent}")
        if table.show_missing:
            cells.append(f"{values[-1]:>10}" if not percent else f"   {values[-1]:9}")
        return "".join(cells)

    yield (first := line(header, "")).rstrip()
    yield "-" * len(first)
    for row, values in zip(table.rows, rows, strict=True):
        yield line(values, "%").rstrip() + ("  stale" if row.stale else "")
    if rows:
        yield "-" * len(first)
    yield line(total, "%").rstrip()
    for note in table.notes:
        yield ""
        yield note


def markdown_table(table: Table) -> Iterator[str]:
    """The table as `coverage report --format=markdown` prints it."""
    header = table.header
    rows = [
        [
            escape_markdown(value)
            for value in table.cells(
                printable(row.name) + (" (stale)" if row.stale else ""), row.totals, row.missing
            )
        ]
        for row in table.rows
    ]
    total = table.cells("TOTAL", table.totals, "")
    cover = header.index("Cover")
    name_width = max([len(row[0]) for row in rows] + [len("**TOTAL**")]) + 1
    cover_width = max(len(total[cover]) + 6, len(" Cover "))
    widths = [name_width] + [9] * (cover - 1) + [cover_width]
    widths += [10] if table.show_missing else []

    heads = [f"| {header[0]:{name_width}}|"]
    heads += [f"{text:>{width}} |" for text, width in zip(header[1:], widths[1:], strict=True)]
    yield "".join(heads)
    rules = [f"{'- |':->{len(heads[0]) - 1}}"]
    rules += [f"{'-: |':->{len(head) - 1}}" for head in heads[1:]]
    yield "|" + " ".join(rules)
    for values in rows:
        cells = [f"| {values[0]:{name_width}}|"]
        for index, (value, width) in enumerate(zip(values[1:], widths[1:], strict=True), 1):
            cells.append(f"{value:>{width - 1}}% |" if index == cover else f"{value:>{width}} |")
        yield "".join(cells)
    cells = [f"|{' **TOTAL**':{name_width}} |"]
    for index, (value, width) in enumerate(zip(total[1:], widths[1:], strict=True), 1):
        bold = f" **{value}{'%' if index == cover else ''}**" if value else ""
        cells.append(f"{bold:>{width}} |")
    yield "".join(cells)
    for note in table.notes:
        yield ""
        yield note


def below_threshold(percent: float, threshold: float, precision: int) -> str:
    """What to say where the total is below `fail_under`, empty where it is not.

    Rounding is coverage.py's: to the precision, or to that of the threshold where it is finer;
    and only 100 is not below 100.
    """
    if threshold != int(threshold):
        decimals = len(f"{threshold!r}".partition(".")[2])
        precision = max(precision, decimals)
    exactly = threshold == 100 and percent != 100
    if not exactly and round(percent, precision) >= threshold:
        return ""
    total = percent_text(percent, precision) if exactly else f"{percent:.{precision}f}"
    return f"total of {total} is less than fail_under={threshold:.{precision}f}"


def escape_markdown(text: str) -> str:
    """Text with a backslash before every character that Markdown could take for its own."""
    return text.translate(_MARKDOWN)


def printable(text: str) -> str:
    """Text that leaves a terminal alone: a file's name may hold escape sequences."""
    return "".join(char if char.isprintable() else "?" for char in text)


def in_order_of_names(names: Iterable[str]) -> list[str]:
    """Names as people sort them, and coverage.py: `z9` before `z10`."""
    return sorted(names, key=_human)


def counted(number: int, thing: str) -> str:
    """A number and what is counted: `1 file`, `2 files`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


_MARKDOWN = str.maketrans({char: f"\\{char}" for char in string.punctuation if char not in ".,/-"})


def _sorting(sort: str, branches: bool) -> tuple[Callable[[Row], Any], bool]:
    column = sort.lower().removeprefix("-" if sort.startswith("-") else "+")
    if column not in SORT_COLUMNS:
        raise ValueError(f"{sort!r} is not a column; there are {', '.join(SORT_COLUMNS)}")
    if column in {"branch", "brpart"} and not branches:
        raise ValueError(f"no branches were measured, so nothing can be sorted by {column!r}")
    return _KEYS[column], sort.startswith("-")


def _human(name: str) -> tuple[list[str | int], str]:
    """A key by which the numbers in names sort as numbers do: `z9` before `z10`."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)], name


_KEYS: dict[str, Callable[[Row], Any]] = {
    "name": lambda row: _human(row.name),
    "stmts": lambda row: (row.totals.n_statements, row.name),
    "miss": lambda row: (row.totals.n_missing, row.name),
    "branch": lambda row: (row.totals.n_branches, row.name),
    "brpart": lambda row: (row.totals.n_partial_branches, row.name),
    "cover": lambda row: (row.totals.percent, row.name),
}


def _statement_ranges(
    statements: Sequence[int], chosen: frozenset[int]
) -> Iterator[tuple[int, int]]:
    """Chosen statements as ranges; only a statement that was not chosen ends one."""
    start = end = 0
    for statement in statements:
        if statement in chosen:
            start = start or statement
            end = statement
        elif start:
            yield start, end
            start = 0
    if start:
        yield start, end
