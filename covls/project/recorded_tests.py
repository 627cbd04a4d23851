"""Which tests reach what, as one state of a root's data tells it."""

import threading
from collections import OrderedDict
from collections.abc import Collection

from covls.adapters.data_file import Snapshot
from covls.core.detail import Detail
from covls.core.lines import ranges
from covls.core.reached import Reached, reached
from covls.core.test_names import named_in

FILES_KEPT = 64
"""Files whose tests are kept at hand: what a person has open, and some more."""


class RecordedTests:
    """The tests of one snapshot: from the `detail` that covls's own run kept of it, or else from
    its contexts.

    Thread-safe. `_reading` lets one thread at a time read a whole file's tests, so that all who
    ask for them wait for one reading; `_lock` guards what is kept of them.
    """

    def __init__(
        self, snapshot: Snapshot, detail: Detail | None, *, only_first: bool = False
    ) -> None:
        self._snapshot = snapshot
        self._detail = detail
        self.only_first = only_first
        """Whether the data names only the first test of each line, which tells nothing."""
        self._reading = threading.Lock()
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Reached] = OrderedDict()

    @property
    def are_told(self) -> bool:
        """Whether it is known which test ran what."""
        if self._detail is not None:
            return True
        return self._snapshot.has_contexts and not self.only_first

    def reached(self, measured_path: str) -> Reached | None:
        """The tests that reach each line of a measured text; None where none were recorded.

        Read once, from the file's many rows: some tenths of a second where thousands of tests
        reach it.
        """
        if not self.are_told:
            return None
        with self._reading:
            with self._lock:
                known = self._kept.get(measured_path)
            if known is not None:
                return known
            known = self._read(measured_path)
            with self._lock:
                self._kept[measured_path] = known
                while len(self._kept) > FILES_KEPT:
                    self._kept.popitem(last=False)
            return known

    def has_read(self, measured_path: str) -> bool:
        """Whether `reached` has read the tests of a file, or has none to read."""
        with self._lock:
            return measured_path in self._kept or not self.are_told

    def of_file(self, measured_path: str) -> list[str]:
        """The tests that reach a file, sorted; empty where it is not known which."""
        if not self.are_told:
            return []
        if self._detail is not None:
            return sorted(self._detail.tests_in([measured_path]))
        return sorted(named_in(self._snapshot.contexts_in(measured_path)))

    def reaching(self, measured_path: str, lines: Collection[int]) -> list[str]:
        """The tests that reach any of some lines of the measured text, sorted.

        Empty also where none were recorded.
        """
        if not self.are_told:
            return []
        with self._lock:
            known = self._kept.get(measured_path)
        if known is not None:
            return list(known.names(lines))
        if self._detail is not None:
            file = self._detail.files.get(measured_path)
            return [] if file is None else sorted({test for test, _ in file.reaching(lines)} - {""})
        contexts: set[str] = set()
        for start, end in ranges(lines):
            contexts.update(self._snapshot.contexts_at(measured_path, start, end))
        return sorted(named_in(contexts))

    def forget(self, measured_path: str) -> None:
        """Drop what is kept of a file that is no longer on screen."""
        with self._lock:
            self._kept.pop(measured_path, None)

    def _read(self, measured_path: str) -> Reached:
        if self._detail is None:
            return self._snapshot.reached(measured_path)
        file = self._detail.files.get(measured_path)
        if file is None:
            return Reached((), {})
        return reached((test, file.lines(bits)) for (test, _), bits in file.ran.items())
