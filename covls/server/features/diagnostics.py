"""Uncovered blocks and branches not taken, as diagnostics: published, or pulled and refreshed."""

import operator
from collections.abc import Sequence
from functools import partial
from itertools import count

from lsprotocol import types

from covls.core.coverage import State
from covls.core.lines import LineRange
from covls.core.lost import lost_words
from covls.core.marks import Freshness, Mark, missed_words
from covls.core.patch import split
from covls.core.settings import Diagnostics as DiagnosticsSettings
from covls.server.capabilities import Capabilities
from covls.server.convert import Encoding, lines_range
from covls.server.features import failed_tests
from covls.server.session import Document, Session, Shown

SOURCE = "covls"
UNCOVERED = "uncovered"
PARTIAL_BRANCH = "partial-branch"
LOST = "lost"
STALE = "stale"
CODES = (UNCOVERED, PARTIAL_BRANCH, LOST, STALE, failed_tests.CODE)

NOT_VERIFIED = (
    "It is not known which text was measured: the file was modified after the data was written. "
    "Run the tests again to be sure."
)

_SEVERITIES = {
    "hint": types.DiagnosticSeverity.Hint,
    "information": types.DiagnosticSeverity.Information,
    "warning": types.DiagnosticSeverity.Warning,
    "error": types.DiagnosticSeverity.Error,
}

_result_ids = count(1)


async def show(session: Session, document: Document, shown: Shown) -> None:
    """Publish a document's diagnostics if they are others; where they are pulled, ask for that."""
    items = await _diagnostics(session, document, shown)
    before = document.published
    changed = await session.in_thread(operator.ne, items, before)
    if not changed or document.closed or shown.key != session.key(document):
        return
    if document.published is not before:
        # They were pulled meanwhile, and whoever answered that looks whether they are up to date.
        return
    if not session.capabilities.pulls_diagnostics:
        document.published = items
        _publish(session, document, items, shown.version)
    # A client pulls by itself after an edit; for anything else it must be told.
    elif document.pulled_edit == document.edit:
        session.ask_again(types.WORKSPACE_DIAGNOSTIC_REFRESH)


def clear(session: Session, document: Document) -> None:
    """Take a closed document's diagnostics away; a client that pulls does so itself."""
    if document.published and not session.capabilities.pulls_diagnostics:
        _publish(session, document, [], None)


def register_pull(session: Session) -> None:
    """Offer diagnostics to be pulled. Called before the server's capabilities are told."""
    options = types.DiagnosticOptions(
        identifier=SOURCE, inter_file_dependencies=False, workspace_diagnostics=False
    )
    session.server.feature(types.TEXT_DOCUMENT_DIAGNOSTIC, options)(partial(_pull, session))


async def _pull(
    session: Session, params: types.DocumentDiagnosticParams
) -> types.RelatedFullDocumentDiagnosticReport | types.RelatedUnchangedDocumentDiagnosticReport:
    document = session.documents.get(params.text_document.uri)
    shown = await session.shown(document) if document is not None else None
    if document is None or shown is None:
        return types.RelatedFullDocumentDiagnosticReport(items=[])
    items = await _diagnostics(session, document, shown)
    changed = await session.in_thread(operator.ne, items, document.published)
    if document.result_id is None or changed:
        document.result_id = str(next(_result_ids))
    document.published, document.pulled_edit = items, shown.key[0]
    if shown.key != session.key(document):
        session.touch(document)
    if params.previous_result_id is not None and params.previous_result_id == document.result_id:
        return types.RelatedUnchangedDocumentDiagnosticReport(result_id=document.result_id)
    return types.RelatedFullDocumentDiagnosticReport(items=items, result_id=document.result_id)


async def _diagnostics(
    session: Session, document: Document, shown: Shown
) -> list[types.Diagnostic]:
    root, view = document.root, shown.view
    if root is None:
        return []
    failures = failed_tests.failures_in(session, root, document.path)
    if view is None and not failures:
        return []
    settings = root.settings.diagnostics

    def work() -> list[types.Diagnostic]:
        failed = failed_tests.diagnostics_of(failures, shown.lines, session.capabilities)
        if view is None:
            return failed
        patch = view.patch.lines if view.patch is not None else ()
        marks, missing, uri = view.marks, view.missing, document.uri
        found = diagnostics_of(
            marks, missing, shown.lines, uri, settings, session.capabilities, patch=patch
        )
        return failed + found

    return await session.in_thread(work)


def diagnostics_of(
    marks: Sequence[Mark],
    missing: Sequence[Mark],
    lines: Sequence[str],
    uri: str,
    settings: DiagnosticsSettings,
    capabilities: Capabilities,
    *,
    patch: Sequence[LineRange] = (),
) -> list[types.Diagnostic]:
    """The diagnostics of a file's marks and missing blocks, in the order of its lines.

    Only what is true of the text on screen gets one, or what may be (`stale`): an edited line has
    none. A block of which some lines are the patch's is cut where the severity changes.
    """
    if not settings.enable:
        return []
    found: list[types.Diagnostic] = []
    encoding = capabilities.encoding
    severity = _SEVERITIES[settings.severity]
    lost_severity = _SEVERITIES[settings.lost_severity or settings.severity]
    patch_severity = _SEVERITIES[settings.patch_severity or settings.severity]
    if settings.patch_severity is None:
        patch = ()
    for block, of_patch in (part for whole in missing for part in split(whole, patch)):
        if block.freshness is Freshness.FRESH:
            message, code = _uncovered(block), UNCOVERED
            if block.lost is not None:
                message, code = f"{message} {lost_words(block.lost)}", LOST
            diagnostic = _diagnostic(lines, (block.start, block.end), code, message, encoding)
            if of_patch:
                diagnostic.severity = patch_severity
            found.append(diagnostic)
        elif block.freshness is Freshness.UNVERIFIED and settings.stale:
            message = f"{_uncovered(block)} {NOT_VERIFIED}"
            found.append(_diagnostic(lines, (block.start, block.end), STALE, message, encoding))
    for mark in marks if settings.partial else ():
        if mark.state is not State.PARTIAL:
            continue
        words = "\n".join(missed_words(mark, branch) for branch in mark.branches)
        if mark.freshness is Freshness.UNVERIFIED and settings.stale:
            message = f"{words}\n{NOT_VERIFIED}"
            code = STALE
        elif mark.freshness is Freshness.FRESH:
            lost = any(branch.lost for branch in mark.branches)
            message, code = words, LOST if lost else PARTIAL_BRANCH
        else:
            continue
        diagnostic = _diagnostic(lines, (mark.start, mark.end), code, message, encoding)
        if code != STALE and any(of_patch for _, of_patch in split(mark, patch)):
            diagnostic.severity = patch_severity
        if capabilities.related_information:
            diagnostic.related_information = _targets(mark, lines, uri, encoding) or None
        found.append(diagnostic)
    for diagnostic in found:
        if diagnostic.code == LOST:
            # Where it is the patch's as well, the louder setting counts: 1 is an error.
            diagnostic.severity = min(lost_severity, diagnostic.severity or lost_severity)
        else:
            diagnostic.severity = diagnostic.severity or severity
    found.sort(key=lambda diagnostic: diagnostic.range.start.line)
    return found


def _uncovered(block: Mark) -> str:
    if block.start == block.end:
        return "No test runs this line."
    return f"No test runs lines {block.start} to {block.end}."


def _diagnostic(
    lines: Sequence[str], block: LineRange, code: str, message: str, encoding: Encoding
) -> types.Diagnostic:
    where = lines_range(lines, *block, encoding)
    return types.Diagnostic(range=where, message=message, code=code, source=SOURCE)


def _targets(
    mark: Mark, lines: Sequence[str], uri: str, encoding: Encoding
) -> list[types.DiagnosticRelatedInformation]:
    return [
        types.DiagnosticRelatedInformation(
            location=types.Location(
                uri=uri, range=lines_range(lines, branch.target, branch.target, encoding)
            ),
            message=f"Never reached from line {mark.start}",
        )
        for branch in mark.branches
        if branch.target is not None and branch.target <= len(lines)
    ]


def _publish(
    session: Session, document: Document, items: list[types.Diagnostic], version: int | None
) -> None:
    session.server.text_document_publish_diagnostics(
        types.PublishDiagnosticsParams(
            uri=document.uri,
            diagnostics=items,
            version=version if session.capabilities.diagnostics_version else None,
        )
    )
