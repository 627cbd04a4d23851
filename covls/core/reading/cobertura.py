"""Cobertura's XML, as `coverage xml` and many others write it."""

import re
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, ParseError, fromstring

from covls.core.history import RecordedBranch, RecordedFile, merged
from covls.core.reading.values import ReadReport, WrongReportError, file_of_lines, line_number

_SHARE = re.compile(r"\((\d+)/(\d+)\)")


def read_cobertura(text: str) -> ReadReport:
    """A report by its text. Raises WrongReportError."""
    # A report has no entities of its own; a text that has may be made to fill the memory.
    if "<!ENTITY" in text:
        raise WrongReportError("its XML declares entities")
    try:
        root = fromstring(text)  # noqa: S314
    except ParseError as error:
        raise WrongReportError(f"its XML is damaged: {error}") from error
    if root.tag != "coverage":
        raise WrongReportError("it is no Cobertura report")
    files: dict[str, RecordedFile] = {}
    branches = False
    for each in root.iter("class"):
        name = each.get("filename")
        if name is None:
            raise WrongReportError("a class of it names no file")
        file, has_branches = _file(name, each)
        branches = branches or has_branches
        files[name] = _together(files[name], file) if name in files else file
    version = root.get("version", "")
    return ReadReport(
        tuple(files.values()),
        branches,
        {"coverage" if re.match(r"[4-9]\.", version) else "cobertura": version or "import"},
        _made(root.get("timestamp", "")),
        tuple(source.text.strip() for source in root.iter("source") if source.text),
    )


def _file(name: str, each: Element) -> tuple[RecordedFile, bool]:
    hits: dict[int, bool] = {}
    branches: list[RecordedBranch] = []
    seen = False
    for line in each.findall("lines/line"):
        number = line_number(line.get("number"))
        hits[number] = line.get("hits", "0") != "0"
        if line.get("branch") == "true":
            seen = True
            share = _SHARE.search(line.get("condition-coverage", ""))
            taken, ways = (int(share[1]), int(share[2])) if share else (0, 0)
            if ways:
                ends = _ends(line.get("missing-branches", ""), max(ways - taken, 0))
                branches.append((number, ways, ends))
    return file_of_lines(name, hits, branches), seen


def _ends(words: str, count: int) -> tuple[int, ...]:
    ends = [-1 if word == "exit" else int(word) for word in words.split(",") if word]
    # Where the report does not say where the ways lead, they are told by their places.
    return tuple(ends) if len(ends) == count else tuple(range(1, count + 1))


def _together(one: RecordedFile, other: RecordedFile) -> RecordedFile:
    """Two classes of one file, each with lines of its own."""
    if one.statements == other.statements:
        return merged(one, other)
    both = {
        line: bool((one.executed | other.executed) >> line & 1)
        for line in range((one.statements | other.statements).bit_length())
        if (one.statements | other.statements) >> line & 1
    }
    branches = {branch[0]: branch for branch in (*one.branches, *other.branches)}
    return file_of_lines(one.path, both, list(branches.values()))


def _made(timestamp: str) -> datetime | None:
    """In seconds as the format has it, or in milliseconds as coverage.py writes it."""
    if not timestamp.isdigit():
        return None
    number = int(timestamp)
    number = number // 1000 if number > 100_000_000_000 else number
    return datetime.fromtimestamp(number, UTC) if 0 < number < 32_503_680_000 else None
