"""The processes that a process has started, as /proc tells of them."""

import contextlib
import time
from collections.abc import Iterable
from pathlib import Path

HERE = Path("/proc/self/stat").exists()
"""Whether there is a /proc to ask."""


def processes_below(pid: int) -> list[int]:
    """The processes that a process started, itself or by way of others."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            after = path.read_text().rpartition(")")[2].split()
            if after[0] != "Z":
                parents[int(path.parent.name)] = int(after[1])
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found[1:]


def is_running_tests(pid: int) -> bool:
    """Whether a process has tests run just now."""
    found = b""
    for child in processes_below(pid):
        with contextlib.suppress(OSError):
            found += Path(f"/proc/{child}/cmdline").read_bytes()
    return b"guard.py" in found


def is_there(pid: int) -> bool:
    """Whether a process lives."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def wait_until_gone(pids: Iterable[int], what: str = "") -> None:
    """Wait until none of some processes lives."""
    left, deadline = list(pids), time.monotonic() + 60
    while left := [pid for pid in left if is_there(pid)]:
        assert time.monotonic() < deadline, f"left behind: {left} {what}"
        time.sleep(0.02)
