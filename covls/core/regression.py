"""Two measurements of the same project: what between them came of code, of tests, and of chance.

Each statement of the later text is either one of the earlier text whose code is the same, wherever
it stands now, or it came with a change of the code. What is known of the first kind before and now
differs by what tests reach alone. So a loss of coverage can be told from a change of the code, and
a *fair* drop leaves out what is no loss: code that was deleted, and lines that are flaky.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from covls.core.coverage import NOTHING, Totals
from covls.core.detail import bits_of, places
from covls.core.drift import LineMap, drift
from covls.core.history import RecordedFile, Run, counts, total
from covls.core.statements import Text


class Kind(StrEnum):
    """What became of a file."""

    SAME = "same"
    CHANGED = "changed"
    NEW = "new"
    DELETED = "deleted"
    UNKNOWN = "unknown"  #: Its text is another, and one of the two is not known.


@dataclass(frozen=True, slots=True)
class FileChange:
    """What differs of one file. Lines are ascending, those of `deleted…` in the text before."""

    name: str
    """Its path; of a deleted file what it was."""
    name_before: str
    """The same before, which is another where it was renamed; empty where it is new."""
    kind: Kind
    before: Totals
    now: Totals
    new_covered: tuple[int, ...] = ()
    """Statements that are new or changed, and that tests reach."""
    new_missed: tuple[int, ...] = ()
    """The others that are new or changed."""
    newly_covered: tuple[tuple[int, int], ...] = ()
    """Unchanged statements that tests reach now and did not before: lines before and now."""
    newly_missed: tuple[tuple[int, int], ...] = ()
    """The same, the other way round."""
    branches_covered: tuple[tuple[int, int], ...] = ()
    """Unchanged statements of which tests take more branches than before, and ran before, too."""
    branches_missed: tuple[tuple[int, int], ...] = ()
    """Those of which they take fewer, and that still run."""
    deleted_covered: tuple[int, ...] = ()
    """Statements that are gone, or that are excluded by now, and that tests reached."""
    deleted_missed: tuple[int, ...] = ()
    """The others that are gone."""
    flaky: tuple[tuple[int, int], ...] = ()
    """Unchanged statements that are flaky, whether or not they differ this time; they are in none
    of the above."""
    flaky_changed: tuple[tuple[int, int], ...] = ()
    """Those of them that differ this time."""
    deleted: Totals = NOTHING
    """The counts of what is gone, as they were."""
    flaky_before: Totals = NOTHING
    flaky_now: Totals = NOTHING
    kept_before: Totals = NOTHING
    """The counts of unchanged statements that are not flaky, as they were."""
    kept_now: Totals = NOTHING
    """The same, as they are."""

    @property
    def renamed(self) -> bool:
        """Whether it had another path."""
        return bool(self.name_before) and self.name_before != self.name

    @property
    def differs(self) -> bool:
        """Whether there is anything to tell."""
        told = (
            *(self.new_covered, self.new_missed, self.newly_covered, self.newly_missed),
            *(self.branches_covered, self.branches_missed),
            *(self.deleted_covered, self.deleted_missed, self.flaky_changed),
        )
        return self.renamed or self.before != self.now or any(told)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs, file by file and in all."""

    files: tuple[FileChange, ...]
    """All files of both, by name."""
    before: Totals
    now: Totals

    @property
    def drop(self) -> "Drop":
        """What came of what, in all."""
        return Drop(
            self.before,
            self.now,
            deleted=sum((file.deleted for file in self.files), NOTHING),
            flaky_before=sum((file.flaky_before for file in self.files), NOTHING),
            flaky_now=sum((file.flaky_now for file in self.files), NOTHING),
            kept_before=sum((file.kept_before for file in self.files), NOTHING),
            kept_now=sum((file.kept_now for file in self.files), NOTHING),
        )


@dataclass(frozen=True, slots=True)
class RunComparison:
    """What differs between two recorded runs."""

    before: Run
    now: Run
    found: Comparison
    notes: tuple[str, ...] = ()
    """What is not known, or not counted, as sentences."""


@dataclass(frozen=True, slots=True)
class Drop:
    """From the total of one run to that of another, step by step, in exact fractions of a hundred.

    The steps add up to what one sees: `deleted + tests + code + flaky == -naive`. Each is told of
    what those before it leave: deleted code goes first, then flaky lines; then what tests reach of
    unchanged code becomes what it is now, and the changed code takes the place of what it was.
    """

    before: Totals
    now: Totals
    deleted: Totals = NOTHING
    flaky_before: Totals = NOTHING
    flaky_now: Totals = NOTHING
    kept_before: Totals = NOTHING
    kept_now: Totals = NOTHING

    @property
    def fair_before(self) -> Totals:
        """The base without deleted code and without flaky lines."""
        return self.before - self.deleted - self.flaky_before

    @property
    def fair_now(self) -> Totals:
        """What is there now without flaky lines."""
        return self.now - self.flaky_now

    @property
    def naive(self) -> Fraction:
        """Points that the total fell by; below 0 where it rose."""
        return share(self.before) - share(self.now)

    @property
    def fair(self) -> Fraction:
        """Points that the total fell by, deleted code and flaky lines left out of both."""
        return share(self.fair_before) - share(self.fair_now)

    @property
    def by_deleted(self) -> Fraction:
        """Points that came of deleted code; below 0 where the total fell by it."""
        return share(self.before - self.deleted) - share(self.before)

    @property
    def by_tests(self) -> Fraction:
        """Points that came of what tests reach of unchanged code."""
        return share(self._tested_anew) - share(self.fair_before)

    @property
    def by_code(self) -> Fraction:
        """Points that came of new and changed code."""
        return share(self.fair_now) - share(self._tested_anew)

    @property
    def by_chance(self) -> Fraction:
        """Points that came of flaky lines."""
        without = share(self.fair_before) - share(self.before - self.deleted)
        return without + share(self.now) - share(self.fair_now)

    @property
    def _tested_anew(self) -> Totals:
        return self.fair_before - self.kept_before + self.kept_now


def share(totals: Totals) -> Fraction:
    """Statements and branches that are covered, in exact hundredths of all; 100 of nothing."""
    possible = totals.n_statements + totals.n_branches
    covered = totals.n_executed + totals.n_executed_branches
    return Fraction(100 * covered, possible) if possible else Fraction(100)


Lines = Callable[[str], Sequence[str] | None]
"""The lines of a file by its path, None where they are not known."""


def compare(
    before: Mapping[str, RecordedFile],
    now: Mapping[str, RecordedFile],
    lines_before: Lines,
    lines_now: Lines,
    *,
    renamed: Mapping[str, str] | None = None,
    flaky: Mapping[str, int] | None = None,
    is_python: Callable[[str], bool] = lambda _: True,
) -> Comparison:
    """Compare two runs. Texts are asked for only of files whose sources differ.

    `renamed` are paths before by paths now, as git has them; of what it does not name, a file that
    has the very text of one that is gone was renamed. `flaky` are the flaky lines of a file as
    bits, in its text before.
    """
    sources = {name: file.source for name, file in now.items()}
    was = paths_before(before, sources, renamed or {})
    found: list[FileChange] = []
    for name, file in now.items():
        earlier = was.get(name)
        if earlier is None:
            found.append(_new(name, file))
            continue
        base = before[earlier]
        texts: tuple[Text, Text] | None = None
        if not _same_text(base, file):
            first, second = lines_before(earlier), lines_now(name)
            if first is not None and second is not None:
                python = is_python(name)
                texts = Text(first, python=python), Text(second, python=python)
        bits = (flaky or {}).get(earlier, 0)
        found.append(compare_file(name, earlier, base, file, texts, bits))
    gone = before.keys() - was.values()
    found += (_deleted(name, before[name]) for name in gone)
    return Comparison(
        tuple(sorted(found, key=lambda file: file.name)),
        total(before.values()),
        total(now.values()),
    )


def compare_file(
    name: str,
    name_before: str,
    before: RecordedFile,
    now: RecordedFile,
    texts: tuple[Text, Text] | None,
    flaky: int = 0,
) -> FileChange:
    """Compare what two runs recorded of a file.

    `texts` are that before and that now, which are not looked at where the sources are the same.
    """
    same = _same_text(before, now)
    if not same and texts is None:
        return FileChange(name, name_before, Kind.UNKNOWN, before.totals, now.totals)
    if same or texts is None:
        pairs = {line: line for line in places(before.statements & now.statements)}
        gone = before.statements & ~now.statements
    else:
        pairs, gone = _pairs(before, now, drift(*texts))
    flaky_pairs = {line: here for line, here in pairs.items() if flaky >> line & 1}
    kept = {line: here for line, here in pairs.items() if line not in flaky_pairs}
    newly = [(line, here) for line, here in kept.items() if _ran(before, line) != _ran(now, here)]
    ways_before, ways_now = _not_taken(before), _not_taken(now)
    moved = [
        (line, here, ways_now[here][1] - ways_before[line][1])
        for line, here in kept.items()
        if _ran(before, line)
        and _ran(now, here)
        and line in ways_before
        and here in ways_now
        and ways_before[line][0] == ways_now[here][0]
    ]
    fresh = now.statements & ~bits_of(pairs.values())
    return FileChange(
        name,
        name_before,
        Kind.SAME if same else Kind.CHANGED,
        before.totals,
        now.totals,
        new_covered=tuple(places(fresh & now.executed)),
        new_missed=tuple(places(fresh & ~now.executed)),
        newly_covered=_sorted(pair for pair in newly if _ran(now, pair[1])),
        newly_missed=_sorted(pair for pair in newly if not _ran(now, pair[1])),
        branches_covered=_sorted((line, here) for line, here, more in moved if more < 0),
        branches_missed=_sorted((line, here) for line, here, more in moved if more > 0),
        deleted_covered=tuple(places(gone & before.executed)),
        deleted_missed=tuple(places(gone & ~before.executed)),
        flaky=_sorted(flaky_pairs.items()),
        flaky_changed=_sorted(
            (line, here)
            for line, here in flaky_pairs.items()
            if _ran(before, line) != _ran(now, here) or ways_before.get(line) != ways_now.get(here)
        ),
        deleted=part(before, gone),
        flaky_before=part(before, bits_of(flaky_pairs)),
        flaky_now=part(now, bits_of(flaky_pairs.values())),
        kept_before=part(before, bits_of(kept)),
        kept_now=part(now, bits_of(kept.values())),
    )


def part(file: RecordedFile, lines: int) -> Totals:
    """The counts of some lines of a file, given as bits."""
    statements = file.statements & lines
    branches = [branch for branch in file.branches if statements >> branch[0] & 1]
    return counts(statements, file.executed, branches)


def statements_alone(file: RecordedFile) -> RecordedFile:
    """The same, as a run that measures no branches would have had it."""
    return replace(file, totals=file.totals.of_statements, partial=0, branches=())


def paths_before(
    before: Mapping[str, RecordedFile], now: Mapping[str, str], renamed: Mapping[str, str]
) -> dict[str, str]:
    """The path before of each file that was there, by its path now.

    `now` are the names of the texts, as records have them, by path.
    """
    found = {
        name: earlier
        for name, earlier in renamed.items()
        if name in now and name not in before and earlier in before and earlier not in now
    }
    found.update((name, name) for name in now if name in before)
    left: dict[str, list[str]] = {}
    for name in sorted(before.keys() - found.values()):
        # Of the empty files of packages nobody can tell which is which.
        if before[name].source and before[name].statements:
            left.setdefault(before[name].source, []).append(name)
    for name in sorted(now.keys() - found.keys()):
        candidates = left.get(now[name], [])
        if len(candidates) == 1:
            found[name] = candidates.pop()
    return found


def _same_text(before: RecordedFile, now: RecordedFile) -> bool:
    return bool(before.source) and before.source == now.source


def _pairs(
    before: RecordedFile, now: RecordedFile, line_map: LineMap
) -> tuple[dict[int, int], int]:
    """The lines of unchanged statements, before and now, and as bits those that are gone."""
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    gone: list[int] = []
    index_of = line_map.before.index
    became = {was: line_map.after_starts[index] for index, was in line_map.took_place if was >= 0}
    for line in places(before.statements):
        here = line_map.now(line)
        if here and here not in taken and now.statements >> here & 1:
            pairs[line] = here
            taken.add(here)
            continue
        index = index_of.get(line, -1)
        # What became another statement, or shares a line with one by now, is not gone; what is
        # excluded by now is.
        laid_out = index in line_map.group_of or here in taken
        edited = now.statements >> became.get(index, 0) & 1
        if not laid_out and (here or not edited):
            gone.append(line)
    return pairs, bits_of(gone)


def _not_taken(file: RecordedFile) -> dict[int, tuple[int, int]]:
    """By line how many branches there are, and how many of them are not taken."""
    return {line: (ways, len(ends)) for line, ways, ends in file.branches}


def _new(name: str, file: RecordedFile) -> FileChange:
    return FileChange(
        name,
        "",
        Kind.NEW,
        NOTHING,
        file.totals,
        new_covered=tuple(places(file.statements & file.executed)),
        new_missed=tuple(places(file.missing)),
    )


def _deleted(name: str, file: RecordedFile) -> FileChange:
    return FileChange(
        name,
        name,
        Kind.DELETED,
        file.totals,
        NOTHING,
        deleted_covered=tuple(places(file.statements & file.executed)),
        deleted_missed=tuple(places(file.missing)),
        deleted=file.totals,
    )


def _ran(file: RecordedFile, line: int) -> bool:
    return bool(file.executed >> line & 1)


def _sorted(pairs: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    return tuple(sorted(pairs, key=lambda pair: pair[1]))
