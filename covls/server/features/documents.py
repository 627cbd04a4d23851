"""Text synchronisation: what the client has open, always as whole texts."""

from lsprotocol import types

from covls.server.convert import path_of
from covls.server.features import diagnostics, failed_tests, run_on_save
from covls.server.session import Session


def did_open(session: Session, params: types.DidOpenTextDocumentParams) -> None:
    """Take in a file; untitled documents and those of other schemes are none of ours."""
    document = params.text_document
    path = path_of(document.uri)
    if path is not None:
        session.open(document.uri, path, document.version, document.text)
        failed_tests.show_all_closed(session)


def did_change(session: Session, params: types.DidChangeTextDocumentParams) -> None:
    """Take in the new text: the last of the changes, for each is the whole text."""
    whole = [
        change.text
        for change in params.content_changes
        if isinstance(change, types.TextDocumentContentChangeWholeDocument)
    ]
    if whole:
        session.edit(params.text_document.uri, params.text_document.version, whole[-1])


async def did_save(session: Session, params: types.DidSaveTextDocumentParams) -> None:
    """Look again: what is on disk has changed, and with it perhaps the settings and the root."""
    document = session.documents.get(params.text_document.uri)
    if document is not None and document.root is not None:
        session.file_changed(document)
        session.look(document.root)
        session.find_roots_anew()
    if document is not None:
        await run_on_save.saved(session, document)


def did_close(session: Session, params: types.DidCloseTextDocumentParams) -> None:
    """Let go of a file, and take its diagnostics away."""
    document = session.close_document(params.text_document.uri)
    if document is not None:
        diagnostics.clear(session, document)
        failed_tests.show_all_closed(session)
