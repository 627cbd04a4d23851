"""Which lines or arcs each phase of each test ran, as bitsets in a journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, List, NamedTuple, Set, Tuple

if TYPE_CHECKING:
    from covls_recorder.journal import Journal

# What ran in one file, as coverage.py's collector keeps it: line numbers, or arcs, or arcs that are
# packed into one integer each.
Ran = Set[Any]
Arc = Tuple[int, int]


class Phase(NamedTuple):
    """A part of a test, or what ran outside of all tests.

    `phase` is setup, call, teardown, or empty outside of tests. `scope` is that of the fixture it
    is in: what ran in a fixture of a wider scope than "function" ran for more tests than this one,
    which was only the first or the last to use it.
    """

    test: str = ""
    phase: str = ""
    scope: str = "function"


def bitset(numbers: Set[int]) -> str:
    """The bytes of an integer that has these bits set, lowest byte first, in hexadecimal."""
    digits = bytearray(b"0") * (max(numbers) + 1)
    for number in numbers:
        digits[-1 - number] = 49  # b"1"
    return int(digits, 2).to_bytes(len(digits) + 7 >> 3, "little").hex()


class _File:
    """A measured file's number, and where in its list of arcs each arc seen so far stands."""

    __slots__ = ("count", "number", "places")

    def __init__(self, number: int) -> None:
        self.number = number
        self.count = 0
        self.places: Dict[Any, int] = {}


class Detail:
    """Writes what ran to a journal: each file's path and each arc once, then bitsets over them.

    A line of the journal is one of

        {"file": n, "path": as coverage.py has it}
        {"lines": n}                          the bits of file n are line numbers
        {"pairs": n, "add": [[from, to]…]}    they are places in this list of arcs, which grows
        {"test", "phase", "scope", "ran": {"n": bitset}}, with "outside": true where it ran in a
            process that the user's own configuration would not measure
    """

    def __init__(
        self, journal: Journal, arcs: bool, unpack: Callable[[List[int]], List[Arc]]
    ) -> None:
        self._journal = journal
        self._arcs = arcs
        self._unpack = unpack
        self._files: Dict[str, _File] = {}

    def add(self, where: Phase, ran: Dict[str, Ran], outside: bool) -> None:
        """Write what ran in files, by path."""
        bits = {}
        for path, numbers in ran.items():
            file = self._files.get(path)
            if file is None:
                file = self._files[path] = _File(len(self._files))
                self._journal.add({"file": file.number, "path": path})
                if not self._arcs:
                    self._journal.add({"lines": file.number})
            if self._arcs:
                numbers = self._places(file, numbers)
            bits[str(file.number)] = bitset(numbers)
        line: Dict[str, Any] = {**where._asdict(), "ran": bits}
        if outside:
            line["outside"] = True
        self._journal.add(line)

    def _places(self, file: _File, arcs: Ran) -> Set[int]:
        """Where the arcs stand in the file's list, which takes up those that are new."""
        places = file.places
        unseen = [arc for arc in arcs if arc not in places]
        if unseen:
            packed = [arc for arc in unseen if not isinstance(arc, tuple)]
            pairs = dict(zip(packed, self._unpack(packed)))
            new = []
            for arc in unseen:
                pair = pairs.get(arc, arc)
                if pair not in places:
                    places[pair] = file.count
                    file.count += 1
                    new.append(pair)
                places[arc] = places[pair]
            if new:
                self._journal.add({"pairs": file.number, "add": new})
        return {places[arc] for arc in arcs}

    def forked(self) -> None:
        """In a forked child: its journal is a new one, in which nothing is numbered yet."""
        self._files = {}
