"""`covls demo`, from its first line to its last, and what it says where a step fails."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from covls.cli.demo.project import add_test, environment, run_tests, write_project
from tests.cli.measured import coverage


def demo(tmp_path: Path, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The demo in a process of its own, its temporary folders below `tmp_path`."""
    return subprocess.run(
        [sys.executable, "-m", "covls", "demo", *options],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_it_shows_files_marks_words_totals_and_the_change(tmp_path: Path) -> None:
    started = time.monotonic()
    done = demo(tmp_path)
    seconds = time.monotonic() - started
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert seconds < 60
    shown = done.stdout
    assert "\x1b[" not in shown
    # Marks before the code: a covered line, a partial one, a missing one.
    assert re.search(r"37 ┃ def bill\(order: Order\)", shown)
    assert re.search(r"39 ◐     if order\.code:", shown)
    assert re.search(r"54 █     return", shown)
    assert "line 39 didn't jump to line 40 because the condition on line 39 was never true" in shown
    assert "test_placing_an_order_takes_the_books_and_bills_them" in shown
    # What was missing before one more test ran is covered after it.
    assert re.search(r"25 █         new = \[\]", shown)
    assert re.search(r"25 █ → ┃         new = \[\]", shown)
    assert re.search(r"bookshop/stock\.py +20 +2 +6 +0 +54% → 92%", shown)
    assert re.search(r"4 files +69 +9 +22 +3 +74% → 85%", shown)
    assert "What next" in shown
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("covls-demo")] == []


def test_its_totals_are_coverages(tmp_path: Path) -> None:
    done = demo(tmp_path, "--keep")
    kept = re.search(r"the project is kept in (\S+)", done.stdout)
    assert kept is not None
    (total,) = re.findall(r"4 files +(\d+) +(\d+) +(\d+) +(\d+) +\d+% → (\d+)%", done.stdout)
    theirs = coverage(Path(kept[1]), "report").out.splitlines()[-1].split()
    assert theirs == ["TOTAL", *total[:-1], f"{total[-1]}%"]


def test_without_pytest_it_says_how_to_get_it(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'pytest' else find(name, *rest)\n"
    )
    done = demo(tmp_path, PYTHONPATH=os.pathsep.join([str(hidden), *sys.path]))
    assert done.returncode == 1
    assert "-m pip install pytest" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_does_not_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        "import os, sys\nif 'serve' in sys.orig_argv:\n"
        "    print('the cable is out', file=sys.stderr, flush=True)\n    os._exit(7)\n"
    )
    done = demo(tmp_path, PYTHONPATH=os.pathsep.join([str(broken), *sys.path]))
    assert done.returncode == 1
    assert "covls serve" in done.stderr
    assert "the cable is out" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_test_added_later_is_what_the_change_comes_from(tmp_path: Path) -> None:
    write_project(tmp_path)
    run = run_tests(tmp_path)
    assert run.summary == "8 passed"
    assert "deliver" in add_test(tmp_path)
    assert run_tests(tmp_path, "tests/test_delivery.py", append=True).summary == "1 passed"


def test_the_surroundings_do_not_steer_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERAGE_RCFILE", "elsewhere")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--collect-only")
    assert "COVERAGE_RCFILE" not in environment()
    assert "PYTEST_ADDOPTS" not in environment()
