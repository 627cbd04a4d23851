"""Marks: source as it was measured, source as it is now, and what each line then shows.

The measured source carries what ran in front of each line: `+` ran, `-` did not, `~` ran, but not
every way on from it (the way not taken is the next line), `x` is excluded, ` ` is no statement,
and `.` continues the statement above.
The current source carries what is expected: the same letters where that is still true, `E`/`e`/`X`
for an edited line whose statement ran / did not run / was excluded when it was measured, `N` for a
new one.
"""

import pytest

from covls.core.analysis import Analysis
from covls.core.coverage import FileCoverage, Measured, State, cover
from covls.core.drift import drift
from covls.core.marks import Freshness, Mark, marks, missing_blocks, missing_near
from covls.core.statements import Text

LETTERS = {
    (State.COVERED, Freshness.FRESH): "+",
    (State.MISSING, Freshness.FRESH): "-",
    (State.PARTIAL, Freshness.FRESH): "~",
    (State.EXCLUDED, Freshness.FRESH): "x",
    (State.COVERED, Freshness.EDITED): "E",
    (State.PARTIAL, Freshness.EDITED): "E",
    (State.MISSING, Freshness.EDITED): "e",
    (State.EXCLUDED, Freshness.EDITED): "X",
    (State.MISSING, Freshness.NEW): "N",
}


def marks_of(measured: str, current: str, *, verified: bool = True) -> tuple[Mark, ...]:
    """The marks for `current`, both sources with a letter and a blank in front of each line."""
    line_map = drift(Text(bare(measured)), Text(bare(current)))
    return marks(coverage_of(measured), line_map, verified=verified)


def bare(source: str) -> list[str]:
    """The lines of a source without the letters in front of them."""
    return [line[2:] for line in source.split("\n")]


def coverage_of(measured: str) -> FileCoverage:
    """The coverage that the letters in front of a source's lines tell."""
    letters = " " + "".join(line[:1] or " " for line in measured.split("\n"))
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
        line_count=len(letters) - 1,
    )
    ran = frozenset(line for line in statements if letters[line] in "+~")
    arcs = frozenset((line, line + 2) for line in partial)
    return cover(analysis, Measured(ran, arcs))


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
        "+ a\n- b\n  # c\n~ if d:\n+  e\n+ f\nx g",
        "+ a\n- b\n  # c\n~ if d:\n+  e\n+ f\nx g",
    ),
    ("marks follow lines that came in above", "+ a\n- b", "N new\n+ a\n- b"),
    ("a blank line or a comment that came in is no mark", "+ a\n- b", "+ a\n  \n  # c\n- b"),
    ("a changed line is edited, the others stay", "+ a\n- b\n+ c", "+ a\ne B\n+ c"),
    ("a deleted line takes its mark along", "+ a\n- b\n+ c", "+ a\n+ c"),
    ("a comment put in the place of a statement", "+ a\n- b\n+ c", "+ a\n  # b\n+ c"),
    ("the first of more lines than before is what it was", "+ a\n- b\n+ c", "+ a\ne B\nN BB\n+ c"),
    (
        "of more lines than before, the one that is like it is what it was",
        "+ a\n- b = one(two, three)\n+ c",
        "+ a\nN BB\ne b = one(two, 3)\n+ c",
    ),
    (
        "an edit inside a statement of many lines makes all of it edited",
        "+ a\n- f(\n. 1,\n. 2)\n+ c",
        "+ a\ne f(\ne 11,\ne 2)\n+ c",
    ),
    (
        "a line put into a statement makes all of it edited",
        "+ a\n- f(\n. 1,\n. 2)\n+ c",
        "+ a\ne f(\ne 1,\ne 9,\ne 2)\n+ c",
    ),
    (
        "a partial branch whose target was edited is not called missing",
        "+ a\n~ if b:\n-  c\n+ d",
        "+ a\nE if b:\ne  C\n+ d",
    ),
    ("edited to exclude is not yet excluded", "+ a\n- b\n+ c", "+ a\ne b  # pragma: no cover\n+ c"),
    ("no longer excluded is not known", "+ a\nx b  # pragma: no cover", "+ a\nX b"),
    ("any other comment is nothing", "+ a\n- b\n+ c", "+ a  # x\n- b  # noqa\n+ c"),
    # Formatting.
    (
        "other quotes, brackets, line breaks and commas are the same code",
        "+ f('x', (1))\n- return(a)\n+ g(1, 2)",
        '+ f("x", 1)\n- return a\n+ g(\n+     1,\n+     2,\n+ )',
    ),
    ("many lines become one", "+ a\n- f(\n.   1,\n. )\n+ c", "+ a\n- f(1)\n+ c"),
    ("strings side by side are one", "+ a = 'b' 'c'", '+ a = "bc"'),
    ("a comma that makes a tuple is not nothing", "+ a = (b)\n- c", "E a = (b,)\n- c"),
    ("nor in a subscript", "+ a[b]\n- c", "E a[b,]\n- c"),
    ("a space within a string is not nothing", "+ a = 'b c'", "E a = 'b  c'"),
    ("True and 1 are not the same", "+ a = (1)", "E a = (True)"),
    ("-0.0 and 0.0 are not the same", "+ f((0.0))", "E f(-0.0)"),
    ("blocks indented otherwise", "+ if a:\n-   b\n+   c", "+ if a:\n-     b\n+     c"),
    # What swallows lines.
    (
        "inside a string that came in, nothing is code",
        "+ a\n- b\n+ c\n+ d",
        "+ a\n  '''\n  b\n  c\n  '''\n+ d",
    ),
    ("joined by a bracket", "+ a\n- b\n- c\n+ d", "+ a\ne [b,\ne c]\n+ d"),
    ("joined by a backslash", "+ a\n- b\n- c\n+ d", "+ a\ne b - \\\ne c\n+ d"),
    (
        "while a bracket is open, what is below it stays",
        "+ a\n- b\n- c\n+ d",
        "+ a\ne b(\n- c\n+ d",
    ),
    ("while a string is open, too", "+ a\n- b\n- c\n+ d", "+ a\ne b('\n- c\n+ d"),
    ("and one of three quotes", "+ a\n- b\n- c\n+ d", "+ a\ne b = '''\n- c\n+ d"),
    ("a comment sign before a line", "+ a\n- b\n+ c", "+ a\n  #b\n+ c"),
    # Blocks.
    (
        "a condition was edited: the body stays",
        "+ if a:\n-   b\n+ c",
        "E if a and d:\n-   b\n+ c",
    ),
    (
        "a body put into an if stays, and the if is new",
        "+ a\n- b\n+ c",
        "N if d:\n+   a\n-   b\n+ c",
    ),
    ("else is no statement", "+ if a:\n-   b\n+ c", "+ if a:\n-   b\n  else:\nN   d\n+ c"),
    (
        "an else that moved changes where a branch leads",
        "~ if a:\n-   b\n  else:\n+   c\n+   d",
        "E if a:\nN   x\n-   b\n  else:\n+   c\n+   d",
    ),
    ("a docstring that came in is no statement", "+ def f():\n-   a", "+ def f():\n    'b'\n-   a"),
    ("nor is global", "+ def f():\n-   a", "+ def f():\n    global b\n-   a"),
    # Moves.
    (
        "a function that was cut and pasted keeps its marks",
        "+ def f():\n+   a\n-   b\n+ def g():\n+   c\n-   d\n+   e\n+   h",
        "+ def g():\n+   c\n-   d\n+   e\n+   h\n+ def f():\n+   a\n-   b",
    ),
    (
        "so do the lines that it was moved past",
        "+ def f():\n+   a\n-   b\n+ c\n- d",
        "+ c\n- d\n+ def f():\n+   a\n-   b",
    ),
    (
        "into a class",
        "+ @p\n+ def f():\n+   a\n-   b\n+ class C:\n+   c\n+   d\n+   e\n+   h",
        "+ class C:\n+   c\n+   d\n+   e\n+   h\n+   @p\n+   def f():\n+     a\n-     b",
    ),
    (
        "of two equal definitions, the last is the one that is used",
        "+ def f():\n-   a\n+ b",
        "N def f():\nN   a\n+ def f():\n-   a\n+ b",
    ),
    (
        "pasted twice elsewhere, none is known to be the one",
        "+ def f():\n-   a\n+ class C:\n+   c\n+ class D:\n+   d",
        "+ class C:\n+   c\nN   def f():\nN     a\n+ class D:\n+   d\nN   def f():\nN     a",
    ),
    (
        "of definitions of one name, the last, though the copy was edited first",
        "+ def f():\n+   a\n-   b\n+ c",
        "N def f():\nN   a\nN   b\n+ def f():\nE   aa\n-   b\n+ c",
    ),
    (
        "lines of one function in a new one are not what ran",
        "+ def f():\n+   a\n-   b\n+   c\n+   d\n+ g",
        "N def h():\nN   a\nN   b\nN   c\nN   d\n+ def f():\n+   a\n-   b\n+   c\n+   d\n+ g",
    ),
    (
        "nor are those that were cut out of it into a new one",
        "+ def f():\n+   a\n-   b\n+   c\n+ g",
        "+ def f():\n+   a\nN def h():\nN   b\nN   c\n+ g",
    ),
    (
        "a function by another name took the place of the old one",
        "+ def f():\n+   a\n-   b\n+ g",
        "E def h():\n+   a\n-   b\n+ g",
    ),
    # Several statements on one line: what is not certain of one that ran is not said.
    ("split: what never ran never ran", "- if a: b\n+ c", "- if a:\n-   b\n+ c"),
    ("split: of a condition that ran, not where it led", "+ if a: b\n+ c", "E if a:\nE   b\n+ c"),
    ("split: what stands behind it ran, so it ran", "+ a; b\n+ c", "+ a\n+ b\n+ c"),
    (
        "split: unless it was the last of its body",
        "+ if d:\n+   a; b\n+ c",
        "+ if d:\n+   a\nE   b\n+ c",
    ),
    (
        "split: what cannot fail leads on",
        "+ if d:\n+   a = 1; b\n+ c",
        "+ if d:\n+   a = 1\n+   b\n+ c",
    ),
    ("split: a class ran with its body", "+ class A(B): pass\n+ c", "+ class A(B):\n+   pass\n+ c"),
    ("split: a function did not", "+ def f(): a\n+ c", "+ def f():\nE   a\n+ c"),
    ("split: else is no statement", "+ if d:\n-   a\n+ else: b", "+ if d:\n-   a\n  else:\n+   b"),
    ("split: what follows a return is not known", "- return; a\n+ c", "- return\ne a\n+ c"),
    ("split: what is excluded is so by its text", "x if a: b\n+ c", "X if a:\nX   b\n+ c"),
    ("split: not into another body", "+ if a: b; d\n+ c", "E if a:\nN   b\nN d\n+ c"),
    ("split and reformatted", "+ if (a): return('b')\n+ c", 'E if a:\nE   return "b"\n+ c'),
    ("joined: all ran", "+ a\n+ b\n+ c", "+ a; b\n+ c"),
    ("joined: none ran", "- def f():\n-   a\n+ c", "- def f(): a\n+ c"),
    ("joined: one ran", "+ def f():\n-   a\n+ c", "E def f(): a\n+ c"),
    ("joined: excluded", "x def f():\nx   ...\n+ c", "x def f(): ...\n+ c"),
    ("a doubled statement is one, and a new one", "+ a\n- b\n+ c", "+ a\n- b\nN b\n+ c"),
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


def test_missing_on_lines_or_next_below_them() -> None:
    covered, missing = State.COVERED, State.MISSING
    found = [Mark(1, 3, covered), Mark(4, 6, missing), Mark(9, 9, covered), Mark(12, 12, missing)]
    near = [line for line in range(1, 14) if missing_near(found, line, line)]
    # Line 3 may be the header of what is missing; on lines 7 and 8 what comes next is covered.
    assert near == [1, 2, 3, 4, 5, 6, 9, 10, 11, 12]
    assert missing_near(found, 1, 12)
    assert not missing_near([], 1, 12)
