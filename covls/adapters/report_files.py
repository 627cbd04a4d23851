"""Reports and data files that past runs left in files and folders, to be put into a history."""

import json
import os
import re
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from covls.adapters.analyst import AnalystError, Analysts
from covls.adapters.commits import Commits
from covls.adapters.data_file import DataFileError, read_snapshot
from covls.adapters.source import text_source
from covls.core.analysis import NotAnalysed
from covls.core.coverage import cover
from covls.core.history import recorded_file, source_name
from covls.core.reading.cobertura import read_cobertura
from covls.core.reading.coverage_json import read_json
from covls.core.reading.lcov import is_lcov, read_lcov
from covls.core.reading.tracker import COLUMNS, read_row
from covls.core.reading.values import ReadReport, WrongReportError, place_of, placed

MAX_BYTES: Final = 512 * 1024 * 1024
"""The longest report that is read."""

_SQLITE: Final = b"SQLite format 3\0"
_COMMIT = re.compile(r"(?<![0-9a-f])[0-9a-f]{7,64}(?![0-9a-f])")


@dataclass(frozen=True, slots=True)
class Found:
    """A report of a run, and the commit it is of, as far as the file tells."""

    file: Path
    report: ReadReport
    commit: str | None = None
    branch: str | None = None


@dataclass(frozen=True, slots=True)
class Unusable:
    """A file that no run was found in, and why."""

    file: Path
    reason: str


def files_below(path: Path) -> Iterator[Path]:
    """The files that may hold a report: one that was named, or those of a folder, in order."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            file = Path(folder, name)
            if file.suffix in {".json", ".xml", ".info", ".lcov", ".jsonl"} or (
                ".coverage" in name and not name.endswith((".coveragerc", "-journal"))
            ):
                yield file


def commit_of(file: Path, commits: Commits | None) -> str | None:
    """The commit that a path names, as folders of artifacts do: the last name that is one."""
    for part in reversed(file.parts):
        for name in reversed(_COMMIT.findall(part)):
            found = commits.find(name) if commits is not None else None
            if found is not None or len(name) in (40, 64):
                return found or name
    return None


def read_reports(
    file: Path, known: Collection[str], analysts: Analysts, commits: Commits | None, ref: str | None
) -> Iterator[Found | Unusable]:
    """The runs of a file: one, or a row's of a tracker's table each.

    `known` are the paths that a project's files have. What ran in coverage.py's data is laid over
    the texts of the commit `ref`, else of the one that the path names.
    """
    try:
        if file.stat().st_size > MAX_BYTES:
            yield Unusable(file, f"it is longer than {MAX_BYTES // 1024 // 1024} MB")
            return
        with file.open("rb") as stream:
            start = stream.read(4096)
        if start.startswith(_SQLITE):
            yield from _databases(file, known, analysts, commits, ref)
            return
        report = _read(file.read_text("utf-8", errors="replace"))
        commit = ref or commit_of(file, commits)
        yield Found(file, placed(report, _paths(commits, commit, known)), commit)
    except WrongReportError as error:
        yield Unusable(file, str(error))
    except OSError as error:
        yield Unusable(file, error.strerror or str(error))


def _read(text: str) -> ReadReport:
    begin = text.lstrip("\ufeff \t\r\n")[:4096]
    if begin.startswith("{"):
        try:
            return read_json(json.loads(text.lstrip("\ufeff")))
        except (ValueError, RecursionError) as error:
            if isinstance(error, WrongReportError):
                raise
            raise WrongReportError("its JSON is damaged") from error
    if begin.startswith("<"):
        return read_cobertura(text.lstrip("\ufeff"))
    if is_lcov(begin.splitlines()):
        return read_lcov(text)
    raise WrongReportError("it is none of the formats that are read")


def _databases(
    file: Path, known: Collection[str], analysts: Analysts, commits: Commits | None, ref: str | None
) -> Iterator[Found | Unusable]:
    try:
        uri = f"{file.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as database:
            database.execute("PRAGMA trusted_schema = OFF")
            names = "SELECT name FROM sqlite_master WHERE type = 'table'"
            tables = {name for (name,) in database.execute(names)}
            if "coverage_history" in tables:
                yield from _tracked(file, database, known, commits, ref)
                return
    except sqlite3.Error as error:
        yield Unusable(file, f"it cannot be read: {error}")
        return
    if "covls_run" in tables:
        yield Unusable(file, "it is a history of covls's: export it with `covls history export`")
    else:
        commit = ref or commit_of(file, commits)
        yield _data_file(file, analysts, commits, commit)


def _tracked(
    file: Path,
    database: sqlite3.Connection,
    known: Collection[str],
    commits: Commits | None,
    ref: str | None,
) -> Iterator[Found | Unusable]:
    there = {row[1] for row in database.execute("PRAGMA table_info(coverage_history)")}
    columns = ", ".join(name if name in there else f"NULL AS {name}" for name in COLUMNS)
    rows = database.execute(f"SELECT {columns} FROM coverage_history ORDER BY timestamp")  # noqa: S608
    for number, row in enumerate(rows, 1):
        values = dict(zip(COLUMNS, row, strict=True))
        try:
            report = read_row(values)
        except WrongReportError as error:
            yield Unusable(file, f"row {number}: {error}")
            continue
        named = str(values["commit_hash"] or "")
        commit = ref or (commits.find(named) if commits and named else None) or named or None
        report = placed(report, _paths(commits, commit, known))
        yield Found(file, report, commit, str(values["branch"] or "") or None)


def _paths(
    commits: Commits | None, commit: str | None, otherwise: Collection[str]
) -> Collection[str]:
    """The paths that files of a commit have, as far as git knows it."""
    there = commits.names(commit) if commits is not None and commit is not None else None
    return otherwise if there is None else there


def _data_file(
    file: Path, analysts: Analysts, commits: Commits | None, commit: str | None
) -> Found | Unusable:
    """What coverage.py's data say of the texts that git has of a commit."""
    if commits is None or commit is None or (listed := commits.names(commit)) is None:
        return Unusable(file, "its commit is not known here, whose texts coverage is told by")
    root = commits.top / commits.prefix
    try:
        snapshot = read_snapshot(file, root=root)
    except DataFileError as error:
        return Unusable(file, str(error))
    with snapshot:
        measured_paths = sorted(name for name in snapshot.paths if not snapshot.tracer(name))
        by_path = {place_of(name, (), listed): name for name in measured_paths}
        texts = commits.texts(commit, sorted(by_path))
        files = []
        for path, lines in sorted(texts.items()):
            text = "\n".join(lines)
            try:
                analysis = analysts.analyse(root / path, text_source(text))
            except AnalystError as error:
                return Unusable(file, str(error))
            if isinstance(analysis, NotAnalysed):
                continue
            measured = snapshot.measured(by_path[path])
            files.append(recorded_file(path, source_name(text), cover(analysis, measured)))
        versions = sorted({part.version for part in snapshot.parts if part.version})
        made = datetime.fromtimestamp(snapshot.written_at, UTC)
        by = {"coverage": ", ".join(versions)} if versions else {}
        report = ReadReport(tuple(files), snapshot.has_arcs, by, made)
    if not files:
        return Unusable(file, f"none of its files is in {commit[:12]}")
    return Found(file, report, commit)
