"""`covls/fileCoverage`, one file's coverage, and `covls/didChangeCoverage`, that it changed."""

import operator
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from covls.core.marks import Mark
from covls.project import FileView, Project
from covls.server.convert import path_of, summary_of
from covls.server.messages import (
    DID_CHANGE_COVERAGE,
    BranchNotTaken,
    DidChangeCoverageParams,
    FileCoverageParams,
    FileCoverageResult,
    FunctionCoverage,
    LostLines,
    PatchCoverage,
)
from covls.server.session import Document, Session, Shown


async def file_coverage(session: Session, params: FileCoverageParams) -> FileCoverageResult | None:
    """One file's coverage on the lines of its text; null where there is none."""
    uri = params.text_document.uri
    viewed = await view_of(session, uri)
    if viewed is None:
        return None
    project, view, version = viewed
    precision = project.configuration.precision
    return await session.in_thread(result_of, uri, version, view, precision)


async def view_of(session: Session, uri: str) -> tuple[Project, FileView, int | None] | None:
    """A file as it is shown, open or not, and the version of its text; None where nothing is."""
    document = session.documents.get(uri)
    if document is not None:
        shown = await session.shown(document)
        project = document.root.project if document.root is not None else None
        if shown is None or shown.view is None or project is None:
            return None
        return project, shown.view, shown.version
    path = path_of(uri)
    if path is None:
        return None
    root = await session.root_of(path)
    if root.project is None or not session.enabled or not root.settings.enable:
        return None
    view = await session.in_thread(root.project.view, path)
    return None if view is None else (root.project, view, None)


async def show(session: Session, document: Document, shown: Shown) -> None:
    """Tell the client that it would get another answer than before, when it would."""
    view = shown.view
    now = view and (view.freshness, view.marks, view.coverage.totals, view.patch)
    if await session.in_thread(operator.ne, now, document.told) and not document.closed:
        document.told = now
        params = DidChangeCoverageParams(document.uri, shown.version)
        session.server.protocol.notify(DID_CHANGE_COVERAGE, params)


def result_of(uri: str, version: int | None, view: FileView, precision: int) -> FileCoverageResult:
    """A view as it is sent."""
    return FileCoverageResult(
        uri=uri,
        version=version,
        freshness=view.freshness.value,
        summary=summary_of(view.coverage.totals, precision),
        marks=marks_of(view.marks),
        functions=_functions(view, precision),
        branches=[
            BranchNotTaken(
                mark.start - 1,
                None if branch.target is None else branch.target - 1,
                branch.words,
                branch.lost is not None,
            )
            for mark in view.marks
            for branch in mark.branches
        ],
        lost=[
            LostLines(
                mark.start - 1,
                mark.end - 1,
                list(mark.lost.tests),
                datetime.fromtimestamp(mark.lost.at, UTC).isoformat(timespec="seconds"),
                mark.lost.last,
            )
            for mark in view.marks
            if mark.lost is not None
        ],
        patch=_patch(view, precision),
    )


def _patch(view: FileView, precision: int) -> PatchCoverage | None:
    patch = view.patch
    if patch is None:
        return None
    lines = [[first - 1, last - 1] for first, last in patch.lines]
    summary = summary_of(patch.totals.known, precision)
    return PatchCoverage(lines, summary, patch.totals.stale)


def marks_of(marks: Sequence[Mark]) -> list[list[Any]]:
    """Marks as first line, last line, state and freshness; 0-based."""
    return [[m.start - 1, m.end - 1, m.state.value, m.freshness.value] for m in marks]


def _functions(view: FileView, precision: int) -> list[FunctionCoverage]:
    """The functions and classes that were measured and are still there, where they are now."""
    return [
        FunctionCoverage(
            region.name,
            region.kind,
            region.start - 1,
            region.end - 1,
            region.freshness.value,
            summary_of(region.coverage.totals, precision),
        )
        for region in view.regions()
        if region.coverage is not None
    ]
