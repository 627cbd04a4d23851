"""`covls push`: what it leaves, and what it says where it cannot."""

import json
import zipfile
from pathlib import Path

import pytest
from coverage import CoverageData

from tests.adapters.repositories import needs_git
from tests.cli.measured import Covls, stamps, write
from tests.shares import file_server, measure, measured_repository

pytestmark = needs_git


def test_an_archive_and_its_manifest_are_left_in_a_folder(covls: Covls, tmp_path: Path) -> None:
    repository = measured_repository(tmp_path / "ci")
    before = stamps(repository.folder)
    done = covls(repository.folder, "push", "--to", "../share", "--flag", "py312", "--flag", "a")
    assert done.code == 0, done.err
    head = repository("rev-parse", "HEAD")
    assert done.out.startswith(f"Commit {head[:7]} (a, py312) pushed to {tmp_path / 'share'}: 2 ")
    assert stamps(repository.folder) == before
    (archive,) = (tmp_path / "share" / head).glob("*.zip")
    (manifest,) = (tmp_path / "share" / head).glob("a-py312.*.json")
    told = json.loads(manifest.read_text())
    assert (told["commit"], told["flags"], told["parents"]) == (head, ["a", "py312"], [])
    assert told["archive"]["size"] == archive.stat().st_size
    with zipfile.ZipFile(archive) as packed:
        assert sorted(packed.namelist()) == ["data", "sources"]
        packed.extract("data", tmp_path)
    data = CoverageData(str(tmp_path / "data"))
    data.read()
    # No path of the machine that measured goes along.
    assert data.measured_files() == {"shop/__init__.py", "shop/price.py"}
    assert data.lines("shop/price.py") == [1, 2, 4, 7]
    data.close(force=True)


def test_parallel_parts_are_combined_in_a_private_copy(covls: Covls, tmp_path: Path) -> None:
    repository = measured_repository(tmp_path / "ci")
    (repository.folder / ".coverage").unlink()
    for part, lines in (("one", (1, 2, 4, 7)), ("two", (1, 2, 3, 7, 8))):
        measure(repository, {"shop/price.py": lines}, f".coverage.{part}")
    before = stamps(repository.folder)
    assert covls(repository.folder, "push", "--to", "../share").code == 0
    assert stamps(repository.folder) == before
    (archive,) = (tmp_path / "share").glob("*/*.zip")
    with zipfile.ZipFile(archive) as packed:
        packed.extract("data", tmp_path)
    data = CoverageData(str(tmp_path / "data"))
    data.read()
    assert sorted(data.lines("shop/price.py") or ()) == [1, 2, 3, 4, 7, 8]
    data.close(force=True)


def test_a_push_again_takes_the_place_of_the_one_before(covls: Covls, tmp_path: Path) -> None:
    repository = measured_repository(tmp_path / "ci")
    for _ in range(2):
        assert covls(repository.folder, "push", "--to", "../share").code == 0
    measure(repository, {"shop/price.py": (1, 7)})
    assert covls(repository.folder, "push", "--to", "../share").code == 0
    assert len([*(tmp_path / "share").glob("*/all.*.json")]) == 1
    assert len([*(tmp_path / "share").glob("*/*.zip")]) == 2


def test_a_server_takes_files_by_put_with_the_header_of_the_environment(
    covls: Covls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = measured_repository(tmp_path / "ci")
    monkeypatch.setenv("COVLS_SHARE_HEADER", "JOB-TOKEN: s3cret")
    with file_server() as served:
        done = covls(repository.folder, "push", "--to", f"{served.url}/a?sig=hidden")
        assert done.code == 0, done.err
        head = repository("rev-parse", "HEAD")
        kinds = sorted(path.rpartition(".")[2] for path in served.files)
        assert kinds == ["json", "json", "zip"]
        assert all(path.startswith(f"/a/{head}/") for path in served.files)
        assert all("?sig=hidden" in asked for asked in served.asked)
        assert {headers.get("Job-Token") for headers in served.headers} == {"s3cret"}
        # The archive is there before the manifest that names it, and this before the index.
        put = [asked for asked in served.asked if asked.startswith("PUT")]
        assert [".zip?" in asked for asked in put] == [True, False, False]
        assert "index.json" in put[2]
    assert "s3cret" not in done.out + done.err
    assert "hidden" not in done.out + done.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "No share is known: name one with --to"),
        (("--to", "ftp://example.org/a"), 2, "ftp://example.org/a is no address that covls knows"),
        (("--to", "simplecache::file:///a"), 2, "is not one address"),
        (("--to", "https://me:s3cret@example.org/a"), 2, "https://example.org/a has a password"),
        (("--to", "../share", "--flag", "../x"), 2, "'../x' is no flag"),
        (("--to", "../share", "--commit", "nowhere"), 2, "nowhere is no commit"),
        (("--to", "../share", "--commit=--output=x"), 2, "--output=x is no commit"),
        (("--to", "pyproject.toml"), 1, "cannot be written"),
    ],
)
def test_what_cannot_be_is_said(
    covls: Covls, tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    repository = measured_repository(tmp_path / "ci")
    done = covls(repository.folder, "push", *arguments)
    assert (done.code, words in done.err, "s3cret" in done.err) == (code, True, False), done.err


def test_a_server_that_refuses_or_is_not_there_is_said(
    covls: Covls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = measured_repository(tmp_path / "ci")
    with file_server() as served:
        served.codes[".zip"] = 401
        done = covls(repository.folder, "push", "--to", served.url)
        assert done.code == 1
        assert "answers 401 Unauthorized to PUT" in done.err
        assert "COVLS_SHARE_HEADER" in done.err
        url = served.url
    done = covls(repository.folder, "push", "--to", url)
    assert (done.code, "does not answer: Connection refused" in done.err) == (1, True), done.err
    monkeypatch.setenv("COVLS_SHARE_HEADER", "s3cret")
    done = covls(repository.folder, "push", "--to", url)
    assert (done.code, "is no header" in done.err, "s3cret" in done.err) == (2, True, False)


def test_sources_that_are_not_known_are_named(covls: Covls, tmp_path: Path) -> None:
    repository = measured_repository(tmp_path / "ci")
    # Saved after the run, and never committed: nobody knows what was measured.
    measure(repository, {"shop/price.py": (1, 7), "shop/new.py": (1, 2)})
    write(repository.folder, {"shop/new.py": "a = 1\n"})
    done = covls(repository.folder, "push", "--to", "../share")
    assert done.code == 0
    assert "shop/new.py was modified since, and what was measured is not known" in done.err
