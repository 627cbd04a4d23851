"""The demo as it is told in the terminal: what is done, and what an editor would show."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from covls.cli.demo.client import ClientError
from covls.cli.demo.editor import Editor, Shown
from covls.cli.demo.project import (
    ADDED_TEST,
    CHANGED,
    MODULES,
    PACKAGE,
    POINTED_AT,
    DemoError,
    add_test,
    run_tests,
    write_project,
)
from covls.cli.terminal_table import percent_bar, percent_style

# Shapes as well as colours: red and green look alike to many.
GUTTER = {
    "covered": ("┃", "green"),
    "partial": ("◐", "bold yellow"),
    "missing": ("█", "bold red"),
    "excluded": ("·", "bright_black"),
}
_CONTEXT = 1
_WIDTH = 96


def play(console: Console, *, keep: bool = False) -> None:
    """Play the demo to its end. Raises DemoError where a step fails."""
    if not console.is_terminal or console.width > _WIDTH:
        console.width = _WIDTH
    with _folder(keep) as folder:
        try:
            _play(console, folder)
        except ClientError as error:
            raise DemoError(f"covls serve: {error}") from error
        _what_next(console, folder if keep else None)


def _play(console: Console, folder: Path) -> None:
    _title(console)
    names = write_project(folder)
    tests = sum(name.startswith("tests/") for name in names)
    modules = sum(name.startswith(PACKAGE) for name in names)
    _step(
        console,
        "A small project",
        f"{PACKAGE}: {modules} modules, {tests} files of tests",
        str(folder),
    )
    run = run_tests(folder)
    _step(
        console, "Its tests, under coverage", f"{run.summary} in {run.seconds:.1f} s", run.command
    )
    editor = Editor(folder)
    try:
        _step(
            console,
            "The language server",
            f"ready after {editor.seconds_to_start:.2f} s",
            "covls serve",
        )
        _legend(console)
        shown = {}
        for module in MODULES:
            shown[module] = editor.open(f"{PACKAGE}/{module}.py")
            console.print(_file(shown[module]))
            if module == POINTED_AT:
                _hover(console, editor, shown[module])
        before = editor.project()
        _live(console, editor, folder, shown[CHANGED], before)
    finally:
        editor.close()


def _live(
    console: Console, editor: Editor, folder: Path, shown: Shown, before: dict[str, Any]
) -> None:
    """One more test runs, and the marks change by themselves."""
    added = add_test(folder)
    since = editor.client.told
    run = run_tests(folder, ADDED_TEST, append=True)
    changed, came = editor.wait_for_change(shown, since)
    seconds = max(0.0, came - run.written_at)
    console.print()
    _step(console, "One more test", f"{run.summary} in {run.seconds:.1f} s", run.command)
    console.print(_code(added[added.index("def ") :].rstrip(), "    "))
    _step(
        console,
        "The marks, by themselves",
        f"{seconds:.2f} s after the data was written",
        "covls/didChangeCoverage",
    )
    console.print(_file(changed, before=shown))
    console.print()
    console.print(_totals(before, editor.project()))


def _title(console: Console) -> None:
    console.print()
    console.print(
        Text.assemble(
            ("  covls ", "bold reverse cyan"),
            "  what no test reaches, while you type",
        )
    )
    console.print()


def _step(console: Console, what: str, outcome: str, how: str) -> None:
    line = Text.assemble(("  ● ", "bold cyan"), (what.ljust(27), "bold"), outcome)
    how = "  " + how
    room = console.width - line.cell_len - 1
    if len(how) <= room:
        line.append(how.rjust(room), style="bright_black")
        console.print(line)
    else:
        console.print(line)
        console.print(Text("    " + how.strip(), style="bright_black"), soft_wrap=True)


def _legend(console: Console) -> None:
    words = {"covered": "a test ran it", "partial": "not every way on", "missing": "no test ran it"}
    line = Text("\n    ")
    for state, meaning in words.items():
        shape, style = GUTTER[state]
        line.append(shape, style=style).append(f" {meaning}     ", style="bright_black")
    console.print(line)


def _file(shown: Shown, *, before: Shown | None = None) -> RenderableType:
    """A file as an editor shows it: gutter marks, code, and words where a branch was not taken.

    With `before`, the marks it had stand to the left of those it has.
    """
    highlighted = _highlighted(shown.text)
    last = len(highlighted)
    body: list[Text] = []
    for first, end in _excerpts(shown, before, last):
        if end is None:
            body.append(Text(f"{'⋮':>4}", style="bright_black"))
            continue
        for line in range(first, end):
            body.append(_line(shown, line, highlighted[line], before))
            body += [_words(words, before) for words in shown.branches.get(line, ())]
    percent = float(shown.summary["percent"])
    title = Text.assemble(" ", (shown.name, "bold default"), " ")
    figure = Text.assemble(
        " ",
        percent_bar(percent),
        (f" {shown.summary['percentText']}%", f"bold {percent_style(percent)}"),
        " ",
    )
    if before is not None:
        was = before.summary
        figure = Text.assemble(
            (f" {was['percentText']}% →", percent_style(float(was["percent"]))), figure
        )
    panel = Panel(
        Group(*body), title=title, title_align="left", border_style="bright_black", padding=(0, 1)
    )
    panel.subtitle, panel.subtitle_align = figure, "right"
    return panel


def _line(shown: Shown, line: int, code: Text, before: Shown | None) -> Text:
    row = Text().append(f"{line + 1:>4} ", style="bright_black")
    state = shown.states.get(line)
    if before is not None:
        old = before.states.get(line)
        row.append_text(_mark(old if old != state else None))
        row.append(" → " if old != state else "   ")
    row.append_text(_mark(state))
    row.append(" ").append_text(code)
    row.no_wrap, row.overflow = True, "ellipsis"
    return row


def _mark(state: str | None) -> Text:
    shape, style = GUTTER.get(state or "", (" ", ""))
    return Text(shape, style=style)


def _words(words: str, before: Shown | None) -> Text:
    return Text.assemble(
        " " * (9 if before is not None else 5), ("╰─ ", "yellow"), (words, "italic yellow")
    )


def _excerpts(shown: Shown, before: Shown | None, last: int) -> Iterator[tuple[int, int | None]]:
    """The lines worth a look, as ranges; (line, None) stands for those left out."""
    telling = {line for line, state in shown.states.items() if state != "covered"}
    if before is not None:
        telling = {line for line in shown.states if shown.states[line] != before.states.get(line)}
    wanted: set[int] = set()
    for line in telling:
        wanted.update(range(max(0, line - _CONTEXT), min(last, line + _CONTEXT + 1)))
        wanted.update(_head(shown.text, line))
    end = 0
    for line in sorted(wanted):
        if line < end:
            continue
        if line > end + 1:
            yield end, None
            start = line
        else:
            start = end
        stop = line
        while stop in wanted or stop + 1 in wanted:
            stop += 1
        yield start, stop
        end = stop
    if end < last:
        yield end, None


def _head(text: str, line: int) -> range:
    """The `def` that a line stands under, with its docstring."""
    lines = text.splitlines()
    for number in range(line, -1, -1):
        if lines[number].lstrip().startswith("def "):
            return range(number, number + 2)
    return range(0)


def _highlighted(text: str) -> list[Text]:
    syntax = Syntax(text, "python", theme="ansi_dark", background_color="default")
    return [*syntax.highlight(text.rstrip("\n")).split("\n")]


def _code(text: str, indent: str) -> Text:
    lines = [Text(indent).append_text(line) for line in _highlighted(text)]
    return Text("\n").join([Text(), *lines, Text()])


def _hover(console: Console, editor: Editor, shown: Shown) -> None:
    """The pointer on a line whose branch was not taken, as an editor would show it."""
    from rich.markdown import Markdown

    line = min(shown.branches)
    code = shown.text.splitlines()[line].strip()
    words = editor.hover(shown.name, line)
    if not words:
        raise DemoError(f"no hover on line {line + 1} of {shown.name}")
    title = Text.assemble((" hover ", "bold"), (f"{shown.name}:{line + 1} ", "bright_black"))
    title.append(f" {code} ", style="italic")
    console.print(
        Panel(
            Markdown(words),
            title=title,
            title_align="left",
            border_style="cyan",
            padding=(0, 1),
        )
    )


def _totals(before: dict[str, Any], after: dict[str, Any]) -> RenderableType:
    table = Table(
        box=None, padding=(0, 2), header_style="bold", show_footer=True, footer_style="bold"
    )
    table.add_column("File", footer=f"{len(after['files'])} files")
    summary = after["summary"]
    for caption, key in (
        ("Stmts", "statements"),
        ("Miss", "missing"),
        ("Branch", "branches"),
        ("Part", "partialBranches"),
    ):
        table.add_column(caption, justify="right", footer=str(summary[key]))
    table.add_column("Cover", justify="right", footer=_change(before["summary"], summary))
    table.add_column("", footer=percent_bar(float(summary["percent"])))
    old = {row["name"]: row["summary"] for row in before["files"]}
    for row in after["files"]:
        now = row["summary"]
        table.add_row(
            row["name"],
            str(now["statements"]),
            _count(now["missing"], "red"),
            str(now["branches"]),
            _count(now["partialBranches"], "yellow"),
            _change(old.get(row["name"], now), now),
            percent_bar(float(now["percent"])),
        )
    return table


def _count(number: int, style: str) -> Text:
    return Text(str(number), style=style if number else "bright_black")


def _change(old: dict[str, Any], new: dict[str, Any]) -> Text:
    percent = float(new["percent"])
    figure = Text(f"{new['percentText']}%", style=f"bold {percent_style(percent)}")
    if old["percentText"] == new["percentText"]:
        return figure
    return Text.assemble((f"{old['percentText']}% → ", "bright_black"), figure)


def _what_next(console: Console, folder: Path | None) -> None:
    lines: Sequence[tuple[str, str]] = (
        ("covls report", "the same figures for a project of yours, from the data it has"),
        ("covls doctor", "what covls sees there, and why something may be missing"),
        ("covls serve", "what your editor is to start for Python files"),
    )
    console.print()
    console.print(Text("  What next", style="bold"))
    for command, words in lines:
        console.print(Text.assemble("  ", (command.ljust(16), "cyan"), words))
    if folder is not None:
        kept = Text.assemble("  the project is kept in ", (str(folder), "cyan"))
        console.print(kept, soft_wrap=True)
    console.print()


@contextmanager
def _folder(keep: bool) -> Iterator[Path]:
    """A folder for the project, taken away again unless it is to be kept."""
    if keep:
        yield Path(tempfile.mkdtemp(prefix="covls-demo-")).resolve()
        return
    # A process that has just ended may still hold a file in it on some systems.
    with tempfile.TemporaryDirectory(prefix="covls-demo-", ignore_cleanup_errors=True) as name:
        yield Path(name).resolve()
