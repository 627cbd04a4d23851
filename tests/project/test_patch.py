"""The patch of a whole project: real data, real git, files open or not."""

import os
from pathlib import Path

import pytest

from covls.core.coverage import Totals
from covls.core.patch import PatchTotals
from covls.core.settings import Diagnostics, Editor, Settings
from covls.project import Patch, Project
from tests.adapters.repositories import Repository, needs_git
from tests.cli.measured import coverage
from tests.project.test_measured_files import opened
from tests.project.test_project import lines

pytestmark = needs_git

SHOP = """\
def price(n, member=False):
    if member:
        n = n * 0.9
    return n


def never():
    return max(
        1,
        2,
    )
"""
TOOLS = "".join(f"def tool_{number}():\n    return {number}\n" for number in range(8))
ONLY_PATCH = Settings(editor=Editor(scope="patch"))


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """`work` differs from `main` in each way that a file can; all of it was measured."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    repository = Repository(tmp_path / "shop")
    repository.write(".coveragerc", "[run]\nbranch = true\nsource = .\n")
    repository.write(".gitignore", "__pycache__\n.coverage\nmade.py\n")
    repository.write("shop.py", SHOP.replace("if member", "if not member").replace("2", "3"))
    repository.write("tools.py", TOOLS)
    repository.write("gone.py", "import os\n\nos.getcwd()\n")
    repository.write("same.py", "a = 1\n")
    repository.write("main.py", "from shop import price\nprice(3)\n")
    repository("add", ".")
    repository("commit", "-qm", "base")
    repository("checkout", "-qb", "work")
    repository("rm", "-q", "gone.py")
    repository("mv", "tools.py", "instruments.py")
    repository("commit", "-qm", "renamed")
    repository.write("shop.py", SHOP)
    repository.write("instruments.py", TOOLS + "def more():\n    return 8\n")
    repository.write("made.py", "a = 1\n")
    repository.write("untracked.py", "a = 1\nb = 2\n")
    coverage(repository.folder, "run", "main.py")
    return repository


def figures(patch: Patch | None) -> dict[str, tuple[int, int, int, int]]:
    """Statements, missing ones, branches and those missed, by file."""
    assert patch is not None
    found = {}
    for file in patch.files:
        known = file.patch.totals.known
        branches = known.n_branches, known.n_missing_branches
        found[file.file.name] = (known.n_statements, known.n_missing, *branches)
    return found


def test_every_file_that_was_changed_counts_and_no_other(repository: Repository) -> None:
    with opened(repository.folder) as project:
        patch = project.patch()
        assert figures(patch) == {
            "instruments.py": (2, 2, 0, 0),
            "shop.py": (2, 1, 2, 1),
            "untracked.py": (2, 2, 0, 0),
        }
        assert patch is not None
        totals = patch.totals
        assert totals.known == Totals(3, 6, 0, 5, 2, 1, 1)
        assert (totals.percent, totals.stale, patch.unknown) == (25.0, 0, ())
        assert patch.base.name == "main"


def test_texts_that_are_not_saved(repository: Repository) -> None:
    folder = repository.folder
    with opened(folder) as project:
        texts = {
            folder / "same.py": "a = 1\nb = 1\n",
            folder / "shop.py": SHOP.replace("if member", "if not member"),
        }
        patch = project.patch(texts)
        assert figures(patch)["same.py"] == (0, 0, 0, 0)
        assert figures(patch)["shop.py"] == (1, 1, 0, 0)
        assert patch is not None
        assert (patch.totals.new, patch.totals.edited) == (1, 0)
        assert "same.py" not in figures(project.patch())


def test_the_views_of_files_agree_with_the_whole(repository: Repository) -> None:
    folder = repository.folder
    with opened(folder, ONLY_PATCH) as project:
        assert lines(project, folder / "shop.py") == {
            2: ("partial", "fresh"),
            8: ("missing", "fresh"),
            9: ("missing", "fresh"),
            10: ("missing", "fresh"),
            11: ("missing", "fresh"),
        }
        assert lines(project, folder / "same.py") == {}
        assert lines(project, folder / "made.py") == {}
        view = project.view(folder / "shop.py")
        assert view is not None
        assert [region.name for region in view.shown_regions()] == ["price", "never"]
        assert len(view.all_marks) > len(view.marks)
        patch = project.patch()
        assert patch is not None
        assert [f.patch for f in patch.files if f.file.path == view.path] == [view.patch]
    louder = Settings(diagnostics=Diagnostics(patch_severity="warning"))
    with opened(folder, louder) as project:
        view = project.view(folder / "shop.py")
        assert view is not None
        assert view.patch is not None
        assert view.marks == view.all_marks


def test_saving_committing_and_running_again(repository: Repository) -> None:
    folder = repository.folder
    with opened(folder) as project:
        before = figures(project.patch())
        repository("add", ".")
        repository("commit", "-qm", "all of it")
        assert figures(project.patch()) == before
        repository.write("untracked.py", "a = 1\nc = 3\n")
        patch = project.patch()
        assert figures(patch)["untracked.py"] != before["untracked.py"]
        assert patch is not None
        assert patch.totals.stale == 1
        repository("branch", "-f", "main", "work")
        assert list(figures(project.patch())) == ["untracked.py"]


def test_where_the_measured_text_is_not_known(repository: Repository) -> None:
    folder = repository.folder
    project = Project(folder, Settings())
    (folder / "untracked.py").write_text("a = 1\nb = 2\nc = 3\n")
    os.utime(folder / "untracked.py")
    project.load()
    patch = project.patch()
    assert patch is not None
    found = next(f.patch for f in patch.files if f.file.name == "untracked.py")
    assert found.totals == PatchTotals(unverified=3)
    project.close()


def test_no_base(repository: Repository) -> None:
    settings = Settings(editor=Editor(scope="patch", base="nothing"))
    with opened(repository.folder, settings) as project:
        assert project.patch() is None
        assert "`editor.base` names nothing" in str(project.base())
        assert len(lines(project, repository.folder / "shop.py")) == 9
