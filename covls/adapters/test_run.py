"""One run of a root's tests: the processes of it, what they tell, and how they are ended."""

import contextlib
import hashlib
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from covls.adapters.analysis_cache import cache_folder
from covls.adapters.interpreter import environment_of
from covls.adapters.package_tool import install_command
from covls.adapters.probes import script
from covls.adapters.test_framework import Framework, words_to_start
from covls.adapters.turn import RUN_OF
from covls.core.test_events import Began, Ended, Event, Notice, NotInstalled, Tally, event_from

RUNS_KEPT: Final = 10
"""Logs of so many runs of a root are kept."""

LOG_BYTES: Final = 8 * 1024 * 1024
"""Of what a run prints, this much is kept: the beginning and the end."""

SECONDS_TO_END: Final = 5.0
"""How long a run that was interrupted may take to end by itself."""

SECONDS_TO_LEAVE: Final = 3.0
"""How long a process may stay after its runner has ended: threads of tests may keep it."""

_SECONDS_TO_DIE: Final = 10.0
_SECONDS_BETWEEN_LOOKS: Final = 0.03
_NAMED: Final = 3
_LAST: Final = 20
"""Lines at the end of a log among which is what went wrong."""
_DATA_FILE: Final = ".coverage"
_MARK: Final = "running"

# What an outer run leaves in the environment, and what would start coverage.py a second time. What
# users set for all their runs (COVERAGE_RCFILE, COVERAGE_CORE, PYTEST_ADDOPTS) stays.
_KEPT_OUT: Final = frozenset(
    {
        "COVERAGE_FILE", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START", "COVERAGE_RUN",
        "COV_CORE_CONFIG", "COV_CORE_DATAFILE", "COV_CORE_SOURCE", "PYTEST_CURRENT_TEST",
        "PYTEST_VERSION", "PYTEST_XDIST_TESTRUNUID", "PYTEST_XDIST_WORKER",
        "PYTEST_XDIST_WORKER_COUNT", "PYTHONHOME", "__PYVENV_LAUNCHER__",
    }
)  # fmt: skip


class End(StrEnum):
    """How a run came to its end."""

    FINISHED = "finished"  # by itself, whatever its tests said
    CANCELLED = "cancelled"
    TIMED_OUT = "timedOut"
    DIED = "died"  # its process ended in the middle
    NOT_STARTED = "notStarted"


@dataclass(frozen=True, slots=True)
class RunResult:
    """What came of a run. Its data lies in `out` until `discard`."""

    end: End
    message: str
    """For people, in one or two sentences."""
    tally: Tally
    seconds: float = 0.0
    exit: int | None = None
    """Of the runner, or of its launcher; below 0 the signal that ended it."""
    log: Path | None = None
    """What was printed."""
    out: Path | None = None
    """The folder of the run's own coverage data and detail."""
    left: tuple[str, ...] = ()
    """Programs that the run left behind, and that were ended."""
    tells_tests_apart: bool = True
    """Whether `out` has what each test ran, and not only what all of them did."""

    @property
    def data_file(self) -> Path | None:
        """Where coverage.py put the run's data, or the parallel parts of it beside."""
        return None if self.out is None else self.out / _DATA_FILE

    @property
    def passed(self) -> bool:
        """Whether the run came to its end, and no test failed."""
        return self.end is End.FINISHED and self.exit == 0


def run_tests(
    framework: Framework,
    tests: Sequence[str] | None = None,
    *,
    trusted: bool | None,
    collect_all: bool = False,
    workers: int = 0,
    timeout: float = 0.0,
    core: str = "auto",
    on_event: Callable[[Event], None] = lambda _: None,
    cancelled: threading.Event | None = None,
    environ: Mapping[str, str] | None = None,
) -> RunResult:
    """Run a root's tests, all or those named, and return when all processes of the run have ended.

    With `collect_all` all test modules are imported, whichever tests are named.
    `on_event` is called in this thread for each thing that happens. Once `cancelled` is set, or
    after `timeout` seconds (0: never), the run is interrupted as by Ctrl-C, and what is left after
    some seconds is killed. The run's data is put into a folder of covls's own; the user's data
    file is not touched. If covls ends meanwhile, in whatever way, so does the run. With
    `collect_all` all test modules are imported, also where only some tests are named.

    Where the workspace is not trusted (false; unset is for runs that the user asks for), or
    something that is needed is missing, nothing is started, and the result says why.
    """
    if trusted is False:
        return _not_started(framework, "This workspace is not trusted, so that no test may run.")
    if framework.problem:
        return _not_started(framework, f"{framework.problem} {_to_do(framework.remedy)}".strip())
    folder = _new_folder(framework.root)
    out = folder / "out"
    out.mkdir()
    request = folder / "request.json"
    command = framework.command
    request.write_text(
        json.dumps(
            {
                "runner": command.runner,
                "arguments": [*command.program, *command.arguments],
                "manage": command.script,
                "path0": str(framework.root) if command.folder_on_path else None,
                "tests": None if tests is None else list(tests),
                "collect_all": collect_all,
                "out": str(out),
                "data_file": _DATA_FILE,
                "coverage": dict(command.coverage),
                "core": core,
                "root": str(framework.root),
                "workers": workers,
                "also": list(framework.also),
                "notices": list(framework.left_out),
            }
        ),
        encoding="utf-8",
    )
    words = words_to_start(framework, script("run_tests"), request)
    log = folder / "log.txt"
    log.write_text("$ " + " ".join(words) + "\n", encoding="utf-8", errors="replace")
    run = _Run(framework, words, out, log, timeout, environ)
    return run.follow(on_event, cancelled or threading.Event())


def discard(result: RunResult) -> None:
    """Delete the data of a run that has been taken over, or is not wanted. The log stays."""
    if result.out is not None:
        shutil.rmtree(result.out, ignore_errors=True)
        (result.out.parent / _MARK).unlink(missing_ok=True)


class _Run:
    """The guard of a run, and what is known of the run so far."""

    def __init__(
        self,
        framework: Framework,
        words: Sequence[str],
        out: Path,
        log: Path,
        timeout: float,
        environ: Mapping[str, str] | None,
    ) -> None:
        self._framework = framework
        self._words = words
        self._out = out
        self._log = log
        self._timeout = timeout
        self._journals = _Journals(out)
        self._tally = Tally()
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._stayed = False
        self._interrupted = ""
        self._began = time.monotonic()
        group: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        with log.open("ab") as errors:
            self._guard = subprocess.Popen(
                # Quick to start: nothing of an environment, nor of the user's, is needed.
                [sys.executable, "-I", "-S", str(script("guard"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=_environment(framework, out, os.environ if environ is None else environ),
                **group,
            )
        threading.Thread(target=self._listen, name="covls run", daemon=True).start()

    def follow(self, on_event: Callable[[Event], None], cancelled: threading.Event) -> RunResult:
        """Follow the run to its end, and have it end where it is cancelled or takes too long."""
        end = End.FINISHED
        kill_at: float | None = None
        ended_at: float | None = None
        pid: int | None = None
        answer: dict[str, Any] | None = {}
        try:
            self._tell(
                {
                    "argv": list(self._words),
                    "cwd": str(self._framework.root),
                    "log": str(self._log),
                    "log_bytes": LOG_BYTES,
                }
            )
            while answer is not None and not {"exit", "error"} & answer.keys():
                try:
                    answer = self._answers.get(timeout=_SECONDS_BETWEEN_LOOKS)
                    pid = (answer or {}).get("pid", pid)
                except queue.Empty:
                    answer = {}
                self._take_events(on_event)
                now = time.monotonic()
                if self._tally.ended is not None:
                    ended_at = ended_at or now
                    if now > ended_at + SECONDS_TO_LEAVE and not self._stayed:
                        self._stayed = True
                        self._say("kill")
                elif kill_at is None and end is End.FINISHED:
                    if cancelled.is_set():
                        end = End.CANCELLED
                    elif self._timeout and now - self._began > self._timeout:
                        end = End.TIMED_OUT
                    if end is not End.FINISHED:
                        # Noted before the interrupted test is told to have failed.
                        self._interrupted = self._done() if end is End.CANCELLED else self._while()
                        self._say("interrupt")
                        kill_at = now + SECONDS_TO_END
                elif kill_at is not None and now > kill_at:
                    self._say("kill")
                    kill_at = None
        finally:
            self._end_guard(pid, gone=answer is None)
        self._take_events(on_event)
        return self._result(end, answer)

    def _take_events(self, on_event: Callable[[Event], None]) -> None:
        for event in self._journals.events():
            self._tally.add(event)
            on_event(event)

    def _listen(self) -> None:
        assert self._guard.stdout is not None
        with self._guard.stdout as lines, contextlib.suppress(ValueError):
            for line in lines:
                self._answers.put(json.loads(line))
        self._answers.put(None)

    def _tell(self, order: dict[str, Any]) -> None:
        self._say(json.dumps(order))

    def _say(self, word: str) -> None:
        assert self._guard.stdin is not None
        # A guard that has ended hears nothing more.
        with contextlib.suppress(OSError, ValueError):
            self._guard.stdin.write(word.encode() + b"\n")
            self._guard.stdin.flush()

    def _end_guard(self, pid: int | None, *, gone: bool) -> None:
        """See to it that nothing runs any more: to the guard, the end of its stdin says so."""
        assert self._guard.stdin is not None
        with contextlib.suppress(OSError):
            self._guard.stdin.close()
        try:
            self._guard.wait(timeout=_SECONDS_TO_DIE)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
            gone = True
        if gone and pid is not None and os.name == "posix":
            # Somebody ended the guard: what it guarded has nobody else.
            with contextlib.suppress(OSError):
                os.killpg(pid, signal.SIGKILL)

    def _result(self, end: End, answer: Mapping[str, Any] | None) -> RunResult:
        tally, seconds = self._tally, time.monotonic() - self._began
        code = (answer or {}).get("exit")
        if answer is not None and "error" in answer:
            end = End.NOT_STARTED
            message = f"{self._words[0]} cannot be started: {answer['error']}."
        elif end is End.CANCELLED:
            message = f"Cancelled after {self._interrupted}."
        elif end is End.TIMED_OUT:
            message = (
                f"Stopped after {self._timeout:g} seconds, as `run.timeout` says"
                f"{',' if self._interrupted else ''}{self._interrupted}."
            )
        elif tally.not_installed is not None:
            end, message = End.NOT_STARTED, self._not_installed(tally.not_installed)
        elif tally.ended is not None or (
            self._framework.command.runner is None and code is not None and code >= 0
        ):
            message = self._finished(code)
        else:
            end = End.DIED
            message = f"The test process {_how_it_ended(code)}{self._while()}."
            if not tally.running and not tally.finished:
                message += self._last_words()
        if self._stayed and tally.ended is not None and end is End.FINISHED:
            code = tally.ended.exit
            tally.add(
                Notice(
                    "The tests left threads or processes running, which kept theirs from ending."
                )
            )
        left = tuple((answer or {}).get("left", ()))
        if left and end in (End.FINISHED, End.DIED):
            notice = Notice(f"The tests left processes behind, which were ended: {', '.join(left)}")
            tally.add(notice)
        return RunResult(
            end,
            message,
            tally,
            seconds,
            code,
            self._log,
            self._out,
            left,
            self._framework.command.runner is not None,
        )

    def _finished(self, code: int | None) -> str:
        tally = self._tally
        if self._framework.command.runner is None:
            ended = f"The command ended with code {code}."
            return ended if code == 0 else ended + self._last_words()
        if tally.finished or tally.errors:
            return f"{tally.words()}."
        if self._framework.command.runner == "script":
            return f"The script ended with code {code}."
        # 5 is what runners say where they found no test.
        if code in (0, 5):
            missing = ", ".join(tally.missing[:_NAMED])
            more = f" and {len(tally.missing) - _NAMED} more" if tally.missing[_NAMED:] else ""
            return f"No tests were found{missing and ': there is no '}{missing}{more}."
        return f"No tests ran: the runner ended with code {code}.{self._last_words()}"

    def _not_installed(self, event: NotInstalled) -> str:
        framework, command = self._framework, self._framework.command
        package = "coverage"
        if event.what == "runner":
            package = "django" if command.runner == "django" else "pytest"
        # What a launcher starts is another interpreter than the one that was found.
        interpreter = framework.interpreter if command.python is None else None
        to_do = install_command(framework.root, interpreter, package)
        if command.python is not None and to_do.startswith("python "):
            to_do = " ".join([*command.launcher, command.python, to_do.removeprefix("python ")])
        return f"{event.message}. {_to_do(to_do)}"

    def _done(self) -> str:
        done, of = len(self._tally.finished), len(self._tally.collected)
        return f"{done} of {of} tests" if of else "no tests: none had begun"

    def _while(self) -> str:
        running = list(self._tally.running)
        if not running:
            return ""
        more = f" and {len(running) - 1} more" if len(running) > 1 else ""
        return f" while {running[0]}{more} ran"

    def _last_words(self) -> str:
        with contextlib.suppress(OSError), self._log.open("rb") as log:
            log.seek(max(0, self._log.stat().st_size - 8192))
            lines = log.read().decode(errors="replace").splitlines()[1:]
            said = [line.strip() for line in lines if line.strip(" =-_\t")]
            wrong = [line for line in said[-_LAST:] if re.search("error", line, re.IGNORECASE)]
            if said:
                return f" Its last words: {(wrong or said)[-1][:300]}"
        return ""


class _Journals:
    """The events of all processes of a run, read as they are written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, int] = {}
        self._of_workers: set[str] = set()

    def events(self) -> Iterator[Event]:
        """Yield what was written since the last time; a line that is not ended waits."""
        try:
            names = os.listdir(self._folder)  # noqa: PTH208  cheaper, many times a second
        except OSError:
            return
        for name in sorted(names):
            if not name.startswith("events-"):
                continue
            try:
                with (self._folder / name).open("rb") as journal:
                    journal.seek(self._read.get(name, 0))
                    new = journal.read()
            except OSError:
                continue
            whole = new.rfind(b"\n") + 1
            self._read[name] = self._read.get(name, 0) + whole
            for line in new[:whole].splitlines():
                event = event_from(line)
                if isinstance(event, Began) and event.worker:
                    self._of_workers.add(name)
                if isinstance(event, Ended) and name in self._of_workers:
                    event = replace(event, worker=True)
                if event is not None:
                    yield event


def _environment(framework: Framework, out: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that the tests see: the user's, in the environment of the interpreter."""
    found = {name: value for name, value in environ.items() if name not in _KEPT_OUT}
    found[RUN_OF] = str(framework.root)
    command, interpreter = framework.command, framework.interpreter
    if command.runner is None:
        found["COVERAGE_FILE"] = str(out / _DATA_FILE)
    # A launcher knows the environment by itself, and would take this one for chosen by the user.
    if command.runner is not None and command.python is not None:
        return found
    if interpreter is None or not interpreter.exists:
        return found
    folders = [str(interpreter.python.parent)]
    environment = environment_of(interpreter)
    found.pop("VIRTUAL_ENV", None)
    if environment is not None and (environment / "pyvenv.cfg").exists():
        found["VIRTUAL_ENV"] = str(environment)
    elif environment is not None:
        found["CONDA_PREFIX"] = str(environment)
    found["PATH"] = os.pathsep.join([*folders, found.get("PATH", os.defpath)])
    return found


def _not_started(framework: Framework, message: str) -> RunResult:
    return RunResult(
        End.NOT_STARTED,
        message,
        Tally(),
        tells_tests_apart=framework.command.runner is not None,
    )


def _to_do(command: str) -> str:
    if not command:
        return ""
    return command if command[0].isupper() else f"To install it: {command}"


def _how_it_ended(code: int | None) -> str:
    if code is None:
        return "could not be followed to its end: its guard was killed"
    # Launchers say so of what they started.
    number = -code if code < 0 else code - 128
    with contextlib.suppress(ValueError):
        if code < 0 or code > 128:
            return f"was ended by {signal.Signals(number).name}"
    return f"ended with code {code} before the runner did"


def _new_folder(root: Path) -> Path:
    """A folder for a run in the cache; those of all but the last runs of the root are deleted."""
    runs = cache_folder() / "runs" / hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
    runs.mkdir(parents=True, exist_ok=True, mode=0o700)
    before = sorted(runs.iterdir(), reverse=True)
    for folder in before[RUNS_KEPT - 1 :]:
        if not _in_use(folder):
            shutil.rmtree(folder, ignore_errors=True)
    for folder in before[: RUNS_KEPT - 1]:
        # What a run left in the middle of which covls ended; a log is all that is kept of it.
        if not _in_use(folder):
            shutil.rmtree(folder / "out", ignore_errors=True)
    now = time.time_ns()
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(now // 10**9))
    folder = runs / f"{stamp}-{now % 10**9:09}-{os.getpid()}"
    folder.mkdir(mode=0o700)
    (folder / _MARK).write_text(str(os.getpid()))
    return folder


def _in_use(folder: Path) -> bool:
    """Whether the process that a run belongs to is alive, and has not discarded the run's data."""
    try:
        owner = int((folder / _MARK).read_text())
        if os.name == "nt":
            # There is no asking for a process without a risk to it. A day is long for a run.
            return time.time() - (folder / _MARK).stat().st_mtime < 24 * 60 * 60
        os.kill(owner, 0)
    except (OSError, ValueError):
        return False
    return True
