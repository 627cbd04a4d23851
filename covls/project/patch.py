"""The coverage of all that was changed in a root since the base."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from covls.adapters.merge_base import Base
from covls.core.patch import FilePatch, PatchTotals
from covls.project.measured_files import MeasuredFiles
from covls.project.on_disk import stamp_of
from covls.project.report import ReportFile
from covls.project.view import TextsBefore, view_file


class Versions(TextsBefore, Protocol):
    """What files were at a base, and which of them are others by now."""

    def base(self) -> Base | str:
        """What is compared with, or why that is nothing, for people."""
        ...

    def generation(self) -> int:
        """A number that is another where the base may be another."""
        ...

    def changed(self, paths: Iterable[Path]) -> list[Path]:
        """Those of some files that have another content than at the base, or are new."""
        ...

    def path_before(self, path: Path) -> Path | None:
        """The path that a renamed file had; None for one that was not renamed."""
        ...


@dataclass(frozen=True, slots=True)
class PatchFile:
    """A file that the patch changes, with the coverage of what it changes."""

    file: ReportFile
    patch: FilePatch


@dataclass(frozen=True, slots=True)
class Patch:
    """All that was changed since the base, with its coverage."""

    base: Base
    files: tuple[PatchFile, ...]
    unknown: tuple[ReportFile, ...] = ()
    """Files that are changed, but it is not known where, or what of them is covered."""

    @property
    def totals(self) -> PatchTotals:
        """The figures of all files."""
        return sum((file.patch.totals for file in self.files), PatchTotals())


class Patches:
    """The patches against one base, which is asked anew each time.

    Thread-safe without a lock: what is kept is replaced as a whole, and can be made again.
    """

    def __init__(self, base: Versions) -> None:
        self.base = base
        self._kept: Mapping[Path, tuple[object, FilePatch | None]] = {}
        """The changed files by what their patch was made from."""

    def patch(
        self, files: MeasuredFiles, reported: Iterable[ReportFile], texts: Mapping[Path, str]
    ) -> Patch | None:
        """The coverage of what was changed in the `reported` files; None where no base is known.

        `texts` are those of files that have another one than on disk, by absolute path.
        """
        base = self.base.base()
        if isinstance(base, str):
            return None
        unsaved = {Path(os.path.realpath(path)): text for path, text in texts.items()}
        by_path = {file.path: file for file in reported}
        changed = {*self.base.changed([path for path in by_path if path not in unsaved]), *unsaved}
        found: list[PatchFile] = []
        unknown: list[ReportFile] = []
        made: dict[Path, tuple[object, FilePatch | None]] = {}
        for path, file in by_path.items():
            if path not in changed:
                continue
            text = unsaved.get(path)
            data = files.measurement.snapshot.fingerprint
            made_from = data, self.base.generation(), stamp_of(path), text
            kept = self._kept.get(path)
            if kept is None or kept[0] != made_from:
                view = view_file(files, path, text, self.base)
                kept = made_from, view.patch if view is not None else None
            made[path] = kept
            if kept[1] is None:
                unknown.append(file)
            elif kept[1].lines:
                found.append(PatchFile(file, kept[1]))
        self._kept = made
        return Patch(base, tuple(found), tuple(unknown))
