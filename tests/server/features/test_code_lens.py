"""Code lenses as clients get them: where, what, and when they are to be asked for again."""

import asyncio
from pathlib import Path
from typing import Any

from tests.server.client import DEADLINE, Client, uri_of
from tests.server.conftest import CONFIGURATION, SHOP, measure, run_tests, write

QUIET = (
    "covls/status",
    "covls/didChangeCoverage",
    "$/progress",
    "textDocument/publishDiagnostics",
)

EXPECTED = {
    4: "80 % · 1 test · 1 branch missed",
    10: "60 % · 2 tests · 1 branch missed",
    16: "0 % · no test",
    23: "0 % · no test",
    24: "0 % · no test",
    27: "0 % · no test",
}


def shown(lenses: Any) -> dict[int, str]:
    """What is said over each line, 1-based."""
    return {lens["range"]["start"]["line"] + 1: lens["command"]["title"] for lens in lenses}


async def test_over_each_function_and_class(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    found = await client.lenses(uri)
    assert shown(found) == EXPECTED
    method = next(lens for lens in found if lens["range"]["start"]["line"] == 23)
    assert method["range"] == {
        "start": {"line": 23, "character": 4},
        "end": {"line": 23, "character": 23},
    }
    assert (
        method["command"]["command"]
        in (client.server["capabilities"]["executeCommandProvider"]["commands"])
    )
    assert method["command"]["arguments"] == [uri, 23]
    await client.end()


async def test_they_move_with_an_edit_and_say_what_was_edited(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    assert shown(await client.lenses(uri)) == EXPECTED
    client.change(uri, "\n\n" + SHOP.replace("amount * 9", "amount * 8"))
    moved = {line + 2: words for line, words in EXPECTED.items()}
    assert shown(await client.lenses(uri)) == moved | {6: "edited since it was measured"}
    client.change(uri, SHOP)
    assert shown(await client.lenses(uri)) == EXPECTED
    # After an edit a client asks by itself.
    assert client.asked_again["codeLens"] == 0
    await client.end()


async def test_new_data_and_settings_make_the_client_ask_again(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    assert shown(await client.lenses(uri)) == EXPECTED
    refreshes = client.kind == "vscode"
    run_tests(shop, "-k", "discount")
    expected = "0 % · no test · 2 branches missed"
    if refreshes:
        await client.asked("codeLens", 1)
        assert shown(await client.lenses(uri))[10] == expected
    async with asyncio.timeout(DEADLINE):
        while (found := shown(await client.lenses(uri))[10]) != expected:
            # Until then, nothing that is true of neither.
            assert found in (EXPECTED[10], "60 % · 1 branch missed")
    await client.command("covls.toggle")
    if refreshes:
        await client.asked("codeLens", 2)
    assert await client.lenses(uri) is None
    await client.end()


async def test_none_where_there_is_no_coverage(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    await minimal.start(shop)
    (shop / "other.py").write_text("def f():\n    pass\n")
    assert await minimal.lenses(minimal.open(shop / "other.py")) is None
    assert await minimal.lenses(uri_of(shop / "shop.py")) is None  # not open
    assert await minimal.lenses("untitled:a") is None
    await minimal.end()


async def test_they_can_be_turned_off_and_on(launch_vscode: Client, shop: Path) -> None:
    client = launch_vscode
    client.ignore(*QUIET)
    await client.start(shop, settings={"covls": {"lens": {"enable": False}}})
    uri = client.open(shop / "shop.py")
    assert await client.lenses(uri) is None
    client.settings["covls"] = {"lens": {"enable": True}}
    client.notify("workspace/didChangeConfiguration", {"settings": None})
    await client.asked("codeLens", 1)
    assert shown(await client.lenses(uri)) == EXPECTED
    await client.end()


async def test_without_contexts_nothing_is_said_of_tests(minimal: Client, tmp_path: Path) -> None:
    project = write(tmp_path / "p", a__py="def f():\n    return 1\n\n\nf()\n")
    (project / ".coveragerc").write_text(CONFIGURATION)
    measure(project, "coverage", "run", "a.py")
    minimal.ignore(*QUIET)
    await minimal.start(project)
    assert shown(await minimal.lenses(minimal.open(project / "a.py"))) == {1: "100 %"}
    await minimal.end()


async def test_as_many_tests_as_tests_at_finds(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    await minimal.start(shop)
    uri = minimal.open(shop / "shop.py")
    for function in (await minimal.coverage(uri))["functions"]:
        first, last = function["startLine"] + 1, function["endLine"]
        place = {
            "start": {"line": first, "character": 0},
            "end": {"line": last, "character": 1},
        }
        params = {"textDocument": {"uri": uri}, "range": place}
        tests = await minimal.request("covls/testsAt", params)
        number = {0: "no test", 1: "1 test"}.get(len(tests), f"{len(tests)} tests")
        if function["kind"] == "function":
            assert f"· {number}" in EXPECTED[function["startLine"] + 1]
    await minimal.end()
