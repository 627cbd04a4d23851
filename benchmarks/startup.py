"""What judging costs where it is waited for, in a commit hook: `python -m benchmarks.startup`.

click as a repository of two commits with recorded data, and in turns: an interpreter that does
nothing, `covls check`, coverage.py's report, diff-cover, and pre-commit with and without the hook.
Seconds of the processor are told beside those of the clock, for machines that do other things, too.
"""

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks import cases, patch
from benchmarks.cases import Case
from benchmarks.measure import Spread
from benchmarks.results import table

CHANGED = "src/click/utils.py"
"""The file that the second commit changes."""

SETTINGS = "[gates]\ntotal = 50\npatch = 50\nchanged-files = 50\n"
HOOKS = """\
repos:
  - repo: local
    hooks:
      - {{id: check, name: check, entry: "{entry}", language: system, pass_filenames: false}}
"""


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.startup",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--python", default=sys.executable, help="the interpreter to measure with")
    parser.add_argument("--rounds", type=int, default=9, help="runs of each (default: 9)")
    options = parser.parse_args()
    python = cases.environment(options.python)
    case = cases.click(python)
    with tempfile.TemporaryDirectory(prefix="covls-startup-") as folder, repository(case):
        scratch = Path(folder)
        commands = {
            "`python -c pass`": [str(python), "-c", "pass"],
            "`covls --help`": [*_covls(python), "--help"],
            "`covls check`": [*_covls(python), "check"],
            "`covls check --staged`, the hook": [*_covls(python), "check", "--staged"],
            "`coverage --version`": [str(python), "-m", "coverage", "--version"],
            "`coverage report`": [str(python), "-m", "coverage", "report"],
            **diff_cover(case),
            **pre_commit(python, scratch),
        }
        spent: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        environment = cases.environment_of(scratch / "cache") | {"PRE_COMMIT_HOME": folder}
        for number in range(options.rounds + 1):
            for name, command in commands.items():
                took = seconds(command, case.folder, environment)
                if number:  # The first fills what is cached.
                    spent[name].append(took)
    report = Spread(tuple(clock for clock, _ in spent["`coverage report`"])).median
    rows = []
    for name, times in spent.items():
        clock = Spread(tuple(each for each, _ in times))
        processor = Spread(tuple(each for _, each in times))
        cells = [f"{clock.median:.2f} s", f"{clock.best:.2f} s", f"{processor.best:.2f} s"]
        rows.append([name, *cells, f"{clock.median / report:.2f}"])
    heads = ["command", "median", "best", "of the processor, best", "to `coverage report`"]
    print(table(heads, rows))


def _covls(python: Path) -> list[str]:
    return [str(python.with_name("covls"))]


@contextmanager
def repository(case: Case) -> Iterator[None]:
    """Make a repository of a case, in which the measured text of one file is staged, not committed.

    All is as before afterwards.
    """
    changed, settings = case.folder / CHANGED, case.folder / "covls.toml"
    kept = changed.with_suffix(".kept")
    shutil.copy2(changed, kept)
    try:
        settings.write_text(SETTINGS)
        lines = changed.read_text(encoding="utf-8").splitlines(keepends=True)
        middle = next(n for n, line in enumerate(lines) if line.startswith("def ") and n > 200)
        patch.git(case.folder, "init", "-q", "-b", "main")
        changed.write_text("".join(lines[:middle]), encoding="utf-8")
        patch.git(case.folder, "add", "src", "covls.toml")
        patch.git(case.folder, *patch.BY, "commit", "-qm", "before")
        patch.git(case.folder, "checkout", "-qb", "work")
        shutil.copy2(kept, changed)
        patch.git(case.folder, "add", "src")
        yield
    finally:
        kept.replace(changed)
        settings.unlink(missing_ok=True)
        shutil.rmtree(case.folder / ".git", ignore_errors=True)


def diff_cover(case: Case) -> Mapping[str, list[str]]:
    """diff-cover on the XML report, which it needs made before."""
    python = patch.environment()
    patch.coverage(python, case.folder, "xml", "-q")
    command = [*patch.diff_cover_command(python), "main"]
    return {"`diff-cover coverage.xml`": command}


def pre_commit(python: Path, scratch: Path) -> Mapping[str, list[str]]:
    """pre-commit, with a hook that does nothing, and with covls's."""
    program = shutil.which("pre-commit")
    if program is None:
        return {}
    found: dict[str, list[str]] = {}
    covls = " ".join([*_covls(python), "check", "--staged"])
    for name, entry in (("that does nothing", "true"), ("`covls check --staged`", covls)):
        configuration = scratch / f"{len(found)}.yaml"
        configuration.write_text(HOOKS.format(entry=entry))
        command = [program, "run", "--config", str(configuration), "--all-files"]
        found[f"`pre-commit run`, a hook {name}"] = command
    return found


def seconds(
    command: list[str], folder: Path, environment: Mapping[str, str]
) -> tuple[float, float]:
    """What a command takes, of the clock and of the processor."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    clock = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return clock, spent


if __name__ == "__main__":
    main()
