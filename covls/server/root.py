"""One root as it is served: its project, its settings, its watcher, and what was said of it."""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from covls.adapters.pulled_data import pointer
from covls.adapters.settings_files import read_settings_files
from covls.adapters.test_framework import Framework, find_framework
from covls.adapters.watcher import DataWatcher
from covls.core.coverage import Totals
from covls.core.settings import Layer, Problem, Settings, read_settings
from covls.project import Patch, Project, Refreshed
from covls.server.messages import FolderTests, StatusParams
from covls.server.runs import Runs

if TYPE_CHECKING:
    from covls.project.past import BaseFigure

logger = logging.getLogger(__name__)

CONFIGURATION_FILES = (
    "covls.toml",
    "pyproject.toml",
    ".coveragerc",
    ".coveragerc.toml",
    "setup.cfg",
    "tox.ini",
)
"""What coverage.py and covls read settings from."""

Stamp = tuple[tuple[str, int, int], ...]
"""Configuration files with the time of their change and their size."""


@dataclass(frozen=True, slots=True)
class Configured:
    """Settings of a root as they are now, and from which state of the files."""

    settings: Settings
    problems: tuple[Problem, ...]
    stamp: Stamp


@dataclass(eq=False, slots=True)
class Root:
    """A folder with coverage data of its own, and everything that is kept for it."""

    folder: Path
    """As the client spells it; the project works on the real path."""
    workspace_folder: Path | None
    """The client's folder it is in; None where it is outside of all of them."""
    started: asyncio.Task[None] | None = None
    project: Project | None = None
    configured: Configured | None = None
    watcher: DataWatcher | None = None
    watched: tuple[Path, str] | None = None
    """Data file and mode of the watcher."""
    pull_watcher: DataWatcher | None = None
    """Watches for what is pulled."""
    generation: int = 0
    """Counts what changed the view of its files, other than edits."""
    look: asyncio.Task[None] | None = None
    look_again: bool = False
    reconfigure: bool = False
    configuring: bool = False
    """New settings are being taken over, and the views made meanwhile may be none."""
    timer: asyncio.TimerHandle | None = None
    closed: bool = False
    reporting: bool = False
    """Its HTML report is being written."""
    pulling: bool = False
    """What CI measured is being fetched."""

    totals: Totals | None = None
    """The whole project's figures, once they were counted."""
    tests: tuple[object, FolderTests] | None = None
    """The tests that were last told, and what they were read from."""
    any_unverified: bool = False
    counted: object = None
    """What the figures were counted from: state of the data, and settings."""
    counting: asyncio.Task[None] | None = None
    patch: Patch | None = None
    """The coverage of the patch, once it was counted; None where there is no base, too."""
    no_patch: str = ""
    """Why there is no base, for people."""
    at_base: "BaseFigure | None" = None
    """What the history has of the base, once the patch was counted."""
    patch_counted: object = None
    """What the patch was counted from: its data, settings, and texts."""
    counting_patch: asyncio.Task[None] | None = None
    framework: Framework | None = None
    """How its tests are run, as it was when the data or the settings were last new."""
    runs: Runs = field(default_factory=Runs)
    following: asyncio.Task[None] | None = None
    base_generation: int = 0
    """The state of the repository that was last seen."""
    files_changed: int = 0
    """Changes of files that are not open."""
    told: StatusParams | None = None
    """The status last sent."""
    reported: set[str] = field(default_factory=set)
    """Problems that the user was told of, and that still are there."""

    @property
    def settings(self) -> Settings:
        """Its settings, defaults before they are known."""
        return self.configured.settings if self.configured is not None else Settings()

    @property
    def source(self) -> object:
        """What its figures depend on. The snapshot itself is not held on to, for it is large."""
        snapshot = self.project.snapshot if self.project is not None else None
        return None if snapshot is None else (snapshot.fingerprint, self.configured)

    # What follows does IO, and is called in threads.

    def open(
        self,
        client: Sequence[Layer],
        on_screen: Sequence[Path],
        on_change: Callable[[], None],
        on_notice: Callable[[str], None],
    ) -> None:
        """Read the settings, make the project, watch its data, and read it."""
        self.configured = configure(self.folder, self.workspace_folder, client)
        settings = self.configured.settings
        self.project = Project(self.folder, settings, trusted=settings.trusted)
        # To start a worker and analyse a file takes longer than to read the data, and the first
        # file waits for both.
        self.project.prepare([Path(os.path.realpath(path)) for path in on_screen])
        self.watch(on_change, on_notice)
        self.project.refresh()
        self.framework = find_framework(self.folder, settings)
        self.base_generation = self.project.base_generation()
        if self.closed:
            # It was closed while it opened, and what was made since was not there to be closed.
            self.close()

    def refresh(
        self,
        client: Sequence[Layer],
        on_screen: Sequence[Path],
        on_change: Callable[[], None],
        on_notice: Callable[[str], None],
    ) -> Refreshed:
        """Look at settings and data; what is new is taken over."""
        project = self.project
        if project is None:
            self.open(client, on_screen, on_change, on_notice)
            return Refreshed(True)
        reconfigured = self._configure_again(project, client)
        if reconfigured:
            self.watch(on_change, on_notice)
        refreshed = project.refresh([Path(os.path.realpath(path)) for path in on_screen])
        if reconfigured or refreshed.changed:
            self.framework = find_framework(self.folder, self.settings)
        return Refreshed(refreshed.changed or reconfigured, refreshed.again_in)

    def _configure_again(self, project: Project, client: Sequence[Layer]) -> bool:
        before = self.configured
        stamp = configuration_stamp(self.folder, self.workspace_folder)
        if before is not None and before.stamp == stamp and not self.reconfigure:
            return False
        self.reconfigure = False
        now = configure(self.folder, self.workspace_folder, client)
        self.configured = now
        if before is not None and before.stamp == now.stamp and before.settings == now.settings:
            return before.problems != now.problems
        self.configuring = True
        project.trusted = now.settings.trusted
        project.configure(now.settings)
        self.base_generation = project.base_generation()
        return True

    def watch(self, on_change: Callable[[], None], on_notice: Callable[[str], None]) -> None:
        """Watch the data file that the configuration names, unless it is watched already."""
        assert self.project is not None, "there is a project by now"
        wanted = self.project.configuration.data_file, self.settings.watch.mode
        if self.closed or wanted == self.watched:
            return
        for watcher in (self.watcher, self.pull_watcher):
            if watcher is not None:
                watcher.close()
        data_file, mode = wanted
        self.watcher = DataWatcher(data_file, on_change, mode=mode, on_notice=on_notice)
        self.pull_watcher = DataWatcher(pointer(self.project.root), on_change, mode=mode)
        self.watched = wanted

    def close(self) -> None:
        """Stop watching, end the run under way and the workers."""
        self.closed = True
        self.runs.close()
        for watcher in (self.watcher, self.pull_watcher):
            if watcher is not None:
                watcher.close()
        if self.project is not None:
            self.project.close()


def configure(folder: Path, workspace_folder: Path | None, client: Sequence[Layer]) -> Configured:
    """The settings of a root: those of its files, and the client's over them."""
    stamp = configuration_stamp(folder, workspace_folder)
    layers: list[Layer] = []
    problems: list[Problem] = []
    for place in _places(folder, workspace_folder):
        files = read_settings_files(place)
        layers += files.layers
        problems += files.problems
    settings, wrong = read_settings(*layers, *client)
    return Configured(settings, (*problems, *wrong), stamp)


def configuration_stamp(folder: Path, workspace_folder: Path | None) -> Stamp:
    """What tells a change of a root's configuration files."""
    places = _places(folder, workspace_folder)
    files = [str(place / name) for place in places for name in CONFIGURATION_FILES]
    files += [rcfile for rcfile in (os.environ.get("COVERAGE_RCFILE"),) if rcfile]
    stamp: list[tuple[str, int, int]] = []
    for file in files:
        try:
            found = Path(file).stat()
        except OSError:
            continue
        stamp.append((file, found.st_mtime_ns, found.st_size))
    return tuple(stamp)


def explicit_root(path: Path, workspace_folder: Path, roots: Sequence[str]) -> Path | None:
    """The innermost of the roots that the settings name around `path`."""
    named = [Path(os.path.normpath(workspace_folder / root)) for root in roots]
    around = [root for root in named if path.is_relative_to(root)]
    return max(around, key=lambda root: len(root.parts), default=None)


def innermost(path: Path, folders: Sequence[Path]) -> Path | None:
    """The innermost of the folders that `path` is in, as spelled or in truth."""
    around = [folder for folder in folders if path.is_relative_to(folder)]
    if not around:
        real = os.path.realpath(path)
        around = [f for f in folders if Path(real).is_relative_to(os.path.realpath(f))]
    return max(around, key=lambda folder: len(folder.parts), default=None)


def _places(folder: Path, workspace_folder: Path | None) -> tuple[Path, ...]:
    if workspace_folder is None or os.path.realpath(folder) == os.path.realpath(workspace_folder):
        return (folder,)
    return (workspace_folder, folder)


ClientSettings = Mapping[Path | None, Layer]
"""The client's settings by workspace folder; None: outside of all."""
