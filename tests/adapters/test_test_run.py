"""Runs of tests end, say what happened, and leave nothing behind, whatever the tests do."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from covls.adapters import test_run
from covls.adapters.test_framework import Framework, find_framework
from covls.adapters.test_run import End, RunResult, discard, run_tests
from covls.core.settings import Run, Settings
from covls.core.test_events import Event, Finished, Started

HERE = Path(__file__).parents[2]

# What a user's data file holds is not looked at, so that it may be anything.
DATA = b"the user's own data"


@pytest.fixture(autouse=True)
def few_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugins installed here take longer to load than all else these runs do."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def project(root: Path, tests: str, command: tuple[str, ...] = (), **files: str) -> Framework:
    """A project with one file of tests, and a data file that is to stay as it is."""
    for name, text in {"test_a": tests, **files}.items():
        (root / f"{name}.py").write_text(textwrap.dedent(text))
    (root / ".coverage").write_bytes(DATA)
    settings = Settings(python=sys.executable, run=Run(command=command))
    return find_framework(root, settings)


def run(framework: Framework, *tests: str, **more: object) -> RunResult:
    result = run_tests(framework, tests or None, trusted=True, **more)  # type: ignore[arg-type]
    assert (framework.root / ".coverage").read_bytes() == DATA
    assert [file.name for file in framework.root.glob(".coverage*")] == [".coverage"]
    return result


def gone(pid: int) -> bool:
    """Whether a process has ended, or does so soon."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
        except OSError:
            return True
        if state in (b"Z", b"X"):
            return True
        time.sleep(0.01)
    return False


def wait_for(file: Path) -> str:
    """What a file holds once a line is in it."""
    deadline = time.monotonic() + 60
    while not file.exists() or "\n" not in file.read_text():
        assert time.monotonic() < deadline, file
        time.sleep(0.01)
    return file.read_text()


def when_started(do: Callable[[], object]) -> Callable[[Event], None]:
    """Does something when a test has begun."""

    def on_event(event: Event) -> None:
        if isinstance(event, Started):
            do()

    return on_event


# What a run tells


def test_what_became_of_each_test(tmp_path: Path) -> None:
    framework = project(
        tmp_path,
        """\
        import pytest

        def test_passed():
            pass

        def test_failed():
            assert 1 == 2

        @pytest.mark.skip
        def test_skipped():
            pass

        @pytest.fixture
        def broken():
            raise KeyError("no")

        def test_error(broken):
            pass
        """,
    )
    events: list[Event] = []
    result = run(framework, on_event=events.append)
    assert (result.end, result.exit, result.passed) == (End.FINISHED, 1, False)
    assert result.message == "1 passed, 1 failed, 1 skipped, 1 error."
    ended = [event for event in events if isinstance(event, Finished)]
    assert [(test.test, test.outcome) for test in ended] == [
        ("test_a.py::test_passed", "passed"),
        ("test_a.py::test_failed", "failed"),
        ("test_a.py::test_skipped", "skipped"),
        ("test_a.py::test_error", "error"),
    ]
    assert (ended[1].file, ended[1].line) == (str(tmp_path / "test_a.py"), 7)
    assert "assert 1 == 2" in ended[1].message
    assert list(result.tally.collected) == [test.test for test in ended]
    assert result.log is not None
    assert "test_failed" in result.log.read_text()
    assert result.out is not None
    assert result.tells_tests_apart
    assert list(result.out.glob(".coverage*"))
    assert list(result.out.glob("detail-*.jsonl"))
    discard(result)
    assert not result.out.exists()
    assert result.log.exists()


def test_only_the_tests_that_are_named(tmp_path: Path) -> None:
    framework = project(tmp_path, "def test_b(): pass\ndef test_c(): pass\n")
    result = run(framework, "test_a.py::test_c", "test_a.py::test_gone")
    assert list(result.tally.finished) == ["test_a.py::test_c"]
    assert result.tally.missing == ("test_a.py::test_gone",)
    assert result.passed


def test_a_file_that_cannot_be_imported(tmp_path: Path) -> None:
    result = run(project(tmp_path, "raise ImportError('no_such_module\\nis there')\n"))
    assert result.end is End.FINISHED
    assert result.message == "1 error."
    (error,) = result.tally.errors
    assert error.message == "ImportError: no_such_module"


def test_no_tests_and_wrong_arguments(tmp_path: Path) -> None:
    framework = project(tmp_path, "")
    assert run(framework).message == "No tests were found."
    words = "No tests were found: there is no test_it.py::test_none."
    assert run(framework, "test_it.py::test_none").message == words
    wrong = replace(framework, command=replace(framework.command, arguments=("--no-such",)))
    result = run(wrong)
    assert not result.passed
    assert result.message.startswith("No tests ran: the runner ended with code 4.")
    assert result.message.endswith("error: unrecognized arguments: --no-such")


# What tests do


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("os.kill(os.getpid(), 9)", "was ended by SIGKILL"),
        ("os.abort()", "was ended by SIGABRT"),
        ("os._exit(7)", "ended with code 7 before the runner did"),
        ("os._exit(0)", "ended with code 0 before the runner did"),
    ],
)
def test_a_test_that_ends_its_process(tmp_path: Path, body: str, words: str) -> None:
    framework = project(tmp_path, f"import os\ndef test_x(): pass\ndef test_y(): {body}\n")
    result = run(framework)
    assert result.end is End.DIED
    assert result.message == f"The test process {words} while test_a.py::test_y ran."
    assert list(result.tally.finished) == ["test_a.py::test_x"]
    assert not result.passed


def test_a_test_that_reads_stdin_reads_nothing(tmp_path: Path) -> None:
    framework = project(
        tmp_path,
        "import sys\ndef test_x(): assert sys.stdin.read() == ''\n",
        ("python", "-m", "pytest", "-s"),
    )
    assert run(framework).message == "1 passed."


def test_of_much_output_the_beginning_and_the_end_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_run, "LOG_BYTES", 300_000)
    framework = project(
        tmp_path,
        """\
        def test_x():
            print("the beginning")
            for _ in range(3000):
                print("x" * 1000)
            print("the end")
        """,
        ("python", "-m", "pytest", "-s"),
    )
    result = run(framework)
    assert result.passed
    assert result.log is not None
    text = result.log.read_text()
    assert len(text) < 310_000
    assert "the beginning" in text
    assert "the end" in text
    assert "bytes are left out here" in text


def test_processes_that_are_left_behind_are_ended_and_named(tmp_path: Path) -> None:
    framework = project(
        tmp_path,
        """\
        import pathlib, subprocess

        def test_x():
            one = subprocess.Popen(["sleep", "1000"])
            two = subprocess.Popen(["sleep", "1001"], start_new_session=True)
            pathlib.Path("pids").write_text(f"{one.pid} {two.pid}\\n")
        """,
    )
    result = run(framework)
    assert result.passed
    assert sorted(result.left) == ["sleep 1000", "sleep 1001"]
    assert [notice.message for notice in result.tally.notices] == [
        f"The tests left processes behind, which were ended: {', '.join(result.left)}"
    ]
    assert all(gone(int(pid)) for pid in (tmp_path / "pids").read_text().split())


def test_a_thread_that_is_left_behind_does_not_keep_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_run, "SECONDS_TO_LEAVE", 0.2)
    framework = project(
        tmp_path,
        """\
        import threading, time

        def test_x():
            threading.Thread(target=time.sleep, args=(1000,)).start()
        """,
    )
    result = run(framework)
    assert (result.end, result.exit, result.message) == (End.FINISHED, 0, "1 passed.")
    assert any("left threads" in notice.message for notice in result.tally.notices)


# Ending a run


@pytest.mark.parametrize("deaf", [False, True])
def test_cancelled_in_the_middle(tmp_path: Path, deaf: bool) -> None:
    framework = project(
        tmp_path, "import time\ndef test_x(): pass\ndef test_y(): time.sleep(1000)\n"
    )
    cancelled = threading.Event()

    def on_event(event: Event) -> None:
        if event == Started("test_a.py::test_y"):
            cancelled.set()

    # What a shell starts in the background is deaf to Ctrl-C, and hands that down.
    before = signal.getsignal(signal.SIGINT)
    if deaf:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        result = run(framework, on_event=on_event, cancelled=cancelled)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (result.end, result.passed) == (End.CANCELLED, False)
    assert result.message == "Cancelled after 1 of 2 tests."
    # The runner came to its end by itself, as after Ctrl-C.
    assert result.tally.ended is not None


STUBBORN = """\
import os, pathlib, signal, subprocess, sys, time

def test_x():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # Out of the group, and out of sight of whoever looks for children.
    code = "import os; print(os.posix_spawnp('sleep', ['sleep', '1000'], os.environ, setsid=True"
    code += ", file_actions=[(os.POSIX_SPAWN_CLOSE, 1)]))"
    away = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE).stdout.decode()
    pathlib.Path("pids").write_text(f"{os.getpid()} {away}")
    while True:
        try:
            time.sleep(1000)
        except BaseException:
            pass
"""


def test_what_does_not_want_to_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_run, "SECONDS_TO_END", 0.2)
    framework = project(tmp_path, STUBBORN)
    cancelled = threading.Event()

    def cancel() -> None:
        wait_for(tmp_path / "pids")
        cancelled.set()

    result = run(framework, on_event=when_started(cancel), cancelled=cancelled)
    assert result.end is End.CANCELLED
    assert result.message == "Cancelled after 0 of 1 tests."
    assert all(gone(int(pid)) for pid in (tmp_path / "pids").read_text().split())


def test_what_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_run, "SECONDS_TO_END", 0.2)
    framework = project(tmp_path, "import time\ndef test_x(): time.sleep(1000)\n")
    seconds = 2
    result = run(framework, timeout=float(seconds))
    # On a busy machine the test may not have begun so soon.
    while " while " not in result.message and seconds < 100:
        seconds *= 4
        result = run(framework, timeout=float(seconds))
    assert result.end is End.TIMED_OUT
    assert result.message == (
        f"Stopped after {seconds} seconds, as `run.timeout` says, while test_a.py::test_x ran."
    )


SERVER = """
import sys
from pathlib import Path
from covls.adapters.test_framework import find_framework
from covls.adapters.test_run import run_tests
from covls.core.settings import Settings

framework = find_framework(Path(sys.argv[1]), Settings(python=sys.executable))
run_tests(framework, trusted=True)
"""


def test_if_covls_is_killed_the_run_ends_too(tmp_path: Path) -> None:
    project(tmp_path, STUBBORN)
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(tmp_path)], cwd=HERE)
    pids = wait_for(tmp_path / "pids").split()
    server.kill()
    server.wait()
    assert all(gone(int(pid)) for pid in pids)


def test_if_the_guard_is_killed_the_run_ends_too(tmp_path: Path) -> None:
    framework = project(tmp_path, STUBBORN)

    def kill_guard() -> None:
        pid = int(wait_for(tmp_path / "pids").split()[0])
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        os.kill(int(fields[1]), signal.SIGKILL)

    result = run(framework, on_event=when_started(kill_guard))
    assert result.end is End.DIED
    assert result.message == (
        "The test process could not be followed to its end: its guard was killed while "
        "test_a.py::test_x ran."
    )
    pid, away = (tmp_path / "pids").read_text().split()
    assert gone(int(pid))
    os.kill(int(away), signal.SIGKILL)  # its guard was the one who knew of it


def test_whoever_follows_a_run_may_fail(tmp_path: Path) -> None:
    framework = project(tmp_path, STUBBORN)

    def fail() -> None:
        wait_for(tmp_path / "pids")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        run(framework, on_event=when_started(fail))
    assert all(gone(int(pid)) for pid in (tmp_path / "pids").read_text().split())


# Starting a run


def test_nothing_starts_where_the_workspace_is_not_trusted(tmp_path: Path) -> None:
    ran = tmp_path / "it ran"
    evil = tmp_path / ".venv" / "bin" / "python"
    evil.parent.mkdir(parents=True)
    evil.write_text(f"#!/bin/sh\ntouch '{ran}'\nexec {sys.executable} \"$@\"\n")
    evil.chmod(0o755)
    (tmp_path / ".venv" / "pyvenv.cfg").touch()
    (tmp_path / ".coveragerc").write_text("[run]\nplugins = plugin\n")
    for name in ("conftest", "plugin", "test_a"):
        (tmp_path / f"{name}.py").write_text(
            f"import pathlib\npathlib.Path({str(ran)!r}).touch()\n"
        )
    for settings in (Settings(), Settings(run=Run(command=("sh", "-c", f"touch '{ran}'")))):
        framework = find_framework(tmp_path, settings)
        result = run_tests(framework, trusted=False)
        assert result.end is End.NOT_STARTED
        assert result.message == "This workspace is not trusted, so that no test may run."
    assert not ran.exists()


def test_without_coverage_the_command_that_installs_it_is_told(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True)
    (tmp_path / "test_a.py").write_text("import unittest\n")
    (tmp_path / "poetry.lock").touch()
    framework = find_framework(tmp_path, Settings(), {"PATH": ""})
    result = run_tests(framework, trusted=True)
    assert result.end is End.NOT_STARTED
    assert f"{tmp_path}/.venv/bin/python cannot record coverage" in result.message
    assert result.message.endswith("To install it: poetry add --group dev coverage")


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    result = run(project(tmp_path, "", ("no-such-launcher", "run")))
    assert result.end is End.NOT_STARTED
    assert result.message == "no-such-launcher cannot be started: No such file or directory."


def test_a_command_runs_as_it_is_and_its_data_is_kept_apart(tmp_path: Path) -> None:
    command = ("sh", "-c", "coverage run -m pytest -q && exit 6")
    framework = project(tmp_path, "def test_x(): pass\n", command)
    result = run(framework)
    assert (result.end, result.exit, result.tells_tests_apart) == (End.FINISHED, 6, False)
    assert (
        result.message
        == "The command ended with code 6. Its last words: 1 passed in "
        + (result.message.rpartition(" in ")[2])
    )
    assert result.data_file is not None
    assert result.data_file.exists()


def test_the_probe_runs_in_the_environment_of_the_launcher(tmp_path: Path) -> None:
    # A launcher as uv is one: it puts its environment's programs first on PATH.
    launcher = tmp_path / "bin" / "uv"
    launcher.parent.mkdir()
    launcher.write_text(
        '#!/bin/sh\ntest "$1" = run || exit 9\nshift\nexport LAUNCHED=yes\nexec "$@"\n'
    )
    launcher.chmod(0o755)
    framework = project(
        tmp_path,
        """\
        import os

        def test_x():
            assert os.environ["LAUNCHED"] == "yes"
        """,
        ("uv", "run", "coverage", "run", "--branch", "-m", "pytest"),
    )
    path = f"{launcher.parent}:{Path(sys.executable).parent}:/usr/bin:/bin"
    result = run(framework, environ={**os.environ, "PATH": path})
    assert result.message == "1 passed."
    assert result.tally.ended is not None
    assert result.tally.ended.branch


def test_the_variables_that_tests_see(tmp_path: Path) -> None:
    framework = project(
        tmp_path,
        """\
        import os, sys, shutil

        def test_x():
            assert os.environ["VIRTUAL_ENV"] == sys.prefix
            assert os.environ["MINE"] == "kept"
            assert shutil.which("python") == sys.executable
            for name in ("COVERAGE_PROCESS_START", "COVERAGE_FILE", "COV_CORE_SOURCE"):
                assert name not in os.environ
        """,
    )
    outer = {"COVERAGE_PROCESS_START": "x", "COVERAGE_FILE": "y", "COV_CORE_SOURCE": "z"}
    environ = {**os.environ, **outer, "VIRTUAL_ENV": "/other", "MINE": "kept", "SECRET": "s3cr3t"}
    result = run(framework, environ=environ)
    assert result.message == "1 passed.", result.log and result.log.read_text()
    assert result.log is not None
    kept = [file.read_text() for file in result.log.parent.rglob("*") if file.suffix == ".txt"]
    assert not any("s3cr3t" in text for text in kept)


def test_the_logs_of_the_last_runs_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_run, "RUNS_KEPT", 3)
    framework = project(tmp_path, "", ("true",))
    results = [run(framework) for _ in range(5)]
    for result in results[:4]:
        discard(result)
    last = run(framework)
    logs = [result.log for result in (*results, last) if result.log and result.log.exists()]
    # The fourth's data was given up, the fifth's not yet.
    assert logs == [results[3].log, results[4].log, last.log]
    assert results[4].out is not None
    assert results[4].out.exists()
