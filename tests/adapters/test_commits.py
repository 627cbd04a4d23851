"""What came before what, by parents alone, and what files of commits were."""

import os
from pathlib import Path

import pytest

from covls.adapters.commits import Commits, commits_of
from tests.adapters.repositories import Repository, needs_git

pytestmark = needs_git

AT = 1_700_000_000
DAY = 86_400


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    return Repository(tmp_path / "shop")


def commits(folder: Path) -> Commits:
    found = commits_of(folder)
    assert found is not None
    return found


def test_first_parents_and_all_whatever_the_clocks_say(repository: Repository) -> None:
    # Each clock is wrong in its own way: what is told by dates is told wrong.
    first = repository.commit("a.py", "a = 1\n", AT + 900 * DAY)
    second = repository.commit("a.py", "a = 2\n", AT - 900 * DAY)
    repository("checkout", "-qb", "topic", first)
    third = repository.commit("b.py", "b = 1\n", AT + 5000 * DAY)
    fourth = repository.commit("b.py", "b = 2\n", AT)
    repository("checkout", "-q", "main")
    repository("merge", "-q", "--no-ff", "-m", "merge", "topic", at=AT - 3 * DAY)
    merge = repository("rev-parse", "HEAD")
    last = repository.commit("a.py", "a = 3\n", AT - 5000 * DAY)
    found = commits(repository.folder)
    assert found.along(last) == [last, merge, second, first]
    assert found.along(last, 2) == [last, merge]
    assert found.around(last) == [last, merge, second, fourth, first, third]
    assert found.merge_base(last, "topic") == fourth
    assert found.find("HEAD~1") == merge
    assert found.find("--all") is found.find("nothing") is None
    assert found.along("not a commit") == found.around("--all") == []
    assert not found.shallow


def test_a_shallow_clone_ends_where_it_is_cut_off(repository: Repository, tmp_path: Path) -> None:
    every = [repository.commit("a.py", f"a = {n}\n", AT + n) for n in range(5)]
    Repository(tmp_path, init=False)(
        "clone", "-q", "--depth=2", f"file://{repository.folder}", "clone"
    )
    found = commits(tmp_path / "clone")
    assert found.shallow
    assert found.along(every[4]) == found.around(every[4]) == [every[4], every[3]]
    assert found.along(every[0]) == []
    assert found.texts(every[0], ["a.py"]) == {}


def test_texts_of_a_commit_below_the_root(repository: Repository) -> None:
    repository.write("app/über alles.py", "ü = 1\r\n")
    repository.write("app/empty.py", "")
    first = repository.commit("app/a.py", "a = 1\n", AT)
    repository("add", ".")
    repository("commit", "-qm", "more", at=AT)
    second = repository("rev-parse", "HEAD")
    found = commits(repository.folder / "app")
    paths = ["a.py", "no such file.py", "über alles.py", "empty.py", "../app/a.py", "x\ny"]
    assert found.texts(second, paths) == {
        "a.py": ["a = 1", ""],
        "über alles.py": ["ü = 1", ""],
        "empty.py": [""],
    }
    assert found.texts(first, paths) == {"a.py": ["a = 1", ""]}
    assert found.texts("0" * 40, paths) == found.texts("HEAD", paths) == {}


def test_renamed_files(repository: Repository) -> None:
    text = "".join(f"a{n} = {n}\n" for n in range(20))
    repository.write("other.py", text.replace("a", "b"))
    repository("add", ".")
    first = repository.commit("app/a.py", text, AT)
    repository("mv", "app/a.py", "app/new.py")
    repository("mv", "other.py", "outside.py")
    second = repository.commit("app/new.py", text + "more = 1\n", AT)
    assert commits(repository.folder / "app").renamed(first, second) == {"new.py": "a.py"}
    assert commits(repository.folder).renamed(first, second) == {
        "app/new.py": "app/a.py",
        "outside.py": "other.py",
    }
    assert commits(repository.folder).renamed("0" * 40, second) == {}


def test_documentation_is_no_code(repository: Repository) -> None:
    first = repository.commit("a.py", "a = 1\n", AT)
    docs = repository.commit("README.md", "Hello.\n", AT)
    more = repository.commit("docs/how.txt", "So.\n", AT)
    repository("commit", "-qm", "nothing", "--allow-empty", at=AT)
    empty = repository("rev-parse", "HEAD")
    tests = repository.commit("test_a.py", "b = 1\n", AT)
    needs = repository.commit("requirements.txt", "click\n", AT)
    after = repository.commit("LICENSE", "Free.\n", AT)
    every = [first, docs, more, empty, tests, needs, after]
    names = commits(repository.folder).code_names([*every[:3], "0" * 40, *every[3:]])
    assert [names.get(commit) for commit in every] == [
        *(first, first, first, first),
        *(tests, needs, needs),
    ]
    assert len(names) == len(every), "what is not here has no name"
    # Only what is asked about counts, and what lies between.
    assert len(set(commits(repository.folder).code_names([first, after]).values())) == 2


def test_without_a_repository(tmp_path: Path) -> None:
    assert commits_of(tmp_path) is None
