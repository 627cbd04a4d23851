"""Coverage from CI, pulled by the editor or beside it, and shown as such."""

from pathlib import Path
from typing import Any

import pytest

from covls.cli.main import run
from tests.adapters.repositories import Repository, needs_git
from tests.server.client import Client, shape, uri_of
from tests.server.features.test_status import QUIET, until
from tests.shares import SHOP, clone, commit, measure, measured_repository

pytestmark = needs_git

EDITED = f"# Prices.\n\n{SHOP.replace('count * 8', 'count * 7')}"
"""All lines two further down, and one that is another."""


@pytest.fixture
def fresh(tmp_path: Path) -> Repository:
    """A clone without data, one commit ahead of what `share` beside it has."""
    repository = measured_repository(tmp_path / "ci")
    share = str(tmp_path / "share")
    assert run(["push", "--root", str(repository.folder), "--to", share]) == 0
    commit(repository, EDITED)
    return clone(repository, tmp_path / "clone")


async def marked(client: Client, wanted: list[tuple[int, int, str]]) -> None:
    """Wait until these lines are marked as not covered, whatever else is said of the file."""

    def are(params: Any) -> bool:
        found = shape(params["diagnostics"])
        return [mark for mark in found if mark[2] == "uncovered"] == wanted

    await client.receive_until("textDocument/publishDiagnostics", are)


async def test_the_command_fetches_and_the_editor_says_where_from(
    minimal: Client, fresh: Repository
) -> None:
    measured = fresh("rev-parse", "--short=7", "HEAD~1")
    words = f"From CI: commit {measured}, one commit ago."
    minimal.ignore("covls/didChangeCoverage", "$/progress")
    settings = {"share": {"url": str(fresh.folder.parent / "share")}}
    await minimal.start(fresh.folder, options=settings)
    uri = minimal.open(fresh.folder / "shop" / "price.py")
    await until(minimal, state="noData")
    assert await minimal.command("covls.pull") is None
    said = await minimal.receive("window/showMessage")
    assert f"Coverage of commit {measured}, 1 before, from {settings['share']['url']}." in str(said)
    status = await until(minimal, state="stale")
    assert status["message"].startswith(words)
    # Line 5 is edited; the body of `refund`, two lines down, is what no test runs.
    await marked(minimal, [(10, 10, "uncovered")])
    hover = await minimal.hover(uri, 9)
    assert words in str(hover["contents"])
    # Another commit makes it one further back.
    fresh.write("notes", "n")
    fresh("add", "notes")
    fresh("commit", "-qm", "notes")
    await minimal.receive_until("covls/status", lambda status: "2 commits ago" in status["message"])
    # A run of one's own takes its place.
    lines = (3, 4, 6, 9, 10)
    measure(fresh, {"shop/__init__.py": (), "shop/price.py": lines}, "new data")
    (fresh.folder / "new data").replace(fresh.folder / ".coverage")
    status = await until(minimal, state="ok")
    assert "From CI" not in status["message"]
    await marked(minimal, [(5, 5, "uncovered")])
    await minimal.end()


async def test_a_pull_beside_the_server_is_noticed(minimal: Client, fresh: Repository) -> None:
    minimal.ignore(*QUIET, "$/progress")
    await minimal.start(fresh.folder)
    minimal.open(fresh.folder / "shop" / "price.py")
    await until(minimal, state="noData")
    share = str(fresh.folder.parent / "share")
    assert run(["pull", "--root", str(fresh.folder), "--from", share]) == 0
    status = await until(minimal, state="stale")
    assert "From CI" in status["message"]
    await minimal.end()


async def test_an_address_of_the_workspace_counts_where_it_is_trusted(
    minimal: Client, fresh: Repository
) -> None:
    (fresh.folder / "covls.toml").write_text('[share]\nurl = "../share"\n')
    minimal.ignore(*QUIET, "$/progress", "covls/status")
    await minimal.start(fresh.folder)
    minimal.open(fresh.folder / "shop" / "price.py")
    assert await minimal.command("covls.pull", uri_of(fresh.folder)) is None
    for words in ("is ignored because the workspace is not trusted", "to pull coverage from"):
        await minimal.receive("window/showMessage", lambda said: words in said["message"])  # noqa: B023
    assert not (fresh.folder / ".coverage").exists()
    assert run(["report", "--root", str(fresh.folder)]) == 3
    await minimal.end()
