"""The skeleton of a test for an uncovered function, where the project would have it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from covls.adapters.source import Unreadable, read_source, source_text
from covls.adapters.test_framework import find_framework
from covls.adapters.test_place import TestPlace, find_test_place
from covls.core.settings import Settings
from covls.core.skeleton import Skeleton, target_at, write_test
from covls.project.view import FileView


@dataclass(frozen=True, slots=True)
class NewTest:
    """The skeleton of a test for a function, and the text of the file that it goes into."""

    function: str
    place: TestPlace
    existing: str
    skeleton: Skeleton


def new_test(
    root: Path,
    settings: Settings,
    view: FileView,
    text: str,
    line: int,
    open_texts: Mapping[Path, str],
) -> NewTest | str | None:
    """The skeleton of a test for the uncovered function at a line of the text viewed.

    `open_texts` are what editors have of files in the place of what is on disk. A string says
    why there can be none; None stands where no function is uncovered.
    """
    target = target_at(text, view.marks, line)
    if target is None:
        return None
    place = find_test_place(find_framework(root, settings), view.path)
    if isinstance(place, str):
        return place
    existing = open_texts.get(place.file, "")
    if place.exists and place.file not in open_texts:
        source = read_source(place.file)
        if isinstance(source, Unreadable):
            return source.reason
        existing = source_text(source)
    skeleton = write_test(target, place.module, place.style, existing, place.package)
    if skeleton is None:
        return f"{place.file} does not parse as it is, and would have the test"
    return NewTest(target.name, place, existing, skeleton)
