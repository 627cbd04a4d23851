"""Which text the data is of, once the disk has another: after edits, in git, and from elsewhere."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st

from covls.core.marks import Freshness
from covls.core.settings import Ledger, Settings
from covls.project import Project
from tests.adapters.repositories import Repository, needs_git
from tests.cli.conftest import covls
from tests.cli.measured import Covls, coverage
from tests.project.test_project import lines, recorder, settle

__all__ = ["covls"]

SHOP = """\
def price(n, member=False):
    if member:
        n = n * 0.9
    return n


def never():
    return 1
"""
MAIN = "from shop import price\nprice(3)\n"

MEASURED = {
    1: ("covered", "fresh"),
    2: ("partial", "fresh"),
    3: ("missing", "fresh"),
    4: ("covered", "fresh"),
    7: ("covered", "fresh"),
    8: ("missing", "fresh"),
}

DEFAULT = Settings()
FORGETFUL = Settings(ledger=Ledger(max_mb=0))
"""Without a ledger, only git knows."""


def moved(by: int, but: dict[int, tuple[str, str]] | None = None) -> dict[int, tuple[str, str]]:
    """The marks so many lines further down, with others in places."""
    return {line + by: mark for line, mark in MEASURED.items()} | (but or {})


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A project in git; what is in it was committed an hour ago, and not measured yet."""
    repository = Repository(tmp_path / "a project, möglichst")
    then = time.time() - 3600
    repository.write(".coveragerc", "[run]\nbranch = true\n", then)
    repository.write(".gitignore", "__pycache__\n.coverage\n.coverage-sources\n", then)
    repository.write("main.py", MAIN, then)
    repository.write("shop.py", SHOP, then)
    repository("add", ".")
    repository("commit", "-qm", "shop", at=then)
    return repository


@pytest.fixture
def root(repository: Repository) -> Path:
    """The project, measured as it is."""
    coverage(repository.folder, "run", "main.py")
    return repository.folder


@pytest.fixture
def without_git(root: Path) -> Path:
    shutil.rmtree(root / ".git")
    return root


@contextmanager
def opened(root: Path, settings: Settings = DEFAULT) -> Iterator[Project]:
    """An editor that is opened, and closed again."""
    project = Project(root, settings)
    settle(project)
    try:
        yield project
    finally:
        project.close()


def shown(
    root: Path,
    settings: Settings = DEFAULT,
    text: str | None = None,
) -> dict[int, tuple[str, str]]:
    with opened(root, settings) as project:
        return lines(project, root / "shop.py", text)


def origin(root: Path, settings: Settings = DEFAULT) -> str:
    with opened(root, settings) as project:
        view = project.view(root / "shop.py")
        assert view is not None
        return view.origin


def freshness(root: Path, settings: Settings = DEFAULT) -> Freshness:
    with opened(root, settings) as project:
        view = project.view(root / "shop.py")
        assert view is not None
        return view.freshness


def reported(root: Path, settings: Settings = DEFAULT) -> dict[str, Freshness]:
    with opened(root, settings) as project:
        files = project.coverages(project.files_to_report())
        return {report.file.name: report.freshness for report in files}


# The ledger


def test_edits_while_no_editor_was_open(without_git: Path) -> None:
    assert shown(without_git) == MEASURED
    edited = "import os\n\n" + SHOP.replace("n * 0.9", "n * 0.8")
    (without_git / "shop.py").write_text(edited)
    assert shown(without_git) == moved(
        2, {1: ("missing", "new"), 4: ("partial", "edited"), 5: ("missing", "edited")}
    )


def test_a_file_that_was_never_opened_before(without_git: Path) -> None:
    with opened(without_git):
        pass
    assert origin(without_git) == ""
    (without_git / "shop.py").write_text("# a line more\n" + SHOP)
    assert shown(without_git) == moved(1)
    assert origin(without_git) == "covls's ledger"


def test_a_file_edited_while_the_editor_is_open_but_not_on_screen(without_git: Path) -> None:
    with opened(without_git) as project:
        recorder(project).join(60)
        (without_git / "shop.py").write_text("# a line more\n" + SHOP)
        assert lines(project, without_git / "shop.py") == moved(1)


def test_what_does_not_parse_on_disk_is_shown_all_the_same(without_git: Path) -> None:
    with opened(without_git):
        pass
    (without_git / "shop.py").write_text(SHOP + "\ndef broken(:\n")
    assert shown(without_git).items() >= MEASURED.items()


def test_with_neither_ledger_nor_git(without_git: Path, cache_folder: Path) -> None:
    with opened(without_git):
        pass
    (without_git / "shop.py").write_text("# a line more\n" + SHOP)
    shutil.rmtree(cache_folder)
    assert freshness(without_git) is Freshness.UNVERIFIED
    assert reported(without_git)["shop.py"] is Freshness.UNVERIFIED


def test_a_file_that_is_again_as_it_was_is_fresh(without_git: Path) -> None:
    with opened(without_git):
        pass
    (without_git / "shop.py").write_text(SHOP)  # later than the data
    assert freshness(without_git) is Freshness.FRESH
    assert reported(without_git)["shop.py"] is Freshness.FRESH


def test_new_data_is_of_the_new_text(without_git: Path) -> None:
    with opened(without_git):
        pass
    (without_git / "shop.py").write_text("# a line more\n" + SHOP)
    coverage(without_git, "run", "main.py")
    with opened(without_git):
        pass
    (without_git / "shop.py").write_text(SHOP)
    assert shown(without_git) == MEASURED


@hypothesis.settings(
    max_examples=15, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
@hypothesis.given(
    edits=st.lists(
        st.tuples(
            st.integers(0, 8),
            st.integers(0, 2),
            st.lists(st.sampled_from([*SHOP.splitlines(), "x = 1", "# y", "if 1:"]), max_size=3),
        ),
        max_size=4,
    )
)
def test_reopening_changes_nothing(
    without_git: Path, edits: list[tuple[int, int, list[str]]]
) -> None:
    """Whatever was edited: an editor that stayed open and one opened since show the same."""
    text = SHOP.splitlines()
    for start, count, lines_there in edits:
        text[start : start + count] = lines_there
    past = time.time() - 3000
    (without_git / "shop.py").write_text(SHOP)
    os.utime(without_git / "shop.py", (past, past))
    with opened(without_git) as project:
        assert lines(project, without_git / "shop.py") == MEASURED
        (without_git / "shop.py").write_text("\n".join(text))
        stayed = lines(project, without_git / "shop.py")
    assert shown(without_git) == stayed


# git


def test_git_knows_where_the_ledger_does_not(root: Path) -> None:
    (root / "shop.py").write_text("# a line more\n" + SHOP.replace("return 1", "return 2"))
    assert shown(root, FORGETFUL) == moved(1, {9: ("missing", "edited")})
    assert not list(Path(os.environ["COVLS_CACHE_DIR"]).glob("ledger*"))
    assert origin(root, FORGETFUL) == "git (the index)"


OTHER = "# other\n" + SHOP.replace("n * 0.9", "n * 0.5")
ON_OTHER = moved(1, {3: ("partial", "edited"), 4: ("missing", "edited")})


@needs_git
@pytest.mark.parametrize("settings", [Settings(), FORGETFUL], ids=["ledger", "git"])
def test_another_branch(repository: Repository, settings: Settings) -> None:
    root = repository.folder
    then = time.time() - 3000
    repository("checkout", "-qb", "other", at=then)
    repository.commit("shop.py", OTHER, then)
    repository("checkout", "-q", "main", at=then + 10)
    past = time.time() - 2000
    os.utime(root / "shop.py", (past, past))
    coverage(root, "run", "main.py")
    assert shown(root, settings) == MEASURED
    repository("checkout", "-q", "other")
    assert shown(root, settings) == ON_OTHER
    repository("checkout", "-q", "main")
    assert shown(root, settings) == MEASURED


@needs_git
@pytest.mark.parametrize("settings", [Settings(), FORGETFUL], ids=["ledger", "git"])
def test_what_was_measured_is_stashed(repository: Repository, settings: Settings) -> None:
    """The commit cannot be it: lines ran that it does not have."""
    root = repository.folder
    past = time.time() - 2000
    repository.write("shop.py", "import os\nimport sys\n" + SHOP, past)
    coverage(root, "run", "main.py")
    with opened(root, settings):
        pass
    repository("stash", "-q")
    assert (root / "shop.py").read_text() == SHOP
    assert shown(root, settings) == MEASURED
    repository("stash", "pop", "-q")
    if settings is not FORGETFUL:  # git does not know any more
        assert shown(root, settings) == moved(2, {1: ("covered", "fresh"), 2: ("covered", "fresh")})


@needs_git
def test_where_git_has_two_that_may_be_it_only_what_both_say_counts(
    repository: Repository,
) -> None:
    root = repository.folder
    past = time.time() - 2000
    repository.write("shop.py", SHOP.replace("return n\n", "return n + 0\n"), past)
    coverage(root, "run", "main.py")
    repository("stash", "-q")
    # The commit could have been measured, and so could the stash, which was.
    assert shown(root, FORGETFUL) == MEASURED | {4: ("covered", "edited")}


@needs_git
def test_committed_since_and_edited_again(root: Path, repository: Repository) -> None:
    repository.write("shop.py", "# one\n" + SHOP)
    repository("commit", "-qam", "one")
    repository.write("shop.py", "# two\n# one\n" + SHOP)
    assert shown(root, FORGETFUL) == moved(2)


@needs_git
def test_line_ends_of_the_work_tree(repository: Repository) -> None:
    root = repository.folder
    repository("config", "core.autocrlf", "true")
    past = time.time() - 2000
    repository.write("shop.py", SHOP.replace("\n", "\r\n"), past)
    coverage(root, "run", "main.py")
    edited = "# a line more\r\n" + SHOP.replace("\n", "\r\n")
    repository.write("shop.py", edited)
    assert shown(root, FORGETFUL) == moved(1)


@needs_git
def test_what_was_never_committed_is_not_guessed(repository: Repository) -> None:
    """The commits do not have the lines that ran."""
    root = repository.folder
    repository.write("shop.py", "import os\nimport sys\n" + SHOP, time.time() - 2000)
    coverage(root, "run", "main.py")
    repository.write("shop.py", "import os\n" + SHOP)
    assert freshness(root, FORGETFUL) is Freshness.UNVERIFIED


# Recorded beside the data


@pytest.fixture
def elsewhere(repository: Repository, tmp_path: Path) -> Path:
    """A clone of the project as it was, as a CI job has it."""
    repository("clone", "-q", str(repository.folder), str(tmp_path / "ci"))
    past = time.time() - 2000
    for path in (tmp_path / "ci").glob("*.py"):
        os.utime(path, (past, past))
    return tmp_path / "ci"


def bring(elsewhere: Path, root: Path) -> None:
    """Copy the data here, with what lies beside it; there is nothing left where it is from."""
    for name in (".coverage", ".coverage-sources"):
        shutil.copy(elsewhere / name, root / name)
    shutil.rmtree(elsewhere)


@needs_git
def test_data_of_another_commit_is_shown_on_the_text_here(
    repository: Repository, elsewhere: Path, covls: Covls
) -> None:
    root = repository.folder
    # What no plausibility could tell: nothing has moved.
    repository.write("shop.py", SHOP.replace("return n\n", "return -n\n"), time.time() - 1000)
    coverage(elsewhere, "run", "main.py")
    before = (elsewhere / ".coverage").stat()
    done = covls(elsewhere, "record-sources")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"2 sources recorded in {elsewhere / '.coverage-sources'}\n"
    assert (elsewhere / ".coverage").stat() == before
    bring(elsewhere, root)
    assert shown(root) == MEASURED | {4: ("covered", "edited")}
    assert origin(root) == ".coverage-sources, recorded beside the data"
    assert reported(root) == {"main.py": Freshness.FRESH, "shop.py": Freshness.UNVERIFIED}


@needs_git
def test_recorded_sources_of_other_data_are_not_used(
    repository: Repository, elsewhere: Path, covls: Covls
) -> None:
    root = repository.folder
    coverage(elsewhere, "run", "main.py")
    assert covls(elsewhere, "record-sources").code == 0
    (elsewhere / "shop.py").write_text("# later\n" + SHOP)
    coverage(elsewhere, "run", "main.py")
    bring(elsewhere, root)
    with opened(root, FORGETFUL) as project:
        view = project.view(root / "shop.py")
        assert view is not None
        assert view.freshness is Freshness.UNVERIFIED
        assert any("sources of other data" in str(problem) for problem in project.problems)


@needs_git
def test_damaged_recorded_sources_are_said_and_passed_over(
    repository: Repository, elsewhere: Path
) -> None:
    root = repository.folder
    coverage(elsewhere, "run", "main.py")
    (elsewhere / ".coverage-sources").write_bytes(b"PK nonsense")
    bring(elsewhere, root)
    with opened(root) as project:
        assert lines(project, root / "shop.py") == MEASURED
        assert any("covls record-sources" in str(problem) for problem in project.problems)


def test_recording_leaves_out_what_is_not_known(without_git: Path, covls: Covls) -> None:
    (without_git / "shop.py").write_text("# later\n" + SHOP)
    done = covls(without_git, "record-sources", "-o", "there")
    assert done.code == 0
    assert "1 source recorded" in done.out
    assert f"{without_git / 'shop.py'} was modified since" in done.err
    assert (without_git / "there").is_file()
    assert not (without_git / ".coverage-sources").exists()


def test_recording_without_data_or_room(without_git: Path, covls: Covls) -> None:
    done = covls(without_git, "record-sources", "-o", "not/there")
    assert (done.code, done.out) == (2, "")
    assert "cannot be written" in done.err
    (without_git / ".coverage").unlink()
    assert covls(without_git, "record-sources").code == 3
    assert not (without_git / ".coverage-sources").exists()
