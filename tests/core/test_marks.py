"""Marks: source as it was measured, source as it is now, and what each line then shows.

The measured source carries what ran in front of each line: `+` ran, `-` did not, `~` ran, but not
every way on from it (the way not taken is the next line), `x` is excluded, ` ` is no statement,
and `.` continues the statement above.
The current source carries what is expected: the same letters where that is still true, `E`/`e` for
an edited line whose statement ran / did not run when it was measured, `N` for a new one.
"""

import pytest

from covls.core.analysis import Analysis
from covls.core.coverage import Measured, State, cover
from covls.core.drift import map_lines
from covls.core.marks import Freshness, Mark, marks, missing_blocks

LETTERS = {
    (State.COVERED, Freshness.FRESH): "+",
    (State.MISSING, Freshness.FRESH): "-",
    (State.PARTIAL, Freshness.FRESH): "~",
    (State.EXCLUDED, Freshness.FRESH): "x",
    (State.COVERED, Freshness.EDITED): "E",
    (State.PARTIAL, Freshness.EDITED): "E",
    (State.MISSING, Freshness.EDITED): "e",
    (State.MISSING, Freshness.NEW): "N",
}


def marks_of(measured: str, current: str, *, verified: bool = True) -> tuple[Mark, ...]:
    """The marks for `current`, both sources with a letter and a blank in front of each line."""
    letters = " " + "".join(line[:1] or " " for line in measured.split("\n"))
    before = [line[2:] for line in measured.split("\n")]
    after = [line[2:] for line in current.split("\n")]
    firsts: dict[int, int] = {}
    lasts: dict[int, int] = {}
    for line in range(1, len(letters)):
        if letters[line] == ".":
            firsts[line] = firsts.get(line - 1, line - 1)
            lasts[firsts[line]] = line
    statements = frozenset(line for line, letter in enumerate(letters) if letter in "+-~")
    partial = [line for line, letter in enumerate(letters) if letter == "~"]
    analysis = Analysis(
        statements=statements,
        excluded=frozenset(line for line, letter in enumerate(letters) if letter == "x"),
        no_branch=frozenset(),
        branches={line: (line + 1, line + 2) for line in partial},
        first_lines=firsts,
        last_lines=lasts,
        jump_fixers={},
        words={
            (line, line + 1): f"line {line} didn't jump to line {line + 1} because it was never so"
            for line in partial
        },
        regions=(),
        executable=statements,
        line_count=len(before),
    )
    ran = frozenset(line for line in statements if letters[line] in "+~")
    arcs = frozenset((line, line + 2) for line in partial)
    coverage = cover(analysis, Measured(ran, arcs))
    return marks(coverage, map_lines(before, after), after, verified=verified)


def letters_of(found: tuple[Mark, ...], current: str) -> list[str]:
    letters = [" "] * (current.count("\n") + 2)
    for mark in found:
        for line in range(mark.start, mark.end + 1):
            assert letters[line] == " ", "marks do not overlap"
            letters[line] = LETTERS[mark.state, mark.freshness]
    return letters[1:]


ROWS = [
    (
        "nothing changed",
        "+ a\n- b\n  # c\n~ if d:\n+ e\n+ f\nx g",
        "+ a\n- b\n  # c\n~ if d:\n+ e\n+ f\nx g",
    ),
    ("marks follow lines that came in above", "+ a\n- b", "N new\n+ a\n- b"),
    ("a blank line or a comment that came in is no mark", "+ a\n- b", "+ a\n  \n  # c\n- b"),
    ("a changed line is edited, the others stay", "+ a\n- b\n+ c", "+ a\ne B\n+ c"),
    ("a deleted line takes its mark along", "+ a\n- b\n+ c", "+ a\n+ c"),
    ("a comment put in the place of a statement", "+ a\n- b\n+ c", "+ a\n  # b\n+ c"),
    ("more lines than before: all are edited", "+ a\n- b\n+ c", "+ a\ne B\ne BB\n+ c"),
    (
        "an edit inside a statement of many lines makes all of it edited",
        "+ a\n- f(\n. 1,\n. 2)\n+ c",
        "+ a\ne f(\ne 11,\ne 2)\n+ c",
    ),
    (
        "a line put into a statement makes all of it edited",
        "+ a\n- f(\n. 1,\n. 2)\n+ c",
        "+ a\ne f(\ne 1,\nN 9,\ne 2)\n+ c",
    ),
    (
        "a partial branch whose target was edited is not called missing",
        "+ a\n~ if b:\n- c\n+ d",
        "+ a\nE if b:\ne C\n+ d",
    ),
    ("edited to exclude is not yet excluded", "+ a\n- b\n+ c", "+ a\ne b  # pragma: no cover\n+ c"),
]


@pytest.mark.parametrize(("why", "measured", "current"), ROWS, ids=[row[0] for row in ROWS])
def test_letters(why: str, measured: str, current: str) -> None:
    expected = [line[:1] for line in current.split("\n")]
    assert letters_of(marks_of(measured, current), current) == expected


def test_a_missed_branch_has_words_and_a_target_of_the_current_text() -> None:
    found = marks_of("+ a\n~ if b:\n- c\n+ d", "N new\n+ a\n~ if b:\n- c\n+ d")
    (partial,) = [mark for mark in found if mark.state is State.PARTIAL]
    (branch,) = partial.branches
    assert branch.target == 4
    assert branch.words == "line 3 didn't jump to line 4 because it was never so"


def test_nothing_is_fresh_where_the_measured_text_is_unknown() -> None:
    found = marks_of("+ a\n- b", "+ a\n- b", verified=False)
    assert {mark.freshness for mark in found} == {Freshness.UNVERIFIED}


BLOCKS = [
    ("neighbours are one block", "- a\n- b\n+ c", [(1, 2)]),
    ("blank lines and comments do not end a block", "- a\n  \n  # b\n- c", [(1, 4)]),
    ("a covered line ends a block", "- a\n+ b\n- c", [(1, 1), (3, 3)]),
    ("an excluded line ends a block", "- a\nx b\n- c", [(1, 1), (3, 3)]),
    ("a block ends with the last line of its last statement", "- f(\n. 1)\n+ c", [(1, 2)]),
    ("nothing is missing", "+ a", []),
]


@pytest.mark.parametrize(("why", "source", "blocks"), BLOCKS, ids=[row[0] for row in BLOCKS])
def test_blocks(why: str, source: str, blocks: list[tuple[int, int]]) -> None:
    found = missing_blocks(marks_of(source, source))
    assert [(block.start, block.end) for block in found] == blocks


def test_an_edited_line_ends_a_block_of_fresh_ones() -> None:
    found = missing_blocks(marks_of("- a\n- b\n- c", "- a\n- B\n- c"))
    assert [(b.start, b.end, b.freshness.value) for b in found] == [
        (1, 1, "fresh"),
        (2, 2, "edited"),
        (3, 3, "fresh"),
    ]
