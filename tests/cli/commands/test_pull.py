"""`covls pull`: what is shown after it, and that nothing half or hostile is."""

import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from covls.adapters.pulled_data import find_pulled
from covls.core.settings import Settings
from tests.adapters.repositories import Repository, needs_git
from tests.cli.measured import Covls, stamps
from tests.shares import (
    SHOP,
    SHOP_RAN,
    clone,
    commit,
    file_server,
    measure,
    measured_repository,
    serve,
)

pytestmark = needs_git

MOVED = "# Prices.\n\n" + SHOP.replace("count * 8", "count * 7")
"""All lines are two further down, and line 5 is another."""


@pytest.fixture
def ci(covls: Covls, tmp_path: Path) -> Repository:
    """A repository whose first commit was pushed to `share`, and that has three more by now."""
    repository = measured_repository(tmp_path / "ci")
    assert covls(repository.folder, "push", "--to", "../share").code == 0
    for text in (f"{SHOP}\n", f"# Prices.\n\n{SHOP}", MOVED):
        commit(repository, text)
    return repository


@pytest.fixture
def fresh(ci: Repository, tmp_path: Path) -> Repository:
    return clone(ci, tmp_path / "clone")


def missing(covls: Covls, folder: Path, line: int, *arguments: str) -> Any:
    done = covls(folder, "explain", f"shop/price.py:{line}", "--format", "json", *arguments)
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_a_fresh_clone_shows_what_was_measured_three_commits_ago(
    covls: Covls, ci: Repository, fresh: Repository
) -> None:
    before = stamps(fresh.folder)
    assert covls(fresh.folder, "report").code == 3
    measured = ci("rev-parse", "HEAD~3")
    done = covls(fresh.folder, "pull", "--from", "../share")
    assert (done.code, done.err) == (0, "")
    share = fresh.folder.parent / "share"
    assert done.out == f"Commit {measured[:7]}, 3 before, from {share}.\n"
    report = covls(fresh.folder, "report", "--format", "json")
    assert report.code == 0
    assert report.err == f"covls: From CI: commit {measured[:7]}, 3 commits ago.\n"
    # The figures are those of the text that was measured: 4 of 6 lines.
    file = json.loads(report.out)["files"]["shop/price.py"]
    assert file["summary"]["covered_lines"] == 4
    states = {line: missing(covls, fresh.folder, line) for line in (4, 5, 6, 10)}
    # Two lines further down than they were measured, and one of them edited.
    assert [(states[line]["state"], states[line]["freshness"]) for line in states] == [
        ("covered", "fresh"),
        ("missing", "edited"),
        ("covered", "fresh"),
        ("missing", "fresh"),
    ]
    assert stamps(fresh.folder) == before
    doctor = covls(fresh.folder, "doctor")
    assert f"not data of your own. From CI: commit {measured[:7]}, 3 commits ago." in doctor.out
    assert "Saved after the data was written" not in doctor.out


def test_data_of_ones_own_win_at_once_unless_others_are_asked_for(
    covls: Covls, fresh: Repository
) -> None:
    assert covls(fresh.folder, "pull", "--from", "../share").code == 0
    measure(fresh, {"shop/price.py": (3, 4, 5, 6, 9, 10)})
    report = covls(fresh.folder, "report")
    assert (report.code, report.err, "100%" in report.out) == (0, "", True)
    report = covls(fresh.folder, "report", "--pulled")
    assert (report.code, "From CI" in report.err, "67%" in report.out) == (0, True, True)
    again = covls(fresh.folder, "pull", "--from", "../share")
    assert "are shown all the same: `--pulled` shows these" in again.out
    settings = fresh.folder / "covls.toml"
    for show, pulled in (("missing", False), ("newer", True), ("always", True), ("never", False)):
        settings.write_text(f'[share]\nshow = "{show}"\n')
        assert ("From CI" in covls(fresh.folder, "report").err) is pulled, show
    settings.write_text('[share]\nshow = "newer"\n')
    later = (fresh.folder / ".coverage").stat().st_mtime + 3600
    os.utime(fresh.folder / ".coverage", (later, later))
    assert "From CI" not in covls(fresh.folder, "report").err


def test_gates_take_pulled_data_only_when_asked_and_what_is_stale_stays_stale(
    covls: Covls, fresh: Repository
) -> None:
    assert covls(fresh.folder, "pull", "--from", "../share").code == 0
    assert covls(fresh.folder, "check").code == 3
    (fresh.folder / "covls.toml").write_text("[gates]\ntotal = 50\n")
    asked = covls(fresh.folder, "check", "--pulled")
    assert (asked.code, "price.py" in asked.out) == (3, True), asked.out
    fresh.write("shop/price.py", f"# Prices.\n\n{SHOP}")
    assert covls(fresh.folder, "check", "--pulled").code == 0


def test_shards_and_flags_are_combined_and_can_be_chosen(covls: Covls, tmp_path: Path) -> None:
    repository = measured_repository(tmp_path / "ci", (1, 2, 3, 7))
    covls(repository.folder, "push", "--to", "../share", "--flag", "py311", "--flag", "linux")
    measure(repository, {"shop/price.py": SHOP_RAN})
    covls(repository.folder, "push", "--to", "../share", "--flag", "py312", "--flag", "linux")
    fresh = clone(repository, tmp_path / "clone").folder
    covered: dict[tuple[str, ...], int] = {}
    for flags in ((), ("py311",), ("py312", "linux"), ("linux",)):
        arguments = [word for flag in flags for word in ("--flag", flag)]
        done = covls(fresh, "pull", "--from", "../share", *arguments)
        assert done.code == 0, done.err
        report = covls.json(fresh)
        covered[flags] = report["totals"]["covered_lines"]
        assert missing(covls, fresh, 1)["freshness"] == "fresh"
    assert covered == {(): 5, ("py311",): 4, ("py312", "linux"): 4, ("linux",): 5}
    done = covls(fresh, "pull", "--from", "../share", "--flag", "windows")
    assert (done.code, "with the flags windows" in done.err) == (3, True)
    # What was pulled before stays.
    assert covls.json(fresh)["totals"]["covered_lines"] == 5


def test_shards_that_measured_other_texts_are_not_taken_for_one(
    covls: Covls, tmp_path: Path
) -> None:
    repository = measured_repository(tmp_path / "ci")
    covls(repository.folder, "push", "--to", "../share", "--flag", "one")
    repository.write("shop/price.py", SHOP.replace("count * 8", "8"))
    measure(repository, {"shop/__init__.py": (), "shop/price.py": SHOP_RAN})
    covls(repository.folder, "push", "--to", "../share", "--flag", "two")
    fresh = clone(repository, tmp_path / "clone").folder
    assert covls(fresh, "pull", "--from", "../share").code == 0
    assert missing(covls, fresh, 1)["freshness"] == "unverified"


def test_the_nearest_is_found_by_parents_and_by_no_clock(covls: Covls, tmp_path: Path) -> None:
    now = 1_700_000_000
    repository = measured_repository(tmp_path / "ci")
    first = repository("rev-parse", "HEAD")
    covls(repository.folder, "push", "--to", "../share")
    # A clock that went back by years, and a branch with more commits, which is merged.
    second = commit(repository, f"{SHOP}\n", at=now - 9e7)
    repository("checkout", "-qb", "long", first)
    for number in range(4):
        repository.write("notes", str(number))
        repository("add", "notes")
        repository("commit", "-qm", "n", at=now + number)
    repository("checkout", "-q", "main")
    covls(repository.folder, "push", "--to", "../share", "--commit", second)
    repository("merge", "-q", "--no-ff", "-m", "m", "long", at=now)
    fresh = clone(repository, tmp_path / "clone")
    done = covls(fresh.folder, "pull", "--from", "../share")
    assert done.out.startswith(f"Commit {second[:7]}, 1 before")
    done = covls(fresh.folder, "pull", "--from", "../share", "origin/long")
    assert done.out.startswith(f"Commit {first[:7]}, 4 before")
    assert "covls: From CI" in covls(fresh.folder, "report").err
    # Another history altogether: a force-push, seen from here.
    fresh("checkout", "-q", "--orphan", "other")
    fresh("commit", "-qm", "other")
    done = covls(fresh.folder, "pull", "--from", "../share")
    assert (done.code, "has nothing that was measured of HEAD or of 0" in done.err) == (3, True)
    assert "which HEAD does not descend from" in covls(fresh.folder, "report").err


def test_a_shallow_clone_is_said(covls: Covls, ci: Repository, tmp_path: Path) -> None:
    shallow = clone(ci, tmp_path / "shallow", "--depth", "2")
    done = covls(shallow.folder, "pull", "--from", "../share")
    assert (done.code, "git fetch --unshallow" in done.err) == (3, True), done.err
    ci("-C", str(shallow.folder), "fetch", "-q", "--unshallow")
    assert covls(shallow.folder, "pull", "--from", "../share").code == 0


def test_a_root_below_the_top_finds_its_own(covls: Covls, tmp_path: Path) -> None:
    repository = measured_repository(tmp_path / "ci")
    covls(repository.folder, "push", "--to", str(tmp_path / "share"))
    (repository.folder / "tools").mkdir()
    repository.write("tools/.coveragerc", "")
    done = covls(repository.folder, "pull", "--root", "tools", "--from", str(tmp_path / "share"))
    assert (done.code, "has nothing" in done.err) == (3, True)


@pytest.mark.parametrize("ranges", [False, True])
def test_a_server_is_asked_by_name_and_told_no_header_that_a_workspace_could_steer(
    covls: Covls,
    ci: Repository,
    fresh: Repository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ranges: bool,
) -> None:
    with file_server() as served:
        served.ranges = ranges
        for path in (tmp_path / "share").rglob("*.*"):
            served.files[f"/s/{path.relative_to(tmp_path / 'share').as_posix()}"] = (
                path.read_bytes()
            )
        monkeypatch.setenv("COVLS_SHARE_HEADER", "Authorization: Bearer s3cret")
        (fresh.folder / "covls.toml").write_text(f'[share]\nurl = "{served.url}/s"\n')
        done = covls(fresh.folder, "pull")
        assert done.code == 0, done.err
        assert "COVLS_SHARE_HEADER is not sent" in done.err
        assert not any("Authorization" in headers for headers in served.headers)
        assert covls(fresh.folder, "pull", "--no-trusted").code == 2
        for arguments in (("--trusted",), ("--from", f"{served.url}/s")):
            served.headers.clear()
            assert covls(fresh.folder, "pull", *arguments).code == 0
            assert all("Authorization" in headers for headers in served.headers)
        # Another server is told nothing by a redirect.
        with file_server() as other:
            other.redirects["/r"] = f"{served.url}/s"
            served.headers.clear()
            assert covls(fresh.folder, "pull", "--from", f"{other.url}/r").code == 0
            assert not any("Authorization" in headers for headers in served.headers)
            assert all("Authorization" in headers for headers in other.headers)
            other.redirects["/r"] = "file:///etc"
            assert covls(fresh.folder, "pull", "--from", f"{other.url}/r").code == 1


def round_trip(covls: Covls, tmp_path: Path, address: str) -> None:
    """Push two flags to an address, pull both and one from there, and nothing from before them."""
    repository = measured_repository(tmp_path / "ci", (1, 2, 3, 7))
    first = repository("rev-parse", "HEAD")
    commit(repository, f"{SHOP}\n")
    for flag, ran in (("one", (1, 2, 3, 7)), ("two", SHOP_RAN)):
        measure(repository, {"shop/price.py": ran})
        done = covls(repository.folder, "push", "--to", address, "--flag", flag)
        assert done.code == 0, done.err
    fresh = clone(repository, tmp_path / "clone").folder
    for arguments, covered in (((), 5), (("--flag", "two"), 4)):
        done = covls(fresh, "pull", "--from", address, *arguments)
        assert (done.code, done.err) == (0, ""), done.err
        assert covls.json(fresh)["totals"]["covered_lines"] == covered
    assert covls(fresh, "pull", first, "--from", address).code == 3


def test_a_bucket(covls: Covls, tmp_path: Path) -> None:
    round_trip(covls, tmp_path, f"memory://bucket/{tmp_path.name}")


def test_the_teams_history(
    covls: Covls, tmp_path: Path, history_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COVLS_HISTORY_URL", history_url)
    round_trip(covls, tmp_path, "history")


def test_a_history_that_is_not_there_is_said(covls: Covls, fresh: Repository) -> None:
    done = covls(fresh.folder, "pull", "--from", "history")
    assert (done.code, "There is no history yet" in done.err) == (1, True), done.err
    assert not (fresh.folder / ".covls").exists()


def test_no_network_is_one_line(covls: Covls, fresh: Repository) -> None:
    with file_server() as served:
        url = served.url
    done = covls(fresh.folder, "pull", "--from", url)
    assert (done.code, done.out) == (1, "")
    assert done.err == f"covls: {url} does not answer: Connection refused.\n"


Spoil = Callable[[Path, dict[str, Any]], None]


def _truncate(archive: Path, _manifest: dict[str, Any]) -> None:
    archive.write_bytes(archive.read_bytes()[:-100])


def _flip(archive: Path, _manifest: dict[str, Any]) -> None:
    content = bytearray(archive.read_bytes())
    content[200] ^= 0xFF
    archive.write_bytes(content)


def _grow(archive: Path, _manifest: dict[str, Any]) -> None:
    archive.write_bytes(archive.read_bytes() + b"more")


def _remove(archive: Path, _manifest: dict[str, Any]) -> None:
    archive.unlink()


def _bomb(_archive: Path, manifest: dict[str, Any]) -> None:
    manifest["data"]["size"] = 5 << 30


def _other_data(_archive: Path, manifest: dict[str, Any]) -> None:
    manifest["data"]["sha256"] = "0" * 64


def _shorter(_archive: Path, manifest: dict[str, Any]) -> None:
    manifest["data"]["size"] -= 1


def _elsewhere(_archive: Path, manifest: dict[str, Any]) -> None:
    manifest["commit"] = "f" * 40


def _climb(_archive: Path, manifest: dict[str, Any]) -> None:
    manifest["flags"] = ["../../../x"]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_truncate, "broke off after"),
        (_flip, "its checksum is not that of its manifest"),
        (_grow, "is larger than its manifest says"),
        (_remove, "is not at"),
        (_bomb, "lets 1024 be pulled"),
        (_other_data, "the checksum of its data is not that of its manifest"),
        (_shorter, "its data is larger than its manifest says"),
        (_elsewhere, "it is the manifest of something else"),
        (_climb, "is no flag"),
    ],
)
def test_what_is_spoilt_or_hostile_is_said_and_nothing_of_it_stays(
    covls: Covls,
    fresh: Repository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Spoil,
    words: str,
) -> None:
    monkeypatch.setenv("COVLS_CACHE_DIR", str(tmp_path / "cache"))
    (manifest,) = (tmp_path / "share").glob("*/all.*.json")
    (archive,) = (tmp_path / "share").glob("*/*.zip")
    told = json.loads(manifest.read_text())
    spoil(archive, told)
    manifest.write_text(json.dumps(told))
    before = stamps(fresh.folder)
    done = covls(fresh.folder, "pull", "--from", "../share")
    assert done.code in (1, 3)
    assert words in done.err, done.err
    assert find_pulled(fresh.folder) is None
    assert not [*(tmp_path / "cache").rglob("data-*")]
    assert stamps(fresh.folder) == before


def test_a_download_that_breaks_off_leaves_what_was_there(
    covls: Covls, fresh: Repository, tmp_path: Path
) -> None:
    with file_server() as served:
        serve(served, tmp_path / "share")
        assert covls(fresh.folder, "pull", "--from", served.url).code == 0
        before = find_pulled(fresh.folder)
        served.cut = ".zip"
        done = covls(fresh.folder, "pull", "--from", served.url)
        assert (done.code, done.out) == (1, "")
    assert before is not None
    assert find_pulled(fresh.folder) == before
    assert len([*before.data_file.parent.parent.glob("data-*")]) == 1
    assert covls(fresh.folder, "report").code == 0


def test_pulls_at_once_leave_one_that_is_whole(
    covls: Covls, fresh: Repository, tmp_path: Path
) -> None:
    from covls.adapters.share import open_share
    from covls.project.pull import pull

    address = str(tmp_path / "share")
    share = open_share(address, fresh.folder, Settings(), trusted=False, with_header=False)
    done: list[object] = []

    def work() -> None:
        done.append(pull(fresh.folder, share, max_mb=100))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 4
    assert covls.json(fresh.folder)["totals"]["covered_lines"] == 4


def test_what_was_pulled_can_be_let_go_of_and_the_cache_emptied(
    covls: Covls, fresh: Repository
) -> None:
    assert covls(fresh.folder, "pull", "--from", "../share").code == 0
    assert covls(fresh.folder, "pull", "--forget").out == "What was pulled is let go of.\n"
    assert covls(fresh.folder, "report").code == 3
    assert covls(fresh.folder, "pull", "--forget").out == "Nothing was pulled.\n"
    asked = covls(fresh.folder, "report", "--pulled")
    assert (asked.code, "To fetch what CI left: covls pull" in asked.err) == (3, True)
    assert covls(fresh.folder, "pull", "--from", "../share").code == 0
    shutil.rmtree(os.environ["COVLS_CACHE_DIR"])
    assert covls(fresh.folder, "report").code == 3
