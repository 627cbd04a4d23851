"""The words for a line, from the editor."""

from pathlib import Path
from typing import Any

import pytest

from tests.server.client import Client, ResponseError, uri_of
from tests.server.features.test_exclusion import QUIET
from tests.server.features.test_run import OPTIONS, SHOP, ended
from tests.server.features.test_run import project as project


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


async def test_no_message_for_a_client_that_shows_the_answer(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    minimal.capabilities = {
        **minimal.capabilities,
        "experimental": {"covls": {"explains": True}},
    }
    await minimal.start(shop)
    uri = minimal.open(shop / "shop.py")
    # The client fails at the end on a message that it did not wait for.
    assert (await minimal.command("covls.explain", uri, 16))["state"] == "missing"
    await minimal.end()


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


async def test_which_tests_an_edit_affects_that_is_not_saved(
    minimal: Client, project: Path
) -> None:
    minimal.ignore(*QUIET, "$/progress")
    await minimal.start(project, options=OPTIONS)
    uri = minimal.open(project / "shop.py")
    minimal.open(project / "test_shop.py")
    await minimal.command("covls.runAll")
    await ended(minimal)
    minimal.ignore("window/logMessage")
    found = await minimal.command("covls.explain", uri, 3)
    assert found["affected"]["changed"] == []
    (test,) = found["affected"]["tests"]
    assert (test["id"], test["affected"]) == ("test_shop.py::test_discount", False)

    minimal.change(uri, SHOP.replace("int(text)", "int(text) + 0"))
    found = await minimal.command("covls.explain", uri, 3)
    assert found["affected"]["changed"] == ["shop.py"]
    (test,) = found["affected"]["tests"]
    assert not test["affected"]
    assert "out: test_shop.py::test_discount: nothing that it ran, or" in found["text"]
    found = await minimal.command("covls.explain", uri, 7)
    (test,) = found["affected"]["tests"]
    assert test["affected"]
    assert test["reasons"] == ["runs shop.py:8 (parse), which was changed"]
    # Tests run on what is saved, and that this is not what is on screen is said.
    await minimal.command("covls.runAffected")
    words = (
        "No test is affected by what changed since the last run. Not saved, and so not looked at"
    )
    await minimal.receive("window/showMessage", lambda p: f"{words}: shop.py." in p["message"])
    minimal.ignore("window/showMessage")
    await minimal.end()


async def test_in_a_workspace_that_is_not_trusted_no_test_would_run(
    minimal: Client, shop: Path
) -> None:
    minimal.ignore(*QUIET, "window/showMessage")
    await minimal.start(shop, options={"trusted": False})
    uri = minimal.open(shop / "shop.py")
    found = await minimal.command("covls.explain", uri, 5)
    assert found["state"] == "covered"
    assert "This workspace is not trusted" in found["affected"]["why"]
    await minimal.end()
