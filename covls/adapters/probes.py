"""How the scripts of `covls/probe/` are started as processes, and ended."""

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

_FOLDER: Final = Path(__file__).parent.parent / "probe"

# Variables that make coverage.py measure, or trace, the script itself.
_KEPT_OUT: Final = (
    "COVERAGE_PROCESS_START",
    "COVERAGE_PROCESS_CONFIG",
    "COVERAGE_AST_DUMP",
    "COVERAGE_TRACK_ARCS",
    "COVERAGE_TESTING",
)


def script(name: str) -> Path:
    """The file of a script."""
    return _FOLDER / f"{name}.py"


def command_of(name: str, python: str | None, *, plugins: bool) -> list[str]:
    """The command that runs a script with coverage.py: by `python`, or by covls's own interpreter.

    Without `plugins` nothing of the current folder can be imported.
    """
    if python is None:
        # Where covls itself has coverage.py from, which may be a folder that -I keeps out.
        found = importlib.util.find_spec("coverage")
        assert found is not None
        assert found.origin is not None
        folder = str(Path(found.origin).parent.parent)
        command = [sys.executable, *(() if plugins else ("-I",)), str(script(name))]
        command += ["--coverage-from", folder]
    else:
        command = [python, *(() if plugins else ("-I",)), str(script(name))]
    return [*command, "--plugins"] if plugins else command


def start(command: list[str], folder: Path) -> "subprocess.Popen[bytes]":
    """Start a script in a folder, with pipes to it. Raises OSError.

    It has a group of its own, so that all it started ends with it, and no Ctrl-C meant for
    somebody else reaches it.
    """
    group: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name not in _KEPT_OUT},
        **group,
    )


def kill(process: "subprocess.Popen[bytes]") -> None:
    """End a script, and all that it started. To be called before it is waited for, and once."""
    if sys.platform == "win32":
        process.kill()
    else:
        # Its number is its own until `wait`, also if it ended by itself.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
