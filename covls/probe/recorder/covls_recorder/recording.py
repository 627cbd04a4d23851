"""A run under coverage.py whose data is told apart by test and phase, on any of its cores.

coverage.py's collector keeps what ran in sets, one a file, which its tracer adds to. At each switch
from one phase of a test to the next, what the sets hold is taken out, written down as the detail of
the phase that ends, and kept for the data file, which is written once, at the end, as coverage.py
would have written it: in the contexts that the user's own configuration asks for, and no others.

coverage.py's sysmon core hears of each line (and branch) once, and is deaf to it from then on: that
is why it is fast. After a switch it is made to listen again, by `sys.monitoring.restart_events`.

What coverage.py does not document is used in this module and nowhere else of the package.
"""

from __future__ import annotations

import base64
import contextlib
import glob
import json
import os
import re
import site
import sys
import threading
import time
import warnings
from types import SimpleNamespace
from typing import Any, Callable, Dict, Iterator, List, Optional, Set, Tuple

import coverage
from coverage import env
from coverage.collector import Collector

from covls_recorder.detail import Arc, Detail, Phase, Ran
from covls_recorder.journal import Journal
from covls_recorder.listening import MONITORING, Listening

HERE = os.path.dirname(os.path.abspath(__file__))
PROBE = os.path.dirname(os.path.dirname(HERE))
OUTSIDE_TESTS = Phase()
CORES = {"SysMonitor": "sysmon", "CTracer": "ctrace", "PyTracer": "pytrace"}

# The first coverage.py whose sysmon core keeps working when events are restarted: tried.
SYSMON_SINCE = (7, 7)

# The process's number in the name of a parallel data file, in the spellings of all versions.
PROCESS_IN_NAME = re.compile(r"\.pid(\d+)\.|\.(\d+)\.\w+$")


def unpack(packed: List[int]) -> List[Arc]:
    """The arcs that coverage.py's C tracer has packed into integers.

    How they are packed differs between its versions, so its own collector is asked, in the one way
    there is: it is given them to flush, each as the data of a file.
    """
    found: Dict[int, List[Arc]] = {}
    stand_in: Any = SimpleNamespace(
        branch=True,
        packed_arcs=True,
        core=SimpleNamespace(packed_arcs=True),
        data={number: {arc} for number, arc in enumerate(packed)},
        file_tracers={},
        disabled_plugins=set(),
        covdata=SimpleNamespace(add_arcs=found.update, add_file_tracers=lambda _: None),
        cached_mapped_file=lambda name: name,
        mapped_file_dict=lambda mapping: mapping,
        _activity=lambda: True,
        _clear_data=lambda: None,
    )
    Collector.flush_data(stand_in)
    return [next(iter(found[number])) for number in range(len(packed))]


class Recording:
    """The one recording of this process, from `start` to `finish`.

    `request` is what run_tests.py was given. Words for the user go into the events' journal.
    """

    def __init__(self, request: Dict[str, Any], role: str) -> None:
        self.request = request
        self.root: str = request["root"]
        self.options: Dict[str, Any] = dict(request.get("coverage") or {})
        self.contexts = False
        self.core = ""
        # The tests (or "", for outside of them) whose detail lacks something, in a set with order.
        self.incomplete: Dict[str, None] = {}
        self.role = role
        self._events = Journal(request["out"], "events")
        self._journal = Journal(request["out"], "detail")
        self._pid = os.getpid()
        self._getpid = os.getpid
        self._forked = False
        self._started = False
        self._watching = False
        self.clock = time.perf_counter
        self._began = self.clock()
        self.where = OUTSIDE_TESTS
        self._disturbances: Set[str] = set()
        self._union: Dict[str, Ran] = {}
        self._coverage: Any = None
        self._collector: Any = None
        self._tracer: Any = None
        self._listening: Optional[Listening] = None
        self._subprocesses: Optional[Subprocesses] = None

    # What happens, told to whoever started the run.

    def event(self, event: str, **told: Any) -> None:
        """Tell what happened. A forked child is silent: its parent runs the tests."""
        if self._getpid() == self._pid:
            self._events.add({"event": event, **told})

    def notice(self, message: str) -> None:
        """Tell the user something in words."""
        about = {"test": self.where.test} if self.where.test else {}
        self.event("notice", message=message, **about)

    def missing(self, why: str) -> None:
        """Tell the user why something is missing in what the present test's detail says."""
        self.incomplete[self.where.test] = None
        self.notice(why)

    def _about(self) -> Dict[str, Any]:
        return {
            "core": self.core,
            "coverage": coverage.__version__,
            "python": "%d.%d.%d" % sys.version_info[:3],
            "branch": bool(self._coverage.config.branch),
        }

    # Starting and ending.

    def start(self) -> None:
        """Start coverage.py as the user has it configured, with `options` on top."""
        self._coverage = cov = coverage.Coverage(
            data_file=os.path.join(self.request["out"], self.request["data_file"]),
            data_suffix=True,
            **self.options,
        )
        with warnings.catch_warnings():
            # An interpreter that makes errors of warnings would not get past coverage.py's.
            warnings.simplefilter("default")
            cov._init()
            if not HERE.startswith(os.path.join(self.root, "")):
                cov.config.run_omit = [*(cov.config.run_omit or ()), os.path.join(PROBE, "*")]
            # The tests asked for may well leave some sources out; that is not worth a warning.
            cov._warn_no_data = cov._warn_unimported_source = False
            with self._core_chosen(cov):
                cov.start()
        self._collector = cov._collector
        self._tracer = self._collector.tracers[0]
        self._thread = threading.get_ident()
        self._trace_function = sys.gettrace()
        self.core = CORES.get(type(self._tracer).__name__, type(self._tracer).__name__)
        self._listening = None
        if self.core == "sysmon":
            self._mend_restarts()
            self._listening = Listening(self._tracer, self._collector.data, bool(cov.config.branch))
        self._detail = Detail(self._journal, bool(cov.config.branch), unpack)
        self._watch_pauses()
        self._flush = self._collector.flush_data
        self._collector.flush_data = self._flush_union
        self._subprocesses = Subprocesses.where_possible(cov, self.request)
        self._started = True
        self._watch_for_the_end()
        self.event(
            "begin",
            pid=self._pid,
            role=self.role,
            runner=self.request["runner"],
            subprocesses=self._subprocesses is not None and self._subprocesses.all,
            **self._about(),
        )
        if self._subprocesses:
            self._subprocesses.announce(OUTSIDE_TESTS)

    def start_again(self, options: Dict[str, Any]) -> None:
        """Forget what was recorded, and start anew with other options for coverage.py."""
        self._started = False
        if self._subprocesses:
            self._subprocesses.end()
            self._subprocesses.leave()
        self._collector.flush_data = self._flush
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            self._coverage.stop()
        self._union.clear()
        self.options = options
        self.start()

    @contextlib.contextmanager
    def _core_chosen(self, cov: Any) -> Iterator[None]:
        """Have coverage.py take the core that suits; older versions take it from a variable."""
        core = self._core_for(cov)
        if core is None:
            yield
        elif hasattr(cov.config, "core"):
            cov.config.core = core
            yield
        else:
            before = os.environ.get("COVERAGE_CORE")
            os.environ["COVERAGE_CORE"] = core
            try:
                yield
            finally:
                if before is None:
                    del os.environ["COVERAGE_CORE"]
                else:
                    os.environ["COVERAGE_CORE"] = before

    def _core_for(self, cov: Any) -> Optional[str]:
        """The core to ask coverage.py for, or None for the one that it takes by itself."""
        wanted = self.request.get("core") or "auto"
        if wanted != "auto":
            return str(wanted)
        config = cov.config
        if getattr(config, "core", None) or os.environ.get("COVERAGE_CORE") or config.timid:
            return None
        if MONITORING is None or coverage.version_info[:2] < SYSMON_SINCE:
            return None
        if config.branch and not getattr(env.PYBEHAVIOR, "branch_right_left", False):
            return None
        plugins = cov._plugins
        if plugins.file_tracers or plugins.context_switchers:
            return None
        if config.dynamic_context not in (None, "", "none"):
            return None
        if {"greenlet", "eventlet", "gevent"}.intersection(config.concurrency or ()):
            return None
        taken = MONITORING.get_tool(MONITORING.COVERAGE_ID)
        if taken is not None:
            self.notice(f"{taken} has the place of coverage in sys.monitoring; recording is slower")
            return "ctrace"
        return "sysmon"

    def finish(self, code: int) -> None:
        """Write what is left, and coverage.py's own data."""
        if not self._started:
            return
        self.switch(OUTSIDE_TESTS)
        self._record()
        if self._forked:
            return
        self._started = False
        if self._subprocesses:
            self._subprocesses.end()
            self._collect_from_subprocesses(every=True)
            self._subprocesses.leave()
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            while self._collector in Collector._collectors and (
                Collector._collectors[-1] is not self._collector
            ):
                # Left running by a test; it cannot be stopped below others.
                Collector._collectors[-1].stop()
            self._coverage.stop()
            self._coverage.save()
        self.event(
            "end",
            exit=code,
            complete="" not in self.incomplete,
            incomplete=[test for test in self.incomplete if test],
            seconds=round(self.clock() - self._began, 3),
            **self._about(),
        )

    # Switching between tests and their phases.

    def switch(self, where: Phase, context: str = "") -> Phase:
        """From here on another phase runs; return the one that ran up to here.

        `context` is coverage.py's own for it, where the user asked pytest-cov for contexts.
        """
        before = self.where
        if where == before or not self._started:
            return before
        self._record()
        self.where = where
        if self.contexts and context:
            self._collector.switch_context(context)
        if self._subprocesses and not self._forked:
            self._subprocesses.announce(where)
            if not where.test:
                self._collect_from_subprocesses(every=False)
        return before

    @contextlib.contextmanager
    def in_scope(self, scope: str, phase: str) -> Iterator[None]:
        """Let a fixture of a scope wider than a test be set up, or torn down, during a test."""
        before = self.where
        if scope == "function" or not before.test:
            yield
            return
        self.switch(before._replace(phase=phase, scope=scope))
        try:
            yield
        finally:
            self.switch(before)

    def _record(self) -> None:
        """Write down what ran since the last time as what the present phase ran."""
        ran: Dict[str, Ran] = {}
        for name, live in list(self._collector.data.items()):
            if live:
                # Other threads go on adding: what they add meanwhile stays for the next time.
                now = live.copy()
                live.difference_update(now)
                ran[name] = now
        self._look_after_the_tracer()
        if not ran:
            return
        union = self._union
        for name, now in ran.items():
            seen = union.get(name)
            if seen is None:
                union[name] = now.copy()
            else:
                seen |= now
        mapped: Dict[str, Ran] = {}
        for name, now in ran.items():
            path = self._collector.cached_mapped_file(name)
            mapped[path] = mapped[path] | now if path in mapped else now
        self._detail.add(self.where, mapped, self._forked and not self._exit_saves())
        if self._listening is not None:
            self._listening.again(ran)

    def _flush_union(self) -> bool:
        """In place of the collector's: give coverage.py all that ran since it was given any."""
        self._record()
        data = self._collector.data
        for name, seen in self._union.items():
            data[name].update(seen)
        self._union = {}
        return bool(self._flush())

    # Tests that get in the way.

    def _mend_restarts(self) -> None:
        """Let the sysmon tracer ask for each code's events anew when it is started again.

        That is after a coverage.py that a test used in this process. To the tracer the codes are
        known, while sys.monitoring has forgotten what was asked for.
        """
        tracer, start = self._tracer, self._tracer.start

        def start_anew() -> Any:
            tracer.code_infos.clear()
            return start()

        tracer.start = start_anew

    def _look_after_the_tracer(self) -> None:
        """Put the tracer back where a test has taken it away, and say that something is missing."""
        if not self._started or self._thread != threading.get_ident():
            return
        if self._forked and not self._coverage._started:
            return
        if Collector._collectors and Collector._collectors[-1] is not self._collector:
            self._disturb("another coverage.py was started")
        elif self.core == "sysmon":
            tool, events = self._tracer.myid, MONITORING.events
            taken = MONITORING.get_tool(tool)
            if taken == "coverage.py" and MONITORING.get_events(tool) & events.PY_START:
                return
            self._disturb("coverage.py's place in sys.monitoring was taken")
            if taken == "coverage.py":
                MONITORING.free_tool_id(tool)
            if taken in (None, "coverage.py"):
                self._tracer.start()
        elif sys.gettrace() is not self._trace_function:
            tracing: Any = sys.gettrace()
            if getattr(tracing, "__self__", tracing) not in self._collector.tracers:
                self._disturb("the trace function was replaced")
            # Or it is another thread's: coverage.py resumes so after a pause.
            self._tracer.start()
            self._trace_function = sys.gettrace()

    def _disturb(self, what: str) -> None:
        """Something kept coverage.py from recording all of the present test; tell of each once."""
        self.incomplete[self.where.test] = None
        if what not in self._disturbances:
            self._disturbances.add(what)
            where = self.where.test or "what runs outside of the tests"
            self.notice(f"{what} in {where}: what ran meanwhile is not recorded")

    def _watch_pauses(self) -> None:
        """Notice when a coverage.py that a test starts in this process pauses this one."""
        pause = self._collector.pause

        def watched() -> Any:
            if self._started and not self._forked:
                self._disturb("another coverage.py was started")
            return pause()

        self._collector.pause = watched

    def _watch_for_the_end(self) -> None:
        """Write what is there before this process leaves without a word, or becomes another."""
        if self._watching:
            return
        self._watching = True
        for name in ("_exit", "execv", "execve"):
            if hasattr(os, name):
                setattr(os, name, self._before(name, getattr(os, name)))
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)

    def _before(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **named: Any) -> Any:
            # Whatever goes wrong here must not keep the test from what it wants to do.
            with contextlib.suppress(Exception):
                self._leave(name)
            return real(*arguments, **named)

        watched.__name__ = name
        return watched

    def _leave(self, how: str) -> None:
        if not self._started or (self._forked and not self._coverage._started):
            return
        self._record()
        if not self._forked:
            self.missing(f"os.{how} was called: the process that ran the tests ended there")
            self._coverage.save()

    def _after_fork(self) -> None:
        """In a forked child: what ran before is the parent's to tell; the rest is told apart."""
        if not self._started:
            return
        self._forked = True
        self._journal.forked()
        self._events.forked()
        self._detail.forked()
        self._union = {}
        for live in self._collector.data.values():
            live.clear()
        if self._listening is not None and self._coverage._started:
            self._listening.to_all()

    def _exit_saves(self) -> bool:
        """Whether the user has coverage.py save the data of a process that ends by os._exit."""
        return "_exit" in getattr(self._coverage.config, "patch", ())

    def _collect_from_subprocesses(self, every: bool) -> None:
        """Write down what the subprocesses of tests ran that have ended, or that of all."""
        if self._subprocesses is None:
            return
        for where, outside, path in self._subprocesses.ended(every):
            ran = self._subprocesses.take(path, outside)
            if ran is None:
                self.notice(f"what a subprocess of {where.test or 'the run'} ran is unreadable")
            elif ran:
                self._detail.add(where, ran, outside)


class Subprocesses:
    """Python processes that tests start, recorded for the test and phase that started them.

    coverage.py starts itself in them where one of its variables is in their environment. What they
    ran is saved under a number that stands for the phase. Where the user's own configuration would
    measure them too, their data goes beside this process's own when it was read.
    """

    def __init__(
        self, config: Any, out: str, data_file: str, measured: bool, possible: bool
    ) -> None:
        self._folder = os.path.join(out, f"subprocesses-{os.getpid()}")
        self._data_file = data_file
        self.all = measured or possible
        self._measured = measured
        self._always = measured or not possible
        self._phases: List[Phase] = []
        self._arcs = bool(config.branch)
        self._config = config
        self._around: Optional[Tuple[str, str]] = None
        self._multiprocessing = "multiprocessing" in (config.concurrency or ())
        # The configuration as the subprocess will have it, its paths absolute, as tests change
        # the current folder.
        self._theirs: Any = None
        if hasattr(config, "serialize"):
            self._theirs = type(config).deserialize(config.serialize())
            self._theirs.parallel = True
        os.makedirs(self._folder, exist_ok=True)

    @classmethod
    def where_possible(cls, cov: Any, request: Dict[str, Any]) -> Optional[Subprocesses]:
        """Return None where subprocesses would not be measured, nor could be."""
        config = cov.config
        configured = "COVERAGE_PROCESS_START" in os.environ
        patched = {"subprocess", "fork"}.intersection(getattr(config, "patch", ()))
        multiprocessing = "multiprocessing" in (config.concurrency or ())
        possible = (
            request.get("subprocesses", "auto") == "auto"
            and hasattr(config, "serialize")
            and _starts_by_itself()
        )
        if not (configured or patched or multiprocessing or possible):
            return None
        out = request["out"]
        data_file = os.path.join(out, request["data_file"])
        measured = configured or "subprocess" in patched
        return cls(config, out, data_file, measured, possible)

    def announce(self, where: Phase) -> None:
        """Let the processes that are started from now on record for this test and scope."""
        if where.scope == "function" and where.test:
            where = where._replace(phase="call")
        if self._phases and self._phases[-1] == where:
            return
        number = len(self._phases)
        self._phases.append(where)
        theirs = os.path.join(self._folder, f"{number}-u")
        # A forked child that coverage.py starts anew takes its file from here.
        self._config.data_file = theirs
        if self._multiprocessing or self._theirs is None:
            os.environ["COVERAGE_FILE"] = theirs
        if self._theirs is None:
            return
        if where.test or self._always:
            path = theirs if self._measured else theirs[:-1] + "o"
            os.environ["COVERAGE_PROCESS_CONFIG"] = self._serialized(path)
        else:
            os.environ.pop("COVERAGE_PROCESS_CONFIG", None)

    def _serialized(self, data_file: str) -> str:
        """Their configuration as coverage.py hands it on, with this data file.

        It is JSON in base64; to put it together from the parts around the path is much quicker
        than to have it made for each test. Where it is something else, it is made each time.
        """
        if self._around is None:
            self._theirs.data_file = data_file
            made = str(self._theirs.serialize())
            try:
                text = base64.b64decode(made, validate=True).decode()
            except ValueError:
                text = ""
            before, path, after = text.partition(json.dumps(data_file))
            self._around = (before, after) if path else ("", "")
        before, after = self._around
        if not after:
            self._theirs.data_file = data_file
            return str(self._theirs.serialize())
        return base64.b64encode(f"{before}{json.dumps(data_file)}{after}".encode()).decode()

    def end(self) -> None:
        """Take everything out of the environment."""
        os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
        if self._multiprocessing or self._theirs is None:
            os.environ.pop("COVERAGE_FILE", None)

    def leave(self) -> None:
        """Take the folder away, unless it holds something that could not be read."""
        with contextlib.suppress(OSError):
            os.rmdir(self._folder)

    def ended(self, every: bool) -> List[Any]:
        """The phase, whether it is outside of what the user measures, and the path of each file."""
        found = []
        try:
            names = sorted(os.listdir(self._folder))
        except OSError:
            return []
        for name in names:
            process = PROCESS_IN_NAME.search(name)
            if name.endswith("-journal") or process is None:
                continue
            if not every and _is_alive(int(process[1] or process[2])):
                continue
            number, _, kind = name.partition(".")[0].partition("-")
            phase = self._phases[int(number)]
            found.append((phase, kind == "o", os.path.join(self._folder, name)))
        return found

    def take(self, path: str, outside: bool) -> Optional[Dict[str, Ran]]:
        """Read what a subprocess ran, and put its data where it belongs; None if it is broken."""
        data = coverage.CoverageData(basename=path)
        try:
            data.read()
            ran = {
                name: set((data.arcs if self._arcs else data.lines)(name) or ())
                for name in data.measured_files()
            }
        except Exception:  # noqa: BLE001 - sqlite3's errors, and coverage.py's, which moved about
            return None
        finally:
            data.close(force=True)
        if outside:
            os.unlink(path)
        else:
            suffix = os.path.basename(path).partition(".")[2]
            os.replace(path, f"{self._data_file}.{suffix}")
        return {name: lines for name, lines in ran.items() if lines}


def _starts_by_itself() -> bool:
    """Whether coverage.py has put itself among what this interpreter does when it starts."""
    folders = [*getattr(site, "getsitepackages", list)(), os.path.dirname(coverage.__path__[0])]
    for path in {path for folder in folders for path in glob.glob(os.path.join(folder, "*.pth"))}:
        with contextlib.suppress(OSError), open(path, "rb") as file:
            if b"process_startup" in file.read():
                return True
    return False


def _is_alive(process: int) -> bool:
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


current: Optional[Recording] = None
