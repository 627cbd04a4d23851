"""The comments that exclude an uncovered block, proved by analysing the text with them."""

from pathlib import Path

from covls.core.analysis import NotAnalysed
from covls.core.exclusion import PRAGMA, Exclusion, exclusion_at, pragma_of
from covls.core.lines import split_lines
from covls.core.marks import missing_near
from covls.core.statements import Text
from covls.project.setup import Setup
from covls.project.view import FileView


def exclusion(
    root: Path, setup: Setup, view: FileView, text: str, first: int, last: int
) -> Exclusion | str | None:
    """What excludes the uncovered block at lines `first` to `last` of the text viewed.

    A string says why an uncovered block has none; None stands where nothing is uncovered.
    """
    current = Text(split_lines(text), python=view.line_map.before.python)
    if not current.python or not missing_near(view.marks, first, last):
        return None
    before = setup.analysts.analyse(view.path, text.encode(errors="replace"))
    if isinstance(before, NotAnalysed):
        return None
    comment = pragma_of(setup.configuration.exclude)
    found = exclusion_at(current, before, view.all_marks, first, last, comment or PRAGMA)
    if found is None:
        return None
    if comment is None:
        file = setup.configuration.file or root
        return f"no comment excludes lines here: the `exclude_lines` of {file} have no pragma"
    edited = "\n".join(found.applied(current.lines))
    after = setup.analysts.analyse(view.path, edited.encode(errors="replace"))
    if isinstance(after, NotAnalysed) or not found.holds(before, after):
        return f"no comment excludes {found.what} and nothing else"
    return found
