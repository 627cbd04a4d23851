"""A report as LCOV's tracefile, as `coverage lcov` writes it.

Rules and order are those of `coverage.lcovreport.LcovReporter`; the tests hold them equal.
"""

import re
from collections.abc import Iterable, Iterator

from covls.core.coverage import FileCoverage, narrow
from covls.core.report import printable

_ACTION = re.compile(r"^line \d+ didn't (.*?)(?: because .*)?$", re.DOTALL)


def lcov(files: Iterable[tuple[str, FileCoverage]], *, skip_empty: bool = False) -> Iterator[str]:
    """The lines of the report, of files by name, which are sorted."""
    for name, coverage in sorted(files, key=lambda file: file[0]):
        if coverage.statements or not skip_empty:
            yield f"SF:{printable(name)}"
            yield from _lines(coverage)
            yield from _functions(coverage)
            if coverage.has_branches:
                yield from _branches(coverage)
            yield "end_of_record"


def _lines(coverage: FileCoverage) -> Iterator[str]:
    missing = coverage.missing
    for line in sorted(coverage.statements):
        yield f"DA:{line},{int(line not in missing)}"
    if coverage.statements:
        yield f"LF:{coverage.totals.n_statements}"
        yield f"LH:{coverage.totals.n_executed}"


def _functions(coverage: FileCoverage) -> Iterator[str]:
    regions = [
        (min(region.start, *lines), max(region.start, *lines), region.name, lines)
        for region in coverage.analysis.regions
        if region.kind == "function" and (lines := region.lines())
    ]
    if not regions:
        return
    found = hit = 0
    names: set[str] = set()
    for first, last, name, lines in sorted(regions, key=lambda region: region[:3]):
        inner = narrow(coverage, lines)
        if not inner.statements:
            continue
        found += 1
        ran = int(bool(inner.executed))
        hit += ran
        name = printable(name)
        if name in names:
            name += f"@{first}"
        else:
            names.add(name)
        yield f"FN:{first},{last},{name}"
        yield f"FNDA:{ran},{name}"
    yield f"FNF:{found}"
    yield f"FNH:{hit}"


def _branches(coverage: FileCoverage) -> Iterator[str]:
    missing = coverage.missing_branches
    for line in sorted(coverage.statements):
        if line not in coverage.exits:
            continue
        missed = missing.get(line, ())
        taken = coverage.exits[line] - len(missed)
        if taken:
            ways = [(end, "1") for end in coverage.executed_branches.get(line, ())]
            ways += [(end, "0") for end in missed]
        else:
            ways = [(end, "-") for end in missed]
        # Ways out of the function come last, as where there is no `else`.
        for end, hit in sorted(ways, key=lambda way: (way[0] < 0, way)):
            yield f"BRDA:{line},0,{printable(_action(coverage, line, end))},{hit}"
    totals = coverage.totals
    if totals.n_branches:
        yield f"BRF:{totals.n_branches}"
        yield f"BRH:{totals.n_executed_branches}"


def _action(coverage: FileCoverage, line: int, end: int) -> str:
    """What taking a branch does: "jump to line 3"."""
    found = _ACTION.match(coverage.analysis.words.get((line, end), ""))
    if found is not None:
        return found[1]
    return f"jump to line {end}" if end > 0 else "exit"
