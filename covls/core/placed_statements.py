"""The measured statements that still stand in the current text, one by one."""

from collections.abc import Collection
from dataclasses import dataclass

from covls.core.coverage import FileCoverage, State
from covls.core.drift import LineMap
from covls.core.marks import moved_lines


@dataclass(frozen=True, slots=True)
class PlacedStatement:
    """A statement that coverage.py counts, by its first and last line in the current text.

    `branches` are the ways on from it that are counted, and `missed` those that no test took.
    """

    start: int
    end: int
    ran: bool
    branches: int = 0
    missed: int = 0


def placed_statements(
    coverage: FileCoverage, line_map: LineMap, only: Collection[int] | None = None
) -> tuple[PlacedStatement, ...]:
    """The statements whose code is still there, by line; those that were edited are left out.

    With `only`, some lines of the measured text, a statement ran if any of its lines is among
    them; which branches those lines took is not known, and none are told.
    """
    found = []
    for first, last, state in coverage.states:
        if state is State.EXCLUDED or line_map.before.index.get(first) in line_map.group_of:
            continue
        place = moved_lines(line_map, first, last)
        if place is None:
            continue
        if only is None:
            branches, missed = coverage.exits.get(first, 0), coverage.missing_branches.get(first)
            ran = state is not State.MISSING
            found.append(PlacedStatement(*place, ran, branches, len(missed or ())))
        else:
            ran = any(line in only for line in range(first, last + 1))
            found.append(PlacedStatement(*place, ran))
    return tuple(sorted(found, key=lambda each: each.start))
