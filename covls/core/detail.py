"""What each test ran: per test, phase and file a set of arcs or lines, as bits of an integer."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from covls.core.coverage import Measured
from covls.core.lines import Arc

Ran = tuple[str, str]
"""Who ran something: a test's name and its phase; ("", "") is what ran outside of any test, as
modules do when they are imported.

A phase is `setup`, `call` or `teardown`. Behind an `@` stands the scope of the fixture it is in,
where that is wider than one test, as in `setup@module`: what ran there ran for other tests, too. A
`!` at the end says that it ran in a process that the user's configuration does not measure: it
counts for the test, and not for the data.
"""

OUTSIDE: Ran = ("", "")

UNATTRIBUTED: Ran = ("", "call")
"""Who ran what the data says has run, but no test's detail explains, as in a process of which
only the data came back: some test, it is not known which."""

SCOPES = ("class", "module", "package", "session")
UNMEASURED = "!"

PHASES: tuple[str, ...] = tuple(
    phase + scope + measured
    for measured in ("", UNMEASURED)
    for phase in ("", "setup", "call", "teardown")
    for scope in (("", *(f"@{scope}" for scope in SCOPES)) if phase else ("",))
)
"""All phases that there are."""


def scope_of(phase: str) -> str:
    """The scope of the fixture that a phase is in, empty for one of a single test.

    >>> scope_of("setup@module"), scope_of("call")
    ('module', '')
    """
    return phase.rstrip(UNMEASURED).partition("@")[2]


@dataclass(frozen=True, slots=True)
class FileDetail:
    """What ran in one file, by who ran it.

    `pairs` are the arcs that the bits stand for, the lowest bit for the first. Where lines were
    measured without branches it is None, and bit n stands for line n.
    """

    pairs: tuple[Arc, ...] | None
    ran: Mapping[Ran, int]

    def union(self) -> int:
        """All that ran and is measured, whoever ran it."""
        bits = 0
        for (_, phase), each in self.ran.items():
            if not phase.endswith(UNMEASURED):
                bits |= each
        return bits

    def measured(self) -> Measured:
        """All that ran, as the data file has it."""
        if self.pairs is None:
            return Measured(frozenset(places(self.union())))
        arcs = frozenset(self.arcs(self.union()))
        return Measured(frozenset(line for arc in arcs for line in arc if line > 0), arcs)

    def arcs(self, bits: int) -> Iterator[Arc]:
        """The arcs of a set of bits; of files measured without branches none."""
        pairs = self.pairs
        return iter(()) if pairs is None else (pairs[place] for place in places(bits))

    def lines(self, bits: int) -> set[int]:
        """The lines of a set of bits, those where arcs end and begin."""
        if self.pairs is None:
            return set(places(bits))
        return {line for arc in self.arcs(bits) for line in arc if line > 0}

    def mask(self, lines: Collection[int]) -> int:
        """The bits of all that begins or ends on these lines."""
        if self.pairs is None:
            return bits_of(lines)
        wanted = frozenset(lines)
        return bits_of(
            place
            for place, (start, end) in enumerate(self.pairs)
            if start in wanted or end in wanted
        )

    def reaching(self, lines: Collection[int]) -> set[Ran]:
        """Who ran any of these lines."""
        mask = self.mask(lines)
        return {ran for ran, bits in self.ran.items() if bits & mask}


@dataclass(frozen=True, slots=True)
class TestRecord:
    """What is known of a test since it last ran."""

    __test__ = False  # To pytest it looks like a test.

    outcome: str
    """`passed`, `failed`, `skipped`, `error`, `xfailed` or `xpassed`; empty: it did not end."""
    seconds: float = 0.0
    at: float = 0.0
    """When it ended, seconds since the epoch."""
    path: str | None = None
    """The file it is written in, as the run named it, with its first line."""
    line: int | None = None
    outdated: str = ""
    """Why it has to run again although nothing changed since: an edit reached it, and it was left
    out of the run that followed. Empty where its detail is that of the recorded sources."""

    @property
    def failed(self) -> bool:
        """Whether it did not end well."""
        return self.outcome in ("failed", "error", "")


@dataclass(frozen=True, slots=True)
class Detail:
    """What the tests of one root ran, and what is known of them."""

    has_arcs: bool
    files: Mapping[str, FileDetail]
    """By measured path; files of which nothing ran are among them where they were measured."""
    tests: Mapping[str, TestRecord] = field(default_factory=dict)

    def tests_in(self, paths: Iterable[str]) -> set[str]:
        """The tests that ran anything in these files."""
        found: set[str] = set()
        for path in paths:
            if (file := self.files.get(path)) is not None:
                found.update(test for test, _ in file.ran)
        return found - {""}


def places(bits: int) -> Iterator[int]:
    """The numbers of the bits that are set, ascending."""
    data = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
    for index, byte in enumerate(data):
        if byte:
            first = index * 8
            for bit in range(8):
                if byte >> bit & 1:
                    yield first + bit


def bits_of(numbers: Iterable[int]) -> int:
    """The integer in which the bits of these numbers are set."""
    found = bytearray()
    for number in numbers:
        index = number >> 3
        if index >= len(found):
            found.extend(bytes(index + 1 - len(found)))
        found[index] |= 1 << (number & 7)
    return int.from_bytes(found, "little")


def some_tests_by_line(file: FileDetail) -> dict[int, tuple[str, ...]]:
    """One test or a few of each line of a file that any test ran."""
    found: dict[int, tuple[str, ...]] = {}
    seen = 0
    for (test, _), bits in sorted(file.ran.items()):
        new = bits & ~seen if test else 0
        if new:
            seen |= new
            for line in file.lines(new):
                tests = found.get(line, ())
                if test not in tests:
                    found[line] = (*tests, test)
    return found


def detail_of_arcs(ran: Mapping[Ran, Collection[Arc]]) -> FileDetail:
    """A file's detail from the arcs that each ran."""
    number: dict[Arc, int] = {}
    bits = {
        who: bits_of([number.setdefault(arc, len(number)) for arc in arcs])
        for who, arcs in ran.items()
    }
    return FileDetail(tuple(number), bits)


def detail_of_lines(ran: Mapping[Ran, Collection[int]]) -> FileDetail:
    """A file's detail from the lines that each ran."""
    return FileDetail(None, {who: bits_of(lines) for who, lines in ran.items()})
