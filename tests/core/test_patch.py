"""Patch coverage: a base, the source as it was measured (with letters, see `test_marks`), and the
source as it is now, with a `*` in front of the lines that are the patch's.
"""

import pytest

from covls.core.changed_lines import changed_lines
from covls.core.coverage import State, Totals
from covls.core.drift import drift
from covls.core.marks import Freshness, Mark, marks
from covls.core.patch import FilePatch, PatchTotals, file_patch, inside, split
from covls.core.statements import Text
from tests.core.test_marks import bare, coverage_of


def patch_of(base: str, measured: str, current: str, *, verified: bool = True) -> FilePatch:
    line_map = drift(Text(bare(measured)), Text(bare(current)))
    coverage = coverage_of(measured)
    found = marks(coverage, line_map, verified=verified)
    changes = changed_lines(base.split("\n") if base else (), bare(current))
    return file_patch(coverage, line_map, found, changes, verified=verified)


Counts = tuple[int, int, int, int]
"""Statements and those missing, branches and those missing."""

ROWS: list[tuple[str, str, str, str, Counts, tuple[int, int]]] = [
    ("nothing changed", "a\nb", "+ a\n- b", "  a\n  b", (0, 0, 0, 0), (0, 0)),
    (
        "a new file is the patch's as a whole",
        "",
        "+ a\n- b\n  # c\n+ d",
        "* a\n* b\n* # c\n* d",
        (3, 1, 0, 0),
        (0, 0),
    ),
    (
        "lines that came in, and lines that became others",
        "a\nb\nc",
        "+ a\n- new\n+ B\n+ c",
        "  a\n* new\n* B\n  c",
        (2, 1, 0, 0),
        (0, 0),
    ),
    (
        "a change of the second line of a call is one of the call, which diff-cover overlooks",
        "f(\n  1,\n)\ng",
        "- f(\n.   2,\n. )\n+ g",
        "* f(\n*   2,\n* )\n  g",
        (1, 1, 0, 0),
        (0, 0),
    ),
    (
        "so is a line that was taken out of it",
        "f(\n  1,\n  2,\n)\ng",
        "- f(\n.   2,\n. )\n+ g",
        "* f(\n*   2,\n* )\n  g",
        (1, 1, 0, 0),
        (0, 0),
    ),
    ("but not one between statements", "a\nb\nc", "+ a\n- c", "  a\n  c", (0, 0, 0, 0), (0, 0)),
    (
        "a partial branch counts as what it is, not as covered",
        "if a:\n b\nc",
        "~ if A:\n-  b\n+ c",
        "* if A:\n   b\n  c",
        (1, 0, 2, 1),
        (0, 0),
    ),
    (
        "comments and blank lines are the patch's, and no statements",
        "a\nb",
        "+ a\n  # x\n   \n- b",
        "  a\n* # x\n*  \n  b",
        (0, 0, 0, 0),
        (0, 0),
    ),
    (
        "what is excluded is in no figure",
        "a\nb",
        "+ a\nx c\n+ b",
        "  a\n* c\n  b",
        (0, 0, 0, 0),
        (0, 0),
    ),
    (
        "of what was edited or added after it was measured nothing is known",
        "a\nb\nc",
        "+ a\n- B\n+ c",
        "  a\n* BB\n  c\n* d",
        (0, 0, 0, 0),
        (1, 1),
    ),
    (
        "what was edited back to the base is no part of the patch, whatever was measured",
        "a\nb\nc",
        "+ a\n- B\n+ c",
        "  a\n  b\n  c",
        (0, 0, 0, 0),
        (0, 0),
    ),
    (
        "what moved down is counted where it is now",
        "a\nb",
        "+ a\n- B",
        "* # one\n* # more\n  a\n* B",
        (1, 1, 0, 0),
        (0, 0),
    ),
    (
        "a branch that leads where something was edited is not known",
        "if a:\n b\nc",
        "~ if A:\n-  b\n+ c",
        "* if A:\n*  B\n  c",
        (0, 0, 0, 0),
        (2, 0),
    ),
    (
        "a change in layout is a change to whoever reads the diff",
        "f(1, 2)",
        "- f(1,\n.    2)",
        "* f(1,\n*    2)",
        (1, 1, 0, 0),
        (0, 0),
    ),
    (
        "a line that was split counts as the statements that it is now, as far as they are known",
        "if a: b\nc",
        "- if a: b\n+ c",
        "* if a:\n*   b\n  c",
        (2, 2, 0, 0),
        (0, 0),
    ),
    (
        "whether the body ran is not known of a line that ran",
        "if a: b\nc",
        "+ if a: b\n+ c",
        "* if a:\n*   b\n  c",
        (0, 0, 0, 0),
        (2, 0),
    ),
    ("a string that stands alone is no statement", "a", "+ a", "  a\n* '''b'''", (0,) * 4, (0, 0)),
]


@pytest.mark.parametrize(("why", "base", "measured", "current", "known", "stale"), ROWS)
def test_patch(
    why: str, base: str, measured: str, current: str, known: Counts, stale: tuple[int, int]
) -> None:
    found = patch_of(base, measured, current)
    expected = [n for n, line in enumerate(current.split("\n"), 1) if line[0] == "*"]
    assert [line for start, end in found.lines for line in range(start, end + 1)] == expected, why
    counted = found.totals.known
    figures = (
        counted.n_statements,
        counted.n_missing,
        counted.n_branches,
        counted.n_missing_branches,
    )
    assert figures == known, why
    assert (found.totals.edited, found.totals.new) == stale, why
    for mark in found.marks:
        assert {*range(mark.start, mark.end + 1)} <= {*expected}


def test_where_the_measured_text_is_not_known() -> None:
    found = patch_of("a", "+ a\n- b\n+ c", "  a\n* b\n* c", verified=False)
    assert found.totals == PatchTotals(unverified=2)
    assert (found.totals.stale, found.totals.counted, found.totals.percent) == (2, 0, None)
    assert {mark.freshness for mark in found.marks} == {Freshness.UNVERIFIED}


def test_a_text_that_makes_no_sense_is_taken_line_by_line() -> None:
    found = patch_of("a\nf(\n 1)\nc", "+ a\n- f(\n.  2)\n+ c", "  a\n* f(\n*  2)\n* g(\n  c")
    assert (found.totals.known.n_missing, found.totals.new) == (1, 1)


def test_figures_add_up() -> None:
    one = patch_of("a", "+ a\n- b", "  a\n* b").totals
    two = patch_of("", "+ a", "* a\n* b").totals
    both = one + two
    assert both.known == Totals(n_files=2, n_statements=2, n_missing=1)
    assert (both.percent, both.new, both.counted) == (50.0, 1, 2)


def test_where_it_touches() -> None:
    patch = FilePatch(((2, 3), (7, 7)))
    touched = {line for line in range(1, 9) if patch.touches(line, line)}
    assert touched == {2, 3, 7}
    assert patch.touches(4, 7)
    assert not patch.touches(4, 6)


def test_marks_are_cut() -> None:
    mark = Mark(3, 9, State.MISSING)
    parts = [(part.start, part.end, within) for part, within in split(mark, [(1, 4), (6, 6)])]
    assert parts == [(3, 4, True), (5, 5, False), (6, 6, True), (7, 9, False)]
    assert split(mark, []) == [(mark, False)]
    assert split(mark, [(1, 20)]) == [(mark, True)]
    assert inside([mark, Mark(11, 11, State.COVERED)], [(9, 11)]) == [
        Mark(9, 9, State.MISSING),
        Mark(11, 11, State.COVERED),
    ]
