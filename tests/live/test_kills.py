"""Whatever process of a run is killed, and when: the data file is whole, and the next run mends."""

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from covls.adapters.test_run import End
from covls.choosing import Request, Scope
from tests.live.comparison import LiveProject
from tests.live.projects import PROJECTS, Ran, full_run
from tests.processes import HERE, is_running_tests, processes_below, wait_until_gone

KILLS = int(os.environ.get("COVLS_KILLS", "5"))
CANCELS = max(2, KILLS // 4)
SEED = int(os.environ.get("COVLS_LIVE_SEED", "20261122"))

# What the edit touches is outside of functions in the one file, and in a test in the other.
EDITED = {
    "pkg/registry.py": ("LIMIT = 3", "# Moved.\n\nLIMIT = 4"),
    "tests/test_stream.py": ("def test_first():", "def test_other():"),
    "pkg/stream.py": ("        number += 1", "        number += 1 + 0\n        pass"),
}

pytestmark = pytest.mark.skipif(not HERE, reason="asks /proc for processes")


def wait_for_results(started: "subprocess.Popen[bytes]") -> None:
    """Until the tests have run, and what they brought is to be put into the data."""
    ran = False
    deadline = time.monotonic() + 120
    while started.poll() is None:
        assert time.monotonic() < deadline, "the tests do not end"
        now = is_running_tests(started.pid)
        if ran and not now:
            return
        ran = now
        time.sleep(0.01)


def integrity(data_file: Path) -> str:
    with contextlib.closing(sqlite3.connect(f"file:{data_file}?mode=ro", uri=True)) as database:
        return str(database.execute("PRAGMA integrity_check").fetchone()[0])


@dataclass
class Turning:
    """A project with two states, and what full runs of each give."""

    live: LiveProject
    truth: list[Ran]
    seconds: float
    """That a run of what is affected takes."""

    def turn(self, state: int) -> Ran:
        """Go from one state to the other; returns what the data file holds until the next run."""
        for name, (one, other) in EDITED.items():
            text = self.live.editor.text(name)
            old, new = (one, other) if state else (other, one)
            assert old in text
            (self.live.root / name).write_text(text.replace(old, new))
        return self.live.data()


@pytest.fixture
def turning(tmp_path: Path) -> Turning:
    live = LiveProject(PROJECTS["mini"], tmp_path, SEED)
    live.start()
    turning = Turning(live, [live.data()], 0.0)
    turning.turn(1)
    began = time.monotonic()
    live.run()
    turning.seconds = time.monotonic() - began
    turning.truth.append(full_run(live.project, live.root, live.scratch).data)
    assert live.data() == turning.truth[1]
    assert turning.truth[0] != turning.truth[1]
    return turning


def test_killed_at_any_moment(turning: Turning) -> None:
    live, chosen = turning.live, random.Random(SEED)
    seen = Counter[str]()
    for number in range(KILLS):
        truth = turning.truth[number % 2]
        before = turning.turn(number % 2)
        victim = chosen.choice(["covls", "covls after the tests", "some process of the run"])
        # covls's own start takes a moment more here than in this process.
        moment = chosen.uniform(0, 1.5 * turning.seconds + 1)
        if victim == "covls after the tests":
            moment = chosen.uniform(0, 0.2 * turning.seconds)
        started = subprocess.Popen(
            [sys.executable, "-m", "covls", "--trusted", "run", "--affected"],
            cwd=live.root,
            env={**os.environ, **live.project.environment(live.root)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if victim == "covls after the tests":
            wait_for_results(started)
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.wait(moment)
        below = processes_below(started.pid)
        of_run = victim == "some process of the run" and below
        target = chosen.choice(below) if of_run else started.pid
        with contextlib.suppress(ProcessLookupError):
            os.kill(target, signal.SIGKILL)
        started.wait(60)
        wait_until_gone(below, f"after kill {number} of {victim}")
        where = f"kill {number}: {victim} after {moment:.2f} s"
        assert integrity(live.root / ".coverage") == "ok", where
        now = live.data()
        seen[f"{victim}: {'old' if now == before else 'new' if now == truth else 'between'}"] += 1
        if target == started.pid:
            assert now in (before, truth), where
        live.run()
        assert live.data() == truth, where
        assert not [*live.root.glob(".coverage?*")], where
    print(f"{KILLS} kills; the data file held: {dict(seen)}")


def test_cancelled_at_any_moment(turning: Turning) -> None:
    live, chosen = turning.live, random.Random(SEED)
    for number in range(CANCELS):
        before = turning.turn(number % 2)
        moment = chosen.uniform(0, turning.seconds)
        with live.runner() as runner:
            choice = runner.choose(Request(Scope.AFFECTED))
            cancelled = threading.Event()
            timer = threading.Timer(moment, cancelled.set)
            timer.start()
            outcome = runner.run(choice, cancelled=cancelled)
            timer.join()
        where = f"cancelled after {moment:.2f} s"
        assert outcome.written is (outcome.result.end is End.FINISHED), where
        assert live.data() == (turning.truth[number % 2] if outcome.written else before), where
        live.run()
        assert live.data() == turning.truth[number % 2], where
