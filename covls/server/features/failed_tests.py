"""Failed tests as diagnostics, at the lines where they failed: beside the others of a file that is
open, and by themselves in files that are not.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from lsprotocol import types

from covls.adapters.source import Unreadable, read_source, source_text
from covls.adapters.test_run import End
from covls.choosing import Choice
from covls.core.drift import LineMap, drift
from covls.core.failures import Failure, failed_in, place_now, still_failed
from covls.core.lines import split_lines
from covls.core.statements import Text
from covls.core.test_events import CollectionError, Finished
from covls.core.test_names import find_definition, places_of
from covls.running import Outcome
from covls.server.capabilities import Capabilities
from covls.server.convert import lines_range, uri_of
from covls.server.root import Root
from covls.server.session import Session

SOURCE: Final = "covls"
CODE: Final = "test-failed"


async def take(session: Session, root: Root, choice: Choice, outcome: Outcome) -> None:
    """Take note of what a run says of tests, and show it. One that was cancelled says nothing."""
    result = outcome.result
    if result.end in (End.CANCELLED, End.NOT_STARTED) or root.closed:
        return
    before = root.runs.failures
    asked = None if choice.everything is not None else choice.tests

    def work() -> tuple[Failure, ...]:
        kept = still_failed(
            before,
            result.tally,
            asked,
            root=os.path.realpath(root.folder),
            finished=result.end is End.FINISHED,
        )
        return (*kept, *_found(root.folder, failed_in(result.tally)))

    root.runs.failures = await session.in_thread(work)
    if root.runs.failures != before:
        for document in session.documents.values():
            if document.root is root:
                # Whatever the coverage is, the diagnostics are others.
                session.file_changed(document)
        await show_closed(session, root)


def _found(root: Path, failed: Iterable[Finished | CollectionError]) -> list[Failure]:
    """The failures whose file can be read."""
    texts: dict[str, Text | None] = {}
    found = []
    for each in failed:
        test = each.test if isinstance(each, Finished) else ""
        candidates = [each.file] if each.file else [str(root / file) for file, _ in places_of(test)]
        for candidate in candidates:
            file = os.path.realpath(root / candidate)
            if file not in texts:
                source = read_source(Path(file))
                lines = None if isinstance(source, Unreadable) else split_lines(source_text(source))
                texts[file] = None if lines is None else Text(lines)
            text = texts[file]
            if text is None:
                continue
            line = each.line
            if line is None:
                steps = next((steps for _, steps in places_of(test)), ()) if test else ()
                line = find_definition(text.lines, steps) or 1
            raised = None
            if isinstance(each, Finished) and each.source_file and each.source_line:
                raised = each.source_file, each.source_line
            message = f"{test} failed: {each.message}" if test else each.message
            found.append(Failure(test, file, min(line, len(text.lines)), message, text, raised))
            break
    return found


def diagnostics_of(
    failures: Iterable[Failure], lines: Sequence[str], capabilities: Capabilities
) -> list[types.Diagnostic]:
    """The diagnostics of one file's failures in its current text."""
    current = Text(lines)
    maps: dict[int, LineMap] = {}
    found = []
    for failure in failures:
        text = failure.text
        if id(text) not in maps:
            maps[id(text)] = drift(text, current)
        place = place_now(failure, maps[id(text)])
        if place is None:
            continue
        diagnostic = types.Diagnostic(
            range=lines_range(lines, *place, capabilities.encoding),
            message=failure.message,
            code=CODE,
            source=SOURCE,
            severity=types.DiagnosticSeverity.Error,
        )
        if failure.raised is not None and capabilities.related_information:
            file, line = failure.raised
            start = types.Position(line=line - 1, character=0)
            at = types.Location(uri=uri_of(file), range=types.Range(start=start, end=start))
            diagnostic.related_information = [
                types.DiagnosticRelatedInformation(location=at, message="Raised here")
            ]
        found.append(diagnostic)
    return found


def failures_in(session: Session, root: Root, path: Path) -> list[Failure]:
    """The failures that are in a file, where they are to be shown."""
    failures = root.runs.failures
    if not failures or not session.enabled or not root.settings.enable:
        return []
    real = os.path.realpath(path)
    return [failure for failure in failures if failure.file == real]


async def show_closed(session: Session, root: Root) -> None:
    """Publish the failures in files that are not open, and take away those published of others."""
    open_files = set(await session.in_thread(_real, [d.path for d in session.documents.values()]))
    by_file: dict[str, list[Failure]] = {}
    if session.enabled and root.settings.enable and not root.closed:
        for failure in root.runs.failures:
            if failure.file not in open_files:
                by_file.setdefault(failure.file, []).append(failure)
    before = root.runs.published
    if not by_file and not before:
        return

    def work() -> dict[str, list[types.Diagnostic]]:
        found = {}
        for file, failures in by_file.items():
            source = read_source(Path(file))
            if not isinstance(source, Unreadable):
                lines = split_lines(source_text(source))
                found[uri_of(file)] = diagnostics_of(failures, lines, session.capabilities)
        return found

    now = await session.in_thread(work)
    if root.runs.published is not before:
        # Somebody else was at it meanwhile, and knows no less.
        return
    root.runs.published = now
    for uri in {*before, *now}:
        items = now.get(uri, [])
        if items != before.get(uri, []):
            session.server.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(uri=uri, diagnostics=items)
            )


def _real(paths: Sequence[Path]) -> list[str]:
    return [os.path.realpath(path) for path in paths]


def show_all_closed(session: Session) -> None:
    """Look anew at what is shown of files that are not open."""
    for root in session.roots.values():
        if root.runs.failures or root.runs.published:
            session.spawn(show_closed(session, root), "Showing failed tests")
