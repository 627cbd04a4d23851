"""What a client can do, from what it says."""

from typing import Any

import pytest
from lsprotocol import types
from lsprotocol.converters import get_converter

from covls.server.capabilities import Capabilities, capabilities_of
from covls.server.convert import Encoding
from tests.server.client import capabilities


def of(client: dict[str, Any]) -> Capabilities:
    """What covls understands of a client's JSON."""
    return capabilities_of(get_converter().structure(client, types.ClientCapabilities))


def test_nothing_said_is_nothing_there() -> None:
    assert of({}) == Capabilities()


def test_neovim() -> None:
    assert of(capabilities("neovim")) == Capabilities(
        encoding=Encoding.UTF8,
        related_information=True,
        hover_markdown=True,
        progress=True,
        configuration=True,
        show_document=True,
        code_action_literals=True,
        apply_edit=True,
        document_changes=True,
        create_files=True,
        refreshes_hints=True,
    )


def test_vscode() -> None:
    assert of(capabilities("vscode")) == Capabilities(
        encoding=Encoding.UTF16,
        pulls_diagnostics=True,
        related_information=True,
        hover_markdown=True,
        progress=True,
        registers_watched_files=True,
        registers_configuration=True,
        configuration=True,
        show_document=True,
        code_action_literals=True,
        disabled_actions=True,
        apply_edit=True,
        document_changes=True,
        create_files=True,
        refreshes_lenses=True,
        refreshes_hints=True,
    )


@pytest.mark.parametrize(
    ("text_document", "workspace", "pulls"),
    [
        ({"diagnostic": {}}, {"diagnostics": {"refreshSupport": True}}, True),
        ({"diagnostic": {}}, {"diagnostics": {"refreshSupport": False}}, False),
        ({"diagnostic": {}}, {"diagnostics": {}}, False),
        ({"diagnostic": {}}, {}, False),
        ({}, {"diagnostics": {"refreshSupport": True}}, False),
    ],
)
def test_pulled_only_by_those_who_can_be_refreshed(
    text_document: dict[str, Any], workspace: dict[str, Any], pulls: bool
) -> None:
    found = of({"textDocument": text_document, "workspace": workspace})
    assert found.pulls_diagnostics is pulls


@pytest.mark.parametrize(
    ("encodings", "expected"),
    [
        (["utf-32", "utf-8"], Encoding.UTF32),
        (["utf-7", "utf-8"], Encoding.UTF8),
        (["utf-7"], Encoding.UTF16),
        ([], Encoding.UTF16),
        (None, Encoding.UTF16),
    ],
)
def test_encodings(encodings: list[str] | None, expected: Encoding) -> None:
    assert of({"general": {"positionEncodings": encodings}}).encoding is expected


@pytest.mark.parametrize(
    ("formats", "markdown"),
    [(["markdown", "plaintext"], True), (["plaintext", "markdown"], False), ([], False)],
)
def test_hovers_are_in_the_format_preferred(formats: list[str], markdown: bool) -> None:
    found = of({"textDocument": {"hover": {"contentFormat": formats}}})
    assert found.hover_markdown is markdown
