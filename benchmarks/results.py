"""The measurements as a page of Markdown: figures to hold beside figures measured."""

import os
import platform
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cases import Recorded
from benchmarks.measure import Spread


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table of figures."""

    what: str
    target: str
    measured: str
    held: bool | None
    """Whether the figure is held; None where none is set."""


def at_most(what: str, seconds: float, limit: float, *, spread: Spread, unit: str = "s") -> Row:
    """A row for a time that must not be longer than a limit, both in seconds."""
    return Row(
        what,
        f"{shown(limit, unit)}",
        f"{shown(seconds, unit)} ({shown(spread.best, unit)} to {shown(spread.worst, unit)}, "
        f"{len(spread.samples)}×)",
        seconds <= limit,
    )


def shown(seconds: float, unit: str = "s") -> str:
    """Seconds as people read them, in seconds or milliseconds."""
    if unit == "ms":
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds:.2f} s"


def megabytes(size: int) -> str:
    """Bytes as megabytes of a million."""
    return f"{size / 1e6:.0f} MB"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def figures(rows: Iterable[Row]) -> str:
    """The table of figures to hold."""
    marks = {True: "yes", False: "**no**", None: ""}
    heads = ["what", "to hold", "measured (median, range, runs)", "held"]
    return table(heads, ([row.what, row.target, row.measured, marks[row.held]] for row in rows))


def machine(recorded: Sequence[Recorded], python: str, coverage: str, covls: str) -> str:
    """Where and with what it was measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    lines = [
        (
            f"Machine: {os.cpu_count()} × {_processor()}, {memory / 2**30:.0f} GiB, "
            f"{platform.system()} {platform.release()}."
        ),
        f"Python {python}, coverage.py {coverage}, covls {covls}, SQLite {sqlite3.sqlite_version}.",
        *(f"{case}." for case in recorded),
    ]
    return "\n".join(f"- {line}" for line in lines) + "\n"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
