"""coverage.py's HTML report, written by coverage.py itself from a private copy of the data."""

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from covls.adapters import probes
from covls.adapters.analysis_cache import cache_folder
from covls.adapters.data_file import fingerprint
from covls.adapters.private_copy import DataFileError, DataFileProblem, copy_file

REPORTS_KEPT: Final = 20
"""So many reports stay in the cache, those that were written last."""

_SECONDS_TO_COPY: Final = 30.0
_SECONDS_BETWEEN_LOOKS: Final = 0.1
_DAY: Final = 24 * 3600.0

_PRIVATE: Final = "data-"
"""How folders begin that are not reports, but what one is made from."""

_STATUS: Final = "status.json"
"""What coverage.py keeps beside a report, to write only what changed the next time."""


class HtmlReportError(Exception):
    """There is no report: why, in words."""


@dataclass(frozen=True, slots=True)
class HtmlReport:
    """A report on disk."""

    index: Path
    page: Path | None
    """The page of the file that was asked for; None where it has none, or none was asked for."""
    problems: tuple[str, ...]
    """What was left out, and why."""

    def url(self, line: int | None = None) -> str:
        """The address of the page that was asked for, at a line from 1, or else of the index."""
        if self.page is None:
            return self.index.as_uri()
        return self.page.as_uri() + (f"#t{line}" if line else "")


def report_folder(root: Path, files: Sequence[Path] | None = None) -> Path:
    """Where the report of a root is kept, or of some of its files."""
    names = [os.fspath(root), *sorted(map(os.fspath, files or ()))]
    return cache_folder() / "html" / _key(names)


def _key(names: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(names).encode(errors="surrogateescape")).hexdigest()[:16]


def write_html_report(
    root: Path,
    data_file: Path,
    *,
    python: str | None,
    plugins: bool,
    directory: Path | None = None,
    files: Sequence[Path] | None = None,
    at: Path | None = None,
    report: Callable[[int, int], None] = lambda _done, _of: None,
    on_wait: Callable[[], None] = lambda: None,
    cancelled: threading.Event | None = None,
) -> HtmlReport | None:
    """Write the report, or what changed since the last time; None where it was cancelled.

    `python` is the interpreter whose coverage.py is to write it, None: covls's own; it and
    `plugins` may only be given where the workspace is trusted. `files` are those to keep to, `at`
    is one whose page is asked for. `report` is told how much is done, and of how much; `on_wait` is
    called where another process writes the same report, whose end is waited for. Raises
    HtmlReportError, and DataFileError where the data cannot be read.
    """
    target = directory or report_folder(root, files)
    cancelled = cancelled or threading.Event()
    with _private_folder() as folder, _alone(target, on_wait, cancelled) as is_alone:
        if not is_alone:
            return None
        copy = _copy_data(data_file, folder)
        request = {
            "data_file": str(copy),
            "directory": str(target),
            "files": None if files is None else [str(file) for file in files],
            # As coverage.py names it: relative to the root where it is below.
            "at": None
            if at is None
            else str(at.relative_to(root) if at.is_relative_to(root) else at),
        }
        answer = _ask(
            probes.command_of("html_report", python, plugins=plugins),
            root,
            request,
            report,
            cancelled,
        )
        if answer is None or "error" in answer:
            # Of pages that were written half, coverage.py is not to think that they are whole.
            with contextlib.suppress(OSError):
                (target / _STATUS).unlink()
            if answer is None:
                return None
            raise HtmlReportError(f"coverage.py could not write the HTML report: {answer['error']}")
    _make_room()
    page = answer["page"]
    return HtmlReport(
        target / "index.html", target / page if page else None, tuple(answer["problems"])
    )


@contextlib.contextmanager
def _private_folder() -> Iterator[Path]:
    parent = cache_folder() / "html"
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HtmlReportError(f"{parent} cannot be made: {error.strerror}") from error
    # It may hold names of the user's files, and is for nobody else to read.
    with tempfile.TemporaryDirectory(
        dir=parent, prefix=_PRIVATE, ignore_cleanup_errors=True
    ) as one:
        yield Path(one)


@contextlib.contextmanager
def _alone(target: Path, on_wait: Callable[[], None], cancelled: threading.Event) -> Iterator[bool]:
    """Wait until nobody else writes a report into a folder, and have others wait. Says whether
    it came to that, for it may be cancelled.
    """
    with contextlib.ExitStack() as held:
        lock = _lock(target)
        if lock is None and not cancelled.is_set():
            on_wait()
        while lock is None:
            if cancelled.wait(_SECONDS_BETWEEN_LOOKS):
                break
            lock = _lock(target)
        if lock is not None:
            held.enter_context(closing(lock))
        yield lock is not None


def _lock(target: Path) -> sqlite3.Connection | None:
    """What keeps others out of a report's folder until it is closed; None where they do so.

    The system lets go of it when its process ends, however that comes about.
    """
    parent = cache_folder() / "html"
    name = target.name if target.parent == parent else _key([os.fspath(target)])
    lock = sqlite3.connect(parent / f"{name}.lock", timeout=0.0, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            lock.close()
            return None
        # A file system without locks is no reason to have no report.
    return lock


def _make_room() -> None:
    """Throw away the reports that were written longest ago, and what a killed process left."""
    found: list[tuple[float, Path]] = []
    parent = cache_folder() / "html"
    for folder in parent.iterdir():
        with contextlib.suppress(OSError):
            if not folder.is_dir():
                continue
            if not folder.name.startswith(_PRIVATE):
                found.append(((folder / "index.html").stat().st_mtime, folder))
            elif folder.stat().st_mtime < time.time() - _DAY:
                shutil.rmtree(folder, ignore_errors=True)
    for _, folder in sorted(found, reverse=True)[REPORTS_KEPT:]:
        if (lock := _lock(folder)) is not None:
            with closing(lock):
                shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(OSError):
                (parent / f"{folder.name}.lock").unlink()


def _copy_data(data_file: Path, folder: Path) -> Path:
    """Copy the data file and its parallel siblings, and say where the first is, or would be."""
    seen = fingerprint(data_file)
    if not seen:
        raise DataFileError(
            DataFileProblem.MISSING,
            f"{data_file} does not exist: nothing was measured yet, or the data is written "
            "elsewhere. Run the tests under coverage.",
        )
    give_up = time.monotonic() + _SECONDS_TO_COPY
    for stamp in seen.files:
        try:
            database, _ = copy_file(stamp.path, give_up)
        except DataFileError as error:
            # As where the data are read: an empty data file beside parallel ones is none.
            if error.kind is DataFileProblem.EMPTY and len(seen.files) > 1:
                continue
            raise
        with closing(database), closing(sqlite3.connect(folder / stamp.path.name)) as copy:
            database.backup(copy)
    return folder / data_file.name


def _ask(
    command: list[str],
    root: Path,
    request: dict[str, Any],
    report: Callable[[int, int], None],
    cancelled: threading.Event,
) -> dict[str, Any] | None:
    """What the script answers in the end; None where it was cancelled."""
    try:
        process = probes.start(command, root)
    except OSError as error:
        raise HtmlReportError(f"{command[0]} cannot be started: {error.strerror}") from error
    ended = threading.Event()
    ending = threading.Lock()

    def end() -> None:
        with ending:
            if not ended.is_set():
                ended.set()
                probes.kill(process)

    def watch() -> None:
        while not ended.is_set():
            if cancelled.wait(0.1):
                end()

    said: list[bytes] = []
    threads = [
        threading.Thread(target=watch, name="covls html cancel", daemon=True),
        threading.Thread(target=lambda: said.extend(_last_lines(process)), daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        with contextlib.suppress(OSError):
            assert process.stdin is not None
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.close()
        answer: dict[str, Any] | None = None
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                answer = json.loads(line)
                if "done" in answer:
                    report(answer["done"], answer["of"])
                    answer = None
    finally:
        end()
        for thread in threads:
            thread.join()
    if cancelled.is_set():
        return None
    if answer is None:
        words = said[-1].decode(errors="replace").strip() if said else "it ended without a word"
        return {"error": f"{command[0]}: {words}"}
    return answer


def _last_lines(process: "subprocess.Popen[bytes]") -> list[bytes]:
    assert process.stderr is not None
    with process.stderr as lines:
        return [line for line in lines if line.strip()][-1:]
