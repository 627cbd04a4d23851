"""What real repositories say of a file, and that nothing of theirs runs."""

import os
import shutil
import stat
import sys
import time
from pathlib import Path

import pytest

from covls.adapters.git import Git, Version
from covls.adapters.git_command import find_git
from tests.adapters.repositories import Repository, needs_git

pytestmark = needs_git

START = 1_700_000_000


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "a répository")


def texts(versions: tuple[Version, ...]) -> list[str]:
    return [version.content.decode() for version in versions]


def ask(repository: Repository, name: str, written_at: float) -> tuple[Version, ...]:
    return Git(repository.folder).versions(repository.folder / name, written_at)


def test_no_repository(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 1\n")
    assert Git(tmp_path).versions(tmp_path / "a.py", START) == ()
    assert Git(tmp_path).versions(tmp_path / "not" / "there.py", START) == ()


def test_no_commits(repository: Repository) -> None:
    repository.write("a.py", "a = 1\n", START)
    assert ask(repository, "a.py", START) == ()
    repository("add", "a.py")
    (version,) = ask(repository, "a.py", START)
    assert (version.content, version.name, version.at) == (b"a = 1\n", "the index", START)


def test_what_was_checked_out_when_the_data_was_written(repository: Repository) -> None:
    for day in range(4):
        repository.commit("a.py", f"a = {day}\n", START + day * 100)
    found = ask(repository, "a.py", START + 150)
    before = [version for version in found if version.at <= START + 150]
    assert {version.content for version in before} == {b"a = 1\n"}
    # What was committed since may have been in the file before it was committed.
    assert {v.content for v in found if v not in before} == {b"a = 2\n", b"a = 3\n"}
    assert b"a = 0\n" not in {version.content for version in found}


def test_another_branch_is_checked_out_now(repository: Repository) -> None:
    repository.commit("a.py", "a = 'main'\n", START)
    repository("checkout", "-qb", "other", at=START + 10)
    repository.commit("a.py", "a = 'other'\n", START + 20)
    repository("checkout", "-q", "main", at=START + 40)
    found = ask(repository, "a.py", START + 30)
    latest = max((v for v in found if v.at <= START + 30), key=lambda v: v.at)
    assert latest.content == b"a = 'other'\n"


def test_what_was_stashed(repository: Repository) -> None:
    repository.commit("a.py", "a = 1\n", START)
    repository.write("a.py", "a = 2\n")
    repository("stash", "-q", at=START + 50)
    found = ask(repository, "a.py", START + 10)
    (stash,) = [version for version in found if version.name.startswith("stash")]
    assert stash.content == b"a = 2\n"
    assert stash.at > START + 10
    assert "a = 2\n" not in texts(ask(repository, "a.py", START + 100))


def test_the_index_knows_when_its_file_was_written(repository: Repository) -> None:
    repository.commit("a.py", "a = 1\n", START)
    repository.write("a.py", "a = 2\n", START + 20.5)
    repository("add", "a.py")
    repository.write("a.py", "a = 3\n", START + 90)
    staged = ask(repository, "a.py", START + 50)[0]
    assert (staged.name, staged.content, staged.at) == ("the index", b"a = 2\n", START + 20.5)


def test_a_detached_head(repository: Repository) -> None:
    first = repository.commit("a.py", "a = 1\n", START)
    repository.commit("a.py", "a = 2\n", START + 10)
    repository("checkout", "-q", first, at=START + 20)
    found = ask(repository, "a.py", START + 30)
    assert max(found, key=lambda v: (v.at <= START + 30, v.at)).content == b"a = 1\n"


def test_a_clone_that_is_younger_than_the_data(repository: Repository, tmp_path: Path) -> None:
    """Its log of HEAD says nothing of the time before, but its commits do."""
    for day in range(3):
        repository.commit("a.py", f"a = {day}\n", START + day * 100)
    repository("clone", "-q", str(repository.folder), str(tmp_path / "clone"))
    clone = Repository(tmp_path / "clone", init=False)
    found = ask(clone, "a.py", START + 150)
    assert {v.content for v in found if v.at <= START + 150} == {b"a = 1\n"}
    shutil.rmtree(clone.folder)
    url = repository.folder.as_uri()
    repository("clone", "-q", "--depth=1", url, str(tmp_path / "clone"))
    assert set(texts(ask(clone, "a.py", START + 150))) == {"a = 2\n"}


def test_a_worktree_and_a_submodule(repository: Repository, tmp_path: Path) -> None:
    repository.commit("in a folder/a.py", "a = 1\n", START)
    repository("worktree", "add", "-q", str(tmp_path / "tree"), "-b", "b")
    tree = Repository(tmp_path / "tree", init=False)
    assert "a = 1\n" in texts(ask(tree, "in a folder/a.py", START + 10))
    outer = Repository(tmp_path / "outer")
    outer(
        "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repository.folder), "sub"
    )
    assert "a = 1\n" in texts(ask(outer, "sub/in a folder/a.py", START + 10))


def test_a_sparse_checkout(repository: Repository) -> None:
    repository.commit("one/a.py", "a = 1\n", START)
    repository.commit("two/b.py", "b = 1\n", START + 1)
    repository("sparse-checkout", "set", "--cone", "--sparse-index", "one")
    assert "a = 1\n" in texts(ask(repository, "one/a.py", START + 10))
    repository.write("two/b.py", "b = 2\n")
    assert "b = 1\n" in texts(ask(repository, "two/b.py", START + 10))


@pytest.mark.parametrize(
    "name", ["-a.py", ":(top)a.py", "a b*.py", "ünï.py", "@{u}.py", "a:b.py", '"q".py']
)
def test_any_name(repository: Repository, name: str) -> None:
    repository.write(name, "a = 1\n", START)
    repository("--literal-pathspecs", "add", "--", name)
    repository("commit", "-qm", "it", at=START)
    found = ask(repository, name, START + 10)
    assert {version.name[:6] for version in found} == {"the in", "commit"}
    assert set(texts(found)) == {"a = 1\n"}


def test_a_file_that_git_does_not_know(repository: Repository) -> None:
    repository.commit("a.py", "a = 1\n", START)
    repository.write("b.py", "b = 1\n")
    assert ask(repository, "b.py", START + 10) == ()


def test_a_folder_or_a_link_in_the_past(repository: Repository) -> None:
    repository.commit("a.py/b.py", "b = 1\n", START)
    shutil.rmtree(repository.folder / "a.py")
    repository.commit("a.py", "a = 1\n", START + 100)
    assert set(texts(ask(repository, "a.py", START + 50))) == {"a = 1\n"}


def test_a_damaged_repository(repository: Repository) -> None:
    repository.commit("a.py", "a = 1\n", START)
    (repository.folder / ".git" / "index").write_bytes(b"nonsense")
    assert ask(repository, "a.py", START + 10) == ()
    shutil.rmtree(repository.folder / ".git" / "objects")
    assert ask(repository, "a.py", START + 10) == ()


def test_a_log_without_end_is_cut_short(repository: Repository) -> None:
    for second in range(30):
        repository.commit("a.py", f"a = {second}\n", START + 100 + second)
    found = ask(repository, "a.py", START)
    assert len(found) <= 1 + 20 + 20 + 1


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


needs_sh = pytest.mark.skipif(sys.platform == "win32", reason="needs sh: run it on POSIX")


@needs_sh
def test_nothing_of_the_repository_runs(repository: Repository, tmp_path: Path) -> None:
    repository.commit("a.py", "a = 1\n", START)
    repository.write(".gitattributes", "*.py filter=evil diff=evil\n")
    repository("add", ".gitattributes")
    repository.commit("a.py", "a = 2\n", START + 10)
    ran = tmp_path / "ran"
    evil = program(repository.folder / "evil.sh", f"echo $0 $@ >> '{ran}'; cat")
    for name in ("post-index-change", "post-checkout", "reference-transaction", "fsmonitor"):
        program(repository.folder / ".git" / "hooks" / name, f"echo {name} >> '{ran}'")
    included = repository.write("included", f"[core]\n\tfsmonitor = {str(evil)!r}\n")
    for key, value in {
        "core.fsmonitor": str(evil),
        "core.pager": str(evil),
        "pager.log": str(evil),
        "pager.cat-file": str(evil),
        "core.editor": str(evil),
        "core.sshCommand": str(evil),
        "core.askPass": str(evil),
        "core.alternateRefsCommand": str(evil),
        "diff.external": str(evil),
        "diff.evil.textconv": str(evil),
        "diff.evil.command": str(evil),
        "filter.evil.smudge": str(evil),
        "filter.evil.clean": str(evil),
        "filter.evil.process": str(evil),
        "gpg.program": str(evil),
        "log.showSignature": "true",
        "log.diffMerges": "on",
        "alias.log": f"!{evil}",
        "alias.cat-file": f"!{evil}",
        "uploadpack.packObjectsHook": str(evil),
        "credential.helper": f"!{evil}",
        "include.path": str(included),
        "includeIf.gitdir:**.path": str(included),
    }.items():
        repository("config", key, value)
    repository.write("a.py", "a = 3\n")
    assert set(texts(ask(repository, "a.py", START + 5))) == {"a = 1\n", "a = 2\n"}
    assert not ran.exists(), ran.read_text()


@needs_sh
@pytest.mark.parametrize("remote", ["uploadpack", "ext", "helper", "ssh"])
def test_what_a_partial_clone_lacks_is_not_fetched(
    repository: Repository, tmp_path: Path, remote: str
) -> None:
    repository.commit("a.py", "a = 1\n", START)
    repository.commit("a.py", "a = 2\n", START + 10)
    repository("config", "uploadpack.allowFilter", "true")
    url = repository.folder.as_uri()
    repository("clone", "-q", "--filter=blob:none", url, str(tmp_path / "clone"))
    clone = Repository(tmp_path / "clone", init=False)
    ran = tmp_path / "ran"
    evil = program(tmp_path / "evil.sh", f"echo $0 $@ >> '{ran}'; exit 1")
    clone("config", "protocol.allow", "always")
    if remote == "uploadpack":
        clone("config", "remote.origin.uploadpack", str(evil))
    elif remote == "ext":
        clone("config", "protocol.ext.allow", "always")
        clone("config", "remote.origin.url", f"ext::{evil}")
    elif remote == "helper":
        clone("config", "remote.origin.vcs", "ext")
        clone("config", "remote.origin.url", str(evil))
    else:
        clone("config", "core.sshCommand", str(evil))
        clone("config", "remote.origin.url", "ssh://nowhere.invalid/a")
    # What is there is found; what is not is not asked for.
    assert clone("rev-list", "--objects", "--all", "--missing=print").count("\n?") == 1
    assert set(texts(ask(clone, "a.py", START + 5))) == {"a = 2\n"}
    assert not ran.exists(), ran.read_text()


@needs_sh
def test_a_git_of_the_workspace_is_not_run(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit("a.py", "a = 1\n", START)
    ran = tmp_path / "ran"
    planted = program(repository.folder / ".venv/bin/git", f"touch '{ran}'")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").symlink_to(planted)
    path = os.environ["PATH"]
    folders = [".", "", ".venv/bin", str(planted.parent), str(tmp_path / "bin"), path]
    monkeypatch.setenv("PATH", os.pathsep.join(folders))
    monkeypatch.chdir(planted.parent)
    assert find_git(repository.folder) == shutil.which("git", path=path)
    assert texts(ask(repository, "a.py", START + 10))
    monkeypatch.setenv("PATH", str(planted.parent))
    assert find_git(repository.folder) is None
    assert ask(repository, "a.py", START + 10) == ()
    assert not ran.exists()


@needs_sh
def test_a_git_that_takes_too_long_knows_nothing(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit("a.py", "a = 1\n", START)
    program(tmp_path / "bin/git", "exec sleep 60")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    started = time.monotonic()
    git = Git(repository.folder, seconds=0.2)
    assert git.versions(repository.folder / "a.py", START + 10) == ()
    assert time.monotonic() - started < 50


def test_what_a_hook_has_set_is_not_obeyed(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit("a.py", "a = 1\n", START)
    other = Repository(tmp_path / "other")
    other.commit("a.py", "a = 'of another'\n", START)
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.folder / ".git/index"))
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    assert set(texts(ask(repository, "a.py", START + 10))) == {"a = 1\n"}
    assert not (tmp_path / "trace").exists()


def test_a_repository_of_somebody_else_is_refused_by_git(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit("a.py", "a = 1\n", START)
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only an administrator can give a file away: run it as root")
    os.chown(repository.folder / ".git", 4242, 4242)
    os.chown(repository.folder, 4242, 4242)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    assert ask(repository, "a.py", START + 10) == ()


def test_the_index_is_not_written(repository: Repository) -> None:
    repository.commit("a.py", "a = 1\n", START)
    repository.write(
        "a.py", "a = 1\n"
    )  # The index is out of date, and `git status` would write it.
    before = {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in (repository.folder / ".git").rglob("*")
        if path.is_file()
    }
    assert ask(repository, "a.py", START + 10)
    after = {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in (repository.folder / ".git").rglob("*")
        if path.is_file()
    }
    assert after == before
