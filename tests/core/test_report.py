"""Rows and tables, beside the functions of coverage.py that they equal."""

import pytest
from coverage.misc import human_sorted, neutralize_control
from coverage.report import escape_markdown as their_escape
from coverage.results import format_lines, should_fail_under
from hypothesis import given
from hypothesis import strategies as st

from covls.core.analysis import Analysis
from covls.core.coverage import FileCoverage, Totals
from covls.core.report import (
    Row,
    below_threshold,
    escape_markdown,
    markdown_table,
    missing_words,
    plain_table,
    printable,
    tabulate,
)


def some_coverage(
    statements: set[int], executed: set[int], missing_branches: dict[int, tuple[int, ...]]
) -> FileCoverage:
    nothing: frozenset[int] = frozenset()
    analysis = Analysis(
        frozenset(statements), nothing, nothing, {}, {}, {}, {}, {}, (), nothing, 99
    )
    return FileCoverage(
        analysis,
        frozenset(statements),
        nothing,
        frozenset(executed),
        True,
        {},
        {},
        missing_branches,
    )


LINES = st.sets(st.integers(1, 60), max_size=40)


@given(LINES, LINES, st.dictionaries(st.integers(1, 60), st.sets(st.integers(-60, 60), min_size=1)))
def test_missing_words_are_coverages(
    statements: set[int], executed: set[int], missed: dict[int, set[int]]
) -> None:
    branches = {line: tuple(sorted(ends - {0})) for line, ends in missed.items()}
    missing = statements - executed
    theirs = format_lines(statements, missing, [(line, list(e)) for line, e in branches.items()])
    assert missing_words(some_coverage(statements, executed & statements, branches)) == theirs


@given(
    st.fractions(0, 100).map(float),
    st.one_of(st.sampled_from([0.0, 50.0, 99.5, 99.99, 100.0]), st.decimals(0, 100, places=2)),
    st.integers(0, 4),
)
def test_thresholds_are_coverages(percent: float, threshold: object, precision: int) -> None:
    limit = float(str(threshold))
    said = below_threshold(percent, limit, precision)
    assert bool(said) == should_fail_under(percent, limit, precision)


@pytest.mark.parametrize(
    ("percent", "threshold", "words"),
    [
        (79.6, 80, ""),  # rounds to 80, as it is shown
        (79.4, 80, "total of 79 is less than fail_under=80"),
        (99.99, 100, "total of 99 is less than fail_under=100"),
        (79.44, 79.5, "total of 79.4 is less than fail_under=79.5"),
        (100, 100, ""),
    ],
)
def test_what_is_said_of_a_threshold(percent: float, threshold: float, words: str) -> None:
    assert below_threshold(percent, threshold, 0) == words


@given(st.text())
def test_texts_are_made_harmless_as_coverage_does(text: str) -> None:
    assert printable(text) == neutralize_control(text)
    assert escape_markdown(text) == their_escape(text)


@given(st.lists(st.text("ab019_/.", min_size=1), unique=True))
def test_names_are_sorted_as_coverage_does(names: list[str]) -> None:
    table = tabulate([Row(name, Totals()) for name in names], branches=False)
    assert [row.name for row in table.rows] == human_sorted(names)


def test_what_is_skipped_still_counts() -> None:
    rows = [
        Row("full.py", Totals(n_files=1, n_statements=4)),
        Row("half.py", Totals(n_files=1, n_statements=4, n_missing=2)),
        Row("none.py", Totals(n_files=1)),
    ]
    table = tabulate(rows, branches=False, skip_covered=True, skip_empty=True)
    assert [row.name for row in table.rows] == ["half.py"]
    assert table.percent(table.totals) == "75"
    assert "2 files skipped due to complete coverage." in list(plain_table(table))


@pytest.mark.parametrize("sort", ["", "size", "branch", "--name"])
def test_an_unknown_column_is_refused(sort: str) -> None:
    with pytest.raises(ValueError):
        tabulate([], branches=False, sort=sort)


def test_stale_rows_say_so() -> None:
    totals = Totals(n_files=1, n_statements=4, n_missing=1)
    table = tabulate([Row("a.py", totals, stale=True), Row("b.py", totals)], branches=False)
    plain = list(plain_table(table))
    assert [line.endswith("75%  stale") for line in plain if ".py" in line] == [True, False]
    assert [r"\(stale\)" in line for line in markdown_table(table) if ".py" in line] == [
        True,
        False,
    ]
