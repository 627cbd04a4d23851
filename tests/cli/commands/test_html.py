"""`covls html`, as it is typed."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.measured import Covls, coverage, stamps, write


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    write(folder, {"a.py": "def f():\n    return 1\n", "b.py": "import a\n"})
    coverage(folder, "run", "b.py")
    return folder


def test_it_says_where_the_report_is(covls: Covls, project: Path, opened: Path) -> None:
    before = stamps(project)
    done = covls(project, "html")
    assert done.code == 0
    index = Path(done.out.strip())
    assert index.name == "index.html"
    assert "a.py" in index.read_text()
    assert stamps(project) == before
    assert not opened.exists()


def test_it_opens_it_whole_or_at_a_line(covls: Covls, project: Path, opened: Path) -> None:
    done = covls(project, "html", "--open")
    assert opened.read_text() == Path(done.out.strip()).as_uri()
    done = covls(project, "html", "--at", "a.py:2")
    page = Path(done.out.strip())
    assert page.name == "a_py.html"
    assert opened.read_text() == page.as_uri() + "#t2"


def test_a_folder_of_ones_own_and_some_files(covls: Covls, project: Path) -> None:
    done = covls(project, "html", "-d", "out", "a.py")
    assert done.out == f"{project / 'out' / 'index.html'}\n"
    assert sorted(path.name for path in (project / "out").glob("*_py.html")) == ["a_py.html"]


def test_it_says_that_it_waits(project: Path) -> None:
    def html() -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "covls", "html"],
            cwd=project,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    with html() as first:
        index = Path(first.communicate()[0].strip())
    lock = index.parent.with_name(f"{index.parent.name}.lock")
    with closing(sqlite3.connect(lock, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with html() as second:
            assert second.stderr is not None
            said = second.stderr.readline()
            assert said == "Waiting for another process to end that writes this report.\n"
            other.rollback()
            assert second.communicate() == (f"{index}\n", "")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--at", "c.py:1"], 2, "c.py is not a file"),
        (["--at", "a.py:0"], 2, "lines count from 1"),
        (["c.py"], 2, "does not exist"),
        (["--data-file", "none"], 3, "none does not exist"),
    ],
)
def test_what_cannot_be_shown(
    covls: Covls, project: Path, arguments: list[str], code: int, words: str
) -> None:
    done = covls(project, "html", *arguments)
    assert done.code == code
    assert words in done.err
    assert done.out == ""
