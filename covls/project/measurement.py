"""One state of a root's data, with what is known around it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from covls.adapters.data_file import Snapshot
from covls.adapters.git import Git
from covls.adapters.interpreter import find_interpreter
from covls.adapters.ledger import Ledger, data_identity
from covls.adapters.measured_sources import MeasuredSources
from covls.adapters.previous_runs import PreviousRuns
from covls.adapters.run_store import RunStore
from covls.adapters.test_detail import DetailStore
from covls.core.paths import Located
from covls.project.location import locate_measured
from covls.project.on_disk import Stamp
from covls.project.recorded_tests import RecordedTests
from covls.project.setup import Setup

if TYPE_CHECKING:
    from covls.adapters.pulled_data import PulledData

MB_OF_RUNS = 64
"""Megabytes that what past runs ran may take, of all roots."""

FIRST_WITH_SYSMON = (3, 12)
"""The first Python whose runs coverage.py's sysmon core can have recorded."""


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """A snapshot, where its files are, the texts that were measured, and the runs before.

    It does not change, and its parts are thread-safe. Nobody closes it when newer data take its
    place, as another thread may be reading it: its snapshot closes itself when the last of them
    lets go.
    """

    snapshot: Snapshot
    written_at: float
    """When the data was written, at the latest that a measured source may have been saved; seconds
    since the epoch."""
    located: Located
    measured_paths: Mapping[Path, str]
    """The measured files that are here, by their real paths."""
    sources: MeasuredSources
    previous: PreviousRuns
    tests: RecordedTests
    pulled: "PulledData | None"
    """Where the data is from, if it is from elsewhere."""

    def is_surely_measured(self, stamp: Stamp | None) -> bool:
        """Whether a file has not been modified since the data was written."""
        return stamp is not None and stamp[0] <= self.written_at * 1e9

    def record(self) -> None:
        """Keep what was measured, and the sources of it, in the background.

        Not of data from elsewhere: what a run here covers is not compared with that.
        """
        if self.pulled:
            return
        files = {name: Path(local) for name, local in self.located.found.items()}
        self.sources.record(files, self.previous.record)


def measurement(
    root: Path,
    snapshot: Snapshot,
    setup: Setup,
    *,
    written_at_most: float,
    unfinished: bool,
    before: Measurement | None,
    pulled: "PulledData | None" = None,
) -> Measurement:
    """All that is to be known of data before it is shown.

    A source that was saved after `written_at_most` (seconds since the epoch) is not surely what was
    measured. `unfinished` says that its run is known to have ended early; `before` was on show.
    `pulled` is what the snapshot was read from, where it is from elsewhere.
    """
    # No file here was surely measured elsewhere, whatever the clocks say.
    written_at = 0.0 if pulled else min(snapshot.written_at, written_at_most)
    located = locate_measured(root, snapshot, setup.analysts)
    kept = setup.settings.ledger
    ledger = Ledger(max_mb=kept.max_mb, max_days=kept.max_days)
    store = DetailStore(root)

    def of_this_data() -> bool:
        about = store.about()
        return about is not None and about.data == data_identity(snapshot.fingerprint)

    detail = store.detail() if of_this_data() else None
    only_first = detail is None and _names_only_first_tests(root, snapshot, setup)
    return Measurement(
        snapshot,
        written_at,
        located,
        {Path(local): name for name, local in located.found.items()},
        MeasuredSources(
            root, snapshot, ledger, Git(root), written_at=written_at, pulled=pulled is not None
        ),
        PreviousRuns(
            root,
            snapshot,
            RunStore(max_mb=min(kept.max_mb, MB_OF_RUNS)),
            ledger,
            located.found,
            unfinished=unfinished,
            recorder=before.sources.recorder if before is not None else None,
            detail=detail,
            detail_holds=of_this_data,
        ),
        RecordedTests(snapshot, detail, only_first=only_first),
        pulled,
    )


def _names_only_first_tests(root: Path, snapshot: Snapshot, setup: Setup) -> bool:
    if not snapshot.only_first_tests:
        return False
    found = find_interpreter(root, setup.settings.python)
    version = found.version.split(".") if found is not None and found.version else []
    numbers = tuple(int(part) for part in version[:2] if part.isdecimal())
    return len(numbers) < len(FIRST_WITH_SYSMON) or numbers >= FIRST_WITH_SYSMON
