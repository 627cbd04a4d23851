"""What a history says of the files on screen, and of the base: read in the background, and kept."""

import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from covls.adapters.commits import commits_of
from covls.adapters.data_file import Fingerprint
from covls.adapters.history_db import HistoryError, history_place, open_history
from covls.core.drift import drift
from covls.core.history import Commit, Run, source_name
from covls.core.settings import Settings
from covls.project.recorded_runs import Texts, nearest_run, runs_along
from covls.project.view import FileView

if TYPE_CHECKING:
    from covls.adapters.history_db.history import History

RUNS: Final = 200
"""Runs that are looked at for when a line was covered last, at most."""

FILES_KEPT: Final = 64

_NOTHING: Final[Mapping[int, Commit]] = {}


@dataclass(frozen=True, slots=True)
class BaseFigure:
    """What was on record of the base."""

    commit: str
    """The full name of the commit that was measured: the base, or the nearest before it."""
    percent: float


class Past:
    """A root's history, as far as it was looked at. Thread-safe, and asked in threads alone.

    Where there is no history, or nothing to read it with, it has nothing to say.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._bases: dict[object, BaseFigure | None] = {}
        self._until: OrderedDict[Path, tuple[Fingerprint, Mapping[int, Commit]]] = OrderedDict()

    def base(self, commit: str, settings: Settings, *, trusted: bool) -> BaseFigure | None:
        """The figure of the run of a commit, or of the nearest of its ancestors that has one."""
        key = commit, self._stamp(settings)
        with self._lock:
            if key in self._bases:
                return self._bases[key]
        found: BaseFigure | None = None
        try:
            with open_history(self._root, settings, mode="read", trusted=trusted) as history:
                run = self._nearest(history, commit)
                if run is not None:
                    found = BaseFigure(run.commit.id, run.totals.percent)
        except HistoryError:
            pass
        with self._lock:
            # What was said of another base, or of the history as it was, is of no use any more.
            self._bases = {key: found}
        return found

    def covered_until(self, view: FileView) -> Mapping[int, Commit] | None:
        """The commits at which missing lines were covered last, by line of the measured text.

        Of what was read: None while that was not done for the data that the view shows.
        """
        with self._lock:
            data, found = self._until.get(view.path, (None, _NOTHING))
        return found if data == view.data else None

    def read(self, view: FileView, settings: Settings, *, trusted: bool) -> None:
        """Read what `covered_until` tells."""
        if self.covered_until(view) is not None:
            return
        found = _NOTHING
        if view.coverage.missing and view.path.is_relative_to(self._root):
            try:
                with open_history(self._root, settings, mode="read", trusted=trusted) as history:
                    found = self._covered(history, view)
            except HistoryError:
                pass
        with self._lock:
            self._until[view.path] = view.data, found
            self._until.move_to_end(view.path)
            while len(self._until) > FILES_KEPT:
                self._until.popitem(last=False)

    def _covered(self, history: "History", view: FileView) -> Mapping[int, Commit]:
        commits = commits_of(self._root)
        last = self._nearest(history, "HEAD")
        if commits is None or last is None:
            return _NOTHING
        texts, here = Texts(commits), view.line_map.before
        source = source_name("\n".join(here.lines))
        found: dict[int, Commit] = {}
        waiting = set(view.coverage.missing)
        done: set[int] = set()
        name = view.path.relative_to(self._root).as_posix()
        for run, version in history.versions(name, runs_along(history, commits, last, RUNS)):
            if version is None or id(version) in done:
                continue
            if not waiting:
                break
            done.add(id(version))
            if version.source == source:
                covered = {line for line in waiting if version.executed >> line & 1}
            elif (there := texts.text(run, version)) is not None:
                line_map = drift(here, there)
                covered = {
                    line
                    for line in waiting
                    if (then := line_map.now(line)) and version.executed >> then & 1
                }
            else:
                continue
            found.update(dict.fromkeys(covered, run.commit))
            waiting -= covered
        return found

    def _nearest(self, history: "History", ref: str) -> Run | None:
        commits = commits_of(self._root)
        commit = commits.find(ref) if commits is not None else None
        if commits is None or commit is None:
            return None
        run = nearest_run(history, commits, commit)
        return run if isinstance(run, Run) else None

    def _stamp(self, settings: Settings) -> object:
        """What changes when something is recorded, as far as a look at a file tells."""
        try:
            file = history_place(self._root, settings, os.environ).file
            status = file.stat() if file is not None else None
        except (HistoryError, OSError):
            return None
        return None if status is None else (status.st_mtime_ns, status.st_size)
