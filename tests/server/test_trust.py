"""Nothing of the workspace runs unless the client says that it is trusted."""

import asyncio
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.server.client import Client, shape, uri_of
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
    deadline = time.monotonic() + 30
    while not ran.exists():
        assert time.monotonic() < deadline, minimal.log()
        minimal.change(uri, (shop / "shop.py").read_text() + "\n")
        await asyncio.sleep(0.1)
    assert await minimal.coverage(uri)
    await minimal.end()
