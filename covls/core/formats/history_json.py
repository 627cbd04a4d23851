"""Runs of a history as plain values, for scripts."""

from typing import Any

from covls.core.coverage import Totals
from covls.core.history import RecordedFile, RecordedFunction, Run, lines_of


def totals_values(totals: Totals) -> dict[str, Any]:
    """Counts under the names of coverage.py's JSON report."""
    return {
        "percent_covered": totals.percent,
        "num_statements": totals.n_statements,
        "covered_lines": totals.n_executed,
        "missing_lines": totals.n_missing,
        "excluded_lines": totals.n_excluded,
        "num_branches": totals.n_branches,
        "num_partial_branches": totals.n_partial_branches,
        "covered_branches": totals.n_executed_branches,
        "missing_branches": totals.n_missing_branches,
    }


def run_values(run: Run) -> dict[str, Any]:
    """A run without its files."""
    return {
        "number": run.number,
        "commit": run.commit.id,
        "parents": list(run.commit.parents),
        "branch": run.commit.branch,
        "authored": run.commit.authored.isoformat(),
        "subject": run.commit.subject,
        "flags": list(run.flags),
        "recorded": run.recorded.isoformat(),
        "clean": run.clean,
        "versions": dict(run.versions),
        "has_branches": run.has_branches,
        "files": run.totals.n_files,
        "totals": totals_values(run.totals),
    }


def file_values(file: RecordedFile) -> dict[str, Any]:
    """A recorded file, with its functions."""
    return {
        "path": file.path,
        "source": file.source or None,
        "totals": totals_values(file.totals),
        "executed_lines": lines_of(file.executed),
        "missing_lines": lines_of(file.missing),
        "partial_lines": lines_of(file.partial),
        "functions": [_function_values(function) for function in file.functions],
    }


def _function_values(function: RecordedFunction) -> dict[str, Any]:
    return {
        "name": function.name,
        "first_line": function.first,
        "last_line": function.last,
        "totals": totals_values(function.totals),
    }
