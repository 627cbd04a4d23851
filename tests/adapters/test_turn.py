"""One process at a time runs a root's tests."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from covls.adapters.turn import RUN_OF, turn

HOLDS = """
import sys, pathlib
from covls.adapters.turn import turn
with turn(pathlib.Path(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.read()
"""


def hold(root: Path) -> "subprocess.Popen[str]":
    """A process that has the turn until its stdin ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, root],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "mine\n"
    return process


@pytest.mark.parametrize("killed", [False, True])
def test_another_process_is_waited_for_however_it_ends(tmp_path: Path, killed: bool) -> None:
    with hold(tmp_path) as other:
        waited: list[str] = []

        def on_wait() -> None:
            assert other.stdin is not None
            waited.append("waited")
            other.kill() if killed else other.stdin.close()

        with turn(tmp_path, on_wait=on_wait) as ours:
            assert ours
        assert waited == ["waited"]
    with turn(tmp_path, on_wait=on_wait) as ours:
        assert ours
    assert waited == ["waited"]


def test_who_is_cancelled_waits_no_longer(tmp_path: Path) -> None:
    cancelled = threading.Event()
    with turn(tmp_path), turn(tmp_path, cancelled, cancelled.set) as ours:
        assert not ours


def test_roots_do_not_wait_for_one_another(tmp_path: Path) -> None:
    with turn(tmp_path / "a"), turn(tmp_path / "b", on_wait=pytest.fail) as ours:
        assert ours


def test_a_test_that_runs_its_own_root_does_not_wait_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with turn(tmp_path):
        monkeypatch.setenv(RUN_OF, str(tmp_path))
        with turn(tmp_path, on_wait=pytest.fail) as ours:
            assert ours


def test_without_a_cache_folder_nobody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COVLS_CACHE_DIR", str(tmp_path / "file"))
    with turn(tmp_path), turn(tmp_path, on_wait=pytest.fail) as ours:
        assert ours
