"""What no test reaches, block by block, and how much covering each block could bring."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from covls.core.coverage import FileCoverage
from covls.core.drift import LineMap
from covls.core.lines import LineRange
from covls.core.lost import NOTHING_LOST
from covls.core.marks import missed_branches, moved_lines


@dataclass(frozen=True, slots=True)
class Gap:
    """Lines of a file that no test runs, or a line from which tests do not take every way."""

    file: str
    first: int
    last: int
    statements: int
    """Statements in it that did not run."""
    branches: int
    """Branches from it that were not taken."""
    words: str = ""
    """Of a line that ran: which ways from it were not taken."""

    @property
    def count(self) -> int:
        """The statements and branches that covering it brings at most."""
        return self.statements + self.branches

    @property
    def place(self) -> str:
        """File and lines, as people write them: `shop.py:3-7`."""
        lines = f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.file}:{lines}"


def gaps(
    file: str,
    coverage: FileCoverage,
    line_map: LineMap | None = None,
    lines: Collection[int] | None = None,
) -> tuple[Gap, ...]:
    """The gaps of one file, by line.

    `line_map` leads to the lines to tell of (None: those that were measured); `lines` are the first
    lines of the measured statements to keep to (None: all).
    """
    return tuple(_gaps(file, coverage, line_map, lines))


def _gaps(
    file: str,
    coverage: FileCoverage,
    line_map: LineMap | None,
    lines: Collection[int] | None,
) -> Iterator[Gap]:
    missing, partial = coverage.missing, coverage.partial
    if not missing and not partial:
        return
    block: Gap | None = None
    for line in sorted(coverage.statements):
        wanted = lines is None or line in lines
        if not wanted or line not in missing:
            if block is not None:
                yield block
                block = None
            if wanted and line in partial and (now := _now(coverage, line_map, line)):
                words, count = _missed(coverage, line_map, line)
                if count:
                    yield Gap(file, now[0], now[1], 0, count, words)
            continue
        now = _now(coverage, line_map, line)
        if now is None:
            continue
        more = len(coverage.missing_branches.get(line, ()))
        if block is not None and now[0] >= block.first:
            last = max(block.last, now[1])
            block = Gap(file, block.first, last, block.statements + 1, block.branches + more)
            continue
        if block is not None:
            yield block
        block = Gap(file, now[0], now[1], 1, more)
    if block is not None:
        yield block


def _now(coverage: FileCoverage, line_map: LineMap | None, line: int) -> LineRange | None:
    last = coverage.analysis.last_line(line)
    return (line, last) if line_map is None else moved_lines(line_map, line, last)


def _missed(coverage: FileCoverage, line_map: LineMap | None, line: int) -> tuple[str, int]:
    """The ways that were not taken from a line, in words, and how many they are."""
    if line_map is None:
        all_words = coverage.analysis.words
        ends = coverage.missing_branches[line]
        return "; ".join(filter(None, (all_words.get((line, end), "") for end in ends))), len(ends)
    found = missed_branches(coverage, line_map, line, NOTHING_LOST) or ()
    return "; ".join(filter(None, (branch.words for branch in found))), len(found)
