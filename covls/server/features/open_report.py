"""coverage.py's HTML report in the browser: the code action, and `covls.openReport`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from covls.adapters.html_report import HtmlReport, HtmlReportError
from covls.adapters.private_copy import DataFileError
from covls.server.convert import path_of
from covls.server.place import Place
from covls.server.progress import Progress, with_progress
from covls.server.root import Root
from covls.server.session import Session

COMMAND: Final = "covls.openReport"
KIND: Final = "covls.openReport"


async def actions(
    session: Session, place: Place, _context: types.CodeActionContext
) -> Sequence[types.CodeAction | types.Command]:
    """The report at this line."""
    title = "Open the HTML report at this line"
    command = types.Command(title=title, command=COMMAND, arguments=[place.uri, place.first - 1])
    if not session.capabilities.code_action_literals:
        return (command,)
    return (types.CodeAction(title=title, kind=KIND, command=command),)


async def open_report(session: Session, uri: str | None = None, line: int | None = None) -> None:
    """Begin to write the report of the root that a file or folder belongs to, to be opened then."""
    root, at = await _root(session, uri)
    if root.project is None:
        raise JsonRpcInvalidParams(f"{COMMAND}: there is no coverage of {uri or root.folder}")
    if root.reporting:
        session.inform("The HTML report is being written already.")
        return
    root.reporting = True
    session.spawn(_report(session, root, at, None if line is None else line + 1), "HTML report")


async def _root(session: Session, uri: str | None) -> tuple[Root, Path | None]:
    if uri is None:
        for folder in session.folders:
            await session.root_at_folder(folder)
        roots = tuple(session.roots.values())
        if len(roots) != 1:
            found = "there is no folder" if not roots else f"there are {len(roots)} folders"
            raise JsonRpcInvalidParams(f"{COMMAND}: {found} of coverage; name one by its URI")
        return roots[0], None
    path = path_of(uri)
    if path is None:
        raise JsonRpcInvalidParams(f"{COMMAND}: {uri!r} is not the URI of a file or folder")
    if await session.in_thread(path.is_dir):
        return await session.root_at_folder(path), None
    return await session.root_of(path), path


async def _report(session: Session, root: Root, at: Path | None, line: int | None) -> None:
    project = root.project
    assert project is not None, "the command has looked"

    async def write(progress: Progress) -> HtmlReport | None:
        def report(done: int, of: int) -> None:
            progress.report(done, of, "coverage.py is writing pages")

        return await session.in_thread(
            project.html_report,
            at=at,
            report=report,
            on_wait=lambda: progress.say("waiting for another process that writes it"),
            cancelled=progress.cancelled,
        )

    if not session.capabilities.progress:
        session.inform("coverage.py is writing the HTML report.")
    try:
        found = await with_progress(session, "Writing the HTML report", write)
    except (HtmlReportError, DataFileError) as error:
        session.warn(str(error))
        return
    finally:
        root.reporting = False
    if found is None:
        return
    for problem in found.problems:
        session.log_message(f"HTML report: {problem}")
    url = found.url(line)
    if not await session.show_document(url, external=True):
        session.inform(f"The HTML report is {url}")
