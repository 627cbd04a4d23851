"""Commands, and what they are given."""

from pathlib import Path
from typing import Any

import pytest

from tests.server.client import Client, ResponseError, shape, uri_of
from tests.server.conftest import SHAPE

QUIET = ("covls/status", "covls/didChangeCoverage", "$/progress")


async def test_toggle_takes_everything_off_and_puts_it_back(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    assert shape(await client.diagnostics(uri)) == SHAPE
    assert await client.command("covls.toggle") == {"enabled": False}
    assert await client.diagnostics(uri, lambda items: not items) == []
    assert await client.hover(uri, 5) is None
    assert await client.coverage(uri) is None
    assert await client.coverage(uri_of(shop / "test_shop.py")) is None
    assert await client.command("covls.toggle") == {"enabled": True}
    assert shape(await client.diagnostics(uri, bool)) == SHAPE
    await client.end()


async def test_refresh_finds_what_nobody_told_of(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    data = (shop / ".coverage").read_bytes()
    (shop / ".coverage").unlink()
    await minimal.start(shop, options={"watch": {"mode": "off"}})
    uri = minimal.open(shop / "shop.py")
    assert await minimal.coverage(uri) is None
    (shop / ".coverage").write_bytes(data)
    assert await minimal.command("covls.refresh", uri_of(shop)) is None
    assert shape(await minimal.diagnostics(uri)) == SHAPE
    await minimal.end()


@pytest.mark.parametrize(
    ("command", "arguments", "words"),
    [
        ("covls.nonsense", [], "covls has no command 'covls.nonsense'; it has covls."),
        ("", [], "covls has no command ''"),
        ("covls.toggle", [True], "covls.toggle takes no arguments, and got 1"),
        ("covls.refresh", ["a", "b"], "covls.refresh takes at most folder, and got 2"),
        ("covls.refresh", [7], "covls.refresh: folder must be a string, not 7"),
        ("covls.refresh", ["untitled:a"], "'untitled:a' is not the URI of a folder"),
    ],
)
async def test_what_does_not_fit_is_refused_in_words(
    minimal: Client, tmp_path: Path, command: str, arguments: list[Any], words: str
) -> None:
    await minimal.start(tmp_path)
    with pytest.raises(ResponseError) as refused:
        await minimal.command(command, *arguments)
    assert refused.value.code == -32602
    assert words in refused.value.message
    await minimal.end()
