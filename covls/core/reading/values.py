"""What is read of a report, whatever its format, and where its files are in a project."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from covls.core.coverage import Totals
from covls.core.detail import bits_of
from covls.core.history import RecordedBranch, RecordedFile, RecordedFunction, counts, merged


class WrongReportError(ValueError):
    """A report cannot be read: the message says why."""


@dataclass(frozen=True, slots=True)
class ReadReport:
    """What a report says of one run."""

    files: tuple[RecordedFile, ...]
    has_branches: bool
    by: Mapping[str, str]
    """What made it, as a run's `versions`."""
    made: datetime | None = None
    """When it was made, in UTC."""
    folders: tuple[str, ...] = ()
    """The folders that paths may be relative to, with slashes."""
    totals: Totals | None = None
    """The counts of all code, where the report does not tell files apart."""


def file_of_lines(
    path: str,
    hits: Mapping[int, bool],
    branches: Sequence[RecordedBranch] = (),
    functions: tuple[RecordedFunction, ...] = (),
    *,
    excluded: int = 0,
) -> RecordedFile:
    """A file by its statements and whether they ran; `excluded` is how many lines are."""
    statements = bits_of(hits)
    executed = bits_of(line for line, hit in hits.items() if hit)
    ordered = tuple(sorted(branches))
    partial = bits_of(line for line, _, ends in ordered if ends) & executed
    totals = counts(statements, executed, ordered, excluded=excluded, files=1)
    return RecordedFile(path, "", totals, statements, executed, partial, functions, ordered)


def line_number(value: object) -> int:
    """A number of a line. Raises WrongReportError for what is none, or beyond any file."""
    try:
        number = int(str(value))
    except ValueError:
        number = 0
    if not 0 < number < 10_000_000:
        raise WrongReportError(f"{str(value)[:40]!r} is no number of a line")
    return number


def placed(report: ReadReport, known: Collection[str]) -> ReadReport:
    """A report whose files have their paths in a project, as far as these are `known` there.

    What another machine called `/builds/shop/app/models.py` is the longest end of it that is
    known. Files that then have the same path are one.
    """
    found: dict[str, RecordedFile] = {}
    for file in report.files:
        path = place_of(file.path, report.folders, known)
        moved = replace(file, path=path)
        found[path] = merged(found[path], moved) if path in found else moved
    return replace(report, files=tuple(found.values()))


def place_of(path: str, folders: Iterable[str], known: Collection[str]) -> str:
    """The longest end of a path, or of it below one of some folders, that is known; else itself."""
    path = path.replace("\\", "/").removeprefix("./")
    for whole in (path, *(f"{folder.rstrip('/')}/{path}" for folder in folders)):
        parts = whole.split("/")
        for first in range(len(parts)):
            if (end := "/".join(parts[first:])) in known:
                return end
    return path
