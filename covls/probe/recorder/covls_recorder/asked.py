"""The tests that were asked for, by names that may each stand for several tests."""

from __future__ import annotations

import re
from typing import Iterable, Iterator, List, Set


class Asked:
    """Names of tests, files, folders, classes, modules, packages.

    A name takes the test that is called so, and those below it: `tests/test_a.py` has
    `tests/test_a.py::test_b[1]` below it, as have `tests` and `tests/test_a.py::test_b`; in dotted
    names all that goes on behind a dot is below.
    """

    def __init__(self, names: Iterable[str], dotted: bool) -> None:
        self.names: Set[str] = set(names)
        self._ends = re.compile(r"\." if dotted else r"::|/|\Z")
        self._dotted = dotted

    def takes(self, test: str) -> bool:
        """Whether a test was asked for."""
        return not self.names.isdisjoint(self._above(test))

    def takes_below(self, name: str) -> bool:
        """Whether a test that was asked for is below a dotted name, or may be."""
        return self.takes(name) or any(each.startswith(f"{name}.") for each in self.names)

    def without(self, tests: Iterable[str]) -> List[str]:
        """The names that take none of these tests, sorted."""
        found: Set[str] = set()
        for test in tests:
            found.update(self._above(test))
        return sorted(self.names - found)

    def _above(self, test: str) -> Iterator[str]:
        """The names that take a test."""
        yield test
        # What stands in brackets is for people, and may look like anything.
        name = test if self._dotted else test.partition("[")[0]
        for end in self._ends.finditer(name):
            yield name[: end.start()]
