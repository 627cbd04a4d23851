"""A history on each of its databases: what was recorded is found, whole, and nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from covls.adapters.history_db import HistoryError, NoHistoryError, open_history
from covls.adapters.history_db.history import History
from covls.core.history import Run, merged, total
from covls.core.settings import History as HistorySettings
from covls.core.settings import Settings
from tests.adapters.history_db.synthetic import START, commit, file


def opened(url: str, root: Path = Path("/nowhere")) -> History:
    """The history at a URL."""
    return open_history(root, Settings(history=HistorySettings(url)), mode="write")


@pytest.fixture
def history(history_url: str) -> Iterator[History]:
    """A history without runs."""
    with opened(history_url) as history:
        yield history


def record(history: History, number: int, *paths: str, flags: str = "", **how: object) -> Run:
    """Record a commit whose files ran in the usual way."""
    options = {"clean": True, "versions": {"python": "3.12"}, "has_branches": True} | how
    options.setdefault("files", [file(path) for path in paths or ("a.py", "b/c.py")])
    return history.record(commit(number), flags.split(), **options)  # type: ignore[arg-type]


def test_what_was_recorded_is_found(history: History) -> None:
    """With all that was known of it."""
    before = datetime.now(UTC)
    run = record(history, 3, "b/ü.py", "a.py", flags="py312 linux")
    assert run.commit == commit(3)
    assert (run.flags, run.clean, run.has_branches) == (("linux", "py312"), True, True)
    assert run.versions == {"python": "3.12"}
    assert run.totals == total([file("a.py"), file("b/ü.py")])
    assert before <= run.recorded <= datetime.now(UTC)
    assert history.runs() == [run] == [history.run(run.number)]
    assert history.files(run) == {path: file(path) for path in ("a.py", "b/ü.py")}
    assert list(history.files(run)) == ["a.py", "b/ü.py"]
    assert history.files(run, ["b/ü.py", "x.py"]) == {"b/ü.py": file("b/ü.py")}
    assert history.file(run, "a.py") == file("a.py")
    assert history.file(run, "x.py") is None
    assert history.file_totals(run) == {p: file(p).totals for p in ("a.py", "b/ü.py")}


def test_files_of_several_runs_are_read_once(history: History) -> None:
    """What two runs, one after the other, have in common is one object."""
    first = record(history, 1, "a.py", "b.py")
    second = record(history, 2, "a.py")
    third = record(history, 3, "b.py", "c.py")
    found = list(history.files_of([first, second, third]))
    assert [run for run, _ in found] == [first, second, third]
    assert [files for _, files in found] == [history.files(run) for run, _ in found]
    assert found[0][1]["a.py"] is found[1][1]["a.py"]


def test_letters_that_no_database_takes(history: History) -> None:
    """Are spelt out: a path is what the file system says."""
    one = replace(commit(1, "bra\udcffnch"), subject="nul \0 ends")
    run = history.record(
        one, [], clean=True, versions={}, has_branches=True, files=[file("a\udce4.py")]
    )
    assert (run.commit.branch, run.commit.subject) == ("bra\\udcffnch", "nul \\0 ends")
    assert list(history.files(run)) == ["a\\udce4.py"]


def test_what_is_not_there(history: History) -> None:
    """Is None, or an error that says so."""
    assert history.runs() == []
    assert history.run(1) is None
    assert history.run_of(commit(1).id) is None
    assert history.nearest([commit(1).id]) is None
    assert history.versions("a.py") == []
    run = record(history, 1)
    history.prune([run.number])
    with pytest.raises(NoHistoryError, match="Run #1 is not in the history any more"):
        history.files(run)


def test_runs_are_ordered_by_the_times_of_their_authors(history: History) -> None:
    """Whenever they were recorded, on whatever clock."""
    for number in (2, 5, 1):
        record(history, number)
    zone = timezone(timedelta(hours=9))
    other = replace(commit(7), authored=commit(3).authored.astimezone(zone), branch="topic")
    history.record(other, [], clean=False, versions={}, has_branches=False, files=[])
    found = history.runs()
    assert [run.commit.id[-1] for run in found] == list("5721")
    assert {run.commit.authored.tzinfo for run in found} == {UTC}
    assert found[1].commit == replace(other, authored=commit(3).authored)
    assert history.runs(limit=2) == found[:2]
    assert history.runs(branch="topic") == [found[1]]
    assert history.runs(since=START + timedelta(days=3)) == found[:2]
    assert history.runs(commit=commit(5).id[:40]) == [found[0]]
    assert history.runs(commit="%") == []


def test_flags_tell_runs_of_a_commit_apart(history: History) -> None:
    """Without flags asked for, the run that has none goes first, then the last one."""
    one = record(history, 1, flags="py311")
    other = record(history, 1, flags="py312")
    assert history.runs(flags=["py311"]) == [one]
    assert history.runs(flags=[]) == []
    assert history.run_of(commit(1).id) == other
    assert history.run_of(commit(1).id, ["py311"]) == one
    plain = record(history, 1)
    record(history, 1, flags="py312")
    assert history.run_of(commit(1).id) == plain
    assert history.nearest([commit(4).id, commit(1).id], ["py311"]) == one
    with pytest.raises(HistoryError, match="is no flag"):
        record(history, 1, flags="a,b")


def test_the_nearest_of_many_commits(history: History) -> None:
    """The first that has a run, in the order of the commits and not of the runs."""
    record(history, 9)
    wanted = record(history, 4)
    record(history, 2)
    ancestors = [commit(number).id for number in range(7, 0, -1)]
    assert history.nearest(ancestors) == wanted
    assert history.nearest(ancestors, ["py312"]) is None
    assert history.nearest([]) is None


def test_the_same_again_replaces(history: History) -> None:
    """Never doubles; the number of the run stays."""
    first = record(history, 1, "a.py", "b.py")
    again = record(history, 1, "b.py", "c.py", clean=False, versions={"python": "3.13"})
    assert history.runs() == [again]
    assert again.number == first.number
    assert (again.clean, again.versions) == (False, {"python": "3.13"})
    assert list(history.files(first)) == ["b.py", "c.py"]
    assert again.totals == total(history.files(again).values())


def test_the_same_again_merges(history: History) -> None:
    """Into what combined data would have said; files that only one has stay."""
    one, other = file("a.py", (1, 2)), file("a.py", (2, 3, 4))
    record(history, 1, files=[one, file("b.py")], versions={"python": "3.12"})
    run = record(history, 1, files=[other, file("c.py")], same="merge", clean=False)
    found = history.files(run)
    assert found == {"a.py": merged(one, other), "b.py": file("b.py"), "c.py": file("c.py")}
    assert found["a.py"].totals.n_missing == 2
    assert history.runs() == [run]
    assert run.totals == total(found.values())
    assert not run.clean
    # Where nothing was recorded before there is nothing to merge with.
    assert record(history, 2, same="merge").totals == total([file("a.py"), file("b/c.py")])


def test_what_differs_between_runs(history: History) -> None:
    """Is read alone, and without its functions."""
    one = record(history, 1, files=[file("a.py"), file("b.py"), file("gone.py")])
    other = record(history, 2, files=[file("a.py"), file("b.py", (1,)), file("new.py")])
    before, after = history.differing(one, other)
    b, gone = file("b.py"), file("gone.py")
    assert before == {"b.py": replace(b, functions=()), "gone.py": replace(gone, functions=())}
    b, new = file("b.py", (1,)), file("new.py")
    assert after == {"b.py": replace(b, functions=()), "new.py": replace(new, functions=())}
    assert history.differing(one, one) == ({}, {})


def test_paths_that_change_from_run_to_run(history: History) -> None:
    """Not those that come and go."""
    one = record(history, 1, files=[file("a.py"), file("b.py"), file("gone.py")])
    other = record(history, 2, files=[file("a.py"), file("b.py", (1,)), file("new.py")])
    third = record(history, 3, files=[file("a.py"), file("b.py", (1,)), file("new.py", (1,))])
    assert history.changing([one, other, third]) == {"b.py", "new.py"}
    assert history.changing([other, one]) == {"b.py"}
    assert history.changing([one]) == set()


def test_one_file_of_all_runs(history: History) -> None:
    """The same object where the same was found, so that a walk can pass over it."""
    runs = [
        record(history, number, files=[file("b.py"), file("a.py", ran), file("c.py")])
        for number, ran in enumerate([(1,), (1, 2), (1,), (1,)])
    ]
    missing = record(history, 9, "b.py")
    found = history.versions("a.py")
    assert [run for run, _ in found] == [missing, *reversed(runs)]
    assert [one and one.executed for _, one in found] == [None, 0b10, 0b10, 0b110, 0b10]
    assert found[1][1] is found[2][1] is found[4][1]
    assert history.versions("a.py", [runs[1]]) == [(runs[1], file("a.py", (1, 2)))]
    assert history.versions("x.py") == [(run, None) for run, _ in found]


def test_pruning_takes_what_only_the_pruned_have(history: History) -> None:
    """What is shared stays, and what is gone makes room for others."""
    one = record(history, 1, files=[file("a.py"), file("old.py"), file("b.py", (1,))])
    other = record(history, 2, files=[file("a.py"), file("b.py")])
    history.artifacts.put(commit(1).id, "data", b"1")
    history.artifacts.put(commit(2).id, "data", b"2")
    planned = history.prune([one.number], dry_run=True)
    assert (planned.runs, planned.records) == ((one,), 2)
    assert len(history.runs()) == 2
    assert history.prune([one.number]) == planned
    assert history.runs() == [other]
    assert list(history.files(other)) == ["a.py", "b.py"]
    assert history.versions("old.py") == [(other, None)]
    assert history.artifacts.commits() == {commit(2).id}
    history.compact()
    third = record(history, 3, "new.py", "b.py", "newer.py")
    assert list(history.files(third)) == ["b.py", "new.py", "newer.py"]
    assert history.file(other, "b.py") == file("b.py")


def test_alerts_are_told_by_one(history: History, history_url: str) -> None:
    """The one who changed how it stands with the event, in whatever process."""
    assert history.alerts.state("gate") is None
    with opened(history_url) as other:
        assert other.alerts.set("gate", "failed")
        assert not history.alerts.set("gate", "failed")
        assert history.alerts.set("gate", "recovered")
        assert not other.alerts.set("gate", "recovered")
    (state,) = history.alerts.all()
    assert (state.event, state.state, state.since.tzinfo) == ("gate", "recovered", UTC)
    assert history.alerts.state("gate") == state


def test_artifacts_come_back_as_they_were_left(history: History) -> None:
    """In the place of what was left under the same name before; never longer than is asked."""
    content = bytes(range(256)) * 10_000
    history.artifacts.put(commit(1).id, "data", b"before", ["py312"])
    left = history.artifacts.put(commit(1).id, "data", content, ["py312"])
    empty = history.artifacts.put(commit(1).id, "empty", b"")
    assert history.artifacts.list(commit(1).id) == [empty, left]
    assert history.artifacts.list("another") == []
    assert history.artifacts.content(left, len(content)) == content
    assert history.artifacts.content(empty, 0) == b""
    with pytest.raises(HistoryError, match="2560000 bytes, and no more than 10 are taken"):
        history.artifacts.content(left, 10)
    with pytest.raises(HistoryError, match="is not what was left there"):
        history.artifacts.content(replace(left, sha256="0" * 64), len(content))
    with pytest.raises(NoHistoryError, match="is gone"):
        history.artifacts.content(replace(left, name="other"), len(content))
