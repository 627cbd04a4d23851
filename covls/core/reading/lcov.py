"""LCOV's tracefiles, as `coverage lcov` and many others write them."""

from collections.abc import Iterable

from covls.core.detail import bits_of, places
from covls.core.history import RecordedBranch, RecordedFile, RecordedFunction, counts, merged
from covls.core.reading.values import ReadReport, WrongReportError, file_of_lines, line_number


def read_lcov(text: str) -> ReadReport:
    """A report by its text. Raises WrongReportError."""
    files: dict[str, RecordedFile] = {}
    path: str | None = None
    hits: dict[int, bool] = {}
    ways: dict[int, list[bool]] = {}
    functions: dict[str, tuple[int, int]] = {}
    seen = branches = False
    for line in text.splitlines():
        kind, _, rest = line.strip().partition(":")
        if kind == "SF":
            path, hits, ways, functions = rest, {}, {}, {}
            seen = True
        elif kind == "end_of_record" and path is not None:
            file = file_of_lines(path, hits, _branches(ways), _functions(functions, hits, ways))
            files[path] = merged(files[path], file) if path in files else file
            path = None
        elif path is None:
            continue
        elif kind == "DA":
            number, _, count = rest.partition(",")
            hit = count.partition(",")[0] != "0"
            hits[line_number(number)] = hits.get(line_number(number), False) or hit
        elif kind == "BRDA":
            number, taken = rest.partition(",")[0], rest.rpartition(",")[2]
            ways.setdefault(line_number(number), []).append(taken not in ("-", "0"))
            branches = True
        elif kind == "FN":
            first, last, name = _function(rest)
            functions[name] = (first, last)
    if not seen:
        raise WrongReportError("it is no LCOV tracefile")
    return ReadReport(tuple(files.values()), branches, {"lcov": "import"})


def _function(rest: str) -> tuple[int, int, str]:
    """First line, last line and name; older ones leave the last line out, which is then 0."""
    first, _, after = rest.partition(",")
    last, _, name = after.partition(",")
    if last.isdigit() and name:
        return line_number(first), line_number(last), name
    return line_number(first), 0, after


def _branches(ways: dict[int, list[bool]]) -> list[RecordedBranch]:
    return [
        (line, len(taken), tuple(place for place, took in enumerate(taken, 1) if not took))
        for line, taken in ways.items()
    ]


def _functions(
    functions: dict[str, tuple[int, int]], hits: dict[int, bool], ways: dict[int, list[bool]]
) -> tuple[RecordedFunction, ...]:
    """Functions whose last line is told, each without those within it."""
    spans = sorted((first, last, name) for name, (first, last) in functions.items() if last)
    inner = {
        name: bits_of(line for line in hits if first < line <= last or first == last == line)
        for first, last, name in spans
    }
    branches = _branches(ways)
    found = []
    for first, last, name in spans:
        own = inner[name]
        for other_first, other_last, other in spans:
            if first < other_first and other_last <= last:
                own &= ~inner[other]
        executed = bits_of(line for line in places(own) if hits[line])
        here = (branch for branch in branches if own >> branch[0] & 1)
        found.append(RecordedFunction(name, first, last, counts(own, executed, here), own))
    return tuple(found)


def is_lcov(lines: Iterable[str]) -> bool:
    """Whether a text that begins so is a tracefile."""
    return any(line.startswith(("SF:", "TN:")) for line in lines)
