"""When coverage data that has just arrived is shown, and when the last good view stays.

A test run erases its data file when it starts and, if it records contexts, writes it again after
every test. Between the two the data is true of the tests that have run so far, and wrong about
the project: lines would turn from covered to uncovered and back. So data in which something got
lost is held back until the run that wrote it has ended, or, where processes cannot be seen, until
nobody has written for a while.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

#: How many seconds without a write a process may hold data back that only *looks* like a test run
#: (by its command line). Beyond that it is taken for something that idles, such as `pytest -f`.
IDLE_LOOKALIKE = 60.0

#: The same for a process that was seen writing this data. One test may well take minutes, and a
#: debugger may stand in the middle of it; but a process that writes once and then serves for days
#: must not hold the next run's data back for ever.
IDLE_WRITER = 1800.0

#: Data that changed less than this many seconds ago is not even read: a writer makes the file, its
#: tables and its rows one after another, and each of these states would look like lost coverage.
MOVING = 0.1

#: Seconds until the next look while data is held back: short, because the end of a run is noticed
#: only by looking, and looking at a process that is already known costs microseconds.
NEXT_LOOK = 0.2

#: The same when the run has been silent for longer than `SILENCE`: nobody waits at the screen.
NEXT_LOOK_IN_SILENCE = 1.0
SILENCE = 30.0


class RunState(StrEnum):
    """What is known about a test run that may be writing the data."""

    WRITING = "writing"  #: A process that has written this data is alive.
    ALIVE = "alive"  #: A process that looks like a test run of this root is alive.
    ENDED = "ended"  #: The data was last written while a run was seen, and that run is gone.
    UNSEEN = "unseen"  #: Processes can be seen, and none of them looks like a run of this root.
    UNKNOWN = "unknown"  #: Processes cannot be seen on this system.


@dataclass(frozen=True, slots=True)
class Run:
    """Evidence about test runs in one root, as `adapters.runs` finds it.

    `direct` says that a live run writes the data file itself, when it exits (`coverage run`), not
    parallel parts that it combines later, as pytest-cov does. `unfinished` says that a run which
    has ended left parts behind that it would have combined: it was stopped or killed. `name` is
    the run for people, such as "pytest (process 4711)", empty where none is known.
    """

    state: RunState
    direct: bool = False
    unfinished: bool = False
    name: str = ""

    @property
    def alive(self) -> bool:
        return self.state in (RunState.WRITING, RunState.ALIVE)

    def holds_at(self, quiet: float) -> bool:
        """Whether a run is alive and has not been silent (`quiet` seconds) for too long."""
        if self.state is RunState.WRITING:
            return quiet < IDLE_WRITER
        return self.state is RunState.ALIVE and quiet < IDLE_LOOKALIKE


#: Nothing can be known about test runs.
RUN_UNKNOWN = Run(RunState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Digest:
    """As much of a snapshot as it takes to see whether another one lost something.

    `files` are the measured paths and `contexts` the names of all contexts, "" included. `parts`
    is the number of parallel parts (`.coverage.*`) in it: 0 where the data file stands alone.
    `lines` are the executed lines of the files on screen whose text did not change since the
    snapshot on show was taken. It is lines even where branches were measured, so that data with
    branches and data without them compare.
    """

    files: frozenset[str]
    contexts: frozenset[str] = frozenset()
    parts: int = 0
    lines: Mapping[str, frozenset[int]] = field(default_factory=dict)

    @property
    def has_contexts(self) -> bool:
        """Whether anything was recorded under a name, as runs that write after every test do."""
        return not self.contexts <= {""}


def anything_lost(shown: Digest, candidate: Digest) -> bool:
    """Whether a file, a context or a line that `shown` has is missing in `candidate`.

    Lines of a file count only where both digests give them: where one does not, the file is not
    on screen any more or its text has changed, and nothing follows from the difference.
    """
    if shown.files - candidate.files or shown.contexts - candidate.contexts - {""}:
        return True
    return any(
        lines - candidate.lines[path]
        for path, lines in shown.lines.items()
        if path in candidate.lines
    )


class Waiting(StrEnum):
    """Why the last view stays."""

    RUNNING = "running"  #: A test run is under way.
    SETTLING = "settling"  #: The data changed, and it is not known whether more will come.
    NO_DATA = "no data"  #: There is no data (any more).


@dataclass(frozen=True, slots=True)
class Show:
    """Show the new data. `unfinished`: its run is known to have ended early."""

    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep what is on show, and look again in `again_in` seconds (None: when something changes)."""

    reason: Waiting
    again_in: float | None


def decide_unread(run: Run, quiet: float) -> Hold | None:
    """What can be decided without reading the data: None means "read it, then `decide`".

    While a process that writes the data is alive, its data is partial whatever is in it. Reading it
    would only cost time and touch a file that somebody is writing.
    """
    if quiet < MOVING:
        return Hold(Waiting.RUNNING if run.alive else Waiting.SETTLING, MOVING - quiet)
    if run.state is RunState.WRITING and run.holds_at(quiet):
        return Hold(Waiting.RUNNING, _next_look(quiet))
    return None


def decide(
    shown: Digest | None, candidate: Digest | None, run: Run, quiet: float, settle: float
) -> Show | Hold:
    """Whether `candidate` replaces `shown` now.

    `candidate` is None where there is no usable data (gone, erased, empty). `quiet` is the number
    of seconds since the data last changed, `settle` the number of quiet seconds after which data
    counts as whole where it cannot be seen who writes it.
    """
    if run.holds_at(quiet):
        blocked: Hold | None = Hold(Waiting.RUNNING, _next_look(quiet))
    elif run.state in (RunState.UNSEEN, RunState.UNKNOWN) and quiet < settle:
        blocked = Hold(Waiting.SETTLING, settle - quiet)
    else:
        blocked = None

    if candidate is None:
        if shown is None and not run.alive:
            return Hold(Waiting.NO_DATA, None)
        return blocked or Hold(Waiting.NO_DATA, None)
    if blocked is None or not _may_be_partial(shown, candidate, run):
        return Show(unfinished=run.state is RunState.ENDED and run.unfinished)
    return blocked


def _may_be_partial(shown: Digest | None, candidate: Digest, run: Run) -> bool:
    """Whether `candidate`, taken alone, may be half of what its run will write."""
    if shown is not None and not anything_lost(shown, candidate):
        return False
    if candidate.parts or candidate.has_contexts:
        # With nothing on show, nothing covered can turn into uncovered. Then only a run that is
        # there, or that could be there unseen, is worth the wait.
        return shown is not None or run.state is not RunState.UNSEEN
    # Data without contexts is written once, at the end. One thing looks the same: what ran at
    # import, which a run with contexts writes before its first test. Where contexts are on show,
    # that is likely; and `coverage run` costs nothing to wait for, as it exits once it has written.
    return shown is not None and (shown.has_contexts or (run.alive and run.direct))


def _next_look(quiet: float) -> float:
    return NEXT_LOOK if quiet < SILENCE else NEXT_LOOK_IN_SILENCE
