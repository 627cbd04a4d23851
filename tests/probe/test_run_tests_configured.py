"""The user's own configuration is followed: coverage.py's, pytest-cov's, xdist's, pytest's."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from coverage import CoverageData
from coverage.exceptions import DataError

from tests.cli.measured import write
from tests.probe.recorded import BARE, Recorded, run

PROJECT = {
    "src/pkg/__init__.py": "",
    "src/pkg/a.py": """\
def f(x):
    if x > 1:
        return 2
    return 3
def g():
    return 6
""",
    "src/pkg/never.py": "x = 1\n",
    "tests/test_a.py": """\
from pkg.a import f, g
def test_f():
    f(1)
    f(2)
def test_g():
    g()
""",
    "tests/test_b.py": """\
import os
import pytest
from pkg.a import f, g
@pytest.mark.parametrize("x", range(6))
def test_f(x):
    f(x)
""",
    "conftest.py": "import sys\nsys.path.insert(0, 'src')\n",
}

OUTSIDE = """\
import multiprocessing, os, subprocess, sys
from pkg.a import f, g
def test_fork():
    child = os.fork()
    if not child:
        f(1)
        os._exit(0)
    os.waitpid(child, 0)
def test_subprocess():
    environment = {**os.environ, "PYTHONPATH": "src"}
    subprocess.run([sys.executable, "-c", "import pkg.a; pkg.a.g()"], env=environment, check=True)
def work():
    f(2)
def test_process():
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join()
def test_spawned():
    process = multiprocessing.get_context("spawn").Process(target=f, args=(1,))
    process.start()
    process.join()
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    write(folder, PROJECT)
    return folder


def source(recorded: Recorded) -> dict[str, set[Any]]:
    """The lines, or arcs, of the source that each test ran in its call."""
    return {
        test.rpartition("/")[2]: set(files.get("src/pkg/a.py", ()))
        for (test, phase, _, _), files in recorded.ran.items()
        if phase == "call"
    }


LINES = {
    "test_a.py::test_f": {2, 3, 4},
    "test_a.py::test_g": {6},
    **{f"test_b.py::test_f[{x}]": {2, 3 if x > 1 else 4} for x in range(6)},
}


def whole(path: Path) -> CoverageData:
    """A data file, once it is written whole: multiprocessing's own helpers outlive the run."""
    deadline = time.monotonic() + 30
    while True:
        data = CoverageData(str(path))
        try:
            data.read()
            data.measured_contexts()
        except DataError:
            data.close(force=True)
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return data


def plainly(root: Path, *command: str, **environment: str) -> dict[str, set[object]]:
    """What a command that the user gives leaves in the data file: contexts and what ran."""
    subprocess.run(
        [sys.executable, "-m", *command],
        cwd=root,
        env={**os.environ, **BARE, **environment},
        check=True,
        capture_output=True,
    )
    found: dict[str, set[object]] = {}
    for path in root.glob(".coverage*"):
        if path.name == ".coveragerc":
            continue
        data = whole(path)
        found["contexts"] = found.get("contexts", set()) | data.measured_contexts()
        for name in data.measured_files():
            ran = data.arcs(name) if data.has_arcs() else data.lines(name)
            found.setdefault(os.path.relpath(root / name, root), set()).update(ran or ())
        data.close(force=True)
        path.unlink()
    return found


def data_of(recorded: Recorded) -> dict[str, set[object]]:
    return {
        **{name: set(recorded.union.get(name, ())) for name in recorded.measured},
        "contexts": set(recorded.contexts),
    }


CONFIGURATIONS = {
    "branches": "[run]\nbranch = true\nsource = src\n",
    "relative": "[run]\nrelative_files = true\nsource = src,tests\n",
    "omit": "[run]\nomit = tests/*\n",
    "static context": "[run]\ncontext = ours\n",
    "dynamic contexts": "[run]\ndynamic_context = test_function\nsource = src\n",
    "python's core": "[run]\ntimid = true\nbranch = true\nsource = src\n",
    "parallel, elsewhere": "[run]\nparallel = true\nsource = src\ndata_file = elsewhere\n",
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_data_is_what_coverage_run_leaves(name: str, root: Path, tmp_path: Path) -> None:
    (root / ".coveragerc").write_text(CONFIGURATIONS[name])
    recorded = run(root, tmp_path / "out")
    assert list(root.glob("*elsewhere*")) == list(root.glob(".coverage")) == []
    here = {"COVERAGE_FILE": str(root / ".coverage")}
    assert data_of(recorded) == plainly(root, "coverage", "run", "-m", "pytest", **here)
    if not recorded.end["branch"]:
        assert source(recorded) == LINES
    assert recorded.union == recorded.all_ran()


def test_options_of_coverage_run(root: Path, tmp_path: Path) -> None:
    (root / "other.rc").write_text("[run]\nbranch = true\nomit = */never.py\n")
    options = {"config_file": "other.rc", "source": ["src"], "context": "mine"}
    recorded = run(root, tmp_path / "out", coverage=options)
    assert data_of(recorded) == plainly(
        root,
        *("coverage", "run", "--rcfile=other.rc", "--source=src", "--context=mine"),
        *("-m", "pytest"),
    )
    assert recorded.contexts == {"mine"}


PYTEST_COV = {
    "source": "--cov=pkg",
    "branches and contexts": "--cov=src --cov-branch --cov-context=test",
    "everything, other file": "--cov --cov-config=other.rc",
}


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("name", PYTEST_COV)
def test_the_data_is_what_pytest_cov_leaves(
    name: str, workers: int, root: Path, tmp_path: Path
) -> None:
    (root / "other.rc").write_text("[run]\nomit = */never.py\n")
    (root / "pytest.ini").write_text(f"[pytest]\naddopts = {PYTEST_COV[name]} --cov-report=\n")
    plugins = ("-p", "pytest_cov.plugin", "-p", "xdist")
    recorded = run(root, tmp_path / "out", arguments=plugins, workers=workers)
    assert recorded.code == 0
    theirs = plainly(root, "pytest", *plugins, *(("-n", "2") if workers else ()))
    assert data_of(recorded) == theirs
    if not recorded.end["branch"]:
        assert source(recorded) == LINES
    # The main process begins anew when it learns what pytest-cov was asked for.
    begins = recorded.told("begin")
    assert len({told["pid"] for told in begins}) == 1 + workers == len(begins) - 1


def test_xdist(root: Path, tmp_path: Path) -> None:
    recorded = run(root, tmp_path / "out", workers=2)
    assert source(recorded) == LINES
    assert set(recorded.outcomes) == {f"tests/{test}" for test in LINES}
    (collected,) = recorded.told("collected")
    assert set(collected["tests"]) == set(recorded.outcomes)
    roles = [told["role"] for told in recorded.told("begin")]
    assert sorted(roles) == ["main", "worker", "worker"]
    assert len(recorded.told("end")) == 3
    assert recorded.union == recorded.all_ran()

    asked = ["tests/test_b.py::test_f[3]", "tests/test_b.py::test_f[9]"]
    # Plugins are named here where none are found by themselves.
    named = {"PYTEST_PLUGINS": "xdist.plugin"}
    some = run(root, tmp_path / "some", workers=2, tests=asked, environment=named)
    assert list(some.outcomes) == asked[:1]
    assert [told["tests"] for told in some.told("missing")] == [asked[1:]]


def test_a_worker_that_dies(root: Path, tmp_path: Path) -> None:
    dying = "import os\ndef test_dies():\n    os.kill(os.getpid(), 9)\n"
    write(root, {"tests/test_c.py": dying})
    recorded = run(root, tmp_path / "out", workers=2)
    assert recorded.outcomes == {
        **{f"tests/{test}": "passed" for test in LINES},
        "tests/test_c.py::test_dies": "error",
    }
    assert source(recorded) == LINES
    died = next(told for told in recorded.told("finished") if told["outcome"] == "error")
    assert "crashed while running" in died["message"]
    assert recorded.code == 1


PATCHED = {
    "": set(),
    "patch = subprocess\n": {"test_subprocess", "test_spawned"},
    "patch = _exit\n": {"test_fork", "test_process"},
    "concurrency = multiprocessing\n": {"test_process", "test_spawned"},
    "patch = fork,subprocess,_exit\n": {
        "test_subprocess",
        "test_spawned",
        "test_fork",
        "test_process",
    },
}


@pytest.mark.parametrize("patch", PATCHED)
def test_other_processes(patch: str, root: Path, tmp_path: Path) -> None:
    """Each test has what its processes ran; the data, only where the configuration says so."""
    (root / ".coveragerc").write_text(f"[run]\nsource = src\nparallel = true\n{patch}")
    write(root, {"tests/test_a.py": OUTSIDE, "tests/test_b.py": ""})
    recorded = run(root, tmp_path / "out")
    assert set(recorded.outcomes.values()) == {"passed"}
    found = {
        test.rpartition("::")[2]: set(files["src/pkg/a.py"]) & {2, 3, 4, 6}
        for test, files in recorded.by_test().items()
        if test and "src/pkg/a.py" in files
    }
    assert found == {
        "test_fork": {2, 4},
        "test_subprocess": {6},
        "test_process": {2, 3},
        "test_spawned": {2, 4},
    }
    inside = {
        test.rpartition("::")[2] for test, _, _, outside in recorded.ran if test and not outside
    }
    assert inside == PATCHED[patch]
    assert recorded.union == recorded.all_ran()
    assert data_of(recorded) == plainly(root, "coverage", "run", "-m", "pytest")


def test_a_root_below_pytests_own(tmp_path: Path) -> None:
    write(tmp_path / "all", {"pytest.ini": "[pytest]\n"})
    root = tmp_path / "all" / "one"
    write(root, PROJECT)
    recorded = run(root, tmp_path / "out", tests=["tests/test_a.py::test_f"])
    assert recorded.outcomes == {"tests/test_a.py::test_f": "passed"}
    assert source(recorded) == {"test_a.py::test_f": {2, 3, 4}}
    everything = run(root, tmp_path / "all-of-it", arguments=("tests",))
    assert set(everything.outcomes) == {f"tests/{test}" for test in LINES}


ASYNCHRONOUS = """\
import pytest, pytest_asyncio
from pkg.a import f, g
@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared():
    g()
    yield
    f(2)
@pytest_asyncio.fixture
async def own():
    f(1)
    yield
@pytest.mark.asyncio
async def test_async(own):
    f(2)
@pytest.mark.asyncio(loop_scope="module")
async def test_other(shared):
    f(1)
"""


def test_asynchronous_tests(root: Path, tmp_path: Path) -> None:
    write(root, {"tests/test_a.py": ASYNCHRONOUS, "tests/test_b.py": ""})
    recorded = run(root, tmp_path / "out", arguments=("-p", "asyncio"))
    assert set(recorded.outcomes.values()) == {"passed"}
    found = {
        (test.rpartition("::")[2], phase, scope): set(files.get("src/pkg/a.py", ()))
        for (test, phase, scope, _), files in recorded.ran.items()
        if test and "src/pkg/a.py" in files
    }
    assert found == {
        ("test_async", "setup", "function"): {2, 4},
        ("test_async", "call", "function"): {2, 3},
        ("test_other", "setup", "module"): {6},
        ("test_other", "call", "function"): {2, 4},
        ("test_other", "teardown", "module"): {2, 3},
    }


RERUN = """\
import pytest

class Again:
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item, nextitem):
        from _pytest.runner import runtestprotocol
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for turn in range(2):
            for report in runtestprotocol(item, nextitem=nextitem, log=False):
                if report.failed and not turn:
                    report.outcome = "rerun"
                item.ihook.pytest_runtest_logreport(report=report)
        return True

def pytest_configure(config):
    config.pluginmanager.register(Again())
"""


def test_a_test_that_passes_when_it_is_run_again(root: Path, tmp_path: Path) -> None:
    flaky = "turns = []\ndef test_flaky():\n    turns.append(1)\n    assert len(turns) > 1\n"
    write(root, {"tests/test_a.py": flaky, "tests/test_b.py": ""})
    write(root, {"tests/conftest.py": RERUN})
    recorded = run(root, tmp_path / "out")
    assert recorded.outcomes == {"tests/test_a.py::test_flaky": "passed"}
