"""`covls/testsAt`: the tests that reach a place in a file, and where they are written."""

import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

from lsprotocol import types

from covls.adapters.local_files import local_python_files
from covls.adapters.source import Unreadable, read_source, source_text
from covls.core.lines import LineRange, split_lines
from covls.core.test_names import Place, find_definition, places_of
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
    names = await session.in_thread(project.tests_of_what_begins, view, line)
    if names is None:
        return await reaching(session, uri, line, line)
    return await _found(session, uri, names)


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
    shown = await session.shown(document) if document is not None else None
    project = (await session.root_of(path)).project
    if project is None or not project.tells_tests:
        return None
    if shown is None:
        return tuple(await session.in_thread(project.tests_at, path, first, last))
    if shown.view is None:
        return ()
    return tuple(await session.in_thread(project.tests_reaching, shown.view, first, last))


def located(tests: Iterable[str], root: Path, encoding: Encoding) -> list[TestAt]:
    """Find where tests are written, reading each file once."""
    files = _Files(root)
    return [TestAt(test, _location(places_of(test), files, encoding)) for test in tests]


class _Files:
    """The files of a root that tests may be in, looked for and read when first asked for."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read: dict[Path, list[str] | None] = {}

    def at(self, file: str) -> tuple[Path, ...]:
        """The file of that path, against the root."""
        return (self._root / file,)

    def ending(self, file: str) -> tuple[Path, ...]:
        """The files whose paths end so: tests are named against the folder that runs them."""
        end = os.sep + file.replace("/", os.sep)
        return tuple(path for path, text in self._all if text.endswith(end))

    @cached_property
    def _all(self) -> list[tuple[Path, str]]:
        return [(Path(text), text) for text in local_python_files(self._root)]

    def lines(self, path: Path) -> list[str] | None:
        """The lines of a file, None where it cannot be read."""
        if path not in self._read:
            source = read_source(path)
            if isinstance(source, Unreadable):
                self._read[path] = None
            else:
                self._read[path] = split_lines(source_text(source))
        return self._read[path]


def _location(places: Sequence[Place], files: _Files, encoding: Encoding) -> types.Location | None:
    """The one place at which a test is written; None where there is none, or several may be it."""
    for look in (files.at, files.ending):
        found: list[tuple[Path, list[str], int]] = []
        for file, steps in places:
            for path in look(file):
                lines = files.lines(path)
                line = None if lines is None else find_definition(lines, steps)
                if lines is not None and line is not None:
                    found.append((path, lines, line))
            if found:
                break
        if len(found) == 1:
            path, lines, line = found[0]
            return types.Location(uri=uri_of(path), range=lines_range(lines, line, line, encoding))
    return None
