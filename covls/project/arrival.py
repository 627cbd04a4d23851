"""What of a root's data is on show, and when newer data takes its place."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from covls.adapters.data_file import (
    DataFileError,
    DataFileProblem,
    Fingerprint,
    Snapshot,
    fingerprint,
    read_snapshot,
)
from covls.adapters.runs import RunFinder
from covls.core.arrival import MOVING, Digest, Hold, Run, Waiting, decide, decide_unread
from covls.core.coverage import Measured
from covls.project.measured_files import MeasuredFiles
from covls.project.measurement import measurement
from covls.project.on_disk import stamp_of
from covls.project.setup import Setup

if TYPE_CHECKING:
    # What has to do with what was pulled is imported where there may be any: no gate looks for it.
    from covls.adapters.pulled_data import PulledData

LOOK_AGAIN = 1.0
"""Seconds until data that could not be read is tried again, where that may pass by itself."""

SECONDS_TO_RECORD = 2.0
"""How long closing waits for sources that are being kept; what is not done then is left out."""

NOTHING_THERE = (DataFileProblem.MISSING, DataFileProblem.EMPTY)


class State(StrEnum):
    """What a root's data is worth at the moment."""

    OK = "ok"
    NO_DATA = "noData"
    RUNNING = "running"
    STALE = "stale"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Status:
    """A root's state, with one sentence for people where there is something to say."""

    state: State
    message: str = ""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a look at the data brought: something new to show, and when to look again (seconds)."""

    changed: bool
    again_in: float | None = None


class Arrival:
    """What is on show of one root's data, until newer data takes its place.

    Thread-safe. `_looking` lets one thread at a time look at the data, or replace the set-up that
    it looks with, and guards all that is remembered from one look to the next. `files` and `status`
    are read without it: each is replaced as a whole, so that a thread that took one can go on
    with it.
    """

    def __init__(self, root: Path, setup: Setup) -> None:
        self.files: MeasuredFiles | None = None
        """The files of the data on show, None before any was read."""
        self.status = Status(State.NO_DATA)
        """What the data on show is worth."""
        self._root = root
        self._setup = setup
        self._looking = threading.RLock()
        self._runs = RunFinder(root)
        self._held: Snapshot | None = None
        """Data that was read and not shown yet, as its run has not ended."""
        self._compared: tuple[Snapshot, Mapping[str, Measured]] | None = None
        """What was read of the data that was last compared with what is on show."""
        self._waiting = False
        self._seen: Fingerprint | None = None
        self._changed_at = 0.0
        self._shown_at = 0.0
        """When what is on show came to be, by the system's clock."""
        self._written_at_most = float("inf")

    def use(self, setup: Setup) -> None:
        """Go by another set-up; the data is looked at afresh, and what is on show analysed anew."""
        with self._looking:
            self._setup = setup
            self._seen = None
            if self.files is not None:
                self.files = MeasuredFiles(self.files.measurement, setup.analysts, {})

    def load(self) -> None:
        """Show the data as it is now, for one look at it: nothing was on show that could flicker.

        If a test run is under way, the data may be part of what it will be; the status says so.
        """
        with self._looking:
            pulled = self._pulled_instead(fingerprint(self._setup.configuration.data_file))
            if pulled is not None:
                self._show_pulled(pulled)
                return
            candidate, failure = self._read()
            if candidate is None:
                there = failure is not None and failure.kind not in NOTHING_THERE
                self._settle(Status(State.ERROR if there else State.NO_DATA, str(failure)), None)
                return
            self._show(candidate)
            if self._runs.look(self._setup.configuration.data_file).alive:
                message = "A test run is under way; its data may not be complete yet."
                self._settle(Status(State.RUNNING, message), None)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Have nobody look at the data while a run of covls's own writes them and takes them over:
        they would be taken for another's.
        """
        with self._looking:
            yield

    def take_over(self) -> None:
        """Show the data that a run of covls's own has just written: they are whole."""
        with self._looking:
            candidate, failure = self._read()
            if candidate is None:
                self._settle(Status(State.ERROR, str(failure)), None)
                return
            self._seen = candidate.fingerprint
            self._written_at_most = float("inf")
            self._show(candidate)
            self._record()

    def refresh(self, on_screen: Sequence[Path]) -> Refreshed:
        """Look at the data file, and show what is new unless a test run is in the middle of it.

        `on_screen` are the files that must not flicker: data in which lines of theirs got lost
        is held back until the run that writes it has ended.
        """
        with self._looking:
            return self._refresh(on_screen)

    def close(self) -> None:
        """Let go of the data."""
        files = self.files
        if files is not None:
            files.measurement.sources.finish(SECONDS_TO_RECORD)
        self.files = None

    def _refresh(self, on_screen: Sequence[Path]) -> Refreshed:
        data_file = self._setup.configuration.data_file
        seen = fingerprint(data_file)
        pulled = self._pulled_instead(seen)
        if pulled is not None:
            self._seen = seen
            return self._show_pulled(pulled)
        unsettled = self._waiting or self.status.state is State.ERROR
        if seen == self._seen and not unsettled:
            return Refreshed(False)
        now = time.monotonic()
        if seen != self._seen:
            self._note_change(seen, now)
        self._seen = seen
        quiet = now - self._changed_at
        run = self._runs.look(data_file)
        # What was pulled gives way to what was measured here, whatever is in either.
        shown = None if self._shown_pulled() else self._shown()
        if shown is not None and seen == shown.fingerprint:
            self._held = None
            return self._settle(Status(State.OK), None)
        if hold := decide_unread(run, quiet):
            return self._hold(hold, run)
        candidate, failure = self._read(seen)
        if failure is not None and failure.kind not in NOTHING_THERE:
            if run.alive:
                return self._hold(Hold(Waiting.RUNNING, LOOK_AGAIN), run)
            again = LOOK_AGAIN if failure.kind is DataFileProblem.BUSY else None
            return self._settle(Status(State.ERROR, str(failure)), again)
        decision = decide(
            None if shown is None else self._digest(shown, on_screen),
            None if candidate is None else self._digest(candidate, on_screen),
            run,
            quiet,
            self._setup.settings.watch.settle,
        )
        if isinstance(decision, Hold):
            self._held = candidate
            return self._hold(decision, run, str(failure or ""))
        assert candidate is not None, "only data that was read is shown"
        self._show(candidate, unfinished=decision.unfinished)
        self._record()
        return Refreshed(True)

    def _shown(self) -> Snapshot | None:
        return None if self.files is None else self.files.measurement.snapshot

    def _shown_pulled(self) -> "PulledData | None":
        """Where the data on show is from, if it was pulled."""
        return None if self.files is None else self.files.measurement.pulled

    def _pulled_instead(self, own: Fingerprint) -> "PulledData | None":
        """What was pulled, where that is to be shown and not the project's own data.

        By the setting `share.show`. A test run takes the project's own data away before it writes
        them anew: where they were on show, they stay there, unless something was pulled since.
        """
        show = self._setup.settings.share.show
        if show == "never":
            return None
        from covls.adapters.pulled_data import find_pulled

        pulled = find_pulled(self._root)
        if pulled is None or show == "always":
            return pulled
        written = [stamp.mtime_ns / 1e9 for stamp in own.files if stamp.size]
        if written:
            return pulled if show == "newer" and pulled.at > max(written) else None
        own_on_show = self.files is not None and not self._shown_pulled()
        return None if own_on_show and pulled.at < self._shown_at else pulled

    def _show_pulled(self, pulled: "PulledData") -> Refreshed:
        """Show what was pulled, and say where it is from."""
        from covls.adapters.ancestors import commits_since

        status = Status(State.OK, pulled.sentence(commits_since(self._root, pulled.commit)))
        if self._shown_pulled() == pulled:
            return self._settle(status, None)
        try:
            snapshot = read_snapshot(pulled.data_file, root=self._root, relative_files=True)
        except DataFileError as error:
            return self._settle(Status(State.ERROR, str(error)), None)
        self._show(snapshot, pulled=pulled)
        self._settle(status, None)
        return Refreshed(True)

    def _read(
        self, seen: Fingerprint | None = None
    ) -> tuple[Snapshot | None, DataFileError | None]:
        """The data, or why there is none; what was `seen` and held back need not be read again."""
        if self._held is not None and self._held.fingerprint == seen:
            return self._held, None
        configuration = self._setup.configuration
        try:
            snapshot = read_snapshot(
                configuration.data_file,
                root=self._root,
                paths=configuration.paths,
                relative_files=configuration.relative_files,
            )
        except DataFileError as error:
            return None, error
        return snapshot, None

    def _note_change(self, seen: Fingerprint, now: float) -> None:
        """Remember when the data last changed, and from when on sources may have been measured."""
        first_look = self._seen is None
        age = max(0.0, time.time() - max((f.mtime_ns for f in seen.files), default=0) / 1e9)
        # The clock of the file's time need not be ours, and a file that took the place of another
        # may be old: it tells no more than that the data do not move just now.
        self._changed_at = now - (age if first_look else min(age, MOVING))
        if not first_look and not self._waiting:
            # A source that is saved from here on, while the run goes on, is not surely the one
            # that the run imported.
            self._written_at_most = time.time()

    def _hold(self, decision: Hold, run: Run, nothing: str = "") -> Refreshed:
        """Keep what is on show. `nothing` says what is wrong where there is no data."""
        if decision.reason is Waiting.NO_DATA:
            return self._settle(Status(State.NO_DATA, nothing), decision.again_in)
        self._waiting = True
        if decision.reason is Waiting.SETTLING:
            # Most likely all is well in a moment, so nobody needs to be told.
            return Refreshed(False, decision.again_in)
        changed = self.status.state is not State.RUNNING
        message = f"{run.name or 'A test run'} is under way; coverage is that of the last run."
        self.status = Status(State.RUNNING, message)
        return Refreshed(changed, decision.again_in)

    def _settle(self, status: Status, again_in: float | None) -> Refreshed:
        self._waiting = again_in is not None
        changed, self.status = status != self.status, status
        return Refreshed(changed, again_in)

    def _show(
        self, snapshot: Snapshot, *, unfinished: bool = False, pulled: "PulledData | None" = None
    ) -> None:
        data = measurement(
            self._root,
            snapshot,
            self._setup,
            written_at_most=self._written_at_most,
            unfinished=unfinished,
            before=None if self.files is None else self.files.measurement,
            pulled=pulled,
        )
        compared_with, read = self._compared or (None, {})
        read = read if compared_with is snapshot else {}
        self.files = MeasuredFiles(data, self._setup.analysts, read)
        self._held = self._compared = None
        self._shown_at = time.time()
        self._settle(Status(State.OK), None)

    def _record(self) -> None:
        """Keep what the data on show measured, and the sources of it, in the background."""
        assert self.files is not None, "it was just shown"
        self.files.measurement.record()

    def _digest(self, snapshot: Snapshot, on_screen: Sequence[Path]) -> Digest:
        lines: dict[str, frozenset[int]] = {}
        # What is compared now is viewed next, if it is shown.
        read: dict[str, Measured] = {}
        is_shown = snapshot is self._shown()
        for path in on_screen:
            known = None if self.files is None else self.files.at_hand(path)
            if known is None or not known.verified or known.stamp != stamp_of(path):
                continue  # Its text has changed, so its lines are expected to.
            if is_shown:
                lines[known.measured_path] = known.ran
            elif known.measured_path in snapshot.paths:
                measured = read[known.measured_path] = snapshot.measured(known.measured_path)
                lines[known.measured_path] = measured.lines
        if not is_shown:
            self._compared = snapshot, read
        return Digest(
            files=snapshot.paths,
            contexts=frozenset(snapshot.contexts),
            parts=sum(part.path != snapshot.data_file for part in snapshot.parts),
            lines=lines,
        )
