"""The measured text of each file that is looked at, and what of it ran."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from covls.adapters.analyst import Analysts
from covls.adapters.measured_sources import MeasuredSource
from covls.adapters.source import Unreadable, read_source, source_text
from covls.core.analysis import Analysis, NotAnalysed
from covls.core.coverage import FileCoverage, Measured, cover
from covls.core.lines import split_lines
from covls.core.lost import NOTHING_LOST, Losses
from covls.core.marks import Marking
from covls.core.plausible import lines_can_run
from covls.core.statements import Text
from covls.project.measurement import Measurement
from covls.project.on_disk import OnDisk, Stamp, analyse_on_disk, stamp_of

FILES_KEPT = 64
"""Files whose coverage is kept at hand: what a person has open, and some more."""


@dataclass(frozen=True)
class MeasuredFile:
    """What is known of one file: its coverage, and the text it is true of."""

    measured_path: str
    coverage: FileCoverage
    ran: frozenset[int]
    """Its executed lines, as the data have them."""
    text: Text
    verified: bool
    stamp: Stamp | None
    """How the file on disk looked, None where it has another text."""
    origin: str = ""
    """Where the text is from where it is not the one on disk."""
    losses: Losses = NOTHING_LOST
    """What the runs before covered of it, and this one does not."""

    @cached_property
    def marking(self) -> Marking:
        """Its marks on one text after another."""
        return Marking(self.coverage, verified=self.verified, losses=self.losses)


class MeasuredFiles:
    """The files of one measurement, as these analysts see them; made anew for other ones.

    `read` is what was read of the data already, by measured path; each is used once, and let go.

    Thread-safe: `_lock` guards what is kept of files, and why others have no coverage. Two threads
    that ask for the same file at once may both find it.
    """

    def __init__(
        self, measurement: Measurement, analysts: Analysts, read: Mapping[str, Measured]
    ) -> None:
        self.measurement = measurement
        self.analysts = analysts
        self._read = dict(read)
        self._lock = threading.Lock()
        self._kept: OrderedDict[Path, MeasuredFile] = OrderedDict()
        self._failures: dict[Path, str] = {}

    def find(self, path: Path) -> MeasuredFile | None:
        """What is known of a file, by its real path.

        None where the data has nothing on it, or it cannot be read or analysed: `failures` tells
        of the latter.
        """
        measured_path = self.measurement.measured_paths.get(path)
        if measured_path is None:
            return None
        kept = self.at_hand(path)
        stamp = stamp_of(path)
        if kept is not None and (kept.verified or kept.stamp == stamp):
            return kept
        found = self._find(path, measured_path, stamp)
        if isinstance(found, str):
            self.fail(path, found)
            return None
        if found.verified:
            losses = self.measurement.previous.losses(
                measured_path, found.coverage, found.text, self.analyser(path)
            )
            found = replace(found, losses=losses)
        with self._lock:
            self._failures.pop(path, None)
            self._kept[path] = found
            self._kept.move_to_end(path)
            while len(self._kept) > FILES_KEPT:
                self._kept.popitem(last=False)
        return found

    def at_hand(self, path: Path) -> MeasuredFile | None:
        """What is known of a file that was looked at lately."""
        with self._lock:
            return self._kept.get(path)

    def forget(self, path: Path) -> None:
        """Drop what is kept for a file that is no longer on screen."""
        with self._lock:
            self._kept.pop(path, None)
        measured_path = self.measurement.measured_paths.get(path)
        if measured_path is not None:
            self.measurement.tests.forget(measured_path)

    @property
    def failures(self) -> dict[Path, str]:
        """Why files have no coverage."""
        with self._lock:
            return dict(self._failures)

    def fail(self, path: Path, reason: str) -> None:
        """Note why a file has no coverage."""
        with self._lock:
            self._failures[path] = reason

    def sources(self) -> Iterator[tuple[str, bytes | None]]:
        """The source of each measured Python file that is here, by measured path.

        None where it is not known surely enough to be told to others.
        """
        data = self.measurement
        for measured_path, local in data.located.found.items():
            if data.snapshot.tracer(measured_path):
                continue
            path, measured = Path(local), data.snapshot.measured(measured_path)
            if data.is_surely_measured(stamp_of(path)):
                # Who reads it looks at all that ran; here it need not be analysed for that.
                content = read_source(path)
                if not isinstance(content, Unreadable) and max(measured.lines, default=0) <= len(
                    split_lines(source_text(content))
                ):
                    yield measured_path, content
                    continue
            found = data.sources.elsewhere(path, measured_path, measured, self.analyser(path))
            yield measured_path, found.content if found and not found.doubtful else None

    def _find(self, path: Path, measured_path: str, stamp: Stamp | None) -> MeasuredFile | str:
        """The measured text of a file and its coverage, or why there is none.

        The text is, in this order: what was recorded beside the data; the file on disk, where it
        was not modified since the data was written; what the ledger kept; what git has. Where
        there is none of these, what is on disk is shown unverified.
        """
        data = self.measurement
        measured = self._read.pop(measured_path, None) or data.snapshot.measured(measured_path)
        analyse = self.analyser(path)
        # Of a file that a plugin measured only the plugin knows what could run, and asks the disk.
        tracer = data.snapshot.tracer(measured_path)
        source: MeasuredSource | None = None
        if not tracer:
            source = data.sources.beside(measured_path, measured, analyse)
        disk: OnDisk | str | None = None
        if source is None and data.is_surely_measured(stamp):
            disk = analyse_on_disk(self.analysts, path, tracer)
            if isinstance(disk, OnDisk) and lines_can_run(disk.analysis, measured):
                return _as_on_disk(disk, measured_path, measured, stamp, tracer, verified=True)
        if source is None and not tracer:
            source = data.sources.elsewhere(path, measured_path, measured, analyse)
        if source is not None:
            on_disk = read_source(path) == source.content
            return MeasuredFile(
                measured_path,
                cover(source.analysis, measured),
                measured.lines,
                Text(split_lines(source_text(source.content)), doubtful=source.doubtful),
                True,
                stamp if on_disk else None,
                "" if on_disk else source.origin,
            )
        disk = disk or analyse_on_disk(self.analysts, path, tracer)
        if isinstance(disk, str):
            return disk
        return _as_on_disk(disk, measured_path, measured, stamp, tracer, verified=False)

    def analyser(self, path: Path) -> Callable[[bytes], Analysis | None]:
        """Says what could run in a source of this file, None where it cannot be analysed."""

        def analyse(source: bytes) -> Analysis | None:
            analysis = self.analysts.analyse(path, source)
            return None if isinstance(analysis, NotAnalysed) else analysis

        return analyse


def _as_on_disk(
    disk: OnDisk,
    measured_path: str,
    measured: Measured,
    stamp: Stamp | None,
    tracer: str,
    *,
    verified: bool,
) -> MeasuredFile:
    """A file on disk as what was measured, or, where it is not `verified`, what may have been."""
    return MeasuredFile(
        measured_path,
        cover(disk.analysis, measured),
        measured.lines,
        Text(split_lines(source_text(disk.content)), python=not tracer),
        verified,
        stamp,
    )
