"""Which tests reach which lines of one measured file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from covls.core.test_names import named_in


@dataclass(frozen=True, slots=True)
class Reached:
    """The tests that reach a file, and which of them reach each line of the measured text.

    A line's tests are the bits that are set, counted as `tests` are: a file can have thousands of
    both, and what is asked is how many there are of a function or a line.
    """

    tests: tuple[str, ...]
    by_line: Mapping[int, int]

    def count(self, lines: Iterable[int]) -> int:
        """How many tests reach any of some lines."""
        return self._bits(lines).bit_count()

    def names(self, lines: Iterable[int]) -> tuple[str, ...]:
        """The tests that reach any of some lines, sorted."""
        bits = self._bits(lines)
        return tuple(sorted(test for index, test in enumerate(self.tests) if bits >> index & 1))

    def lines_of(self, test: str) -> frozenset[int]:
        """The lines that one test reaches."""
        if test not in self.tests:
            return frozenset()
        bit = 1 << self.tests.index(test)
        return frozenset(line for line, bits in self.by_line.items() if bits & bit)

    def _bits(self, lines: Iterable[int]) -> int:
        bits, by_line = 0, self.by_line
        for line in lines:
            bits |= by_line.get(line, 0)
        return bits


def reached(recorded: Iterable[tuple[str, Iterable[int]]]) -> Reached:
    """Gather the lines that each context reached; a context may come several times.

    The empty context is no test, and the phases of a test are one. What is not positive stands
    for entering and leaving, and is no line.
    """
    places: dict[str, int] = {}
    sets: dict[int, bytearray] = {}
    for context, lines in recorded:
        for test in named_in((context,)):
            byte, bit = divmod(places.setdefault(test, len(places)), 8)
            mask = 1 << bit
            for line in lines:
                found = sets.get(line)
                if found is None:
                    found = sets[line] = bytearray(byte + 1)
                elif len(found) <= byte:
                    found.extend(bytes(byte + 1 - len(found)))
                found[byte] |= mask
    # Most lines share their tests with their neighbours: each set of tests is kept once.
    kept: dict[int, int] = {}
    by_line: dict[int, int] = {}
    for line, found in sets.items():
        if line > 0:
            bits = int.from_bytes(found, "little")
            by_line[line] = kept.setdefault(bits, bits)
    return Reached(tuple(places), by_line)
