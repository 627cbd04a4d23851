"""What is told of a failure: short words, and where in the test it happened."""

from __future__ import annotations

import os
import traceback
from types import TracebackType
from typing import Any, Dict, Optional, Sequence, Tuple

LONGEST = 8000


def shortened(text: str, longest: int = LONGEST) -> str:
    """A text's beginning and, more of it, its end, where the exception is."""
    if len(text) <= longest:
        return text
    left = " […] "
    end = (longest - len(left)) * 3 // 4
    return text[: longest - len(left) - end] + left + text[-end:]


def message_of(error: BaseException) -> str:
    """An exception in a few words, as the last line of its traceback has it."""
    try:
        words = "".join(traceback.format_exception_only(type(error), error)).strip()
    except Exception:  # noqa: BLE001 - a broken __str__ of the user's
        words = type(error).__name__
    return shortened(words, 300)


def places(entries: Sequence[Tuple[str, int]], file: str) -> Dict[str, Any]:
    """Where in the test's own file it failed, and where that was raised if elsewhere.

    `entries` are the path and the 1-based line of each frame, the innermost last.
    """
    if not entries:
        return {"file": None, "line": None}
    own = [entry for entry in entries if os.path.normcase(entry[0]) == os.path.normcase(file)]
    place = own[-1] if own else entries[-1]
    found: Dict[str, Any] = {"file": place[0], "line": place[1]}
    if entries[-1] != place:
        found["source_file"], found["source_line"] = entries[-1]
    return found


def frames(found: Optional[TracebackType]) -> Sequence[Tuple[str, int]]:
    """The path and line of each frame of a traceback."""
    return [
        (os.path.abspath(frame.f_code.co_filename), line)
        for frame, line in traceback.walk_tb(found)
    ]


def text_of(error: BaseException) -> str:
    """An exception's whole traceback."""
    return "".join(traceback.format_exception(type(error), error, error.__traceback__))


def error_place(error: BaseException, file: str, root: str) -> Dict[str, Any]:
    """Where a file could not be read: the innermost line of the project, or where syntax fails."""
    if isinstance(error, SyntaxError) and error.filename:
        return {"file": os.path.abspath(error.filename), "line": error.lineno}
    inside = os.path.join(root, "")
    found = [
        entry
        for entry in frames(error.__traceback__)
        if entry[0].startswith(inside) and "site-packages" not in entry[0]
    ]
    place = found[-1] if found else (file, None)
    return {"file": place[0], "line": place[1]}
