"""What a history keeps of a run, and that runs merged are what combined data would have said."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from covls.core.analysis import Analysis, analysis_from_json
from covls.core.coverage import Measured, cover
from covls.core.history import (
    RecordedFile,
    lines_of,
    merged,
    recorded_file,
    source_name,
    tidy_flags,
    total,
)
from covls.core.lines import Arc
from tests.core.analysed import analysed
from tests.probe.comparison import probe

SOURCE = """\
import sys


def price(n, member=False):
    total = n * (
        2
    )
    if member:  # pragma: no branch
        total -= 1
    for each in range(n):
        if each > 2:
            break
    else:
        total += 1

    def inner(way):
        match way:
            case 1:
                return 1
            case 2 | 3:
                return 2
        return 3

    return inner(total)


class Shop:
    def open(self):
        while True:
            if self:
                return 1

    def open_late(self):  # pragma: no cover
        if self:
            return 2


if sys.platform == "win32":
    a = 1
"""

probe.use_statement_tokens()
RULES = probe.Rules(["pragma: no cover"], ["pragma: no branch"])
FOUND = probe.analyse_python(SOURCE.encode(), "a.py", RULES)
ANALYSIS = analysis_from_json(json.loads(probe.compact(FOUND)))
POSSIBLE = sorted((line, end) for line, ends in ANALYSIS.branches.items() for end in ends)
ARCS = st.frozensets(st.sampled_from(POSSIBLE))
LINES = st.frozensets(st.sampled_from(sorted(ANALYSIS.statements)))


def measured(analysis: Analysis, lines: frozenset[int], arcs: frozenset[Arc]) -> RecordedFile:
    """What is recorded where these lines ran, with the ends of these arcs."""
    ran = lines | {line for arc in arcs for line in arc if line > 0}
    return recorded_file("a.py", source_name(SOURCE), cover(analysis, Measured(ran, arcs)))


@given(LINES, ARCS, LINES, ARCS)
def test_merged_runs_are_what_combined_data_would_say(
    lines: frozenset[int], arcs: frozenset[Arc], others: frozenset[int], other_arcs: frozenset[Arc]
) -> None:
    """In every figure, of the file and of each function."""
    one, other = measured(ANALYSIS, lines, arcs), measured(ANALYSIS, others, other_arcs)
    assert merged(one, other) == measured(ANALYSIS, lines | others, arcs | other_arcs)


@given(LINES, LINES)
def test_merged_runs_without_branches(lines: frozenset[int], others: frozenset[int]) -> None:
    """Nothing is said of branches that were not measured."""
    one, other, both = (
        recorded_file("a.py", "", cover(ANALYSIS, Measured(ran)))
        for ran in (lines, others, lines | others)
    )
    assert merged(one, other) == both


def test_what_is_recorded_has_the_figures_of_the_report() -> None:
    """Lines, branches with the ways not taken, functions with their own statements."""
    file = measured(ANALYSIS, frozenset({1, 4, 5, 8, 10, 27}), frozenset({(10, 11), (11, 10)}))
    assert (file.totals.n_files, file.totals.n_excluded) == (1, 3)
    assert lines_of(file.executed) == [1, 4, 5, 8, 10, 11, 27]
    assert lines_of(file.partial) == [10, 11]
    assert {line: (ways, ends) for line, ways, ends in file.branches}[10] == (2, (14,))
    assert [(f.name, f.first, f.last) for f in file.functions][:2] == [
        ("price", 4, 24),
        ("price.inner", 16, 22),
    ]
    assert lines_of(file.functions[0].statements) == [5, 8, 9, 10, 11, 12, 14, 16, 24]
    assert total([file, file]).n_missing == 2 * file.totals.n_missing


def test_runs_of_other_texts_are_not_merged() -> None:
    """The later one stands alone."""
    one = measured(ANALYSIS, frozenset({1}), frozenset())
    other = recorded_file("a.py", "another", cover(analysed("a = 1\n"), Measured(frozenset())))
    assert merged(one, other) is other


@pytest.mark.parametrize("flag", ["", " ", "a,b", "a\nb", "x" * 101])
def test_what_is_no_flag(flag: str) -> None:
    """It is refused with words that name it."""
    with pytest.raises(ValueError, match="is no flag"):
        tidy_flags(["linux", flag])


def test_flags_are_each_once_and_sorted() -> None:
    """However they were given."""
    assert tidy_flags([" py312", "linux", "py312"]) == ("linux", "py312")
