"""Failed tests, and where they failed in a text that may have been edited since."""

from bisect import bisect_right
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from covls.core.drift import LineMap
from covls.core.lines import LineRange
from covls.core.statements import Text
from covls.core.test_events import CollectionError, Finished, Tally


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that failed, or a file whose tests could not be found, and where in which text."""

    test: str
    """The test's name, "" for a file."""
    file: str
    """Its path, absolute."""
    line: int
    """1-based."""
    message: str
    text: Text
    raised: tuple[str, int] | None = None
    """The file and line where the error was raised, if that is elsewhere."""


def place_now(failure: Failure, line_map: LineMap) -> LineRange | None:
    """Where a failure is now, by what became of its text: its statement, or what that became.

    A statement that is gone leaves it to the one before it in the same function. None where nothing
    of the function up to there is left.
    """
    starts = failure.text.starts
    index = bisect_right(starts, failure.line) - 1
    if index < 0:
        return (1, 1)
    became = {was: now for now, was in line_map.took_place if was >= 0}
    indent = _indent(failure.text, index)
    while index >= 0:
        partner = line_map.partners[index]
        now = partner if partner >= 0 else became.get(index, -1)
        if now >= 0:
            return line_map.after_starts[now], line_map.after_ends[now]
        first = failure.text.lines[starts[index] - 1].lstrip()
        if first.startswith(("def ", "async def ")) and _indent(failure.text, index) < indent:
            return None
        index -= 1
    return None


def _indent(text: Text, index: int) -> int:
    line = text.lines[text.starts[index] - 1]
    return len(line) - len(line.lstrip())


def still_failed(
    failures: Collection[Failure],
    tally: Tally,
    asked: Mapping[str, object] | None,
    *,
    root: str,
    finished: bool,
) -> list[Failure]:
    """Those of the failures before a run that it says nothing of.

    `asked` are the tests that it was to run, None for all. `finished` says that it came to its end.
    """
    seen = {*tally.finished, *tally.missing}
    if finished and asked is None:
        return []
    files = {test.partition("::")[0] for test in (*tally.collected, *(asked or ()))}

    def is_told(failure: Failure) -> bool:
        if not failure.test:
            return failure.file.removeprefix(root).replace("\\", "/").strip("/") in files
        if failure.test in seen:
            return True
        # A test that was asked for by the name of its file or class, and was not found.
        return finished and any(
            failure.test.startswith((f"{name}::", f"{name}.", f"{name}[")) for name in asked or ()
        )

    return [failure for failure in failures if not is_told(failure)]


def failed_in(tally: Tally) -> list[Finished | CollectionError]:
    """What failed in a run, tests and files."""
    return [*tally.failures, *tally.errors]
