"""One root with real data: what is shown, how fresh it is, and what may run."""

import os
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from coverage import CoverageData

from covls.core.coverage import State as Ran
from covls.core.explain import as_text
from covls.core.marks import Freshness
from covls.core.settings import Settings, Watch
from covls.project import Project, State
from tests.cli.measured import coverage, write

SHOP = """\
def price(n, member=False):
    if member:
        n = n * 0.9
    return n


def never():
    return 1
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose data was written after its sources, as it is."""
    root = tmp_path / "a project, möglichst"
    write(
        root,
        {
            ".coveragerc": "[run]\nbranch = true\n",
            "shop.py": SHOP,
            "main.py": "from shop import price\nprice(3)\n",
        },
    )
    an_hour_ago = time.time() - 3600
    for path in root.iterdir():
        os.utime(path, (an_hour_ago, an_hour_ago))
    coverage(root, "run", "main.py")
    return root


@pytest.fixture
def project(root: Path) -> Iterator[Project]:
    project = Project(root, Settings())
    settle(project)
    yield project
    project.close()


def settle(project: Project, *on_screen: Path) -> None:
    """Look at the data until there is nothing to wait for, as the server does."""
    deadline = time.monotonic() + 20
    while (again_in := project.refresh(on_screen).again_in) is not None:
        assert time.monotonic() < deadline, project.status()
        time.sleep(again_in)


def recorder(project: Project) -> threading.Thread:
    """The thread that keeps what is on show."""
    files = project._arrival.files
    assert files is not None
    assert files.measurement.sources.recorder is not None
    return files.measurement.sources.recorder


def lines(project: Project, path: Path, text: str | None = None) -> dict[int, tuple[str, str]]:
    """State and freshness by line."""
    view = project.view(path, text)
    assert view is not None, [project.status(), *map(str, project.problems)]
    return {
        line: (mark.state.value, mark.freshness.value)
        for mark in view.marks
        for line in range(mark.start, mark.end + 1)
    }


def test_what_the_tests_ran_is_on_the_lines_of_the_file(root: Path, project: Project) -> None:
    view = project.view(root / "shop.py")
    assert view is not None
    assert view.freshness is Freshness.FRESH
    assert [(mark.start, mark.end, mark.state) for mark in view.marks] == [
        (1, 1, Ran.COVERED),
        (2, 2, Ran.PARTIAL),
        (3, 3, Ran.MISSING),
        (4, 4, Ran.COVERED),
        (7, 7, Ran.COVERED),
        (8, 8, Ran.MISSING),
    ]


def test_a_file_that_was_not_measured_has_no_view(root: Path, project: Project) -> None:
    write(root, {"other.py": "a = 1\n"})
    assert project.view(root / "other.py") is None


def test_a_file_is_found_through_a_link_to_its_folder(
    root: Path, project: Project, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(root)
    assert project.view(tmp_path / "link" / "shop.py") is not None


def test_marks_follow_an_edit_that_is_not_saved(root: Path, project: Project) -> None:
    shown = lines(project, root / "shop.py", "import os\n" + SHOP.replace("n * 0.9", "n * 0.8"))
    assert shown[1] == ("missing", "new")
    assert shown[3] == ("partial", "edited"), "the branch's target was edited"
    assert shown[4] == ("missing", "edited")
    assert shown[9] == ("missing", "fresh")


def test_tests_of_lines_are_the_same_before_and_after_all_were_read(root: Path) -> None:
    """Whether they are asked of the data line by line or were read at once, and after an edit."""
    write(root, {".coveragerc": "[run]\nbranch = true\ndynamic_context = test_function\n"})
    write(
        root, {"main.py": "from shop import price\n\n\ndef test_a():\n    price(3)\n\n\ntest_a()\n"}
    )
    coverage(root, "run", "main.py")
    project = Project(root, Settings())
    project.load()
    try:
        path, text = root / "shop.py", "# A comment.\n" + SHOP
        view = project.view(path, text)
        assert view is not None
        asked = [project.tests_reaching(view, line, line) for line in range(1, 11)]
        assert asked == [[], [], ["__main__.test_a"], [], ["__main__.test_a"], *[[]] * 5]
        assert not project.has_read_tests(view)
        assert project.reached(view) is not None
        assert project.has_read_tests(view)
        assert [project.tests_reaching(view, line, line) for line in range(1, 11)] == asked
        assert [project.tests_at(path, line, line, text) for line in range(1, 11)] == asked
        assert project.tests_at(path, 2, 2) == ["__main__.test_a"]
    finally:
        project.close()


def test_data_of_the_first_tests_alone_tells_no_tests(root: Path) -> None:
    """Of lines that no two tests share, unless the project's Python has no sys.monitoring."""
    path = root / "shop.py"
    (root / ".coverage").unlink()
    data = CoverageData(str(root / ".coverage"))
    for test, line in (("test_a|run", 2), ("test_b|run", 4)):
        data.set_context(test)
        data.add_lines({str(path): [line]})
    data.write()
    data.close(force=True)
    project = Project(root, Settings(python=sys.executable))
    project.load()
    try:
        unknown = sys.version_info >= (3, 12)
        assert project.only_first_tests is unknown
        assert project.tells_tests is not unknown
        view = project.view(path)
        assert view is not None
        assert project.tests_reaching(view, 2, 2) == ([] if unknown else ["test_a"])
        found = project.explanation(path, 2)
        assert found is not None
        assert ("only the first test" in as_text(found)) is unknown
    finally:
        project.close()


def test_after_a_save_the_measured_text_is_still_known(root: Path, project: Project) -> None:
    assert project.view(root / "shop.py") is not None
    (root / "shop.py").write_text("# new\n" + SHOP)
    shown = lines(project, root / "shop.py")
    assert shown[9] == ("missing", "fresh")


def test_a_file_changed_before_it_was_first_seen_is_unverified(root: Path) -> None:
    (root / "shop.py").write_text(SHOP + "# later\n")
    project = Project(root, Settings())
    settle(project)
    try:
        view = project.view(root / "shop.py")
        assert view is not None
        assert view.freshness is Freshness.UNVERIFIED
        assert {mark.freshness for mark in view.marks} == {Freshness.UNVERIFIED}
    finally:
        project.close()


def test_a_text_in_which_a_line_that_ran_cannot_run_is_unverified(root: Path) -> None:
    """An older time of change proves nothing: a checkout or a copy can bring one along."""
    before = (root / "shop.py").stat()
    (root / "shop.py").write_text("# moved\n" + SHOP)
    os.utime(root / "shop.py", ns=(before.st_atime_ns, before.st_mtime_ns))
    project = Project(root, Settings())
    settle(project)
    try:
        view = project.view(root / "shop.py")
        assert view is not None
        assert view.freshness is Freshness.UNVERIFIED
    finally:
        project.close()


def test_new_data_replaces_the_view(root: Path, project: Project) -> None:
    assert lines(project, root / "shop.py")[8] == ("missing", "fresh")
    write(root, {"main.py": "from shop import price, never\nprice(3, True)\nnever()\n"})
    coverage(root, "run", "main.py")
    settle(project, root / "shop.py")
    assert lines(project, root / "shop.py")[8] == ("covered", "fresh")


def test_data_that_cannot_be_read_leaves_the_last_view(root: Path, project: Project) -> None:
    (root / ".coverage").write_bytes(b"not a data file")
    settle(project)
    status = project.status()
    assert status.state is State.ERROR
    assert str(root / ".coverage") in status.message
    assert lines(project, root / "shop.py")[8] == ("missing", "fresh")


def test_erased_data_leaves_the_last_view(root: Path, project: Project) -> None:
    project.configure(Settings(watch=Watch(settle=0.5)))
    settle(project)
    (root / ".coverage").unlink()
    settle(project)
    assert project.status().state is State.NO_DATA
    assert lines(project, root / "shop.py")[8] == ("missing", "fresh")


def test_a_source_that_vanished_or_does_not_parse_is_said(root: Path) -> None:
    (root / "shop.py").write_text("def broken(:\n")
    (root / "main.py").unlink()
    project = Project(root, Settings())
    settle(project)
    try:
        assert project.view(root / "shop.py") is None
        assert [report.file.name for report in project.coverages(project.files_to_report())] == []
        assert any(str(root / "shop.py") in str(problem) for problem in project.problems)
        assert str(root / "main.py") in project.located.missing
    finally:
        project.close()


MOVE = """\
import sqlite3, sys
data_file, here = sys.argv[1:]
with sqlite3.connect(data_file) as database:
    database.execute("UPDATE file SET path = replace(path, ?, '/app')", (here,))
"""


def test_files_measured_elsewhere_are_shown_where_they_are_here(root: Path) -> None:
    """As from a container: the data names /app, the sources are here."""
    here = str(root)
    coverage(root, "run", "main.py")
    database = root / ".coverage"
    subprocess.run(
        [
            sys.executable,
            "-c",
            MOVE,
            database,
            here,
        ],
        check=True,
    )
    project = Project(root, Settings())
    settle(project)
    try:
        assert project.located.found["/app/shop.py"] == str(root / "shop.py")
        assert lines(project, root / "shop.py")[8] == ("missing", "fresh")
    finally:
        project.close()


PLUGIN = """\
import pathlib
pathlib.Path(__file__).with_name("it-ran").touch()
from coverage import CoveragePlugin

class Excluder(CoveragePlugin):
    def configure(self, config):
        excluded = config.get_option("report:exclude_lines")
        config.set_option("report:exclude_lines", [*excluded, "def never"])

def coverage_init(registry, options):
    registry.add_configurer(Excluder())
"""


@pytest.fixture
def with_plugin(root: Path) -> Path:
    write(
        root, {"excluder.py": PLUGIN, ".coveragerc": "[run]\nbranch = true\nplugins = excluder\n"}
    )
    coverage(root, "run", "main.py")
    (root / "it-ran").unlink()
    return root


@pytest.mark.parametrize("trusted", [False, None])
def test_nothing_of_an_untrusted_workspace_runs(with_plugin: Path, trusted: bool | None) -> None:
    project = Project(with_plugin, Settings(), trusted=trusted)
    settle(project)
    try:
        assert lines(project, with_plugin / "shop.py")[8] == ("missing", "fresh")
    finally:
        project.close()
    assert not (with_plugin / "it-ran").exists()


def test_a_plugin_of_a_trusted_workspace_changes_the_configuration(with_plugin: Path) -> None:
    project = Project(with_plugin, Settings(), trusted=True)
    settle(project)
    try:
        assert lines(project, with_plugin / "shop.py")[8] == ("excluded", "fresh")
    finally:
        project.close()
    assert (with_plugin / "it-ran").exists()


@pytest.fixture
def own_environment(root: Path) -> Path:
    """An environment of the project's own; its coverage.py is ours, by way of a path file."""
    environment = root / ".venv"
    venv.create(environment, with_pip=False, symlinks=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    import coverage as ours

    (packages / "coverage").symlink_to(Path(ours.__file__).parent)
    (packages / f"coverage-{ours.__version__}.dist-info").mkdir()
    (packages / "sitecustomize.py").write_text(
        f"import pathlib\npathlib.Path({str(root / 'it-ran')!r}).touch()\n"
    )
    return root


@pytest.mark.parametrize("trusted", [True, False, None])
def test_the_projects_interpreter_analyses_where_it_is_trusted(
    own_environment: Path, trusted: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    project = Project(own_environment, Settings(), trusted=trusted)
    settle(project)
    try:
        assert lines(project, own_environment / "shop.py")[8] == ("missing", "fresh")
        assert project.problems == ()
    finally:
        project.close()
    assert (own_environment / "it-ran").exists() is bool(trusted)


def test_a_broken_interpreter_leaves_our_own(root: Path, own_environment: Path) -> None:
    assert root == own_environment
    (packages,) = root.glob(".venv/lib/python*/site-packages")
    (packages / "coverage").unlink()
    project = Project(root, Settings(), trusted=True)
    settle(project)
    try:
        assert lines(project, root / "shop.py")[8] == ("missing", "fresh")
        assert any("coverage" in str(problem) for problem in project.problems)
    finally:
        project.close()
