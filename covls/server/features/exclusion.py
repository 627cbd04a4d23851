"""Excluding an uncovered block from coverage: the code action, and `covls.excludeLines`."""

from collections.abc import Sequence
from typing import Final

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from covls.core.exclusion import Exclusion
from covls.server.features.diagnostics import SOURCE, STALE, UNCOVERED
from covls.server.place import Place, place_at
from covls.server.session import Session
from covls.server.workspace_edit import FileEdit, at_line_ends, workspace_edit

COMMAND: Final = "covls.excludeLines"
KIND: Final = "quickfix.covls.exclude"


async def actions(
    session: Session, place: Place, context: types.CodeActionContext
) -> Sequence[types.CodeAction | types.Command]:
    """What excludes the block; where none can, and the client shows that, why not."""
    found = await _exclusion(session, place)
    if found is None:
        return ()
    capabilities = session.capabilities
    if isinstance(found, str):
        if not (capabilities.code_action_literals and capabilities.disabled_actions):
            return ()
        return (
            types.CodeAction(
                title="Exclude this block from coverage",
                kind=KIND,
                disabled=types.CodeActionDisabled(reason=found),
            ),
        )
    title = f"Exclude {found.what} from coverage"
    if not capabilities.code_action_literals:
        if not capabilities.apply_edit:
            return ()
        arguments = [place.uri, place.first - 1, place.last - 1]
        return (types.Command(title=title, command=COMMAND, arguments=arguments),)
    solved = [
        diagnostic
        for diagnostic in context.diagnostics
        if diagnostic.source == SOURCE and diagnostic.code in (UNCOVERED, STALE)
    ]
    return (
        types.CodeAction(
            title=title, kind=KIND, diagnostics=solved or None, edit=_edit(session, place, found)
        ),
    )


async def exclude_lines(
    session: Session, uri: str, start_line: int, end_line: int | None = None
) -> bool:
    """Have the client exclude the uncovered block at some lines. Says whether it did."""
    end = start_line if end_line is None else end_line
    place = await place_at(session, uri, start_line + 1, end + 1)
    found = None if place is None else await _exclusion(session, place)
    if place is None or found is None:
        raise JsonRpcInvalidParams(f"{COMMAND}: nothing is known to be uncovered there")
    if isinstance(found, str):
        raise JsonRpcInvalidParams(f"{COMMAND}: {found}")
    if not session.capabilities.apply_edit:
        raise JsonRpcInvalidParams(f"{COMMAND}: this editor cannot be asked to edit files")
    return await session.apply_edit(f"Exclude {found.what}", _edit(session, place, found))


async def _exclusion(session: Session, place: Place) -> Exclusion | str | None:
    if place.view is None:
        return None
    return await session.in_thread(
        place.project.exclusion, place.view, place.text, place.first, place.last
    )


def _edit(session: Session, place: Place, found: Exclusion) -> types.WorkspaceEdit:
    edits = at_line_ends(place.lines, dict(found.comments), session.capabilities.encoding)
    return workspace_edit(session.capabilities, FileEdit(place.uri, place.version, edits))
