"""What is known of the line under the pointer: state, freshness, branches, tests."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from lsprotocol import types

from covls.core.coverage import State
from covls.core.lost import lost_words, until_words
from covls.core.marks import Freshness, Mark, MissedBranch, missed_words
from covls.core.told_apart import ONLY_FIRST_TESTS
from covls.project import FileView, Project
from covls.server.convert import lines_range
from covls.server.features.diagnostics import NOT_VERIFIED
from covls.server.session import Document, Session, Shown

TESTS_SHOWN = 10

RECORD_TESTS = (
    "Which tests reach it was not recorded. To record it: `pytest --cov --cov-context=test`, or "
    '`dynamic_context = "test_function"` in coverage.py\'s configuration.'
)

_STATES = {
    State.COVERED: "Covered",
    State.MISSING: "Not covered",
    State.PARTIAL: "Partly covered",
    State.EXCLUDED: "Excluded from coverage",
}


async def hover(session: Session, params: types.HoverParams) -> types.Hover | None:
    """Tell about a line that has a mark; null for any other."""
    document = session.documents.get(params.text_document.uri)
    shown = await session.shown(document) if document is not None else None
    if document is None or shown is None or shown.view is None or document.root is None:
        return None
    line = params.position.line + 1
    mark = next((mark for mark in shown.view.marks if mark.start <= line <= mark.end), None)
    project = document.root.project
    if mark is None or project is None or not document.root.settings.hover.enable:
        return None
    recorded = project.tells_tests
    ran = mark.state in (State.COVERED, State.PARTIAL)
    tests: tuple[str, ...] | None = None
    if ran and recorded and mark.freshness not in (Freshness.EDITED, Freshness.NEW):
        tests = tuple(await session.in_thread(project.tests_reaching, shown.view, line, line))
    until = ""
    if mark.state is State.MISSING and mark.freshness is Freshness.FRESH:
        # Of what was read in the background: to ask a history would take too long here.
        commit = project.covered_until(shown.view, line, line)
        if commit is not None:
            until = until_words(commit.id, commit.authored, datetime.now(UTC))
    markdown = session.capabilities.hover_markdown
    text = describe(
        mark,
        tests,
        until=until,
        recorded=recorded,
        only_first=project.only_first_tests,
        origin=shown.view.origin,
        pulled=project.status().message if project.pulled else "",
        uri=document.uri if markdown else None,
    )
    kind = types.MarkupKind.Markdown if markdown else types.MarkupKind.PlainText
    return types.Hover(
        contents=types.MarkupContent(kind=kind, value=text),
        range=lines_range(shown.lines, line, line, session.capabilities.encoding),
    )


async def prepare(session: Session, document: Document, shown: Shown) -> None:
    """Read the tests of a file that is on screen, in the background: hovers are then quick."""
    root, view = document.root, shown.view
    project = root.project if root is not None and root.settings.hover.enable else None
    if view is None or project is None:
        return
    if not project.has_read_tests(view):
        session.spawn(_read_tests(session, project, document, view), "Reading tests")
    if not project.has_read_past(view):
        session.spawn(_read_past(session, project, document, view), "Reading the history")


async def _read_tests(
    session: Session, project: Project, document: Document, view: FileView
) -> None:
    # One file after the other: the threads are for what somebody waits for.
    async with session.in_background:
        if not document.closed:
            await session.in_thread(project.reached, view)


async def _read_past(
    session: Session, project: Project, document: Document, view: FileView
) -> None:
    async with session.in_background:
        if not document.closed:
            await session.in_thread(project.read_past, view)


def describe(
    mark: Mark,
    tests: Sequence[str] | None,
    *,
    recorded: bool,
    only_first: bool = False,
    origin: str = "",
    pulled: str = "",
    uri: str | None = None,
    until: str = "",
) -> str:
    """The words of a hover, in Markdown where there is a URI to link to, else as plain text.

    `tests` is None where they are not known for this mark; `recorded` says whether they are for
    any, and `only_first` that the data names the first test of each line alone. `origin` says
    where the measured text is from, if it is not the file's on disk, `pulled` where the data are
    from, if they are not the project's own, and `until` at which commit the line was covered last.
    """
    markdown = uri is not None
    state = _STATES[mark.state]
    parts = [f"**{state}**" if markdown else state]
    parts[0] += {
        Freshness.FRESH: " · the text is as it was measured",
        Freshness.EDITED: " before it was edited",
        Freshness.NEW: "",
        Freshness.UNVERIFIED: " · not verified",
    }[mark.freshness]
    if mark.freshness is Freshness.NEW:
        parts[0] = f"**{_NEW}**" if markdown else _NEW
        parts.append("It was not there when coverage was measured.")
    elif mark.freshness is Freshness.EDITED:
        parts.append("Nothing was measured of the text as it is now.")
    elif mark.freshness is Freshness.UNVERIFIED:
        parts.append(NOT_VERIFIED)
    elif mark.state is State.MISSING:
        parts.append("No test runs it.")
        if mark.lost is not None:
            words = lost_words(mark.lost)
            parts.append(_escape(words) if markdown else words)
        if until:
            parts.append(until)
    parts += [_missed(mark, branch, uri) for branch in mark.branches]
    if tests is not None:
        parts.append(_tests(tests, markdown))
    elif not recorded and mark.state in (State.COVERED, State.PARTIAL):
        words = f"Which tests reach it is {ONLY_FIRST_TESTS}." if only_first else RECORD_TESTS
        parts.append(words if markdown else words.replace("`", ""))
    if origin:
        parts.append(
            f"The file on disk is not as it was measured. What was measured is known from {origin}."
        )
    if pulled:
        parts.append(pulled)
    return "\n\n".join(parts)


_NEW = "Not measured yet"


def _tests(tests: Sequence[str], markdown: bool) -> str:
    if not tests:
        return "It runs outside of any test: when its module is imported, most likely."
    number = "1 test" if len(tests) == 1 else f"{len(tests)} tests"
    shown = [f"- {_code(test)}" if markdown else f"  {test}" for test in tests[:TESTS_SHOWN]]
    lines = [f"Reached by {number}:", *([""] if markdown else []), *shown]
    if len(tests) > TESTS_SHOWN:
        more = f"and {len(tests) - TESTS_SHOWN} more"
        lines.append(f"- {more}" if markdown else f"  {more}")
    return "\n".join(lines)


def _missed(mark: Mark, branch: MissedBranch, uri: str | None) -> str:
    """coverage.py's words for a branch, with a link to the line that was not reached."""
    words = missed_words(mark, branch)
    if uri is None:
        return words
    # Brackets may stand in a URI, and would end the link.
    address = uri.replace("(", "%28").replace(")", "%29")
    link = f"[line {branch.target}]({address}#L{branch.target})"
    parts = re.split(rf"\bline {branch.target}\b", words)
    return link.join(_escape(part) for part in parts)


def _code(text: str) -> str:
    """Text as code in Markdown, whatever backticks a test's parameters bring along."""
    text = " ".join(text.split())
    fence = "`"
    while fence in text:
        fence += "`"
    pad = " " if "`" in text else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _escape(text: str) -> str:
    return "".join(f"\\{char}" if char in "\\`*_<>[]#" else char for char in text)
