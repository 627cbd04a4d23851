"""`covls/projectCoverage`: the totals of a folder, or of all, and a row for each file."""

from collections.abc import Sequence

from covls.core.coverage import Totals
from covls.core.marks import Freshness
from covls.project import Project
from covls.server.convert import path_of, summary_of, uri_of
from covls.server.messages import FileRow, ProjectCoverageParams, ProjectCoverageResult
from covls.server.progress import Progress, with_progress
from covls.server.root import Root
from covls.server.session import Session

EVERY = 20
"""Files between two looks whether the work was cancelled."""


async def project_coverage(
    session: Session, params: ProjectCoverageParams | None
) -> ProjectCoverageResult | None:
    """What coverage.py's report would say; null for a folder that is none, or when cancelled."""
    folder = params.folder if params is not None else None
    token = params.work_done_token if params is not None else None
    roots = await roots_of(session, folder)
    if not roots:
        return None

    async def gather(progress: Progress) -> ProjectCoverageResult | None:
        totals = Totals()
        rows: list[FileRow] = []
        problems: list[str] = []
        for root in roots:
            if root.project is None:
                continue
            uri, source = session.folder_uri(root), root.source
            found = await session.in_thread(rows_of, root.project, uri, progress)
            if found is None:
                return None
            _keep(session, root, source, *found)
            totals += found[0]
            rows += found[1]
            problems += map(str, root.project.problems)
        project = roots[0].project
        precision = project.configuration.precision if project is not None else 0
        return ProjectCoverageResult(
            folders=[session.folder_uri(root) for root in roots],
            summary=summary_of(totals, precision),
            files=rows,
            problems=list(dict.fromkeys(problems)),
        )

    return await with_progress(session, "Reading coverage", gather, token)


async def roots_of(session: Session, folder: str | None) -> list[Root]:
    """The root of a folder, none if it is none; without a folder, all roots."""
    if folder is None:
        for known in session.folders:
            await session.root_at_folder(known)
        return list(session.roots.values())
    path = path_of(folder)
    if path is None or not await session.in_thread(path.is_dir):
        return []
    return [await session.root_at_folder(path)]


def _keep(
    session: Session, root: Root, source: object, totals: Totals, rows: Sequence[FileRow]
) -> None:
    """Tell the figures with the root's status, too, where they were not counted for it yet."""
    known = root.totals is not None and root.counted == source
    if source is not None and source == root.source and not known:
        root.counted = source
        root.totals = totals
        root.any_unverified = any(row.freshness != Freshness.FRESH.value for row in rows)
        session.tell_status(root)


def rows_of(
    project: Project, folder: str, progress: Progress
) -> tuple[Totals, list[FileRow]] | None:
    """Totals and rows of a root in the report's order; None if it was cancelled."""
    totals = Totals()
    rows: list[FileRow] = []
    files = project.files_to_report()
    precision = project.configuration.precision
    for number, report in enumerate(project.coverages(files), 1):
        if number % EVERY == 0:
            progress.report(number, len(files), report.file.name)
            if progress.cancelled.is_set():
                return None
        figures = report.coverage.totals
        totals += figures
        rows.append(
            FileRow(
                uri=uri_of(report.file.path),
                folder=folder,
                name=report.file.name,
                freshness=report.freshness.value,
                summary=summary_of(figures, precision),
            )
        )
    return totals, rows


def count(project: Project, progress: Progress) -> tuple[Totals, bool] | None:
    """Totals of a root, and whether any file is not the one measured; None if cancelled."""
    totals = Totals()
    stale = False
    files = project.files_to_report()
    for number, report in enumerate(project.coverages(files), 1):
        if number % EVERY == 0:
            progress.report(number, len(files), report.file.name)
        if progress.cancelled.is_set():
            return None
        totals += report.coverage.totals
        stale = stale or report.freshness is not Freshness.FRESH
    return totals, stale
