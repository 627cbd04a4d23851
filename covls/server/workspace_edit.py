"""Changes of the user's files, in the words that a client takes them in; the client makes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lsprotocol import types

from covls.core.lines import split_lines
from covls.core.skeleton import Insertion
from covls.server.capabilities import Capabilities
from covls.server.convert import Encoding, units


@dataclass(frozen=True, slots=True)
class FileEdit:
    """The changes of one file. One that is `new` is made by them, and never overwritten."""

    uri: str
    version: int | None
    edits: Sequence[types.TextEdit]
    new: bool = False


def workspace_edit(capabilities: Capabilities, *files: FileEdit) -> types.WorkspaceEdit:
    """The changes of some files as this client takes them.

    One that knows no operations on files is given the text of a new one alone: most then make the
    file themselves.
    """
    if not capabilities.document_changes:
        return types.WorkspaceEdit(changes={file.uri: file.edits for file in files})
    changes: list[types.CreateFile | types.TextDocumentEdit] = []
    for file in files:
        if file.new and capabilities.create_files:
            options = types.CreateFileOptions(overwrite=False, ignore_if_exists=False)
            changes.append(types.CreateFile(uri=file.uri, options=options))
        document = types.OptionalVersionedTextDocumentIdentifier(uri=file.uri, version=file.version)
        if file.edits:
            changes.append(types.TextDocumentEdit(text_document=document, edits=file.edits))
    return types.WorkspaceEdit(document_changes=changes)


def insertions(text: str, wanted: Sequence[Insertion], encoding: Encoding) -> list[types.TextEdit]:
    """Edits that put whole lines into a text, with the line ends that it has."""
    lines = split_lines(text)
    end = "\r\n" if "\r\n" in text else "\n"
    found: list[types.TextEdit] = []
    for insertion in wanted:
        new = insertion.text.replace("\n", end)
        place = types.Position(line=insertion.after, character=0)
        behind = types.Position(line=insertion.after + insertion.replaced, character=0)
        last = len(lines) - 1
        if behind.line > last:
            # The last line has no end, and what comes behind it needs one.
            behind = types.Position(line=last, character=units(lines[last], encoding))
            if insertion.replaced:
                new = new.removesuffix(end)
            else:
                place, new = behind, end + new
        found.append(types.TextEdit(range=types.Range(start=place, end=behind), new_text=new))
    return found


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
