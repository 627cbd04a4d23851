"""Commits and files made up for tests of a history."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from covls.core.detail import bits_of
from covls.core.history import Commit, RecordedFile, RecordedFunction, counts, source_name

START = datetime(2026, 1, 1, tzinfo=UTC)


def commit(number: int, branch: str | None = "main", *, day: int | None = None) -> Commit:
    """The commit of a number; its parent is the one before."""
    parents = (f"{number - 1:040x}",) if number else ()
    authored = START + timedelta(days=number if day is None else day)
    return Commit(f"{number:040x}", parents, branch, authored=authored, subject=f"Do {number}")


def file(path: str, executed: Iterable[int] = (1, 2, 4), lines: int = 6) -> RecordedFile:
    """A file whose every line is a statement, with a function on lines 2 to 4, which branches."""
    statements, ran = bits_of(range(1, lines + 1)), bits_of(executed)
    branches = ((3, 2, ()), (4, 3, (5, -2)))
    function = bits_of([2, 3, 4])
    inner = counts(function, ran & function, branches)
    return RecordedFile(
        path,
        source_name(f"{path} has {lines} lines"),
        counts(statements, ran, branches, excluded=1, files=1),
        statements,
        ran,
        bits_of([4]) & ran,
        (RecordedFunction("ä.price", 2, 4, inner, function),),
        branches,
    )
