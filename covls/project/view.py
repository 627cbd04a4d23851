"""One file as an editor shows it: coverage of the measured text, laid on the text on screen."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from covls.adapters.data_file import Fingerprint
from covls.adapters.merge_base import NoText
from covls.adapters.source import Unreadable, read_source, source_text
from covls.core.changed_lines import changed_lines
from covls.core.coverage import FileCoverage
from covls.core.drift import LineMap, drift
from covls.core.lines import split_lines
from covls.core.marks import Freshness, Mark, missing_blocks
from covls.core.patch import FilePatch, file_patch, inside
from covls.core.statements import Text
from covls.project.measured_files import MeasuredFile, MeasuredFiles

if TYPE_CHECKING:
    from covls.core.placed_regions import PlacedRegion


class TextsBefore(Protocol):
    """What files were, as a patch is told against it."""

    def text(self, path: Path) -> Sequence[str] | NoText:
        """The lines of a file, by its real path; none of a file that is new."""
        ...


@dataclass(frozen=True, slots=True)
class FileView:
    """One file as an editor shows it. Its marks are on lines of the text that was asked about,
    its coverage is that of the text that was measured.
    """

    path: Path
    measured_path: str
    freshness: Freshness
    coverage: FileCoverage
    all_marks: tuple[Mark, ...]
    line_map: LineMap
    """From lines of the measured text to those of the text that was asked about."""
    data: Fingerprint
    """Which state of the data the coverage is of."""
    origin: str = ""
    """Where the measured text is from, for people; empty where it is the file's on disk."""
    patch: FilePatch | None = None
    """What was changed since the base; None where that was not asked for or is not known."""
    only_patch: bool = False
    """Whether nothing but the patch is to be shown."""

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The marks to show."""
        return self.patch.marks if self.only_patch and self.patch else self.all_marks

    @property
    def missing(self) -> list[Mark]:
        """The missing marks to show, those as one that coverage.py would write as one."""
        found = missing_blocks(self.all_marks)
        return inside(found, self.patch.lines) if self.only_patch and self.patch else found

    def measured_lines(self, first: int, last: int) -> list[int]:
        """The measured lines of the statements at lines `first` to `last` of the text viewed."""
        analysis = self.coverage.analysis
        firsts = {analysis.first_line(line) for line in self.line_map.measured(first, last)}
        return [line for first in firsts for line in range(first, analysis.last_line(first) + 1)]

    def shown_regions(self) -> "tuple[PlacedRegion, ...]":
        """The functions and classes to tell of: in the scope "patch", those that it touches."""
        patch = self.patch if self.only_patch else None
        return tuple(
            region
            for region in self.regions()
            if patch is None or patch.touches(region.start, region.end)
        )

    def regions(self) -> "tuple[PlacedRegion, ...]":
        """The functions and classes of the text that was asked about, by line."""
        from covls.core.placed_regions import placed_regions

        verified = self.freshness is not Freshness.UNVERIFIED
        return placed_regions(self.coverage, self.all_marks, self.line_map, verified=verified)


def view_file(
    files: MeasuredFiles,
    path: Path,
    text: str | None,
    base: TextsBefore | None,
    *,
    only_patch: bool = False,
) -> FileView | None:
    """The coverage of a file, by its real path, on the lines of `text` (None: of that on disk).

    With its patch where a `base` is given. None where the data has nothing on the file, or it
    cannot be read or analysed; the `failures` of `files` tell of the latter.
    """
    known = files.find(path)
    if known is None:
        return None
    if text is None:
        source = read_source(path)
        if isinstance(source, Unreadable):
            return None
        text = source_text(source)
    lines = split_lines(text)
    line_map = drift(known.text, Text(lines, python=known.text.python))
    found = known.marking.on(line_map)
    if not known.verified:
        freshness = Freshness.UNVERIFIED
    else:
        freshness = Freshness.EDITED if line_map.edited else Freshness.FRESH
    return FileView(
        path,
        known.measured_path,
        freshness,
        known.coverage,
        found,
        line_map,
        files.measurement.snapshot.fingerprint,
        known.origin,
        _patch(path, lines, known, line_map, found, base) if base is not None else None,
        only_patch,
    )


def _patch(
    path: Path,
    lines: Sequence[str],
    known: MeasuredFile,
    line_map: LineMap,
    found: Sequence[Mark],
    base: TextsBefore,
) -> FilePatch | None:
    before = base.text(path)
    if before is NoText.UNKNOWN:
        return None
    if before is NoText.IGNORED:
        return FilePatch()
    changes = changed_lines(before, lines)
    return file_patch(known.coverage, line_map, found, changes, verified=known.verified)
