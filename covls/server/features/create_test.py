"""Creating a test for an uncovered function: the code action, and `covls.createTest`."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from covls.core.naming import PYTEST, is_test_file
from covls.core.skeleton import target_at
from covls.project.new_test import NewTest
from covls.server.convert import lines_range, uri_of
from covls.server.place import Place, place_at
from covls.server.session import Document, Session
from covls.server.workspace_edit import FileEdit, insertions, workspace_edit

COMMAND: Final = "covls.createTest"
KIND: Final = "quickfix.covls.createTest"


async def actions(
    session: Session, place: Place, _context: types.CodeActionContext
) -> Sequence[types.CodeAction | types.Command]:
    """Creating a test, where a function is uncovered that is not a test itself."""
    name = place.path.name
    if place.view is None or not session.capabilities.apply_edit:
        return ()
    if is_test_file(name, PYTEST) or name in ("tests.py", "conftest.py"):
        return ()
    target = await session.in_thread(target_at, place.text, place.view.marks, place.first)
    if target is None:
        return ()
    title = f"Create a test for `{target.name}`"
    command = types.Command(title=title, command=COMMAND, arguments=[place.uri, place.first - 1])
    if not session.capabilities.code_action_literals:
        return (command,)
    return (types.CodeAction(title=title, kind=KIND, command=command),)


async def create_test(session: Session, uri: str, line: int) -> dict[str, Any] | None:
    """Have the client put in the skeleton of a test, and show it. Answers where it is.

    Null where the client did not take the edit.
    """
    place = await place_at(session, uri, line + 1, line + 1)
    found: NewTest | str | None = None
    # The root, and so the place of the test, is a real path.
    documents = {
        Path(os.path.realpath(document.path)): document  # noqa: ASYNC240 - some microseconds
        for document in session.documents.values()
    }
    if place is not None and place.view is not None:
        texts = {path: document.text for path, document in documents.items()}
        found = await session.in_thread(
            place.project.new_test, place.view, place.text, place.first, texts
        )
    if found is None:
        raise JsonRpcInvalidParams(f"{COMMAND}: no uncovered function is known there")
    if isinstance(found, str):
        raise JsonRpcInvalidParams(f"{COMMAND}: {found}")
    if not session.capabilities.apply_edit:
        raise JsonRpcInvalidParams(f"{COMMAND}: this editor cannot be asked to edit files")
    file = found.place.file
    edits = _edits(session, found, documents.get(file))
    label = f"Create a test for {found.function}"
    if not await session.apply_edit(label, workspace_edit(session.capabilities, *edits)):
        return None
    target = edits[-1].uri
    lines = found.skeleton.applied(found.existing).split("\n")
    where = found.skeleton.line
    selection = lines_range(lines, where, where, session.capabilities.encoding)
    if not await session.show_document(target, selection):
        session.inform(f"{found.skeleton.name} is in {file}, line {where}")
    return {"uri": target, "name": found.skeleton.name, "line": where - 1}


def _edits(session: Session, found: NewTest, document: Document | None) -> list[FileEdit]:
    """The changes of files, that of the test's own last."""
    encoding = session.capabilities.encoding
    changes = insertions(found.existing, found.skeleton.insertions, encoding)
    uri, version = uri_of(found.place.file), None
    if document is not None:
        uri, version = document.uri, document.version
    new = not found.place.exists and document is None
    made: Sequence[Path] = found.place.made
    return [
        *(FileEdit(uri_of(path), None, (), new=True) for path in made),
        FileEdit(uri, version, changes, new=new),
    ]
