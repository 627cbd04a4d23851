"""Changes of the user's files, in the words that a client takes them in; the client makes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lsprotocol import types

from covls.server.capabilities import Capabilities
from covls.server.convert import Encoding, units


@dataclass(frozen=True, slots=True)
class FileEdit:
    """The changes of one file. One that is `new` is made by them, and never overwritten."""

    uri: str
    version: int | None
    edits: Sequence[types.TextEdit]
    new: bool = False


def workspace_edit(edit: FileEdit, capabilities: Capabilities) -> types.WorkspaceEdit:
    """The edit as this client takes it.

    One that knows no operations on files is given the text of a new one alone: most then make the
    file themselves.
    """
    if not capabilities.document_changes:
        return types.WorkspaceEdit(changes={edit.uri: edit.edits})
    document = types.OptionalVersionedTextDocumentIdentifier(uri=edit.uri, version=edit.version)
    changes: list[types.CreateFile | types.TextDocumentEdit] = []
    if edit.new and capabilities.create_files:
        options = types.CreateFileOptions(overwrite=False, ignore_if_exists=False)
        changes.append(types.CreateFile(uri=edit.uri, options=options))
    changes.append(types.TextDocumentEdit(text_document=document, edits=edit.edits))
    return types.WorkspaceEdit(document_changes=changes)


def at_line_ends(
    lines: Sequence[str], comments: Mapping[int, str], encoding: Encoding
) -> list[types.TextEdit]:
    """Edits that put texts behind lines, counted from 1, in place of blanks that end them."""
    found: list[types.TextEdit] = []
    for line, text in comments.items():
        written = lines[line - 1]
        start, end = units(written.rstrip(), encoding), units(written, encoding)
        where = types.Range(
            start=types.Position(line=line - 1, character=start),
            end=types.Position(line=line - 1, character=end),
        )
        found.append(types.TextEdit(range=where, new_text=text))
    return found
