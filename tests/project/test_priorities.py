"""What to test next, kept for as long as it is true."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from covls.core.priorities import Ranking
from covls.core.settings import client_layer, read_settings
from covls.project import Project
from covls.project.priorities import Wanted
from covls.project.report import report_files
from tests.adapters.repositories import Repository, needs_git
from tests.cli.measured import age, coverage, write

SHOP = "def f(a):\n    if a:\n        return 1\n    return 2\n\n\ndef g():\n    return 3\n"


class Asked:
    """A project, and how often it looked at its files to rank them."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.project = Project(folder, read_settings()[0])
        self.project.load()
        self.looks = 0

        def counted(*arguments: Any) -> Any:
            self.looks += 1
            return report_files(*arguments)

        monkeypatch.setattr("covls.project.priorities.report_files", counted)

    def __call__(self, **wanted: Any) -> Ranking:
        found = self.project.priorities(Wanted(**wanted))
        assert found is not None
        return found


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    folder = tmp_path / "project"
    write(folder, {"shop.py": SHOP, "main.py": "import shop\n\nshop.f(0)\n"})
    age(folder)
    coverage(folder, "run", "--branch", "main.py")
    found = Asked(folder, monkeypatch)
    yield found
    found.project.close()


def test_it_is_gathered_once(asked: Asked) -> None:
    first = asked()
    assert [row.title for row in first.rows] == ["f", "g"]
    assert asked() == first
    assert asked(limit=1).rows == first.rows[:1]
    assert [row.title for row in asked(level="block").rows] == ["line 3 of f", "line 8 of g"]
    assert asked.looks == 1


def test_it_is_gathered_anew_where_something_is_another(asked: Asked) -> None:
    asked()
    # New data.
    write(asked.folder, {"main.py": "import shop\n\nshop.g()\n"})
    coverage(asked.folder, "run", "--branch", "main.py")
    asked.project.load()
    assert [row.title for row in asked().rows] == ["f"]
    assert asked.looks == 2
    # Another text.
    path = asked.folder / "shop.py"
    path.write_text(SHOP + "\n# More.\n")
    asked()
    assert asked.looks == 3
    # Other settings.
    rule = {"priorities": [{"match": "shop.py", "weight": 5}]}
    asked.project.configure(read_settings(client_layer(rule))[0])
    asked.project.load()
    assert asked().rows[0].factors.weight == 5
    assert asked.looks == 4
    # A text that is not saved, on its own lines; and saved again.
    found = asked.project.priorities(Wanted(), {path: "\n\n" + path.read_text()})
    assert found is not None
    assert [row.start for row in found.rows] == [3]
    assert [row.start for row in asked().rows] == [1]
    assert asked.looks == 6


@needs_git
def test_a_commit_is_noticed(asked: Asked) -> None:
    assert asked().rows[0].factors.commits is None
    repository = Repository(asked.folder)
    repository("add", "main.py")
    repository("commit", "-qm", "one")
    repository("add", "shop.py")
    repository("commit", "-qm", "two")
    assert asked().rows[0].factors.commits == 1


def test_it_can_be_cancelled(tmp_path: Path) -> None:
    files = {f"m{number}.py": SHOP for number in range(45)}
    imports = "".join(f"import m{number}\n" for number in range(45))
    write(tmp_path, {**files, "main.py": imports})
    coverage(tmp_path, "run", "main.py")
    project = Project(tmp_path, read_settings()[0])
    try:
        project.load()
        told: list[tuple[int, int]] = []

        def report(done: int, of: int) -> bool:
            told.append((done, of))
            return len(told) < 2

        assert project.priorities(Wanted(), report=report) is None
        assert told == [(20, 46), (40, 46)]
        found = project.priorities(Wanted(limit=3))
        assert found is not None
        assert (len(found.rows), found.total) == (3, 90)
    finally:
        project.close()


def test_without_data_there_is_nothing(tmp_path: Path) -> None:
    project = Project(tmp_path, read_settings()[0])
    try:
        project.load()
        assert project.priorities(Wanted()) is None
    finally:
        project.close()


def test_of_a_file_that_went_away_nothing_is_told(asked: Asked) -> None:
    (asked.folder / "shop.py").unlink()
    asked.project.load()
    assert asked().rows == ()
