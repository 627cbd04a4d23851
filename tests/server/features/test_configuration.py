"""Settings from files and from the client, live, and what is wrong in them."""

from pathlib import Path
from typing import Any

import pytest

from tests.server.client import Client, shape, uri_of
from tests.server.conftest import CONFIGURATION, SHAPE, copy

QUIET = ("covls/status", "covls/didChangeCoverage", "$/progress")

INFORMATION, WARNING = 3, 2


def severity(items: list[Any]) -> set[int]:
    """The severities of diagnostics."""
    return {item["severity"] for item in items}


async def changed(client: Client, settings: dict[str, Any] | None) -> None:
    """Change the editor's settings, and tell it as the editor does: whoever is asked says less."""
    client.settings = {"covls": settings}
    asked = "workspace/configuration" in client.answers
    sent = None if asked else {"covls": settings}
    client.notify("workspace/didChangeConfiguration", {"settings": sent})


async def test_an_editors_settings_hold_at_once(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop, settings={"covls": {"diagnostics": {"severity": "warning"}}})
    if "workspace/configuration" not in client.answers:
        await changed(client, {"diagnostics": {"severity": "warning"}})
    uri = client.open(shop / "shop.py")
    await client.diagnostics(uri, lambda items: severity(items) == {WARNING})
    await changed(client, {"diagnostics": {"severity": "information", "partial": False}})
    found = await client.diagnostics(uri, lambda items: severity(items) == {INFORMATION})
    assert {code for _, _, code in shape(found)} == {"uncovered"}
    await changed(client, {"enable": False})
    await client.diagnostics(uri, lambda items: not items)
    await changed(client, None)
    await client.diagnostics(uri, lambda items: shape(items) == SHAPE)
    client.ignore("textDocument/publishDiagnostics")
    await client.end()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("covls.toml", '[diagnostics]\nseverity = "warning"\n'),
        ("pyproject.toml", '[tool.covls.diagnostics]\nseverity = "warning"\n'),
    ],
)
async def test_a_workspaces_settings(minimal: Client, shop: Path, name: str, text: str) -> None:
    (shop / name).write_text(text)
    minimal.ignore(*QUIET)
    await minimal.start(shop)
    found = await minimal.diagnostics(minimal.open(shop / "shop.py"))
    assert severity(found) == {WARNING}
    await minimal.end()


async def test_a_workspaces_settings_hold_after_a_save(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    await minimal.start(shop)
    uri = minimal.open(shop / "shop.py")
    await minimal.diagnostics(uri)
    (shop / "covls.toml").write_text('diagnostics.severity = "warning"\n')
    minimal.save(uri)
    await minimal.diagnostics(uri, lambda items: severity(items) == {WARNING})
    # The editor's word goes over the file's.
    await changed(minimal, {"diagnostics": {"severity": "information"}})
    await minimal.diagnostics(uri, lambda items: severity(items) == {INFORMATION})
    await minimal.end()


async def test_coverages_own_configuration_holds_when_its_file_changes(
    launch_vscode: Client, shop: Path
) -> None:
    client = launch_vscode
    client.ignore(*QUIET)
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    assert (12, 12, "uncovered") in shape(await client.diagnostics(uri))
    (shop / ".coveragerc").write_text(CONFIGURATION + "[report]\nexclude_also = raise\n")
    changes = [{"uri": uri_of(shop / ".coveragerc"), "type": 2}]
    client.notify("workspace/didChangeWatchedFiles", {"changes": changes})
    await client.diagnostics(uri, lambda items: (12, 12, "uncovered") not in shape(items))
    await client.end()


async def test_each_problem_is_told_once_and_the_rest_holds(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    (shop / "covls.toml").write_text(
        'nonsense = 1\ntrusted = true\ndiagnostics.severity = "warning"\n'
    )
    await client.start(shop, options={"watch": {"mode": "sometimes"}})
    uri = client.open(shop / "shop.py")
    await client.diagnostics(uri, lambda items: severity(items) == {WARNING})
    said = [(await client.receive("window/showMessage")) for _ in range(3)]
    assert {message["type"] for message in said} == {2}
    texts = sorted(message["message"] for message in said)
    assert [text.split("`")[1] for text in texts] == [
        "covls.toml: nonsense",
        "covls.toml: trusted",
        "initializationOptions.watch.mode",
    ]
    # Read again, none of it is news; a new one is.
    await client.command("covls.refresh")
    # Put there whole: read between emptied and written, its problems would be gone, and news again.
    (shop / "next.toml").write_text('nonsense = 1\nmore = 2\ndiagnostics.severity = "warning"\n')
    (shop / "next.toml").replace(shop / "covls.toml")
    client.save(uri)
    message = await client.receive("window/showMessage")
    assert "`covls.toml: more`" in message["message"]
    await client.end()


async def test_files_that_do_not_parse_are_told_and_survived(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    (shop / "pyproject.toml").write_text("[tool.covls\n")
    await minimal.start(shop)
    uri = minimal.open(shop / "shop.py")
    assert shape(await minimal.diagnostics(uri)) == SHAPE
    message = await minimal.receive("window/showMessage")
    assert str(shop / "pyproject.toml") in message["message"]
    minimal.ignore("window/showMessage")
    await minimal.end()


async def test_folders_have_settings_of_their_own(
    launch_vscode: Client, shop: Path, tmp_path: Path
) -> None:
    other = copy(shop, tmp_path / "other")
    client = launch_vscode
    client.ignore(*QUIET)
    settings = {
        uri_of(shop): {"diagnostics": {"severity": "warning"}},
        uri_of(other): {"diagnostics": {"severity": "information"}},
    }
    await client.start(shop, other, settings=settings)
    assert severity(await client.diagnostics(client.open(shop / "shop.py"))) == {WARNING}
    assert severity(await client.diagnostics(client.open(other / "shop.py"))) == {INFORMATION}
    await client.end()


async def test_a_client_that_never_answers_holds_nothing_up(
    launch_vscode: Client, shop: Path
) -> None:
    client = launch_vscode
    client.ignore(*QUIET)
    client.capabilities["workspace"]["didChangeWatchedFiles"]["dynamicRegistration"] = False
    await client.launch()
    # Requests are taken, and never answered.
    params = {
        "processId": None,
        "rootUri": uri_of(shop),
        "capabilities": client.capabilities,
    }
    client.silent = True
    client.server = await client.request("initialize", params)
    client.notify("initialized", {})
    assert shape((await client.pull(client.open(shop / "shop.py")))["items"]) == SHAPE
    client.ignore("workspace/configuration", "client/registerCapability")
    client.ignore("window/workDoneProgress/create", "workspace/diagnostic/refresh")
    await client.end()
