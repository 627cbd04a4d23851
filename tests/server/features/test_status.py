"""What a root's coverage is worth, told when that changes."""

import asyncio
import importlib.metadata
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from covls.server.features import status
from covls.server.protocol import Server
from covls.server.session import Document, Session
from tests.server.client import DEADLINE, Client, shape, uri_of
from tests.server.conftest import SHAPE, SHOP, copy
from tests.server.features.test_project_coverage import figures, large

QUIET = ("covls/didChangeCoverage", "textDocument/publishDiagnostics")


async def until(client: Client, **values: Any) -> Any:
    """The next status with these values; those before it are claimed, too."""
    return await client.receive_until(
        "covls/status",
        lambda status: all(status[name] == value for name, value in values.items()),
    )


def client_python() -> str:
    """The interpreter that the server finds: that of these tests is first on PATH."""
    version = ".".join(map(str, sys.version_info[:3]))
    coverage = importlib.metadata.version("coverage")
    return f"{sys.executable} (PATH; Python {version}, coverage.py {coverage})"


async def test_the_figure_is_the_whole_projects(client: Client, shop: Path) -> None:
    expected = figures(shop)["totals"]
    client.ignore(*QUIET, "$/progress")
    await client.start(shop)
    client.open(shop / "shop.py")
    status = await until(client, percent=expected["percent_covered"])
    assert status == {
        "folder": uri_of(shop),
        "state": "ok",
        "percent": expected["percent_covered"],
        "percentText": expected["percent_covered_display"],
        "patchPercent": None,
        "patchPercentText": None,
        "basePercent": None,
        "basePercentText": None,
        "baseCommit": None,
        "stale": False,
        "message": "",
        "python": client_python(),
        "tests": f"pytest {pytest.__version__} (test_shop.py imports it)",
        "run": None,
    }
    await client.end()


async def test_an_edit_makes_it_stale_and_undoing_it_fresh(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    await minimal.start(shop)
    uri = minimal.open(shop / "shop.py")
    await until(minimal, state="ok", percentText="75")
    minimal.change(uri, "import os\n" + SHOP)
    status = await until(minimal, state="stale")
    assert status["stale"] is True
    assert status["message"] == "Not the text that was measured: shop.py."
    # The same said again is not sent.
    minimal.change(uri, "import sys\n" + SHOP)
    minimal.change(uri, SHOP)
    assert (await minimal.receive("covls/status"))["state"] == "ok"
    await minimal.end()


async def test_nothing_is_counted_before_a_file_is_open(minimal: Client, shop: Path) -> None:
    await minimal.start(shop)
    assert await minimal.coverage(uri_of(shop / "shop.py"))
    status = await minimal.receive("covls/status")
    assert (status["state"], status["percent"]) == ("ok", None)
    await minimal.end()


async def test_figures_that_were_asked_for_are_told_of_every_root(
    minimal: Client, shop: Path, tmp_path: Path
) -> None:
    expected = figures(shop)["totals"]
    other = copy(shop, tmp_path / "other shop")
    minimal.ignore(*QUIET, "$/progress")
    await minimal.start(shop, other)
    await minimal.request("covls/projectCoverage", {})
    counted: dict[str, Any] = {}
    while len(counted) < 2:
        status = await minimal.receive("covls/status")
        if status["percent"] is not None:
            counted[status["folder"]] = status
    assert set(counted) == {uri_of(shop), uri_of(other)}
    for status in counted.values():
        assert (status["percent"], status["stale"]) == (expected["percent_covered"], False)
    await minimal.end()


def put(path: Path, data: bytes) -> None:
    """Write a file whole, for the server may read it at any moment."""
    new = path.with_name("next")
    new.write_bytes(data)
    new.replace(path)


async def test_data_that_cannot_be_read_keeps_the_last_good_view(
    client: Client, shop: Path
) -> None:
    client.ignore("covls/didChangeCoverage", "$/progress")
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    assert shape(await client.diagnostics(uri)) == SHAPE
    data = (shop / ".coverage").read_bytes()
    put(shop / ".coverage", data[: len(data) // 2])
    status = await until(client, state="error")
    assert str(shop / ".coverage") in status["message"]
    message = await client.receive("window/showMessage")
    assert str(shop / ".coverage") in message["message"]
    # What is on screen stays there.
    assert (await client.coverage(uri))["summary"]["statements"] == 16
    assert client.count("textDocument/publishDiagnostics") == 0
    put(shop / ".coverage", data)
    await until(client, state="ok")
    client.ignore("covls/status")
    await client.end()


async def test_a_test_run_under_way_repaints_nothing(client: Client, shop: Path) -> None:
    client.ignore("covls/didChangeCoverage", "$/progress")
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    assert shape(await client.diagnostics(uri)) == SHAPE
    refreshes = client.refreshes
    flag = shop / "go on"
    (shop / "test_slow.py").write_text(
        "import pathlib, time\n\n\ndef test_slow():\n"
        "    while not pathlib.Path('go on').exists():\n        time.sleep(0.05)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=."]
    command += ["-c", "/dev/null", "--cov=.", "--cov-context=test", "--cov-report="]
    run = subprocess.Popen(
        [*command, "test_slow.py", "test_shop.py"], cwd=shop, stdout=subprocess.DEVNULL
    )
    try:
        await until(client, state="running")
        assert client.count("textDocument/publishDiagnostics") == 0
        assert client.refreshes == refreshes
    finally:
        flag.touch()
        await asyncio.to_thread(run.wait)
    await until(client, state="ok")
    assert client.count("textDocument/publishDiagnostics") == 0
    assert client.refreshes == refreshes
    client.ignore("covls/status")
    await client.end()


async def test_no_permission(minimal: Client, shop: Path, unreadable: Any) -> None:
    if _is_root():
        # Root reads everything; a folder in its place cannot be read by anybody.
        (shop / ".coverage").unlink()
        (shop / ".coverage").mkdir()
    else:
        unreadable(shop / ".coverage")
    minimal.ignore(*QUIET)
    await minimal.start(shop)
    uri = minimal.open(shop / "shop.py")
    assert await minimal.coverage(uri) is None
    status = await minimal.receive("covls/status")
    assert status["state"] in ("error", "noData")
    minimal.ignore("window/showMessage", "covls/status")
    await minimal.end()


def _is_root() -> bool:
    import os

    return hasattr(os, "geteuid") and os.geteuid() == 0


async def test_long_counting_shows_progress_and_can_be_cancelled(
    launch_vscode: Client, tmp_path: Path
) -> None:
    client = launch_vscode
    project = large(tmp_path / "large")
    client.ignore(*QUIET)
    await client.start(project)
    uri = client.open(project / "m0.py")
    begin = await client.receive("$/progress", lambda each: each["value"]["kind"] == "begin")
    assert begin["value"]["title"] == "Counting coverage of large"
    assert begin["value"]["cancellable"] is True
    client.notify("window/workDoneProgress/cancel", {"token": begin["token"]})
    await client.receive("$/progress", lambda each: each["value"]["kind"] == "end")
    client.ignore("$/progress")
    # The server serves on, and the work is not begun again by itself.
    assert await client.coverage(uri)
    assert all(message["params"]["percent"] is None for message in client.unclaimed)
    client.ignore("covls/status")
    await client.end()


async def test_two_roots_have_a_status_each(minimal: Client, shop: Path, tmp_path: Path) -> None:
    other = copy(shop, tmp_path / "other")
    (other / ".coverage").unlink()
    minimal.ignore(*QUIET)
    await minimal.start(shop, other)
    minimal.open(shop / "shop.py")
    minimal.open(other / "shop.py")
    await minimal.receive(
        "covls/status", lambda s: (s["folder"], s["state"]) == (uri_of(shop), "ok")
    )
    await minimal.receive(
        "covls/status", lambda s: (s["folder"], s["state"]) == (uri_of(other), "noData")
    )
    deadline = time.monotonic() + DEADLINE
    while not any(m["params"]["percent"] for m in minimal.unclaimed):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    minimal.ignore("covls/status")
    await minimal.end()


async def test_counting_waits_until_nobody_is_at_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(Server())
    document = Document(uri_of(tmp_path / "a.py"), tmp_path / "a.py", 1, "")
    session.documents[document.uri] = document
    loop = asyncio.get_running_loop()

    async def waited() -> float:
        started = loop.time()
        await status._quiet(session)
        return loop.time() - started

    document.updated = loop.time()
    assert await waited() > status.QUIET / 2
    assert await waited() < status.QUIET / 2, "nobody was, for a moment"
    # Who types all day gets the figures, too.
    monkeypatch.setattr(status, "LONGEST_WAIT", 0.05)
    document.updated = loop.time() + 3600
    assert await waited() < 3600
