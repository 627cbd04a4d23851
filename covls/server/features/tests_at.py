"""`covls/testsAt`: the tests that reach a place in a file, and where they are written."""

from collections.abc import Iterable
from pathlib import Path

from lsprotocol import types

from covls.adapters.source import Unreadable, read_source, source_text
from covls.core.lines import LineRange, split_lines
from covls.core.test_names import Place, find_definition, named_in, places_of
from covls.project import FileView, Project
from covls.server.convert import Encoding, lines_range, path_of, uri_of
from covls.server.messages import TestAt, TestsAtParams
from covls.server.session import Session


async def tests_at(session: Session, params: TestsAtParams) -> list[TestAt] | None:
    """The tests that reach any of the lines of a range, sorted; null where nothing is known."""
    return await reaching(session, params.text_document.uri, *lines_of(params.range))


def lines_of(place: types.Range) -> LineRange:
    """The lines of a range, from 1. A selection of whole lines ends at the start of the next."""
    first, last = place.start.line + 1, place.end.line + 1
    if place.end.character == 0 and last > first:
        last -= 1
    return first, last


async def reaching(session: Session, uri: str, first: int, last: int) -> list[TestAt] | None:
    """The tests that reach any of some lines, sorted; None where nothing is known."""
    return await _found(session, uri, await names_at(session, uri, first, last))


async def reaching_what_begins(session: Session, uri: str, line: int) -> list[TestAt] | None:
    """The tests that reach the function or class which begins on a line, or else that line."""
    document = session.documents.get(uri)
    shown = await session.shown(document) if document is not None else None
    view = shown.view if shown is not None else None
    project = document.root.project if document is not None and document.root is not None else None
    if view is None or project is None:
        return await reaching(session, uri, line, line)
    names = await session.in_thread(_names_of_region, project, view, line)
    if names is None:
        return await reaching(session, uri, line, line)
    return await _found(session, uri, names)


def _names_of_region(project: Project, view: FileView, line: int) -> tuple[str, ...] | None:
    region = next((region for region in view.regions() if region.start == line), None)
    reached = project.reached(view)
    if region is None or region.measured is None or reached is None:
        return None
    return reached.names(region.measured.lines())


async def _found(session: Session, uri: str, names: tuple[str, ...] | None) -> list[TestAt] | None:
    """Tests with their places; None where nothing is known."""
    path = path_of(uri)
    if names is None or path is None:
        return None
    project = (await session.root_of(path)).project
    if project is None:
        return None
    return await session.in_thread(located, names, project.root, session.capabilities.encoding)


async def names_at(session: Session, uri: str, first: int, last: int) -> tuple[str, ...] | None:
    """The names of the tests that reach any of some lines; None where nothing is known."""
    document = session.documents.get(uri)
    path = document.path if document is not None else path_of(uri)
    if path is None:
        return None
    if document is not None:
        shown = await session.shown(document)
        text = shown.text if shown is not None else document.text
    else:
        text = None
    root = await session.root_of(path)
    project = root.project
    if project is None or project.snapshot is None or not project.snapshot.has_contexts:
        return None
    return named_in(await session.in_thread(project.tests_at, path, first, last, text))


def located(tests: Iterable[str], root: Path, encoding: Encoding) -> list[TestAt]:
    """Find where tests are written, reading each file once."""
    read: dict[Path, list[str] | None] = {}
    return [TestAt(test, _location(places_of(test), root, encoding, read)) for test in tests]


def _location(
    places: Iterable[Place], root: Path, encoding: Encoding, read: dict[Path, list[str] | None]
) -> types.Location | None:
    for file, steps in places:
        path = root / file
        if path not in read:
            source = read_source(path)
            if isinstance(source, Unreadable):
                read[path] = None
            else:
                read[path] = split_lines(source_text(source))
        lines = read[path]
        if lines is None:
            continue
        line = find_definition(lines, steps)
        if line is not None:
            return types.Location(uri=uri_of(path), range=lines_range(lines, line, line, encoding))
    return None
