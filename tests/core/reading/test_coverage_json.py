"""JSON that is none of coverage.py's; its own is imported by the tests of the command."""

import pytest

from covls.core.reading.coverage_json import read_json
from covls.core.reading.values import WrongReportError

SUMMARY = {"num_statements": 2, "excluded_lines": 0, "missing_lines": 1}


def test_a_report_of_an_old_coverage() -> None:
    """Which has no functions and no branches, and no format."""
    file = {"executed_lines": [1], "missing_lines": [3], "summary": SUMMARY}
    report = read_json({"meta": {"version": "5.0"}, "files": {"a.py": file}})
    (found,) = report.files
    assert (report.by, report.made, report.has_branches) == ({"coverage": "5.0"}, None, False)
    assert (found.executed, found.missing, found.functions) == (0b10, 0b1000, ())


@pytest.mark.parametrize(
    "found",
    [
        [],
        {},
        {"files": []},
        {"files": {"a.py": {}}},
        {"files": {"a.py": {"executed_lines": ["x"], "missing_lines": [], "summary": SUMMARY}}},
        {"files": {}, "meta": {"timestamp": "whenever"}},
    ],
)
def test_what_is_no_report(found: object) -> None:
    """Is refused."""
    with pytest.raises(WrongReportError):
        read_json(found)
