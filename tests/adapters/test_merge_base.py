"""What real repositories say of the base of the work in them, and that nothing of theirs runs."""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from covls.adapters import merge_base
from covls.adapters.git_command import ask_git
from covls.adapters.merge_base import Base, MergeBase, NoText
from tests.adapters.repositories import Repository, needs_git
from tests.adapters.test_git import program

pytestmark = needs_git

START = 1_700_000_000
ONE, TWO, THREE = ("a = 1\n", "a = 2\n", "a = 3\n")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """One commit on `main`, one more on `work`, which is checked out."""
    repository = Repository(tmp_path / "a répository")
    repository.commit("a.py", ONE, START)
    repository("checkout", "-qb", "work")
    repository.commit("a.py", TWO, START + 10)
    return repository


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own names no default branch."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def named(base: Base | str) -> str:
    assert isinstance(base, Base), base
    return base.name


def text(base: MergeBase, path: Path) -> str | NoText:
    found = base.text(Path(os.path.realpath(path)))
    return found if isinstance(found, NoText) else "\n".join(found)


def clone(repository: Repository, folder: Path, *options: str) -> Repository:
    repository("clone", "-q", *options, repository.folder.as_uri(), str(folder))
    return Repository(folder, init=False)


def test_the_text_at_the_merge_base_whatever_main_became(repository: Repository) -> None:
    repository("checkout", "-q", "main")
    main = repository.commit("a.py", THREE, START + 20)
    repository("checkout", "-q", "work")
    base = MergeBase(repository.folder)
    found = base.base()
    assert isinstance(found, Base)
    assert (found.name, found.commit == main) == ("main", False)
    assert text(base, repository.folder / "a.py") == ONE


@pytest.mark.parametrize("name", ["main", "master", "trunk"])
def test_a_local_default_branch(repository: Repository, name: str) -> None:
    repository("branch", "-m", "main", name)
    if name == "trunk":
        assert "editor.base" in str(MergeBase(repository.folder).base())
        repository("config", "init.defaultBranch", "trunk")
    assert named(MergeBase(repository.folder).base()) == name


def test_what_comes_before_what(repository: Repository, tmp_path: Path) -> None:
    repository("checkout", "-q", "-b", "develop", "main")
    there = clone(repository, tmp_path / "clone")
    there("checkout", "-qb", "mine")
    assert named(MergeBase(there.folder).base()) == "origin/develop"
    there("remote", "set-head", "origin", "--delete")
    there("config", "init.defaultBranch", "work")
    assert named(MergeBase(there.folder).base()) == "origin/work"
    there("config", "--unset", "init.defaultBranch")
    assert named(MergeBase(there.folder).base()) == "origin/main"
    there("branch", "-q", "main", "origin/main")
    there("update-ref", "-d", "refs/remotes/origin/main")
    assert named(MergeBase(there.folder).base()) == "main"
    there("branch", "-qD", "main")
    there("checkout", "-q", "--track", "origin/work")
    assert named(MergeBase(there.folder).base()) == "origin/work"


def test_a_reference_that_is_named(repository: Repository) -> None:
    repository.commit("a.py", THREE, START + 20)
    repository("tag", "v1", "HEAD~1")
    for ref in ("v1", "HEAD~1", "work~1"):
        base = MergeBase(repository.folder, ref)
        assert named(base.base()) == ref
        assert text(base, repository.folder / "a.py") == TWO
    for ref in ("nothing", "-n", "--all", "v1^{tree}"):
        found = MergeBase(repository.folder, ref).base()
        assert isinstance(found, str)
        assert f"`editor.base` names {ref}" in found


def test_files_that_come_go_and_get_other_names(repository: Repository) -> None:
    folder = repository.folder
    repository("checkout", "-q", "main")
    lines = "".join(f"line_{number} = {number}\n" for number in range(20))
    repository.commit("old.py", lines, START + 20)
    repository.commit("gone.py", ONE, START + 20)
    repository("checkout", "-q", "work")
    repository("merge", "-q", "main", at=START + 30)
    repository.write("added.py", ONE)
    repository("add", "added.py")
    repository.write("untracked.py", ONE)
    repository.write(".gitignore", "ignored.py\nmade/\n")
    repository.write("ignored.py", ONE)
    repository.write("made/b.py", ONE)
    repository("mv", "old.py", "new.py")
    (folder / "gone.py").unlink()
    repository.write("new.py", lines + "more = 1\n")
    base = MergeBase(folder)
    names = ["a.py", "added.py", "untracked.py", "ignored.py", "made/b.py", "new.py"]
    found = {name: text(base, folder / name) for name in names}
    assert found == {
        "a.py": ONE,
        "added.py": "",
        "untracked.py": "",
        "ignored.py": NoText.IGNORED,
        "made/b.py": NoText.IGNORED,
        "new.py": lines,
    }
    assert base.text(folder / "added.py") == ()
    changed = base.changed(folder / name for name in names)
    assert {path.name for path in changed} == {"a.py", "added.py", "untracked.py", "new.py"}
    repository.write("a.py", ONE)
    assert folder / "a.py" not in base.changed([folder / "a.py"])


def test_an_empty_file_is_not_a_new_one(repository: Repository) -> None:
    repository("checkout", "-q", "main")
    repository.commit("empty.py", "", START + 20)
    base = MergeBase(repository.folder)
    assert base.text(repository.folder / "empty.py") == [""]


def test_line_ends_and_encodings(repository: Repository) -> None:
    repository("config", "core.autocrlf", "true")
    repository.write("a.py", ONE.replace("\n", "\r\n"))
    repository.write("b.py", "")
    (repository.folder / "b.py").write_bytes("# coding: latin-1\nü = 1\n".encode("latin-1"))
    repository("add", "b.py")
    repository("commit", "-qm", "b", at=START + 20)
    base = MergeBase(repository.folder, "work")
    assert text(base, repository.folder / "a.py") == TWO
    assert text(base, repository.folder / "b.py") == "# coding: latin-1\nü = 1\n"


def test_no_git_no_repository_no_commits(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()
    base = MergeBase(nowhere)
    assert base.base() == f"{nowhere} is in no git repository."
    assert text(base, nowhere / "a.py") is NoText.UNKNOWN
    assert base.changed([nowhere / "a.py"]) == []
    # It becomes one, and gets a commit, while it is looked at.
    new = Repository(nowhere)
    assert base.base() == f"There are no commits in {nowhere} yet."
    new.commit("a.py", ONE, START)
    assert named(base.base()) == "main"
    assert text(base, nowhere / "a.py") == ONE
    shutil.rmtree(nowhere / ".git")
    assert base.base() == f"{nowhere} is in no git repository."
    monkeypatch.setenv("PATH", str(tmp_path))
    assert MergeBase(repository.folder).base() == "git was not found on this machine's PATH."


def test_histories_that_do_not_meet(repository: Repository, tmp_path: Path) -> None:
    repository("checkout", "-q", "--orphan", "other")
    repository.commit("a.py", THREE, START + 20)
    assert "no commit in common" in str(MergeBase(repository.folder).base())
    repository("checkout", "-q", "work")
    repository.commit("a.py", THREE, START + 20)
    options = ("--depth=1", "--no-single-branch", "--branch=work")
    shallow = clone(repository, tmp_path / "shallow", *options)
    shallow("remote", "set-head", "origin", "main")
    base = MergeBase(shallow.folder)
    assert "git fetch --unshallow" in str(base.base())
    assert text(base, shallow.folder / "a.py") is NoText.UNKNOWN
    shallow("fetch", "-q", "--unshallow")
    assert text(base, shallow.folder / "a.py") == ONE


def test_a_detached_head_and_a_work_tree(repository: Repository, tmp_path: Path) -> None:
    repository("checkout", "-q", "--detach")
    assert text(MergeBase(repository.folder), repository.folder / "a.py") == ONE
    repository("worktree", "add", "-q", str(tmp_path / "tree"), "-b", "b", "work")
    tree = Repository(tmp_path / "tree", init=False)
    base = MergeBase(tree.folder)
    assert text(base, tree.folder / "a.py") == ONE
    # Its HEAD moves, and so does the branch that both share.
    before = base.generation()
    assert base.generation() == before
    tree("reset", "-q", "--hard", "main")
    tree.commit("b.py", ONE, START + 20)
    assert base.generation() != before
    assert text(base, tree.folder / "a.py") == ONE
    before = base.generation()
    repository("checkout", "-q", "main")
    repository.commit("a.py", THREE, START + 30)
    assert base.generation() != before
    tree("merge", "-q", "main", at=START + 40)
    assert text(base, tree.folder / "a.py") == THREE


@pytest.mark.parametrize("packed", [False, True])
def test_what_git_does_is_noticed(repository: Repository, packed: bool) -> None:
    if packed:
        repository("pack-refs", "--all")
    base = MergeBase(repository.folder)
    path = repository.folder / "a.py"
    assert text(base, path) == ONE
    repository("checkout", "-q", "main")
    repository.commit("a.py", THREE, START + 20)
    assert text(base, path) == THREE
    repository("checkout", "-q", "work")
    assert text(base, path) == ONE
    repository("reset", "-q", "--hard", "main")
    assert text(base, path) == THREE
    new = repository.write("new.py", ONE)
    assert text(base, new) == ""
    repository.write(".gitignore", "new.py\n")
    repository("add", ".gitignore")
    assert text(base, new) is NoText.IGNORED


def test_nothing_is_asked_twice(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    base = MergeBase(repository.folder)
    path = repository.folder / "a.py"
    assert text(base, path) == ONE
    base.changed([path])
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("covls.adapters.merge_base.ask_git", None)
    for number in range(3):
        repository.write("a.py", f"a = {number}\n")
        assert text(base, path) == ONE
        assert base.changed([path]) == ([] if number == 1 else [path])


def test_many_new_files_are_asked_of_at_once(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write(".gitignore", "ignored_*.py\n")
    names = [f"{kind}_{number}.py" for kind in ("new", "ignored", "[new]") for number in range(150)]
    for name in names:
        repository.write(name, ONE)
    asked: list[str] = []

    def counted(*arguments: Any, **options: Any) -> bytes:
        asked.append(arguments[2])
        return ask_git(*arguments, **options)

    monkeypatch.setattr(merge_base, "ask_git", counted)
    base = MergeBase(repository.folder)
    assert named(base.base()) == "main"
    paths = [Path(os.path.realpath(repository.folder / name)) for name in names]
    assert base.changed(paths) == [path for path in paths if not path.name.startswith("ignored")]
    assert asked.count("ls-files") == 3
    assert base.text(paths[0]) == ()
    assert asked.count("ls-files") == 3


def test_submodules_and_repositories_within(repository: Repository, tmp_path: Path) -> None:
    outer = Repository(tmp_path / "outer")
    repository("checkout", "-q", "main")
    allowed = ("-c", "protocol.file.allow=always")
    outer(*allowed, "submodule", "add", "-q", str(repository.folder), "sub")
    outer.commit("b.py", ONE, START)
    outer("checkout", "-qb", "work")
    inner = Repository(outer.folder / "sub", init=False)
    inner("checkout", "-q", "origin/work")
    outer("commit", "-qam", "moved")
    base = MergeBase(outer.folder)
    assert text(base, inner.folder / "a.py") == ONE
    assert base.changed([inner.folder / "a.py"]) == [inner.folder / "a.py"]
    assert text(base, inner.write("new.py", ONE)) == ""
    # Opened alone, it is a repository like others.
    assert named(MergeBase(inner.folder).base()) == "origin/main"
    # One that is no submodule has a base of its own.
    other = Repository(outer.folder / "other")
    other.commit("c.py", TWO, START)
    assert text(base, other.folder / "c.py") == TWO


def test_a_sparse_checkout(repository: Repository) -> None:
    repository("checkout", "-q", "main")
    repository.commit("one/a.py", ONE, START)
    repository.commit("two/b.py", ONE, START + 1)
    repository("sparse-checkout", "set", "--cone", "--sparse-index", "one")
    base = MergeBase(repository.folder)
    assert text(base, repository.folder / "one/a.py") == ONE
    assert text(base, repository.write("two/b.py", TWO)) == ONE
    assert text(base, repository.write("two/c.py", TWO)) == ""


@pytest.mark.parametrize("name", ["-a.py", ":(top)a.py", "a b*.py", "ünï.py", "a:b.py", '"q".py'])
def test_any_name(repository: Repository, name: str) -> None:
    path = repository.write(name, ONE)
    base = MergeBase(repository.folder)
    assert text(base, path) == ""
    repository.write(".gitignore", "*.py\n")
    repository("add", ".gitignore")
    assert text(base, path) is NoText.IGNORED
    repository("--literal-pathspecs", "add", "-f", "--", name)
    assert text(base, path) == ""
    repository("commit", "-qm", "it")
    repository("branch", "-f", "main", "work")
    assert text(base, path) == ONE


def test_a_damaged_repository(repository: Repository) -> None:
    base = MergeBase(repository.folder)
    shutil.rmtree(repository.folder / ".git/objects")
    assert "git does not answer" in str(base.base())
    assert text(base, repository.folder / "a.py") is NoText.UNKNOWN
    (repository.folder / "gitfile").mkdir()
    (repository.folder / "gitfile/.git").write_text("gitdir: /nowhere\n")
    assert "git does not answer" in str(MergeBase(repository.folder / "gitfile").base())


@pytest.mark.skipif(sys.platform == "win32", reason="needs sh: run it on POSIX")
def test_nothing_of_the_repository_runs(repository: Repository, tmp_path: Path) -> None:
    repository.write(".gitattributes", "*.py filter=evil diff=evil\n")
    repository("add", ".gitattributes")
    repository("commit", "-qm", "attributes")
    old = "".join(f"line_{number} = {number}\n" for number in range(9))
    repository.commit("old.py", old, START)
    repository("branch", "-f", "main", "work")
    repository("mv", "old.py", "new.py")
    ran = tmp_path / "ran"
    evil = program(repository.folder / "evil.sh", f"echo $0 $@ >> '{ran}'; cat")
    for name in ("post-index-change", "post-checkout", "reference-transaction", "fsmonitor"):
        program(repository.folder / ".git" / "hooks" / name, f"echo {name} >> '{ran}'")
    for key in (
        "core.fsmonitor",
        "core.pager",
        "pager.diff",
        "core.sshCommand",
        "core.askPass",
        "core.alternateRefsCommand",
        "diff.external",
        "diff.evil.textconv",
        "diff.evil.command",
        "filter.evil.smudge",
        "filter.evil.clean",
        "filter.evil.process",
        "gpg.program",
        "credential.helper",
    ):
        repository("config", key, str(evil))
    repository("config", "alias.merge-base", f"!{evil}")
    repository("config", "diff.submodule", "diff")
    repository.write("a.py", THREE)
    base = MergeBase(repository.folder)
    assert named(base.base()) == "main"
    names = ["a.py", "new.py", "evil.py"]
    repository.write("evil.py", ONE)
    found = [text(base, repository.folder / name) for name in names]
    assert found == [TWO, old, ""]
    base.changed(repository.folder / name for name in names)
    assert not ran.exists(), ran.read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="needs sh: run it on POSIX")
def test_what_a_partial_clone_lacks_is_not_fetched(repository: Repository, tmp_path: Path) -> None:
    repository("config", "uploadpack.allowFilter", "true")
    partial = clone(repository, tmp_path / "partial", "--filter=blob:none")
    partial("config", "protocol.allow", "always")
    ran = tmp_path / "ran"
    evil = program(tmp_path / "evil.sh", f"echo $0 $@ >> '{ran}'; exit 1")
    partial("config", "remote.origin.uploadpack", str(evil))
    base = MergeBase(partial.folder, "origin/main")
    assert named(base.base()) == "origin/main"
    assert text(base, partial.folder / "a.py") is NoText.UNKNOWN
    # That it is another is known by its name all the same.
    assert base.changed([partial.folder / "a.py"]) == [partial.folder / "a.py"]
    assert not ran.exists(), ran.read_text()
