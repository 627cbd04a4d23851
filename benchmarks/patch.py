"""The coverage of patches beside diff-cover, on the same data: `python -m benchmarks.patch`.

Clones click and attrs (or what is named: `--click FOLDER --attrs FOLDER`), measures each of some
commits at that commit by a part of its tests, and asks both programs for the patch against its
parent. Then both judge three changes of a small program in which a line is easily missed.

diff-cover is installed into an environment of its own in the cache.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from coverage.parser import PythonParser

from benchmarks.cases import cache_folder

DIFF_COVER = "diff-cover==11.0.1"
SECONDS = 300
"""What the tests of one commit may take."""

CONFIGURATION = "[run]\nbranch = true\nsource = src\n"
LINES_A_COMMIT = range(3, 401)
"""Lines of Python that a commit adds, for it to be taken."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project whose commits are compared: the folder of its sources, and the tests that run."""

    name: str
    url: str
    sources: str
    tests: tuple[str, ...]


PROJECTS = (
    Project(
        "attrs",
        "https://github.com/python-attrs/attrs",
        "src/attr",
        (
            *(f"tests/test_{name}.py" for name in ("validators", "slots", "annotations")),
            *("tests/test_setattr.py", "tests/test_next_gen.py", "--hypothesis-seed=0"),
        ),
    ),
    Project(
        "click",
        "https://github.com/pallets/click",
        "src/click",
        ("tests/test_options.py", "tests/test_commands.py", "tests/test_basic.py"),
    ),
)


class Kind(StrEnum):
    """How what both say of a file compares."""

    EQUAL = "the same statements, and the same of them missing"
    MULTI_LINE = "covls has more: statements that were changed in another line than their first"
    OTHER = "anything else"


@dataclass(frozen=True, slots=True)
class Compared:
    """What both say of the patch of one file: statements, and those of them that are missing."""

    file: str
    kind: Kind
    theirs: tuple[int, int]
    ours: tuple[int, int]
    branches: int
    """Branches of the patch that no test takes, by covls."""


def main() -> None:
    """Compare, and print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.patch",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--commits", type=int, default=18, help="of each project (default: 18)")
    for project in PROJECTS:
        parser.add_argument(f"--{project.name}", default=project.url, help="what to clone")
    options = vars(parser.parse_args())
    python = environment()
    with tempfile.TemporaryDirectory(prefix="covls-patches-") as folder:
        scratch = Path(folder)
        files: list[Compared] = []
        commits = 0
        for project in PROJECTS:
            clone = scratch / project.name
            run("git", "clone", "-q", "--no-checkout", options[project.name], str(clone))
            for commit in some_commits(clone, project.sources, options["commits"]):
                found = compared(project, clone, commit, python)
                if found is None:
                    continue
                commits += 1
                files += found
                for each in found:
                    if each.kind is not Kind.EQUAL:
                        print(f"{project.name} {commit[:10]} {each}", file=sys.stderr, flush=True)
        print(f"{commits} commits, {len(files)} changed files with statements in the patch\n")
        print("\n".join(table(files)))
        print("\n".join(["", *easily_missed(scratch / "small", python)]))


def environment() -> Path:
    """The interpreter of an environment with diff-cover and what the tests need."""
    folder = cache_folder() / "diff-cover"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        run(sys.executable, "-m", "venv", str(folder))
        needed = (DIFF_COVER, "coverage", "pytest", "hypothesis")
        run(str(python), "-m", "pip", "install", "-q", *needed)
        (folder / "complete").touch()
    return python


def some_commits(clone: Path, sources: str, count: int) -> Iterator[str]:
    """The last commits that add some lines to the sources, merges apart."""
    log = ("log", "--no-merges", "--format=%H", "--diff-filter=M", "--", sources)
    for commit in git(clone, *log).split():
        numbers = git(clone, "diff", "--numstat", f"{commit}^", commit, "--", sources)
        rows = [line.split("\t") for line in numbers.splitlines() if line.endswith(".py")]
        if sum(int(row[0]) for row in rows if row[0].isdecimal()) in LINES_A_COMMIT:
            yield commit
            count -= 1
        if not count:
            return


def compared(project: Project, clone: Path, commit: str, python: Path) -> list[Compared] | None:
    """What both say of each file of a commit; None where its tests do not end."""
    tree = clone.parent / f"{project.name}-{commit[:10]}"
    git(clone, "worktree", "add", "-q", "--detach", str(tree), commit)
    (tree / ".coveragerc").write_text(CONFIGURATION)
    variables = {"PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    options = ("-q", "-W", "ignore", "-o", "addopts=", "-o", "filterwarnings=")
    tests = ("--continue-on-collection-errors", "-p", "no:cacheprovider", *project.tests)
    try:
        coverage(python, tree, "run", "-m", "pytest", *options, *tests, variables=variables)
    except subprocess.TimeoutExpired:
        return None
    coverage(python, tree, "xml", "-q")
    theirs = diff_cover(python, tree, f"{commit}^")["src_stats"]
    told = covls_diff(tree, "--from", f"{commit}^", "--to", commit)
    ours = {file["file"]: file for file in told["files"]}
    found = [
        _file(tree, commit, name, theirs.get(name), ours.get(name))
        for name in sorted({*ours, *theirs})
    ]
    git(clone, "worktree", "remove", "--force", str(tree))
    return [each for each in found if each.theirs != (0, 0) or each.ours != (0, 0)]


def _file(
    tree: Path, commit: str, name: str, theirs: Mapping[str, Any] | None, ours: Any
) -> Compared:
    missing = set(theirs["violation_lines"]) if theirs else set()
    lines = missing | set(theirs["covered_lines"] if theirs else ())
    totals = ours["totals"] if ours else {}
    here = totals.get("statements", 0), totals.get("missing_statements", 0)
    there = len(lines), len(missing)
    kind = Kind.EQUAL
    if here != there:
        touched = _touched(tree, commit, name)
        kind = Kind.MULTI_LINE if len(touched) == here[0] and lines <= touched else Kind.OTHER
    return Compared(name, kind, there, here, totals.get("missing_branches", 0))


def _touched(tree: Path, commit: str, name: str) -> set[int]:
    """The first lines of the statements that a diff touches in any line, by coverage.py itself."""
    parser = PythonParser(filename=str(tree / name))
    parser.parse_source()
    found: set[int] = set()
    hunks = git(tree, "diff", "-U0", f"{commit}^", commit, "--", name)
    for hunk in re.finditer(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", hunks, re.MULTILINE):
        start, count = int(hunk[1]), int(hunk[2] or 1)
        found.update(parser.first_line(line) for line in range(start, start + count))
        if not count and parser.first_line(start) == parser.first_line(start + 1):
            found.add(parser.first_line(start))  # Lines within it were taken out.
    report = ET.parse(tree / "coverage.xml")  # Just written.
    counted = {
        int(line.get("number", 0))
        for file in report.iter("class")
        if name.endswith(f"/{file.get('filename')}")
        for line in file.iter("line")
    }
    return found & counted


def table(files: Sequence[Compared]) -> Iterator[str]:
    """How many files are of each kind."""
    count = Counter(each.kind for each in files)
    more = Counter[Kind]()
    missing = Counter[Kind]()
    for each in files:
        more[each.kind] += each.ours[0] - each.theirs[0]
        missing[each.kind] += each.ours[1] - each.theirs[1]
    yield "| | files | statements more | of them missing |"
    yield "|---|---|---|---|"
    for kind in Kind:
        yield f"| {kind} | {count[kind]} | {more[kind]} | {missing[kind]} |"
    yield ""
    yield f"Branches of the patches that no test takes: {sum(each.branches for each in files)}"


PROGRAM = """\
import sys


def price(n, member=False):
    if n > 5:
        n = 5
    if member:
        return total(
            n,
            {rate},
        )
    return n


def total(n, rate):
    return n * rate


if __name__ == "__main__":
    print(price(len(sys.argv)))
"""

CHANGES = {
    "the second argument of a call that no test makes": ("{rate}", "2"),
    "a condition that is never true": ("if n > 5:", "if n > 6:"),
    "lines put in and edited after the tests ran": ("return n\n", "n += 2\n    return n + 1\n"),
}
"""What is changed in the small program; the last after it is measured."""


def easily_missed(folder: Path, python: Path) -> Iterator[str]:
    """What each says of changes to a small program, asked for 90 %."""
    yield "| change | `diff-cover --fail-under 90` | `covls diff --fail-under 90` |"
    yield "|---|---|---|"
    for number, (change, (before, after)) in enumerate(CHANGES.items()):
        tree = folder / str(number)
        tree.mkdir(parents=True)
        program, rate = tree / "shop.py", PROGRAM.replace("{rate}", "3")
        program.write_text(rate)
        (tree / ".coveragerc").write_text("[run]\nbranch = true\nsource = .\n")
        git(tree, "init", "-q", "-b", "main")
        git(tree, "add", ".")
        git(tree, *BY, "commit", "-qm", "before")
        changed = (PROGRAM if before == "{rate}" else rate).replace(before, after, 1)
        stale = change.endswith("after the tests ran")
        if not stale:
            program.write_text(changed)
        coverage(python, tree, "run", "shop.py")
        coverage(python, tree, "xml", "-q")
        if stale:
            program.write_text(changed)
        git(tree, *BY, "commit", "-qam", "after")
        judged = ("--fail-under", "90")
        theirs = run(*diff_cover_command(python), "HEAD^", *judged, folder=tree, check=False)
        ours = run(*_COVLS, "--base", "HEAD^", *judged, folder=tree, check=False)
        said = next((line for line in theirs.stdout.splitlines() if "Coverage:" in line), "")
        said = said or next((line for line in theirs.stdout.splitlines() if "No lines" in line), "")
        told = f"{ours.stdout.splitlines()[0].partition(': ')[2]}, {ours.returncode}"
        yield f"| {change} | {said.strip()}, {theirs.returncode} | {told} |"


BY = ("-c", "user.name=covls", "-c", "user.email=covls@localhost")
_COVLS = (sys.executable, "-m", "covls", "diff")


def diff_cover_command(python: Path) -> tuple[str, ...]:
    """diff-cover, up to the commit that it is to compare with."""
    return str(python.with_name("diff-cover")), "coverage.xml", "--compare-branch"


def diff_cover(python: Path, tree: Path, base: str) -> dict[str, Any]:
    """What diff-cover says of a tree."""
    run(*diff_cover_command(python), base, "--format", "json:diff-cover.json", folder=tree)
    found: dict[str, Any] = json.loads((tree / "diff-cover.json").read_bytes())
    return found


def covls_diff(tree: Path, *arguments: str) -> dict[str, Any]:
    """What covls says of a tree."""
    found: dict[str, Any] = json.loads(
        run(*_COVLS, *arguments, "--format", "json", folder=tree).stdout
    )
    return found


def coverage(
    python: Path, tree: Path, *arguments: str, variables: Mapping[str, str] | None = None
) -> None:
    """Run a command of coverage.py's; tests may fail."""
    command = (str(python), "-m", "coverage", *arguments)
    run(*command, folder=tree, variables=variables, check=False)


def git(folder: Path, *arguments: str) -> str:
    """What git says in a folder."""
    return run("git", *arguments, folder=folder).stdout


def run(
    *command: str,
    folder: Path | None = None,
    variables: Mapping[str, str] | None = None,
    check: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end. Raises CalledProcessError, and TimeoutExpired."""
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | dict(variables or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=check,
    )


if __name__ == "__main__":
    main()
