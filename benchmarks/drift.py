"""Following edits of a long file beside difflib on the same lines: `python -m benchmarks.drift`."""

import difflib
import random
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from covls.core.analysis import analysis_from_json
from covls.core.coverage import FileCoverage, Measured, cover
from covls.core.drift import drift
from covls.core.lines import split_lines
from covls.core.marks import marks
from covls.core.statements import Text
from covls.probe.analyse import Rules, analyse_python

MODULES = ("typing", "subprocess", "argparse")
"""Together some 8,000 lines."""


def main() -> None:
    """Measure both on each kind of edit, and print a row of each."""
    folder = Path(sysconfig.get_path("stdlib"))
    text = "\n".join((folder / f"{name}.py").read_text(encoding="utf-8") for name in MODULES)
    lines = split_lines(text)
    coverage = half_covered(text)
    before = Text(lines)
    chosen = random.Random(1)

    def typed() -> list[str]:
        place = chosen.randrange(len(lines))
        return [*lines[:place], lines[place] + "x", *lines[place + 1 :]]

    def inserted() -> list[str]:
        place = chosen.randrange(len(lines))
        return [*lines[:place], "came_in()", *lines[place:]]

    def in_three_places() -> list[str]:
        after = lines
        for part in range(3):
            place = (2 * part + 1) * len(lines) // 6 + chosen.randrange(200)
            after = [*after[:place], "came_in()", *after[place:]]
        return after

    formatted = split_lines(reformatted(text))

    def ours(after: Sequence[str]) -> object:
        return marks(coverage, drift(before, Text(after)))

    def theirs(after: Sequence[str]) -> object:
        return difflib.SequenceMatcher(None, lines, after, autojunk=False).get_opcodes()

    print(f"{len(lines)} lines; milliseconds of one processor, median and 95th percentile")
    for name, edit, rounds in (
        ("a character typed", typed, 60),
        ("a line put in", inserted, 60),
        ("lines put in far apart", in_three_places, 60),
        ("the file reformatted", lambda: formatted, 7),
    ):
        edits = [edit() for _ in range(rounds)]
        print(
            f"{name:22} covls, with marks: {spread(ours, edits)}   "
            f"difflib, lines alone: {spread(theirs, edits[:7])}"
        )


def half_covered(text: str) -> FileCoverage:
    """Coverage of a text of which a part ran, by chance."""
    analysis = analysis_from_json(analyse_python(text.encode(), "text.py", Rules([], [])))
    chosen = random.Random(1)
    ran = frozenset(line for line in sorted(analysis.statements) if chosen.random() < 0.7)
    arcs = [(line, end) for line, ends in sorted(analysis.branches.items()) for end in ends]
    taken = frozenset(arc for arc in arcs if arc[0] in ran and chosen.random() < 0.6)
    return cover(analysis, Measured(ran, taken))


def reformatted(text: str) -> str:
    """A text in another style than its own, as ruff writes it."""
    style = ["--line-length=70", "--config", "format.quote-style='single'"]
    command = [sys.executable, "-m", "ruff", "format", "--isolated", *style, "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return done.stdout


def spread(work: Callable[[Sequence[str]], object], edits: Sequence[Sequence[str]]) -> str:
    """How long something takes on each edit."""
    times = []
    for after in edits:
        start = time.thread_time()
        work(after)
        times.append((time.thread_time() - start) * 1000)
    last = statistics.quantiles(times, n=20, method="inclusive")[-1]
    return f"{statistics.median(times):7.1f} {last:7.1f}"


if __name__ == "__main__":
    main()
