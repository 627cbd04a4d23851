"""Runs as a history has them, made up."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from random import Random

from covls.core.coverage import Totals
from covls.core.history import Commit, RecordedFile, RecordedFunction, Run, total

START = datetime(2024, 3, 1, 12, tzinfo=UTC)

Files = Mapping[str, RecordedFile]


def recorded(
    path: str,
    statements: int,
    missing: int,
    source: str = "1",
    branches: int = 0,
    missed: int = 0,
    functions: tuple[RecordedFunction, ...] = (),
) -> RecordedFile:
    """A file with these counts; the bitmaps are left out."""
    totals = Totals(1, statements, 0, missing, branches, missed // 2, missed)
    return RecordedFile(path, source, totals, 0, 0, 0, functions)


def run(
    number: int,
    *files: RecordedFile,
    subject: str = "",
    branch: str | None = "main",
    flags: tuple[str, ...] = (),
    clean: bool = True,
) -> tuple[Run, Files]:
    """A run of a commit that is `number` hours after the first, with its files."""
    commit = Commit(
        hashlib.sha1(f"{number}".encode()).hexdigest(),
        branch=branch,
        authored=START + timedelta(hours=number),
        subject=subject or f"Commit {number}",
    )
    totals = total(files)
    run = Run(number, commit, flags, commit.authored, clean, {}, totals.n_branches > 0, totals)
    return run, {file.path: file for file in files}


def many(n_files: int, n_runs: int, *, changed: int, functions: int) -> Iterator[tuple[Run, Files]]:
    """Runs of a large project, each with some files other than in the run before."""
    random = Random(7)
    names = [f"name{number}" for number in range(60)]
    paths = [
        f"src/{random.choice(names)}/{random.choice(names)}/{random.choice(names)}_{number}.py"
        for number in range(n_files)
    ]

    def made(path: str) -> RecordedFile:
        size = random.randint(10, 400)
        inner = []
        for each in range(functions):
            own = size // functions
            first = 1 + each * (own + 3)
            counts = Totals(
                0, own, 0, random.randint(0, own), own // 3, 0, random.randint(0, own // 3)
            )
            name = f"{random.choice(names)}.{random.choice(names)}_{random.choice(names)}"
            inner.append(RecordedFunction(name, first, first + own, counts))
        return recorded(
            path,
            size,
            random.randint(0, size // 3),
            str(random.random()),
            size // 3,
            random.randint(0, size // 6),
            tuple(inner),
        )

    files = {path: made(path) for path in paths}
    for number in range(n_runs):
        for path in random.sample(paths, changed) if number else ():
            files[path] = made(path)
        subject = " ".join(random.choice(names) for _ in range(8))
        # The totals are those of a few files: to add up all of them each time takes long.
        few, _ = run(number, *(files[path] for path in paths[:20]), subject=subject)
        yield few, dict(files)
