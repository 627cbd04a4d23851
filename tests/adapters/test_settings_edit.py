"""A number in TOML texts of every layout: set as asked, and nothing else touched."""

import tomllib
from pathlib import Path

import pytest

from covls.adapters.settings_edit import CannotEditError, set_number, with_number

CASES = {
    "the value alone": (
        "[a.b] # why\nx = 1  # kept\n\nfloor = 80 # kept\n[c]\nfloor = 1\n",
        "[a.b] # why\nx = 1  # kept\n\nfloor = 81.25 # kept\n[c]\nfloor = 1\n",
    ),
    "a new key": ("[a.b]\nx = 1\n", "[a.b]\nfloor = 81.25\nx = 1\n"),
    "a new table": ("[c]\nx = 1\n", "[c]\nx = 1\n\n[a.b]\nfloor = 81.25\n"),
    "no end of line": ("[c]\nx = 1", "[c]\nx = 1\n\n[a.b]\nfloor = 81.25\n"),
    "an empty file": ("", "[a.b]\nfloor = 81.25\n"),
    "an empty table, last": ("[a.b]", "[a.b]\nfloor = 81.25\n"),
    "line ends of Windows": ("[a.b]\r\nfloor = 3\r\n", "[a.b]\r\nfloor = 81.25\r\n"),
    "spaces": ("[ a . b ]\n  floor=3\n", "[ a . b ]\n  floor=81.25\n"),
    "a table within it": ("[a.b.c]\nx = 1\n", "[a.b.c]\nx = 1\n\n[a.b]\nfloor = 81.25\n"),
    "another's key of that name": (
        '[a.b]\nfloor-plan = 3\n[a.b.paths]\n"x/" = 3\n',
        '[a.b]\nfloor = 81.25\nfloor-plan = 3\n[a.b.paths]\n"x/" = 3\n',
    ),
}


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES)
def test_with_number(before: str, after: str) -> None:
    assert with_number(before, "a.b", "floor", 81.25) == after
    assert tomllib.loads(after)["a"]["b"]["floor"] == 81.25


@pytest.mark.parametrize(
    "text",
    [
        "a = {b = {floor = 3}}\n",
        "a.b.floor = 3\n",
        "[a]\nb.floor = 3\n",
        "[a]\nb = 3\n",
        '[a.b]\nx = """\n[a.b]\nfloor = 2"""\nfloor = "3"\n',
        "[a.b\n",
    ],
)
def test_what_is_laid_out_otherwise_is_left_alone(text: str, tmp_path: Path) -> None:
    assert with_number(text, "a.b", "floor", 4) is None
    file = tmp_path / "covls.toml"
    file.write_text(text)
    with pytest.raises(CannotEditError, match="floor = 4"):
        set_number(file, "a.b", "floor", 4)
    assert file.read_text() == text


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "covls.toml"
    set_number(file, "gates", "ratchet", 80)
    file.chmod(0o640)
    set_number(file, "gates", "ratchet", 81.5)
    assert file.read_text() == "[gates]\nratchet = 81.5\n"
    assert file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["covls.toml"]
