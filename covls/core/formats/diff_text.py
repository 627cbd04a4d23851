"""The coverage of a patch, for people at a terminal: figures, and the code that lacks tests."""

from collections.abc import Iterator

from covls.core.coverage import percent_text
from covls.core.formats.gates_text import gap_words
from covls.core.gaps import Gap
from covls.core.gates import shares, stale_words
from covls.core.patch import PatchTotals
from covls.core.patched import PatchedFile, PatchedFiles, StaleLines, sections
from covls.core.report import counted, printable


def diff_text(patched: PatchedFiles, precision: int) -> Iterator[str]:
    """The lines to print. `!` stands before code that lacks tests, `?` before stale code."""
    yield f"The patch against {printable(patched.base)}: {figures(patched.totals, precision)}"
    told = [file for file in patched.files if file.patch.totals.stale or file.patch.totals.counted]
    for file in told:
        yield ""
        new = " (new)" if file.is_new else ""
        yield f"{printable(file.name)}{new}: {figures(file.patch.totals, precision)}"
        yield from _sections(file)
    if patched.left_out:
        yield ""
        yield f"In no figure: {counted(len(patched.left_out), 'file')}."
        for left_out in patched.left_out:
            yield f"  {printable(left_out.name)}: {printable(left_out.reason)}"
    if patched.totals.stale:
        yield ""
        yield f"{stale_sentence(patched.totals)} Run the tests again: covls run --affected"


def figures(totals: PatchTotals, precision: int) -> str:
    """A patch's figure with its counts, and what of it is in none."""
    words = []
    if totals.percent is not None:
        covered, possible = shares(totals.known)
        things = "statements and branches" if totals.known.n_branches else "statements"
        text = percent_text(totals.percent, precision)
        words.append(f"{text}% ({covered} of {possible} {things})")
    if totals.stale:
        words.append(stale_words(totals))
    return "; ".join(words) or "no statement that is counted"


def stale_sentence(totals: PatchTotals) -> str:
    """That statements are in no figure, and why."""
    words = stale_words(totals)
    return f"In no figure: {words}."


def told_words(told: Gap | StaleLines) -> str:
    """What is said of a gap or of stale lines."""
    if isinstance(told, StaleLines):
        return told.words
    return gap_words(told)


def _sections(file: PatchedFile) -> Iterator[str]:
    if file.unknown and not file.patch.lines:
        yield f"  {printable(file.unknown)}"
    for section in sections(file):
        yield "  ..."
        width = len(str(section.last))
        for line in range(section.first, section.last + 1):
            told = section.marked(line)
            sign = " " if told is None else "?" if isinstance(told, StaleLines) else "!"
            text = file.lines[line - 1] if line <= len(file.lines) else ""
            shown = f"{sign} {line:>{width}}  {printable(text.expandtabs())}".rstrip()
            if told is not None and line == told.first:
                shown = f"{shown}    # {printable(told_words(told))}"
            yield f"  {shown}"
