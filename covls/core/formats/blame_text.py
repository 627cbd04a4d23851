"""Since when the lines of a file are as they are, for people at a terminal."""

from collections.abc import Iterator, Sequence
from typing import Final

from covls.core.history import Run
from covls.core.report import printable
from covls.core.since import Before, Since

WORDS: Final = {
    Before.MISSING: "was missed before",
    Before.PARTIAL: "was partly covered before",
    Before.COVERED: "was covered before",
    Before.NOTHING: "new or changed then",
    Before.UNKNOWN: "or for longer: the oldest run",
}


def blame_text(
    blocks: Sequence[Since], runs: Sequence[Run], lines: Sequence[str] | None
) -> Iterator[str]:
    """The lines to print. `runs` are those that were looked at, `lines` the text, if known."""
    width = max((len(range_of(block)) for block in blocks), default=0)
    for block in blocks:
        commit = runs[block.run].commit
        text = ""
        if lines is not None and block.lines[0] <= len(lines):
            text = lines[block.lines[0] - 1].strip().expandtabs()
        yield printable(
            f"{block.state.value:<7}  since {commit.id[:7]}  {commit.authored:%Y-%m-%d}  "
            f"{WORDS[block.before]:<29}  {range_of(block):>{width}}  {text[:60]}"
        ).rstrip()


def range_of(block: Since) -> str:
    """The lines of a block: "3-5"."""
    first, last = block.lines
    return f"{first}" if first == last else f"{first}-{last}"
