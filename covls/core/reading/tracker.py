"""Rows of a table `coverage_history`, which older scripts kept in SQLite, one for each run."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from covls.core.coverage import Totals
from covls.core.reading.coverage_json import read_json
from covls.core.reading.values import ReadReport, WrongReportError

COLUMNS: Final = (
    "timestamp",
    "commit_hash",
    "branch",
    "overall_coverage",
    "total_statements",
    "covered_statements",
    "coverage_data",
)


def read_row(row: Mapping[str, Any]) -> ReadReport:
    """A row, with the files of the JSON report that it may hold. Raises WrongReportError."""
    made = _moment(row["timestamp"])
    data = row["coverage_data"]
    if data:
        with suppress(ValueError, RecursionError):
            report = read_json(json.loads(data))
            if report.files:
                return ReadReport(report.files, report.has_branches, report.by, made)
    try:
        statements, covered = int(row["total_statements"]), int(row["covered_statements"])
    except (TypeError, ValueError) as error:
        raise WrongReportError("a row of it has no counts of statements") from error
    if not 0 <= covered <= statements:
        raise WrongReportError(f"a row of it has {covered} of {statements} statements covered")
    totals = Totals(n_statements=statements, n_missing=statements - covered)
    return ReadReport((), False, {"coverage_history": "import"}, made, totals=totals)


def _moment(value: object) -> datetime:
    """A time as seconds since 1970, or as text; without a zone it is taken for UTC."""
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        found = datetime.fromisoformat(str(value))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise WrongReportError(f"{str(value)[:40]!r} is no time") from error
