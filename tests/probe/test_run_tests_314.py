"""Branches of each test under sys.monitoring, which has them from Python 3.14 on.

CPython 3.14 is had as WebAssembly, from npm, where the machine has none: no threads, no processes,
and no C tracer, but sys.monitoring as it is everywhere.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage, CoverageData
from coverage.python import PythonFileReporter
from coverage.results import analysis_from_file_reporter

from tests.cli.measured import write
from tests.conftest import CI, MISSING
from tests.probe.pythons import CACHE
from tests.probe.recorded import PROBE, Recorded, read, start

PACKAGES = ("coverage", "pytest", "pluggy", "iniconfig", "packaging", "pygments")

SOURCE = """\
def one(x):
    if x:
        x += 1
    return x

def loop(n):
    total = 0
    for k in range(n):
        if k % 2:
            continue
        total += k
    else:
        total += 100
    return total

def raises(x):
    if x > 1:
        raise ValueError(x)
    y = one(x)
    return y

def catches(x):
    try:
        return raises(x)
    except ValueError:
        if x > 2:
            return "large"
    finally:
        one(0)
    return "small"

def steps(n):
    while n:
        n -= 1
        if n == 2:
            yield "two"
        yield n

def matches(x):
    match x:
        case 1:
            return "one"
        case str():
            return "text"
        case _:
            return "other"

async def later(x):
    if await waits(x):
        return 1
    return 2

async def waits(x):
    return x and x > 3

class Body: ...

def comprehends(items):
    return [one(item) for item in items if item]
"""

TESTS = """\
import asyncio
import pytest
from pkg.a import *

def run(coroutine):
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value

open_one = steps(4)

@pytest.mark.parametrize("x", [0, 1])
def test_one(x): one(x)
@pytest.mark.parametrize("n", range(4))
def test_loop(n): loop(n)
@pytest.mark.parametrize("x", [0, 2, 3])
def test_catches(x): catches(x)
def test_both(): catches(3); catches(1); catches(2)
def test_raises():
    with pytest.raises(ValueError): raises(5)
def test_after_raises(): raises(1)
def test_open(): assert next(open_one) == 3
def test_still_open(): assert next(open_one) == "two"
def test_ends(): assert list(open_one) == [2, 1, 0]
@pytest.mark.parametrize("x", [1, "a", None])
def test_matches(x): matches(x)
@pytest.mark.parametrize("x", [0, 3, 4])
def test_later(x): run(later(x))
@pytest.mark.parametrize("items", [[], [0], [0, 1]], ids=str)
def test_comprehends(items): comprehends(items)
"""

PROGRAM = """\
import os, runpy, sys
os.chdir("/there/project")
sys.path.append("/site")
sys.argv = ["run_tests.py", "/there/OUT/request.json"]
sys.path.insert(0, "/probe")
try:
    runpy.run_path("/probe/run_tests.py", run_name="__main__")
except SystemExit as end:
    assert end.code == 0, end.code
"""

PLAIN = """\
import os, sys
os.chdir("/there/project")
sys.path[:0] = ["/there/project", "/site"]
import coverage
cov = coverage.Coverage(data_file="/there/plain/.coverage")
cov.start()
import pytest
assert pytest.main(["-q", "-p", "no:cacheprovider"]) == 0
cov.stop()
cov.save()
"""


def unavailable(what: str, why: str) -> None:
    reason = f"{MISSING}{what} ({why})"
    if CI:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def from_npm() -> Path:
    """npm's pyodide for Python 3.14, fetched once."""
    folder = CACHE / "pyodide-314"
    package = folder / "node_modules" / "pyodide"
    if not (package / "pyodide.mjs").exists():
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--prefix", folder, "pyodide@314"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            unavailable("npm's pyodide@314", f"`npm install pyodide@314`: {done.stderr[-300:]}")
    return package


def pure_packages() -> Path:
    """A folder with coverage.py, without its C tracer, and pytest."""
    folder = CACHE / "pyodide-314-packages"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"),
                *("--target", folder, "--python-version", "3.14", "--only-binary=:all:"),
                *("--platform", "any", "--implementation", "py", "--abi", "none", *PACKAGES),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            unavailable("coverage.py's pure wheel", f"pip install: {done.stderr[-300:]}")
        (folder / "complete").touch()
    return folder


def in_pyodide(program: str, folder: Path) -> str:
    script = Path(__file__).with_name("run_in_pyodide.mjs")
    mounted = {"probe": PROBE.parent, "site": pure_packages(), "there": folder}
    done = subprocess.run(
        ["node", script, from_npm(), program, *(f"{name}={at}" for name, at in mounted.items())],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def recorded_in_pyodide(folder: Path, core: str) -> Recorded:
    out = folder / core
    request = start(
        folder / "project", out, "pytest", arguments=("-p", "no:cacheprovider"), core=core
    )
    told = json.loads(request.read_text())
    request.write_text(json.dumps({**told, "root": "/there/project", "out": f"/there/{core}"}))
    output = in_pyodide(PROGRAM.replace("OUT", core), folder)
    return read(Path("/there/project"), out, 0, output)


def verdict(path: Path, arcs: frozenset[Any]) -> tuple[Any, ...]:
    """What coverage.py makes of arcs: the lines that ran, and the branches that were taken."""
    data = CoverageData(no_disk=True)
    data.add_arcs({str(path): arcs})
    reporter = PythonFileReporter(str(path), Coverage(config_file=False, data_file=None))
    analysis = analysis_from_file_reporter(data, 2, reporter, str(path))
    data.close(force=True)
    return analysis.executed, dict(analysis.executed_branch_arcs()), analysis.missing


@pytest.mark.needs_tool("node", why="runs CPython 3.14 built for WebAssembly")
@pytest.mark.needs_tool("npm", why="fetches CPython 3.14 built for WebAssembly")
def test_branches_of_each_test(tmp_path: Path) -> None:
    root = tmp_path / "project"
    write(
        root,
        {
            "pkg/__init__.py": "",
            "pkg/a.py": SOURCE,
            "test_a.py": TESTS,
            ".coveragerc": "[run]\nbranch = true\nsource = pkg\n",
        },
    )
    auto = recorded_in_pyodide(tmp_path, "auto")
    traced = recorded_in_pyodide(tmp_path, "pytrace")
    assert auto.end["core"] == "sysmon"
    assert auto.end["python"].startswith("3.14.")
    assert traced.end["core"] == "pytrace"
    assert auto.end["incomplete"] == traced.end["incomplete"] == []
    assert set(auto.outcomes.values()) == {"passed"}

    path = root / "pkg" / "a.py"

    def by_test(recorded: Recorded) -> dict[str, tuple[Any, ...]]:
        return {
            test: verdict(path, files["pkg/a.py"])
            for test, files in recorded.by_test().items()
            if "pkg/a.py" in files
        }

    ours, theirs = by_test(auto), by_test(traced)
    assert len(ours) == len(auto.outcomes) + 1
    # A generator that goes on in another test: a tracer sees it leave the line of its yield, which
    # counts as having run there, too. sys.monitoring has no event for that.
    for name, line in (("test_still_open", 37), ("test_ends", 36)):
        seen, left = ours.pop(f"test_a.py::{name}"), theirs.pop(f"test_a.py::{name}")
        assert (seen[0] | {line}, seen[1]) == left[:2]
    assert ours == theirs
    assert auto.union == auto.all_ran()

    (tmp_path / "plain").mkdir()
    in_pyodide(PLAIN, tmp_path)
    data = CoverageData(str(tmp_path / "plain" / ".coverage"))
    data.read()
    plain = frozenset(data.arcs("/there/project/pkg/a.py") or ())
    data.close(force=True)
    for recorded in (auto, traced):
        assert verdict(path, recorded.union["pkg/a.py"]) == verdict(path, plain)
