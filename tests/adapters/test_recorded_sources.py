"""Recorded sources: they name their data, and nothing they hold is believed without its hash."""

import os
import shutil
import zipfile
from pathlib import Path

import pytest

import covls.adapters.recorded_sources as module
from covls.adapters.data_file import fingerprint, parallel_files
from covls.adapters.ledger import content_hash
from covls.adapters.recorded_sources import (
    data_hashes,
    read_sources,
    sources_file,
    write_sources,
)
from tests.cli.measured import coverage, write

SOURCES = {
    "/ci/project/src/shop/__init__.py": b"",
    "/ci/project/src/shop/price.py": b"a = 1\n",
    "/ci/project/src/shop/copy.py": b"a = 1\n",
    "/ci/project/tests/price.py": "ü = 1\r\n".encode("latin-1"),
}


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    path = tmp_path / ".coverage-sources"
    with path.open("wb") as stream:
        write_sources(stream, ["2" * 64, "1" * 64], SOURCES.items())
    return path


def test_what_was_recorded_is_found(recorded: Path) -> None:
    found = read_sources(recorded)
    assert found is not None
    assert found.data == ("1" * 64, "2" * 64)
    for measured_path, content in SOURCES.items():
        digest = found.digest(measured_path)
        assert digest is not None
        assert found.content(digest) == content
    assert read_sources(recorded.with_name("other")) is None


def test_equal_sources_make_equal_files_and_are_written_once(
    recorded: Path, tmp_path: Path
) -> None:
    with (tmp_path / "again").open("wb") as stream:
        write_sources(stream, ["1" * 64, "2" * 64], SOURCES.items())
    assert recorded.read_bytes() == (tmp_path / "again").read_bytes()
    with zipfile.ZipFile(recorded) as archive:
        assert len(archive.namelist()) == 1 + 3


@pytest.mark.parametrize(
    ("measured_path", "content"),
    [
        ("/home/me/shop/price.py", b"a = 1\n"),
        ("src/shop/__init__.py", b""),
        ("C:\\me\\tests\\price.py", b"\xfc = 1\r\n"),
        ("/home/me/price.py", None),  # one of two
        ("/home/me/shop/other.py", None),
        ("", None),
    ],
)
def test_files_that_have_other_names_here(
    recorded: Path, measured_path: str, content: bytes | None
) -> None:
    found = read_sources(recorded)
    assert found is not None
    digest = found.digest(measured_path)
    assert (None if digest is None else found.content(digest)) == content


def rewritten(path: Path, **members: bytes | None) -> None:
    """The same archive with other members; None leaves one out."""
    with zipfile.ZipFile(path) as archive:
        known: dict[str, bytes | None] = {n: archive.read(n) for n in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**known, **members}.items():
            if content is not None:
                archive.writestr(name, content)


@pytest.mark.parametrize(
    "manifest",
    [
        None,
        b"",
        b"nonsense",
        b"[]",
        b"{}",
        b'{"format": 2}',
        b'{"format": 1, "data": 5, "files": {}}',
        b'{"format": 1, "data": [], "files": []}',
        b'{"format": 1, "data": [], "files": {"a": 5}}',
        b'{"format": 1, "data": [], "files": {"a": "../../etc/passwd"}}',
        b"[" * 100_000,
    ],
)
def test_a_wrong_manifest_is_said(recorded: Path, manifest: bytes | None) -> None:
    rewritten(recorded, **{"manifest.json": manifest})
    with pytest.raises(ValueError, match=r"cannot be used: .*record-sources"):
        read_sources(recorded)


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"PK\x03\x04" + b"\x00" * 100])
def test_what_is_no_archive_is_said(recorded: Path, damage: bytes) -> None:
    recorded.write_bytes(damage)
    with pytest.raises(ValueError, match="cannot be used"):
        read_sources(recorded)


def test_half_an_archive_is_said(recorded: Path) -> None:
    recorded.write_bytes(recorded.read_bytes()[:-100])
    with pytest.raises(ValueError, match="cannot be used"):
        read_sources(recorded)


def test_a_content_that_is_not_its_hash_is_not_there(recorded: Path) -> None:
    digest = content_hash(b"a = 1\n")
    rewritten(recorded, **{f"sources/{digest}": b"a = 2\n"})
    found = read_sources(recorded)
    assert found is not None
    assert found.content(digest) is None
    rewritten(recorded, **{f"sources/{digest}": None})
    assert found.content(digest) is None


def test_a_bomb_is_not_unpacked(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = read_sources(recorded)
    assert found is not None
    digest = found.digest("/ci/project/src/shop/price.py")
    assert digest is not None
    monkeypatch.setattr(module, "MAX_BYTES", 5)
    assert found.content(digest) is None
    monkeypatch.setattr(module, "_MAX_MANIFEST", 100)
    with pytest.raises(ValueError, match="too large"):
        read_sources(recorded)


def test_data_is_known_wherever_it_is_copied(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "a = 1\n", ".coveragerc": "[run]\nbranch = true\n"})
    coverage(tmp_path, "run", "a.py")
    data_file = tmp_path / ".coverage"
    hashes = data_hashes(data_file, fingerprint(data_file))
    assert hashes is not None
    for command in ("report", "xml", "html"):
        coverage(tmp_path, command)  # None of them changes the data.
    there = tmp_path / "there"
    there.mkdir()
    shutil.copy(data_file, there / "data.from-ci")
    os.utime(there / "data.from-ci", (1, 1))
    copied = there / "data.from-ci"
    assert data_hashes(copied, fingerprint(copied)) == hashes
    before = fingerprint(data_file)
    write(tmp_path, {"a.py": "a = 1\n\nb = 2\n"})
    coverage(tmp_path, "run", "a.py")
    assert data_hashes(data_file, before) is None
    changed = data_hashes(data_file, fingerprint(data_file))
    assert changed is not None
    assert changed != hashes


def test_combining_data_leaves_recorded_sources_alone(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "a = 1\n"})
    for _ in range(2):
        coverage(tmp_path, "run", "--parallel-mode", "a.py")
    path = sources_file(tmp_path / ".coverage")
    path.write_text("not data")
    assert len(parallel_files(tmp_path / ".coverage")) == 2
    coverage(tmp_path, "combine")
    coverage(tmp_path, "erase")
    assert path.read_text() == "not data"
    assert path.name == ".coverage-sources"
