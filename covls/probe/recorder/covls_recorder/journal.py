"""Files of JSON lines that a process only ever appends to, whatever the tests do to it."""

from __future__ import annotations

import json
import os
import threading
from typing import Any


class Journal:
    """One process's `NAME-PID.jsonl` in a folder, whole up to its last line at any moment.

    Tests close file descriptors that are not theirs, put fake file systems and clocks in place of
    the real ones, fork, and end their process without a word. So nothing is buffered, the file is
    opened for every line, and the functions used are those that were there at the start.
    """

    def __init__(self, folder: str, name: str) -> None:
        self._prefix = os.path.join(folder, name)
        self._flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        self._open, self._write, self._close = os.open, os.write, os.close
        self._pid = os.getpid
        self._lock = threading.Lock()
        self._encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
        self._unwritten = b""

    def add(self, line: dict[str, Any]) -> None:
        """Append a line. What cannot be written now goes with the next one."""
        with self._lock:
            self._unwritten += self._encode(line).encode("ascii") + b"\n"
            path = f"{self._prefix}-{self._pid()}.jsonl"
            try:
                file = self._open(path, self._flags, 0o600)
            except OSError:
                return
            try:
                while self._unwritten:
                    self._unwritten = self._unwritten[self._write(file, self._unwritten) :]
            except OSError:
                pass
            finally:
                self._close(file)

    def forked(self) -> None:
        """In a forked child: what the parent could not write yet stays the parent's."""
        self._unwritten = b""
        self._lock = threading.Lock()
