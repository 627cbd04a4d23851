"""Several processes at once, sudden ends, full disks, read-only folders, lost connections."""

import contextlib
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from covls.adapters.history_db import HistoryError, open_history
from covls.adapters.history_db.history import History
from covls.core.history import Run, total
from covls.core.settings import History as HistorySettings
from covls.core.settings import Settings
from tests.adapters.history_db.synthetic import commit, file
from tests.history_databases import Server

PROCESSES = 8
KILLS = int(os.environ.get("COVLS_TESTS_KILLS", "2"))

# What a process does that records; its arguments are a URL and a number of its own.
RECORD = """
import sys
from pathlib import Path
from covls.adapters.history_db import HistoryError, open_history
from covls.core.settings import History, Settings
from tests.adapters.history_db.synthetic import commit, file

url, me = sys.argv[1], int(sys.argv[2])
how = {"clean": True, "versions": {}, "has_branches": True}

def opened():
    return open_history(Path("/nowhere"), Settings(history=History(url)), mode="write")
"""

AT_ONCE = """
print("ready", flush=True)
sys.stdin.readline()
with opened() as history:
    for number in range(3):
        files = [file("same.py"), file(f"of_{me}.py"), file("other.py", range(number + 2))]
        history.record(commit(10 * me + number), [], files=files, **how)
    shared = [file("all.py", [me % 6 + 1]), file(f"of_{me}.py")]
    history.record(commit(1000), ["shared"], files=shared, same="merge", **how)
"""

FOREVER = """
with opened() as history:
    number = 0
    while True:
        number += 1
        files = [file(f"f{n}.py", [number % 5 + 1], 6 + number) for n in range(60)]
        history.record(commit(number % 7), [str(me)], files=files, **how)
        print(number, flush=True)
"""

FULL = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
with opened() as history:
    history.record(commit(1), [], files=[file("a.py")], **how)
    try:
        files = [file(f"f{n}.py", [n % 5 + 1], 6 + n) for n in range(1200)]
        history.record(commit(2), [], files=files, **how)
    except HistoryError as error:
        print(error)
"""

READ_ONLY = """
import os
# What is imported may be readable by root alone.
import covls.adapters.history_db.history, sqlalchemy.dialects.sqlite
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    with opened() as history:
        print(len(history.runs()), "runs")
        history.record(commit(2), [], files=[file("a.py")], **how)
except HistoryError as error:
    print(error)
"""


def opened(url: str) -> History:
    return open_history(Path("/nowhere"), Settings(history=HistorySettings(url)), mode="write")


@contextlib.contextmanager
def started(code: str, url: str, me: int = 0) -> Iterator[subprocess.Popen[str]]:
    """A process that does something with a history; it is gone afterwards."""
    with subprocess.Popen(
        [sys.executable, "-c", RECORD + code, url, str(me)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def whole(history: History, run: Run) -> bool:
    """Whether all files of a run are there, and its totals are theirs."""
    return run.totals == total(history.files(run).values())


def test_processes_that_record_at_once_lose_nothing(history_url: str) -> None:
    """Not even where they make the tables, or add to the same run."""
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(started(AT_ONCE, history_url, me)) for me in range(PROCESSES)
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        assert [process.wait(180) for process in processes] == [0] * PROCESSES
    with opened(history_url) as history:
        runs = history.runs()
        numbers = {10 * me + number for me in range(PROCESSES) for number in range(3)}
        assert {int(run.commit.id, 16) for run in runs} == {1000, *numbers}
        assert len(runs) == len(numbers) + 1
        assert all(whole(history, run) for run in runs)
        shared = history.files(next(run for run in runs if run.flags))
        assert set(shared) == {"all.py", *(f"of_{me}.py" for me in range(PROCESSES))}
        assert shared["all.py"].executed == sum(1 << line for line in range(1, 7))


def test_a_process_that_is_killed_leaves_no_half_run(history_url: str) -> None:
    """And nobody has to wait for it."""
    chance = random.Random(os.urandom(8))
    for me in range(KILLS):
        with started(FOREVER, history_url, me) as process:
            assert process.stdout is not None
            for _ in range(chance.randrange(1, 12)):
                assert process.stdout.readline()
            # Somewhere within the next one: when does not matter.
            time.sleep(chance.random() / 20)
            process.kill()
            process.wait(60)
        settings = Settings(history=HistorySettings(history_url))
        with open_history(Path("/nowhere"), settings, mode="read") as reader:
            assert reader.runs()
        with opened(history_url) as history:
            # PostgreSQL may still be at what it was told last: the next to write waits for that.
            one = history.record(
                commit(99),
                [f"after-{me}"],
                clean=True,
                versions={},
                has_branches=True,
                files=[file("a.py")],
            )
            assert whole(history, one)
            history.prune([one.number])
            runs = history.runs()
            assert runs
            assert all(whole(history, run) for run in runs)
            assert all(len(history.files(run)) == 60 for run in runs)


def said(code: str, url: str) -> str:
    """What a process prints that does something with a history, and ends well."""
    with started(code, url) as process:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
    return out


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path) -> None:
    """What was recorded before stays, and can be added to once there is room."""
    url = f"sqlite:///{tmp_path}/history.sqlite"
    words = said(FULL, url)
    assert f"The history in {tmp_path}/history.sqlite cannot be written: " in words
    assert "Nothing of it was changed." in words
    with opened(url) as history:
        (run,) = history.runs()
        assert history.files(run) == {"a.py": file("a.py")}
        files = [file(f"f{n}.py") for n in range(50)]
        history.record(commit(2), [], clean=True, versions={}, has_branches=True, files=files)
        assert [len(history.files(run)) for run in history.runs()] == [50, 1]


def test_a_read_only_folder_can_be_read(tmp_path: Path) -> None:
    """And says that it cannot be written to."""
    url = f"sqlite:///{tmp_path}/folder/history.sqlite"
    with opened(url) as history:
        history.record(
            commit(1), [], clean=True, versions={}, has_branches=True, files=[file("a.py")]
        )
    folder = tmp_path / "folder"
    (folder / "history.sqlite").chmod(0o444)
    folder.chmod(0o555)
    # Another user gets there: the folders of pytest and its workers are their user's alone.
    temporary = Path(tempfile.gettempdir())
    for path in folder.parents:
        if temporary in path.parents:
            path.chmod(0o755)
    try:
        words = said(READ_ONLY, url)
    finally:
        folder.chmod(0o755)
    assert words.splitlines()[0] == "1 runs"
    assert "cannot be written: it is read-only here. Nothing of it was changed." in words


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """With its name."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(HistoryError, match=r"The history's folder .*file/x cannot be written to"):
        opened(f"sqlite:///{tmp_path}/file/x/history.sqlite")


def test_a_connection_that_is_lost_is_told_and_loses_nothing(postgresql: Server) -> None:
    """The next one is a new one."""
    import psycopg

    url = postgresql.new_database()
    how = {"clean": True, "versions": {}, "has_branches": True}
    with opened(url) as history, psycopg.connect(url.replace("+psycopg", "")) as other:
        first = history.record(commit(1), [], files=[file("a.py")], **how)  # type: ignore[arg-type]
        # Nobody else can write while this one does.
        other.execute("SELECT pg_advisory_xact_lock(%s)", [0x636F766C73])
        errors: list[HistoryError] = []

        def record() -> None:
            try:
                history.record(commit(2), [], files=[file("b.py")], **how)  # type: ignore[arg-type]
            except HistoryError as error:
                errors.append(error)

        thread = threading.Thread(target=record)
        thread.start()
        ended, deadline = False, time.monotonic() + 60
        while not ended:
            assert time.monotonic() < deadline
            rows = other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks "
                "WHERE locktype = 'advisory' AND NOT granted "
                "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            ).fetchall()
            ended = bool(rows)
        thread.join(60)
        other.rollback()
        (error,) = errors
        assert "cannot be written: terminating connection" in str(error)
        assert "Nothing of it was changed." in str(error)
        assert history.runs() == [first]
        second = history.record(commit(2), [], files=[file("b.py")], **how)  # type: ignore[arg-type]
        assert history.runs() == [second, first]


def test_a_server_that_is_not_there_is_told_without_a_password(tmp_path: Path) -> None:
    """In a sentence."""
    url = f"postgresql+psycopg://covls:secret@/coverage?host={tmp_path}"
    with pytest.raises(HistoryError, match="cannot be read: connection") as caught:
        opened(url)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
