"""Runs one command for covls, and sees to it that nothing of it outlives its end, or covls's.

covls starts this file by its path, in covls's own interpreter, as a process between itself and a
run of tests. So it can end a run whatever state that is in, and if covls is killed, the run ends,
too: nothing of this is left to the process that the tests run in, where a thread that watches would
be seen by tests. Standard library only.

On stdin comes {"argv", "cwd", "log": path, "log_bytes": most}, then words, one a line: `interrupt`
(as Ctrl-C does), `kill`. The end of stdin is the end of covls: all is killed. On stdout go lines of
JSON: {"pid"} or {"error": words}, and at the end {"exit": code, "left": [names of programs that
the command left behind, and that were killed], "unread": bytes that did not fit into the log}.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from typing import Any, Callable, Deque, Dict, List

# How long what the command left behind may take to end by itself: helpers of multiprocessing, say.
SECONDS_TO_GO = 0.5
# How long killing may take; a process that hangs in the system cannot be killed.
SECONDS_TO_DIE = 5.0

PR_SET_CHILD_SUBREAPER = 36


def main() -> int:
    """Run the command that stdin names; return 0 where it could be started."""
    order: Dict[str, Any] = json.loads(sys.stdin.readline())
    _default_signals()
    _adopt_orphans()
    group: Dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    try:
        child = subprocess.Popen(
            order["argv"],
            cwd=order["cwd"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **group,
        )
    except OSError as error:
        _say({"error": error.strerror or str(error)})
        return 1
    _say({"pid": child.pid})
    log = Log(order["log"], order["log_bytes"])
    reading = threading.Thread(target=log.take, args=(child.stdout,), daemon=True)
    reading.start()
    threading.Thread(target=_obey, args=(child,), daemon=True).start()
    _wait(child)
    left = _end_what_is_left(child)
    child.wait()
    reading.join(1.0)
    log.close()
    _say({"exit": child.returncode, "left": left, "unread": log.unread})
    return 0


class Log:
    """The beginning and the end of what a command prints, in a file of bounded size."""

    def __init__(self, path: str, most: int) -> None:
        self._file = open(path, "ab")  # noqa: SIM115  closed when the command has ended
        self._room = most // 2
        self._most_at_end = most // 2
        self._end: Deque[bytes] = deque()
        self._at_end = 0
        self._lock = threading.Lock()
        self.unread = 0

    def take(self, output: Any) -> None:
        """Read what the command prints, to the end."""
        while True:
            try:
                printed = os.read(output.fileno(), 65536)
            except OSError:
                return
            if not printed:
                return
            with self._lock:
                self._add(printed)

    def _add(self, printed: bytes) -> None:
        if self._file.closed:
            return
        if self._room:
            here = printed[: self._room]
            self._room -= len(here)
            printed = printed[len(here) :]
            with contextlib.suppress(OSError):
                self._file.write(here)
                self._file.flush()
        if printed:
            self._end.append(printed)
            self._at_end += len(printed)
            while self._at_end > self._most_at_end:
                gone = len(self._end.popleft())
                self._at_end -= gone
                self.unread += gone

    def close(self) -> None:
        """Write the end of what was printed."""
        with self._lock, contextlib.suppress(OSError):
            if self.unread:
                self._file.write(b"\n... %d bytes are left out here ...\n" % self.unread)
            self._file.writelines(self._end)
            self._file.close()


def _say(words: Dict[str, Any]) -> None:
    # Nobody listens where covls is gone.
    with contextlib.suppress(OSError):
        sys.stdout.write(json.dumps(words) + "\n")
        sys.stdout.flush()


def _obey(child: subprocess.Popen[bytes]) -> None:
    """Do what stdin says until it ends, and then end everything."""
    do: Dict[str, Callable[[subprocess.Popen[bytes]], None]] = {
        "interrupt": _interrupt,
        "kill": _kill,
    }
    with contextlib.suppress(OSError, ValueError):
        for line in sys.stdin:
            do[line.strip()](child)
    _kill(child)
    # The main thread sees the end; where a process cannot be killed there is nobody left to tell.
    time.sleep(SECONDS_TO_DIE)
    os._exit(1)


if sys.platform == "win32":

    def _default_signals() -> None:
        pass

    def _adopt_orphans() -> None:
        pass

    def _interrupt(child: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(OSError):
            child.send_signal(signal.CTRL_BREAK_EVENT)

    def _kill(child: subprocess.Popen[bytes]) -> None:
        system = os.environ.get("SYSTEMROOT", r"C:\Windows")
        with contextlib.suppress(OSError):
            subprocess.run(
                [system + r"\System32\taskkill.exe", "/T", "/F", "/PID", str(child.pid)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )

    def _wait(child: subprocess.Popen[bytes]) -> None:
        child.wait()

    def _end_what_is_left(child: subprocess.Popen[bytes]) -> List[str]:
        _kill(child)
        return []

else:

    def _default_signals() -> None:
        """Undo what covls may have been started with: a shell starts what is in the background
        deaf to Ctrl-C, and what is ignored stays ignored in the programs that are started.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])

    def _adopt_orphans() -> None:
        """Become the parent of processes whose parent ends, also of those that left the group."""
        if sys.platform == "linux":
            import ctypes

            with contextlib.suppress(OSError, AttributeError):
                ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def _interrupt(child: subprocess.Popen[bytes]) -> None:
        _signal_group(child, signal.SIGINT)

    def _kill(child: subprocess.Popen[bytes]) -> None:
        """Kill the group, and on Linux also what has left it, until nothing is left."""
        deadline = time.monotonic() + SECONDS_TO_DIE
        while True:
            _signal_group(child, signal.SIGKILL)
            below = _descendants()
            for pid in below:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            if not below or time.monotonic() > deadline:
                return
            time.sleep(0.01)

    def _signal_group(child: subprocess.Popen[bytes], number: int) -> None:
        # The number of the child is its own until it is waited for, so that of its group is, too.
        if child.returncode is None or not hasattr(os, "waitid"):
            with contextlib.suppress(OSError):
                os.killpg(child.pid, number)

    def _wait(child: subprocess.Popen[bytes]) -> None:
        """Wait for the command's end, and leave its number taken until the group has ended."""
        if hasattr(os, "waitid"):
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        else:  # macOS before Python 3.13
            child.wait()

    def _end_what_is_left(child: subprocess.Popen[bytes]) -> List[str]:
        """Give what the command left behind a moment, kill what is still there, and name it."""
        deadline = time.monotonic() + SECONDS_TO_GO
        while time.monotonic() < deadline and _descendants():
            time.sleep(0.02)
        left = [_name(pid) for pid in _descendants()]
        _kill(child)
        return left

    def _descendants() -> List[int]:
        """The living processes below this one, where the system has /proc."""
        children: Dict[int, List[int]] = {}
        try:
            pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        except OSError:
            return []
        for pid in pids:
            try:
                with open("/proc/%d/stat" % pid, "rb") as stat:
                    fields = stat.read().rpartition(b")")[2].split()
            except OSError:
                continue
            if fields[0] not in (b"Z", b"X"):
                children.setdefault(int(fields[1]), []).append(pid)
        found: List[int] = []
        above = [os.getpid()]
        while above:
            below = children.get(above.pop(), [])
            found += below
            above += below
        return found

    def _name(pid: int) -> str:
        try:
            with open("/proc/%d/cmdline" % pid, "rb") as words:
                shown = b" ".join(words.read().rstrip(b"\0").split(b"\0"))
        except OSError:
            return str(pid)
        return shown.decode(errors="replace")[:200]


if __name__ == "__main__":
    sys.exit(main())
