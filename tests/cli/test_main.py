"""The `covls` command as a process: how fast it starts, how it fails, how it ends."""

import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from covls import __version__
from covls.cli.main import COMMANDS
from tests.cli.measured import Covls, age, coverage, write

COVLS = (sys.executable, "-m", "covls")

# What the help text has no use for, and what takes longer to import than it may take to appear.
HEAVY = ("asyncio", "coverage", "lsprotocol", "pygls", "rich", "sqlite3", "watchdog")


def test_help_names_every_command(covls: Covls, tmp_path: Path) -> None:
    done = covls(tmp_path, "--help")
    assert done.code == 0
    for name, (_, words) in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(words[:20])}", done.out, re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_imported_and_explains_itself(
    name: str, covls: Covls, tmp_path: Path
) -> None:
    done = covls(tmp_path, name, "--help")
    assert done.code == 0
    assert done.out.startswith(f"Usage: covls {name} ")


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_import_nothing_heavy(option: str) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "covls", option],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "click" in imported
    assert not imported.intersection(HEAVY)
    assert __version__ in done.stdout or option == "--help"


@pytest.mark.alone
def test_help_comes_at_once() -> None:
    def seconds() -> float:
        """Of computing, so that what else the machine does is not counted."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*COVLS, "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    assert min(seconds() for _ in range(5)) < 0.15


def test_an_unknown_command_is_wrong_usage_and_the_near_one_is_named(
    covls: Covls, tmp_path: Path
) -> None:
    done = covls(tmp_path, "reprot")
    assert done.code == 2
    assert "Did you mean 'report'?" in done.err


def test_an_unknown_option_is_wrong_usage(covls: Covls, tmp_path: Path) -> None:
    assert covls(tmp_path, "report", "--colour").code == 2


def test_a_reader_that_has_had_enough_is_no_error(tmp_path: Path) -> None:
    measured(tmp_path, 400)
    with subprocess.Popen(
        [*COVLS, "report", "--format", "json", "--pretty-print"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        said = process.stderr.read()
    assert said == b""
    assert process.returncode == 141


def test_ctrl_c_ends_quietly_with_130(tmp_path: Path) -> None:
    # A pipe that nobody reads fills up, so that the report is surely under way.
    measured(tmp_path, 400)
    with subprocess.Popen(
        [*COVLS, "report", "--format", "json", "--pretty-print"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.read(10)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert said == b""
    assert process.returncode == 130


def test_a_server_that_ignores_ctrl_c_ends_when_it_is_terminated(tmp_path: Path) -> None:
    """As one that a script starts by `&`."""
    words = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN)"
    with subprocess.Popen(
        [sys.executable, "-c", f"{words}; os.execv(sys.argv[1], sys.argv[1:])", *COVLS, "serve"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        body = (
            b'{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}'
        )
        process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"Content-Length")
        process.terminate()
        assert process.wait(timeout=60) == 130


def test_output_that_cannot_hold_a_letter_holds_another(tmp_path: Path) -> None:
    write(tmp_path, {"grüße.py": "x = 1\n"})
    coverage(tmp_path, "run", "grüße.py")
    done = subprocess.run(
        [*COVLS, "report"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "gr??e.py" in done.stdout


def measured(folder: Path, functions: int) -> None:
    """A project whose report is larger than a pipe holds."""
    source = "".join(f"def f{number}():\n    return {number}\n" for number in range(functions))
    write(folder, {"a.py": source})
    coverage(folder, "run", "a.py")
    age(folder)
