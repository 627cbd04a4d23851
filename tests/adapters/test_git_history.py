"""How often files were changed, in real repositories."""

import os
import subprocess
from pathlib import Path

import pytest

from covls.adapters import git_history
from covls.adapters.git_history import read_history
from tests.adapters.repositories import Repository, needs_git

pytestmark = needs_git

DAY = 86_400
NOW = 1_700_000_000


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVLS_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    found = Repository(tmp_path / "repository")
    found.commit("pkg/a.py", "1", NOW - 500 * DAY)
    found.commit("pkg/a.py", "2", NOW - 300 * DAY)
    found.commit("pkg/a.py", "3", NOW - 20 * DAY)
    found.commit("pkg/two words ü.py", "1", NOW - 10 * DAY)
    found.commit("README", "1", NOW - 5 * DAY)
    found.commit("b.py", "1", NOW)
    return found


def counts(repository: Repository, root: Path | None = None) -> dict[str, int]:
    found = read_history(root or repository.folder)
    assert found.known
    folder = os.path.realpath(repository.folder)
    return {os.path.relpath(path, folder): count for path, count in found.commits.items()}


def test_commits_of_a_year_before_the_last_one(repository: Repository) -> None:
    # By the time of HEAD's commit: a project that rests has a history, too.
    expected = {"pkg/a.py": 2, "pkg/two words ü.py": 1, "b.py": 1}
    assert counts(repository) == expected
    assert read_history(repository.folder).note == ""
    del expected["b.py"]
    assert counts(repository, repository.folder / "pkg") == expected


def test_it_is_kept_until_head_is_another(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = counts(repository)

    def refuse(*_: object) -> None:
        raise AssertionError("read again")

    with monkeypatch.context() as patched:
        patched.setattr(git_history, "_read", refuse)
        assert counts(repository) == before
        repository.commit("b.py", "2", NOW + DAY)
        with pytest.raises(AssertionError, match="read again"):
            counts(repository)
    assert counts(repository) == {**before, "b.py": 2}


def test_merges_and_sweeping_commits_do_not_count(repository: Repository) -> None:
    before = counts(repository)
    for number in range(git_history.SWEEPING + 1):
        repository.write(f"many/m{number}.py", "1")
    repository.write("b.py", "formatted")
    repository("add", ".")
    repository("commit", "-qm", "all", at=NOW + DAY)
    assert counts(repository) == before
    repository("checkout", "-qb", "side", "HEAD~1")
    repository.commit("pkg/c.py", "1", NOW + 2 * DAY)
    repository("checkout", "-q", "main")
    repository("merge", "-q", "--no-ff", "-m", "merge", "side", at=NOW + 3 * DAY)
    assert counts(repository) == {**before, "pkg/c.py": 1}


def test_a_shallow_clone_says_so(repository: Repository, tmp_path: Path) -> None:
    url = repository.folder.as_uri()
    repository("clone", "-q", "--depth", "3", url, str(tmp_path / "shallow"))
    found = read_history(tmp_path / "shallow")
    assert found.known
    assert "a shallow clone" in found.note
    assert sum(found.commits.values()) < 4


@pytest.mark.parametrize("commits", [False, True])
def test_where_there_is_no_history(tmp_path: Path, commits: bool) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    if commits:
        Repository(folder)
    found = read_history(folder)
    assert not found.known
    assert found.note.startswith("How often files change is not known: ")
    assert ("no commits yet" in found.note) is commits


def test_no_git(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert read_history(repository.folder).note.endswith("there is no git.")


def test_settings_of_the_repository_change_nothing_and_run_nothing(
    repository: Repository, tmp_path: Path
) -> None:
    before = counts(repository)
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch '{tmp_path / 'sprung'}'\n")
    trap.chmod(0o755)
    for name in ("core.pager", "core.fsmonitor", "diff.external", "gpg.program", "diff.x.textconv"):
        repository("config", name, str(trap))
    for name in ("diff.relative", "log.showSignature", "core.quotePath", "log.follow"):
        repository("config", name, "true")
    repository("config", "log.diffMerges", "on")
    repository("config", "diff.renames", "copies")
    repository.write(".gitattributes", "*.py diff=x\n")
    repository("-c", "core.fsmonitor=false", "add", ".gitattributes")
    repository("-c", "core.fsmonitor=false", "commit", "-qm", "attributes", at=NOW + 60)
    assert counts(repository) == before
    assert not (tmp_path / "sprung").exists()


def test_a_long_history_is_read_as_far_as_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many commits as are looked at, and more, written by fast-import."""
    monkeypatch.setattr(git_history, "_SECONDS", 120.0)  # However busy the machine is.
    total = int(os.environ.get("COVLS_TEST_COMMITS", git_history.COMMITS + 500))
    repository = Repository(tmp_path / "long")
    lines: list[str] = []
    for number in range(total):
        text = f"{number}"
        lines += [
            "commit refs/heads/main",
            f"committer A <a@example.org> {NOW + 60 * number} +0000",
            "data 1\nm",
            f"M 644 inline pkg/m{number % 50}.py",
            f"data {len(text)}\n{text}",
        ]
    stream = tmp_path / "stream"
    stream.write_text("\n".join(lines) + "\n")
    with stream.open() as opened:
        subprocess.run(
            ["git", "fast-import", "--quiet"], cwd=repository.folder, stdin=opened, check=True
        )
    found = read_history(repository.folder)
    assert found.known, found.note
    assert sum(found.commits.values()) == git_history.COMMITS
    assert (
        found.note == f"How often files change is told from the last {git_history.COMMITS} commits."
    )
