"""A real test run, again and again, while a server watches and an editor has files open."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.server.client import Client, shape

RUNS = int(os.environ.get("COVLS_SOAK_RUNS", "8"))
"""More of them for a real soak: COVLS_SOAK_RUNS=500."""

WARM_UP = max(2, RUNS // 4)
"""Runs after which caches are filled and threads started."""

GROWTH = 6 * 1024
"""How much larger the server may be at the end than after warming up, in KB."""

SHOP = """\
def sign(number):
    if number > 0:
        return 1
    if number < 0:
        return -1
    return 0


def twice(number):
    return 2 * number


def never(number):
    return number
"""

STORE = """\
def stored(items):
    found = []
    for item in items:
        if item:
            found.append(item)
    return found
"""

TESTS = """\
import os
import time

import pytest

import shop
import store


@pytest.fixture(autouse=True)
def slow():
    time.sleep(0.02)
    yield


@pytest.mark.parametrize("number", range(-5, 6))
def test_sign(number):
    assert shop.sign(number) == (number > 0) - (number < 0)


def test_pause():
    # Long enough for the data to be quiet, with half of it missing.
    time.sleep(0.6)


@pytest.mark.parametrize("number", range(5))
def test_stored(number):
    assert store.stored(range(number)) == list(range(1, number))
"""

TWICE = """\


def test_twice():
    assert shop.twice(2) == 4
"""

# Runs take turns: with `twice` tested and without. Whatever else is published is wrong.
SHOWN_BY_TURNS = {
    True: [(14, 14, "uncovered")],
    False: [(10, 10, "lost"), (14, 14, "uncovered")],
}

COMMAND = (
    *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull),
    *("--rootdir=.", "-p", "pytest_cov", "--cov=.", "--cov-branch", "--cov-context=test"),
)


async def run_tests(folder: Path, twice: bool) -> None:
    """Run the tests as a user does; whoever watches, the run must not notice."""
    (folder / "test_shop.py").write_text(TESTS + TWICE * twice)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTEST"))
    }
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        cwd=folder,
        env={**environment, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output
    for complaint in ("locked", "no such table", "unable to open", "readonly", "Warning"):
        assert complaint not in output


def memory(pid: int) -> int:
    """Resident memory of a process in KB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no such process")


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def open_files(pid: int) -> list[str]:
    """What the process has open, without the numbers of pipes and sockets."""
    found = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.append(str(descriptor.readlink()).partition("[")[0])
        except FileNotFoundError:
            continue
    return sorted(found)


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name != "__pycache__"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "shop.py").write_text(SHOP)
    (folder / "store.py").write_text(STORE)
    return folder


@pytest_asyncio.fixture
async def client(cache_folder: Path) -> AsyncIterator[Client]:
    client = Client("minimal")
    yield client
    await client.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="memory and descriptors are read in /proc")
async def test_soak(folder: Path, client: Client) -> None:
    await run_tests(folder, twice=True)
    await client.start(folder)
    client.ignore("window/logMessage")
    shop, store = (client.open(folder / name) for name in ("shop.py", "store.py"))
    published: dict[str, list[Any]] = {shop: [], store: []}
    states: list[str] = []

    def take() -> None:
        """Take all messages so far, in their order."""
        rest = []
        for message in client.unclaimed:
            if message["method"] == "textDocument/publishDiagnostics":
                params = message["params"]
                published[params["uri"]].append(shape(params["diagnostics"]))
            elif message["method"] == "covls/status":
                states.append(message["params"]["state"])
            elif message["method"] != "covls/didChangeCoverage":
                rest.append(message)
        client.unclaimed = rest

    async def until_published(count: int) -> None:
        async with asyncio.timeout(30):
            take()
            while len(published[shop]) < count:
                await asyncio.sleep(0.01)
                take()

    await until_published(1)
    size = threads_before = 0
    open_before: list[str] = []
    for number in range(RUNS):
        twice = number % 2 == 1
        states.clear()
        await run_tests(folder, twice)
        await until_published(number + 2)
        assert published[shop][-1] == SHOWN_BY_TURNS[twice]
        assert "running" in states
        assert "error" not in states
        assert "noData" not in states
        if number + 1 == WARM_UP:
            pid = client.process.pid
            size, open_before, threads_before = memory(pid), open_files(pid), threads(pid)

    expected = [SHOWN_BY_TURNS[turn % 2 == 0] for turn in range(RUNS + 1)]
    assert published[shop] == expected, "every run's result once, and nothing in between"
    assert published[store] == [], "fully covered from the first to the last run"
    assert files(folder) == {"shop.py", "store.py", "test_shop.py", ".coverage"}

    assert memory(client.process.pid) - size < GROWTH
    assert open_files(client.process.pid) == open_before
    assert not any(name.startswith(str(folder)) for name in open_before)
    # A pool of threads may still grow by some, but none may be left over by each run.
    assert threads(client.process.pid) - threads_before < RUNS - WARM_UP
    await client.end()
