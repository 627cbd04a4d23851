"""Patch mode: what is shown of a file, and what is told of the whole, while all of it moves."""

from pathlib import Path
from typing import Any

import pytest

from tests.adapters.repositories import Repository, needs_git
from tests.server.client import Client, shape, uri_of
from tests.server.conftest import SHAPE, SHOP

pytestmark = needs_git

PATCH = {"editor": {"scope": "patch"}}
QUIET = ("$/progress", "covls/didChangeCoverage")
BASE = SHOP.replace("total = a + b", "total = b + a").replace("            self.items,\n", "")
"""The shop before the work: line 17 was another, and line 29 is new, of a call from 28 to 30."""


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def repository(shop: Path) -> Repository:
    """The shop, measured; `main` has the base, and `work` what was measured."""
    stamp = (shop / "shop.py").stat()
    repository = Repository(shop)
    repository.write(".gitignore", ".coverage\n__pycache__\n")
    repository.write("shop.py", BASE)
    repository("add", ".")
    repository("commit", "-qm", "base")
    repository("checkout", "-qb", "work")
    repository.write("shop.py", SHOP, stamp.st_mtime)
    repository("commit", "-qam", "work")
    return repository


async def until(client: Client, **values: Any) -> Any:
    return await client.receive_until(
        "covls/status",
        lambda status: all(status[name] == value for name, value in values.items()),
    )


async def test_only_the_patch_is_shown(client: Client, shop: Path, repository: Repository) -> None:
    client.ignore(*QUIET)
    await client.start(shop, settings=PATCH, options=PATCH)
    uri = client.open(shop / "shop.py")
    # The call counts whole, though one line of it is new.
    expected = [(17, 17, "uncovered"), (28, 30, "uncovered")]
    assert shape(await client.diagnostics(uri, lambda found: len(found) == 2)) == expected
    coverage = await client.coverage(uri)
    assert coverage["marks"] == [[16, 16, "missing", "fresh"], [27, 29, "missing", "fresh"]]
    assert coverage["patch"]["lines"] == [[16, 16], [27, 29]]
    assert coverage["patch"]["summary"]["missing"] == 2
    assert coverage["summary"]["statements"] == 16
    status = await until(client, patchPercent=0.0)
    assert status["patchPercentText"] == "0"
    assert status["message"] == "0 of 2 statements changed since main are covered."
    client.ignore("covls/status")
    await client.end()


async def test_what_is_typed_counts_before_it_is_saved(
    minimal: Client, shop: Path, repository: Repository
) -> None:
    minimal.ignore(*QUIET)
    await minimal.start(shop, options=PATCH)
    uri = minimal.open(shop / "shop.py")
    await until(minimal, patchPercent=0.0)
    minimal.change(uri, SHOP.replace("total = a + b", "total = b + a"))
    # Back at the base, it is no part of the patch, although it is not what was measured.
    assert shape(await minimal.diagnostics(uri, lambda found: len(found) == 1)) == [
        (28, 30, "uncovered")
    ]
    minimal.change(uri, "import os\n" + SHOP)
    expected = [(18, 18, "uncovered"), (29, 31, "uncovered")]
    await minimal.diagnostics(uri, lambda found: shape(found) == expected)
    coverage = await minimal.coverage(uri)
    assert [0, 0, "missing", "new"] in coverage["marks"]
    assert coverage["patch"]["stale"] == 1
    status = await minimal.receive_until(
        "covls/status", lambda status: "1 more statement" in status["message"]
    )
    assert (status["state"], status["patchPercent"]) == ("stale", 0.0)
    minimal.change(uri, BASE)
    await until(minimal, patchPercent=None)
    minimal.change(uri, SHOP)
    await until(minimal, patchPercent=0.0)
    minimal.ignore("covls/status", "textDocument/publishDiagnostics")
    await minimal.end()


async def test_git_moves_behind_the_editors_back(
    minimal: Client, shop: Path, repository: Repository
) -> None:
    minimal.ignore(*QUIET, "textDocument/publishDiagnostics")
    await minimal.start(shop, options=PATCH)
    uri = minimal.open(shop / "shop.py")
    await until(minimal, patchPercent=0.0)

    # main gets what is on work: nothing is changed any more.
    repository("branch", "-f", "main", "work")
    status = await until(minimal, patchPercent=None)
    assert status["message"] == "No measured code was changed since main."
    assert (await minimal.coverage(uri))["marks"] == []

    # A commit on another branch, which then is checked out: its base is the first commit again.
    repository("checkout", "-q", "-b", "other", "main~1")
    repository("branch", "-f", "main", "other")
    repository("checkout", "-q", "work")
    status = await until(minimal, patchPercent=0.0)
    assert status["message"].startswith("0 of 2 statements")

    # A commit on the branch itself leaves the patch what it is.
    repository.write("other.py", "a = 1\n")
    repository("add", ".")
    repository("commit", "-qm", "more")
    assert len((await minimal.coverage(uri))["marks"]) == 2
    minimal.ignore("covls/status")
    await minimal.end()


async def test_a_patch_can_be_louder(minimal: Client, shop: Path, repository: Repository) -> None:
    minimal.ignore(*QUIET, "covls/status")
    await minimal.start(shop, options={"diagnostics": {"patchSeverity": "warning"}})
    uri = minimal.open(shop / "shop.py")
    found = await minimal.diagnostics(uri, lambda found: len(found) > len(SHAPE))
    where = {(d["range"]["start"]["line"] + 1, d["range"]["end"]["line"] + 1): d for d in found}
    severities = {lines: d["severity"] for lines, d in where.items()}
    # The block of lines 17 to 20 is cut where the patch ends.
    assert severities == {
        (5, 5): 4,
        (11, 11): 4,
        (12, 12): 4,
        (17, 17): 2,
        (18, 20): 4,
        (25, 25): 4,
        (28, 30): 2,
    }
    assert where[18, 20]["message"] == "No test runs lines 18 to 20."
    await minimal.end()


async def test_files_that_are_not_open_count(
    minimal: Client, shop: Path, repository: Repository
) -> None:
    minimal.ignore(*QUIET, "textDocument/publishDiagnostics")
    await minimal.start(shop)
    uri = minimal.open(shop / "test_shop.py")
    status = await until(minimal, patchPercent=0.0)
    assert status["message"] == ""
    path = shop / "shop.py"
    path.write_text(BASE)
    params = {"changes": [{"uri": uri_of(path), "type": 2}]}
    minimal.notify("workspace/didChangeWatchedFiles", params)
    await until(minimal, patchPercent=None)
    assert (await minimal.coverage(uri))["patch"] is None
    minimal.ignore("covls/status")
    await minimal.end()


@pytest.mark.parametrize("how", ["none", "empty", "wrong"])
async def test_without_a_base_all_is_shown_and_said_why(
    minimal: Client, shop: Path, how: str
) -> None:
    options: dict[str, Any] = PATCH
    why = f"{shop} is in no git repository."
    if how != "none":
        repository = Repository(shop)
        why = f"There are no commits in {shop} yet."
        if how == "wrong":
            repository("add", ".")
            repository("commit", "-qm", "all")
            options = {"editor": {"scope": "patch", "base": "nothing"}}
            why = f"`editor.base` names nothing, which is no commit in {shop}."
    minimal.ignore(*QUIET)
    await minimal.start(shop, options=options)
    uri = minimal.open(shop / "shop.py")
    assert shape(await minimal.diagnostics(uri)) == SHAPE
    status = await minimal.receive_until(
        "covls/status", lambda status: "no base" in status["message"]
    )
    assert status["message"] == f"All code is shown, for there is no base: {why}"
    assert status["patchPercent"] is None
    minimal.ignore("covls/status")
    await minimal.end()


async def test_the_scope_changes_while_it_runs(
    launch: Any, shop: Path, repository: Repository
) -> None:
    client = launch("neovim")
    client.ignore(*QUIET, "covls/status")
    await client.start(shop, settings={"covls": {}})
    uri = client.open(shop / "shop.py")
    assert shape(await client.diagnostics(uri)) == SHAPE
    client.settings = {"covls": PATCH}
    client.notify("workspace/didChangeConfiguration", {"settings": {"covls": PATCH}})
    assert len(await client.diagnostics(uri, lambda found: len(found) == 2)) == 2
    await client.end()
