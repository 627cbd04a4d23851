"""Run the project's tests under coverage.py, and tell what each test ran, in each phase.

covls starts this file by its path, in the project's interpreter, the project's root being the
current folder:

    python run_tests.py REQUEST.json

The request is {"runner": "pytest"|"unittest"|"django"|"script", "arguments": [passed on…],
"tests": [ids] or null for all, "out": an existing folder, "data_file": a name in it,
"coverage": {keyword arguments of coverage.Coverage…}, "core": "auto" or coverage.py's name of one,
"root": the current folder, "workers": how many for pytest-xdist, or 0}, and perhaps
"subprocesses": "off", "manage": where Django's manage.py is, "also": more folders in which
unittest's discovery begins, "notices": sentences to be told, and "collect_all": true, with which
all test modules are imported, whichever tests are asked for, so that what runs outside of tests is
whole. Ids are pytest's, relative to the root, or unittest's dotted names.

Every process of the run writes two files of JSON lines into the folder: `events-PID.jsonl`, what
happens (see `covls_recorder.recording.Recording`), and `detail-PID.jsonl`, what each test ran
(`covls_recorder.detail.Detail`). coverage.py's own data is put beside `data_file`, as parallel
files. The exit code is the runner's, or 3 where coverage.py or the runner cannot be had.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import runpy
import sys
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Tuple

if TYPE_CHECKING:
    from covls_recorder.recording import Recording

OLDEST_COVERAGE = (7, 2)
NOT_INSTALLED = 3
NO_TESTS = 5  # pytest's own code, and unittest's since Python 3.12

HERE = os.path.dirname(os.path.abspath(__file__))


def take_own_folder_from_path() -> None:
    """Let the project import what it would without us: `python -m` puts the current folder first.

    What we import ourselves goes to the very end, in a folder with one package in it.
    """
    if sys.path and os.path.abspath(sys.path[0]) == HERE:
        del sys.path[0]
    sys.path.insert(0, os.getcwd())
    sys.path.append(os.path.join(HERE, "recorder"))


def run_pytest(recording: Recording) -> int:
    """As `python -m pytest` does, in this process."""
    import pytest

    request = recording.request
    arguments = ["-p", "covls_recorder.pytest_plugin", *request["arguments"]]
    if request.get("workers"):
        # It is not imported, for pytest warns of plugins that were imported before it started.
        if importlib.util.find_spec("xdist") is None:
            recording.notice("pytest-xdist is not installed: the tests run one after the other")
        else:
            named = os.environ.get("PYTEST_PLUGINS", "").split(",")
            if os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD") and "xdist.plugin" not in named:
                # Once only, for under two names pytest refuses it.
                arguments += ["-p", "xdist"]
            arguments += ["-n", str(request["workers"])]
    if request["tests"] is not None and not request.get("collect_all"):
        # The files are named and the plugin leaves out all other tests: an id on the command line
        # ends the run where it is unknown, and is not always taken literally.
        files = dict.fromkeys(test.partition("::")[0] for test in request["tests"])
        there = [file for file in files if os.path.exists(file)]
        if not there:
            recording.event("collected", tests=[])
            recording.event("missing", tests=request["tests"])
            return NO_TESTS
        # One file that cannot be read is no reason not to run the others.
        arguments += ["--continue-on-collection-errors", *there]
    sys.argv = [os.path.join(os.path.dirname(pytest.__file__), "__main__.py"), *arguments]
    return int(pytest.main(arguments))


def run_unittest(recording: Recording) -> int:
    """As `python -m unittest` does, in this process."""
    import unittest

    from covls_recorder.asked import Asked
    from covls_recorder.unittest_hooks import AskedLoader, Hooks

    Hooks(recording, leave_out=False).install()
    tests = recording.request["tests"]
    every_file = tests is None or bool(recording.request.get("collect_all"))
    asked = None if tests is None else Asked(tests, dotted=True)
    loader = AskedLoader(asked, every_file, recording.request.get("also", ()))
    sys.argv = ["python -m unittest", *recording.request["arguments"]]
    unittest.main(module=None, testLoader=loader)
    return 0


def run_django(recording: Recording) -> int:
    """As `python manage.py test` does, or `django-admin test` where there is no manage.py."""
    importlib.import_module("django")  # What is missing is told before all else.
    from covls_recorder.unittest_hooks import Hooks

    Hooks(recording, leave_out=True).install()
    request = recording.request
    arguments, parallel = without_parallel(request["arguments"])
    if parallel:
        recording.notice("the tests run one after the other: --parallel was left out")
    arguments = ["test", *arguments]
    if not request.get("collect_all"):
        arguments += request["tests"] or ()
    manage = os.path.abspath(request.get("manage") or "manage.py")
    if os.path.exists(manage):
        run_script([manage, *arguments])
    else:
        sys.argv = ["django-admin", *arguments]
        importlib.import_module("django.core.management").execute_from_command_line(sys.argv)
    return 0


def without_parallel(arguments: List[str]) -> Tuple[List[str], bool]:
    """Arguments of Django's `test` command that leave all tests to this process."""
    kept: List[str] = []
    found = False
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if argument == "--parallel" or argument.startswith("--parallel="):
            found = True
            if argument == "--parallel" and rest and (rest[0].isdigit() or rest[0] == "auto"):
                del rest[0]
        else:
            kept.append(argument)
    return kept, found


def run_any_script(recording: Recording) -> int:
    """As `coverage run SCRIPT …` and `coverage run -m MODULE …` do; tests in it are told apart."""
    from covls_recorder.pytest_in_script import watch_pytest
    from covls_recorder.unittest_hooks import Hooks

    Hooks(recording, leave_out=True).install()
    watch_pytest()
    arguments = recording.request["arguments"]
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        run_script(arguments)
    return 0


def run_script(arguments: List[str]) -> None:
    """As `python SCRIPT …`, whose folder comes first on the import path."""
    sys.argv = list(arguments)
    sys.path[0] = os.path.dirname(os.path.abspath(arguments[0]))
    runpy.run_path(arguments[0], run_name="__main__")


RUNNERS: Dict[str, Callable[[Recording], int]] = {
    "django": run_django,
    "pytest": run_pytest,
    "script": run_any_script,
    "unittest": run_unittest,
}


def main(arguments: List[str]) -> int:
    """Run the tests of a request; return the exit code."""
    with open(arguments[0], encoding="utf-8") as file:
        request: Dict[str, Any] = json.load(file)
    take_own_folder_from_path()
    from covls_recorder.journal import Journal

    try:
        import coverage

        if coverage.version_info[:2] < OLDEST_COVERAGE:
            raise ImportError(f"it has coverage.py {coverage.__version__}, which is too old")
    except ImportError as error:
        message = f"{sys.executable} cannot record coverage: {error}"
        Journal(request["out"], "events").add({"event": "no-coverage", "message": message})
        return NOT_INSTALLED
    from covls_recorder import recording

    recording.current = current = recording.Recording(request, "main")
    try:
        current.start()
    except Exception as error:  # noqa: BLE001 - its own, and whatever a plugin of it raises
        current.event("no-coverage", message=f"coverage.py could not be started: {error}")
        return NOT_INSTALLED
    for sentence in request.get("notices", ()):
        current.notice(sentence)
    code = 1
    try:
        code = RUNNERS[request["runner"]](current)
    except SystemExit as end:
        code = int(end.code) if isinstance(end.code, int) else int(end.code is not None)
        if not isinstance(end.code, int) and end.code is not None:
            sys.stderr.write(f"{end.code}\n")
    except ModuleNotFoundError as error:
        if error.name not in ("pytest", "django"):
            raise
        current.event("no-runner", message=f"{sys.executable} has no {error.name}")
        code = NOT_INSTALLED
    finally:
        current.finish(code)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
