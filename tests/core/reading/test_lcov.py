"""LCOV of other tools than coverage.py, whose own is imported by the tests of the command."""

import pytest

from covls.core.history import lines_of
from covls.core.reading.lcov import read_lcov
from covls.core.reading.values import WrongReportError

TWICE = """\
TN:first
SF:src/a.py
FN:1,outer
FN:2,6,inner
FNDA:1,outer
DA:1,4
DA:2,0
DA:3,0,checksum
DA:5,1
BRDA:5,0,0,3
BRDA:5,0,1,-
LF:4
LH:2
end_of_record
TN:second
SF:src/a.py
DA:1,0
DA:2,1
DA:3,0
DA:5,1
BRDA:5,0,0,0
BRDA:5,0,1,2
end_of_record
DA:1,1
"""


def test_a_file_that_several_tests_ran_is_one() -> None:
    """What any of them ran has run; functions whose last line is not told are left out."""
    report = read_lcov(TWICE)
    (file,) = report.files
    assert (file.path, file.source, report.has_branches) == ("src/a.py", "", True)
    assert (lines_of(file.executed), lines_of(file.missing)) == ([1, 2, 5], [3])
    assert file.branches == ((5, 2, ()),)
    (function,) = file.functions
    assert (function.name, function.first, function.last) == ("inner", 2, 6)
    assert (function.totals.n_statements, function.totals.n_missing) == (2, 1)


@pytest.mark.parametrize(
    "text", ["", "DA:1,1\n", "SF:a.py\nDA:x,1\n", "SF:a.py\nDA:0,1\n", f"SF:a.py\nDA:{10**12},1\n"]
)
def test_what_is_no_tracefile(text: str) -> None:
    """Is refused, and no number makes a set of lines that fills the memory."""
    with pytest.raises(WrongReportError):
        read_lcov(text)
