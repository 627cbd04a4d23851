"""`covls/statements`: a file's statements one by one, and which of them ran, or ran in one test."""

from covls.core.marks import Freshness
from covls.core.placed_statements import placed_statements
from covls.project import FileView, Project
from covls.server.features.file_coverage import view_of
from covls.server.messages import MeasuredStatement, StatementsParams
from covls.server.session import Session


async def statements(session: Session, params: StatementsParams) -> list[MeasuredStatement] | None:
    """The statements that are as they were measured, on the lines of the file's text.

    None are, where the measured text is not known. Null where there is no coverage of the file,
    or, of a test, where tests were not recorded.
    """
    viewed = await view_of(session, params.text_document.uri)
    if viewed is None:
        return None
    project, view, _ = viewed
    return await session.in_thread(_statements, project, view, params.test)


def _statements(
    project: Project, view: FileView, test: str | None
) -> list[MeasuredStatement] | None:
    only = None
    if test is not None:
        reached = project.reached(view)
        if reached is None:
            return None
        only = reached.lines_of(test)
    if view.freshness is Freshness.UNVERIFIED:
        return []
    patch = view.patch.lines if view.only_patch and view.patch is not None else None
    return [
        MeasuredStatement(each.start - 1, each.end - 1, each.ran, each.branches, each.missed)
        for each in placed_statements(view.coverage, view.line_map, only)
        if patch is None or any(first <= each.end and each.start <= last for first, last in patch)
    ]
