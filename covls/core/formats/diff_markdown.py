"""The coverage of a patch as Markdown, for comments and summaries."""

from collections.abc import Iterator

from covls.core.formats.diff_text import figures, stale_sentence, told_words
from covls.core.patched import PatchedFile, PatchedFiles, StaleLines, sections
from covls.core.report import counted, escape_markdown, printable


def diff_markdown(patched: PatchedFiles, precision: int) -> Iterator[str]:
    """The lines: figures in a table, and the code that lacks tests behind a click each."""
    base = escape_markdown(printable(patched.base))
    yield f"**The patch against {base}:** {_text(figures(patched.totals, precision))}"
    told = [file for file in patched.files if file.patch.totals.stale or file.patch.totals.counted]
    if told:
        yield ""
        yield "| File | Patch |"
        yield "| --- | --- |"
        for file in told:
            yield f"| {_text(file.name)} | {_text(figures(file.patch.totals, precision))} |"
    for file in told:
        yield from _details(file)
    if patched.left_out:
        yield ""
        names = ", ".join(f"{_text(each.name)}" for each in patched.left_out)
        yield f"In no figure: {counted(len(patched.left_out), 'file')} ({names})."
    if patched.totals.stale:
        yield ""
        yield f"{_text(stale_sentence(patched.totals))} Run the tests again."


def _details(file: PatchedFile) -> Iterator[str]:
    found = sections(file)
    if not found:
        return
    yield ""
    yield f"<details><summary>{_html(file.name)}</summary>"
    yield ""
    for section in found:
        lines = [
            printable(file.lines[line - 1].expandtabs()) if line <= len(file.lines) else ""
            for line in range(section.first, section.last + 1)
        ]
        longest = max((_backticks(line) for line in lines), default=0)
        fence = "`" * max(3, longest + 1)
        for told in section.told:
            lines_of = f"{told.first}" if told.first == told.last else f"{told.first}-{told.last}"
            yield f"- {lines_of}: {_text(told_words(told))}"
        yield ""
        yield f"{fence}diff"
        for number, line in enumerate(lines, section.first):
            told_here = section.marked(number)
            if told_here is None:
                sign = " "
            else:
                sign = "!" if isinstance(told_here, StaleLines) else "-"
            yield f"{sign} {number:>4}  {line}".rstrip()
        yield fence
        yield ""
    yield "</details>"


def _backticks(line: str) -> int:
    """The length of the longest run of backticks."""
    longest = run = 0
    for char in line:
        run = run + 1 if char == "`" else 0
        longest = max(longest, run)
    return longest


def _text(text: str) -> str:
    return escape_markdown(printable(text))


def _html(text: str) -> str:
    shown = printable(text)
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
