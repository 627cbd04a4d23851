"""The server seen by pygls's own client, with the capabilities recorded from real editors."""

import asyncio
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pytest_lsp import ClientServerConfig, LanguageClient
from pytest_lsp.client import client_capabilities

from tests.server.conftest import SHAPE

EDITORS = ("neovim@v0.11.0", "visual_studio_code", "emacs", "")
"""As pytest-lsp has them; nothing at all stands for a client that can do nothing."""


class Editor:
    """A client with one file open, and what it shows of it."""

    def __init__(self, client: LanguageClient, uri: str, *, pulls: bool) -> None:
        self.client = client
        self.uri = uri
        self._pulls = pulls
        self._statuses: list[Any] = []
        self._told = asyncio.Event()
        # What is registered has attributes put on it, and a method takes none.
        client.feature("covls/status")(partial(self._take_status))

    async def diagnostics(self, first: int = SHAPE[0][0]) -> list[types.Diagnostic]:
        """Those of the file, once the first one is on that line; pulled if the server has that."""
        while True:
            found = await self._shown()
            if found and min(d.range.start.line for d in found) == first - 1:
                return found
            if not self._pulls:
                await self.client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)

    async def _shown(self) -> list[types.Diagnostic]:
        if not self._pulls:
            return list(self.client.diagnostics.get(self.uri, ()))
        report = await self.client.text_document_diagnostic_async(
            types.DocumentDiagnosticParams(types.TextDocumentIdentifier(self.uri))
        )
        assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
        return list(report.items)

    def _take_status(self, status: Any) -> None:
        self._statuses.append(status)
        self._told.set()

    async def status(self, **values: Any) -> Any:
        """The first status that has these values."""
        async with asyncio.timeout(60):
            while True:
                self._told.clear()
                for status in self._statuses:
                    if all(getattr(status, name) == value for name, value in values.items()):
                        return status
                await self._told.wait()

    async def command(self, name: str, *arguments: Any) -> Any:
        """Run one of covls's commands."""
        return await self.client.workspace_execute_command_async(
            types.ExecuteCommandParams(command=name, arguments=list(arguments))
        )

    async def lenses(self) -> dict[int, types.Command]:
        """The code lenses by line, 1-based."""
        found = await self.client.text_document_code_lens_async(
            types.CodeLensParams(types.TextDocumentIdentifier(self.uri))
        )
        lenses: dict[int, types.Command] = {}
        for lens in found or ():
            assert lens.command is not None
            lenses[lens.range.start.line + 1] = lens.command
        return lenses

    async def hints(self, first: int, last: int) -> dict[int, Any] | None:
        """The inlay hints on some lines, 1-based, by line."""
        place = types.Range(types.Position(first - 1, 0), types.Position(last - 1, 0))
        found = await self.client.text_document_inlay_hint_async(
            types.InlayHintParams(types.TextDocumentIdentifier(self.uri), place)
        )
        return None if found is None else {hint.position.line + 1: hint.label for hint in found}

    async def ask(self, method: str, params: dict[str, Any]) -> Any:
        """Send one of covls's own requests; objects in the answer have attributes."""
        return await self.client.protocol.send_request_async(method, params)  # type: ignore[no-untyped-call]

    def change(self, text: str) -> None:
        """Put another text in the place of all."""
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(version=2, uri=self.uri),
                [types.TextDocumentContentChangeWholeDocument(text=text)],
            )
        )


@pytest_asyncio.fixture(params=EDITORS, ids=["neovim", "vscode", "emacs", "minimal"])
async def editor(request: pytest.FixtureRequest, shop: Path) -> AsyncIterator[Editor]:
    """An editor with the shop's folder and file open."""
    if request.param:
        capabilities = client_capabilities(request.param)
    else:
        capabilities = types.ClientCapabilities()
    config = ClientServerConfig([sys.executable, "-m", "covls", "serve"])
    client = await config.start()
    assert isinstance(client, LanguageClient)
    folder = types.WorkspaceFolder(uri=shop.as_uri(), name="shop")
    answer = await client.initialize_session(
        types.InitializeParams(
            capabilities=capabilities,
            process_id=None,
            root_uri=shop.as_uri(),
            workspace_folders=[folder],
        )
    )
    editor = Editor(client, uri(shop), pulls=answer.capabilities.diagnostic_provider is not None)
    client.text_document_did_open(
        types.DidOpenTextDocumentParams(
            types.TextDocumentItem(
                uri=uri(shop),
                language_id="python",
                version=1,
                text=(shop / "shop.py").read_text(),
            )
        )
    )
    yield editor
    await client.shutdown_session()
    await client.stop()  # type: ignore[no-untyped-call]


def uri(shop: Path) -> str:
    return (shop / "shop.py").as_uri()


@pytest.mark.shows("pytest-lsp", "diagnostics")
async def test_diagnostics(editor: Editor) -> None:
    found = await editor.diagnostics()
    assert sorted((d.range.start.line + 1, d.range.end.line + 1, d.code) for d in found) == SHAPE
    assert {d.source for d in found} == {"covls"}
    assert {d.severity for d in found} == {types.DiagnosticSeverity.Hint}


@pytest.mark.shows("pytest-lsp", "hover")
async def test_hover(editor: Editor) -> None:
    await editor.diagnostics()
    hover = await editor.client.text_document_hover_async(
        types.HoverParams(
            types.TextDocumentIdentifier(editor.uri), types.Position(line=4, character=6)
        )
    )
    assert hover is not None
    assert isinstance(hover.contents, types.MarkupContent)
    assert "the condition on line 5 was always true" in hover.contents.value.replace("\\", "")
    assert "test_discount" in hover.contents.value.replace("\\", "")


@pytest.mark.shows("pytest-lsp", "marks", "summary")
async def test_covls_own_requests(editor: Editor) -> None:
    await editor.diagnostics()
    file = await editor.ask("covls/fileCoverage", {"textDocument": {"uri": editor.uri}})
    assert [4, 4, "partial", "fresh"] in file.marks
    unknown = {"textDocument": {"uri": "file:///no.py"}}
    assert await editor.ask("covls/fileCoverage", unknown) is None
    project = await editor.ask("covls/projectCoverage", {})
    assert editor.uri in {row.uri for row in project.files}
    place = {"start": {"line": 5, "character": 0}, "end": {"line": 5, "character": 9}}
    params = {"textDocument": {"uri": editor.uri}, "range": place}
    (test,) = await editor.ask("covls/testsAt", params)
    assert test["id"] == "test_shop.py::test_discount"
    assert test["location"]["uri"].endswith("/test_shop.py")
    assert test["location"]["range"]["start"]["line"] == 5


@pytest.mark.shows("pytest-lsp", "status")
async def test_status(editor: Editor, shop: Path) -> None:
    status = await editor.status(state="ok", percentText="75")
    assert (status.folder, status.stale) == (shop.as_uri(), False)
    editor.change("import os\n" + (shop / "shop.py").read_text())
    assert "shop.py" in (await editor.status(state="stale")).message


@pytest.mark.shows("pytest-lsp", "lenses", "go to tests")
async def test_lenses_and_commands(editor: Editor) -> None:
    await editor.diagnostics()
    lenses = await editor.lenses()
    assert lenses[4].title == "80 % · 1 test · 1 branch missed"
    assert lenses[24].title == "0 % · no test"
    # A click runs the tests; where they are is told from the same place.
    assert lenses[4].command == "covls.runAtCursor"
    (test,) = await editor.command("covls.goToTests", *(lenses[4].arguments or ()))
    assert test["id"] == "test_shop.py::test_discount"
    assert await editor.command("covls.toggle") == {"enabled": False}
    assert await editor.lenses() == {}
    assert await editor.command("covls.toggle") == {"enabled": True}
    await editor.diagnostics()
    assert await editor.command("covls.refresh") is None
    with pytest.raises(JsonRpcInvalidParams, match="takes no arguments, and got 1"):
        await editor.command("covls.toggle", 1)
    with pytest.raises(JsonRpcInvalidParams, match="covls has no command"):
        await editor.command("covls.nonsense")


@pytest.mark.shows("pytest-lsp", "hints", "settings")
async def test_hints(editor: Editor) -> None:
    await editor.diagnostics()
    assert await editor.hints(1, 40) is None
    editor.client.workspace_did_change_configuration(
        types.DidChangeConfigurationParams({"covls": {"hints": {"enable": True}}})
    )
    async with asyncio.timeout(30):
        while (found := await editor.hints(5, 7)) is None:
            await asyncio.sleep(0.02)
    assert found == {5: "1 test · condition never false", 6: "1 test"}


@pytest.mark.shows("pytest-lsp", "moving")
async def test_an_edit_moves_what_is_shown(editor: Editor, shop: Path) -> None:
    await editor.diagnostics()
    editor.change("\n\n" + (shop / "shop.py").read_text())
    moved = [(first + 2, last + 2, code) for first, last, code in SHAPE]
    found = await editor.diagnostics(moved[0][0])
    assert sorted((d.range.start.line + 1, d.range.end.line + 1, d.code) for d in found) == moved
