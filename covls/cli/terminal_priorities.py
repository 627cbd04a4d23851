"""A ranking of what to test as a list for people: coloured, and fitted to the terminal."""

import os
from typing import IO

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from covls.core.priorities import (
    Priority,
    Ranking,
    closing_words,
    command_words,
    score_words,
)
from covls.core.report import printable

_BAR_WIDTH = 8


def print_ranking(ranking: Ranking, stream: IO[str]) -> None:
    """Write the ranking to a terminal."""
    # NO_COLOR asks for no colours; a terminal that has none may not know other sequences either.
    console = Console(
        file=stream,
        highlight=False,
        color_system=None if os.environ.get("NO_COLOR") else "auto",
    )
    rows = ranking.rows
    most = max((row.score for row in rows), default=1.0)
    number = len(str(len(rows)))
    score = max((len(score_words(row.score)) for row in rows), default=0)
    indent = number + score + _BAR_WIDTH + 4
    if console.width < 60:
        indent = 4
    for place, row in enumerate(rows, 1):
        head = Text(f"{place:>{number}} ", style="bright_black")
        head.append(f"{score_words(row.score):>{score}} ", style="bold")
        head.append_text(_bar(row.score / most)).append("  ")
        head.append_text(_place(row))
        title = Text("" if row.level == "file" else f"  {printable(row.title)}", style="bold")
        if head.cell_len + title.cell_len <= console.width:
            console.print(head.append_text(title), soft_wrap=True)
        else:
            console.print(head, soft_wrap=True)
            _indented(console, Text(printable(row.title), style="bold"), indent)
        _indented(console, Text(printable("; ".join(row.reasons)), style="yellow"), indent)
        if row.advice:
            _indented(console, Text(printable(row.advice), style="italic"), indent)
        if row.action is not None:
            _indented(console, Text(f"→ {printable(row.action.words)}"), indent)
            if row.action.command:
                command = Text(printable(command_words(row.action.command)), style="cyan")
                # A command that is folded cannot be copied.
                console.print(Text(" " * indent + "$ ").append_text(command), soft_wrap=True)
    for words in closing_words(ranking):
        if rows:
            console.print()
        console.print(Text(printable(words), style="dim" if rows else ""))


def _indented(console: Console, text: Text, indent: int) -> None:
    console.print(Padding(text, (0, 0, 0, indent)))


def _place(row: Priority) -> Text:
    head, separator, last = printable(row.file).rpartition("/")
    line = "" if row.level == "file" else f":{row.first}"
    return Text.assemble((head + separator, "bright_black"), last + line)


def _bar(share: float) -> Text:
    halves = max(1, round(share * _BAR_WIDTH * 2))
    full, half = divmod(halves, 2)
    bar = Text("━" * full + "╸" * half, style="red")
    return bar.append("─" * (_BAR_WIDTH - full - half), style="bright_black")
