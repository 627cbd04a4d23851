"""The pytest plugin: tells the recording which test and phase runs, and what became of each test.

It is loaded by `-p`, in the main process and in each of pytest-xdist's workers. Where the user has
pytest-cov measure, its options are taken over, and it is kept from measuring a second time.

PYTEST_DONT_REWRITE: it has no assertions, and is imported in workers before pytest could rewrite
them, of which pytest would warn.
"""

from __future__ import annotations

import os
import re
from typing import Any, Dict, Generator, List, Optional, Set

import pytest
from _pytest.config import ConftestImportFailure
from _pytest.fixtures import FixtureDef

from covls_recorder import recording
from covls_recorder.asked import Asked
from covls_recorder.detail import Phase
from covls_recorder.failures import error_place, message_of, places, shortened, text_of
from covls_recorder.recording import OUTSIDE_TESTS, Recording

# Ids a line of the journal.
CHUNK = 1000

START_IN_WORKER = """
import sys
sys.path.append({folder!r})
from covls_recorder import pytest_plugin
pytest_plugin.start_in_worker({request!r}, {options!r})
"""


def start_in_worker(request: Dict[str, Any], options: Dict[str, Any]) -> None:
    """Start recording in a worker, before pytest is imported there."""
    recording.current = Recording(request, "worker")
    recording.current.options = options
    recording.current.start()


class Outcome:
    """What is known of a test that runs: its reports so far."""

    def __init__(self, began: float) -> None:
        self.began = began
        self.forget()

    def forget(self) -> None:
        """Begin anew: plugins run a failed test again within its protocol."""
        self.word = "passed"
        self.told: Dict[str, Any] = {"message": "", "file": None, "line": None, "long": ""}


class RecorderPlugin:
    """One session's hooks; `recording` is that of this process."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._asked: Optional[Asked] = None
        if recording.request.get("tests") is not None:
            self._asked = Asked(recording.request["tests"], dotted=False)
        self._outcome: Optional[Outcome] = None
        self._collected_by_workers = False
        self._failed_files: Set[str] = set()
        self._rootdir = recording.root
        self._worker = recording.role == "worker"
        self._code = 0

    # Names.

    def _id(self, nodeid: str) -> str:
        """A node's id relative to the root, whatever folder pytest has taken for its own."""
        if self._rootdir == self._recording.root:
            return nodeid
        path, colons, rest = nodeid.partition("::")
        try:
            path = os.path.relpath(os.path.join(self._rootdir, path), self._recording.root)
        except ValueError:  # on another drive
            return nodeid
        return path.replace(os.sep, "/") + colons + rest

    # Starting.

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_load_initial_conftests(self, early_config: Any) -> Generator[None, Any, None]:
        self._take_over(early_config.known_args_namespace)
        made = yield
        # A conftest.py that cannot be imported ends the run before anything can be reported on.
        error = made.excinfo and made.excinfo[1]
        if isinstance(error, ConftestImportFailure):
            cause = getattr(error, "cause", None) or error
            self._recording.event(
                "collection-error",
                **error_place(cause, str(error.path), self._recording.root),
                message=message_of(cause),
                long=shortened(text_of(cause)),
            )

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: Any) -> None:
        self._rootdir = str(config.rootpath)
        # Older versions of xdist hand these to the workers.
        if getattr(config.option, "cov_source", None):
            config.option.cov_source = []

    def _take_over(self, options: Any) -> None:
        """Measure what pytest-cov would have measured, as it would have."""
        source = getattr(options, "cov_source", None)
        if not source:
            return
        options.cov_source = []
        self._recording.contexts = getattr(options, "cov_context", None) == "test"
        if self._worker:
            return
        taken = dict(self._recording.options)
        if True not in source and "source" not in taken:
            taken["source"] = source
        if getattr(options, "cov_branch", None):
            taken["branch"] = True
        taken.setdefault("config_file", getattr(options, "cov_config", None) or True)
        self._recording.start_again(taken)

    # xdist's workers.

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        code = START_IN_WORKER.format(
            folder=os.path.dirname(recording.HERE),
            request=self._recording.request,
            options=self._recording.options,
        )
        try:
            node.gateway.remote_exec(code).waitclose()
        except Exception as error:  # noqa: BLE001 - whatever keeps a worker from recording is told
            self._recording.missing(f"nothing is recorded in worker {node.gateway.id}: {error}")

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: List[str]) -> None:
        if not self._collected_by_workers:
            self._collected_by_workers = True
            self._collected([self._id(nodeid) for nodeid in ids])

    # Collecting.

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: Any, items: List[Any]) -> None:
        if self._asked is None:
            return
        asked = self._asked
        kept: List[Any] = []
        left: List[Any] = []
        for item in items:
            (kept if asked.takes(self._id(item.nodeid)) else left).append(item)
        if left:
            config.hook.pytest_deselected(items=left)
            items[:] = kept

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: Any) -> None:
        # xdist's main process collects nothing.
        if not self._worker and not session.config.pluginmanager.hasplugin("dsession"):
            self._collected([self._id(item.nodeid) for item in session.items])

    def _collected(self, ids: List[str]) -> None:
        for start in range(0, len(ids), CHUNK) or (0,):
            self._recording.event("collected", tests=ids[start : start + CHUNK])
        if self._asked is not None:
            missing = [
                test
                for test in self._asked.without(ids)
                if test.partition("::")[0] not in self._failed_files
            ]
            if missing:
                self._recording.event("missing", tests=missing)

    def pytest_exception_interact(self, call: Any, report: Any) -> None:
        if report.when == "collect" and call.excinfo is not None:
            error = call.excinfo.value
            # What travels with a report from a worker are plain values.
            path = os.path.join(self._rootdir, report.fspath)
            report.covls_place = error_place(error.__cause__ or error, path, self._recording.root)

    def pytest_collectreport(self, report: Any) -> None:
        if not report.failed or self._worker or self._id(report.nodeid) in self._failed_files:
            return
        self._failed_files.add(self._id(report.nodeid))
        text = str(report.longrepr).strip()
        path = os.path.join(self._rootdir, report.fspath)
        place = getattr(report, "covls_place", {"file": path, "line": None})
        self._recording.event(
            "collection-error",
            **place,
            message=shortened(last_error(text), 300),
            long=shortened(text),
        )

    # Running.

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: Any) -> Generator[None, Any, None]:
        test = self._id(item.nodeid)
        self._recording.event("started", test=test)
        self._outcome = outcome = Outcome(self._recording.clock())
        self._switch(item, "setup")
        ended = yield
        self._recording.switch(OUTSIDE_TESTS)
        self._outcome = None
        if ended.excinfo is not None:
            return  # Ctrl-C, or `pytest.exit`: nobody knows what would have become of it.
        self._recording.event(
            "finished",
            test=test,
            outcome=outcome.word,
            seconds=round(self._recording.clock() - outcome.began, 4),
            **outcome.told,
        )

    def _switch(self, item: Any, phase: str) -> None:
        test = self._id(item.nodeid)
        self._recording.switch(Phase(test, phase), f"{item.nodeid}|{_WHEN[phase]}")

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: Any) -> Generator[None, Any, None]:
        if self._outcome is not None:
            self._outcome.forget()
        self._switch(item, "setup")
        yield

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: Any) -> Generator[None, Any, None]:
        self._switch(item, "call")
        yield

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: Any) -> Generator[None, Any, None]:
        self._switch(item, "teardown")
        yield

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, Any, None]:
        with self._recording.in_scope(fixturedef.scope, "setup"):
            yield

    # What became of it.

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: Any, call: Any) -> Generator[None, Any, None]:
        made = yield
        report = made.get_result()
        if report.failed and call.excinfo is not None:
            entries = [(str(entry.path), entry.lineno + 1) for entry in call.excinfo.traceback]
            # It stays with the report, which may come from another process.
            file = getattr(item, "path", None) or item.fspath
            report.covls_places = places(entries, str(file))

    def pytest_runtest_logreport(self, report: Any) -> None:
        if self._outcome is not None:
            self._judge(self._outcome, report)
        elif report.when == "???" and not self._worker:
            # xdist reports in this way on a test that a worker died of. Nobody else can.
            self._recording.event(
                "finished",
                test=self._id(report.nodeid),
                outcome="error",
                seconds=0.0,
                **told(report),
            )

    def _judge(self, outcome: Outcome, report: Any) -> None:
        """Fold a phase's report into what is known of the test; the first failure is told."""
        word = ""
        if report.failed:
            word = "failed" if report.when == "call" else "error"
        elif report.skipped:
            word = "xfailed" if hasattr(report, "wasxfail") else "skipped"
        elif hasattr(report, "wasxfail"):
            word = "xpassed"
        if word and outcome.word not in ("failed", "error"):
            outcome.word = word
            outcome.told = told(report)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        if self._worker:
            self._recording.finish(self._code)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        self._code = int(exitstatus)
        if self._worker:
            # Before the main process hears that this one is done: then it ends it, done or not.
            self._recording.finish(self._code)


_ERROR = re.compile(r"(?:\w+\.)*\w*(?:Error|Exception|Warning|Failed)\w*(?::|$)")

# As pytest-cov names its contexts.
_WHEN = {"setup": "setup", "call": "run", "teardown": "teardown"}


def last_error(text: str) -> str:
    """The line of a report that names the error: its last may go on with what the error says."""
    lines = [line.lstrip("E ") for line in text.splitlines()] or [""]
    named = [line for line in lines if _ERROR.match(line)]
    return named[-1] if named else lines[-1]


def told(report: Any) -> Dict[str, Any]:
    """What an event says of a report that is not simply passed."""
    long = report.longrepr
    if isinstance(long, tuple):  # a skip: path, line, reason
        path, line, reason = long
        return {"message": str(reason), "file": str(path), "line": line, "long": ""}
    crash = getattr(long, "reprcrash", None)
    text = str(long or "")
    message = str(getattr(crash, "message", "") or text.strip().rpartition("\n")[2])
    reason = getattr(report, "wasxfail", "")
    return {
        "message": shortened(reason or message, 300),
        "file": getattr(crash, "path", None),
        "line": getattr(crash, "lineno", None),
        "long": shortened(text),
        **getattr(report, "covls_places", {}),
    }


def pytest_addoption(pluginmanager: Any) -> None:
    """Registers the plugin itself: pytest calls this when it loads the module, in good time."""
    if recording.current is not None:
        pluginmanager.register(RecorderPlugin(recording.current), "covls-recorder")
        _watch_fixtures_end(recording.current)


def _watch_fixtures_end(current: Recording) -> None:
    """Tell the recording when a fixture is torn down, for which pytest has no hook in time."""
    finish = FixtureDef.finish

    def finish_in_scope(self: Any, request: Any) -> Any:
        with current.in_scope(self.scope, "teardown"):
            return finish(self, request)

    FixtureDef.finish = finish_in_scope  # type: ignore[method-assign]
