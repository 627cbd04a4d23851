"""What two versions of a real repository differ in, in each state that a file can be in."""

import os
from pathlib import Path

import pytest

from covls.adapters.git_versions import GitVersions, NoVersionsError
from covls.adapters.merge_base import Base, NoText
from tests.adapters.repositories import Repository, needs_git

pytestmark = needs_git


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    repository = Repository(tmp_path / "shop")
    repository.write("a.py", "a = 1\n")
    repository.write("b.py", "".join(f"b{n} = {n}\n" for n in range(9)))
    repository.write("c.py", "c = 1\n")
    repository("add", ".")
    repository("commit", "-qm", "first")
    return repository


def changes(versions: GitVersions) -> dict[str, str]:
    """Each file that differs, and how."""
    return {
        change.name: "deleted"
        if not change.after
        else f"was {change.name_before}"
        if change.name_before
        else "changed"
        if change.before
        else "new"
        for change in versions.changes
    }


def test_what_is_staged_and_nothing_of_the_work_tree(repository: Repository) -> None:
    folder = repository.folder
    repository.write("a.py", "a = 2\n")
    repository.write("new name ü.py", "n = 1\n")
    repository("mv", "b.py", "sub.py")
    repository("rm", "-q", "c.py")
    repository("add", ".")
    repository.write("a.py", "a = 3\n")
    repository.write("untracked.py", "u = 1\n")
    versions = GitVersions(folder)
    assert changes(versions) == {
        "a.py": "changed",
        "new name ü.py": "new",
        "sub.py": "was b.py",
        "c.py": "deleted",
    }
    base = versions.base()
    assert isinstance(base, Base)
    assert base.name == "HEAD"
    a, new = folder / "a.py", folder / "new name ü.py"
    assert (versions.text(a), versions.current(a)) == (["a = 1", ""], "a = 2\n")
    assert (versions.text(new), versions.current(new)) == ((), "n = 1\n")
    assert versions.path_before(folder / "sub.py") == folder / "b.py"
    assert versions.path_before(a) is None
    assert versions.current(folder / "untracked.py") is None
    assert versions.text(folder / "untracked.py") is NoText.IGNORED
    assert versions.is_in(a, b"a = 2\n")
    assert not versions.is_in(a, b"a = 3\n")
    assert set(versions.changed([a, new, folder / "c.py", folder / "other.py"])) == {a, new}


def test_before_the_first_commit_all_is_new(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "fresh")
    repository.write("a.py", "a = 1\n")
    assert changes(GitVersions(repository.folder)) == {}
    repository("add", ".")
    versions = GitVersions(repository.folder)
    assert changes(versions) == {"a.py": "new"}
    base = versions.base()
    assert isinstance(base, Base)
    assert base.name.startswith("nothing")


def test_two_commits_from_where_they_parted(repository: Repository) -> None:
    repository("checkout", "-qb", "work")
    repository.commit("a.py", "a = 2\n", 1_700_000_000)
    repository("checkout", "-q", "main")
    repository.commit("c.py", "c = 2\n", 1_700_000_100)
    versions = GitVersions(repository.folder, first="main", second="work")
    assert changes(versions) == {"a.py": "changed"}, "what main did since is not the work's"
    assert versions.current(repository.folder / "c.py") == "c = 1\n"
    assert changes(GitVersions(repository.folder, first="work", second="main")) == {
        "c.py": "changed"
    }


def test_a_merge_that_is_not_committed(repository: Repository) -> None:
    """Files with conflicts have no text; the others are as they were merged."""
    repository("checkout", "-qb", "work")
    repository.write("a.py", "a = 2\n")
    repository.write("c.py", "c = 2\n")
    repository("commit", "-qam", "work")
    repository("checkout", "-q", "main")
    repository.commit("a.py", "a = 3\n", 1_700_000_000)
    repository("merge", "-q", "work", check=False)
    versions = GitVersions(repository.folder)
    a, c = repository.folder / "a.py", repository.folder / "c.py"
    assert versions.changed([a, c]) == [c]
    assert versions.current(c) == "c = 2\n"
    assert versions.current(a) is None


def test_nothing_to_compare(repository: Repository, tmp_path: Path) -> None:
    folder = repository.folder
    for first, second, words in (
        ("nowhere", "HEAD", "nowhere is no commit"),
        ("HEAD", "--upload-pack=x", "is no commit"),
    ):
        with pytest.raises(NoVersionsError, match=words):
            GitVersions(folder, first=first, second=second)
    repository("checkout", "-q", "--orphan", "other")
    repository("commit", "-qm", "other")
    with pytest.raises(NoVersionsError, match="no commit in common"):
        GitVersions(folder, first="main", second="other")
    with pytest.raises(NoVersionsError, match="in no git repository"):
        GitVersions(tmp_path)


def test_nothing_of_the_repository_runs(repository: Repository, tmp_path: Path) -> None:
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\ncat\n")
    evil.chmod(0o755)
    repository("config", "filter.evil.clean", str(evil))
    repository("config", "filter.evil.smudge", str(evil))
    repository("config", "diff.evil.textconv", str(evil))
    repository("config", "diff.evil.command", str(evil))
    repository("config", "core.fsmonitor", str(evil))
    repository.write("a.py", "a = 2\n")
    repository("-c", "core.fsmonitor=false", "add", "a.py")
    repository.write(".gitattributes", "*.py filter=evil diff=evil\n")
    (tmp_path / "ran").unlink(missing_ok=True)
    versions = GitVersions(repository.folder)
    assert versions.current(repository.folder / "a.py") == "a = 2\n"
    assert changes(versions) == {"a.py": "changed"}
    assert not (tmp_path / "ran").exists()
