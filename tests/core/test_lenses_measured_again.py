"""Figures of functions and classes after edits that change nothing a program does, against
measuring the edited text again: what is called fresh has the figure that coverage.py gives now.
"""

import os
import random
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from covls.core.coverage import FileCoverage, Totals, regions
from covls.core.drift import drift
from covls.core.lines import split_lines
from covls.core.marks import Freshness, marks
from covls.core.placed_regions import placed_regions
from covls.core.statements import Text
from tests.core.edits import FORMATTING, PRESERVING, Edit
from tests.core.test_marks_measured_again import ORDERS, PROGRAM, measure


def add_pass(lines: list[str], chosen: random.Random) -> list[str]:
    """A statement more, before another one, at the top or in a function."""
    starts = [start for start in Text(lines).starts if not _CLAUSES & {lines[start - 1].split()[0]}]
    place = chosen.choice(starts) - 1
    indent = lines[place][: len(lines[place]) - len(lines[place].lstrip())]
    return [*lines[:place], f"{indent}pass", *lines[place:]]


_CLAUSES = {"elif", "else:", "except", "finally:", "case", "def", "class"}


SEEDS = int(os.environ.get("COVLS_EDIT_SEEDS", "4")) * 2

EDITS: tuple[Edit, ...] = (*ORDERS, *FORMATTING, *PRESERVING, add_pass)


@cache
def measured(text: str) -> FileCoverage:
    with TemporaryDirectory() as folder:
        return measure(Path(folder), text)


def figures(coverage: FileCoverage) -> dict[tuple[str, int], Totals]:
    """The figures of functions and classes, by kind and first line."""
    return {
        (kind, start): inner.totals
        for kind in ("function", "class")
        for name, start, inner in regions(coverage, kind)
        if name
    }


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_fresh_figure_is_what_measuring_again_says(seed: int) -> None:
    chosen = random.Random(seed)
    edits = chosen.sample(EDITS, 2)
    before = lines = split_lines(PROGRAM)
    # The reordering edits go by blank lines, and so come first.
    for edit in sorted(edits, key=lambda edit: edit not in ORDERS):
        lines = edit(lines, chosen)
    coverage = measured(PROGRAM)
    line_map = drift(Text(before), Text(lines))
    placed = placed_regions(coverage, marks(coverage, line_map), line_map)
    truth = figures(measured("\n".join(lines)))
    found = {(region.kind, region.start) for region in placed}
    # Of a class that came in only the methods are told.
    assert {each for each in truth if each[0] == "function"} <= found <= truth.keys()
    fresh = [region for region in placed if region.freshness is Freshness.FRESH]
    for region in fresh:
        assert region.coverage is not None
        assert region.coverage.totals == truth[region.kind, region.start], region.name
    # What was edited is in a function, and perhaps its class, each time.
    assert len(fresh) >= len(figures(coverage)) - 5, [edit.__name__ for edit in edits]
