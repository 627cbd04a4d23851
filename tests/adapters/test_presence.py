"""What is at a path is told without an error, whatever the path."""

from pathlib import Path

import pytest

from covls.adapters.presence import is_file, is_folder, is_there


def test_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "file")
    for path, file in [(tmp_path, False), (tmp_path / "file", True), (tmp_path / "link", True)]:
        assert (is_there(path), is_file(path), is_folder(path)) == (True, file, not file)


@pytest.mark.parametrize("name", ["nothing", "loop/x", "loop", "nul\0", "x" * 5000, "file/x"])
def test_what_cannot_be(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").touch()
    path = tmp_path / name
    assert (is_there(path), is_file(path), is_folder(path)) == (False, False, False)
