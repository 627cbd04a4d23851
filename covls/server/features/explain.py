"""All that is known of a line, in words: the code action, and `covls.explain`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from covls.core.explain import Explanation, as_json, as_markdown, as_text
from covls.server.place import Place, place_at
from covls.server.root import Root
from covls.server.session import Session

COMMAND: Final = "covls.explain"
KIND: Final = "covls.explain"


async def actions(
    session: Session, place: Place, _context: types.CodeActionContext
) -> Sequence[types.CodeAction | types.Command]:
    """The words for the first of the lines."""
    title = "Explain the coverage of this line"
    command = types.Command(title=title, command=COMMAND, arguments=[place.uri, place.first - 1])
    if not session.capabilities.code_action_literals:
        return (command,)
    return (types.CodeAction(title=title, kind=KIND, command=command),)


async def explain(session: Session, uri: str, line: int) -> dict[str, Any]:
    """Show what is known of a line. Answers with it, and with the words as text and Markdown."""
    place = await place_at(session, uri, line + 1, line + 1)
    found = None
    if place is not None:
        root = await session.root_of(place.path)
        texts = {document.path: document.text for document in session.documents.values()}
        found = await session.in_thread(_explanation, root, place, texts)
    if found is None:
        raise JsonRpcInvalidParams(f"{COMMAND}: there is no coverage of {uri}")
    text = as_text(found)
    if not session.capabilities.explains:
        session.inform(text)
    return {**as_json(found), "text": text, "markdown": as_markdown(found)}


def _explanation(root: Root, place: Place, texts: Mapping[Path, str]) -> Explanation | None:
    found = place.project.explanation(place.path, place.first, place.text)
    if found is None:
        return None
    inside = {path: text for path, text in texts.items() if path.is_relative_to(root.folder)}
    affected = root.runs.runner(place.project).affected(found.reached, inside)
    return replace(found, affected=affected)
