"""A place in a file that a command or a code action is about, with its coverage."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from covls.adapters.source import Unreadable, read_source, source_text
from covls.core.lines import split_lines
from covls.project import FileView, Project
from covls.server.convert import path_of
from covls.server.session import Session


@dataclass(frozen=True, slots=True)
class Place:
    """Some lines of a file, in the client's text where it has the file open."""

    uri: str
    path: Path
    version: int | None
    """None where the client does not have it open."""
    text: str
    lines: Sequence[str]
    view: FileView | None
    project: Project
    first: int
    last: int
    """First and last line, counted from 1."""


async def place_at(session: Session, uri: str, first: int, last: int) -> Place | None:
    """The place at lines that count from 1; None where there is no such file, or no project.

    Lines behind the end of the text are the last one.
    """
    document = session.documents.get(uri)
    path = document.path if document is not None else path_of(uri)
    if path is None:
        return None
    project = (await session.root_of(path)).project
    if project is None:
        return None
    if document is not None:
        shown = await session.shown(document)
        if shown is None:
            return None
        version, text, lines, view = shown.version, shown.text, shown.lines, shown.view
    else:
        source = await session.in_thread(read_source, path)
        if isinstance(source, Unreadable):
            return None
        version, text = None, source_text(source)
        lines, view = split_lines(text), await session.in_thread(project.view, path, text)
    end = len(lines)
    first, last = min(max(first, 1), end), min(max(last, 1), end)
    return Place(uri, path, version, text, lines, view, project, min(first, last), max(first, last))
