"""The comment on a pull request: its text, made to fit, and known again by a mark of its own."""

import re
from collections.abc import Iterable
from typing import Final

MARKER: Final = "<!-- covls: the coverage of this pull request -->"
"""The first line of the comment, which is not shown, and by which it is found again."""

LIMIT: Final = 65_536
"""Characters that GitHub takes in a comment."""

_SPARE: Final = 512  # For what GitHub may count otherwise, and for the sentence about the rest.

_BLOCK: Final = re.compile(r"^<details>.*?^</details>\n?", re.MULTILINE | re.DOTALL)


def compose(parts: Iterable[str], commit: str = "") -> str:
    """Return the text of the comment from parts in Markdown, for a commit."""
    of_commit = f" of {commit[:10]}" if commit else ""
    body = "\n\n".join(part.strip() for part in parts if part.strip())
    return fit(f"{MARKER}\n## Coverage{of_commit}\n\n{body}\n")


def marked(text: str) -> str:
    """Return a text as a comment that is found again, and fits, whoever wrote it."""
    bare = text.replace("\0", "").replace(MARKER, "").strip()
    return fit(f"{MARKER}\n{bare}\n")


def is_ours(body: str) -> bool:
    """Whether a comment is one of covls's own."""
    return body.lstrip().startswith(MARKER)


def fit(text: str, limit: int = LIMIT) -> str:
    """Return a text with as much left out as it takes, and with a word about it.

    First the code of files goes, the last one's first, then lines from the end.
    """
    most = limit - _SPARE
    if _size(text) <= most:
        return text
    left_out = 0
    size = _size(text)
    for block in reversed(list(_BLOCK.finditer(text))):
        if size <= most:
            break
        text = text[: block.start()] + text[block.end() :]
        size -= _size(block[0])
        left_out += 1
    cut = size > most
    if cut:
        text = text.encode("utf-16-le", "surrogatepass")[: 2 * most].decode("utf-16-le", "ignore")
        # The last line is not whole; it may be longer than all that fits.
        head = text.rpartition("\n")[0]
        text = head if "\n" in head else text
    files = "The code of one file is" if left_out == 1 else f"The code of {left_out} files is"
    said = f"{files} left out" if left_out else ""
    said += (", and more, " if said else "More is left out, ") if cut else ""
    return f"{text.rstrip()}\n\n_{said.rstrip(', ')}: a comment holds {limit:,} characters._\n"


def _size(text: str) -> int:
    """Characters as JavaScript counts them, so that none counts for less than GitHub has it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
