"""Cobertura of other tools than coverage.py, whose own is imported by the tests of the command."""

from datetime import UTC, datetime

import pytest

from covls.core.history import lines_of
from covls.core.reading.cobertura import read_cobertura
from covls.core.reading.values import WrongReportError, placed

REPORT = """\
<?xml version="1.0"?>
<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">
<coverage version="2.1" timestamp="1700000000">
<sources><source>/build/shop/src</source></sources>
<packages><package name="app"><classes>
<class name="A" filename="app\\models.py"><lines>
  <line number="1" hits="12"/>
  <line number="2" hits="1" branch="true" condition-coverage="33% (1/3)"/>
</lines></class>
<class name="B" filename="app\\models.py"><lines>
  <line number="9" hits="0" branch="true" condition-coverage="0% (0/2)" missing-branches="10,exit"/>
</lines></class>
</classes></package></packages></coverage>
"""


def test_classes_of_one_file_are_one() -> None:
    """Each with its lines; paths are found below the folders that the report names."""
    report = read_cobertura(REPORT)
    assert report.made == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    (file,) = report.files
    assert (lines_of(file.statements), lines_of(file.executed)) == ([1, 2, 9], [1, 2])
    assert file.branches == ((2, 3, (1, 2)), (9, 2, (10, -1)))
    assert (file.totals.n_partial_branches, file.totals.n_missing_branches) == (2, 4)
    (found,) = placed(report, {"src/app/models.py", "other/models.py"}).files
    assert found.path == "src/app/models.py"
    (unknown,) = placed(report, {"models"}).files
    assert unknown.path == "app/models.py"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<coverage>", "damaged"),
        ("<testsuites/>", "no Cobertura"),
        ('<!DOCTYPE c [<!ENTITY a "aaaa">]><coverage>&a;</coverage>', "entities"),
        ("<coverage><class/></coverage>", "names no file"),
    ],
)
def test_what_is_no_report(text: str, words: str) -> None:
    """Is refused with the reason."""
    with pytest.raises(WrongReportError, match=words):
        read_cobertura(text)
