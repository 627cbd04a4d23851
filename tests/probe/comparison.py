"""Compare covls's analysis of Python files with that of the coverage.py that is installed.

Runs by path in any interpreter that covls supports, with coverage.py and nothing else:

    python comparison.py STEP    every STEP-th file of this interpreter's standard library

prints JSON: {"python", "coverage", "files", "refused", "few_tokens", "different": [[path, what]…]}.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import sysconfig
import warnings
from pathlib import Path
from typing import Any

import coverage
import coverage.parser
from coverage.python import PythonFileReporter

ANALYSE = Path(__file__).resolve().parents[2] / "covls" / "probe" / "analyse.py"
ALL_TOKENS = coverage.parser.generate_tokens  # type: ignore[attr-defined]


def load_probe() -> Any:
    """Import the worker's module by its path, as nothing of covls can be imported."""
    spec = importlib.util.spec_from_file_location("analyse_by_path", ANALYSE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


probe = load_probe()


def coverage_object(exclude: Any = None, partial: Any = None) -> Any:
    """Make a Coverage that reads no configuration and no data, with rules of its own."""
    cov = coverage.Coverage(config_file=False, data_file=None)
    cov._init()
    if exclude is not None:
        cov.config.exclude_list = list(exclude)
    if partial is not None:
        cov.config.partial_list, cov.config.partial_always_list = list(partial), []
    return cov


def rules_of(cov: Any) -> Any:
    """Return the rules of a Coverage as the worker is given them."""
    config = cov.config
    return probe.Rules(config.exclude_list, config.partial_list + config.partial_always_list)


def expected(path: str, cov: Any) -> Any:
    """Ask coverage.py's own reporter; return what it says, or the exception it raised."""
    coverage.parser.generate_tokens = ALL_TOKENS  # type: ignore[attr-defined]
    reporter = PythonFileReporter(path, cov)
    try:
        statements = reporter.lines()
        arcs = reporter.arcs()
        exits = reporter.exit_counts()
        parser = reporter.parser
        multiline = getattr(parser, "multiline_map", None)
        if multiline is None:
            multiline = parser._multiline  # type: ignore[attr-defined]
        branches: dict[int, list[int]] = {}
        for start, end in sorted(arcs):
            if exits.get(start, 0) > 1:
                branches.setdefault(start, []).append(end)
        fixers = getattr(parser, "_with_jump_fixers", {})
        regions = reporter.code_regions() if hasattr(reporter, "code_regions") else []
        return {
            "statements": statements,
            "excluded": reporter.excluded_lines(),
            "no branch": reporter.no_branch_lines(),
            "executable": parser.raw_statements or {0, 1},
            "branches": branches,
            "first lines": {line: first for line, first in multiline.items() if line != first},
            # What becomes of each, if it is alone.
            "fixers": {
                arc: next(iter(parser.fix_with_jumps([arc])), None)
                for arc in fixers
                if arc[0] in branches
            },
            "words": {
                (start, end): reporter.missing_arc_description(start, end)
                for start, ends in branches.items()
                for end in ends
            },
            "regions": [(it.kind, it.name, it.start, sorted(it.lines)) for it in regions],
            "count": len(reporter.source().splitlines()),
        }
    # Whatever makes coverage.py give up: most is NotPython, but by far not all.
    except Exception as error:  # noqa: BLE001
        return error


def found(source: bytes, path: str, rules: Any) -> Any:
    """Ask the worker's module; return the same as `expected`."""
    probe.use_statement_tokens()
    try:
        shape = json.loads(probe.compact(probe.analyse_python(source, path, rules)))
    except probe.UnanalysableError as error:
        return error

    def lines(bit: int) -> set[int]:
        return {line for line, char in enumerate(shape["lines"]) if (ord(char) - 64) & bit}

    def groups(flat: list[int], size: int) -> Any:
        return list(zip(*[iter(flat)] * size))  # noqa: B905

    branches = {line: [one, other] for line, one, other in groups(shape["twos"], 3)}
    more = iter(shape["more"])
    for line in more:
        branches[line] = [next(more) for _ in range(next(more))]
    first_lines = {
        line: first
        for first, last in groups(shape["spans"], 2)
        for line in range(first + 1, last + 1)
    }
    first_lines.update(groups(shape["moved"], 2))
    templates, chosen, names, numbers = json.loads(shape["later"])
    arcs = [(start, end) for start, ends in branches.items() for end in ends]
    regions = []
    rest = iter(numbers)
    for name in names.split("\n") if names else []:
        start, count = next(rest), next(rest)
        inside: list[int] = []
        for _ in range(count):
            inside += range(next(rest), next(rest) + 1)
        regions.append((*name.split("\t"), start, inside))
    return {
        "statements": lines(probe.STATEMENT),
        "excluded": lines(probe.EXCLUDED),
        "no branch": lines(probe.NO_BRANCH),
        "executable": lines(probe.EXECUTABLE),
        "branches": branches,
        "first lines": first_lines,
        "fixers": {
            (start, end): (new_start, new_end) if new_start else None
            for start, end, new_start, new_end in groups(shape["fixers"], 4)
        },
        "words": {
            arc: templates[index].replace("{start}", str(arc[0])).replace("{end}", str(arc[1]))
            for arc, index in zip(arcs, chosen)  # noqa: B905
        },
        "regions": regions,
        "count": shape["count"],
    }


def differences(path: str, cov: Any) -> list[str]:
    """Return what differs in the two analyses of a file: nothing, if all is well."""
    theirs = expected(path, cov)
    ours = found(Path(path).read_bytes(), path, rules_of(cov))
    if isinstance(theirs, Exception) or isinstance(ours, Exception):
        if not (isinstance(theirs, Exception) and isinstance(ours, Exception)):
            return [f"only one refuses: {theirs!r} / {ours!r}"]
        # What is wrong with the encoding, coverage.py says without a line.
        line = getattr(ours, "line", None)
        same = line in (None, 1) or f"at line {line}" in str(theirs)
        return [] if same else [f"{theirs!r} / {ours} at line {line}"]
    return [
        f"{name}: {theirs[name]!r} / {ours[name]!r}"[:2000]
        for name in theirs
        if theirs[name] != ours[name]
    ]


def main() -> None:
    """Compare this interpreter's standard library."""
    warnings.simplefilter("ignore")
    folder = Path(sysconfig.get_path("stdlib"))
    paths = [str(path) for path in sorted(folder.rglob("*.py"))]
    paths = [path for path in paths if "site-packages" not in path][:: int(sys.argv[1])]
    cov = coverage_object()
    different = []
    refused = 0
    for path in paths:
        found_here = differences(path, cov)
        different += [[path, what] for what in found_here]
        refused += isinstance(expected(path, cov), Exception)
    print(
        json.dumps(
            {
                "python": sys.version.split()[0],
                "coverage": coverage.__version__,
                "files": len(paths),
                "refused": refused,
                "different": different,
                "few_tokens": probe.use_statement_tokens(),
            }
        )
    )


if __name__ == "__main__":
    main()
