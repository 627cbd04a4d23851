"""What was lost between two runs, and what shows that a run was partial."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from covls.core.analysis import analysis_from_json
from covls.core.coverage import Measured, State, cover
from covls.core.drift import drift
from covls.core.lines import split_lines
from covls.core.lost import (
    Loss,
    Losses,
    Written,
    left_out_file,
    left_out_test,
    lost,
    lost_words,
    says_skip,
    until_words,
)
from covls.core.marks import Freshness, Mark, MissedBranch, marks, missed_words, missing_blocks
from covls.core.statements import Text
from covls.probe.analyse import Rules, analyse_python

RULES = Rules(["# pragma: no cover"], ["# pragma: no branch"])

SOURCE = """\
def price(n, member=False):
    if member:
        n = discount(
            n, 0.9
        )
    return n


def never():
    return 1
"""
ALL = {(-1, 1), (1, 9), (9, -1), (-1, 2), (2, 3), (3, 4), (4, 3), (3, 6), (2, 6), (6, -1)}
NEVER = {(-9, 10), (10, -9)}
NOT_A_MEMBER = ALL - {(2, 3), (3, 4), (4, 3), (3, 6)}


def lost_in(
    before: str, ran: set[tuple[int, int]], now: str, runs: set[tuple[int, int]]
) -> tuple[dict[int, int], set[tuple[int, int]]]:
    """What was lost from one text, with the arcs that ran in it, to another."""
    found = []
    for source, arcs in ((before, ran), (now, runs)):
        analysis = analyse_python(source.encode(), "program.py", RULES)
        lines = frozenset(line for arc in arcs for line in arc if line > 0)
        coverage = cover(analysis_from_json(analysis), Measured(lines, frozenset(arcs)))
        found.append((coverage, Text(split_lines(source))))
    (was, text), (coverage, current) = found
    return lost(was, coverage, drift(text, current))


LOST = [
    ("nothing, of the same run", SOURCE, ALL | NEVER, SOURCE, ALL | NEVER, {}, set()),
    ("a function's body", SOURCE, ALL | NEVER, SOURCE, ALL, {10: 10}, set()),
    (
        "a statement of many lines, and a branch",
        SOURCE,
        ALL,
        SOURCE,
        NOT_A_MEMBER,
        {3: 3},
        {(2, 3)},
    ),
    ("what never ran was not lost", SOURCE, NOT_A_MEMBER, SOURCE, NOT_A_MEMBER, {}, set()),
    ("what is covered only now was not lost", SOURCE, NOT_A_MEMBER, SOURCE, ALL, {}, set()),
    (
        "laid out otherwise",
        SOURCE,
        ALL | NEVER,
        SOURCE.replace("(\n            n, 0.9\n        )", "(n, 0.9)").replace("\n\n\n", "\n# x\n"),
        {(-1, 1), (1, 6), (6, -1), (-1, 2), (2, 4), (4, -1)},
        {3: 3, 7: 10},
        {(2, 3)},
    ),
    (
        "edited",
        SOURCE,
        ALL | NEVER,
        SOURCE.replace("0.9", "0.8").replace("return 1", "return 2"),
        NOT_A_MEMBER,
        {},
        set(),
    ),
]


@pytest.mark.parametrize(
    ("before", "ran", "now", "runs", "lines", "branches"),
    [case[1:] for case in LOST],
    ids=[case[0] for case in LOST],
)
def test_what_was_lost(
    before: str,
    ran: set[tuple[int, int]],
    now: str,
    runs: set[tuple[int, int]],
    lines: dict[int, int],
    branches: set[tuple[int, int]],
) -> None:
    assert lost_in(before, ran, now, runs) == (lines, branches)


A, B, C = "test_a.py::test_a", "test_a.py::test_b", "test_a.py::test_c"
OTHER = "test_b.py::TestIt::test_d"


@pytest.mark.parametrize(
    ("before", "now", "written", "shows"),
    [
        pytest.param({A, B}, {A, B}, {}, None, id="the same"),
        pytest.param({A}, {A, B}, {}, None, id="one more"),
        pytest.param({A, B}, {A}, {B: Written.GONE}, None, id="deleted"),
        pytest.param({A, B}, {A}, {B: Written.SKIPPED}, None, id="skipped"),
        pytest.param({A, B}, {A}, {B: Written.THERE}, B, id="not run"),
        pytest.param({A, OTHER}, {A}, {OTHER: Written.THERE}, OTHER, id="one file"),
        pytest.param({A, B}, {A}, {B: Written.EDITED}, None, id="reaches nothing any more"),
        pytest.param({A, B, C}, {C}, {A: Written.EDITED, B: Written.EDITED}, A, id="one of many"),
        pytest.param({A, OTHER}, {A}, {OTHER: Written.EDITED}, OTHER, id="another file, edited"),
        pytest.param({"m.T.a", "m.T.b"}, {"m.T.a"}, {"m.T.b": Written.EDITED}, None, id="dotted"),
    ],
)
def test_tests_that_were_left_out(
    before: set[str], now: set[str], written: dict[str, Written], shows: str | None
) -> None:
    assert left_out_test(before, now, written.__getitem__) == shows


MANY = {f"{name}.py": 10 for name in "abcdef"}


@pytest.mark.parametrize(
    ("before", "now", "written", "partial"),
    [
        pytest.param(MANY, MANY, {}, False, id="the same"),
        pytest.param(MANY, {**MANY, "a.py": 5}, {}, False, id="a file lost lines"),
        pytest.param(MANY, {**MANY, "a.py": 0}, {}, False, id="a file is not reached"),
        pytest.param(MANY, {**MANY, "a.py": 0, "b.py": 0}, {}, True, id="two files are not"),
        pytest.param(MANY, {"c.py": 10, "d.py": 10, "e.py": 10, "f.py": 10}, {}, True, id="absent"),
        pytest.param(
            MANY,
            {**MANY, "a.py": 0, "b.py": 0},
            {"a.py": Written.GONE},
            False,
            id="of two files one is deleted",
        ),
        pytest.param(MANY, dict.fromkeys(MANY, 8), {}, True, id="all files lost lines"),
        pytest.param({"a.py": 9, "b.py": 9}, {"a.py": 5, "b.py": 5}, {}, False, id="few files"),
        pytest.param({"a.py": 9, "test_a.py": 9}, {"a.py": 5}, {}, True, id="a file of tests"),
        pytest.param({"test_a.py": 9}, {"test_a.py": 8}, {}, True, id="a test was not run"),
        pytest.param(
            {"test_a.py": 9},
            {"test_a.py": 8},
            {"test_a.py": Written.EDITED},
            False,
            id="a test was edited",
        ),
        pytest.param(
            {"test_a.py": 9},
            {"test_a.py": 4},
            {"test_a.py": Written.EDITED},
            True,
            id="a file of tests was edited, and few of them run",
        ),
        pytest.param(
            {"a.py": 9, "test_a.py": 9},
            {"a.py": 5},
            {"test_a.py": Written.GONE},
            False,
            id="a file of tests was deleted",
        ),
    ],
)
def test_files_that_were_left_out(
    before: dict[str, int], now: dict[str, int], written: dict[str, Written], partial: bool
) -> None:
    found = left_out_file(before, now, lambda path: written.get(path, Written.THERE))
    assert (found is not None) is partial


SKIPS = """\
import pytest


@pytest.mark.skip(
    reason="-",
)
def test_skipped():
    run()


def test_runs():
    run()


@skip_on_windows
class TestAll:
    def test_in_a_class(self):
        run()

    @unittest.skipIf(True, "-")
    def test_too(self):
        run()


class TestRuns:
    def test_runs(self):
        run(skipped=False)

    def test_in_its_body(self):

        self.skipTest("-")
"""


@pytest.mark.parametrize(
    ("line", "skips"), [(7, True), (11, False), (17, True), (21, True), (26, False), (29, True)]
)
def test_a_test_that_may_be_skipped(line: int, skips: bool) -> None:
    lines = SKIPS.split("\n")
    assert "def test" in lines[line - 1]
    assert says_skip(lines, line) is skips


@pytest.mark.parametrize(
    "first",
    ["pytestmark = pytest.mark.skip", "pytest.importorskip('x')", "x = pytest.importorskip('x')"],
)
def test_a_module_that_may_be_skipped(first: str) -> None:
    assert says_skip([first, "def test():", "    run()"], 2)
    assert not says_skip(["# " + first, "def test():", "    run()"], 2)


YESTERDAY = Loss(("a", "b"), 1.0, "1970-01-02 00:00", last=True)
LONG_AGO = Loss(("c",), 0.5, "1970-01-01 00:00", last=False)


def test_marks_carry_what_was_lost_while_their_code_is_the_same() -> None:
    found = analyse_python(SOURCE.encode(), "program.py", RULES)
    coverage = cover(analysis_from_json(found), Measured(frozenset({1, 9})))
    losses = Losses({2: LONG_AGO, 3: YESTERDAY, 6: YESTERDAY, 10: YESTERDAY})
    measured = Text(split_lines(SOURCE))

    def lost_lines(text: str) -> list[tuple[int, int, Loss | None]]:
        line_map = drift(measured, Text(split_lines(text)))
        shown = marks(coverage, line_map, losses=losses)
        return [(mark.start, mark.end, mark.lost) for mark in shown if mark.state is State.MISSING]

    assert lost_lines(SOURCE) == [(2, 2, LONG_AGO), (3, 6, YESTERDAY), (10, 10, YESTERDAY)]
    assert lost_lines("# new\n" + SOURCE.replace("return 1", "return 2")) == [
        (3, 3, LONG_AGO),
        (4, 7, YESTERDAY),
        (11, 11, None),
    ]


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (YESTERDAY, "Covered by a, b until the last run."),
        (replace(YESTERDAY, tests=()), "Covered until the last run."),
        (LONG_AGO, "Last covered by c in the run of 1970-01-01 00:00."),
        (
            replace(YESTERDAY, tests=tuple("abcde")),
            "Covered by a, b, c and 2 more until the last run.",
        ),
    ],
)
def test_what_is_said(loss: Loss, words: str) -> None:
    assert lost_words(loss) == words


def test_a_branch_says_until_when_it_was_taken() -> None:
    words = "line 2 didn't jump to line 3 because the condition on line 2 was never true"
    branch = MissedBranch(3, words, YESTERDAY)
    mark = Mark(2, 2, State.PARTIAL, branches=(branch,))
    assert missed_words(mark, branch) == f"L{words[1:]}. Taken by a, b until the last run."


def test_a_block_is_of_one_run() -> None:
    missing = Mark(1, 2, State.MISSING)
    blocks = missing_blocks(
        [
            missing,
            replace(missing, start=3, end=3, lost=YESTERDAY),
            replace(missing, start=5, end=5, lost=replace(YESTERDAY, tests=("b", "d"))),
            replace(missing, start=6, end=6, lost=LONG_AGO),
            replace(missing, start=7, end=7),
        ]
    )
    assert [(block.start, block.end, block.lost) for block in blocks] == [
        (1, 2, None),
        (3, 5, replace(YESTERDAY, tests=("a", "b", "d"))),
        (6, 6, LONG_AGO),
        (7, 7, None),
    ]
    assert all(block.freshness is Freshness.FRESH for block in blocks)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (-3, "today"),
        (0.9, "today"),
        (1, "yesterday"),
        (3.5, "three days ago"),
        (13, "13 days ago"),
        (14, "two weeks ago"),
        (59, "eight weeks ago"),
        (60, "two months ago"),
        (729, "24 months ago"),
        (731, "two years ago"),
    ],
)
def test_how_long_ago_a_line_was_covered_last(days: float, words: str) -> None:
    now = datetime(2026, 11, 23, 4, tzinfo=UTC)
    found = until_words("abc1234" * 5, now - timedelta(days=days), now)
    assert found == f"Covered until commit abc1234 ({words})."
