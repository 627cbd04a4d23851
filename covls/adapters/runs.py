"""Evidence that a test run which may write the data is alive: its processes, and their files."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path, PurePosixPath

from covls.adapters.data_file import Fingerprint, fingerprint
from covls.core.arrival import RUN_UNKNOWN, Run, RunState

#: A run counts as ended if it was last seen alive no earlier than this many seconds before the
#: data last changed. While data is held back, looks come every second or sooner.
BETWEEN_LOOKS = 2.0

#: A part was written by the process in its name if that started before the part was written, give
#: or take what clocks differ by. Else the number belongs to another process by now.
CLOCKS_DIFFER = 5.0

#: Programs, and modules after `python -m`, that run tests or start what does.
RUNNERS = frozenset(
    {
        "pytest", "py.test", "unittest", "nose2", "nosetests", "tox", "nox", "trial", "behave",
        "green", "ward", "stestr", "zope-testrunner",
    }
)  # fmt: skip

#: Programs that run tests if their first argument is "test".
RUNNERS_OF_TEST = frozenset({"manage", "django", "django-admin", "setup"})

#: The commands of `coverage` that write data. Reports only read it, and may take minutes.
WRITING_COMMANDS = frozenset({"run", "combine", "erase"})

PS = "/bin/ps"

_PYTHON = re.compile(r"(?:python|pypy)[\d.]*")
_COVERAGE = re.compile(r"coverage-?[\d.]*")
# The options after which the rest of the line is the program's: a module or code, with other
# options of one letter before them and the name right behind them, as people like it.
_PROGRAM_OPTION = re.compile(r"-[bBdEiIOPqRsSuvx]*([mc])(.*)", re.DOTALL)
_GUARD = re.compile(r"[/\\]covls[/\\]probe[/\\]guard\.py\Z")
_OPTIONS_WITH_VALUE = frozenset({"-W", "-X", "--check-hash-based-pycs"})

# How coverage.py names parallel parts: host, process, something random, and a hash at the end once
# the part is finished. Before 7.3 the process was a bare number, and there was no hash.
_PART = re.compile(
    r"\.(?P<host>.+?)\.(?:pid)?(?P<pid>\d+)\.(?P<random>X\w+|\d{6})(?P<finished>\.H\w+)?"
)


class Kind(Enum):
    """What a process is, judging by its command line."""

    DIRECT = "coverage, about to write the data file itself and then to exit"
    RUNNER = "a test runner, whoever measures in it"
    READER = "something that reads coverage, and is no test run"
    OTHER = "anything else"


def kind_of(argv: Sequence[str]) -> tuple[Kind, str]:
    """What runs under this command line, and its name for people."""
    program = _stem(argv[0]) if argv else ""
    if not _PYTHON.fullmatch(program):
        return _kind_of_program(program, argv[1:])
    rest = list(argv[1:])
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if match := _PROGRAM_OPTION.fullmatch(option):
            if match[1] == "c":
                return Kind.OTHER, program
            rest[:0] = [match[2]] if match[2] else []
            break
        if option in _OPTIONS_WITH_VALUE:
            del rest[:1]
    if not rest:
        return Kind.OTHER, program
    name = _stem(rest[0])
    found = _kind_of_program(name, rest[1:])
    # Launchers, such as debuggers, name what they start in the same way further on.
    for index, argument in enumerate(rest):
        if found[0] is Kind.OTHER and argument == "-m":
            found = _kind_of_program("".join(rest[index + 1 : index + 2]), rest[index + 2 :])
    return found if found[0] is not Kind.OTHER else (Kind.OTHER, name)


def _kind_of_program(name: str, arguments: Sequence[str]) -> tuple[Kind, str]:
    command = next((argument for argument in arguments if not argument.startswith("-")), "")
    if name in RUNNERS or (name in RUNNERS_OF_TEST and command == "test"):
        return Kind.RUNNER, name
    if _COVERAGE.fullmatch(name):
        return Kind.DIRECT if command in WRITING_COMMANDS else Kind.READER, f"coverage {command}"
    if name in ("covls", "covls.probe.analyse"):
        return Kind.READER, name
    return Kind.OTHER, name


def _stem(path: str) -> str:
    """The name of a program or script; the package's where the script is a package's main file."""
    pure = PurePosixPath(path)
    if pure.parts[-3:] == ("covls", "probe", "analyse.py"):
        return "covls.probe.analyse"
    return pure.parent.name if pure.name == "__main__.py" else pure.name.removesuffix(".py")


@dataclass(frozen=True, slots=True)
class _Process:
    """A process, told apart from a later one of the same number by when it started."""

    pid: int
    born: int
    """When it started, in whatever unit the system keeps unchanged."""
    started: float = field(compare=False)
    """The same in seconds since the epoch, as far as the clock was not set since."""
    kind: Kind = field(compare=False)
    name: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class _Part:
    """A parallel part of the data that names a process of this machine."""

    pid: int
    finished: bool
    written: float
    """Seconds since the epoch."""


class RunFinder:
    """Looks for test runs of one root, and remembers what it saw.

    On Linux, /proc tells which processes work in the root, what they run and which files they have
    open. On other systems with `ps`, the names of parallel parts tell who writes them. On Windows,
    nothing does. Not to be used by several threads at once.
    """

    def __init__(self, root: Path) -> None:
        self._processes: _Proc | _Ps | None = None
        if sys.platform == "linux":
            self._processes = _Proc(Path("/proc"), root.resolve())
        elif os.name == "posix":
            self._processes = _Ps()
        self._host = socket.gethostname().replace(".", "_")
        self._alive: set[_Process] = set()
        self._writers: set[_Process] = set()
        self._done: set[_Process] = set()
        self._died_writing: set[_Process] = set()
        self._seen: Fingerprint | None = None
        self._parts_seen = False
        self._changed_at = float("-inf")
        self._alive_at = float("-inf")

    def look(self, data_file: Path) -> Run:
        """What is known right now about runs that may be writing this data file."""
        if self._processes is None:
            return RUN_UNKNOWN
        now = time.monotonic()
        seen = fingerprint(data_file)
        changed, self._seen = seen != self._seen, seen
        if changed:
            self._changed_at = now
        parts = self._parts(seen, data_file)
        self._find(self._processes, parts, data_file, changed)
        self._note_combining(parts, data_file)

        working = self._alive - self._done
        writing = self._writers & working
        if working:
            self._alive_at = now
            process = min(working, key=lambda each: (each.kind is Kind.OTHER, each.started))
            return Run(
                RunState.WRITING if writing else RunState.ALIVE,
                direct=any(process.kind is Kind.DIRECT for process in working),
                name=f"{process.name} (process {process.pid})",
            )
        if self._alive_at >= self._changed_at - BETWEEN_LOOKS:
            return Run(RunState.ENDED, unfinished=bool(self._died_writing))
        return Run(RunState.UNSEEN if self._processes.complete else RunState.UNKNOWN)

    def _parts(self, seen: Fingerprint, data_file: Path) -> list[_Part]:
        found = []
        for stamp in seen.files:
            match = _PART.match(stamp.path.name.removeprefix(data_file.name))
            if match is not None and match["host"].replace(".", "_") == self._host:
                written = stamp.mtime_ns / 1e9
                found.append(_Part(int(match["pid"]), bool(match["finished"]), written))
        return found

    def _find(
        self, processes: "_Proc | _Ps", parts: Sequence[_Part], data_file: Path, changed: bool
    ) -> None:
        """Bring what is known about processes up to date."""
        before = self._alive
        self._alive = {process for process in before if processes.find(process.pid) == process}
        for part in parts:
            process = processes.find(part.pid)
            if process is not None and process.started <= part.written + CLOCKS_DIFFER:
                self._alive.add(process)
                if not part.finished:
                    self._writers.add(process)
                    self._done.discard(process)
        # While somebody is known to be at work, one more makes no difference.
        if changed or not self._alive - self._done:
            self._alive |= processes.test_runs()
        # pytest writes parts; the data file itself it opens to read it, for its reports.
        self._writers |= {
            process
            for process in self._alive - self._writers
            if process.name not in ("pytest", "py.test") and processes.has_open(process, data_file)
        }
        unfinished = {part.pid for part in parts if not part.finished}
        self._died_writing = {
            process
            for process in self._died_writing | (self._writers - self._alive)
            if process.pid in unfinished and process.kind is not Kind.DIRECT
        }
        self._writers &= self._alive
        self._done &= self._alive

    def _note_combining(self, parts: Sequence[_Part], data_file: Path) -> None:
        """Once parts have become one data file, their writers have no more to write.

        They may live on for minutes, writing reports.
        """
        exists = self._seen is not None and any(f.path == data_file for f in self._seen.files)
        if not exists:
            self._done.clear()
        elif self._parts_seen and not parts:
            self._done |= {process for process in self._alive if process.kind is not Kind.DIRECT}
            self._alive_at = time.monotonic()
        self._parts_seen = bool(parts)


class _Proc:
    """The processes of this user in a Linux system."""

    complete = True

    def __init__(self, folder: Path, root: Path) -> None:
        self._folder = folder
        self._root = root
        self._user = os.getuid()
        self._ticks = os.sysconf("SC_CLK_TCK")
        match = re.search(r"^btime (\d+)", (folder / "stat").read_text(), re.MULTILINE)
        self._booted = float(match[1]) if match is not None else 0.0
        self._own = frozenset(self._ancestors())

    def find(self, pid: int) -> _Process | None:
        """The process, None where it is gone, or dead and only not yet missed by its parent."""
        try:
            fields = self._stat(pid)
            argv = self._argv(pid)
        except OSError:
            return None
        if fields[0] in (b"Z", b"X"):
            return None
        born = int(fields[19])
        return _Process(pid, born, self._booted + born / self._ticks, *kind_of(argv))

    def test_runs(self) -> set[_Process]:
        """Everything in the root that looks like a test run, or has coverage.py loaded."""
        return {process for pid in self._pids() if (process := self._test_run(pid)) is not None}

    def has_open(self, process: _Process, file: Path) -> bool:
        real = str(file.resolve())
        try:
            descriptors = list((self._folder / str(process.pid) / "fd").iterdir())
        except OSError:
            return False
        return any(_link(descriptor) == real for descriptor in descriptors)

    def _stat(self, pid: int) -> list[bytes]:
        """The fields of a process's state that stand behind its name, its state the first."""
        return (self._folder / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()

    def _ancestors(self) -> Iterator[int]:
        """Our process and those that it was started from: a nox session, say, which waits for
        the report that it asked for, and would be waited for in turn.
        """
        pid = os.getpid()
        while pid > 1:
            yield pid
            try:
                pid = int(self._stat(pid)[1])
            except OSError:
                return

    def _pids(self) -> Iterator[int]:
        for name in os.listdir(self._folder):  # noqa: PTH208  # Cheaper by half for hundreds.
            if name.isdecimal() and int(name) not in self._own:
                yield int(name)

    def _test_run(self, pid: int) -> _Process | None:
        place = self._folder / str(pid)
        try:
            argv = self._argv(pid)
            kind, _ = kind_of(argv)
            python = bool(argv) and _PYTHON.fullmatch(_stem(argv[0])) is not None
            if kind is Kind.READER or (kind is Kind.OTHER and not python):
                return None
            if place.stat().st_uid != self._user or not self._in_root(place):
                return None
            if kind is Kind.OTHER and b"/coverage/tracer." not in (place / "maps").read_bytes():
                return None
            if self._is_covls_own(pid):
                return None
        except OSError:
            return None
        return self.find(pid)

    def _is_covls_own(self, pid: int) -> bool:
        """Whether a process is of a run that covls started, whose data come whole, at its end."""
        while pid > 1:
            pid = int(self._stat(pid)[1])
            if any(map(_GUARD.search, self._argv(pid))):
                return True
        return False

    def _in_root(self, place: Path) -> bool:
        """Whether a process works in the root, or was started there: tests change the folder."""
        if Path(_link(place / "cwd")).is_relative_to(self._root):
            return True
        started_in = re.search(rb"(?:^|\0)PWD=([^\0]*)", (place / "environ").read_bytes())
        return started_in is not None and Path(os.fsdecode(started_in[1])).is_relative_to(
            self._root
        )

    def _argv(self, pid: int) -> list[str]:
        command_line = (self._folder / str(pid) / "cmdline").read_bytes()
        return [os.fsdecode(argument) for argument in command_line.rstrip(b"\0").split(b"\0")]


class _Ps:
    """The processes of a system where `ps` tells what runs, but not in which folder."""

    complete = False

    def find(self, pid: int) -> _Process | None:
        try:
            answer = subprocess.run(
                [PS, "-o", "stat=,lstart=,command=", "-p", str(pid)],
                env={"LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=2.0,
                check=False,
            ).stdout.split()
            state, started, argv = answer[0], " ".join(answer[1:6]), answer[6:]
            born = time.mktime(time.strptime(started, "%a %b %d %H:%M:%S %Y"))
        except (OSError, subprocess.TimeoutExpired, IndexError, ValueError):
            return None  # No such process, or no `ps` that understands us.
        if state.startswith("Z"):
            return None
        return _Process(pid, int(born), born, *kind_of(argv))

    def test_runs(self) -> set[_Process]:
        """None: which of the system's test runs is one of this root is not to be seen."""
        return set()

    def has_open(self, process: _Process, file: Path) -> bool:  # noqa: ARG002
        return False


def _link(path: Path) -> str:
    """Where a link of /proc leads, empty where that may not be known."""
    try:
        return str(path.readlink())
    except OSError:
        return ""
