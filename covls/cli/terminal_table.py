"""A report as a table for people: coloured, with a bar for each file, fitted to the terminal."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from covls.core.coverage import Totals
from covls.core.report import Table, counted, printable

BAR_WIDTH = 10
_BAR = 2 + BAR_WIDTH


def percent_style(percent: float) -> str:
    """The colour of a percentage: green from 90 on, yellow from 70 on, red below."""
    if percent >= 90:
        return "green"
    return "yellow" if percent >= 70 else "red"


def percent_bar(percent: float, width: int = BAR_WIDTH) -> Text:
    """A bar as long as a percentage is large. Only 0 leaves it empty and only 100 fills it."""
    halves = round(percent / 100 * width * 2)
    if percent > 0:
        halves = max(1, halves)
    if percent < 100:
        halves = min(width * 2 - 1, halves)
    full, half = divmod(halves, 2)
    bar = Text("━" * full + "╸" * half, style=percent_style(percent))
    return bar.append("─" * (width - full - half), style="bright_black")


def age_words(seconds: float) -> str:
    """How long ago, in the largest unit that fits: `3 minutes`."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            return counted(int(seconds // length), unit)
    return counted(max(0, int(seconds)), "second")


def shorten_names(names: Sequence[str], width: int) -> list[str | None]:
    """Names that fit, cut from the left at a slash: `…/adapters/source.py`.

    None where a name does not fit uncut and no cut leaves it both short enough and unlike the
    others: a name that could be another's would mislead.
    """
    shown = [_cut(name, width) for name in names]
    counts: dict[str, int] = {}
    for cut in shown:
        if cut is not None:
            counts[cut] = counts.get(cut, 0) + 1
    return [cut if cut is not None and counts[cut] == 1 else None for cut in shown]


def _cut(name: str, width: int) -> str | None:
    if cell_len(name) <= width:
        return name
    parts = Path(name).parts
    for index in range(1, len(parts)):
        cut = str(Path("…", *parts[index:]))
        if cell_len(cut) <= width:
            return cut
    return None


def print_table(table: Table, stream: IO[str], *, data_file: Path, notes: str = "") -> None:
    """Write the table to a terminal. `notes` says what is to be known of stale files."""
    # NO_COLOR asks for no colours; a terminal that has none may not know other sequences either.
    console = Console(
        file=stream,
        highlight=False,
        soft_wrap=True,
        color_system=None if os.environ.get("NO_COLOR") else "auto",
    )
    for line in table_lines(table, console.width):
        console.print(line)
    if notes:
        console.print()
        mark = Text.assemble(("~ ", "bold magenta"), notes, " Run the tests again.")
        console.print(mark, soft_wrap=False)
    age = age_words(time.time() - data_file.stat().st_mtime) if data_file.exists() else ""
    console.print()
    console.print(Text(f"{data_file}" + (f", written {age} ago" if age else ""), style="dim"))


def table_lines(table: Table, width: int) -> list[Text]:
    """The table in lines of at most `width` cells, but for names too long to be cut."""
    heads = ["Stmts", "Miss", *(["Branch", "Part"] if table.branches else []), "Cover"]
    names = [printable(row.name) for row in table.rows]
    total_name = counted(table.totals.n_files, "file")
    columns = [_figures(table, row.totals) for row in table.rows]
    total = _figures(table, table.totals)
    widths = [
        max(len(head), *(len(values[index]) for values in [*columns, total])) + 2
        for index, head in enumerate(heads)
    ]
    longest = max([cell_len(name) for name in [*names, total_name]], default=0)
    layout = _lay_out(longest, sum(widths), width, missing=table.show_missing)
    name_width, bars = layout.name_width, layout.bars

    head = Text(" " * 2 + "File".ljust(name_width), style="bold")
    for caption, column in zip(heads, widths, strict=True):
        head.append(caption.rjust(column))
    if layout.missing_width:
        head.append(" " * (_BAR if bars else 0) + "  Missing")
    rule = Text("─" * layout.rule_width, style="bright_black")
    lines = [head, rule]
    shortened = shorten_names(names, name_width)
    for row, name, short, values in zip(table.rows, names, shortened, columns, strict=True):
        line = Text().append("~ " if row.stale else "  ", style="bold magenta")
        if short is None:
            lines.append(line + _name(name))
            line = Text("  ")
            short = ""
        line.append_text(_name(short)).append(" " * (name_width - cell_len(short)))
        _append_figures(line, values, widths, row.totals, bars)
        if table.show_missing and row.missing:
            lines += _with_missing(line, row.missing, layout.missing_width, width)
        else:
            lines.append(line)
    if table.rows:
        lines.append(rule)
    line = Text("  " + total_name.ljust(name_width), style="bold")
    _append_figures(line, total, widths, table.totals, bars)
    lines.append(line)
    for note in table.notes:
        lines += [Text(), Text("  " + note, style="dim")]
    return lines


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a terminal's width is shared out."""

    name_width: int
    bars: bool
    missing_width: int
    """0 where missing lines stand below their row, or nowhere."""
    rule_width: int


def _lay_out(longest: int, figures: int, width: int, *, missing: bool) -> _Layout:
    """Share out the width: on a narrow terminal bars go first, for they say nothing that the
    figures do not; then missing lines go below their rows; names are cut last.
    """
    least_name = min(longest, 24)
    for bars, least_missing in ((True, 48), (False, 24)) if missing else ():
        taken = 2 + figures + (_BAR if bars else 0)
        room = width - taken - 2 - least_missing
        if room >= least_name:
            name = min(longest, room)
            return _Layout(name, bars, width - taken - name - 2, taken + name)
    bars = width - 2 - figures - _BAR >= least_name
    taken = 2 + figures + (_BAR if bars else 0)
    name = max(8, min(longest, width - taken))
    return _Layout(name, bars, 0, taken + name)


def _figures(table: Table, totals: Totals) -> list[str]:
    values = [totals.n_statements, totals.n_missing]
    if table.branches:
        values += [totals.n_branches, totals.n_partial_branches]
    return [*map(str, values), f"{table.percent(totals)}%"]


def _name(name: str) -> Text:
    """A path with its last part set off."""
    head, separator, last = name.rpartition(os.sep)
    return Text.assemble((head + separator, "bright_black"), last)


def _append_figures(
    line: Text, values: Sequence[str], widths: Sequence[int], totals: Totals, bars: bool
) -> None:
    """Figures to the right; what is missing in colour, nothings pale."""
    colours = ["", "red", "", "yellow"][: len(values) - 1]
    for value, width, colour in zip(values, widths, colours, strict=False):
        line.append(value.rjust(width), style="bright_black" if value == "0" else colour)
    line.append(values[-1].rjust(widths[-1]), style=f"bold {percent_style(totals.percent)}")
    if bars:
        line.append("  ").append_text(percent_bar(totals.percent))


def _with_missing(line: Text, missing: str, column: int, width: int) -> list[Text]:
    """The missing lines in a column behind a row, or below it where there is no such column."""
    indent = line.cell_len + 2 if column else 4
    pieces = _wrap(missing.split(", "), column or width - indent)
    rows = [Text(" " * indent).append(piece, style="red") for piece in pieces]
    if not column:
        return [line, *rows]
    return [line.append("  ").append(pieces[0], style="red"), *rows[1:]]


def _wrap(items: Sequence[str], width: int) -> list[str]:
    """Items with commas between, in lines of at most that width where an item is not longer."""
    lines = [items[0]]
    for item in items[1:]:
        lines[-1] += ","
        if len(lines[-1]) + 1 + len(item) < width:
            lines[-1] += f" {item}"
        else:
            lines.append(item)
    return lines
