"""Marks after edits that change nothing a program does, against measuring the edited text again."""

import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from coverage import CoverageData

from covls.core.analysis import analysis_from_json
from covls.core.coverage import FileCoverage, Measured, State, cover
from covls.core.drift import drift
from covls.core.lines import split_lines
from covls.core.marks import Freshness, marks
from covls.core.statements import Text
from covls.probe.analyse import Rules, analyse_python
from tests.core.edits import FORMATTING, Edit

PROGRAM = '''\
import functools


def clamp(value, low, high):
    """Keep a value between two others."""
    if value < low:
        return low
    elif value > high:
        return high
    return value


def first(items, wanted = None):
    for item in items:
        if item is wanted :
            continue
        if not item:
            break
    else:
        return None
    return item


class Account:
    limit = 10

    def __init__(self, balance):
        self.balance = balance

    @property
    def empty(self):
        return not self.balance

    def draw(self, amount):
        try:
            if amount > (self.limit):
                raise ValueError('too much')
            self.balance -= amount
        except ValueError as error:
            if self.empty:
                print("nothing left")
            return str(error)
        finally:
            self.drawn = True
        while self.balance < 0:
            self.balance += self.limit
        return None


@functools.lru_cache(maxsize=None)
def kind(value):
    match value:
        case 0:
            return 'none'
        case 1 | 2:
            return 'few'
        case _:
            return "many"


def main():
    clamp(1, 2, 3)
    clamp(2, 1, 3)
    first([None, 1], wanted=None)
    account = Account(5)
    account.draw(11)
    account.draw(
        3,
    )
    kind(1), kind(3)


main()
'''


def reorder(lines: list[str], chosen: random.Random) -> list[str]:
    """Top-level definitions in another order: `main()` runs after all of them."""
    text = "\n".join(lines)
    head, *blocks = text.split("\n\n\n")
    last = blocks.pop()
    chosen.shuffle(blocks)
    return split_lines("\n\n\n".join([head, *blocks, last]))


def double(lines: list[str], chosen: random.Random) -> list[str]:
    """A top-level definition twice, one after the other."""
    blocks = "\n".join(lines).split("\n\n\n")
    place = chosen.randrange(1, len(blocks) - 1)
    return split_lines("\n\n\n".join([*blocks[: place + 1], *blocks[place:]]))


def add_unused(lines: list[str], chosen: random.Random) -> list[str]:
    """A function that nobody calls."""
    blocks = "\n".join(lines).split("\n\n\n")
    place = chosen.randrange(1, len(blocks))
    new = "def unused(value, low):\n    if value < low:\n        return low\n    return value"
    return split_lines("\n\n\n".join([*blocks[:place], new, *blocks[place:]]))


def measure(folder: Path, text: str) -> FileCoverage:
    """What runs of a program, by coverage.py."""
    program, data_file = folder / "program.py", folder / "data"
    program.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "coverage", "run", "--branch", "--rcfile="]
    subprocess.run([*command, f"--data-file={data_file}", program], check=True, cwd=folder)
    data = CoverageData(data_file)
    data.read()
    (name,) = data.measured_files()
    arcs = frozenset(data.arcs(name) or ())
    data.close()
    ran = frozenset(line for arc in arcs for line in arc if line > 0)
    analysis = analysis_from_json(analyse_python(text.encode(), "program.py", Rules([], [])))
    return cover(analysis, Measured(ran, arcs))


ORDERS: Sequence[Edit] = (reorder, double, add_unused)


@pytest.mark.parametrize("seed", range(8))
def test_what_is_fresh_is_what_measuring_again_says(tmp_path: Path, seed: int) -> None:
    chosen = random.Random(seed)
    # The reordering edits go by blank lines, and so come first.
    edits = [chosen.choice(ORDERS) for _ in range(2)] + [chosen.choice(FORMATTING)]
    lines = before = split_lines(PROGRAM)
    for edit in edits:
        lines = edit(lines, chosen)
    line_map = drift(Text(before), Text(lines))
    found = marks(measure(tmp_path, PROGRAM), line_map)
    truth = measure(tmp_path, "\n".join(lines))
    said_again = {
        line: state for start, end, state in truth.states for line in range(start, end + 1)
    }
    fresh = [mark for mark in found if mark.freshness is Freshness.FRESH]
    for mark in fresh:
        for line in range(mark.start, mark.end + 1):
            assert said_again.get(line) is mark.state, (line, lines[line - 1])
        if mark.state is State.PARTIAL:
            targets = {end if end > 0 else None for end in truth.missing_branches[mark.start]}
            assert {branch.target for branch in mark.branches} == targets
    if not {double, add_unused} & {*edits}:
        assert not line_map.edited
    assert sum(mark.end - mark.start + 1 for mark in fresh) > 40
