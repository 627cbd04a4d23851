"""Reading source files, and their text as editors have it."""

import os
import tokenize
import zipfile
from pathlib import Path

import pytest
from coverage.python import get_python_source

from covls.adapters import source as module
from covls.adapters.source import Unreadable, read_source, source_text, text_source


def unreadable(path: Path) -> Unreadable:
    found = read_source(path)
    assert isinstance(found, Unreadable)
    return found


def test_reads_bytes_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "né me.py"
    path.write_bytes(b"\xef\xbb\xbfx = 1\r\n\x0c\x00")
    assert read_source(path) == b"\xef\xbb\xbfx = 1\r\n\x0c\x00"


def test_a_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "gone.py"
    assert unreadable(path) == Unreadable(f"{path} does not exist", missing=True)
    (tmp_path / "file").touch()
    assert unreadable(tmp_path / "file" / "a.py").missing


def test_a_folder(tmp_path: Path) -> None:
    assert unreadable(tmp_path).reason == f"{tmp_path} is a folder, not a source file"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no pipes in folders")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe.py"
    os.mkfifo(path)
    assert unreadable(path).reason == f"{path} is no regular file"


def test_a_link_to_itself(tmp_path: Path) -> None:
    path = tmp_path / "loop.py"
    path.symlink_to(path)
    assert str(path) in unreadable(path).reason
    assert "symbolic links" in unreadable(path).reason


def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "secret.py"
    path.touch(mode=0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything: run the tests as another one, not as root")
    assert unreadable(path).reason == f"no permission to read {path}"


def test_a_file_of_any_size_is_not_taken_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 1024 * 1024)
    path = tmp_path / "generated.py"
    path.write_bytes(b"#" * (1024 * 1024))
    assert read_source(path) == path.read_bytes()
    path.write_bytes(b"#" * (1024 * 1024 + 1))
    assert "larger than 1 MB" in unreadable(path).reason
    assert str(path) in unreadable(path).reason


@pytest.mark.parametrize("suffix", [".zip", ".whl", ".egg", ".pex"])
def test_reads_from_zip_files_as_coverage_py_does(tmp_path: Path, suffix: str) -> None:
    archive = tmp_path / f"package{suffix}"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("package/inner.py", "x = 1\n")
    path = archive / "package" / "inner.py"
    assert read_source(path) == b"x = 1\n"
    assert get_python_source(str(path)) == "x = 1\n"
    assert unreadable(archive / "package" / "other.py").missing


def test_a_broken_zip_file(tmp_path: Path) -> None:
    archive = tmp_path / "package.zip"
    archive.write_bytes(b"PK\x03\x04 and no more")
    reason = unreadable(archive / "inner.py").reason
    assert reason.startswith(f"{archive} cannot be read as a zip file: ")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (b"", ""),
        (b"x = '\xc3\xa9'\n", "x = 'é'\n"),
        (b"\xef\xbb\xbfx\n", "x\n"),
        (b"# coding: latin-1\nx = '\xe9'\n", "# coding: latin-1\nx = 'é'\n"),
        (b"#!/bin/sh\r# coding: latin-1\rx = '\xe9'\r", "#!/bin/sh\r# coding: latin-1\rx = 'é'\r"),
        (b"x\r\ny\rz\n\x0cw", "x\r\ny\rz\n\x0cw"),
        (b"x = '\xe9'\n", "x = '\ufffd'\n"),
        (b"# coding: klingon\n\xc3\xa9\n", "# coding: klingon\né\n"),
        (b"\xff\xfex\x00\n\x00", "x\n"),
        ("x\u2028y\x85z".encode(), "x\u2028y\x85z"),
    ],
)
def test_text_is_what_an_editor_shows(source: bytes, text: str) -> None:
    assert source_text(source) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x = 'é'\n",
        "# coding: latin-1\nx = 'é'\r\n",
        "# coding: utf-8-sig\né",
        "#\r# coding: cp1252\r€",
    ],
)
def test_an_editors_text_goes_there_and_back(text: str) -> None:
    assert source_text(text_source(text)) == text


def test_a_text_that_cannot_be_saved_is_still_encoded() -> None:
    assert text_source("# coding: ascii\nx = 'é'\n") == b"# coding: ascii\nx = '?'\n"
    assert text_source("\ud800") == b"?"


def test_python_agrees_on_the_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"#!/bin/sh\n# vim: set fileencoding=iso-8859-15 :\nx = '\xa4'\n")
    with tokenize.open(path) as file:
        assert source_text(path.read_bytes()) == file.read()
