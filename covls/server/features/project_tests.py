"""`covls/projectTests`: the recorded tests of a folder, or of all, and the files they reach."""

from pathlib import Path
from typing import Final

from covls.project import Project
from covls.server.convert import uri_of
from covls.server.features.project_coverage import roots_of
from covls.server.messages import FileTests, FolderTests, ProjectTestsParams
from covls.server.session import Session

MOST: Final = 100_000
"""Pairs of a file and a test that are told of one root, so that a large one takes no editor's
breath: files that fewer tests reach come first, which is where to know them helps most."""


async def project_tests(session: Session, params: ProjectTestsParams | None) -> list[FolderTests]:
    """The tests of each root whose data tells them apart."""
    found = []
    for root in await roots_of(session, params.folder if params is not None else None):
        if root.project is not None and root.project.tells_tests:
            # Asked for whenever the status is another, which it is while somebody types.
            source, kept = root.source, root.tests
            if kept is None or kept[0] != source:
                folder = session.folder_uri(root)
                kept = source, await session.in_thread(_tests_of, root.project, folder)
                root.tests = kept
            found.append(kept[1])
    return found


def _tests_of(project: Project, folder: str) -> FolderTests:
    by_file = project.tests_by_file()
    names = sorted({test for tests in by_file.values() for test in tests})
    places = {name: place for place, name in enumerate(names)}
    files = [
        FileTests(uri_of(path), [places[test] for test in tests])
        for path, tests in within(by_file, MOST).items()
    ]
    return FolderTests(folder, names, files)


def within(by_file: dict[Path, list[str]], most: int) -> dict[Path, list[str]]:
    """The files with tests, as many as have `most` tests together, those with few of them first."""
    found: dict[Path, list[str]] = {}
    left = most
    for path, tests in sorted(by_file.items(), key=lambda item: (len(item[1]), item[0])):
        left -= len(tests)
        if left < 0:
            break
        if tests:
            found[path] = tests
    return found
