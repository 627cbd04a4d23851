"""Going to the tests that reach a line: the code action, and `covls.goToTests`."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from covls.core.test_names import without_parameters
from covls.server.convert import path_of
from covls.server.features.tests_at import names_at, reaching, reaching_what_begins
from covls.server.messages import TestAt
from covls.server.place import Place
from covls.server.session import AFTER_ANSWER, Session

COMMAND: Final = "covls.goToTests"
KIND: Final = "covls.goToTests"

LISTED: Final = 10
"""Tests to choose from; a message with more of them could not be read."""


async def actions(
    session: Session, place: Place, _context: types.CodeActionContext
) -> Sequence[types.CodeAction | types.Command]:
    """Going to the tests, where there are any."""
    names = await names_at(session, place.uri, place.first, place.last)
    tests = tuple(dict.fromkeys(map(without_parameters, names or ())))
    if not tests:
        return ()
    where = "this line" if place.first == place.last else "these lines"
    if len(tests) == 1:
        title = f"Go to the test that reaches {where}: {tests[0]}"
    else:
        title = f"Go to the tests that reach {where} ({len(tests)})"
    command = types.Command(
        title=title, command=COMMAND, arguments=[place.uri, place.first - 1, place.last - 1]
    )
    if not session.capabilities.code_action_literals:
        return (command,)
    return (types.CodeAction(title=title, kind=KIND, command=command),)


async def go_to_tests(
    session: Session, uri: str, start_line: int, end_line: int | None = None
) -> list[TestAt]:
    """Show the test that reaches some lines, or ask which of them to show. Answers with all.

    Of one line, on which a function or class begins, the tests are those that reach that.
    """
    if end_line is None:
        found = await reaching_what_begins(session, uri, start_line + 1)
    else:
        found = await reaching(session, uri, start_line + 1, end_line + 1)
    if found is None:
        raise JsonRpcInvalidParams(
            f"{COMMAND}: which tests reach it was not recorded. To record it: "
            "pytest --cov --cov-context=test"
        )
    tests = _written(found)
    if tests:
        # Whoever is asked which test may take his time, and the command is answered by now.
        session.spawn(_show(session, tests), "Going to a test")
    elif found:
        session.inform(f"{found[0].id} reaches this, and its file is not here.")
    else:
        session.inform("No test reaches this.")
    return found


def _written(found: Sequence[TestAt]) -> Mapping[str, types.Location]:
    """Where the tests are written, by their names; cases of one test are one."""
    return {
        without_parameters(test.id): test.location for test in found if test.location is not None
    }


async def _show(session: Session, tests: Mapping[str, types.Location]) -> None:
    await asyncio.sleep(AFTER_ANSWER)
    chosen = next(iter(tests))
    if len(tests) > 1:
        listed = list(tests)[:LISTED]
        more = len(tests) - len(listed)
        question = f"{len(tests)} tests reach this"
        question += f"; the first {len(listed)}:" if more else ":"
        places = [f"{test} is in {_place(tests[test])}" for test in listed]
        answer = await session.ask(question, listed, instead="\n".join([question, *places]))
        if answer is None or answer not in tests:
            return
        chosen = answer
    location = tests[chosen]
    if not await session.show_document(location.uri, location.range):
        session.inform(f"{chosen} is in {_place(location)}")


def _place(location: types.Location) -> str:
    path = path_of(location.uri) or Path(location.uri)
    return f"{path}, line {location.range.start.line + 1}"
