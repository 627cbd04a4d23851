"""Inlay hints: at the ends of lines their tests, and what never ran; off until asked for."""

import operator
from collections.abc import Sequence

from lsprotocol import types

from covls.core.hints import Hint, hints
from covls.core.marks import Mark
from covls.core.reached import Reached
from covls.server.convert import Encoding, units
from covls.server.features.tests_at import lines_of
from covls.server.session import Document, Session, Shown

Source = tuple[tuple[Mark, ...], Reached | None]
"""What hints are made from."""


async def inlay_hint(
    session: Session, params: types.InlayHintParams
) -> list[types.InlayHint] | None:
    """The hints on the lines of a range; null where there is no coverage, or none are wanted."""
    document = session.documents.get(params.text_document.uri)
    shown = await session.shown(document) if document is not None else None
    if document is None or shown is None:
        return None
    source = await _source(session, document, shown)
    document.hinted = shown.key, source
    if source is None or shown.view is None:
        return None
    line_map, lines, encoding = shown.view.line_map, shown.lines, session.capabilities.encoding
    first, last = lines_of(params.range)

    def work() -> list[types.InlayHint]:
        return converted(hints(source[0], line_map, source[1], first, last), lines, encoding)

    return await session.in_thread(work)


async def show(session: Session, document: Document, shown: Shown) -> None:
    """Have the client ask again, where it would get other hints and not ask by itself."""
    if document.hinted is None or not session.capabilities.refreshes_hints:
        return
    key, before = document.hinted
    # After an edit a client asks by itself.
    if key == shown.key or key[0] != shown.key[0]:
        return
    now = await _source(session, document, shown)
    if await session.in_thread(operator.ne, now, before):
        session.ask_again(types.WORKSPACE_INLAY_HINT_REFRESH)


async def _source(session: Session, document: Document, shown: Shown) -> Source | None:
    root, view = document.root, shown.view
    if view is None or root is None or root.project is None or not root.settings.hints.enable:
        return None
    return view.marks, await session.in_thread(root.project.reached, view)


def converted(
    found: Sequence[Hint], lines: Sequence[str], encoding: Encoding
) -> list[types.InlayHint]:
    """Hints as they are sent: behind the last character of their lines."""
    return [
        types.InlayHint(
            position=types.Position(
                line=hint.line - 1, character=units(lines[hint.line - 1], encoding)
            ),
            label=hint.words,
            padding_left=True,
        )
        for hint in found
    ]
