"""Settings are found in covls.toml or pyproject.toml, and a file that cannot be read is told."""

from pathlib import Path

import pytest

from covls.adapters.settings_files import read_settings_files
from covls.core.settings import read_settings


def test_no_files_no_settings(tmp_path: Path) -> None:
    found = read_settings_files(tmp_path)
    assert (found.layers, found.file, found.problems) == ((), None, ())
    assert read_settings_files(tmp_path / "nowhere").layers == ()


def test_the_table_of_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.covls]\ndata-file = "x"\n[tool.other]\na = 1\n')
    found = read_settings_files(tmp_path)
    assert found.file == tmp_path / "pyproject.toml"
    settings, problems = read_settings(*found.layers)
    assert settings.data_file == "x"
    assert problems == found.problems == ()


def test_a_pyproject_without_the_table(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.other]\na = 1\n")
    assert read_settings_files(tmp_path).file is None


def test_a_file_of_our_own(tmp_path: Path) -> None:
    (tmp_path / "covls.toml").write_text('[watch]\nmode = "poll"\nsettle = "x"\n')
    found = read_settings_files(tmp_path)
    settings, problems = read_settings(*found.layers)
    assert settings.watch.mode == "poll"
    assert [problem.where for problem in problems] == ["covls.toml: watch.settle"]


def test_where_both_are_there_one_is_used_whole_and_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "covls.toml").write_text('data_file = "own"\n')
    (tmp_path / "pyproject.toml").write_text("[tool.covls]\nenable = false\n")
    found = read_settings_files(tmp_path)
    settings, _ = read_settings(*found.layers)
    assert settings.data_file == "own"
    assert settings.enable
    (problem,) = found.problems
    assert problem.where == str(tmp_path / "pyproject.toml")
    assert "covls.toml" in problem.message


def test_a_broken_file_of_our_own_does_not_let_the_other_in(tmp_path: Path) -> None:
    (tmp_path / "covls.toml").write_text("enable = \n")
    (tmp_path / "pyproject.toml").write_text("[tool.covls]\nenable = false\n")
    found = read_settings_files(tmp_path)
    assert read_settings(*found.layers)[0].enable
    assert len(found.problems) == 2


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("covls.toml", b"enable = maybe\n", "is not valid TOML"),
        ("pyproject.toml", b"[tool.covls\n", "is not valid TOML"),
        ("covls.toml", b"# \xff\n", "is not UTF-8 at byte 2"),
        ("pyproject.toml", b"[tool]\ncovls = 3\n", "write [tool.covls]"),
    ],
)
def test_what_cannot_be_read_is_one_line(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    (problem,) = read_settings_files(tmp_path).problems
    assert problem.where == str(tmp_path / name)
    assert says in problem.message
    assert "\n" not in str(problem)


def test_a_folder_or_a_loop_of_links_in_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "covls.toml").mkdir()
    (tmp_path / "pyproject.toml").symlink_to(tmp_path / "pyproject.toml")
    found = read_settings_files(tmp_path)
    assert [problem.message.split(":")[0] for problem in found.problems] == ["cannot be read"] * 2
