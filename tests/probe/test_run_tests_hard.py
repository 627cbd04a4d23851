"""Tests that get in the recording's way."""

import functools
import sys
import tempfile
from pathlib import Path

import pytest

from tests.cli.measured import write
from tests.probe.pythons import with_pytest
from tests.probe.recorded import Recorded, run

MARKS = 30
# A function a number, its body on a line of its own: which ran tells which test reached it.
MARK = "".join(f"def m{number}():\n    return {number}\n" for number in range(MARKS))

CONFIGURATION = "[run]\nrelative_files = true\nsource = .\n"

# A test file a case; what each test reaches is said by its name's numbers: test_thread_1_2.
CASES = {
    "across": """\
import threading
from pkg.mark import *
go, done, stop = threading.Event(), threading.Event(), threading.Event()
def work():
    m0()
    done.set()
    go.wait()
    m1()
    done.set()
    stop.wait()
def test_first_0():
    global worker
    worker = threading.Thread(target=work)
    worker.start()
    done.wait()
def test_second_1():
    done.clear()
    go.set()
    done.wait()
def test_third_():
    stop.set()
    worker.join()
""",
    "generators": """\
from pkg.mark import *
def steps():
    m2()
    yield
    m3()
    yield
    m4()
open_one = steps()
def test_first_2():
    next(open_one)
def test_second_3():
    next(open_one)
def test_third_4():
    assert list(open_one) == []
""",
    "asynchronous": """\
import asyncio
from pkg.mark import *
async def slow():
    await asyncio.sleep(0)
    m5()
def test_async_5_6():
    async def main():
        task = asyncio.ensure_future(slow())
        m6()
        await task
    asyncio.run(main())
""",
    "forks": """\
import os
from pkg.mark import *
def test_fork_7_8():
    child = os.fork()
    if not child:
        m7()
        os._exit(0)
    os.waitpid(child, 0)
    m8()
""",
    "subprocesses": """\
import subprocess, sys
from pkg.mark import *
def test_subprocess_9():
    subprocess.run([sys.executable, "-c", "import pkg.mark; pkg.mark.m9()"], check=True)
""",
    "pools": """\
import multiprocessing
from pkg.mark import *
def task(number):
    return [m10, m11][number]()
def test_pool_10_11():
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(task, [0, 1]) == [10, 11]
        pool.close()
        pool.join()
""",
    "folders": """\
import os
from pkg.mark import *
def test_folder_12(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    import pkg.late
    m12()
""",
    "streams": """\
import io, logging, os, sys
from pkg.mark import *
def test_streams_13(monkeypatch):
    print("to stdout")
    os.write(1, b"and past it")
    logging.getLogger().error("logged")
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    sys.stdout = None
    m13()
def test_stdin_(monkeypatch):
    assert os.read(0, 1) == b""
""",
    "files": """\
import builtins, os, time
from pkg.mark import *
def refuse(*arguments, **named):
    raise OSError("no")
def test_no_files_14(monkeypatch):
    for owner, name in ((os, "open"), (os, "write"), (builtins, "open"), (os, "getpid")):
        monkeypatch.setattr(owner, name, refuse)
    monkeypatch.setattr(time, "perf_counter", lambda: -1e9)
    m14()
def test_descriptors_15():
    os.closerange(30, 100)
    m15()
""",
    "tracers": """\
import sys
from pkg.mark import *
def test_takes_the_trace_function_():
    sys.settrace(None)
def test_after_it_16():
    m16()
""",
    "coverage_too": """\
import coverage
from pkg.mark import *
def test_coverage_itself_18(tmp_path):
    own = coverage.Coverage(data_file=str(tmp_path / "own"))
    own.start()
    own.stop()
    own.save()
    m18()
def test_after_it_17_18():
    m17()
    m18()
""",
    "fixtures": """\
import pytest
from pkg.mark import *
@pytest.fixture(scope="session")
def wide():
    m19()
    yield
    m20()
@pytest.fixture
def narrow(wide):
    m21()
def test_first_(wide): pass
def test_second_21(narrow): pass
def test_lazy_22(request):
    request.getfixturevalue("narrow_class")
    m22()
@pytest.fixture(scope="class")
def narrow_class():
    m23()
""",
}


def hard(folder: Path) -> Path:
    write(
        folder,
        {
            "pkg/__init__.py": "",
            "pkg/mark.py": MARK,
            "pkg/late.py": "x = 1\n",
            ".coveragerc": CONFIGURATION,
            **{f"tests/test_{name}.py": text for name, text in CASES.items()},
        },
    )
    return folder


def reached(recorded: Recorded, scope: str = "function") -> dict[str, set[int]]:
    """The numbers of the functions that each test reached, by its name."""
    found: dict[str, set[int]] = {}
    for (test, _, its_scope, _), files in recorded.ran.items():
        if test and its_scope == scope:
            lines = files.get("pkg/mark.py", ())
            found.setdefault(test, set()).update(line // 2 - 1 for line in lines if line % 2 == 0)
    return found


@functools.cache
def recorded_once(version: str, core: str) -> Recorded:
    with tempfile.TemporaryDirectory() as folder:
        root = hard(Path(folder) / "root")
        python = with_pytest(version) if version else sys.executable
        return run(root, Path(folder) / "out", python=python, core=core)


@pytest.fixture(params=["", "3.12", "3.12 ctrace", "3.13", "3.9"])
def recorded(request: pytest.FixtureRequest) -> Recorded:
    version, _, core = request.param.partition(" ")
    return recorded_once(version, core or "auto")


@pytest.mark.parametrize("name", CASES)
def test_each_test_has_what_it_reached(recorded: Recorded, name: str) -> None:
    found = reached(recorded)
    tests = {test for test in recorded.outcomes if test.startswith(f"tests/test_{name}.py::")}
    assert {test: recorded.outcomes[test] for test in tests} == dict.fromkeys(tests, "passed")
    expected = {
        test: {int(number) for number in test.rpartition("::")[2].split("_") if number.isdigit()}
        for test in tests
    }
    if name == "subprocesses" and not starts_itself(recorded):
        expected = {test: set() for test in tests}
    assert {test: found.get(test, set()) for test in tests} == expected


def starts_itself(recorded: Recorded) -> bool:
    """Whether that coverage.py is installed so that it can start itself in any Python process."""
    return tuple(map(int, recorded.end["coverage"].split(".")[:2])) >= (7, 11)


def test_nothing_is_lost(recorded: Recorded) -> None:
    assert recorded.code == recorded.end["exit"] == 0
    assert recorded.union == recorded.all_ran()
    assert reached(recorded, "session")["tests/test_fixtures.py::test_first_"] == {19}
    last = list(recorded.outcomes)[-1]
    assert reached(recorded, "session")[last] == {20}
    assert reached(recorded, "class") == {"tests/test_fixtures.py::test_lazy_22": {23}}
    # What ran in other processes is known, and is no part of what the configuration measures.
    outside = {test for test, _, _, outside in recorded.ran if outside}
    names = {"test_fork_7_8", "test_pool_10_11"}
    assert recorded.told("begin")[0]["subprocesses"] == starts_itself(recorded)
    if starts_itself(recorded):
        names.add("test_subprocess_9")
    assert {test.rpartition("::")[2] for test in outside} == names
    lines = recorded.union["pkg/mark.py"]
    assert not {16, 20, 22, 24} & lines


def test_what_kept_coverage_from_recording_is_told(recorded: Recorded) -> None:
    kept = {
        "another coverage.py was started": "tests/test_coverage_too.py::test_coverage_itself_18"
    }
    if recorded.end["core"] != "sysmon":
        kept["the trace function was replaced"] = (
            "tests/test_tracers.py::test_takes_the_trace_function_"
        )
    assert recorded.end["incomplete"] == list(kept.values())
    words = [f"{what} in {test}: what ran meanwhile is not recorded" for what, test in kept.items()]
    assert recorded.notices == words


MONITORING = """\
import sys
from pkg.mark import *
def test_frees_it_():
    sys.monitoring.free_tool_id(sys.monitoring.COVERAGE_ID)
def test_after_it_1():
    m1()
def test_stops_events_():
    sys.monitoring.set_events(sys.monitoring.COVERAGE_ID, 0)
def test_after_that_2():
    m2()
def test_another_tool_3_4():
    seen = []
    sys.monitoring.use_tool_id(3, "mine")
    sys.monitoring.register_callback(3, sys.monitoring.events.LINE, lambda *a: seen.append(a))
    sys.monitoring.set_events(3, sys.monitoring.events.LINE)
    m3()
    sys.monitoring.restart_events()
    m4()
    sys.monitoring.set_events(3, 0)
    sys.monitoring.free_tool_id(3)
    assert seen
"""

MONITORING_TESTS = ["frees_it_", "after_it_1", "stops_events_", "after_that_2", "another_tool_3_4"]


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_others_that_use_sys_monitoring(version: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    package = {"pkg/__init__.py": "", "pkg/mark.py": MARK, ".coveragerc": CONFIGURATION}
    write(root, package | {"test_it.py": MONITORING})
    python = with_pytest(version)
    recorded = run(root, tmp_path / "out", python=python)
    tests = [f"test_it.py::test_{name}" for name in MONITORING_TESTS]
    assert recorded.outcomes == dict.fromkeys(tests, "passed")
    assert recorded.end["core"] == "sysmon"
    assert recorded.end["incomplete"] == [tests[0], tests[2]]
    assert reached(recorded) == dict(zip(tests, [set(), {1}, set(), {2}, {3, 4}], strict=True))

    # Whoever was there first stays, and coverage.py takes its other core.
    taken = "import sys\nsys.monitoring.use_tool_id(sys.monitoring.COVERAGE_ID, 'theirs')\n"
    write(tmp_path, {"site/sitecustomize.py": taken})
    (root / "test_it.py").write_text("from pkg.mark import *\ndef test_5():\n    m5()\n")
    there = {"PYTHONPATH": str(tmp_path / "site")}
    recorded = run(root, tmp_path / "taken", python=python, environment=there)
    assert recorded.end["core"] == "ctrace"
    assert recorded.notices == [
        "theirs has the place of coverage in sys.monitoring; recording is slower"
    ]
    assert reached(recorded) == {"test_it.py::test_5": {5}}
