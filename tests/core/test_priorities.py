"""The ranking of what to test: what each factor does to it, what is one row, and its words."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from covls.core.coverage import FileCoverage, Measured, cover
from covls.core.gates import is_below
from covls.core.lines import LineRange
from covls.core.platforms import OtherPlatforms
from covls.core.priorities import (
    DJANGO,
    SCORE_WORDS,
    Action,
    Block,
    Factors,
    Function,
    Level,
    Priority,
    Ranking,
    Source,
    action_for,
    as_json,
    as_markdown,
    as_text,
    command_words,
    find_blocks,
    lines_words,
    may_lead,
    nearest_test,
    nearest_that_ran,
    rank,
    row_of,
    rule_for,
    score_words,
)
from covls.core.settings import PriorityRule
from tests.core.analysed import analysed

# The score

numbers = st.integers(0, 1000)
maybe = st.none() | st.integers(0, 60)


@st.composite
def factors(draw: st.DrawFn) -> Factors:
    statements, branches = draw(numbers), draw(numbers)
    of_both = st.integers(0, statements + branches)
    return Factors(
        statements,
        branches,
        draw(of_both),
        draw(of_both),
        draw(maybe),
        draw(maybe),
        draw(st.floats(0, 100)),
    )


def test_the_score_is_what_the_documentation_says() -> None:
    found = Factors(8, 4, in_patch=2, complexity=10, commits=5, weight=2)
    assert found.score == pytest.approx((12 + 2 * 2) * 1.5 * 1.25 * 2)
    assert Factors(8, 0, elsewhere=4).score == 5
    assert Factors(3, 0, complexity=None, commits=None).score == 3
    # Both count up to 20.
    assert Factors(3, 0, complexity=50, commits=900).score == 3 * 2 * 2


@given(factors(), st.integers(1, 50))
def test_more_of_any_factor_is_never_less(found: Factors, more: int) -> None:
    grown = [
        replace(found, statements=found.statements + more),
        replace(found, branches=found.branches + more),
        replace(found, in_patch=min(found.missed, found.in_patch + more)),
        replace(found, elsewhere=max(0, found.elsewhere - more)),
        replace(found, complexity=(found.complexity or 0) + more),
        replace(found, commits=(found.commits or 0) + more),
        replace(found, weight=found.weight + more),
    ]
    assert all(each.score >= found.score >= 0 for each in grown)


@given(st.lists(factors(), min_size=1, max_size=5), st.floats(0, 10))
def test_scores_of_blocks_add_up(parts: list[Factors], weight: float) -> None:
    parts = [replace(part, complexity=7, commits=3, weight=weight) for part in parts]
    together = sum(parts[1:], parts[0])
    assert together.score == pytest.approx(sum(part.score for part in parts))


# Blocks

SHOP = """\
import os


def discount(amount, member):
    if member:
        amount = 9
        amount += 1
    for each in amount:
        pass
    return amount


def never(a):
    if a:
        return 1
    return 2


class Basket:
    def total(self):
        if self:
            return 1
        return 2
"""

RAN = {1, 4, 5, 8, 10, 13, 19, 20, 21, 22}
"""`discount` without a member and an empty amount, `total` of what is true."""

ARCS = {(-4, 5), (5, 8), (8, 10), (10, -4), (-20, 21), (21, 22), (22, -20)}


def coverage(lines: set[int] = RAN, arcs: set[tuple[int, int]] = ARCS) -> FileCoverage:
    at_import = {(-1, 1), (1, 4), (4, 13), (13, 19), (-19, 20), (20, -19), (19, -1)}
    # No regex says of a line that its branches do not count.
    analysis = replace(analysed(SHOP), no_branch=frozenset())
    return cover(analysis, Measured(frozenset(lines), frozenset(arcs | at_import)))


def same_lines(found: FileCoverage) -> dict[int, LineRange]:
    lines = found.missing.union(found.missing_branches)
    return {line: (line, found.analysis.last_line(line)) for line in lines}


def same_places(found: FileCoverage) -> dict[int, LineRange]:
    return {each.start: (each.start, each.ranges[-1][1]) for each in found.analysis.regions}


def blocks_of(
    found: FileCoverage, patch: list[LineRange] | None = None, *, only_patch: bool = False
) -> dict[tuple[int, int], Block]:
    blocks = find_blocks(found, same_lines(found), same_places(found), patch, only_patch=only_patch)
    return {(block.start, block.end): block for block in blocks}


def test_blocks_of_lines_and_of_branches() -> None:
    found = coverage()
    blocks = blocks_of(found)
    told = {
        place: (block.function.name, block.statements, block.branches)
        for place, block in blocks.items()
    }
    assert told == {
        # The branch that leads there is part of the block.
        (6, 7): ("discount", 2, 1),
        # The loop's body never ran.
        (9, 9): ("discount", 1, 1),
        (14, 16): ("never", 3, 2),
        (23, 23): ("Basket.total", 1, 1),
    }
    assert blocks[6, 7].words == (
        "line 5 didn't jump to line 6 because the condition on line 5 was never true",
    )
    totals = found.totals
    assert sum(block.statements for block in blocks.values()) == totals.n_missing
    assert sum(block.branches for block in blocks.values()) == totals.n_missing_branches
    assert [block.function.called for block in blocks.values()] == [True, True, False, True]


def test_a_branch_that_leads_to_what_ran_is_a_block_of_its_own() -> None:
    found = coverage(RAN | {6, 7}, {each for each in ARCS if each != (5, 8)} | {(5, 6), (7, 8)})
    block = blocks_of(found)[5, 5]
    assert (block.statements, block.branches, block.measured) == (0, 1, (5,))
    assert block.words == (
        "line 5 didn't jump to line 8 because the condition on line 5 was always true",
    )


def test_what_the_patch_touches() -> None:
    found = coverage()
    blocks = blocks_of(found, [(6, 6), (15, 15)])
    # Line 6 with the branch that leads to it, line 15 alone.
    assert {place: each.in_patch for place, each in blocks.items() if each.in_patch} == {
        (6, 7): 2,
        (14, 16): 1,
    }
    only = blocks_of(found, [(6, 6), (15, 15)], only_patch=True)
    assert [(each.statements, each.branches, each.in_patch) for each in only.values()] == [
        (1, 1, 2),
        (1, 0, 1),
    ]
    assert blocks_of(found, [], only_patch=True) == {}


def test_of_what_was_edited_nothing_is_told_and_the_rest_where_it_is_now() -> None:
    found = coverage()
    where = {line: (now[0] + 10, now[1] + 10) for line, now in same_lines(found).items()}
    del where[15]
    places = {line: (now[0] + 10, now[1] + 10) for line, now in same_places(found).items()}
    blocks = find_blocks(found, where, places)
    assert [(block.start, block.end) for block in blocks] == [
        (16, 17),
        (19, 19),
        (24, 24),
        (26, 26),
        (33, 33),
    ]
    assert blocks[2].function.start == 23
    assert blocks[2].measured == (14,)


# Ranking

FUNCTION = Function("f", 1, 9, 9, called=True, measured=1)


def source(name: str, *sizes: int, commits: int | None = 0) -> Source:
    """A file with a function and a block of each size, one below the other."""
    blocks = []
    for number, size in enumerate(sizes):
        start = 100 * number + 1
        function = Function(f"f{number}", start, start + 50, 60, called=True, measured=start)
        lines = tuple(range(start + 1, start + 1 + size))
        blocks.append(Block(function, start + 1, start + size, size, 0, 0, lines))
    return Source(name, f"/project/{name}", tuple(blocks), commits, statements=600)


def names(sources: list[Source], level: Level, *rules: PriorityRule) -> list[str]:
    return [
        f"{row.file}:{row.title}" if level != "file" else row.file
        for row in map(row_of, rank(sources, level, rules))
    ]


def test_the_levels_agree() -> None:
    sources = [source("a.py", 3, 4), source("b.py", 6)]
    assert names(sources, "file") == ["a.py", "b.py"]
    assert names(sources, "function") == ["b.py:f0", "a.py:f1", "a.py:f0"]
    assert names(sources, "block") == [
        "b.py:lines 2-7 of f0",
        "a.py:lines 102-105 of f1",
        "a.py:lines 2-4 of f0",
    ]
    totals = [
        sum(each.score for each in rank(sources, level, ()))
        for level in ("file", "function", "block")
    ]
    assert totals == pytest.approx([13, 13, 13])


def test_what_runs_at_import_is_no_row_beside_functions_that_no_test_imports() -> None:
    outside = Block(Function("", 1, 1, 1, called=False), 1, 1, 9, 0, 0, (1,))
    found = source("a.py", 3)
    for imported, rows in ((True, ["a.py:module level", "a.py:f0"]), (False, ["a.py:f0"])):
        with_outside = replace(found, blocks=(outside, *found.blocks), imported=imported)
        assert names([with_outside], "function") == rows
    assert names([replace(found, blocks=(outside,), imported=False)], "function") == [
        "a.py:module level"
    ]


def test_ties_are_in_the_order_of_the_files() -> None:
    assert names([source("b.py", 2, 2), source("a.py", 2)], "function") == [
        "a.py:f0",
        "b.py:f0",
        "b.py:f1",
    ]


def test_weights_change_the_order_and_leave_out() -> None:
    sources = [source("app/a.py", 3), source("b.py", 5), source("c.py", 1)]
    rules = [
        PriorityRule("app/", 2, "Mind the tax."),
        PriorityRule("c.py", 0, None),
        PriorityRule("**/*.py", None, "Try {stem}."),
        PriorityRule("b.py", None, "Ask Ann."),
    ]
    assert names(sources, "file", *rules) == ["app/a.py", "b.py"]
    first, second = map(row_of, rank(sources, "file", rules))
    assert (first.advice, second.advice) == ("Try a.", "Ask Ann.")
    assert "weight 2 by app/" in first.reasons
    assert rule_for("app/a.py", rules[:2]) == PriorityRule("app/", 2, "Mind the tax.")
    assert rule_for("d.txt", rules) == PriorityRule("", None, None)


sizes = st.lists(st.integers(1, 40), min_size=1, max_size=4)
files = st.lists(st.tuples(sizes, st.integers(0, 30)), max_size=6)
levels: st.SearchStrategy[Level] = st.sampled_from(["file", "function", "block"])


@given(files, levels, st.integers(0, 8), st.data())
def test_what_cannot_lead_need_not_be_looked_at(
    described: list[tuple[list[int], int]], level: Level, limit: int, data: st.DataObject
) -> None:
    sources = [
        source(f"{number}.py", *each, commits=commits)
        for number, (each, commits) in enumerate(described)
    ]
    looked_at: list[Source] = []
    for each in sources:
        starts = [block.function.measured for block in each.blocks]
        complexity = {start: data.draw(st.integers(1, 40)) for start in starts}
        others = OtherPlatforms(((0, data.draw(st.integers(0, 400))),))
        looked_at.append(each.looked_at(complexity, others))
    known = may_lead(rank(sources, level, ()), limit)
    some = [
        after if after.path in known else before
        for before, after in zip(sources, looked_at, strict=True)
    ]
    scores = [each.score for each in rank(some, level, ())[:limit]]
    if all(not block.elsewhere for each in looked_at for block in each.blocks):
        # Complexity alone cannot bring up what is left out.
        assert scores == [each.score for each in rank(looked_at, level, ())[:limit]]
    assert limit or not known


# Words


def row(level: Level, *blocks: Block, **of_source: object) -> Priority:
    about = replace(Source("a.py", "/project/a.py", blocks, statements=20), **of_source)  # type: ignore[arg-type]
    (found,) = rank([about], level, ())
    return row_of(found)


UNCALLED = replace(FUNCTION, name="g", called=False, statements=4)
OUTSIDE = Function("", 1, 1, 5, called=True)


@pytest.mark.parametrize(
    ("found", "reasons"),
    [
        (row("function", Block(UNCALLED, 2, 5, 4, 2, 0, (2,))), ["no test calls it: 4 statements"]),
        (
            row(
                "function",
                Block(FUNCTION, 2, 3, 2, 1, 0, (2,)), Block(FUNCTION, 5, 5, 0, 2, 0, (5,)),
            ),
            ["2 of 9 statements and 3 branches not run"],
        ),
        (row("function", Block(FUNCTION, 2, 2, 1, 0, 0, (2,))), ["1 of 9 statements not run"]),
        (row("function", Block(FUNCTION, 2, 2, 0, 1, 0, (2,))), ["1 branch never taken"]),
        (row("block", Block(FUNCTION, 2, 2, 1, 0, 0, (2,))), ["1 statement not run"]),
        (row("block", Block(FUNCTION, 2, 2, 0, 1, 0, (2,), ("never true",))), ["never true"]),
        (row("block", Block(FUNCTION, 2, 2, 0, 1, 0, (2,))), ["a branch was never taken"]),
        (
            row("file", Block(UNCALLED, 2, 5, 4, 0, 0, (2,)), imported=False),
            ["no test imports it: 4 statements"],
        ),
        (
            row(
                "function",
                Block(replace(FUNCTION, complexity=7), 2, 3, 2, 1, 3, (2,), elsewhere=1),
                commits=1,
                stale=True,
            ),
            [
                "2 of 9 statements and 1 branch not run",
                "in the patch",
                "1 of them for another platform",
                "complexity 7",
                "1 commit in a year",
                "may have changed since it was measured",
            ],
        ),
        (
            row("file", Block(replace(FUNCTION, complexity=7), 2, 3, 2, 0, 1, (2,)), commits=5),
            [
                "2 of 20 statements not run",
                "1 of them in the patch",
                "complexity up to 7",
                "5 commits in a year",
            ],
        ),
        (row("function", Block(OUTSIDE, 2, 2, 1, 0, 0, (2,))), ["1 of 5 statements not run"]),
    ],
)  # fmt: skip
def test_reasons(found: Priority, reasons: list[str]) -> None:
    assert list(found.reasons) == reasons


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([(4, 4)], "line 4"),
        ([(4, 5)], "lines 4-5"),
        ([(4, 4), (6, 9)], "lines 4, 6-9"),
        ([(n, n) for n in range(1, 20, 2)], "lines 1, 3, 5, 7 and 6 more"),
    ],
)
def test_lines_in_words(lines: list[LineRange], words: str) -> None:
    assert lines_words(lines) == words


def test_where_the_text_is_written() -> None:
    assert [score_words(score) for score in (0.25, 9.94, 10, 1234.5)] == [
        "0.2",
        "9.9",
        "10",
        "1234",
    ]
    assert command_words(["covls", "run", "a b's.py"]) == "covls run 'a b'\\''s.py'"


def ranking() -> Ranking:
    action = Action(
        "Add a test of g to tests/test_a.py.", "tests/test_a.py", "/project/tests/test_a.py", True,
        command=("covls", "run", "tests/test_a.py"),
    )  # fmt: skip
    found = row("function", Block(UNCALLED, 2, 5, 4, 2, 0, (2,)))
    return Ranking(
        "function", (replace(found, action=action, advice="Mind *it*."),), 3, ("A note.",)
    )


def test_the_ranking_as_text_markdown_and_json() -> None:
    assert as_text(ranking()).split("\n") == [
        "1  6.0  a.py:2  g",
        "        no test calls it: 4 statements",
        "        Mind *it*.",
        "        → Add a test of g to tests/test_a.py.",
        "        $ covls run tests/test_a.py",
        "",
        "1 of 3 functions to test.",
        "",
        SCORE_WORDS,
        "",
        "A note.",
    ]
    markdown = as_markdown(ranking(), lambda row: f"file://{row.path}#L{row.first}")
    assert "1. [a.py\\:2](file:///project/a.py#L2) **g** (score 6.0)  \n" in markdown
    assert "*Mind \\*it\\*.*" in markdown
    assert "`covls run tests/test_a.py`" in markdown
    found = as_json(ranking())
    assert (found["by"], found["total"], found["notes"]) == ("function", 3, ["A note."])
    (shown,) = found["rows"]
    assert (shown["start"], shown["end"], shown["lines"]) == (1, 9, [[2, 5]])
    assert shown["factors"]["branches"] == 2
    assert shown["action"]["command"] == ["covls", "run", "tests/test_a.py"]
    assert "Nothing is left to test of what was measured." in as_text(Ranking("file"))
    assert "Nothing is left to test of what was measured." in as_markdown(Ranking("file"))


# What to do


def test_what_ran_nearest() -> None:
    found = coverage()
    # Before it in its function; then what its neighbours ran, those of its class first.
    assert next(nearest_that_ran(found, 7)) == 5
    assert next(nearest_that_ran(found, 9)) == 8
    assert next(nearest_that_ran(found, 23)) == 22
    assert list(nearest_that_ran(found, 15)) == [5, 21]


@pytest.mark.parametrize(
    ("tests", "file", "function", "expected"),
    [
        ([], "", "f", None),
        (["t.py::test_b", "t.py::test_total"], "", "Cart.total", "t.py::test_total"),
        # The file with the module's tests comes first.
        (["a.py::test_total", "t.py::test_b"], "t.py", "total", "t.py::test_b"),
        (["t.py::test_long_name", "t.py::test_b"], "", "f", "t.py::test_b"),
        (["a.tests.T.test_total", "a.tests.T.test_b"], "", "total", "a.tests.T.test_total"),
    ],
)  # fmt: skip
def test_the_test_to_begin_from(
    tests: list[str], file: str, function: str, expected: str | None
) -> None:
    assert nearest_test(tests, file, function) == expected


PARTLY = row("function", Block(FUNCTION, 2, 3, 2, 1, 0, (2, 3)))
NEVER = row("function", Block(UNCALLED, 2, 5, 4, 2, 0, (2,)))


@pytest.mark.parametrize(
    ("found", "file", "test", "exists", "words"),
    [
        (
            PARTLY, "t.py", "t.py::T::test_a[1]", True,
            "Add a case beside test_a in t.py, which comes nearest to lines 2-3 of f.",
        ),
        (NEVER, "t.py", "t.py::test_a", True, "Add a test of g to t.py, beside test_a."),
        (NEVER, "t.py", "app.t.T.test_a", True, "Add a test of g to t.py, beside test_a."),
        (NEVER, "t.py", None, True, "Add a test of g to t.py."),
        (NEVER, "t.py", None, False, "Write t.py with a test of g."),
        (NEVER, "", None, False, "Write a test of g."),
    ],
)  # fmt: skip
def test_actions(found: Priority, file: str, test: str | None, exists: bool, words: str) -> None:
    action = action_for(found, file, test, f"/project/{file}", exists)
    assert action.words == words
    assert action.command == (("covls", "run", file) if file else ("covls", "run"))


def test_what_no_test_can_reach_here() -> None:
    found = row("function", Block(FUNCTION, 2, 3, 2, 1, 0, (2, 3), elsewhere=3))
    action = action_for(found, "t.py", "t.py::test_a", "/project/t.py", True)
    assert action.words.startswith("Run the tests on that platform, too")
    assert (action.file, action.test, action.command) == ("", None, ())


DJANGO_FILES: Mapping[str, tuple[float | None, str]] = {
    "shop/management/commands/import_orders.py": (1.5, "call_command('import_orders'"),
    "shop/admin.py": (0.7, "superuser"),
    "shop/admin/orders.py": (0.7, "superuser"),
    "shop/views.py": (1.2, "test client"),
    "shop/views/cart.py": (1.2, "test client"),
    "shop/models.py": (1.2, "test database"),
    "shop/models/order.py": (1.2, "test database"),
    "shop/migrations/0001_initial.py": (0.2, "omit"),
    "site/settings/production.py": (0.2, "omit"),
    "manage.py": (0.2, "omit"),
    "shop/forms.py": (None, "is_valid()"),
    "shop/executors/payments.py": (None, "time-outs"),
    "shop/prices.py": (None, ""),
}


@pytest.mark.parametrize("name", DJANGO_FILES)
def test_advice_for_django(name: str) -> None:
    weight, words = DJANGO_FILES[name]
    (found,) = map(row_of, rank([source(name, 2)], "file", DJANGO))
    assert found.factors.weight == (1 if weight is None else weight)
    assert words in found.advice
    assert bool(found.advice) is bool(words)


def test_every_rule_for_django_says_something() -> None:
    for rule in DJANGO:
        assert rule.advice
        assert not is_below("src/module.py", rule.match)
