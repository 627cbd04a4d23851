"""Creating a test from the editor."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.server.client import Client, ResponseError, uri_of
from tests.server.conftest import TESTS
from tests.server.editing import apply
from tests.server.features.test_exclusion import QUIET
from tests.server.features.test_go_to_tests import shows

KIND = "quickfix.covls.createTest"


def takes_edits(client: Client) -> list[Any]:
    """What the client is asked to change, which it does on disk."""
    edits: list[Any] = []

    def take(params: Any) -> dict[str, bool]:
        edits.append(params["edit"])
        apply(params["edit"], client.server["capabilities"]["positionEncoding"])
        return {"applied": True}

    client.answers["workspace/applyEdit"] = take
    return edits


async def test_a_test_is_put_in_and_shown(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    takes_edits(client)
    shown = shows(client)
    uri = client.open(shop / "shop.py")
    found = await client.actions(uri, 30, only=[KIND])
    if client.kind == "minimal":
        # It cannot be asked to edit.
        assert found == []
        with pytest.raises(ResponseError, match="cannot be asked to edit files"):
            await client.command("covls.createTest", uri, 29)
        await client.end()
        return
    (action,) = found
    assert action["title"] == "Create a test for `Basket.total`"
    assert action["kind"] == KIND
    command = action["command"]
    made = await client.command(command["command"], *command["arguments"])
    text = (shop / "test_shop.py").read_text()
    assert text.split("\n")[made["line"]] == f"def {made['name']}():"
    assert made["name"] == "test_basket_total"
    assert "from shop import Basket, discount, parse\n" in text
    assert text.split("\n")[-4:] == [
        '    pytest.fail("To be written: a test of shop.Basket.total.")',
        "    basket = Basket()",
        "    assert basket.total() == ...",
        "",
    ]
    for line in TESTS.split("\n"):
        assert line in text.split("\n") or line == "from shop import discount, parse"
    assert shown[0]["uri"] == uri_of(shop / "test_shop.py")
    assert shown[0]["selection"]["start"] == {"line": made["line"], "character": 0}
    await client.end()


@pytest.mark.parametrize("kind", ["neovim", "vscode", "plain"])
async def test_a_new_file_in_the_words_of_the_client(
    launch: Callable[..., Client], shop: Path, kind: str
) -> None:
    os.rename(shop / "test_shop.py", shop / "test_all.py")  # noqa: PTH104
    client = launch("vscode" if kind == "plain" else kind)
    if kind == "plain":
        client.capabilities["workspace"].pop("workspaceEdit")
    client.ignore(*QUIET)
    await client.start(shop)
    edits = takes_edits(client)
    shows(client)
    uri = client.open(shop / "shop.py")
    made = await client.command("covls.createTest", uri, 16)
    assert made["uri"] == uri_of(shop / "test_shop.py")
    assert (
        (shop / "test_shop.py").read_text().startswith("import pytest\n\nfrom shop import never\n")
    )
    (edit,) = edits
    if kind == "plain":
        assert list(edit) == ["changes"]
    else:
        create, change = edit["documentChanges"]
        assert create["kind"] == "create"
        assert create["options"] == {"overwrite": False, "ignoreIfExists": False}
        assert change["textDocument"] == {"uri": made["uri"], "version": None}
    await client.end()


async def test_the_text_in_the_editor_is_what_counts(
    launch: Callable[..., Client], shop: Path
) -> None:
    client = launch("vscode")
    client.ignore(*QUIET)
    await client.start(shop)
    shows(client)
    edits: list[Any] = []

    def refuse(params: Any) -> dict[str, bool]:
        edits.append(params["edit"])
        return {"applied": False}

    client.answers["workspace/applyEdit"] = refuse
    uri = client.open(shop / "shop.py")
    tests = client.open(shop / "test_shop.py", "import shop\r\n\r\n\r\ndef test_never(): ...")
    assert await client.command("covls.createTest", uri, 16) is None
    (change,) = edits[0]["documentChanges"]
    assert change["textDocument"] == {"uri": tests, "version": 1}
    text = "".join(edit["newText"] for edit in change["edits"])
    assert "def test_never_2():\r\n" in text
    assert "assert shop.never(a=..., b=...) == ...\r\n" in text
    assert text.count("\n") == text.count("\r\n")
    last = change["edits"][-1]
    assert last["range"]["start"] == {"line": 3, "character": 21}
    await client.end()


async def test_where_none_can_be(launch: Callable[..., Client], shop: Path) -> None:
    client = launch("neovim")
    client.ignore(*QUIET)
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    # Covered, no function, a test itself.
    assert await client.actions(uri, 6, only=[KIND]) == []
    assert await client.actions(uri, 1, only=[KIND]) == []
    tests = client.open(shop / "test_shop.py")
    assert await client.actions(tests, 6, only=[KIND]) == []
    with pytest.raises(ResponseError, match="no uncovered function is known there"):
        await client.command("covls.createTest", uri, 5)
    client.change(tests, "def broken(:\n")
    with pytest.raises(ResponseError, match="does not parse as it is"):
        await client.command("covls.createTest", uri, 16)
    await client.end()
