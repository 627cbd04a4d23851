"""coverage.py's JSON report, written piece by piece so that no more than one file is held.

The shape is that of `coverage json`, format 3 (`coverage.jsonreport`): the same keys in the same
order with the same values. What covls adds stands under the top-level key `covls`, behind them.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from covls.core.coverage import Branches, FileCoverage, Totals, percent_text, regions

FORMAT = 3
"""The version of the format, as `meta.format` has it."""

# Stands where the contexts of the lines belong: coverage.py repeats those of the whole file in each
# of its regions, which with many tests is most of the report. No name in a file holds a NUL.
_PLACE = re.compile(r'"\\u0000(file|region)"')

KINDS = (("function", "functions"), ("class", "classes"))
"""The regions of Python files, and the keys they stand under."""


@dataclass(frozen=True)
class JsonForm:
    """What the figures of a whole report have in common."""

    branches: bool
    """Whether branches were measured."""
    contexts: bool = False
    """Whether the contexts of each line are shown."""
    precision: int = 0
    pretty: bool = False
    """Whether to indent, as `coverage json --pretty-print`."""

    def text(self, value: object, depth: int) -> str:
        """A value as JSON, to stand `depth` objects deep."""
        if not self.pretty:
            return json.dumps(value)
        # JSON has no line ends within strings, so every one of them is followed by indentation.
        return json.dumps(value, indent=4).replace("\n", "\n" + " " * 4 * depth)

    def members(self, pairs: Iterable[tuple[str, Iterable[str]]], depth: int) -> Iterator[str]:
        """An object, its values given as pieces of JSON, as pieces of JSON."""
        inner = "\n" + " " * 4 * (depth + 1) if self.pretty else ""
        comma = "," + (inner or " ")
        yield "{"
        empty = True
        for key, pieces in pairs:
            yield f"{inner if empty else comma}{json.dumps(key)}: "
            yield from pieces
            empty = False
        yield "\n" + " " * 4 * depth + "}" if self.pretty and not empty else "}"


@dataclass(frozen=True, slots=True)
class JsonFile:
    """One file of the report."""

    name: str
    coverage: FileCoverage
    contexts: Mapping[int, Sequence[str]]
    """The contexts that reached each line; empty where they are not shown."""
    kinds: Sequence[tuple[str, str]] = KINDS
    """Kinds of regions and their keys: file-tracer plugins may know of none."""


def json_report(
    form: JsonForm,
    *,
    version: str,
    timestamp: str,
    files: Iterable[JsonFile],
    added: Callable[[], Mapping[str, object]],
) -> Iterator[str]:
    """The whole report as pieces of JSON.

    `version` is coverage.py's, `timestamp` in ISO format. `files` is gone through once, and
    `added`, called after the last of them, gives what stands under `covls`.
    """
    totals = Totals()

    def file_members() -> Iterator[tuple[str, Iterable[str]]]:
        nonlocal totals
        for file in files:
            totals += file.coverage.totals
            yield file.name, _file_text(form, file)

    def report_members() -> Iterator[tuple[str, Iterable[str]]]:
        meta = {
            "format": FORMAT,
            "version": version,
            "timestamp": timestamp,
            "branch_coverage": form.branches,
            "show_contexts": form.contexts,
        }
        yield "meta", [form.text(meta, 1)]
        yield "files", form.members(file_members(), 1)
        yield "totals", [form.text(_summary(form, totals), 1)]
        yield "covls", [form.text(added(), 1)]

    return form.members(report_members(), 0)


def _file_text(form: JsonForm, file: JsonFile) -> Iterator[str]:
    """One file's object. What coverage.py repeats in it is made into text once, and put in."""
    text = form.text(_file(form, file), 2)
    if not form.contexts:
        yield text
        return
    in_file = form.text(file.contexts, 3)
    in_region = form.text(file.contexts, 5) if form.pretty else in_file
    for index, piece in enumerate(_PLACE.split(text)):
        if index % 2 == 0:
            yield piece
        else:
            yield in_file if piece == "file" else in_region


def _file(form: JsonForm, file: JsonFile) -> dict[str, object]:
    coverage = file.coverage
    found = _figures(form, coverage)
    if form.contexts:
        found["contexts"] = "\0file"
    found |= _branches(form, coverage)
    for kind, key in file.kinds:
        found[key] = {
            name: _region(form, inner, start) for name, start, inner in regions(coverage, kind)
        }
    return found


def _region(form: JsonForm, coverage: FileCoverage, start: int) -> dict[str, object]:
    found = _figures(form, coverage)
    found["start_line"] = start
    if form.contexts:
        found["contexts"] = "\0region"
    return found | _branches(form, coverage)


def _figures(form: JsonForm, coverage: FileCoverage) -> dict[str, object]:
    return {
        "executed_lines": sorted(coverage.executed),
        "summary": _summary(form, coverage.totals),
        "missing_lines": sorted(coverage.missing),
        "excluded_lines": sorted(coverage.excluded),
    }


def _branches(form: JsonForm, coverage: FileCoverage) -> dict[str, object]:
    if not form.branches:
        return {}
    return {
        "executed_branches": _arcs(coverage.executed_branches),
        "missing_branches": _arcs(coverage.missing_branches),
    }


def _arcs(branches: Branches) -> list[tuple[int, int]]:
    return [(line, end) for line in sorted(branches) for end in branches[line]]


def _summary(form: JsonForm, totals: Totals) -> dict[str, object]:
    def words(percent: float) -> str:
        return percent_text(percent, form.precision)

    summary: dict[str, object] = {
        "covered_lines": totals.n_executed,
        "num_statements": totals.n_statements,
        "percent_covered": totals.percent,
        "percent_covered_display": words(totals.percent),
        "missing_lines": totals.n_missing,
        "excluded_lines": totals.n_excluded,
        "percent_statements_covered": totals.percent_statements,
        "percent_statements_covered_display": words(totals.percent_statements),
    }
    if form.branches:
        summary |= {
            "num_branches": totals.n_branches,
            "num_partial_branches": totals.n_partial_branches,
            "covered_branches": totals.n_executed_branches,
            "missing_branches": totals.n_missing_branches,
            "percent_branches_covered": totals.percent_branches,
            "percent_branches_covered_display": words(totals.percent_branches),
        }
    return summary
