"""What it costs to know what each test ran: covls beside pytest alone and pytest-cov's contexts.

    python -m benchmarks.test_run --python PYTHON3.12 [--rounds N]

runs sympy's tests of sets and logic, lines measured, and prints the table for RESULTS.md. It takes
some ten minutes a round, nearly all of it pytest-cov's.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import cases

PROBE = cases.REPOSITORY / "covls" / "probe" / "run_tests.py"
TESTS = ("sympy/sets", "sympy/logic")
CONFIGURATION = "[run]\nsource = sympy\n"

# Which paths sympy takes depends on the order of its sets.
VARIABLES = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": ""}


@dataclass(frozen=True, slots=True)
class Ran:
    """One way to run the tests: processor seconds, tests passed, and what it leaves behind."""

    seconds: float
    tests: int
    data_bytes: int
    detail_bytes: int = 0


def main() -> None:
    """Read the command line, run the tests in each way, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.test_run", description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="the interpreter to measure with")
    parser.add_argument("--rounds", type=int, default=1, help="runs of each way (default: 1)")
    options = parser.parse_args()
    python = cases.environment(options.python)
    root = cases.sympy(python).folder
    ways: dict[str, Callable[[], Ran]] = {
        "pytest": lambda: bare(python, root),
        "covls, each test's lines": lambda: recorded(python, root),
        "coverage run": lambda: plain(python, root),
        "pytest --cov --cov-context=test": lambda: contexts(python, root),
    }
    ran: dict[str, list[Ran]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, way in ways.items():
            ran[name].append(way())
            print(f"{name}: {ran[name][-1]}", file=sys.stderr, flush=True)
    print(table(ran))


def table(ran: dict[str, list[Ran]]) -> str:
    """The figures as Markdown; the ratios are of medians, to pytest alone."""
    alone = statistics.median(one.seconds for one in ran["pytest"])
    rows = [
        "| way | tests | processor seconds | to pytest alone | data file | detail, compressed |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, each in ran.items():
        seconds = statistics.median(one.seconds for one in each)
        last = each[-1]
        rows.append(
            f"| {name} | {last.tests} | {seconds:.1f} | {seconds / alone:.2f} "
            f"| {megabytes(last.data_bytes)} | {megabytes(last.detail_bytes)} |"
        )
    return "\n".join(rows)


def megabytes(size: int) -> str:
    """A size in words; nothing where there is none."""
    return f"{size / 1e6:.2f} MB" if size else ""


def bare(python: Path, root: Path) -> Ran:
    """The tests alone."""
    seconds, tests = timed(python, root, ["-m", "pytest", "-p", "no:cov", *arguments()])
    return Ran(seconds, tests, 0)


def plain(python: Path, root: Path) -> Ran:
    """Under coverage.py as it comes, without contexts."""
    with tempfile.TemporaryDirectory() as folder:
        configuration, data = Path(folder, "rc"), Path(folder, "data")
        configuration.write_text(CONFIGURATION)
        run = ["-m", "coverage", "run", f"--rcfile={configuration}", f"--data-file={data}"]
        seconds, tests = timed(python, root, [*run, "-m", "pytest", *arguments()])
        return Ran(seconds, tests, data.stat().st_size)


def contexts(python: Path, root: Path) -> Ran:
    """What one takes today to know which test ran which line."""
    with tempfile.TemporaryDirectory() as folder:
        configuration, data = Path(folder, "rc"), Path(folder, "data")
        configuration.write_text(f"{CONFIGURATION}core = ctrace\ndata_file = {data}\n")
        options = ["--cov", f"--cov-config={configuration}", "--cov-context=test", "--cov-report="]
        seconds, tests = timed(python, root, ["-m", "pytest", *options, *arguments()])
        return Ran(seconds, tests, data.stat().st_size)


def recorded(python: Path, root: Path) -> Ran:
    """As `covls run` does."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        configuration = out / "rc"
        configuration.write_text(CONFIGURATION)
        request = {
            "runner": "pytest",
            "arguments": ["-p", "no:cov", *arguments()],
            "tests": None,
            "out": folder,
            "data_file": ".coverage",
            "coverage": {"config_file": str(configuration)},
            "core": "auto",
            "root": str(root),
            "workers": 0,
        }
        (out / "request.json").write_text(json.dumps(request))
        seconds, tests = timed(python, root, [str(PROBE), str(out / "request.json")])
        detail = b"".join(path.read_bytes() for path in out.glob("detail-*"))
        data = sum(path.stat().st_size for path in out.glob(".coverage*"))
        return Ran(seconds, tests, data, len(zlib.compress(detail, 6)))


def arguments() -> list[str]:
    """What all are told alike."""
    # Without rewritten assertions, as in the other figures of sympy.
    return ["-q", "--assert=plain", "-m", "not slow", "-p", "no:cacheprovider", *TESTS]


def timed(python: Path, root: Path, command: list[str]) -> tuple[float, int]:
    """Run it; return the processor's seconds, and how many tests passed.

    A busy machine adds much to the time on the clock, and little to the processor's.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [str(python), *command],
        cwd=root,
        env={**os.environ, **VARIABLES},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    last = done.stdout.strip().splitlines()[-1:] or [done.stderr[-300:]]
    words = last[0].split()
    if "passed" not in last[0]:
        raise SystemExit(f"{python} {command}: {last[0]}")
    passed = next(words[at - 1] for at, word in enumerate(words) if word.startswith("passed"))
    return seconds, int(passed)


if __name__ == "__main__":
    main()
