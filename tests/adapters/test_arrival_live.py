"""Real test runs in a real project, and what would be on show at each moment of them."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from covls.adapters.data_file import (
    DataFileError,
    Fingerprint,
    Snapshot,
    fingerprint,
    read_snapshot,
)
from covls.adapters.runs import RunFinder
from covls.adapters.watcher import DataWatcher
from covls.core.arrival import (
    RUN_UNKNOWN,
    Digest,
    Hold,
    Run,
    RunState,
    Show,
    Waiting,
    decide,
    decide_unread,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc: run it on Linux")

PATIENCE = 60.0

SOON = PATIENCE
"""Seconds within which what need not settle is on show, on a machine as busy as it gets."""

SETTLE = 10 * PATIENCE
"""Seconds that nothing is to be waited for: what had to settle would not be on show in time."""

LIBRARY = """\
def sign(number):
    if number > 0:
        return 1
    if number < 0:
        return -1
    return 0


def twice(number):
    return 2 * number


def never(number):
    return number
"""

# A test called `pause` stops in the middle until it is told to go on, with `sign` half covered.
TESTS = """\
import time
from pathlib import Path

import library


def test_1_positive():
    assert library.sign(1) == 1


def test_2_pause():
    here = Path(__file__).parent
    pause = here / "pause"
    if pause.exists():
        (here / "paused").touch()
        if seconds := pause.read_text():
            time.sleep(float(seconds))
        while not seconds and pause.exists():
            time.sleep(0.01)


def test_3_negative():
    assert library.sign(-1) == -1


def test_4_zero():
    assert library.sign(0) == 0


def test_5_twice():
    assert library.twice(2) == 4
"""

ALL_LINES = {1, 2, 3, 4, 5, 6, 9, 10, 13}
TWICE = {10}
HALF = {1, 2, 3, 9, 13}
IMPORTED = {1, 9, 13}

PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "pytest_cov")
CONTEXTS = (*PYTEST, "--cov=.", "--cov-branch", "--cov-context=test", "--cov-report=")


@dataclass
class Shown:
    """What came on show: when (monotonic), and which lines of library.py had run."""

    at: float
    lines: set[int]
    contexts: frozenset[str]
    unfinished: bool


@dataclass
class Screen:
    """The loop around watcher and decision, as a server has it, with a record of what it shows."""

    root: Path
    settle: float = SETTLE
    processes_seen: bool = True
    shown: list[Shown] = field(default_factory=list)
    waits: list[tuple[float, Waiting]] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.data_file = self.root / ".coverage"
        self._finder = RunFinder(self.root)
        self._changed = threading.Event()
        self._snapshot: Snapshot | None = None
        self._seen: Fingerprint | None = None
        self._changed_at = 0.0
        self._watcher = DataWatcher(self.data_file, self._changed.set)
        self._again_at: float | None = self._look()

    def follow(self, until: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Go on showing what arrives, until the condition holds."""
        deadline = time.monotonic() + patience
        while not until():
            now = time.monotonic()
            assert now < deadline, f"waited in vain; {self.shown=} {self.waits[-3:]=} {self.runs=}"
            again_in = 1.0 if self._again_at is None else max(0.0, self._again_at - now)
            changed = self._changed.wait(min(again_in, 0.02))
            if changed or (self._again_at is not None and time.monotonic() >= self._again_at):
                self._changed.clear()
                self._again_at = self._look()

    def follow_for(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        self.follow(lambda: time.monotonic() >= until)

    def close(self) -> None:
        self._watcher.close()

    @property
    def waiting(self) -> Waiting | None:
        """Why the view stays, None where what there is is on show."""
        if self.shown and self.shown[-1].at > (self.waits[-1][0] if self.waits else 0):
            return None
        return self.waits[-1][1] if self.waits else None

    def _look(self) -> float | None:
        now = time.monotonic()
        seen = fingerprint(self.data_file)
        if seen != self._seen:
            self._changed_at = now if self._seen is not None else now - self._watcher.quiet_for()
            self._seen = seen
        run = self._finder.look(self.data_file) if self.processes_seen else RUN_UNKNOWN
        if not self.runs or self.runs[-1] != run:
            self.runs.append(run)
        if self._snapshot is not None and self._snapshot.fingerprint == seen:
            return None
        quiet = now - self._changed_at
        decision: Show | Hold | None = decide_unread(run, quiet)
        candidate = None
        if decision is None:
            candidate = self._read()
            decision = decide(digest(self._snapshot), digest(candidate), run, quiet, self.settle)
        if isinstance(decision, Hold):
            self.waits.append((now, decision.reason))
            return None if decision.again_in is None else now + decision.again_in
        assert candidate is not None
        self._snapshot = candidate
        self.shown.append(
            Shown(
                time.monotonic(),
                set(lines_of_library(candidate)),
                frozenset(candidate.contexts),
                decision.unfinished,
            )
        )
        return None

    def _read(self) -> Snapshot | None:
        try:
            return read_snapshot(self.data_file, root=self.root)
        except DataFileError:
            return None


def lines_of_library(snapshot: Snapshot) -> frozenset[int]:
    return frozenset().union(
        *(
            snapshot.measured(path).lines
            for path in snapshot.paths
            if Path(path).name == "library.py"
        )
    )


def digest(snapshot: Snapshot | None) -> Digest | None:
    if snapshot is None:
        return None
    return Digest(
        files=frozenset(snapshot.paths),
        contexts=frozenset(snapshot.contexts),
        parts=sum(part.path != snapshot.data_file for part in snapshot.parts),
        lines={"library.py": lines_of_library(snapshot)},
    )


@dataclass
class Project:
    """A small project whose tests can be run."""

    root: Path
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start Python with these arguments in the root, with no plugins loaded on their own."""
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.root,
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.processes.append(process)
        return process

    def run(self, *arguments: str) -> None:
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, output

    def has_run(self, *arguments: str) -> None:
        """Run, and let an hour pass, in which it settles."""
        self.run(*arguments)
        hour_ago = time.time() - 3600
        for file in self.root.glob(".coverage*"):
            os.utime(file, (hour_ago, hour_ago))

    def pause(self, seconds: float | None = None) -> None:
        """Make the next run stop in its second test, until `go_on` or for so many seconds."""
        (self.root / "paused").unlink(missing_ok=True)
        (self.root / "pause").write_text("" if seconds is None else str(seconds))

    @property
    def paused(self) -> bool:
        return (self.root / "paused").exists()

    def go_on(self) -> None:
        (self.root / "pause").unlink()

    def delete_test(self, name: str) -> None:
        head, _, rest = TESTS.partition(f"def {name}():")
        _, _, tail = rest.partition("\n\n\n")
        (self.root / "test_library.py").write_text(head + tail)

    def configure(self, text: str) -> None:
        (self.root / ".coveragerc").write_text(textwrap.dedent(text))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    (tmp_path / "library.py").write_text(LIBRARY)
    (tmp_path / "test_library.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    project = Project(tmp_path)
    yield project
    for process in project.processes:
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def screen(project: Project) -> Iterator[Callable[..., Screen]]:
    made: list[Screen] = []

    def make(**options: object) -> Screen:
        made.append(Screen(project.root, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.close()


MakeScreen = Callable[..., Screen]


def ended(process: subprocess.Popen[str]) -> Callable[[], bool]:
    return lambda: process.poll() is not None


def lines(screen: Screen) -> list[set[int]]:
    return [shown.lines for shown in screen.shown]


def test_contexts_and_a_test_that_sleeps(project: Project, screen: MakeScreen) -> None:
    """Five seconds of quiet in the middle, with half of the data: nothing is repainted."""
    project.has_run(*CONTEXTS)
    on = screen()
    assert lines(on) == [ALL_LINES]

    project.pause(5.0)
    project.delete_test("test_5_twice")
    process = project.start(*CONTEXTS)
    on.follow(lambda: project.paused)
    half = digest(on._read())
    assert half is not None
    assert half.lines["library.py"] < ALL_LINES, "else there would be nothing to hold back"
    on.follow(ended(process))
    on.follow_for(0.5)
    assert lines(on) == [ALL_LINES, ALL_LINES - TWICE]
    assert {reason for _, reason in on.waits} <= {Waiting.RUNNING, Waiting.SETTLING}
    assert RunState.WRITING in {run.state for run in on.runs}


def test_the_same_where_processes_cannot_be_seen(project: Project, screen: MakeScreen) -> None:
    project.has_run(*CONTEXTS)
    on = screen(settle=6.0, processes_seen=False)
    project.pause(0.5)
    project.delete_test("test_5_twice")
    process = project.start(*CONTEXTS)
    on.follow(ended(process))
    assert lines(on) == [ALL_LINES]
    on.follow(lambda: len(on.shown) == 2)
    assert lines(on) == [ALL_LINES, ALL_LINES - TWICE]


def test_a_run_that_loses_nothing_is_shown_at_once_even_unseen(
    project: Project, screen: MakeScreen
) -> None:
    project.has_run(*CONTEXTS)
    on = screen(processes_seen=False)
    project.run(*CONTEXTS)
    on.follow(lambda: len(on.shown) == 2, patience=SOON)
    assert lines(on) == [ALL_LINES, ALL_LINES]


@pytest.mark.alone
@pytest.mark.parametrize("processes_seen", [True, False])
def test_coverage_run_without_contexts(
    processes_seen: bool, project: Project, screen: MakeScreen
) -> None:
    """It writes once, at its end: on show soon, whatever got lost, and without having to settle."""
    command = ("-m", "coverage", "run", *PYTEST)
    project.has_run(*command)
    on = screen(processes_seen=processes_seen)
    project.delete_test("test_5_twice")
    process = project.start(*command)
    on.follow(lambda: len(on.shown) == 2, patience=SOON)
    assert lines(on) == [ALL_LINES, ALL_LINES - TWICE]
    process.communicate()


def test_coverage_run_with_contexts_in_the_data_file_itself(
    project: Project, screen: MakeScreen
) -> None:
    project.configure("[run]\ndynamic_context = test_function\n")
    command = ("-m", "coverage", "run", *PYTEST)
    project.has_run(*command)
    on = screen()
    project.pause(2.0)
    project.delete_test("test_5_twice")
    process = project.start(*command)
    on.follow(ended(process))
    on.follow_for(0.5)
    assert lines(on) == [ALL_LINES, ALL_LINES - TWICE]


def test_contexts_switched_on_for_this_run(project: Project, screen: MakeScreen) -> None:
    """What it writes before its first test has no context yet, and looks whole."""
    project.has_run("-m", "coverage", "run", *PYTEST)
    project.configure("[run]\ndynamic_context = test_function\n")
    on = screen()
    project.pause(1.0)
    process = project.start("-m", "coverage", "run", *PYTEST)
    on.follow(ended(process))
    on.follow_for(0.5)
    assert lines(on) == [ALL_LINES, ALL_LINES]
    assert "test_library.test_1_positive" in on.shown[-1].contexts


def test_reports_after_the_data_is_whole(project: Project, screen: MakeScreen) -> None:
    """pytest-cov has combined its parts and writes reports, which may take minutes."""
    project.has_run(*CONTEXTS)
    on = screen()
    (project.root / "conftest.py").write_text(
        "from pathlib import Path\nimport time\n"
        "def pytest_unconfigure():\n"
        "    Path('reporting').touch()\n"
        "    while not Path('go on').exists(): time.sleep(0.01)\n"
    )
    project.pause(1.0)
    project.delete_test("test_5_twice")
    process = project.start(*CONTEXTS)
    on.follow(lambda: (project.root / "reporting").exists())
    on.follow(lambda: len(on.shown) == 2, patience=SOON)
    assert process.poll() is None
    assert lines(on) == [ALL_LINES, ALL_LINES - TWICE]
    (project.root / "go on").touch()
    process.communicate(timeout=PATIENCE)


@pytest.mark.parametrize("contexts", [(), ("--cov-context=test",)])
def test_xdist(contexts: Sequence[str], project: Project, screen: MakeScreen) -> None:
    """The parts of the workers appear one after another, and are combined in the end."""
    project.has_run(*CONTEXTS)
    on = screen()
    project.pause(1.0)
    project.delete_test("test_5_twice")
    process = project.start(
        *PYTEST, "-p", "xdist", "-n2", "--cov=.", "--cov-branch", "--cov-report=", *contexts
    )
    on.follow(ended(process))
    on.follow_for(0.5)
    assert lines(on) == [ALL_LINES, ALL_LINES - TWICE]


def test_parts_of_several_runs_are_combined_by_hand(project: Project, screen: MakeScreen) -> None:
    project.has_run("-m", "coverage", "run", "-p", *PYTEST, "-k", "not twice")
    on = screen()
    assert lines(on) == [ALL_LINES - TWICE]
    project.run("-m", "coverage", "run", "-p", *PYTEST, "-k", "twice")
    on.follow(lambda: len(on.shown) == 2)
    project.run("-m", "coverage", "combine")
    on.follow(lambda: len(on.shown) >= 3)
    on.follow_for(0.5)
    assert lines(on) == [ALL_LINES - TWICE, *[ALL_LINES] * (len(on.shown) - 1)]


def test_coverage_erase(project: Project, screen: MakeScreen) -> None:
    project.has_run(*CONTEXTS)
    on = screen(settle=3.0)
    process = project.start("-m", "coverage", "erase")
    on.follow(ended(process))
    # It may have come and gone between two looks; then it has to settle.
    on.follow(lambda: on.waiting is Waiting.NO_DATA)
    assert lines(on) == [ALL_LINES], "the last view stays"


def test_data_deleted_by_hand(project: Project, screen: MakeScreen) -> None:
    project.has_run(*CONTEXTS)
    on = screen(settle=1.0)
    (project.root / ".coverage").unlink()
    on.follow(lambda: on.waiting is Waiting.SETTLING)
    on.follow(lambda: on.waiting is Waiting.NO_DATA)
    assert lines(on) == [ALL_LINES]


def test_killed_in_the_middle(project: Project, screen: MakeScreen) -> None:
    """Half of the data is what there is now, and covls can tell why."""
    project.has_run(*CONTEXTS)
    on = screen()
    project.pause()
    process = project.start(*CONTEXTS)
    on.follow(lambda: project.paused)
    on.follow_for(1.0)
    assert lines(on) == [ALL_LINES]
    process.kill()
    process.wait()
    on.follow(lambda: len(on.shown) == 2, patience=SOON)
    assert on.shown[-1].lines == HALF
    assert on.shown[-1].unfinished


def test_killed_and_not_yet_missed(project: Project, screen: MakeScreen) -> None:
    """A dead process whose parent has not asked for it yet is still listed."""
    project.has_run(*CONTEXTS)
    on = screen()
    project.pause()
    process = project.start(*CONTEXTS)
    on.follow(lambda: project.paused and on.waiting is Waiting.RUNNING)
    process.kill()
    on.follow(lambda: len(on.shown) == 2, patience=SOON)


def test_interrupted_in_the_middle(project: Project, screen: MakeScreen) -> None:
    """Ctrl-C, like -x at a failure, makes recent versions of pytest-cov leave their part."""
    project.has_run(*CONTEXTS)
    on = screen()
    project.pause()
    process = project.start(*CONTEXTS)
    on.follow(lambda: project.paused)
    process.send_signal(signal.SIGINT)
    on.follow(ended(process))
    on.follow(lambda: len(on.shown) == 2, patience=SOON)
    assert on.shown[-1].lines == HALF
    assert on.shown[-1].unfinished is any(project.root.glob(".coverage.*"))


def test_branches_replaced_by_lines(project: Project, screen: MakeScreen) -> None:
    project.has_run(*CONTEXTS)
    on = screen(processes_seen=False)
    project.run(*(argument for argument in CONTEXTS if argument != "--cov-branch"))
    on.follow(lambda: len(on.shown) == 2, patience=SOON)
    assert lines(on) == [ALL_LINES, ALL_LINES]


def test_started_in_the_middle_of_a_run(project: Project, screen: MakeScreen) -> None:
    """With nothing on show yet, half of the data is still no good view."""
    project.pause()
    process = project.start(*CONTEXTS)
    deadline = time.monotonic() + PATIENCE
    while not project.paused and time.monotonic() < deadline:
        time.sleep(0.01)
    on = screen()
    on.follow_for(1.0)
    assert lines(on) == []
    assert on.waiting is Waiting.RUNNING
    project.go_on()
    on.follow(ended(process))
    on.follow_for(0.5)
    assert lines(on) == [ALL_LINES]


def test_data_restored_from_a_backup(project: Project, screen: MakeScreen) -> None:
    """Older than what it replaces, and with less in it."""
    data_file = project.root / ".coverage"
    project.run(*PYTEST, "--cov=.", "--cov-report=", "-k", "not twice")
    backup = data_file.read_bytes()
    project.has_run(*PYTEST, "--cov=.", "--cov-report=")
    on = screen()
    data_file.write_bytes(backup)
    os.utime(data_file, (1_000_000_000, 1_000_000_000))
    on.follow(lambda: len(on.shown) == 2, patience=SOON)
    assert lines(on) == [ALL_LINES, ALL_LINES - TWICE]


def test_tests_that_leave_the_folder(project: Project, screen: MakeScreen) -> None:
    """A run is recognised also while its tests work elsewhere."""
    project.has_run(*CONTEXTS)
    on = screen()
    (project.root / "conftest.py").write_text("import os\nos.chdir('/')\n")
    project.pause(1.0)
    process = project.start(*CONTEXTS, str(project.root))
    on.follow(ended(process))
    on.follow_for(0.5)
    assert lines(on) == [ALL_LINES, ALL_LINES]
