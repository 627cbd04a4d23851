"""Makes coverage.py's sysmon core hear again of lines and branches that it has heard of.

It disables each place in the code after the first event from it. `sys.monitoring.restart_events`
enables all again, in all code of the process: each function of the test framework, too, then tells
once more that it starts, which takes longer than many a test. Where lines are measured, those of
the code that has just run are enabled singly instead.
"""

from __future__ import annotations

import sys
from types import CodeType
from typing import Any, Dict, List, Set

MONITORING: Any = getattr(sys, "monitoring", None)


class Listening:
    """Which code has which lines, as far as the tracer has met with it."""

    def __init__(self, tracer: Any, data: Dict[str, Set[Any]], branch: bool) -> None:
        self._tracer = tracer
        self._data = data
        self._branch = branch
        self._known = 0
        # The number of the first code that has a line, and the further ones. By the identity of the
        # tracer's set for a file, as code may know the file by other names.
        self._first: Dict[int, Dict[int, int]] = {}
        self._further: Dict[int, Dict[int, List[int]]] = {}

    def again(self, ran: Dict[str, Set[Any]]) -> None:
        """Enable what was disabled when these lines ran, by their file."""
        # The line of another thread may be on its way from the tracer's set to being disabled.
        if self._branch or len(sys._current_frames()) > 1 or not self._lines(ran):
            self.to_all()

    def to_all(self) -> None:
        """Enable everything."""
        if self._branch:
            # A frame that an exception ended leaves its last line behind, from which an arc to the
            # first line of the next frame would be recorded.
            for info in list(self._tracer.code_infos.values()):
                if getattr(info, "last_line", None) is not None:
                    info.last_line = None
        MONITORING.restart_events()

    def _lines(self, ran: Dict[str, Set[int]]) -> bool:
        """Enable the lines of the code that ran; return whether all of it is known."""
        self._learn()
        found: Set[int] = set()
        for name, lines in ran.items():
            file = id(self._data[name])
            try:
                found.update(map(self._first.get(file, {}).__getitem__, lines))
            except KeyError:
                return False
            further = self._further.get(file, {})
            for line in further.keys() & lines:
                found.update(further[line])
        tool, line_event = self._tracer.myid, MONITORING.events.LINE
        codes = self._tracer.code_objects
        for number in found:
            MONITORING.set_local_events(tool, codes[number], 0)
            MONITORING.set_local_events(tool, codes[number], line_event)
        return True

    def _learn(self) -> None:
        """Take in what code the tracer has met with since the last time."""
        met = self._tracer.code_objects
        for number in range(self._known, len(met)):
            code: CodeType = met[number]
            info = self._tracer.code_infos.get(id(code))
            if info is None or info.file_data is None:
                continue
            file = id(info.file_data)
            first, further = self._first.setdefault(file, {}), self._further.setdefault(file, {})
            for line in {line for _, _, line in code.co_lines() if line is not None}:
                if first.setdefault(line, number) != number:
                    further.setdefault(line, []).append(number)
        self._known = len(met)
