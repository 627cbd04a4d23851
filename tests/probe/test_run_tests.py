"""Tests run through the probe: every phase's lines, every outcome, whatever a test does."""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.measured import write
from tests.probe.recorded import Recorded, run

SAMPLE = {
    "pkg/__init__.py": "",
    "pkg/a.py": """\
def f(x):
    if x > 1:
        return 2
    return 3
def boom():
    raise ValueError("boom")
class Db:
    def open(self):
        return self
    def close(self):
        return None
""",
    "tests/test_a.py": """\
import os, subprocess, sys
import pytest
from pkg.a import f, boom, Db
@pytest.fixture(scope="module")
def db():
    d = Db().open()
    yield d
    d.close()
@pytest.fixture
def two():
    yield f(2)
    f(1)
def test_one(db):
    assert f(1) == 3
@pytest.mark.parametrize("x", [2, 3])
def test_two(db, x):
    assert f(x) == 2
def test_boom():
    boom()
def test_own():
    assert f(1) == 2
@pytest.mark.skip(reason="not today")
def test_skip():
    pass
@pytest.mark.xfail
def test_xfail():
    assert 0
def test_setup(two):
    pass
""",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    write(folder, SAMPLE)
    return folder


def phases(recorded: Recorded, name: str = "pkg/a.py") -> dict[Any, set[int]]:
    """What ran in one file, by test (without its file), phase and, if not a test's own, scope."""
    found = {}
    for (test, phase, scope, _), files in recorded.ran.items():
        if name in files:
            key = (test.rpartition("::")[2], phase, *([scope] if scope != "function" else []))
            found[key] = set(files[name])
    return found


def test_each_phase_has_its_lines(root: Path, tmp_path: Path) -> None:
    recorded = run(root, tmp_path / "out")
    assert phases(recorded) == {
        ("", ""): {1, 5, 7, 8, 10},
        ("test_one", "setup", "module"): {9},
        ("test_one", "call"): {2, 4},
        ("test_two[2]", "call"): {2, 3},
        ("test_two[3]", "call"): {2, 3},
        ("test_boom", "call"): {6},
        ("test_own", "call"): {2, 4},
        ("test_setup", "setup"): {2, 3},
        ("test_setup", "teardown"): {2, 4},
        ("test_setup", "teardown", "module"): {11},
    }
    assert recorded.union == recorded.all_ran()
    assert recorded.contexts == {""}
    assert recorded.code == recorded.end["exit"] == 1
    assert recorded.end["incomplete"] == []


def test_each_outcome_is_told(root: Path, tmp_path: Path) -> None:
    recorded = run(root, tmp_path / "out")
    names = [f"tests/test_a.py::test_{name}" for name in ("one", "two[2]", "two[3]", "boom", "own")]
    names += [f"tests/test_a.py::test_{name}" for name in ("skip", "xfail", "setup")]
    assert [told["tests"] for told in recorded.told("collected")] == [names]
    assert [told["test"] for told in recorded.told("started")] == names
    words = ["passed"] * 3 + ["failed"] * 2 + ["skipped", "xfailed", "passed"]
    assert list(recorded.outcomes.items()) == list(zip(names, words, strict=True))
    boom, own = (told for told in recorded.told("finished") if told["outcome"] == "failed")
    assert boom["message"] == "ValueError: boom"
    assert (boom["file"], boom["line"]) == (str(root / "tests/test_a.py"), 19)
    assert (boom["source_file"], boom["source_line"]) == (str(root / "pkg/a.py"), 6)
    assert "raise ValueError" in boom["long"]
    assert (own["file"], own["line"]) == (str(root / "tests/test_a.py"), 21)
    assert "source_file" not in own
    assert "assert 3 == 2" in own["message"]


def test_only_the_tests_asked_for(root: Path, tmp_path: Path) -> None:
    there = ["tests/test_a.py::test_two[3]", "tests/test_a.py::test_one"]
    gone = ["tests/gone.py::test_x", "tests/test_a.py::test_gone"]
    recorded = run(root, tmp_path / "out", tests=[*there, *gone])
    assert set(recorded.outcomes) == set(there)
    assert [told["tests"] for told in recorded.told("missing")] == [gone]
    assert recorded.code == 0
    nothing = run(root, tmp_path / "none", tests=gone[:1])
    assert nothing.told("missing")[0]["tests"] == gone[:1]
    assert nothing.code == 5


def test_all_modules_are_imported_whichever_tests_run(root: Path, tmp_path: Path) -> None:
    write(root, {"tests/test_other.py": "from pkg.a import f\nf(2)\ndef test_other():\n    pass\n"})
    asked = ["tests/test_a.py::test_own"]
    recorded = run(root, tmp_path / "out", tests=asked, collect_all=True)
    assert [*recorded.outcomes] == asked
    assert phases(recorded)["", ""] == {1, 2, 3, 5, 7, 8, 10}
