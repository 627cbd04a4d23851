"""Which actions a client gets, of those there are."""

from pathlib import Path

from covls.server.features.code_actions import ACTIONS
from tests.server.client import Client
from tests.server.features.test_exclusion import QUIET


async def test_the_kinds_are_announced(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    provider = client.server["capabilities"]["codeActionProvider"]
    assert provider["codeActionKinds"] == list(ACTIONS)
    await client.end()


async def test_kinds_are_asked_for_by_their_beginning(launch_vscode: Client, shop: Path) -> None:
    client = launch_vscode
    client.ignore(*QUIET)
    await client.start(shop)
    uri = client.open(shop / "shop.py")

    async def kinds(first: int, only: list[str] | None) -> set[str]:
        found = await client.actions(uri, first, 17, only=only)
        return {each["kind"] for each in found}

    assert await kinds(5, None) >= {"quickfix.covls.exclude", "covls.goToTests"}
    assert await kinds(5, [""]) == await kinds(5, None)
    assert await kinds(5, ["covls.goToTests"]) == {"covls.goToTests"}
    assert await kinds(5, ["source.organizeImports"]) == set()
    assert all(kind.startswith("quickfix.") for kind in await kinds(17, ["quickfix"]))
    await client.end()


async def test_none_where_nothing_is_known(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    notes = client.open(shop / "notes.txt", "a = 1\n")
    assert await client.actions(notes, 1) is None
    assert await client.actions("untitled:a", 1) is None
    # Behind the end of the text, as when it was just cut.
    assert await client.actions(client.open(shop / "shop.py"), 4000) is not None
    await client.end()
