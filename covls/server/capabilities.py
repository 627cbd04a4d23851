"""What the client can do, resolved once into plain values."""

from dataclasses import dataclass

from lsprotocol import types
from pygls.capabilities import ServerCapabilitiesBuilder, get_capability

from covls.server.convert import Encoding


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the client can do, as far as covls asks."""

    encoding: Encoding = Encoding.UTF16
    pulls_diagnostics: bool = False
    """It asks for diagnostics *and* can be told to ask again; else they are published."""
    related_information: bool = False
    diagnostics_version: bool = False
    hover_markdown: bool = False
    progress: bool = False
    registers_watched_files: bool = False
    registers_configuration: bool = False
    configuration: bool = False
    show_document: bool = False
    code_action_literals: bool = False
    """It takes code actions with edits in them, not commands alone."""
    disabled_actions: bool = False
    """It shows an action that cannot be done now, and why."""
    apply_edit: bool = False
    document_changes: bool = False
    """It takes edits of a version of a document, not of whatever it is by then."""
    create_files: bool = False
    refreshes_lenses: bool = False
    """It can be told to ask for code lenses again, and likewise:"""
    refreshes_hints: bool = False
    test_runs: bool = False
    """It says in `experimental.covls` that it wants to be told of each test of a run, and that"""
    explains: bool = False
    """it shows what `covls.explain` answers, and needs no message of it."""


def capabilities_of(client: types.ClientCapabilities) -> Capabilities:
    """Resolve what a client says of itself."""

    def has(capability: str) -> bool:
        return bool(get_capability(client, capability, False))

    pulls = client.text_document is not None and client.text_document.diagnostic is not None
    pulls = pulls and has("workspace.diagnostics.refresh_support")
    # Clients before 3.18 say it of published diagnostics alone, and mean those they pull, too.
    related = has("text_document.publish_diagnostics.related_information") or has(
        "text_document.diagnostic.related_information"
    )
    operations = get_capability(client, "workspace.workspace_edit.resource_operations", None) or ()
    formats = get_capability(client, "text_document.hover.content_format", None) or ()
    return Capabilities(
        encoding=Encoding(str(_value(ServerCapabilitiesBuilder.choose_position_encoding(client)))),
        pulls_diagnostics=pulls,
        related_information=related,
        diagnostics_version=has("text_document.publish_diagnostics.version_support"),
        # The formats are in the client's order of preference.
        hover_markdown=bool(formats) and _value(formats[0]) == types.MarkupKind.Markdown.value,
        progress=has("window.work_done_progress"),
        registers_watched_files=has("workspace.did_change_watched_files.dynamic_registration"),
        registers_configuration=has("workspace.did_change_configuration.dynamic_registration"),
        configuration=has("workspace.configuration"),
        show_document=has("window.show_document.support"),
        code_action_literals=has("text_document.code_action.code_action_literal_support"),
        disabled_actions=has("text_document.code_action.disabled_support"),
        apply_edit=has("workspace.apply_edit"),
        # Who takes operations on files takes them among document changes, and so knows these.
        document_changes=bool(operations) or has("workspace.workspace_edit.document_changes"),
        create_files=types.ResourceOperationKind.Create.value in map(_value, operations),
        refreshes_lenses=has("workspace.code_lens.refresh_support"),
        refreshes_hints=has("workspace.inlay_hint.refresh_support"),
        test_runs=_of(_of(client.experimental, "covls"), "testRun") is True,
        explains=_of(_of(client.experimental, "covls"), "explains") is True,
    )


def _of(value: object, name: str) -> object:
    """What stands under a name in a part of a message that no protocol describes."""
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)


def _value(kind: object) -> object:
    return getattr(kind, "value", kind)
