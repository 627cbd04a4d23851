"""The HTML report, opened from the editor."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.server.client import Client, ResponseError, uri_of
from tests.server.conftest import copy
from tests.server.features.test_exclusion import QUIET
from tests.server.features.test_go_to_tests import shows

KIND = "covls.openReport"
WRITING = "covls: coverage.py is writing the HTML report."
"""What a client is told that shows no progress."""


async def test_at_this_line_from_the_menu(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    shown = shows(client)
    uri = client.open(shop / "shop.py")
    (action,) = await client.actions(uri, 17, only=[KIND])
    assert action["title"] == "Open the HTML report at this line"
    command = action if client.kind == "minimal" else action["command"]
    assert command["arguments"] == [uri, 16]
    assert await client.command(command["command"], *command["arguments"]) is None
    if client.kind == "minimal":
        await client.receive("window/showMessage", lambda said: said["message"] == WRITING)
        said = await client.receive("window/showMessage")
        url = said["message"].removeprefix("covls: The HTML report is ")
    else:
        await client.until(lambda: shown)
        (asked,) = shown
        assert asked["external"] is True
        url = asked["uri"]
    page, _, anchor = url.removeprefix("file://").partition("#")
    assert anchor == "t17"
    assert 'id="t17"' in Path(page).read_text()
    assert Path(page).name == "shop_py.html"
    await client.end()


async def test_whole(launch: Callable[..., Client], shop: Path) -> None:
    client = launch("neovim")
    client.ignore(*QUIET)
    await client.start(shop)
    shown = shows(client)
    await client.command("covls.openReport")
    await client.until(lambda: shown)
    await client.command("covls.openReport", uri_of(shop))
    await client.until(lambda: len(shown) == 2)
    assert shown[0] == shown[1]
    assert shown[0]["uri"].endswith("/index.html")
    await client.end()


async def test_which_of_several_roots(minimal: Client, shop: Path, tmp_path: Path) -> None:
    other = copy(shop, tmp_path / "other")
    minimal.ignore(*QUIET)
    await minimal.start(shop, other)
    refused: list[tuple[list[Any], str]] = [
        ([], "there are 2 folders of coverage; name one by its URI"),
        (["untitled:a"], "'untitled:a' is not the URI of a file or folder"),
        ([7], "uri must be a string, not 7"),
        ([uri_of(shop), "1"], "line must be a whole number from 0, not '1'"),
    ]
    for arguments, words in refused:
        with pytest.raises(ResponseError, match=words):
            await minimal.command("covls.openReport", *arguments)
    await minimal.command("covls.openReport", uri_of(other))
    said = await minimal.receive("window/showMessage", lambda said: said["message"] != WRITING)
    await minimal.receive("window/showMessage")
    index = Path(said["message"].partition("file://")[2])
    assert "shop.py" in index.read_text()
    await minimal.end()


async def test_why_there_is_none(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    await minimal.start(shop, options={"watch": {"mode": "off"}})
    (shop / ".coverage").unlink()
    await minimal.command("covls.openReport", uri_of(shop))
    said = await minimal.receive("window/showMessage", lambda said: said["message"] != WRITING)
    await minimal.receive("window/showMessage")
    assert "does not exist" in said["message"]
    await minimal.end()
