"""coverage.py's JSON report, as `coverage json` and `covls report --format json` write it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from covls.core.coverage import Totals
from covls.core.detail import bits_of
from covls.core.history import RecordedBranch, RecordedFile, RecordedFunction
from covls.core.reading.values import ReadReport, WrongReportError, file_of_lines, line_number


def read_json(found: object) -> ReadReport:
    """A report by its parsed JSON. Raises WrongReportError."""
    try:
        assert isinstance(found, dict)
        meta = found.get("meta", {})
        files = [_file(path, about) for path, about in found["files"].items()]
        version = str(meta.get("version", ""))
        made = meta.get("timestamp")
        return ReadReport(
            tuple(files),
            any(file.totals.n_branches for file in files) or bool(meta.get("branch_coverage")),
            {"coverage": version} if version else {},
            # coverage.py writes the time of the machine's own zone, and does not say which.
            datetime.fromisoformat(made).astimezone(UTC) if made else None,
        )
    except WrongReportError:
        raise
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise WrongReportError("it is no JSON report of coverage.py's") from error


def _file(path: str, about: Mapping[str, Any]) -> RecordedFile:
    file = file_of_lines(
        path, _hits(about), _ways(about), excluded=len(about.get("excluded_lines", ()))
    )
    functions = tuple(
        _function(name, region) for name, region in (about.get("functions") or {}).items() if name
    )
    totals = replace(_totals(about["summary"], file.totals), n_files=1)
    return replace(file, functions=functions, totals=totals)


def _hits(about: Mapping[str, Any]) -> dict[int, bool]:
    hits = {line_number(line): False for line in about["missing_lines"]}
    return hits | {line_number(line): True for line in about["executed_lines"]}


def _ways(about: Mapping[str, Any]) -> list[RecordedBranch]:
    ways: dict[int, int] = {}
    ends: dict[int, list[int]] = {}
    for name in ("executed_branches", "missing_branches"):
        for line, end in about.get(name, ()):
            ways[line_number(line)] = ways.get(line, 0) + 1
            if name == "missing_branches":
                ends.setdefault(line, []).append(int(end))
    return [(line, number, tuple(ends.get(line, ()))) for line, number in ways.items()]


def _totals(summary: Mapping[str, Any], counted: Totals) -> Totals:
    """The counts that the report gives: branches that a comment excuses are in no list."""
    return Totals(
        n_statements=int(summary["num_statements"]),
        n_excluded=int(summary["excluded_lines"]),
        n_missing=int(summary["missing_lines"]),
        n_branches=int(summary.get("num_branches", counted.n_branches)),
        n_partial_branches=int(summary.get("num_partial_branches", counted.n_partial_branches)),
        n_missing_branches=int(summary.get("missing_branches", counted.n_missing_branches)),
    )


def _function(name: str, about: Mapping[str, Any]) -> RecordedFunction:
    lines = sorted(_hits(about)) + sorted(map(line_number, about.get("excluded_lines", ())))
    first = about.get("start_line") or min(lines, default=1)
    last = max(lines, default=first)
    inner = file_of_lines("", _hits(about), _ways(about)).totals
    own = bits_of(_hits(about))
    return RecordedFunction(name, line_number(first), last, _totals(about["summary"], inner), own)
