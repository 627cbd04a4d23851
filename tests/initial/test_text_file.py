"""Files that are edited keep their bytes where they were not edited."""

from pathlib import Path

import pytest

from covls.initial.text_file import CannotEditError, read_text_file, write_whole


@pytest.mark.parametrize(
    ("content", "add", "expected"),
    [
        (b"a\nb\n", "c\n", b"a\nb\nc\n"),
        (b"a\r\nb\r\n", "c\n", b"a\r\nb\r\nc\r\n"),
        (b"\xef\xbb\xbfa\r\n", "c\n", b"\xef\xbb\xbfa\r\nc\r\n"),
        (b"a\r\nb\nc\r\n", "d\n", b"a\r\nb\nc\r\nd\r\n"),
        (b"a\nb", "\nc", b"a\nb\nc"),
        (b"", "a\n", b"a\n"),
        (b"\tx\x0cy\n", "z", b"\tx\x0cy\nz"),
    ],
)
def test_lines_that_stay_keep_their_ends(
    tmp_path: Path, content: bytes, add: str, expected: bytes
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    file = read_text_file(path, tmp_path)
    assert file.text is not None
    assert file.edited(file.text) == content
    assert file.edited(file.text + add) == expected


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_text("a\n")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "there" / "file")
    write_whole(link, b"b\n", read_text_file(link, tmp_path).content)
    assert link.is_symlink()
    assert (tmp_path / "there" / "file").read_text() == "b\n"


def test_what_is_not_the_projects_own_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside").write_text("a\n")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "nowhere").symlink_to(root / "gone")
    (root / "latin").write_bytes(b"\xe4\n")
    (root / "binary").write_bytes(b"a\0b")
    (root / "folder").mkdir()
    for name, why in {
        "out": "leads out",
        "nowhere": "to nothing",
        "latin": "not UTF-8",
        "binary": "no text",
        "folder": "cannot be read",
    }.items():
        with pytest.raises(CannotEditError, match=why):
            read_text_file(root / name, root)


def test_what_was_changed_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("a\n")
    file = read_text_file(path, tmp_path)
    path.write_text("b\n")
    with pytest.raises(CannotEditError, match="meanwhile"):
        write_whole(path, b"c\n", file.content)
    assert path.read_text() == "b\n"
    assert list(tmp_path.iterdir()) == [path]


def test_permissions_stay(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("a\n")
    path.chmod(0o640)
    write_whole(path, b"b\n", b"a\n")
    assert path.stat().st_mode & 0o777 == 0o640
