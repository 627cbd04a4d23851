"""The server seen by pygls's own client, with the capabilities recorded from real editors."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types
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
    yield Editor(client, uri(shop), pulls=answer.capabilities.diagnostic_provider is not None)
    await client.shutdown_session()
    await client.stop()  # type: ignore[no-untyped-call]


def uri(shop: Path) -> str:
    return (shop / "shop.py").as_uri()


async def test_diagnostics(editor: Editor) -> None:
    found = await editor.diagnostics()
    assert sorted((d.range.start.line + 1, d.range.end.line + 1, d.code) for d in found) == SHAPE
    assert {d.source for d in found} == {"covls"}
    assert {d.severity for d in found} == {types.DiagnosticSeverity.Hint}


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


async def test_covls_own_requests(editor: Editor) -> None:
    await editor.diagnostics()
    file = await editor.ask("covls/fileCoverage", {"textDocument": {"uri": editor.uri}})
    assert [4, 4, "partial", "fresh"] in file.marks
    unknown = {"textDocument": {"uri": "file:///no.py"}}
    assert await editor.ask("covls/fileCoverage", unknown) is None
    project = await editor.ask("covls/projectCoverage", {})
    assert editor.uri in {row.uri for row in project.files}


async def test_an_edit_moves_what_is_shown(editor: Editor, shop: Path) -> None:
    await editor.diagnostics()
    editor.change("\n\n" + (shop / "shop.py").read_text())
    moved = [(first + 2, last + 2, code) for first, last, code in SHAPE]
    found = await editor.diagnostics(moved[0][0])
    assert sorted((d.range.start.line + 1, d.range.end.line + 1, d.code) for d in found) == moved
