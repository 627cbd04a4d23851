"""Watching one data file: raw file events become "the data changed, and is quiet now"."""

import logging
import os
import re
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

from covls.adapters.data_file import Fingerprint, fingerprint
from covls.core.settings import WatchMode

logger = logging.getLogger(__name__)

#: Data counts as quiet when its fingerprint has not changed for this long. coverage.py writes in
#: one go, and combining makes several changes within a few milliseconds.
QUIET = 0.15

#: While the data keeps changing, `on_change` is called every so many seconds.
AT_LATEST = 1.0

#: Seconds between two looks while the data is changing, and while polling.
STEP = 0.05
POLL = 0.5

#: With file events, a look every so often all the same: it costs a few system calls, and finds
#: what events do not tell, such as a watched folder that was moved away.
HEARTBEAT = 2.0

#: `close` waits this long for the threads, which may hang in a file system that does not answer.
PATIENCE = 2.0

#: File systems that others can change without the kernel here knowing, or that send no events for
#: it: network file systems, and the shared folders of virtual machines, containers and WSL.
REMOTE_FILE_SYSTEMS = frozenset(
    {
        "9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "drvfs", "fakeowner", "gpfs",
        "lustre", "ncpfs", "nfs", "nfs4", "prl_fs", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs",
        "fuse.cephfs", "fuse.davfs2", "fuse.fakeowner", "fuse.gcsfuse", "fuse.glusterfs",
        "fuse.grpcfuse", "fuse.gvfsd-fuse", "fuse.juicefs", "fuse.osxfs", "fuse.rclone",
        "fuse.s3fs", "fuse.smbnetfs", "fuse.sshfs", "fuse.vmhgfs-fuse",
    }
)  # fmt: skip

MOUNTS = Path("/proc/self/mounts")

# Opening and reading are left out: covls reads the data file itself.
_TELLING_EVENTS: list[type[FileSystemEvent]] = [
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
]


class DataWatcher:
    """Watches a data file and its parallel siblings until it is closed.

    `on_change` is called from the watcher's own thread when they have changed and are quiet, and
    also at the first sign of a change and then every second while they keep changing, so that one
    can see who is at work. It is not called for what does not change the fingerprint, such as
    reading. The folder need not exist yet, and may go and come back.

    Watching is by file events, and by looking twice a second where the folder is on a file system
    that sends none, where the system is out of watches, or where `mode` is "poll". If that was not
    asked for, `on_notice` is told why, once. With mode "off" nothing is watched.
    """

    def __init__(
        self,
        data_file: Path,
        on_change: Callable[[], None],
        *,
        mode: WatchMode = "auto",
        on_notice: Callable[[str], None] = logger.warning,
        make_observer: Callable[[], BaseObserver] = Observer,
    ) -> None:
        self._data_file = data_file
        self._on_change = on_change
        self._on_notice = on_notice
        self._mode = mode
        self._make_observer = make_observer
        self._observer: BaseObserver | None = None
        self._watches: dict[_Folder, ObservedWatch] = {}
        self._polling = mode == "poll"
        self._reported_at = float("-inf")
        self._closing = threading.Event()
        self._stirred = threading.Event()
        # What was there before counts as known, so that nothing which changes from here on is
        # missed, however late the thread starts.
        self._known = self._seen = fingerprint(data_file)
        self._changed_at = time.monotonic() - _age(self._seen)
        self._thread = threading.Thread(target=self._run, name="covls-watcher", daemon=True)
        if mode != "off":
            self._thread.start()

    @property
    def polling(self) -> bool:
        """Whether the data is looked at again and again, for want of file events."""
        return self._polling

    def quiet_for(self) -> float:
        """Seconds since the data last changed: by the clock of its files until a change is seen."""
        return time.monotonic() - self._changed_at

    def close(self) -> None:
        """Stop. `on_change` is not called any more once this returns, and nothing hangs.

        May be called more than once, and from `on_change` itself.
        """
        self._closing.set()
        self._stirred.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(PATIENCE)

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self._arm()
                if fingerprint(self._data_file) != self._known:
                    self._wait_until_quiet()
                self._stirred.wait(POLL if self._polling else HEARTBEAT)
                self._stirred.clear()
        finally:
            self._stop_observer()

    def _wait_until_quiet(self) -> None:
        """Follow a change until nothing changes any more, and report it on the way and then."""
        while not self._closing.is_set():
            now, seen = time.monotonic(), fingerprint(self._data_file)
            if seen != self._seen:
                self._seen, self._changed_at = seen, now
            if now - self._changed_at >= QUIET:
                # It may also have changed back: a folder was moved away and returned.
                if seen != self._known:
                    self._known = seen
                    self._report()
                return
            if now - self._reported_at >= AT_LATEST:
                self._report()
            self._closing.wait(STEP)

    def _report(self) -> None:
        try:
            self._on_change()
        except Exception:
            logger.exception("What follows a change of %s failed", self._data_file)
        self._reported_at = time.monotonic()

    # File events

    def _arm(self) -> None:
        """Watch the folders that matter now, which change as folders appear and disappear."""
        if self._polling:
            return
        folders = _folders_to_watch(self._data_file)
        # A folder may appear while its ancestor is being armed: so look again until all is still.
        while set(folders) != set(self._watches) and not self._closing.is_set():
            if self._mode == "auto" and (kind := _remote_file_system(folders)):
                self._poll_instead(f"is on a {kind} file system, which does not tell of changes")
                return
            try:
                self._watch(folders)
            except (FileNotFoundError, NotADirectoryError):
                return  # It is just being removed. The next heartbeat sees where that ended.
            except OSError as error:
                self._poll_instead(f"cannot be watched ({error.strerror or error})")
                return
            folders = _folders_to_watch(self._data_file)

    def _watch(self, folders: list["_Folder"]) -> None:
        if self._observer is None:
            self._observer = self._make_observer()
            self._observer.start()
        for folder in self._watches.keys() - set(folders):
            self._observer.unschedule(self._watches.pop(folder))
        handler = _Stir(self._data_file, self._stirred)
        for folder in folders:
            if folder not in self._watches:
                self._watches[folder] = self._observer.schedule(
                    handler, str(folder.path), event_filter=_TELLING_EVENTS
                )

    def _poll_instead(self, why: str) -> None:
        self._stop_observer()
        self._polling = True
        self._on_notice(
            f"{self._data_file.parent} {why}: "
            f"covls looks for new coverage data every {POLL} s instead."
        )

    def _stop_observer(self) -> None:
        observer, self._observer = self._observer, None
        self._watches.clear()
        if observer is not None:
            observer.stop()
            if observer.is_alive():
                observer.join(PATIENCE)


class _Stir(FileSystemEventHandler):
    """Wakes the watcher for events that may concern the data file or the way to it."""

    def __init__(self, data_file: Path, stirred: threading.Event) -> None:
        self._names = {data_file.name, _target(data_file).name}
        self._stirred = stirred

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.is_directory or any(
            self._concerns(Path(os.fsdecode(path)).name)
            for path in (event.src_path, event.dest_path)
        ):
            self._stirred.set()

    def _concerns(self, name: str) -> bool:
        return any(name == own or name.startswith(f"{own}.") for own in self._names)


@dataclass(frozen=True, slots=True)
class _Folder:
    """An existing folder, as this very folder: another one of the same name differs."""

    path: Path
    device: int
    inode: int


def _folders_to_watch(data_file: Path) -> list[_Folder]:
    """The folders of the data file and of what it links to, or what exists on the way to them."""
    found = [_nearest_folder(data_file.parent)]
    if (target := _target(data_file)) != data_file:
        found.append(_nearest_folder(target.parent))
    return [folder for folder in found if folder is not None]


def _nearest_folder(path: Path) -> _Folder | None:
    for candidate in (path, *path.parents):
        try:
            status = candidate.stat()
            # The observer watches links themselves, not where they lead.
            real = candidate.resolve()
        except (OSError, RuntimeError):
            continue
        if stat.S_ISDIR(status.st_mode):
            return _Folder(real, status.st_dev, status.st_ino)
    return None


def _target(data_file: Path) -> Path:
    """Where the data file is in the end, all links followed."""
    try:
        return data_file.resolve()
    except (OSError, RuntimeError):  # A loop of links: an error of its own kind until Python 3.13.
        return data_file


def _remote_file_system(folders: list[_Folder]) -> str | None:
    """The type of the first file system among the folders' that sends no reliable events."""
    try:
        mounts = MOUNTS.read_text(errors="surrogateescape")
    except OSError:
        return None  # Not Linux: watching there works on network file systems, or fails.
    types: dict[str, str] = {}
    for line in mounts.splitlines():
        _, place, kind, *_ = line.split(" ")
        types[_unescape(place)] = kind
    for folder in folders:
        way_up = (folder.path, *folder.path.parents)
        mount = next((place for place in map(str, way_up) if place in types), None)
        if mount is not None and (kind := types[mount]) in REMOTE_FILE_SYSTEMS:
            return kind
    return None


def _unescape(place: str) -> str:
    """A mount point as /proc/mounts writes it: blanks and backslashes as three octal digits."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), place)


def _age(seen: Fingerprint) -> float:
    """Seconds since the newest of the files was written, as far as clocks can be trusted."""
    newest = max((stamp.mtime_ns for stamp in seen.files), default=0)
    return max(0.0, time.time() - newest / 1e9)
