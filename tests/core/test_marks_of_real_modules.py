"""Marks after edits that change nothing a program does, against measuring real modules again.

`COVLS_EDIT_SEEDS` says how many edits of each module are tried; a hundred take some minutes. What
came of them is printed (`pytest -s`).
"""

import os
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context

import pytest

from covls.core.coverage import FileCoverage, State
from covls.core.drift import drift, map_lines
from covls.core.lines import split_lines
from covls.core.marks import Freshness, Marking, marks
from covls.core.statements import Text
from tests.core.edits import CHANGING, FORMATTING, MOVING, PRESERVING, Edit, one_line, reformat
from tests.core.real_modules import DRIVERS, measure, text_of

LAID_OUT, SPLIT, JOINED = "comments and formatting", "lines split", "lines joined"
ONE_EDIT, BROKEN = "one edit", "does not run"

SEEDS = int(os.environ.get("COVLS_EDIT_SEEDS", "4"))

FAILED_ONCE = (
    ("click/types", 5),  # A blank line that an excluded block ends with.
    ("colorsys", 46),  # A copy of a function under another name.
    ("heapq", 134),  # Two functions of much the same lines that changed places.
    ("html/parser", 60),  # Functions of one line that changed places.
    ("ipaddress", 131),  # A docstring of which lines are excluded by their text.
    ("json/encoder", 168),  # A branch that led to a function of which there is a copy.
    ("netrc", 65),  # A function that was moved, and a copy of it left.
    ("textwrap", 17),  # A copy of a function that was edited.
)
"""Modules and seeds of which a line was called what it was not, or lost, before that was mended."""


@dataclass
class Outcome:
    """What came of one edit."""

    wrong: list[str] = field(default_factory=list)
    """Lines called fresh that are not what measuring again says."""
    lost: list[str] = field(default_factory=list)
    """Lines of the same code that are not fresh, after formatting alone."""
    kind: str = ""
    lines: int = 0
    left: int = 0
    """Lines not called fresh though measuring again says the same of them."""
    left_untouched: int = 0
    """Those of them on which nothing was edited but white space."""


@cache
def measured(module: str, text: str, branches: bool) -> FileCoverage | None:
    return measure(module, text, branches=branches)


def outcome(module: str, seed: int) -> Outcome:
    """Edit a module and measure it again; run in a process of its own."""
    chosen = random.Random(f"{module} {seed}")
    lines = split_lines(text_of(module))
    kind, edits = chosen.choice(KINDS)
    if kind == SPLIT:
        lines = one_line(lines, chosen)
    before = lines
    branches = chosen.random() < 0.8
    for edit in edits(chosen):
        lines = edit(lines, chosen)
    found = Outcome(kind=kind)
    coverage = measured(module, "\n".join(before), branches)
    truth = measure(module, "\n".join(lines), branches=branches)
    if coverage is None or truth is None:
        found.kind = BROKEN
        return found
    compare(found, before, coverage, lines, truth)
    return found


def compare(
    found: Outcome,
    before: Sequence[str],
    coverage: FileCoverage,
    lines: Sequence[str],
    truth: FileCoverage,
) -> None:
    line_map = drift(Text(before), Text(lines))
    said_again = {
        line: state for start, end, state in truth.states for line in range(start, end + 1)
    }
    fresh = set()
    left = {}
    for mark in marks(coverage, line_map):
        for line in range(mark.start, mark.end + 1):
            if mark.freshness is not Freshness.FRESH:
                left[line] = mark.state
                continue
            fresh.add(line)
            if said_again.get(line) is not mark.state:
                said = said_again.get(line)
                found.wrong.append(f"{line} {lines[line - 1]!r} {mark.state} is {said}")
        if mark.state is State.PARTIAL and mark.freshness is Freshness.FRESH:
            ends = {end if end > 0 else None for end in truth.missing_branches.get(mark.start, ())}
            if {branch.target for branch in mark.branches} != ends:
                found.wrong.append(f"{mark.start} {mark.branches} are {ends}")
    regrouped = {
        line
        for _, _, a, a_end in line_map.regrouped
        for line in range(line_map.after_starts[a], line_map.after_ends[a_end - 1] + 1)
    }
    found.lost = [
        f"{line} {lines[line - 1]!r} {state}"
        for line, state in said_again.items()
        # The last line of an excluded block may be a blank one, of which nothing is shown.
        if line not in fresh and line not in regrouped and lines[line - 1].strip()
    ]
    touched = {
        line
        for change in map_lines([line.strip() for line in before], [line.strip() for line in lines])
        for line in range(change.after[0], change.after[0] + change.after[1])
    }
    same = {line for line, state in left.items() if said_again.get(line) is state}
    found.lines, found.left = len(said_again), len(same)
    found.left_untouched = len(same - touched)


@pytest.mark.parametrize("module", list(DRIVERS)[::5])
def test_marks_made_one_text_after_another_are_those_made_once(module: str) -> None:
    """Whatever was kept from the texts before, also where an edit leaves no Python."""
    text = text_of(module)
    coverage = measure(module, text)
    assert coverage is not None
    before = Text(split_lines(text))
    for verified in (True, False):
        marking = Marking(coverage, verified=verified)
        for seed in range(SEEDS):
            chosen = random.Random(f"{module} {seed}")
            lines = split_lines(text)
            for _ in range(8):
                line_map = drift(before, Text(lines))
                assert marking.on(line_map) == marks(coverage, line_map, verified=verified)
                lines = chosen.choice((*CHANGING, *MOVING, *PRESERVING))(lines, chosen)


def one_of(edits: Sequence[Edit], least: int, most: int) -> Callable[[random.Random], list[Edit]]:
    return lambda chosen: chosen.choices(edits, k=chosen.randint(least, most))


KINDS = (
    (LAID_OUT, one_of(FORMATTING, 1, 3)),
    (SPLIT, one_of((reformat,), 1, 1)),
    (JOINED, one_of((one_line,), 1, 1)),
    (ONE_EDIT, one_of(PRESERVING, 1, 1)),
    ("several edits", one_of((*PRESERVING, *PRESERVING, *FORMATTING), 2, 4)),
)


@pytest.fixture(scope="module")
def outcomes() -> dict[tuple[str, int], Outcome]:
    wanted = [(module, seed) for module in DRIVERS for seed in range(SEEDS)]
    wanted += [each for each in FAILED_ONCE if each not in wanted]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        found = pool.map(outcome, *zip(*wanted, strict=True), chunksize=4)
        return dict(zip(wanted, found, strict=True))


def test_nothing_is_called_what_it_is_not(outcomes: dict[tuple[str, int], Outcome]) -> None:
    assert {where: found.wrong for where, found in outcomes.items() if found.wrong} == {}


def test_layout_and_comments_lose_nothing(outcomes: dict[tuple[str, int], Outcome]) -> None:
    lost = {
        where: found.lost
        for where, found in outcomes.items()
        if found.lost and found.kind in (LAID_OUT, SPLIT, JOINED)
    }
    assert lost == {}


def test_few_lines_are_left_open(outcomes: dict[tuple[str, int], Outcome]) -> None:
    print()
    for kind in dict.fromkeys(found.kind for found in outcomes.values()):
        some = [found for found in outcomes.values() if found.kind == kind]
        lines = max(1, sum(found.lines for found in some))
        left = sum(found.left for found in some) / lines
        untouched = sum(found.left_untouched for found in some) / lines
        print(
            f"{kind}: {len(some)} edits, {lines} lines; the same when measured again, but not "
            f"fresh: {left:.2%}, of them not edited: {untouched:.2%}"
        )
        if kind == ONE_EDIT:
            # Of few edits, one that moves all of a short module weighs a lot.
            assert left < (0.01 if SEEDS > 10 else 0.02)
    ran = sum(found.kind != BROKEN for found in outcomes.values())
    assert ran > 0.9 * len(outcomes), "edits that do not run prove nothing"
