"""The words for a line, from the editor."""

from pathlib import Path
from typing import Any

import pytest

from tests.server.client import Client, ResponseError, uri_of
from tests.server.features.test_exclusion import QUIET


async def test_from_the_menu(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    # In the text on screen, two lines further down.
    client.change(uri, "\n\n" + (shop / "shop.py").read_text())
    (action,) = await client.actions(uri, 8, only=["covls.explain"])
    assert action["title"] == "Explain the coverage of this line"
    command = action if client.kind == "minimal" else action["command"]
    found = await client.command(command["command"], *command["arguments"])
    assert found["state"] == "covered"
    assert found["tests"] == ["test_shop.py::test_discount"]
    assert found["line"] == 8
    assert found["markdown"].startswith("**shop.py:8**: covered")
    said = await client.receive("window/showMessage")
    assert said == {"type": 3, "message": f"covls: {found['text']}"}
    await client.end()


async def test_what_cannot_be_explained(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    await minimal.start(shop)
    uri = uri_of(shop / "shop.py")
    refused: list[tuple[list[Any], str]] = [
        ([uri], "needs uri, line, and got 1"),
        ([uri, None], "line must be a whole number from 0, not None"),
        ([uri_of(shop / "none.py"), 1], "there is no coverage of"),
        (["untitled:a", 1], "there is no coverage of untitled:a"),
    ]
    for arguments, words in refused:
        with pytest.raises(ResponseError, match=words):
            await minimal.command("covls.explain", *arguments)
    assert (await minimal.command("covls.explain", uri, 16))["state"] == "missing"
    await minimal.receive("window/showMessage")
    await minimal.end()
