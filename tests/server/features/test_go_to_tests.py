"""Going to the tests that reach a line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.server.client import Client, ResponseError, uri_of
from tests.server.conftest import measure, run_tests, write
from tests.server.features.test_exclusion import QUIET

KIND = "covls.goToTests"


def shows(client: Client) -> list[Any]:
    """What the client is asked to show, as it is."""
    shown: list[Any] = []

    def show(params: Any) -> dict[str, bool]:
        shown.append(params)
        return {"success": True}

    client.answers["window/showDocument"] = show
    return shown


async def test_the_one_test_is_shown_at_once(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    shown = shows(client)
    uri = client.open(shop / "shop.py")
    (action,) = await client.actions(uri, 6, only=[KIND])
    title = "Go to the test that reaches this line: test_shop.py::test_discount"
    assert action["title"] == title
    command = action if client.kind == "minimal" else action["command"]
    assert command == {"title": title, "command": "covls.goToTests", "arguments": [uri, 5, 5]}
    found = await client.command(command["command"], *command["arguments"])
    assert [each["id"] for each in found] == ["test_shop.py::test_discount"]
    if client.kind == "minimal":
        said = await client.receive("window/showMessage")
        path = shop / "test_shop.py"
        assert said["message"] == f"covls: test_shop.py::test_discount is in {path}, line 6"
    else:
        await client.until(lambda: shown)
        assert shown == [
            {
                "uri": uri_of(shop / "test_shop.py"),
                "external": False,
                "takeFocus": True,
                "selection": found[0]["location"]["range"],
            }
        ]
    await client.end()


async def test_of_several_the_user_chooses(launch: Callable[..., Client], shop: Path) -> None:
    client = launch("neovim")
    client.ignore(*QUIET)
    await client.start(shop)
    shown = shows(client)
    asked: list[Any] = []

    def choose(params: Any) -> Any:
        asked.append(params)
        return params["actions"][-1] if len(asked) == 1 else None

    client.answers["window/showMessageRequest"] = choose
    uri = client.open(shop / "shop.py")
    # The cases of one test are one to go to.
    (action,) = await client.actions(uri, 6, 13, only=[KIND])
    assert action["title"] == "Go to the tests that reach these lines (2)"
    assert len(await client.command("covls.goToTests", uri, 5, 12)) == 3
    await client.until(lambda: shown)
    assert asked[0]["message"] == "covls: 2 tests reach this:"
    titles = [each["title"] for each in asked[0]["actions"]]
    assert titles == ["test_shop.py::TestParse::test_number", "test_shop.py::test_discount"]
    assert shown[0]["selection"]["start"]["line"] == 5
    await client.command("covls.goToTests", uri, 5, 12)
    await client.until(lambda: len(asked) == 2)
    await client.end()
    assert len(shown) == 1


async def test_where_no_test_goes(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    await minimal.start(shop)
    uri = minimal.open(shop / "shop.py")
    assert await minimal.actions(uri, 17, only=[KIND]) == []
    assert await minimal.command("covls.goToTests", uri, 16) == []
    said = await minimal.receive("window/showMessage")
    assert said["message"] == "covls: No test reaches this."
    (shop / "test_shop.py").unlink()
    assert len(await minimal.command("covls.goToTests", uri, 5)) == 1
    said = await minimal.receive("window/showMessage")
    assert said["message"] == (
        "covls: test_shop.py::test_discount reaches this, and its file is not here."
    )
    await minimal.end()


async def test_tests_that_were_not_recorded(minimal: Client, tmp_path: Path) -> None:
    project = write(tmp_path / "p", a__py="a = 1\n")
    measure(project, "coverage", "run", "a.py")
    minimal.ignore(*QUIET)
    await minimal.start(project)
    uri = minimal.open(project / "a.py")
    assert await minimal.actions(uri, 1, only=[KIND]) == []
    with pytest.raises(ResponseError, match="which tests reach it was not recorded"):
        await minimal.command("covls.goToTests", uri, 0)
    await minimal.end()


async def test_of_a_line_that_begins_a_function_or_class(minimal: Client, tmp_path: Path) -> None:
    """As a click on its lens has it: what an inner function's tests reach is not all its own."""
    project = write(
        tmp_path / "p",
        a__py="""\
def outer(n):
    def inner():
        return 1

    return n and inner()


class A:
    def method(self):
        return 1
""",
        test_a__py="""\
import a


def test_outer():
    a.outer(0)


def test_inner():
    a.outer(1)


def test_method():
    a.A().method()
""",
    )
    run_tests(project)
    minimal.ignore(*QUIET, "window/showMessageRequest", "window/showMessage")
    await minimal.start(project)
    uri = minimal.open(project / "a.py")

    async def ids(*lines: int) -> list[str]:
        found = await minimal.command("covls.goToTests", uri, *lines)
        return [each["id"].partition("::")[2] for each in found]

    assert await ids(0) == ["test_inner", "test_outer"]
    assert await ids(1) == ["test_inner"]
    assert await ids(7) == await ids(8) == ["test_method"]
    assert await ids(2) == ["test_inner"]
    # What a range of lines begins with says nothing of the rest.
    assert await ids(7, 7) == []
    lenses = await minimal.lenses(uri)
    for lens in lenses:
        command = lens["command"]
        # A click runs these tests.
        assert command["command"] == "covls.runAtCursor"
        found = await minimal.command("covls.goToTests", *command["arguments"])
        assert f"{len(found)} test" in command["title"]
    assert len(lenses) == 4
    minimal.change(uri, "# above\n" + (project / "a.py").read_text().replace("n and", "n or"))
    assert await ids(1) == ["test_inner", "test_outer"]
    minimal.close(uri)
    assert await ids(4) == ["test_inner", "test_outer"]
    await minimal.end()
