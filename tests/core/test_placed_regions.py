"""Functions and classes in the current text: each row is an edit, and what is still true after it.

What is measured is analysed by coverage.py's own parser, so that its regions are the real ones.
"""

import ast

import pytest
from coverage.regions import code_regions

from covls.core.analysis import Analysis, Region
from covls.core.coverage import FileCoverage, Measured, cover
from covls.core.drift import drift
from covls.core.lines import ranges, split_lines
from covls.core.marks import Freshness, marks
from covls.core.placed_regions import PlacedRegion, placed_regions
from covls.core.statements import Text

SOURCE = '''\
import os


@os.fspath
def first(a, b):
    """What it does."""
    if a:
        return b
    return a


class Shop:
    name = "shop"

    def total(self):
        return 1

    def outer(self):
        def inner():
            return 2

        return inner


class Empty:
    pass


def last():
    return 3
'''


def covered(source: str) -> FileCoverage:
    """A source of which all ran."""
    first_lines: dict[int, int] = {}
    statements = set()
    for node in ast.walk(ast.parse(source)):
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.stmt) and not docstring:
            statements.add(node.lineno)
    analysis = Analysis(
        statements=frozenset(statements),
        excluded=frozenset(),
        no_branch=frozenset(),
        branches={},
        first_lines=first_lines,
        last_lines={},
        jump_fixers={},
        words={},
        regions=[
            Region(region.kind, region.name, region.start, ranges(region.lines))
            for region in code_regions(source)
        ],
        executable=frozenset(statements),
        line_count=len(source.splitlines()),
    )
    return cover(analysis, Measured(frozenset(statements)))


def placed(current: str, *, verified: bool = True) -> tuple[PlacedRegion, ...]:
    coverage = covered(SOURCE)
    line_map = drift(Text(split_lines(SOURCE)), Text(split_lines(current)))
    found = marks(coverage, line_map, verified=verified)
    return placed_regions(coverage, found, line_map, verified=verified)


def shown(current: str) -> dict[str, str]:
    """Freshness by name."""
    return {region.name: region.freshness.value for region in placed(current)}


ALL = ("first", "Shop", "Shop.total", "Shop.outer", "Shop.outer.inner", "Empty", "last")


def with_edited(*edited: str, **more: str) -> dict[str, str]:
    return {name: "edited" if name in edited else "fresh" for name in ALL} | more


def test_unchanged_they_are_where_they_were() -> None:
    assert [(region.name, region.start, region.end) for region in placed(SOURCE)] == [
        ("first", 5, 9),
        ("Shop", 12, 22),
        ("Shop.total", 15, 16),
        ("Shop.outer", 18, 22),
        ("Shop.outer.inner", 19, 20),
        ("Empty", 25, 25),
        ("last", 29, 30),
    ]
    assert set(shown(SOURCE).values()) == {"fresh"}


def test_they_move_as_one() -> None:
    current = "# above\n\n" + SOURCE.replace("return 3", "return 3  # three")
    assert shown(current) == with_edited()
    assert [region.start for region in placed(current)] == [7, 14, 17, 20, 21, 27, 31]


def test_a_definition_below_its_decorator() -> None:
    current = SOURCE.replace("@os.fspath\n", "@os.fspath\n@print\n# Both of them.\n")
    assert placed(current)[0].start == 7
    assert shown(current) == with_edited()


@pytest.mark.parametrize(
    ("before", "after", "edited"),
    [
        # What parses to the same code is the same, documentation and layout included.
        ("return b", "return (\n            b\n        )", ()),
        ('"""What it does."""', '"""Something else."""', ()),
        ("import os\n", "import os\nimport sys\n", ()),
        ('name = "shop"', 'name = "other"', ()),
        # A statement was changed, taken away, or came in: first, in the middle, last.
        ("return b", "return c", ("first",)),
        ("    if a:\n        return b\n", "", ("first",)),
        ("    if a:", "    print()\n    if a:", ("first",)),
        ("    return a\n", "    return a\n    print()\n", ("first",)),
        ("    return 3\n", "    return 3\n\n    print()\n", ("last",)),
        # A method's statement is its class's, too; an inner function's is not the outer's.
        ("return 1", "return 10", ("Shop", "Shop.total")),
        ("return 2", "return 20", ("Shop", "Shop.outer.inner")),
        ("return inner", "return inner()", ("Shop", "Shop.outer")),
        # The first line.
        ("def first(a, b)", "def first(a, b=1)", ("first",)),
        ("class Empty:", "class Empty(list):", ("Empty",)),
        # The same statements below others, or in another order.
        ("    return a\n", "        return a\n", ("first",)),
        ("        return b\n    return a\n", "        return a\n    return b\n", ("first",)),
    ],
)
def test_an_edit_is_seen_where_it_is(before: str, after: str, edited: tuple[str, ...]) -> None:
    assert before in SOURCE
    assert shown(SOURCE.replace(before, after, 1)) == with_edited(*edited)


def test_one_that_came_in_is_new_and_its_class_another() -> None:
    current = SOURCE.replace("    def outer", "    def more(self):\n        pass\n\n    def outer")
    assert shown(current) == with_edited("Shop", **{"Shop.more": "new"})
    (new,) = (region for region in placed(current) if region.freshness is Freshness.NEW)
    assert (new.start, new.end, new.coverage) == (18, 19, None)


def test_one_that_is_gone_is_left_out() -> None:
    current = SOURCE.replace("\n\ndef last():\n    return 3\n", "")
    assert shown(current) == {name: "fresh" for name in ALL if name != "last"}


def test_a_renamed_one_may_be_another() -> None:
    found = {region.name: region for region in placed(SOURCE.replace("def last", "def final"))}
    assert found["final"].freshness is Freshness.EDITED
    assert found["final"].coverage is None


def test_a_method_that_was_moved_is_fresh_and_both_classes_are_not() -> None:
    method = "    def total(self):\n        return 1\n\n"
    current = SOURCE.replace(method, "").replace(
        "class Empty:\n    pass\n", f"class Empty:\n    pass\n\n{method}"
    )
    assert shown(current) == with_edited("Shop", "Empty")


def test_methods_in_another_order_are_the_same() -> None:
    first = "    def total(self):\n        return 1\n\n"
    second = (
        "    def outer(self):\n        def inner():\n            return 2\n\n        return inner\n"
    )
    current = SOURCE.replace(first + second, f"{second}\n{first.rstrip()}\n")
    assert current != SOURCE
    assert shown(current) == with_edited()


def test_indented_as_one_they_are_the_same() -> None:
    current = SOURCE.replace(
        "def last():\n    return 3\n", "if True:\n    def last():\n        return 3\n"
    )
    assert shown(current) == with_edited()


def test_a_function_that_took_another_ones_end() -> None:
    """The statements below a new `def` line are not the upper function's any more."""
    current = SOURCE.replace("    return a\n", "\n\ndef between():\n    return a\n")
    assert shown(current) == with_edited("first", between="new")


def test_not_verified_is_not_fresh() -> None:
    assert {region.freshness.value for region in placed(SOURCE, verified=False)} == {"unverified"}
    edited = {region.name: region for region in placed(SOURCE + "    print()\n", verified=False)}
    assert edited["last"].freshness is Freshness.EDITED
    assert edited["first"].freshness is Freshness.UNVERIFIED


def test_while_a_text_makes_no_sense_what_is_elsewhere_stays() -> None:
    assert shown(SOURCE.replace("return b", "return (b")) == with_edited("first")
