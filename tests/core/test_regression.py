"""What between two runs came of code, of tests, of deleting, and of chance."""

from fractions import Fraction

import pytest

from covls.core.coverage import Totals
from covls.core.detail import bits_of
from covls.core.lines import split_lines
from covls.core.regression import (
    Comparison,
    FileChange,
    Kind,
    compare,
    paths_before,
    share,
    statements_alone,
)
from tests.core.recorded import recorded, stripped

BEFORE = """\
import os

def price(n, member):
    if member:
        n *= 2          # missed
    return n

def old(n):
    a = 1
    b = 2               # missed
    return a
"""


def compared(
    before: dict[str, str],
    now: dict[str, str],
    *,
    renamed: dict[str, str] | None = None,
    flaky: dict[str, int] | None = None,
    branches: bool = False,
    unknown: bool = False,
) -> Comparison:
    return compare(
        {name: recorded(name, text, branches=branches) for name, text in before.items()},
        {name: recorded(name, text, branches=branches) for name, text in now.items()},
        lambda name: None if unknown else split_lines(stripped(before[name])),
        lambda name: None if unknown else split_lines(stripped(now[name])),
        renamed=renamed,
        flaky=flaky,
    )


def one(before: str, now: str, *, branches: bool = False) -> FileChange:
    (found,) = compared({"a.py": before}, {"a.py": now}, branches=branches).files
    return found


ROWS = [
    ("nothing at all", BEFORE, BEFORE, {}),
    ("a comment and blank lines", BEFORE, "# New.\n\n" + BEFORE, {}),
    (
        "tests that reach less of the same code",
        BEFORE,
        BEFORE.replace("return a", "return a  # missed"),
        {"newly_missed": ((11, 11),)},
    ),
    (
        "tests that reach more, lower down",
        BEFORE,
        "\n\n" + BEFORE.replace("b = 2               # missed", "b = 2"),
        {"newly_covered": ((10, 12),)},
    ),
    (
        "a statement that is changed is code, and not gone",
        BEFORE,
        BEFORE.replace("return n\n", "return n + 1  # missed\n"),
        {"new_missed": (6,)},
    ),
    (
        "new code, reached and not",
        BEFORE,
        BEFORE + "\ndef new():\n    return 3    # missed\n",
        {"new_covered": (13,), "new_missed": (14,)},
    ),
    (
        "a deleted function",
        BEFORE,
        BEFORE.partition("\ndef old")[0],
        {"deleted_covered": (8, 9, 11), "deleted_missed": (10,)},
    ),
    (
        "what is excluded by now counts no more",
        BEFORE,
        BEFORE.replace("def old(n):", "def old(n):  # pragma: no cover"),
        {"deleted_covered": (8, 9, 11), "deleted_missed": (10,)},
    ),
    (
        "two lines that became one are not gone",
        "if a:\n    b = 1\n",
        "if a: b = 1\n",
        {},
    ),
]


@pytest.mark.parametrize(("why", "before", "now", "told"), ROWS, ids=[row[0] for row in ROWS])
def test_what_is_told_of_a_file(
    why: str, before: str, now: str, told: dict[str, tuple[object, ...]]
) -> None:
    found = one(before, now)
    names = (
        *("new_covered", "new_missed", "newly_covered", "newly_missed"),
        *("branches_covered", "branches_missed", "deleted_covered", "deleted_missed"),
        *("flaky", "flaky_changed"),
    )
    assert {name: value for name in names if (value := getattr(found, name))} == told, why
    assert found.kind is (Kind.SAME if stripped(before) == stripped(now) else Kind.CHANGED)


def test_every_statement_is_told_of_once() -> None:
    now = "x = 1\n" + BEFORE.replace("    b = 2               # missed\n", "")
    found = one(BEFORE, now)
    assert found.kept_before.n_statements + found.deleted.n_statements == (
        found.before.n_statements
    )
    new = len(found.new_covered) + len(found.new_missed)
    assert found.kept_now.n_statements + new == found.now.n_statements


def test_branches_that_are_taken_no_more() -> None:
    all_ran = BEFORE.replace("n *= 2          # missed", "n *= 2")
    found = one(all_ran, BEFORE, branches=True)
    assert found.branches_missed == ((4, 4),)
    assert found.newly_missed == ((5, 5),)
    assert one(BEFORE, all_ran, branches=True).branches_covered == ((4, 4),)
    assert one(BEFORE, BEFORE, branches=True).differs is False


def test_a_file_that_is_deleted_new_or_renamed() -> None:
    other = "def f():\n    return 1\n"
    found = compared({"a.py": BEFORE, "b.py": other}, {"c.py": BEFORE, "d.py": other + "x = 1\n"})
    assert [(file.name, file.kind, file.name_before) for file in found.files] == [
        ("b.py", Kind.DELETED, "b.py"),
        ("c.py", Kind.SAME, "a.py"),
        ("d.py", Kind.NEW, ""),
    ], "the very same text is enough to know a renamed file by"
    found = compared(
        {"a.py": BEFORE, "b.py": other},
        {"c.py": BEFORE, "d.py": other + "x = 1\n"},
        renamed={"d.py": "b.py"},
    )
    assert [(file.name, file.renamed, file.new_covered) for file in found.files] == [
        ("c.py", True, ()),
        ("d.py", True, (3,)),
    ]


def test_files_that_nobody_can_tell_apart_are_not_renamed() -> None:
    empty, same = recorded("a.py", ""), recorded("b.py", "x = 1\n")
    text = same.source
    assert paths_before({"a.py": empty}, {"b.py": empty.source}, {}) == {}
    assert paths_before({"b.py": same, "c.py": same}, {"d.py": text}, {}) == {}
    # Where a path is there before and now it is the same file, whatever was copied from it.
    both = {"b.py": text, "d.py": text}
    assert paths_before({"b.py": same}, both, {"d.py": "b.py"}) == {"b.py": "b.py"}


def test_without_a_text_nothing_is_told_of_lines() -> None:
    found = compared({"a.py": BEFORE}, {"a.py": BEFORE + "x = 1  # missed\n"}, unknown=True)
    assert found.files[0].kind is Kind.UNKNOWN
    assert found.files[0].deleted == Totals()
    assert found.drop.fair == found.drop.naive == Fraction(700, 9) - Fraction(70)


def test_deleting_well_tested_code_is_no_loss() -> None:
    tested = "def gone():\n" + "".join(f"    a{n} = {n}\n" for n in range(20))
    found = compared({"a.py": BEFORE + tested}, {"a.py": BEFORE}).drop
    assert found.naive > 5
    assert found.fair == 0
    assert found.by_deleted == -found.naive
    whole_file = compared({"a.py": BEFORE, "b.py": tested}, {"a.py": BEFORE}).drop
    assert whole_file.naive > 5
    assert whole_file.fair == 0


def test_flaky_lines_are_left_out_of_both() -> None:
    now = BEFORE.replace("return a", "return a  # missed")
    flaky = {"a.py": bits_of([11])}
    found = compared({"a.py": BEFORE}, {"a.py": now}, flaky=flaky)
    assert found.files[0].flaky == found.files[0].flaky_changed == ((11, 11),)
    assert found.files[0].newly_missed == ()
    assert found.drop.naive == share(Totals(n_statements=9, n_missing=2)) - share(
        Totals(n_statements=9, n_missing=3)
    )
    assert found.drop.fair == 0
    assert found.drop.by_chance == -found.drop.naive
    same = compared({"a.py": BEFORE}, {"a.py": BEFORE}, flaky=flaky)
    assert same.files[0].flaky == ((11, 11),)
    assert same.files[0].flaky_changed == ()
    assert same.drop.fair_before.n_statements == same.before.n_statements - 1


@pytest.mark.parametrize("branches", [False, True])
def test_the_steps_add_up(branches: bool) -> None:
    before = {"a.py": BEFORE, "b.py": BEFORE, "gone.py": "x = 1\ny = 2  # missed\n"}
    now = {
        "a.py": BEFORE.replace("return a", "return a  # missed"),
        "b.py": "z = 1\n" + BEFORE.partition("\ndef old")[0].replace("n *= 2", "n *= 3"),
        "new.py": "if x:\n    y = 1  # missed\n",
    }
    flaky = {"a.py": bits_of([6]), "b.py": bits_of([4])}
    found = compared(before, now, flaky=flaky, branches=branches).drop
    steps = found.by_deleted + found.by_tests + found.by_code + found.by_chance
    assert steps == -found.naive
    assert found.by_tests + found.by_code == -found.fair
    assert found.by_tests < 0


def test_counts_without_branches_are_those_of_lines() -> None:
    whole = recorded("a.py", BEFORE, branches=True)
    assert whole.totals.n_branches == 2
    assert statements_alone(whole).totals == recorded("a.py", BEFORE).totals
    assert whole.totals - whole.totals == Totals()
