"""Hooks in unittest: tell the recording which test and phase runs, and what became of each test.

They are put into unittest's own classes, so that every runner and result that is built on them has
them: `python -m unittest`, Django's, a project's own.
"""

from __future__ import annotations

import os
import re
import sys
import unittest
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence

from covls_recorder.asked import Asked
from covls_recorder.detail import Phase
from covls_recorder.failures import frames, message_of, places, shortened, text_of
from covls_recorder.recording import OUTSIDE_TESTS, Recording

CHUNK = 1000

UNITTEST = os.path.join(os.path.dirname(os.path.abspath(unittest.__file__)), "")
JUDGED = frozenset(
    (
        "addError",
        "addFailure",
        "addSubTest",
        "addSkip",
        "addExpectedFailure",
        "addUnexpectedSuccess",
    )
)

# How unittest names what stands for a module that could not be imported.
NOT_LOADED = "unittest.loader._FailedTest"
PLACE = re.compile(r'^  File "(.+)", line (\d+)', re.MULTILINE)


class Hooks:
    """What the hooks know: the test that runs, and why a class or a module could not be set up."""

    def __init__(self, recording: Recording, leave_out: bool) -> None:
        self._recording = recording
        self._active = ""
        self._last = ""
        self._first_of_module = ""
        self._failure: Optional[BaseException] = None
        tests = recording.request["tests"]
        self._asked: Optional[Asked] = None if tests is None else Asked(tests, dotted=True)
        self._leave_out = leave_out

    def install(self) -> None:
        """Put the hooks in place, once."""
        suite: Any = unittest.suite.TestSuite
        _wrap(suite, "run", self._suite)
        _wrap(suite, "_tearDownPreviousClass", self._previous_class)
        _wrap(suite, "_handleModuleFixture", self._module)
        _wrap(suite, "_handleClassSetUp", self._class)
        _wrap(suite, "_handleModuleTearDown", self._module_end)
        _wrap(suite, "_addClassOrModuleLevelException", self._fixture_failed)
        case: Any = unittest.TestCase
        _wrap(case, "run", self._test)
        for owner in (case, unittest.IsolatedAsyncioTestCase):
            _wrap(owner, "_callSetUp", self._phase("setup"))
            _wrap(owner, "_callTestMethod", self._phase("call"))
            _wrap(owner, "_callTearDown", self._phase("teardown"))

    # Suites: what is collected, and the fixtures of classes and modules.

    def _suite(self, real: Callable[..., Any], suite: Any, result: Any, *more: Any) -> Any:
        if getattr(result, "_testRunEntered", False):
            return real(suite, result, *more)
        if type(result).__module__.startswith("_pytest"):
            return real(suite, result, *more)
        if self._asked is not None and self._leave_out:
            leave_out(suite, self._asked)
        self._collected(suite)
        try:
            return real(suite, result, *more)
        finally:
            self._recording.switch(OUTSIDE_TESTS)

    def _collected(self, suite: Any) -> None:
        tests: List[str] = []
        not_loaded: List[str] = []
        for test in cases_of(suite):
            if test.id().startswith(NOT_LOADED):
                not_loaded.append(test.id()[len(NOT_LOADED) + 1 :])
                self._not_loaded(test)
            else:
                tests.append(test.id())
        for start in range(0, len(tests), CHUNK) or (0,):
            self._recording.event("collected", tests=tests[start : start + CHUNK])
        if self._asked is not None:
            missing = [
                test
                for test in self._asked.without(tests)
                if not any(f"{test}.".startswith(f"{name}.") for name in not_loaded)
            ]
            if missing:
                self._recording.event("missing", tests=missing)

    def _not_loaded(self, test: Any) -> None:
        text = str(getattr(test, "_exception", "")).strip()
        found = PLACE.findall(text)
        file, line = found[-1] if found else (None, 0)
        self._recording.event(
            "collection-error",
            file=file,
            line=int(line) or None,
            message=shortened(text.rpartition("\n")[2], 300),
            long=shortened(text),
        )

    def _previous_class(self, real: Callable[..., Any], suite: Any, test: Any, result: Any) -> Any:
        self._switch(self._last, "teardown", "class")
        done = real(suite, test, result)
        self._recording.switch(OUTSIDE_TESTS)
        return done

    def _module(self, real: Callable[..., Any], suite: Any, test: Any, result: Any) -> Any:
        # The module before is torn down in here too, before this one is set up.
        self._first_of_module = test.id()
        self._switch(test.id(), "setup", "module")
        done = real(suite, test, result)
        self._first_of_module = ""
        return done

    def _class(self, real: Callable[..., Any], suite: Any, test: Any, result: Any) -> Any:
        if type(test) is not getattr(result, "_previousTestClass", None):
            self._switch(test.id(), "setup", "class")
        done = real(suite, test, result)
        failed = getattr(result, "_moduleSetUpFailed", False)
        if failed or getattr(type(test), "_classSetupFailed", False):
            self._never_ran(test)
        self._switch(test.id(), "setup")
        return done

    def _module_end(self, real: Callable[..., Any], suite: Any, result: Any) -> Any:
        self._switch(self._last, "teardown", "module")
        done = real(suite, result)
        self._switch(self._first_of_module, "setup", "module")
        return done

    def _fixture_failed(
        self, real: Callable[..., Any], suite: Any, result: Any, error: Any, *more: Any
    ) -> Any:
        self._failure = error
        return real(suite, result, error, *more)

    def _never_ran(self, test: Any) -> None:
        """Tell what became of a test whose class or module could not be set up."""
        self._recording.event("started", test=test.id())
        outcome = Outcome(file_of(test))
        if isinstance(self._failure, unittest.SkipTest):
            outcome.skipped(str(self._failure))
        elif self._failure is not None:
            outcome.failed("error", self._failure)
        else:
            outcome.word = "error"
        self._finished(test.id(), outcome, 0.0)

    def _switch(self, test: str, phase: str, scope: str = "function") -> None:
        if test and not test.startswith(NOT_LOADED):
            self._recording.switch(Phase(test, phase, scope))

    # Tests.

    def _phase(self, phase: str) -> Callable[..., Any]:
        def hook(real: Callable[..., Any], test: Any, *arguments: Any) -> Any:
            if test.id() == self._active:
                self._switch(test.id(), phase)
            return real(test, *arguments)

        return hook

    def _test(self, real: Callable[..., Any], test: Any, result: Any = None) -> Any:
        name = test.id()
        if (
            result is None
            or isinstance(result, WatchedResult)
            or name.startswith(NOT_LOADED)
            or type(result).__module__.startswith("_pytest")
        ):
            return real(test, result)
        self._last = self._active = name
        self._recording.event("started", test=name)
        outcome = Outcome(file_of(test))
        began = self._recording.clock()
        self._switch(name, "setup")
        try:
            done = real(test, WatchedResult(result, outcome))
        finally:
            # What Django undoes after a test comes later, and is counted among its teardown.
            self._active = ""
            self._switch(name, "teardown")
            self._finished(name, outcome, self._recording.clock() - began)
        return result if isinstance(done, WatchedResult) else done

    def _finished(self, test: str, outcome: Outcome, seconds: float) -> None:
        self._recording.event(
            "finished",
            test=test,
            outcome=outcome.word,
            seconds=round(seconds, 4),
            **outcome.told,
        )


class Outcome:
    """What became of a test: the first failure, or that it was skipped, or else that it passed."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.word = "passed"
        self.told: Dict[str, Any] = {"message": "", "file": None, "line": None, "long": ""}

    def skipped(self, reason: str) -> None:
        """Skipped, as a whole or in part."""
        if self.word == "passed":
            self.word = "skipped"
            self.told["message"] = shortened(reason, 300)

    def failed(self, word: str, error: BaseException) -> None:
        """Tell of an exception; an error is one that no assertion raised."""
        if self.word in ("failed", "error"):
            return
        self.word = word
        found = [
            entry for entry in frames(error.__traceback__) if not entry[0].startswith(UNITTEST)
        ]
        self.told = {
            "message": message_of(error),
            **places(found, self._file),
            "long": shortened(text_of(error)),
        }

    def judge(self, how: str, arguments: Sequence[Any]) -> None:
        """Take in what a method of a result is told: the test, then mostly why."""
        if how == "addError":
            self.failed("error", arguments[1][1])
        elif how == "addFailure":
            self.failed("failed", arguments[1][1])
        elif how == "addSubTest":
            test, _, error = arguments
            if error is not None:
                failed = issubclass(error[0], getattr(test, "failureException", AssertionError))
                self.failed("failed" if failed else "error", error[1])
        elif how == "addSkip":
            self.skipped(str(arguments[1]))
        elif how == "addExpectedFailure":
            self.failed("xfailed", arguments[1][1])
        elif how == "addUnexpectedSuccess":
            self.word = "xpassed"


class WatchedResult:
    """A result that tells an outcome what it is told, and else is the result that it stands for."""

    def __init__(self, real: Any, outcome: Outcome) -> None:
        self.__dict__["_real"] = real
        self.__dict__["_outcome"] = outcome

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name not in JUDGED:
            return found
        outcome = self._outcome

        def tell(*arguments: Any, **named: Any) -> Any:
            outcome.judge(name, arguments)
            return found(*arguments, **named)

        return tell

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._real, name, value)


def cases_of(suite: Any) -> Iterator[Any]:
    """The test cases of a suite, in order."""
    for test in suite:
        if hasattr(test, "__iter__"):
            yield from cases_of(test)
        elif hasattr(test, "id"):
            yield test


def leave_out(suite: Any, asked: Asked) -> None:
    """Take the tests that were not asked for out of a suite that is made already."""
    kept: List[Any] = []
    for test in suite:
        if hasattr(test, "__iter__"):
            leave_out(test, asked)
            kept.append(test)
        elif asked.takes(test.id()) or test.id().startswith(NOT_LOADED):
            kept.append(test)
    suite._tests = kept


def file_of(test: Any) -> str:
    """The path of the file that a test's class is written in, or nothing."""
    module = sys.modules.get(type(test).__module__)
    path = getattr(module, "__file__", None)
    return os.path.abspath(path) if path else ""


def _wrap(owner: Any, name: str, hook: Callable[..., Any]) -> None:
    """Let `hook` be called with what `owner.name` was, and with its arguments."""
    real = owner.__dict__.get(name)
    if real is None:
        return

    def hooked(*arguments: Any, **named: Any) -> Any:
        return hook(real, *arguments, **named)

    hooked.__name__ = name
    hooked.__doc__ = real.__doc__
    setattr(owner, name, hooked)


class AskedLoader(unittest.TestLoader):
    """Loads what the command line says, and leaves out of it the tests that were not asked for.

    Where the tests are to be discovered, they are in `also`, which are more folders, as well.
    """

    def __init__(self, asked: Optional[Asked], every_file: bool, also: Sequence[str] = ()) -> None:
        super().__init__()
        self._asked = asked
        self._every_file = every_file
        self._also = also

    def _match_path(self, path: str, full_path: str, pattern: str) -> bool:
        """Whether discovery reads a file: one that holds tests which were asked for, or every."""
        if not super()._match_path(path, full_path, pattern):
            return False
        if self._every_file or self._asked is None:
            return True
        loader: Any = self
        name = loader._get_name_from_path(os.path.splitext(os.path.normpath(full_path))[0])
        return self._asked.takes_below(name)

    def discover(
        self, start_dir: str, pattern: str = "test*.py", top_level_dir: Optional[str] = None
    ) -> Any:
        """As unittest does, but for the tests left out, and those of more folders."""
        # Tests may call it while they are loaded.
        also, self._also = self._also, ()
        found: List[Any] = [super().discover(start_dir, pattern, top_level_dir)]
        found += [super(AskedLoader, self).discover(each, pattern, each) for each in also]
        return self._kept(found[0] if len(found) == 1 else self.suiteClass(found))

    def loadTestsFromNames(self, *arguments: Any, **named: Any) -> Any:  # noqa: N802
        """As unittest does, but for the tests left out."""
        return self._kept(super().loadTestsFromNames(*arguments, **named))

    def _kept(self, suite: Any) -> Any:
        if self._asked is not None:
            leave_out(suite, self._asked)
        return suite
