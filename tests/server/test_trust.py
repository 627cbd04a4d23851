"""Nothing of the workspace runs unless the client says that it is trusted."""

import asyncio
import contextlib
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from covls.server.features.commands import COMMANDS
from tests.adapters.repositories import needs_git
from tests.hostile import make_hostile, ran
from tests.server.client import Client, ResponseError, shape, uri_of
from tests.server.conftest import CONFIGURATION, SHAPE

QUIET = ("covls/status", "covls/didChangeCoverage", "$/progress", "window/showMessage")

PLUGIN = """\
import pathlib

pathlib.Path(__file__).with_name("it ran").touch()


def coverage_init(registry, options):
    pass
"""


def with_plugin(shop: Path) -> Path:
    """Have the project name a plugin that leaves a mark when it is imported. Returns the mark."""
    (shop / "plugin.py").write_text(PLUGIN)
    (shop / ".coveragerc").write_text(CONFIGURATION + "plugins = plugin\n")
    return shop / "it ran"


@pytest.mark.parametrize("options", [None, {"trusted": False}, {"trusted": None}])
async def test_no_plugin_is_imported(minimal: Client, shop: Path, options: Any) -> None:
    ran = with_plugin(shop)
    # What a workspace says of itself does not count.
    (shop / "covls.toml").write_text(f"trusted = true\npython = '{sys.executable}'\n")
    minimal.ignore(*QUIET)
    await minimal.start(shop, options=options)
    uri = minimal.open(shop / "shop.py")
    assert shape(await minimal.diagnostics(uri)) == SHAPE
    await minimal.command("covls.refresh")
    assert await minimal.request("covls/projectCoverage", {"folder": uri_of(shop)})
    await minimal.end()
    assert not ran.exists()


async def test_no_interpreter_of_the_workspace_is_started(
    minimal: Client, shop: Path, tmp_path: Path
) -> None:
    ran = tmp_path / "it ran"
    python = shop / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\ntouch '{ran}'\nexec {sys.executable} \"$@\"\n")
    python.chmod(0o755)
    shutil.copy(python, python.with_name("python3"))
    (shop / "covls.toml").write_text("python = '.venv/bin/python'\n")
    minimal.ignore(*QUIET)
    await minimal.start(shop)
    assert shape(await minimal.diagnostics(minimal.open(shop / "shop.py"))) == SHAPE
    await minimal.end()
    assert not ran.exists()


async def test_trust_that_comes_later_holds_at_once(minimal: Client, shop: Path) -> None:
    ran = with_plugin(shop)
    minimal.ignore(*QUIET, "textDocument/publishDiagnostics")
    await minimal.start(shop, options={"python": sys.executable})
    uri = minimal.open(shop / "shop.py")
    assert await minimal.coverage(uri)
    assert not ran.exists()
    settings = {"covls": {"trusted": True, "python": sys.executable}}
    minimal.notify("workspace/didChangeConfiguration", {"settings": settings})
    deadline = time.monotonic() + 60
    while not ran.exists():
        assert time.monotonic() < deadline, minimal.log()
        minimal.change(uri, (shop / "shop.py").read_text() + "\n")
        await asyncio.sleep(0.1)
    assert await minimal.coverage(uri)
    await minimal.end()


ARGUMENTS: dict[str, Any] = {"line": 5, "startLine": 5, "endLine": 7, "limit": 3}


@needs_git
@pytest.mark.parametrize("trusted", [False, None, True])
async def test_whatever_is_asked_nothing_of_a_hostile_workspace_runs(
    launch: Callable[..., Client], shop: Path, tmp_path: Path, trusted: bool | None
) -> None:
    marks = tmp_path / "marks"
    make_hostile(shop, marks)
    client = launch("vscode")
    client.ignore(*QUIET, "window/logMessage", "window/showMessageRequest", "covls/testRun")
    client.answers["window/showDocument"] = lambda _: {"success": True}
    client.answers["workspace/applyEdit"] = lambda _: {"applied": False}
    await client.start(shop, options={"trusted": trusted, "run": {"onSave": "affected"}})
    if trusted:
        # With trust the same project does as it likes: the traps are no dummies.
        await client.command("covls.runAll", uri_of(shop))
        async with asyncio.timeout(60):
            while not ran(marks):
                await asyncio.sleep(0.01)
        return
    test = client.open(shop / "test_shop.py")
    uri = client.open(shop / "shop.py")
    await client.diagnostics(uri, bool)
    for line in (3, 4, 10, 40):
        await client.hover(uri, line)
        await client.actions(uri, line + 1)
        start = {"line": line, "character": 0}
        place = {"start": start, "end": start}
        await client.request("covls/testsAt", {"textDocument": {"uri": uri}, "range": place})
    await client.lenses(uri)
    await client.hints(uri)
    assert await client.coverage(uri)
    assert await client.request("covls/projectCoverage", {"folder": uri_of(shop)})
    assert await client.request("covls/priorities", {"folder": uri_of(shop)})
    given = {**ARGUMENTS, "uri": uri, "folder": uri_of(shop), "tests": ["test_shop.py"]}
    for name, command in COMMANDS.items():
        # To ask for a run is to trust, where nobody says otherwise.
        if trusted is None and name.startswith("covls.run"):
            continue
        with contextlib.suppress(ResponseError):
            await client.command(name, *(given[each] for each in command.arguments))
    for each in (uri, test):
        client.save(each)
    await client.command("covls.refresh")
    assert await client.command("covls.cancelRun") is False
    client.unclaimed.clear()
    await client.end()
    assert ran(marks) == set()
