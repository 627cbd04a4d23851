"""Which of several versions of a text was measured, and what of it can be relied on."""

from collections.abc import Sequence
from dataclasses import dataclass

from covls.core.analysis import Analysis
from covls.core.coverage import Measured


@dataclass(frozen=True, slots=True)
class Version:
    """A text that may have been measured: all that ran could have run in it."""

    lines: Sequence[str]
    at: float
    """When the file got this text, at the latest; seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The version to go by, and the lines of it (from 1) that others contradict."""

    index: int
    doubtful: frozenset[int]


def lines_can_run(analysis: Analysis, measured: Measured) -> bool:
    """Whether every line that ran is one that can run in this text.

    pytest rewrites assertions, and where one spans lines its first line runs, which in the code as
    it is written only the lines after it do. Which lines of a statement on several run, such as
    those of a function's annotations, is another matter in each version of Python: one that can
    run stands for all.
    """
    possible = analysis.executable | analysis.statements
    return all(analysis.first_line(line) in possible for line in measured.lines - possible)


def can_have_run(analysis: Analysis, measured: Measured) -> bool:
    """Whether every line and every branch that ran can run in this text.

    Stricter than `lines_can_run`, for texts that nothing but this speaks for. Only jumps from
    branch lines to lines are looked at: how a function is left is recorded in too many ways.
    """
    if not lines_can_run(analysis, measured):
        return False
    fixers = analysis.jump_fixers
    for recorded in measured.arcs or ():
        arc = fixers.get(recorded, recorded)
        if arc is None or arc[0] < 0 or arc[1] < 0:
            continue
        arc = analysis.first_line(arc[0]), analysis.first_line(arc[1])
        arc = fixers.get(arc, arc)
        if arc is None or arc[0] == arc[1]:
            continue
        destinations = analysis.branches.get(arc[0])
        if destinations is not None and arc[1] not in destinations:
            return False
    return True


def choose(versions: Sequence[Version], written_at: float) -> Choice | None:
    """The version that was measured by data written at a time, as far as that can be told.

    All versions are plausible, so only time tells them apart. What the file got last before the
    data was written is gone by: an earlier text had been replaced by then. A later version cannot
    be ruled out, though, since what is committed or stashed after a run may well have stood in
    the file during it. Without a version before the data the earliest after it is gone by.

    Where versions that cannot be ruled out have another text in a line than the chosen one, that
    line is doubtful: data speaks of lines by their numbers, and whichever version was measured,
    only what all have in the same place is surely what ran. This costs next to nothing where the
    file went on from the chosen version to the later ones, as there those lines have changed.

    None where there is no version.
    """
    if not versions:
        return None
    before = [index for index, version in enumerate(versions) if version.at <= written_at]
    if before:
        chosen = max(before, key=lambda index: versions[index].at)
    else:
        chosen = min(range(len(versions)), key=lambda index: versions[index].at)
    lines = versions[chosen].lines
    doubtful: set[int] = set()
    for version in versions:
        if version.at <= written_at or version.lines == lines:
            continue
        others = version.lines
        doubtful.update(
            number
            for number, line in enumerate(lines, 1)
            if number > len(others) or others[number - 1] != line
        )
    return Choice(chosen, frozenset(doubtful))
