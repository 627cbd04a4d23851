"""What a history says in the editor: the figure of the base, and when a line was covered last."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from covls.adapters.history_db import open_history
from covls.core.history import Commit
from covls.core.settings import Settings
from tests.adapters.repositories import Repository, needs_git
from tests.core.recorded import recorded
from tests.server.client import Client
from tests.server.conftest import SHOP

pytestmark = needs_git

BASE = "# Before.\n" + SHOP.replace("total = a + b", "total = b + a")

QUIET = ("$/progress", "covls/didChangeCoverage", "textDocument/publishDiagnostics")


@pytest.fixture
def repository(shop: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """The shop, measured on `work`; `main` has the base, in which all was covered."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.delenv("COVLS_HISTORY_URL", raising=False)
    stamp = (shop / "shop.py").stat()
    repository = Repository(shop)
    repository.write(".gitignore", ".coverage\n__pycache__\n.covls\n")
    repository.write("shop.py", BASE)
    repository("add", ".")
    repository("commit", "-qm", "base")
    repository("checkout", "-qb", "work")
    repository.write("shop.py", SHOP, stamp.st_mtime)
    repository("commit", "-qam", "work")
    return repository


def record_base(repository: Repository) -> str:
    commit = repository("rev-parse", "main")
    written = datetime.now(UTC) - timedelta(days=3, hours=1)
    with open_history(repository.folder, Settings(), mode="write") as history:
        history.record(
            Commit(commit, (), "main", authored=written),
            (),
            clean=True,
            versions={},
            has_branches=True,
            files=[recorded("shop.py", BASE, branches=True)],
        )
    return commit


async def hover_with(client: Client, uri: str, line: int, words: str) -> str:
    """The words of a hover on a line, once these are among them."""
    loop = asyncio.get_running_loop()
    end = loop.time() + 60
    while True:
        found: str = (await client.hover(uri, line - 1))["contents"]["value"]
        if words in found:
            return found
        assert loop.time() < end, found
        await asyncio.sleep(0.05)


async def test_the_base_and_when_a_line_was_covered_last(
    minimal: Client, shop: Path, repository: Repository
) -> None:
    commit = record_base(repository)
    minimal.ignore(*QUIET)
    await minimal.start(shop)
    uri = minimal.open(shop / "shop.py")
    status = await minimal.receive_until(
        "covls/status", lambda status: status["basePercent"] is not None
    )
    assert (status["basePercentText"], status["baseCommit"]) == ("100", commit)
    minimal.ignore("covls/status")
    words = f"Covered until commit {commit[:7]} (three days ago)."
    assert "No test runs it." in await hover_with(minimal, uri, 12, words)
    # Of code that was another then nothing is known, nor of what is covered.
    assert words not in (await minimal.hover(uri, 16))["contents"]["value"]
    assert words not in (await minimal.hover(uri, 5))["contents"]["value"]
    await minimal.end()


async def test_without_a_history_there_is_nothing_to_say(
    minimal: Client, shop: Path, repository: Repository
) -> None:
    minimal.ignore(*QUIET)
    await minimal.start(shop)
    uri = minimal.open(shop / "shop.py")
    status = await minimal.receive_until(
        "covls/status", lambda status: status["patchPercent"] is not None
    )
    assert (status["basePercent"], status["baseCommit"]) == (None, None)
    minimal.ignore("covls/status")
    assert "until commit" not in (await minimal.hover(uri, 11))["contents"]["value"]
    await minimal.end()
    assert not (shop / ".covls").exists()
