"""Inlay hints as clients get them: off by default, only where asked for, and asked for again."""

from pathlib import Path
from typing import Any

from tests.server.client import Client
from tests.server.conftest import SHOP, run_tests

QUIET = (
    "covls/status",
    "covls/didChangeCoverage",
    "$/progress",
    "textDocument/publishDiagnostics",
)

ON = {"hints": {"enable": True}}

EXPECTED = {
    5: "1 test · condition never false",
    6: "1 test",
    7: "1 test",
    11: "2 tests · condition never true",
    12: "never run",
    13: "2 tests",
    17: "never run",
    20: "never run",
    25: "never run",
    28: "never run",
}


def shown(hints: Any) -> dict[int, str]:
    """What is said at the end of each line, 1-based."""
    return {hint["position"]["line"] + 1: hint["label"] for hint in hints}


async def test_off_until_asked_for(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    assert await client.hints(client.open(shop / "shop.py")) is None
    await client.end()


async def test_at_the_ends_of_first_lines(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop, options=ON)
    uri = client.open(shop / "shop.py", SHOP.replace("int(text)", "int(text)  # 😀"))
    found = await client.hints(uri)
    assert shown(found) == EXPECTED
    emoji = next(hint for hint in found if hint["position"]["line"] == 12)
    encoding = client.server["capabilities"]["positionEncoding"]
    length = {"utf-8": 28, "utf-16": 26, "utf-32": 25}[encoding]
    assert emoji["position"]["character"] == length
    assert shown(await client.hints(uri, 10, 12)) == {line: EXPECTED[line] for line in (11, 12, 13)}
    assert await client.hints(uri, 1, 2) == []
    await client.end()


async def test_edits_say_so(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    await minimal.start(shop, options=ON)
    uri = minimal.open(shop / "shop.py")
    text = SHOP.replace("amount * 9\n", "amount * 8\n        print()\n")
    minimal.change(uri, text)
    found = shown(await minimal.hints(uri))
    assert (found[6], found[7]) == ("edited", "not measured yet")
    assert found[18] == "never run"
    await minimal.end()


async def test_new_data_and_settings_make_the_client_ask_again(
    launch_vscode: Client, shop: Path
) -> None:
    client = launch_vscode
    client.ignore(*QUIET)
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    assert await client.hints(uri) is None
    client.settings["covls"] = ON
    client.notify("workspace/didChangeConfiguration", {"settings": None})
    await client.asked("inlayHint", 1)
    assert shown(await client.hints(uri)) == EXPECTED
    client.change(uri, SHOP + "\n")
    assert shown(await client.hints(uri)) == EXPECTED
    run_tests(shop, "-k", "discount")
    await client.asked("inlayHint", 2)
    assert shown(await client.hints(uri))[13] == "never run"
    await client.command("covls.toggle")
    await client.asked("inlayHint", 3)
    assert await client.hints(uri) is None
    await client.end()
