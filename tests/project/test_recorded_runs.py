"""The base of a drop, flaky lines and comparisons, on real repositories with a real history."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from covls.adapters.commits import commits_of
from covls.adapters.history_db import open_history
from covls.core.detail import places
from covls.core.history import Run
from covls.core.regression import Kind
from covls.core.settings import Settings
from covls.project.recorded_runs import (
    Texts,
    compare_runs,
    flaky_in,
    nearest_run,
    runs_along,
)
from tests.adapters.repositories import Repository, needs_git
from tests.recorded_project import AT, RecordedProject

pytestmark = needs_git

SHOP = """\
def price(n, member):
    if member:
        n *= 2
    return n

def old(n):
    a = 1
    b = 2
    return a
"""
MISSED = SHOP.replace("n *= 2", "n *= 2  # missed")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordedProject]:
    monkeypatch.delenv("COVLS_HISTORY_URL", raising=False)
    project = RecordedProject(tmp_path / "shop")
    with project.history:
        yield project


def nearest(shop: RecordedProject, ref: str = "HEAD") -> int | str:
    """The number of the nearest run, or why there is none."""
    commit = shop.commits.find(ref)
    assert commit is not None
    found = nearest_run(shop.history, shop.commits, commit)
    return found.number if isinstance(found, Run) else found


def test_the_nearest_recorded_ancestor_whatever_the_clocks_say(shop: RecordedProject) -> None:
    shop.commit(at=AT + 10_000_000, a=SHOP)
    assert "Neither" in str(nearest(shop))
    first = shop.record()
    shop.commit(at=AT, a=MISSED + "x = 1\n")
    second = shop.record()
    shop.commit(at=AT + 5, a=SHOP + "x = 2\n")
    assert nearest(shop) == second.number, "not the run of the newest commit by its date"
    shop.repository("checkout", "-q", "HEAD~2")
    assert nearest(shop) == first.number, "what is no ancestor is none, however late it was run"


def test_first_parents_go_before_what_was_merged(shop: RecordedProject) -> None:
    shop.commit(a=SHOP)
    main = shop.record()
    shop.repository("checkout", "-qb", "topic")
    shop.commit(b=SHOP)
    topic = shop.record()
    shop.repository("checkout", "-q", "main")
    shop.commit(c=SHOP)
    shop.repository("merge", "-q", "--no-ff", "-m", "merge", "topic")
    assert nearest(shop) == main.number
    # But what was merged is an ancestor, too, where main has none.
    shop.history.prune([main.number])
    assert nearest(shop) == topic.number


def test_what_a_rebase_or_a_squash_left_behind_is_no_ancestor(shop: RecordedProject) -> None:
    shop.commit(a=SHOP)
    main = shop.record()
    shop.repository("checkout", "-qb", "topic")
    shop.commit(b=SHOP)
    left = shop.record()
    shop.repository("checkout", "-q", "main")
    shop.repository("merge", "-q", "--squash", "topic")
    shop.commit()
    assert nearest(shop) == main.number
    shop.commit(c=SHOP)
    shop.repository("checkout", "-q", "topic")
    shop.repository("rebase", "-q", "main~1")
    shop.repository("commit", "-q", "--amend", "--allow-empty", "-m", "forced", at=AT)
    assert nearest(shop, "topic") == main.number
    assert nearest(shop, left.commit.id) == left.number


def test_a_shallow_clone_says_so(shop: RecordedProject, tmp_path: Path) -> None:
    shop.commit(a=SHOP)
    shop.record()
    shop.commit(b=SHOP)
    shop.commit(c=SHOP)
    assert nearest(shop) == 1
    Repository(tmp_path, init=False)("clone", "-q", "--depth=2", f"file://{shop.folder}", "clone")
    commits = commits_of(tmp_path / "clone")
    assert commits is not None
    head = commits.find("HEAD")
    assert head is not None
    found = nearest_run(shop.history, commits, head)
    assert isinstance(found, str)
    assert "fetch-depth: 0" in found


def test_flags_and_the_commit_itself(shop: RecordedProject) -> None:
    shop.commit(a=SHOP)
    first = shop.record(flags=("linux",))
    head = shop.commit(a=MISSED)
    other = shop.record(flags=("windows",))
    history, commits = shop.history, shop.commits
    assert nearest_run(history, commits, head) == other
    assert nearest_run(history, commits, head, ("linux",)) == first
    assert nearest_run(history, commits, head, itself=False) == first
    assert "macos" in str(nearest_run(history, commits, head, ("macos",)))
    assert runs_along(history, commits, other) == [other]


def flaky(shop: RecordedProject, run: Run) -> dict[str, list[int]]:
    evidence = runs_along(shop.history, shop.commits, run)
    found = flaky_in(Texts(shop.commits), shop.history, run, evidence)
    return {path: list(places(bits)) for path, bits in found.items()}


def test_lines_that_toggle_without_a_change_of_code_are_flaky(shop: RecordedProject) -> None:
    shop.commit(a=SHOP)
    shop.record()
    shop.document("Hello.")
    shop.mark(a=MISSED)
    assert flaky(shop, shop.record()) == {"a.py": [3]}
    # Of another text the lines are others.
    shop.commit(a="import os\n\n" + SHOP)
    assert flaky(shop, shop.record()) == {"a.py": [5]}
    # What was edited is not what was flaky.
    shop.commit(a=SHOP.replace("n *= 2", "n *= 3"))
    assert flaky(shop, shop.record()) == {}


def test_a_test_that_came_or_went_makes_nothing_flaky(shop: RecordedProject) -> None:
    runs = []
    for number, text in enumerate([SHOP, MISSED, SHOP]):
        shop.commit(a=text, test_a=f"assert {number}\n")
        runs.append(shop.record())
    assert flaky(shop, runs[-1]) == {}, "twice is not often"
    shop.commit(a=MISSED, test_a="assert 4\n")
    assert flaky(shop, shop.record()) == {"a.py": [3]}, "thrice is"


def test_other_tools_and_unclean_work_trees_tell_nothing(shop: RecordedProject) -> None:
    shop.commit(a=SHOP)
    shop.record()
    shop.document("Hello.")
    shop.mark(a=MISSED)
    assert flaky(shop, shop.record(clean=False)) == {}


def test_two_runs_compared(shop: RecordedProject) -> None:
    more = "def more(n):\n" + "".join(f"    a{n} = {n}\n" for n in range(9))
    shop.commit(a=SHOP, b=SHOP + "b = 1\n", c=SHOP + "c = 1\n", d=SHOP + more)
    first = shop.record(branches=True)
    shop.repository("mv", "d.py", "new.py")
    del shop.texts["d.py"]
    shop.commit(a=MISSED, b=None, c=SHOP + "c = 2  # missed\n", new=SHOP + more.replace("a3", "z3"))
    second = shop.record(branches=True)
    compared = compare_runs(shop.history, shop.commits, first, second)
    assert compared.notes == ()
    told = {file.name: file for file in compared.found.files}
    assert {name: file.kind for name, file in told.items()} == {
        "a.py": Kind.SAME,
        "b.py": Kind.DELETED,
        "c.py": Kind.CHANGED,
        "new.py": Kind.CHANGED,
    }
    assert told["a.py"].newly_missed == ((3, 3),)
    assert told["a.py"].branches_missed == ((2, 2),)
    assert told["c.py"].new_missed == (10,)
    assert told["new.py"].name_before == "d.py"
    assert told["new.py"].new_covered == (14,)
    assert compared.found.before == first.totals
    assert compared.found.now == second.totals
    drop = compared.found.drop
    assert drop.by_deleted + drop.by_tests + drop.by_code + drop.by_chance == -drop.naive
    # Without a repository, or with other texts in it, lines of changed files are not known.
    for_lack = compare_runs(shop.history, None, first, second)
    kinds = {file.name: file.kind for file in for_lack.found.files}
    assert kinds["a.py"] is Kind.SAME
    assert kinds["c.py"] is Kind.UNKNOWN
    assert "the text" in for_lack.notes[0]


def test_a_run_of_lines_against_one_of_branches(shop: RecordedProject) -> None:
    shop.commit(a=SHOP, b=SHOP)
    first = shop.record(branches=True)
    shop.commit(a=MISSED, test_a="pass\n")
    second = shop.record()
    compared = compare_runs(shop.history, shop.commits, first, second)
    assert "count in neither" in compared.notes[0]
    assert compared.found.before.n_branches == 0
    assert compared.found.drop.naive == 100 - Fraction(1600, 17)


def test_flaky_lines_of_files_that_are_the_same_count_in_neither(shop: RecordedProject) -> None:
    shop.commit(a=SHOP, b=SHOP)
    shop.record()
    shop.document("Hello.")
    shop.mark(a=MISSED)
    first = shop.record()
    shop.commit(b=MISSED, test_b="")
    second = shop.record()
    compared = compare_runs(shop.history, shop.commits, first, second)
    assert [file.name for file in compared.found.files] == [
        *("a.py", "b.py", "test_b.py"),
    ]
    assert compared.found.files[0].flaky == ((3, 3),)
    drop = compared.found.drop
    assert drop.fair_before.n_statements == drop.fair_now.n_statements == 15
    assert drop.fair == Fraction(100, 15)


def test_a_history_opened_to_be_read(shop: RecordedProject) -> None:
    shop.commit(a=SHOP)
    run = shop.record()
    with open_history(shop.folder, Settings(), mode="read") as history:
        head = shop.commits.find("HEAD")
        assert head is not None
        assert nearest_run(history, shop.commits, head) == run
