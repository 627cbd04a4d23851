"""Whatever process of a run is killed, and when: the data file is whole, and the next run mends."""

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.live.comparison import LiveProject
from tests.live.projects import PROJECTS, full_run

KILLS = int(os.environ.get("COVLS_KILLS", "5"))
SEED = int(os.environ.get("COVLS_LIVE_SEED", "20261122"))

# What the edit touches is outside of functions in the one file, and in a test in the other.
EDITED = {
    "pkg/registry.py": ("LIMIT = 3", "# Moved.\n\nLIMIT = 4"),
    "tests/test_stream.py": ("def test_first():", "def test_other():"),
    "pkg/stream.py": ("        number += 1", "        number += 1 + 0\n        pass"),
}

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="asks /proc for processes"
)


def processes_below(pid: int) -> list[int]:
    """The processes that a process started, itself or by way of others."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            after = path.read_text().rpartition(")")[2].split()
            if after[0] != "Z":
                parents[int(path.parent.name)] = int(after[1])
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found[1:]


def is_there(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def integrity(data_file: Path) -> str:
    with contextlib.closing(sqlite3.connect(f"file:{data_file}?mode=ro", uri=True)) as database:
        return str(database.execute("PRAGMA integrity_check").fetchone()[0])


def test_killed_at_any_moment(tmp_path: Path) -> None:
    live = LiveProject(PROJECTS["mini"], tmp_path, SEED)
    live.start()
    chosen = random.Random(SEED)

    def edit(turn: int) -> None:
        for name, (one, other) in EDITED.items():
            text = live.editor.text(name)
            old, new = (one, other) if turn else (other, one)
            assert old in text
            (live.root / name).write_text(text.replace(old, new))

    truth = [live.data()]
    edit(1)
    began = time.monotonic()
    live.run()
    usual = time.monotonic() - began
    truth.append(full_run(live.project, live.root, live.scratch).data)
    assert live.data() == truth[1]
    assert truth[0] != truth[1]
    seen = {"old": 0, "new": 0, "between": 0}
    for number in range(KILLS):
        turn = number % 2
        edit(turn)
        before = live.data()
        victim = chosen.choice(["covls", "covls", "some process of the run"])
        # covls's own start takes a moment more here than in this process.
        moment = chosen.uniform(0, 1.5 * usual + 1)
        started = subprocess.Popen(
            [sys.executable, "-m", "covls", "--trusted", "run", "--affected"],
            cwd=live.root,
            env={**os.environ, **live.project.environment(live.root)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.wait(moment)
        below = processes_below(started.pid)
        target = started.pid if victim == "covls" or not below else chosen.choice(below)
        with contextlib.suppress(ProcessLookupError):
            os.kill(target, signal.SIGKILL)
        started.wait(60)
        deadline = time.monotonic() + 30
        while any(map(is_there, below)):
            assert time.monotonic() < deadline, f"left behind after kill {number} of {victim}"
            time.sleep(0.02)
        where = f"kill {number}: {victim} after {moment:.2f} s"
        assert integrity(live.root / ".coverage") == "ok", where
        now = live.data()
        seen["old" if now == before else "new" if now == truth[turn] else "between"] += 1
        if target == started.pid:
            assert now in (before, truth[turn]), where
        live.run()
        assert live.data() == truth[turn], where
        assert not [*live.root.glob(".coverage?*")], where
    print(f"{KILLS} kills; the data file held: {seen}")
