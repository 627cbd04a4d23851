"""What of a base's report is still there, and what is no report."""

from typing import Any

import pytest

from covls.core.base_report import WrongReportError, base_totals

FILE = {
    "executed_lines": [1, 2, 5],
    "missing_lines": [6, 7],
    "executed_branches": [[2, 3]],
    "missing_branches": [[2, 5], [6, 7]],
}
REPORT: dict[str, Any] = {"files": {"a.py": FILE, "b\\c.py": FILE}}


def figures(names: set[str], gone: dict[str, list[tuple[int, int]]]) -> tuple[int, int, int, int]:
    totals = base_totals(REPORT, names, gone)
    return (
        totals.n_statements,
        totals.n_missing,
        totals.n_branches,
        totals.n_missing_branches,
    )


def test_what_is_gone_leaves_the_base() -> None:
    assert figures({"a.py", "b/c.py"}, {}) == (10, 4, 6, 4)
    assert figures({"a.py"}, {}) == (5, 2, 3, 2), "the other file was deleted"
    assert figures({"a.py"}, {"a.py": [(5, 6)]}) == (3, 1, 2, 1)
    assert figures({"a.py"}, {"a.py": [(1, 2), (7, 9)]}) == (2, 1, 1, 1)


def test_lines_without_branches() -> None:
    file = {"executed_lines": [1], "missing_lines": [2]}
    assert base_totals({"files": {"a.py": file}}, {"a.py"}, {}).n_statements == 2


@pytest.mark.parametrize(
    "report", [None, [], {}, {"files": []}, {"files": {"a.py": {}}}, {"files": {"a.py": 3}}]
)
def test_what_is_no_report(report: object) -> None:
    with pytest.raises(WrongReportError):
        base_totals(report, {"a.py"}, {})
