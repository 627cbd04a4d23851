"""How well flaky lines and fair drops are told: `python -m benchmarks.regressions`.

Takes the last commits of click (or of `--click FOLDER`, a clone) along first parents, and makes up
what its tests covered: statements and branches are those that coverage.py's parser finds in the
real sources, and which of them ran is drawn by a seed from their text, so that the same code is
covered alike wherever it stands. Three things are planted: lines that run in some runs only, tests
that are lost for good, and tests that come and go again. All is recorded as any run is, and asked
for as any user would.
"""

import argparse
import random
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from io import StringIO
from pathlib import Path
from time import perf_counter

from covls.adapters.commits import Commits, commits_of
from covls.adapters.history_db import open_history
from covls.adapters.history_db.history import History
from covls.adapters.source import source_text
from covls.cli.main import run as covls
from covls.core import flaky
from covls.core.analysis import Analysis, analysis_from_json
from covls.core.coverage import Measured, cover
from covls.core.detail import bits_of
from covls.core.history import Commit, RecordedFile, Run, recorded_file, source_name
from covls.core.lines import split_lines
from covls.core.regression import Comparison, compare
from covls.core.settings import Settings
from covls.probe.analyse import Rules, analyse_python
from covls.project.recorded_runs import Texts, compare_runs, flaky_in, runs_along

URL = "https://github.com/pallets/click"
SOURCES = "src/click"
RULES = Rules(["# pragma: no cover", "if TYPE_CHECKING:"], ["# pragma: no branch"])

COVERED = 0.92
"""The share of statements that run, where nothing was planted."""

FLAKES = (0.05, 0.2, 0.5, 0.8, 0.95)
"""How often planted lines run, in turn."""

ALLOWED = 0.05
"""The points that a drop may be for nobody to be told of it."""


@dataclass
class Planted:
    """What is known of the truth, by the keys of statements."""

    flaky: dict[str, float] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    """Since which commit a statement is missed for good."""
    gone: dict[str, tuple[int, int]] = field(default_factory=dict)
    """From and up to which commit it is missed: its test was away."""


class Click:
    """Commits of click, oldest first, and their sources."""

    def __init__(self, folder: Path, count: int) -> None:
        found = commits_of(folder)
        assert found is not None, f"{folder} is in no repository"
        self.commits: Commits = found
        head = found.find("HEAD")
        assert head is not None
        self.names = found.along(head, count)[::-1]
        self.folder = folder

    def about(self, name: str) -> Commit:
        words = ("log", "-1", "--format=%P%n%at%n%s", name)
        parents, at, subject = self._git(*words).decode().split("\n", 2)
        when = datetime.fromtimestamp(int(at), UTC)
        return Commit(name, tuple(parents.split()), "main", authored=when, subject=subject.strip())

    def sources(self, name: str) -> dict[str, str]:
        """The text of each module of a commit."""
        listed = self._git("ls-tree", "-r", name, "--", SOURCES).decode().splitlines()
        found = {}
        for entry in listed:
            about, _, path = entry.partition("\t")
            if path.endswith(".py"):
                found[path] = self._text(about.split()[2])
        return found

    def touches_code(self, name: str) -> bool:
        """Whether a commit changes more than documentation against its first parent."""
        changed = self._git("diff", "--name-only", f"{name}~1", name).decode().split()
        return any(path.endswith(".py") for path in changed)

    @cache  # noqa: B019  There is one of it.
    def _text(self, blob: str) -> str:
        return source_text(self._git("cat-file", "blob", blob))

    def _git(self, *arguments: str) -> bytes:
        command = ["git", "-C", str(self.folder), *arguments]
        return subprocess.run(command, check=True, capture_output=True).stdout


@cache
def analysed(text: str) -> Analysis:
    """What could run in a text."""
    return analysis_from_json(analyse_python(text.encode(), "module.py", RULES))


@cache
def keys(path: str, text: str) -> Mapping[int, str]:
    """What tells each statement apart by its code alone: its function, its text, and which."""
    analysis, lines = analysed(text), split_lines(text)
    inside: dict[int, str] = {}
    for region in analysis.regions:
        if region.kind == "function":
            inside.update(dict.fromkeys(region.lines(), region.name))
    seen: Counter[str] = Counter()
    found = {}
    for line in sorted(analysis.statements):
        code = " ".join(" ".join(lines[line - 1 : analysis.last_line(line)]).split())
        key = f"{path}\0{inside.get(line, '')}\0{code}"
        seen[key] += 1
        found[line] = f"{key}\0{seen[key]}"
    return found


def chance(*words: object) -> float:
    """A number from 0 to 1 that is the same for the same words."""
    digest = sha256("\0".join(map(str, words)).encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56


def measured(path: str, text: str, number: int, planted: Planted, seed: int) -> RecordedFile:
    """What a run at the commit of a number covered of a module."""
    analysis = analysed(text)
    ran = set()
    for line, key in keys(path, text).items():
        covered = chance(seed, key) < COVERED
        if key in planted.flaky:
            covered = chance(seed, key, number) < planted.flaky[key]
        elif key in planted.lost:
            covered = number < planted.lost[key]
        elif key in planted.gone:
            first, end = planted.gone[key]
            covered = not first <= number < end
        if covered:
            ran.add(line)
    arcs = frozenset(
        (line, end)
        for line, ends in analysis.branches.items()
        for end in ends
        if line in ran and (end < 0 or end in ran)
    )
    coverage = cover(analysis, Measured(frozenset(ran), arcs))
    return recorded_file(path, source_name(text), coverage)


def plant(click: Click, seed: int, flakes: int, losses: int) -> Planted:
    """Choose what is flaky, and whose tests are lost, among what is covered otherwise."""
    chooser = random.Random(seed)
    there: Counter[str] = Counter()
    for name in click.names[:: max(1, len(click.names) // 10)]:
        for path, text in click.sources(name).items():
            there.update(keys(path, text).values())
    stable = sorted(key for key in there if chance(seed, key) < COVERED)
    chosen = chooser.sample(stable, flakes + 8 * losses)
    found = Planted({key: FLAKES[at % len(FLAKES)] for at, key in enumerate(chosen[:flakes])})
    code = [at for at, name in enumerate(click.names) if at and click.touches_code(name)]
    for number in range(losses):
        first = flakes + 8 * number
        at = chooser.choice(code[len(code) // 4 :])
        # Eight statements a test: half of the tests are lost for good, the others come back.
        for key in chosen[first : first + 8]:
            if number % 2:
                later = [each for each in code if each > at]
                found.gone[key] = at, later[min(5, len(later) - 1)] if later else at + 1
            else:
                found.lost[key] = at
    return found


def record(click: Click, history: History, planted: Planted, seed: int) -> list[Run]:
    """Record a run of each commit."""
    runs = []
    for number, name in enumerate(click.names):
        sources = click.sources(name)
        files = [measured(path, text, number, planted, seed) for path, text in sources.items()]
        about = click.about(name)
        versions = {"python": "3.12.1", "coverage": "7.17.3"}
        runs.append(
            history.record(about, (), clean=True, versions=versions, has_branches=True, files=files)
        )
    return runs


def truth(click: Click, run: Run, history: History, planted: Planted) -> dict[str, int]:
    """The lines of a run that were planted as flaky, as bits, with those that lead to them.

    Whether a branch is taken depends on whether what it leads to runs: it is as flaky.
    """
    sources = click.sources(run.commit.id)
    found = {}
    for path, text in sources.items():
        lines = {line for line, key in keys(path, text).items() if key in planted.flaky}
        analysis = analysed(text)
        lines |= {line for line, ends in analysis.branches.items() if lines.intersection(ends)}
        if lines:
            found[path] = bits_of(lines) & (history.file(run, path) or _no_file()).statements
    return found


def _no_file() -> RecordedFile:
    raise AssertionError("every module was recorded")


def told(found: Mapping[str, int], planted: Mapping[str, int]) -> tuple[int, int, int]:
    """Lines that were found and are flaky, those that were found, and those that are flaky."""
    right = sum((found.get(path, 0) & bits).bit_count() for path, bits in planted.items())
    return right, _count(found.values()), _count(planted.values())


def _count(found: Iterable[int]) -> int:
    return sum(bits.bit_count() for bits in found)


def detection(
    click: Click, history: History, runs: Sequence[Run], planted: Planted
) -> Iterator[str]:
    """Precision and recall at several runs, by each part of the rule and by other numbers."""
    yield "| rule | runs looked at | precision | recall |"
    yield "|---|---:|---:|---:|"
    ends = [run for run in runs[-1::-20] if run.number > flaky.RUNS]
    ways = (
        ("as it is: same code, or 3 changes", 3, True, (10, 25, 50, 100)),
        ("same code alone", 10**3, True, (50,)),
        ("3 changes alone", 3, False, (50,)),
        ("same code, or 2 changes", 2, True, (50,)),
        ("same code, or 4 changes", 4, True, (50,)),
    )
    usual = flaky.CHANGES
    for words, changes, same_code, counts in ways:
        flaky.CHANGES = changes  # type: ignore[misc]
        for count in counts:
            sums = [0, 0, 0]
            for run in ends:
                texts = Texts(click.commits if same_code else _WithoutNames(click.commits))
                evidence = runs_along(history, click.commits, run)
                found = flaky_in(texts, history, run, evidence, count)
                one = told(found, truth(click, run, history, planted))
                sums = [a + b for a, b in zip(sums, one, strict=True)]
            right, said, are = sums
            precision = f"{right / said:.1%}" if said else "none said"
            yield f"| {words} | {count} | {precision} | {right / are:.1%} |"
    flaky.CHANGES = usual  # type: ignore[misc]


class _WithoutNames(Commits):
    """Commits of which nobody knows whether their code is the same."""

    def __init__(self, commits: Commits) -> None:
        super().__init__(commits.program, commits.top, commits.prefix, commits.shallow)

    def code_names(self, commits: Sequence[str]) -> Mapping[str, str]:  # noqa: ARG002
        return {}


def drops(click: Click, history: History, runs: Sequence[Run], planted: Planted) -> Iterator[str]:
    """Which drops each way of telling reports, and which there are in truth."""
    reported: Counter[str] = Counter()
    right: Counter[str] = Counter()
    real = pairs = 0
    seconds = []
    for place in range(flaky.RUNS, len(runs)):
        before, now = runs[place - 1], runs[place]
        began = perf_counter()
        found = compare_runs(history, click.commits, before, now).found.drop
        seconds.append(perf_counter() - began)
        known = _truly(click, history, before, now, planted).drop
        pairs += 1
        is_real = float(known.fair) > ALLOWED
        real += is_real
        for way, drop in (("naive", found.naive), ("fair", found.fair)):
            if float(drop) > ALLOWED:
                reported[way] += 1
                right[way] += is_real
    yield f"{pairs} pairs of commits, {real} real losses of more than {ALLOWED:g} points."
    yield ""
    yield "| max-drop | reported | real among them | false alarms | real ones missed |"
    yield "|---|---:|---:|---:|---:|"
    for way in ("naive", "fair"):
        yield (
            f"| {way} | {reported[way]} | {right[way]} | {reported[way] - right[way]} | "
            f"{real - right[way]} |"
        )
    middle = sorted(seconds)[len(seconds) // 2]
    yield ""
    yield f"A comparison took {middle:.2f} s (median), {max(seconds):.2f} s at most."


def _truly(click: Click, history: History, before: Run, now: Run, planted: Planted) -> Comparison:
    first, second = click.sources(before.commit.id), click.sources(now.commit.id)
    return compare(
        history.files(before),
        history.files(now),
        lambda name: split_lines(first[name]),
        lambda name: split_lines(second[name]),
        flaky=truth(click, before, history, planted),
    )


def shown(folder: Path, *arguments: str) -> str:
    """What a command prints."""
    out = StringIO()
    with redirect_stdout(out):
        covls([*arguments[:2], "--root", str(folder), *arguments[2:]])
    return out.getvalue()


def main() -> None:
    """Print the tables, and what the commands show."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--click", type=Path, help="A clone of click. Else it is cloned.")
    parser.add_argument("--commits", type=int, default=200)
    parser.add_argument("--flakes", type=int, default=40)
    parser.add_argument("--tests", type=int, default=20, help="Tests that are lost, half for good.")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "click"
        source = str(given.click or URL)
        clone = ["git", "clone", "--quiet", "--no-checkout", source, str(folder)]
        subprocess.run(clone, check=True)
        click = Click(folder, given.commits)
        planted = plant(click, given.seed, given.flakes, given.tests)
        with open_history(folder, Settings(), mode="write") as history:
            began = perf_counter()
            runs = record(click, history, planted, given.seed)
            print(f"{len(runs)} runs recorded in {perf_counter() - began:.0f} s.\n")
            for line in detection(click, history, runs, planted):
                print(line, flush=True)
            print()
            for line in drops(click, history, runs, planted):
                print(line, flush=True)
        print()
        began = perf_counter()
        print(shown(folder, "history", "trend", "--limit", "8"))
        print(f"trend: {perf_counter() - began:.2f} s\n")
        print(shown(folder, "history", "compare", "HEAD~5", "HEAD"))


if __name__ == "__main__":
    main()
