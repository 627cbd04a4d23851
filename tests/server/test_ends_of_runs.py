"""However a server ends in the middle of a run: nothing goes on, and the data are whole."""

import asyncio
import contextlib
import os
import random
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from covls.adapters.turn import turn
from tests.processes import HERE, is_running_tests, processes_below, wait_until_gone
from tests.server.client import Client, uri_of
from tests.server.conftest import CONFIGURATION, write
from tests.server.features.test_run import OPTIONS, QUIET, SHOP, TESTS, WAITS, ended, there

pytestmark = pytest.mark.skipif(not HERE, reason="asks /proc for processes")

KILLS = int(os.environ.get("COVLS_KILLS", "2"))
SEED = int(os.environ.get("COVLS_LIVE_SEED", "20261122"))

# What the run starts: a process in its group, and one that has left it.
STARTS = """\
import subprocess
import sys

import pytest


@pytest.fixture(scope="session", autouse=True)
def others():
    wait = [sys.executable, "-c", "import time; time.sleep(600)"]
    found = [subprocess.Popen(wait), subprocess.Popen(wait, start_new_session=True)]
    yield
    for each in found:
        each.kill()
        each.wait()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a test that waits, and that starts processes."""
    folder = write(
        tmp_path / "shop", shop__py=SHOP, test_waits__py=TESTS + "\n\n" + WAITS, conftest__py=STARTS
    )
    (folder / ".coveragerc").write_text(CONFIGURATION)
    return folder


async def in_the_middle(client: Client, project: Path) -> list[int]:
    """Start, and run all tests until one waits. Returns the processes below the server."""
    client.ignore(*QUIET, "window/showMessage", "textDocument/publishDiagnostics")
    await client.start(project, options=OPTIONS)
    await client.command("covls.runAll", uri_of(project))
    await there(project.parent / "waiting")
    return processes_below(client.process.pid)


@pytest.mark.parametrize("end", ["shutdown", "exit", "closed", "killed", "terminated"])
async def test_nothing_of_a_run_outlives_the_server(
    minimal: Client, project: Path, end: str
) -> None:
    below = await in_the_middle(minimal, project)
    assert len(below) >= 4, "the guard, the tests, and what they started"
    match end:
        case "shutdown":
            await minimal.request("shutdown", None)
        case "exit":
            minimal.notify("exit", None)
        case "closed":
            assert minimal.process.stdin is not None
            minimal.process.stdin.close()
        case "killed":
            minimal.process.kill()
        case _:
            minimal.process.terminate()
    await asyncio.to_thread(wait_until_gone, below, end)
    assert not (project / ".coverage").exists()


async def test_a_folder_that_is_closed_takes_its_run_along(
    minimal: Client, project: Path, tmp_path: Path
) -> None:
    other = write(tmp_path / "other", shop__py=SHOP, test_shop__py=TESTS)
    minimal.capabilities = {**minimal.capabilities, "workspace": {"workspaceFolders": True}}
    below = await in_the_middle(minimal, project)
    event = {
        "added": [{"uri": uri_of(other), "name": "other"}],
        "removed": [{"uri": uri_of(project), "name": "shop"}],
    }
    minimal.notify("workspace/didChangeWorkspaceFolders", {"event": event})
    await asyncio.to_thread(wait_until_gone, below)
    # The turn is the next one's.
    await minimal.command("covls.runAll", uri_of(other))
    minimal._ignored.discard("window/logMessage")
    (said,) = await ended(minimal)
    assert said.startswith("covls: All tests of other: 2 passed.")
    minimal.ignore("window/logMessage")
    await minimal.end()


async def test_runs_of_two_roots_do_not_overlap(
    launch: Callable[..., Client], project: Path, tmp_path: Path
) -> None:
    client = launch("vscode")
    other = write(tmp_path / "other", shop__py=SHOP, test_shop__py=TESTS)
    client.ignore("covls/status", "covls/didChangeCoverage")
    await client.start(project, other, options=OPTIONS)
    await client.command("covls.runAll", uri_of(project))
    await there(tmp_path / "waiting")
    await client.command("covls.runAll", uri_of(other))
    waits = "waiting for the run under way"
    await client.receive("$/progress", lambda p: p["value"].get("message") == waits)
    (tmp_path / "go on").touch()
    said = await ended(client, 2)
    assert [words.split(": ")[1] for words in said] == ["All tests of shop", "All tests of other"]
    client.ignore(*QUIET)
    await client.end()


async def test_a_run_in_a_terminal_is_waited_for(
    launch: Callable[..., Client], project: Path, tmp_path: Path
) -> None:
    client = launch("vscode")
    client.ignore("covls/status", "covls/didChangeCoverage")
    (tmp_path / "go on").touch()
    await client.start(project, options=OPTIONS)
    with turn(project):
        await client.command("covls.runAll", uri_of(project))
        waits = "waiting for the run under way"
        await client.receive("$/progress", lambda p: p["value"].get("message") == waits)
        assert not (tmp_path / "waiting").exists()
    await ended(client)
    client.ignore(*QUIET)
    await client.end()


async def test_killed_at_any_moment(launch: Callable[..., Client], tmp_path: Path) -> None:
    """The data are the old ones or the new ones, whole, and the next server goes on from there."""
    project = write(tmp_path / "shop", shop__py=SHOP, test_shop__py=TESTS)
    (project / ".coveragerc").write_text(CONFIGURATION)
    chosen = random.Random(SEED)
    texts = SHOP, SHOP.replace("    return int(text)", "    text = text or 0\n    return int(text)")
    client = await opened(launch, project, "covls.runAll")
    loop = asyncio.get_running_loop()
    took = 1.0
    truth: list[Any] = [data(project), None]
    for number in range(1, KILLS + 2):
        turn = number % 2
        before = data(project)
        (project / "shop.py").write_text(texts[turn])
        began = loop.time()
        if number == 1:
            # The first one ends, to know what it gives, and how long it takes.
            await ran(client, project, "covls.runAffected")
            took, truth[1] = loop.time() - began, data(project)
            assert truth[0] != truth[1]
            continue
        client.unclaimed.clear()
        await client.command("covls.runAffected", uri_of(project))
        # While the tests run, or when what they brought is put into the data.
        late = number % 2 == 0
        if late:
            await results(client)
        moment = chosen.uniform(0, 0.3 if late else took)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(moment):
                await client.process.wait()
        below = processes_below(client.process.pid)
        os.kill(client.process.pid, signal.SIGKILL)
        where = f"kill {number}, {moment:.2f} s after {'the tests' if late else 'the beginning'}"
        await asyncio.to_thread(wait_until_gone, below, where)
        await client.kill()
        assert data(project) in (before, truth[turn]), where
        client = await opened(launch, project, "covls.runAffected")
        assert data(project) == truth[turn], where
        assert not [*project.glob(".coverage.*"), *project.glob(".covls*")], where
    client.unclaimed.clear()
    await client.end()


async def opened(launch: Callable[..., Client], project: Path, command: str) -> Client:
    """A server of the project after a command's run has ended."""
    client = launch("vscode")
    client.ignore("covls/status", "covls/didChangeCoverage", "$/progress")
    await client.start(project, options=OPTIONS)
    await ran(client, project, command)
    return client


async def ran(client: Client, project: Path, command: str) -> None:
    """Run a command, and wait for the end of its run."""
    client.unclaimed.clear()
    await client.command(command, uri_of(project))

    def told() -> bool:
        words = [str(each["params"]["message"]) for each in client.unclaimed]
        shown = [each["method"] == "window/showMessage" for each in client.unclaimed]
        return any(" s)" in said for said in words) or any(shown)

    await client.until(told)


async def results(client: Client) -> None:
    """Wait until the tests have run, and what they brought is to be put into the data."""

    def told() -> bool:
        # The tests may have come and gone between two looks of a process that was held up.
        return any(" s)" in str(each.get("params")) for each in client.unclaimed)

    async with asyncio.timeout(60):
        while not is_running_tests(client.process.pid) and not told():
            await asyncio.sleep(0.005)
        while is_running_tests(client.process.pid):
            await asyncio.sleep(0.005)


def data(project: Path) -> set[Any]:
    """The arcs in the data file, which is whole."""
    file = f"file:{project / '.coverage'}?mode=ro"
    with contextlib.closing(sqlite3.connect(file, uri=True)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        query = "SELECT path, fromno, tono FROM arc JOIN file ON file.id = arc.file_id"
        return set(database.execute(query).fetchall())
