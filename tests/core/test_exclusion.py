"""Where the pragma goes, and what it excludes: proved with coverage.py's own parser."""

import re
from textwrap import dedent

import pytest

from covls.core.analysis import Analysis
from covls.core.coverage import State
from covls.core.exclusion import PRAGMA, Exclusion, exclusion_at, pragma_of
from covls.core.marks import Freshness, Mark
from covls.core.statements import Text
from tests.core.analysed import analysed

DEFAULT = r"#\s*(pragma|PRAGMA)[:\s]?\s*(no|NO)\s*(cover|COVER)"

# A line that ends in `#!` did not run; one that ends in `#>` is to get the comment, too (`#!>`).
CASES = {
    "a function of which nothing ran": (
        """
        def never(a):  #>
            b = a  #!
            return b  #!
        """,
        "`def never`",
    ),
    "a method, a decorator over it, and a signature of several lines": (
        """
        class A:
            @staticmethod
            def never(
                a,
                b,
            ):  #>
                return a  #!
        """,
        "`def never`",
    ),
    "an if, and not its else": (
        """
        def f(a):
            if a:  #>
                a = 1  #!
            else:
                a = 2
            return a
        """,
        "the `if` in line 2",
    ),
    "an else, which is no statement": (
        """
        def f(a):
            if a:
                a = 1
            else:  #>
                a = 2  #!
            return a
        """,
        "the `else` in line 4",
    ),
    "an except that never caught": (
        """
        try:
            a = 1
        except ValueError:  #!>
            a = 2  #!
        """,
        "the `except` in line 3",
    ),
    "a loop that was never entered, the outermost clause": (
        """
        for a in ():  #>
            if a:  #!
                with a:  #!
                    a.b()  #!
        """,
        "the `for` in line 1",
    ),
    "one statement": (
        """
        def f(a):
            if a: return a
            return 1  #!>
        """,
        "line 3",
    ),
    "a statement of several lines": (
        """
        def f(a):
            if a: return a
            return g(  #!
                1,  #!
            )  #!>
        """,
        "lines 3 to 5",
    ),
    "what has no head in common": (
        """
        def f(a):
            if a: return a
            b = 1  #!>
            if b:  #!>
                b = 2  #!
            return b  #!>
        """,
        "lines 3 to 6",
    ),
    "a comment is there already": (
        """
        def f(a):
            if a: return a
            return 1  # noqa: X  #!>
        """,
        "line 3",
    ),
    "a case": (
        """
        def f(a):
            match a:
                case 1:
                    return 1
                case 2:  #>
                    return 2  #!
        """,
        "the `case` in line 5",
    ),
    "an async function, with a docstring": (
        '''
        async def f(a):  #>
            """It says."""
            return a  #!
        ''',
        "`async def f`",
    ),
}


def marked(source: str) -> tuple[list[str], set[int], set[int]]:
    """The lines without the marks, which of them did not run, and which get the comment."""
    found = dedent(source).strip("\n").split("\n")
    missing = {n for n, line in enumerate(found, 1) if re.search(r"#!>?$", line)}
    headed = {n for n, line in enumerate(found, 1) if re.search(r"#!?>$", line)}
    return [re.sub(r"\s*#(!>?|>)$", "", line) for line in found], missing, headed


def excluded(
    lines: list[str], missing: set[int], at: int, freshness: Freshness = Freshness.FRESH
) -> tuple[Exclusion | None, Analysis]:
    analysis = analysed("\n".join(lines), exclude=[DEFAULT])
    marks = tuple(
        Mark(line, line, State.MISSING if line in missing else State.COVERED, freshness)
        for line in range(1, len(lines) + 1)
        if lines[line - 1].strip() not in ("", "else:")
    )
    return exclusion_at(Text(lines), analysis, marks, at, at, PRAGMA), analysis


@pytest.mark.parametrize("case", CASES)
def test_the_comment_is_where_coverage_takes_it(case: str) -> None:
    source, what = CASES[case]
    lines, missing, headed = marked(source)
    for at in sorted(missing):
        found, before = excluded(lines, missing, at)
        assert found is not None
        assert {line for line, _ in found.comments} == headed
        assert found.what == what
        edited = found.applied(lines)
        assert [line.removesuffix(f"  {PRAGMA}") for line in edited] == lines
        after = analysed("\n".join(edited), exclude=[DEFAULT])
        assert found.holds(before, after)
        gone = before.statements - after.statements
        assert missing & before.statements <= gone


def test_on_the_header_of_an_uncovered_clause_it_is_the_same() -> None:
    lines, missing, _ = marked(CASES["a function of which nothing ran"][0])
    assert excluded(lines, missing, 1)[0] == excluded(lines, missing, 2)[0]


def test_nothing_where_all_ran_and_where_it_is_not_known_any_more() -> None:
    lines, missing, _ = marked(CASES["an if, and not its else"][0])
    assert excluded(lines, missing, 5)[0] is None
    assert excluded(lines, missing, 3, Freshness.EDITED)[0] is None
    assert excluded(lines, missing, 3, Freshness.UNVERIFIED)[0] is not None


def test_nobody_would_write_that_many() -> None:
    lines = [f"a{n} = {n}" for n in range(20)]
    assert excluded(lines, set(range(1, 21)), 3)[0] is None


def test_an_exclusion_that_does_more_or_less_does_not_hold() -> None:
    lines, missing, _ = marked(CASES["an if, and not its else"][0])
    found, before = excluded(lines, missing, 3)
    assert found is not None
    assert not found.holds(before, before)
    whole = ["def f(a):  # pragma: no cover", *lines[1:]]
    assert not found.holds(before, analysed("\n".join(whole), exclude=[DEFAULT]))


@pytest.mark.parametrize(
    ("exclude", "comment"),
    [
        ([DEFAULT], PRAGMA),
        (["raise NotImplementedError", "# pragma: no cover"], PRAGMA),
        (["no cover"], PRAGMA),
        (["# nocov"], "# nocov"),
        ([r"#\s*(?:coverage|cov):\s*(skip|off)$"], "# coverage: skip"),
        ([r"#\s*no-?cover\b"], "# no-cover"),
        (["raise NotImplementedError"], None),
        (["."], None),
        (["("], None),
        ([], None),
    ],
)
def test_the_comment_a_configuration_takes(exclude: list[str], comment: str | None) -> None:
    assert pragma_of(exclude) == comment
