"""The whole report: covls and coverage.py's own commands in turns, on the same data."""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.cases import Case, environment_of
from benchmarks.measure import Cost, Spread, run

PEERS: Mapping[str, tuple[str, ...]] = {
    "coverage report": ("report",),
    "coverage json": ("json", "-q", "-o", "{output}"),
    "coverage xml": ("xml", "-q", "-o", "{output}"),
    "coverage lcov": ("lcov", "-q", "-o", "{output}"),
    "coverage json --include=one file": ("json", "-q", "-o", "{output}", "--include={one_file}"),
}

OURS: Mapping[str, tuple[str, ...]] = {
    "covls report": ("report",),
    "covls report --format json": ("report", "--format", "json"),
    "covls report --format json, one file": ("report", "--format", "json", "{one_file}"),
}


@dataclass(frozen=True, slots=True)
class Costs:
    """The runs of one command so far."""

    runs: list[Cost] = field(default_factory=list)

    @property
    def seconds(self) -> Spread:
        return Spread(tuple(cost.seconds for cost in self.runs))

    @property
    def peak_bytes(self) -> int:
        return max(cost.peak_bytes for cost in self.runs)


class Reports:
    """Runs the commands of both on one case, each from a process of its own."""

    def __init__(self, case: Case, one_file: str, python: Path, scratch: Path) -> None:
        self.case = case
        self.one_file = one_file
        self.python = python
        self.scratch = scratch
        self.cache = scratch / "cache"
        self.costs: dict[str, Costs] = {}

    def peer(self, name: str) -> None:
        """One run of a command of coverage.py's."""
        self._run(name, "coverage", PEERS[name])

    def ours_cold(self, name: str) -> None:
        """One run of a command of covls's with nothing cached."""
        shutil.rmtree(self.cache, ignore_errors=True)
        self._run(f"{name} (nothing cached)", "covls", OURS[name])

    def ours_warm(self, name: str) -> None:
        """One run of a command of covls's with all that earlier runs cached."""
        self._run(f"{name} (cached)", "covls", OURS[name])

    def check_equal(self) -> int:
        """How many files' figures were compared. Raises AssertionError where they differ.

        What is faster must first be the same. Compares the JSON reports that were last written.
        """
        theirs = json.loads(self._output("coverage json", ".report").read_text())
        ours = json.loads(self._output("covls report --format json (cached)", ".out").read_text())
        assert ours["totals"] == theirs["totals"], (ours["totals"], theirs["totals"])
        assert list(ours["files"]) == list(theirs["files"])
        for name, file in theirs["files"].items():
            for key, value in file.items():
                assert ours["files"][name][key] == value, f"{name}: {key}"
        return len(theirs["files"])

    def _run(self, name: str, module: str, arguments: Sequence[str]) -> None:
        report = self._output(name, ".report")
        filled = [each.format(output=report, one_file=self.one_file) for each in arguments]
        cost = run(
            [str(self.python), "-m", module, *filled],
            folder=self.case.folder,
            environment=environment_of(self.cache),
            output=self._output(name, ".out"),
        )
        self.costs.setdefault(name, Costs()).runs.append(cost)
        spent = f"{cost.seconds:.2f} s, {cost.peak_bytes / 1e6:.0f} MB"
        print(f"{name}: {spent}", file=sys.stderr, flush=True)

    def _output(self, name: str, suffix: str) -> Path:
        return self.scratch / ("".join(c if c.isalnum() else "-" for c in name) + suffix)
