"""Measures covls beside coverage.py's reports and writes RESULTS.md: `make bench`.

The first run records sympy's tests, which takes some 20 minutes; what that makes is kept in a
cache. Measure on a machine that does nothing else.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks import cases, results
from benchmarks.cases import Case
from benchmarks.editor import (
    EDITS,
    EDITS_PER_PLACE,
    LARGEST,
    MEDIAN,
    OTHERS,
    Editor,
)
from benchmarks.measure import Spread
from benchmarks.reports import OURS, PEERS, Reports
from benchmarks.results import Row, at_most, megabytes
from covls.adapters.watcher import QUIET

RESULTS = Path(__file__).with_name("RESULTS.md")
NOTES = Path(__file__).with_name("NOTES.md")

STARTS = 7
"""How often what a started server does first is measured."""

CHANGES = 7
"""How often the data is changed under a server."""


def main() -> None:
    """Read the command line, measure, and write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--python", default=sys.executable, help="the interpreter to measure with")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each report (default: 3)")
    parser.add_argument(
        "--only", choices=["editor", "reports"], help="one half; nothing is written"
    )
    options = parser.parse_args()
    python = cases.environment(options.python)
    large, small = cases.sympy(python), cases.click(python)
    parts = [preface(large, small, python)]
    with tempfile.TemporaryDirectory(prefix="covls-benchmarks-") as folder:
        scratch = Path(folder)
        rows: list[Row] = []
        if options.only != "reports":
            with untouched(large):
                rows += measure_editor(Editor(large, python, scratch))
        if options.only != "editor":
            measured = measure_reports(Reports(large, LARGEST, python, scratch), options.rounds)
            rows += report_rows(measured)
            startup = measure_reports(
                Reports(small, "src/click/core.py", python, scratch), options.rounds * 3
            )
            parts += ["## Reports, side by side\n", side_by_side(measured)]
            parts += [f"The same on a small project, {small.recorded.files} files:\n"]
            parts += [side_by_side(startup)]
    parts.insert(1, results.figures(rows))
    page = "\n".join([*parts, "## Notes\n", NOTES.read_text(encoding="utf-8")])
    print(page)
    if options.only is None:
        RESULTS.write_text(page, encoding="utf-8")


def preface(large: Case, small: Case, python: Path) -> str:
    """What was measured, where, and how."""
    versions = json.loads(
        cases.ask(
            python,
            "import json, platform, coverage, covls; print(json.dumps("
            "[platform.python_version(), coverage.__version__, covls.__version__]))",
        )
    )
    return (
        "# Results\n\n"
        "Written by `make bench`; do not edit by hand. covls and coverage.py's own commands were "
        "run in turns in one session, each in a process of its own. Times are wall-clock medians; "
        "memory is the peak of all processes of a command together, sampled 20 times a second.\n\n"
        + results.machine([large.recorded, small.recorded], *versions)
    )


@contextmanager
def untouched(case: Case) -> Iterator[None]:
    """Put a case's data file back afterwards."""
    kept = case.folder / "kept-data"
    shutil.copy2(case.data_file, kept)
    try:
        yield
    finally:
        kept.replace(case.data_file)


def measure_editor(editor: Editor) -> list[Row]:
    """The rows of a server at work."""
    rows: list[Row] = []

    def hold(what: str, limit: float, spread: Spread, *, p95: bool = False) -> None:
        unit = "ms" if limit < 0.1 else "s"
        value = spread.p95 if p95 else spread.median
        rows.append(at_most(what, value, limit, spread=spread, unit=unit))
        print(f"{what}: {results.shown(value, unit)}", file=sys.stderr, flush=True)

    hold("process start → `initialize` answered", 0.6, times(STARTS, editor.initialize))
    for name, length in ((LARGEST, "largest file"), (MEDIAN, "median file")):
        hold(
            f"{length} open when the server starts → its diagnostics, nothing cached",
            0.6,
            times(STARTS, partial(editor.open_first, name, cached=False)),
        )
        hold(
            f"{length} open when the server starts → its diagnostics, analysis cached",
            0.6,
            times(STARTS, partial(editor.open_first, name, cached=True)),
        )
    with editor.start() as client:
        client.initialize()
        for name in (LARGEST, MEDIAN, *OTHERS):
            editor.open(client, name)
        for name, length in ((LARGEST, "largest file"), (MEDIAN, "median file")):
            hold(
                f"{length} opened later, in a server at rest → its diagnostics, analysis cached",
                0.05,
                times(STARTS, partial(editor.open_later, client, name)),
            )
        hold(
            f"data quiet for {QUIET} s → diagnostics of an open file ({2 + len(OTHERS)} open)",
            0.5,
            times(CHANGES, lambda: editor.data_changed(client, MEDIAN) - QUIET),
        )
        editor.rest(client)
        hold(
            "hover with tests, largest file, 95th percentile",
            0.03,
            editor.hovers(client, LARGEST),
            p95=True,
        )
        hold(
            f"edit → marks moved, {LARGEST}, over the protocol, 95th percentile",
            0.01,
            editor.edits(client, LARGEST),
            p95=True,
        )
    hold("… inside `Project.view`, 95th percentile", 0.01, view_timing(editor), p95=True)
    memory = editor.memory()
    rows.append(
        Row(
            "the server's memory, ten files open, nothing cached before",
            megabytes(150_000_000),
            f"{megabytes(memory.server)}; with its workers {megabytes(memory.together)}, "
            f"at its peak {megabytes(memory.peak)}",
            memory.server <= 150_000_000,
        )
    )
    return rows


def times(n: int, measured: Callable[[], float]) -> Spread:
    """Measure something as often as asked."""
    return Spread(tuple(measured() for _ in range(n)))


def view_timing(editor: Editor) -> Spread:
    """Edits inside a process, without the protocol."""
    command = [str(editor.python), "-m", "benchmarks.view_timing", str(editor.case.folder), LARGEST]
    printed = subprocess.run(
        [*command, str(EDITS), str(EDITS_PER_PLACE)],
        cwd=cases.REPOSITORY,
        env=cases.environment_of(editor.cache),
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    return Spread(tuple(json.loads(printed)))


def measure_reports(measured: Reports, rounds: int) -> Reports:
    """Run all commands of both in turns, and compare what they say."""
    for turn in range(rounds):
        print(f"reports, round {turn + 1} of {rounds}", file=sys.stderr, flush=True)
        for ours in OURS:
            measured.ours_cold(ours)
            measured.ours_warm(ours)
        for peer in PEERS:
            measured.peer(peer)
    measured.check_equal()
    return measured


def report_rows(measured: Reports) -> list[Row]:
    """The rows of the whole report."""
    base = measured.costs["coverage report"].seconds.median
    rows = []
    for cached, limit in (("nothing cached", 4), ("cached", 30)):
        costs = measured.costs[f"covls report ({cached})"]
        ratio = base / costs.seconds.median
        rows.append(
            Row(
                f"whole report, {cached}",
                f"{limit} times faster than `coverage report`",
                f"{ratio:.1f} times: {results.shown(costs.seconds.median)} "
                f"against {results.shown(base)}",
                ratio >= limit,
            )
        )
    peak = max(costs.peak_bytes for name, costs in measured.costs.items() if "covls" in name)
    rows.append(
        Row("the report's peak memory", megabytes(200_000_000), megabytes(peak), peak <= 2e8)
    )
    return rows


def side_by_side(measured: Reports) -> str:
    """Every command that was run: its time, its memory, and how it compares."""
    base = measured.costs["coverage report"].seconds.median
    rows = [
        [
            f"`{name.partition(' (')[0]}`{name[len(name.partition(' (')[0]) :]}",
            results.shown(costs.seconds.median),
            f"{results.shown(costs.seconds.best)} to {results.shown(costs.seconds.worst)}",
            f"{base / costs.seconds.median:.2f}",
            megabytes(costs.peak_bytes),
        ]
        for name, costs in measured.costs.items()
    ]
    heads = ["command", "median", "range", "times as fast as `coverage report`", "peak memory"]
    return results.table(heads, rows)


if __name__ == "__main__":
    main()
