"""Runs that end early, or never begin: what was recorded until then is there, and why is told."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.cli.measured import write
from tests.probe.pythons import with_pytest
from tests.probe.recorded import PROBE, Recorded, lines, read, run, start

BEFORE = """\
from pkg.a import f
def test_before():
    assert f(1) == 2
def test_dies():
    f(2)
{}
def test_after():
    f(3)
"""


def project(folder: Path, **tests: str) -> Path:
    package = {"pkg/__init__.py": "", "pkg/a.py": "def f(x):\n    return x + 1\n"}
    write(folder, package | {f"tests/{name}.py": text for name, text in tests.items()})
    return folder


ENDS = {
    "exit": "import os; os._exit(7)",
    "kill": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "segfault": "import ctypes; ctypes.string_at(0)",
    "exec": "import os; os.execv('/bin/sh', ['sh', '-c', 'exit 7'])",
    "abort": "import os; os.abort()",
}


@pytest.mark.parametrize(
    ("how", "python"), [*((how, "") for how in ENDS), ("exit", "3.12"), ("kill", "3.12")]
)
def test_a_test_that_ends_its_process(how: str, python: str, tmp_path: Path) -> None:
    text = BEFORE.format(textwrap.indent(ENDS[how], "    "))
    root = project(tmp_path / "root", test_it=text)
    interpreter = with_pytest(python) if python else sys.executable
    recorded = run(root, tmp_path / "out", python=interpreter)
    assert recorded.outcomes == {"tests/test_it.py::test_before": "passed"}
    assert recorded.told("started")[-1]["test"] == "tests/test_it.py::test_dies"
    assert recorded.told("end") == []
    call = ("tests/test_it.py::test_before", "call", "function", False)
    assert recorded.ran[call] == {"pkg/a.py": {2}, "tests/test_it.py": {3}}
    assert recorded.code != 0
    if how in ("exit", "exec"):
        assert recorded.code == 7
        assert recorded.notices[0].startswith(f"os.{'_exit' if how == 'exit' else 'execv'} was")
        # coverage.py's own data is saved, too, which is more than its `run` command does.
        assert recorded.union == recorded.all_ran()
        assert recorded.union["tests/test_it.py"] >= {5, 6}


def test_killed_from_outside(tmp_path: Path) -> None:
    text = BEFORE.format("    import time; time.sleep(60)")
    root = project(tmp_path / "root", test_it=text)
    request = start(root, tmp_path / "out", "pytest")
    with subprocess.Popen(
        [sys.executable, PROBE, request], cwd=root, stdout=subprocess.PIPE
    ) as process:
        events = tmp_path / "out" / f"events-{process.pid}.jsonl"
        give_up = time.monotonic() + 60
        while not events.exists() or sum(told["event"] == "started" for told in lines(events)) < 2:
            assert time.monotonic() < give_up
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    recorded = read(root, tmp_path / "out", process.returncode, "")
    assert recorded.outcomes == {"tests/test_it.py::test_before": "passed"}
    assert recorded.by_test()["tests/test_it.py::test_before"]["pkg/a.py"] == {2}


def collection_error(recorded: Recorded, root: Path) -> tuple[str, int | None, str]:
    (error,) = recorded.told("collection-error")
    return os.path.relpath(error["file"], root), error["line"], error["message"]


UNREADABLE = {
    "import": ("x = 1\nimport nothing_here\n", 2, "ModuleNotFoundError: No module named 'nothi"),
    "raises": ("\n\nraise ValueError('early')\n", 3, "ValueError: early"),
    "syntax": ("x = 1\nif\n", 2, "SyntaxError: "),
    "fixture": ("import pytest\n@pytest.fixture\n@pytest.fixture\ndef f(): pass\n", 2, ""),
}


@pytest.mark.parametrize(("how", "workers"), [*((how, 0) for how in UNREADABLE), ("import", 2)])
def test_a_file_that_cannot_be_collected(how: str, workers: int, tmp_path: Path) -> None:
    text, line, message = UNREADABLE[how]
    good = "def test_good():\n    pass\n"
    root = project(tmp_path / "root", test_bad=text, test_good=good)
    recorded = run(root, tmp_path / "out", workers=workers)
    name, at, said = collection_error(recorded, root)
    assert (name, at) == ("tests/test_bad.py", line)
    assert message in said
    assert recorded.code == (2 if workers == 0 else recorded.code)
    # Asked for by name, the others run all the same, and none is said to be missing.
    tests = ["tests/test_bad.py::test_x", "tests/test_good.py::test_good"]
    some = run(root, tmp_path / "some", workers=workers, tests=tests)
    assert some.outcomes == {"tests/test_good.py::test_good": "passed"}
    assert some.told("missing") == []
    assert some.code == 1


def test_a_conftest_that_cannot_be_imported(tmp_path: Path) -> None:
    root = project(tmp_path / "root", conftest="x = 1\n1 / 0\n", test_it=BEFORE.format(""))
    recorded = run(root, tmp_path / "out", arguments=("tests",))
    assert collection_error(recorded, root) == (
        "tests/conftest.py",
        2,
        "ZeroDivisionError: division by zero",
    )
    assert recorded.code == recorded.end["exit"] == 4


def test_an_option_that_pytest_does_not_know(tmp_path: Path) -> None:
    root = project(tmp_path / "root", test_it=BEFORE.format(""))
    recorded = run(root, tmp_path / "out", arguments=("--no-such-option",))
    assert recorded.code == recorded.end["exit"] == 4
    assert "--no-such-option" in recorded.output


def test_an_interpreter_without_coverage_or_pytest(tmp_path: Path) -> None:
    root = project(tmp_path / "root", test_it=BEFORE.format(""))
    environment = tmp_path / "empty"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    recorded = run(root, tmp_path / "out", python=python)
    assert recorded.code == 3
    (told,) = recorded.events
    assert told["event"] == "no-coverage"
    assert "No module named 'coverage'" in told["message"]

    import coverage

    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "coverage").symlink_to(Path(coverage.__file__).parent)
    only = {"PYTHONPATH": str(folder)}
    for runner, name in (("pytest", "pytest"), ("django", "django")):
        out = tmp_path / runner
        recorded = run(root, out, runner, python=python, environment=only)
        assert recorded.code == 3
        assert recorded.told("no-runner")[0]["message"] == f"{python} has no {name}"


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        ("[run]\nbranch = perhaps\n", "Not a boolean: perhaps"),
        ("[run]\nplugins = no_such_plugin\n", "No module named 'no_such_plugin'"),
        ("[run]\nplugins = broken_plugin\n", "division by zero"),
    ],
)
def test_coverage_that_cannot_be_started(configuration: str, words: str, tmp_path: Path) -> None:
    root = project(tmp_path / "root", test_it=BEFORE.format(""))
    write(root, {".coveragerc": configuration, "broken_plugin.py": "1 / 0\n"})
    recorded = run(root, tmp_path / "out")
    assert recorded.code == 3
    (told,) = recorded.events
    assert told["event"] == "no-coverage"
    assert words in told["message"]
