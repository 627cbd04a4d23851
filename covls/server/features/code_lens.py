"""Code lenses: over each function and class its figure, its tests and the branches missed."""

import operator
from collections.abc import Sequence

from lsprotocol import types

from covls.core.lenses import Lens, lenses
from covls.server.convert import Encoding, lines_range
from covls.server.features import go_to_tests, run
from covls.server.session import Document, Session, Shown


async def code_lens(session: Session, params: types.CodeLensParams) -> list[types.CodeLens] | None:
    """The lenses of a file that is open; null where it has no coverage, or none are wanted."""
    document = session.documents.get(params.text_document.uri)
    shown = await session.shown(document) if document is not None else None
    if document is None or shown is None:
        return None
    found = await _lenses(session, document, shown)
    document.lensed = shown.key, found
    if found is None:
        return None
    encoding = session.capabilities.encoding
    command = go_to_tests.COMMAND
    if document.root is not None and document.root.settings.trusted is not False:
        command = run.RUN_AT_CURSOR
    return await session.in_thread(converted, found, document.uri, shown.lines, encoding, command)


async def show(session: Session, document: Document, shown: Shown) -> None:
    """Have the client ask again, where it would get other lenses and not ask by itself."""
    if document.lensed is None or not session.capabilities.refreshes_lenses:
        return
    key, before = document.lensed
    # After an edit a client asks by itself.
    if key == shown.key or key[0] != shown.key[0]:
        return
    now = await _lenses(session, document, shown)
    if await session.in_thread(operator.ne, now, before):
        session.ask_again(types.WORKSPACE_CODE_LENS_REFRESH)


async def _lenses(session: Session, document: Document, shown: Shown) -> tuple[Lens, ...] | None:
    root, view = document.root, shown.view
    if view is None or root is None or root.project is None or not root.settings.lens.enable:
        return None
    project = root.project

    def work() -> tuple[Lens, ...]:
        reached = project.reached(view)
        return lenses(view.shown_regions(), reached, project.configuration.precision)

    return await session.in_thread(work)


def converted(
    found: Sequence[Lens], uri: str, lines: Sequence[str], encoding: Encoding, command: str
) -> list[types.CodeLens]:
    """Lenses as they are sent. A click runs the tests, or leads to them where none may run."""
    return [
        types.CodeLens(
            range=lines_range(lines, lens.line, lens.line, encoding),
            command=types.Command(
                title=lens.words, command=command, arguments=[uri, lens.line - 1]
            ),
        )
        for lens in found
    ]
