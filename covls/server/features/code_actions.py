"""`textDocument/codeAction`: what can be done at a place; each action has a module of its own."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from lsprotocol import types

from covls.server.features import create_test, exclusion, explain, go_to_tests, open_report, run
from covls.server.features.tests_at import lines_of
from covls.server.place import Place, place_at
from covls.server.session import Session

Actions = Callable[
    [Session, Place, types.CodeActionContext],
    Awaitable[Sequence[types.CodeAction | types.Command]],
]

ACTIONS: Final[dict[str, Actions]] = {
    create_test.KIND: create_test.actions,
    exclusion.KIND: exclusion.actions,
    run.LINE_KIND: run.line_actions,
    run.FILE_KIND: run.file_actions,
    run.AFFECTED_KIND: run.affected_actions,
    go_to_tests.KIND: go_to_tests.actions,
    open_report.KIND: open_report.actions,
    explain.KIND: explain.actions,
}
"""The actions by their kinds, in the order they are shown in."""


def register(session: Session) -> None:
    """Offer code actions, with the kinds there are."""
    options = types.CodeActionOptions(code_action_kinds=list(ACTIONS))
    feature = session.server.feature(types.TEXT_DOCUMENT_CODE_ACTION, options)
    feature(partial(code_actions, session))


async def code_actions(
    session: Session, params: types.CodeActionParams
) -> list[types.CodeAction | types.Command] | None:
    """The actions of the kinds that are asked for; null for a file that nothing is known of.

    Tests can run for a file without coverage, and are such files themselves.
    """
    place = await place_at(session, params.text_document.uri, *lines_of(params.range))
    if place is None:
        return None
    found: list[types.CodeAction | types.Command] = []
    for kind, actions in ACTIONS.items():
        if place.view is None and not kind.startswith(run.KIND):
            continue
        if _is_wanted(kind, params.context.only):
            found += await actions(session, place, params.context)
    return found if found or place.view is not None else None


def _is_wanted(kind: str, only: Sequence[str | types.CodeActionKind] | None) -> bool:
    """Whether one of the kinds asked for is this one, or one that it is of."""
    if only is None:
        return True
    wanted = [str(getattr(each, "value", each)) for each in only]
    return any(not each or kind == each or kind.startswith(f"{each}.") for each in wanted)
