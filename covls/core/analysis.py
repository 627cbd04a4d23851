"""What could run in one source text: its statements, exclusions, branches and regions."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from typing import Any, Final, cast, overload

from covls.core.lines import Arc

_STATEMENT: Final = 1
_EXECUTABLE: Final = 2
_EXCLUDED: Final = 4
_NO_BRANCH: Final = 8


def _selector(bit: int) -> bytes:
    """The table for `bytes.translate` that turns a line's character into whether it has `bit`."""
    return bytes(1 if 64 <= code < 80 and code & bit else 0 for code in range(256))


_IS_STATEMENT: Final = _selector(_STATEMENT)
_IS_EXECUTABLE: Final = _selector(_EXECUTABLE)
_IS_EXCLUDED: Final = _selector(_EXCLUDED)
_IS_NO_BRANCH: Final = _selector(_NO_BRANCH)


@dataclass(frozen=True, slots=True)
class Region:
    """A function or class, as coverage.py's `CodeRegion` has it.

    `start` is the line of its `def` or `class`, not of a decorator. `ranges` are its lines, both
    ends included; the lines of functions within a function, and of classes within a class, are
    not among them. A class consists of its methods' lines.
    """

    kind: str
    name: str
    start: int
    ranges: tuple[tuple[int, int], ...]

    def lines(self) -> set[int]:
        """All lines of the region, blank ones and comments included."""
        return {line for start, end in self.ranges for line in range(start, end + 1)}


@dataclass(frozen=True, slots=True)
class NotAnalysed:
    """Why a source text could not be analysed: one clear sentence that names the file."""

    reason: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Analysis:
    """What could run in one source text.

    Line numbers count from 1, and stand for the first line of a multi-line statement.

    - `statements`, `excluded`, `no_branch`: what coverage.py's `FileReporter` answers to `lines()`,
      `excluded_lines()` and `no_branch_lines()`.
    - `branches`: each line with more than one exit, and every destination that is possible from
      it, ascending. A negative destination leaves the function, class or module that begins at
      that line. Destinations in `excluded` are possible, but coverage.py does not count them as
      exits: the number of a line's branches is that of its destinations outside `excluded`.
    - `first_lines`: a line of a multi-line statement → the statement's first line, wherever the
      two differ. `last_lines`: the first line of a multi-line statement → its last.
    - `jump_fixers`: coverage.py's `PythonParser._with_jump_fixers`, of arcs from branch lines:
      a jump out of a `with` block as it is recorded → as it is to be counted, None if not at all.
      coverage.py applies them twice to recorded arcs: to the arcs as recorded, then to the arcs
      between first lines.
    - `words`: for each possible arc from a branch line, what to say where it never ran.
    - `executable`: every line that can be recorded as run, docstrings, excluded lines and the
      later lines of multi-line statements included.
    - `line_count`: the number of lines by `str.splitlines`, as coverage.py's JSON report counts.
    """

    statements: frozenset[int]
    excluded: frozenset[int]
    no_branch: frozenset[int]
    branches: Mapping[int, tuple[int, ...]]
    first_lines: Mapping[int, int]
    last_lines: Mapping[int, int]
    jump_fixers: Mapping[Arc, Arc | None]
    words: Mapping[Arc, str]
    regions: Sequence[Region]
    executable: frozenset[int]
    line_count: int

    def first_line(self, line: int) -> int:
        """The first line of the statement that `line` belongs to; of an exit, the exit's."""
        if line < 0:
            return -self.first_lines.get(-line, -line)
        return self.first_lines.get(line, line)

    def last_line(self, first: int) -> int:
        """The last line of the statement that begins on line `first`."""
        return self.last_lines.get(first, first)


class _Later:
    """The parts of an analysis that most readers never ask for, decoded once somebody does."""

    def __init__(self, text: str, branches: Mapping[int, tuple[int, ...]]) -> None:
        self._text = text
        self._branches = branches

    @cached_property
    def _parts(self) -> tuple[list[str], list[int], str, list[int]]:
        return cast(tuple[list[str], list[int], str, list[int]], tuple(json.loads(self._text)))

    @cached_property
    def words(self) -> dict[Arc, str]:
        templates, chosen, _, _ = self._parts
        arcs = [(start, end) for start, ends in self._branches.items() for end in ends]
        return {
            arc: templates[index].replace("{start}", str(arc[0])).replace("{end}", str(arc[1]))
            for arc, index in zip(arcs, chosen, strict=True)
        }

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        _, _, names, numbers = self._parts
        regions = []
        rest = iter(numbers)
        for name in names.split("\n") if names else ():
            kind, name = name.split("\t", 1)
            start, count = next(rest), next(rest)
            ranges = tuple((next(rest), next(rest)) for _ in range(count))
            regions.append(Region(kind, name, start, ranges))
        return tuple(regions)


class _Words(Mapping[Arc, str]):
    def __init__(self, later: _Later) -> None:
        self._later = later

    def __getitem__(self, arc: Arc) -> str:
        return self._later.words[arc]

    def __iter__(self) -> Iterator[Arc]:
        return iter(self._later.words)

    def __len__(self) -> int:
        return len(self._later.words)


class _Regions(Sequence[Region]):
    def __init__(self, later: _Later) -> None:
        self._later = later

    @overload
    def __getitem__(self, index: int) -> Region: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Region]: ...
    def __getitem__(self, index: int | slice) -> Region | Sequence[Region]:
        return self._later.regions[index]

    def __len__(self) -> int:
        return len(self._later.regions)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _Regions):
            return self._later.regions == other._later.regions
        return self._later.regions == other

    def __hash__(self) -> int:
        return hash(self._later.regions)


def analysis_from_json(found: Mapping[str, Any]) -> Analysis:
    """The analysis that `covls/probe/analyse.py` has written as JSON.

    The shape is made to be read fast, thousands of files in one report: flat lists of integers
    and strings, next to no nesting, and the parts that few ask for in a text of their own.

    ```
    {"lines": "@@CC@…",            a character a line: 64, plus 1 for a statement, 2 for an
                                   executable line, 4 for an excluded one, 8 for one excused from
                                   branches; the first is line 0's, as which running an empty
                                   file can be recorded
     "count": 120,                 Analysis.line_count
     "spans": [3, 5, …],           first and last line of each multi-line statement
     "moved": [8, 7, …],           line, first line: of statements that are not spans (as
                                   file-tracer plugins can have them)
     "twos": [4, 5, 7, …],         line and the two destinations of a branch that has two
     "more": [9, 3, -1, 10, 12],   line, number of destinations, destinations, of any other
     "fixers": [5, 3, 5, 9, …],    from, to, and the from and to to put in their place, or 0, 0
     "later": "[…]"}               JSON: [templates of words, the index of a template for each arc
                                   of "twos", then of "more",
                                   regions' kind, a tab and name, a line each,
                                   regions' start, number of ranges, first and last line of each]
    ```

    Raises AttributeError, KeyError, RuntimeError, TypeError or ValueError where `found` has
    another shape.
    """
    lines = found["lines"].encode("ascii")
    numbers = range(len(lines))
    statements = frozenset(compress(numbers, lines.translate(_IS_STATEMENT)))

    twos = iter(found["twos"])
    branches: dict[int, tuple[int, ...]] = dict(
        zip(twos, zip(twos, twos, strict=True), strict=True)
    )
    more = iter(found["more"])
    for line in more:
        branches[line] = tuple(next(more) for _ in range(next(more)))

    spans: list[int] = found["spans"]
    last_lines = dict(zip(spans[::2], spans[1::2], strict=True))
    first_lines: dict[int, int] = {}
    for first, last in last_lines.items():
        if last == first + 1:
            first_lines[last] = first
        else:
            first_lines.update(dict.fromkeys(range(first + 1, last + 1), first))
    moved = iter(found["moved"])
    for line, first in zip(moved, moved, strict=True):
        first_lines[line] = first
        last_lines[first] = max(line, last_lines.get(first, first))

    fixers = iter(found["fixers"])
    later = _Later(found["later"], branches)
    return Analysis(
        statements=statements,
        excluded=frozenset(compress(numbers, lines.translate(_IS_EXCLUDED))),
        no_branch=frozenset(compress(numbers, lines.translate(_IS_NO_BRANCH))),
        branches=branches,
        first_lines=first_lines,
        last_lines=last_lines,
        jump_fixers={
            (start, end): (new_start, new_end) if new_start else None
            for start, end, new_start, new_end in zip(fixers, fixers, fixers, fixers, strict=True)
        },
        words=_Words(later),
        regions=_Regions(later),
        executable=frozenset(compress(numbers, lines.translate(_IS_EXECUTABLE))),
        line_count=found["count"],
    )
