"""The HTML report, held against what `coverage html` writes of the same data."""

import os
import re
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from covls.adapters.html_report import (
    REPORTS_KEPT,
    HtmlReportError,
    report_folder,
    write_html_report,
)
from covls.adapters.private_copy import DataFileError
from covls.core.settings import Settings
from covls.project import Project
from tests.cli.measured import coverage, stamps, write

SOURCES = {
    "shop/__init__.py": "",
    "shop/prices.py": "def f(a):\n    if a:\n        return 1\n    return 2\n",
    "shop/never.py": "def g():\n    return 1\n",
    "one.py": "from shop.prices import f\n\nf(0)\n",
    "two.py": "import shop.never\nfrom shop.prices import f\n\nf(1)\n",
    "house.css": "body { color: teal }\n",
    ".coveragerc": (
        "[run]\nbranch = true\nsource = .\n"
        "[html]\ntitle = Prices of the shop\nextra_css = house.css\nshow_contexts = true\n"
    ),
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project with a data file and a parallel one beside it."""
    folder = tmp_path / "project"
    write(folder, SOURCES)
    coverage(folder, "run", "--context=first", "one.py")
    coverage(folder, "run", "--context=second", "-p", "two.py")
    return folder


def ours(folder: Path, **options: object) -> Path:
    found = write_html_report(
        folder,
        folder / ".coverage",
        python=None,
        plugins=False,
        **options,  # type: ignore[arg-type]
    )
    assert found is not None
    return found.index.parent


def pages(folder: Path) -> dict[str, str]:
    """The files of a report but for the times and what coverage.py remembers of it."""
    return {
        path.name: re.sub(r"created at [-0-9: +]+", "", path.read_text(errors="replace"))
        for path in folder.iterdir()
        if path.name != "status.json"
    }


def test_it_is_the_report_that_coverage_writes(shop: Path) -> None:
    before = stamps(shop)
    mine = ours(shop)
    assert stamps(shop) == before, "a file of the user's was touched"
    assert len(list(shop.glob(".coverage.*"))) == 1
    coverage(shop, "html", "-q", "-d", "theirs", "--fail-under=0")
    theirs = pages(shop / "theirs")
    assert pages(mine) == theirs
    assert "Prices of the shop" in theirs["index.html"]
    assert any("house" in name for name in theirs)
    figures = re.findall(r'data-ratio="([^"]+)"', theirs["index.html"])
    assert len(figures) > 4
    # And in a folder that was asked for.
    assert pages(ours(shop, directory=shop / "mine")) == theirs


def test_pages_are_found_by_file_and_line(shop: Path) -> None:
    found = write_html_report(
        shop, shop / ".coverage", python=None, plugins=False, at=shop / "shop" / "prices.py"
    )
    assert found is not None
    assert found.page is not None
    assert 'id="t3"' in found.page.read_text()
    assert found.url(3) == found.page.as_uri() + "#t3"
    assert found.url() == found.page.as_uri()
    other = write_html_report(
        shop, shop / ".coverage", python=None, plugins=False, at=shop / "other.py"
    )
    assert other is not None
    assert other.page is None
    assert other.url(3) == found.index.as_uri()


def test_only_what_changed_is_written_again(shop: Path) -> None:
    folder = ours(shop)
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("*_py.html")}
    (shop / "shop" / "never.py").write_text("def g():\n    return 2\n")
    told: list[tuple[int, int]] = []
    assert ours(shop, report=lambda done, of: told.append((done, of))) == folder
    written = {path.name for path, when in kept.items() if path.stat().st_mtime_ns != when}
    assert [name for name in written if "never" not in name] == []
    assert len(written) == 1
    assert told[-1][0] == told[-1][1]
    assert told == sorted(told)


def test_some_files_are_a_report_of_their_own(shop: Path) -> None:
    whole = ours(shop)
    some = ours(shop, files=[shop / "one.py"])
    assert some != whole
    assert [path.name for path in some.glob("*_py.html")] == ["one_py.html"]
    assert len(list(whole.glob("*_py.html"))) == 5


def test_a_file_that_is_gone_is_left_out_and_named(shop: Path) -> None:
    (shop / "one.py").unlink()
    found = write_html_report(shop, shop / ".coverage", python=None, plugins=False)
    assert found is not None
    assert any("one.py" in problem for problem in found.problems)
    assert "one_py.html" not in found.index.read_text()
    assert "two_py.html" in found.index.read_text()


def test_a_cancelled_one_is_written_anew(shop: Path) -> None:
    folder = ours(shop)
    stop = threading.Event()
    found = write_html_report(
        shop,
        shop / ".coverage",
        python=None,
        plugins=False,
        report=lambda _done, _of: stop.set(),
        cancelled=stop,
    )
    if found is None:  # else it was ready before it could be ended
        assert not (folder / "status.json").exists()
    assert "shop" in (ours(shop) / "index.html").read_text()
    assert [path for path in folder.parent.iterdir() if path.name.startswith("data-")] == []


def test_no_data_and_no_configuration_that_coverage_takes(shop: Path) -> None:
    (shop / ".coveragerc").write_text("[run]\nbranch = perhaps\n")
    with pytest.raises(HtmlReportError, match="perhaps"):
        ours(shop)
    for path in shop.glob(".coverage*"):
        path.unlink()
    with pytest.raises(DataFileError, match="does not exist"):
        ours(shop)
    assert not report_folder(shop).joinpath("index.html").exists()


def test_no_file_that_a_configuration_names_is_written(shop: Path) -> None:
    victim = shop / "victim.txt"
    victim.write_text("mine\n")
    configuration = (shop / ".coveragerc").read_text()
    hostile = f"source = .\ndebug = trace,config\ndebug_file = {victim}"
    (shop / ".coveragerc").write_text(configuration.replace("source = .", hostile))
    before = stamps(shop)
    assert "shop" in (ours(shop) / "index.html").read_text()
    assert stamps(shop) == before


PLUGIN = """\
import coverage
import pathlib

pathlib.Path("imported").touch()


class Plugin(coverage.CoveragePlugin):
    def configure(self, config):
        config.set_option("html:title", "Title of the plugin")


def coverage_init(reg, options):
    reg.add_configurer(Plugin())
"""


@pytest.mark.parametrize("trusted", [True, None])
def test_plugins_run_where_they_are_trusted(shop: Path, trusted: bool | None) -> None:
    write(shop, {"house_plugin.py": PLUGIN})
    configuration = (shop / ".coveragerc").read_text()
    plugged = configuration.replace("source = .", "source = .\nplugins = house_plugin")
    (shop / ".coveragerc").write_text(plugged)
    project = Project(shop, Settings(), trusted=trusted)
    try:
        project.load()
        found = project.html_report(report=lambda _done, _of: None, cancelled=threading.Event())
    finally:
        project.close()
    assert found is not None
    assert (shop / "imported").exists() == bool(trusted)
    title = "Title of the plugin" if trusted else "Prices of the shop"
    assert title in found.index.read_text()


def test_another_root_has_another_report(shop: Path) -> None:
    other = shop.with_name("other")
    shutil.copytree(shop, other)
    assert ours(other) != ours(shop)


def test_one_at_a_time_writes_into_a_folder(shop: Path) -> None:
    cancelled = threading.Event()
    cancelled.set()
    folder = ours(shop)
    before = stamps(folder)
    with closing(sqlite3.connect(folder.with_name(f"{folder.name}.lock"))) as other:
        other.execute("BEGIN EXCLUSIVE")
        data_file = shop / ".coverage"
        waited = write_html_report(shop, data_file, python=None, plugins=False, cancelled=cancelled)
        assert waited is None
        assert stamps(folder) == before
        said = []

        def on_wait() -> None:
            said.append("waits")
            other.rollback()

        assert ours(shop, on_wait=on_wait) == folder
        assert said == ["waits"]
    assert ours(shop, on_wait=on_wait) == folder
    assert said == ["waits"], "there is nobody to wait for"


def test_the_last_reports_are_kept(shop: Path) -> None:
    parent = report_folder(shop).parent
    for number in range(REPORTS_KEPT + 2):
        index = parent / f"report{number:02}" / "index.html"
        write(index.parent, {index.name: ""})
        os.utime(index, (number + 1, number + 1))
    (parent / "data-abc").mkdir()
    (parent / "data-new").mkdir()
    os.utime(parent / "data-abc", (1, 1))
    mine = ours(shop)
    left = {folder.name for folder in parent.iterdir() if folder.is_dir()}
    newest = {f"report{number:02}" for number in range(3, REPORTS_KEPT + 2)}
    assert left == {*newest, mine.name, "data-new"}
