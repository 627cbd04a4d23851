"""Real files changing in real folders, watched by file events and by polling."""

import errno
import itertools
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import coverage
import pytest
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from covls.adapters import watcher
from covls.adapters.data_file import Fingerprint, fingerprint
from covls.adapters.watcher import AT_LATEST, POLL, QUIET, DataWatcher
from covls.core.settings import WatchMode

PATIENCE = 60.0
"""Seconds until a test gives up waiting for what takes a tenth of one: the machine may be busy."""


class Report(NamedTuple):
    """When a change was reported, how the data looked then, and whether it was quiet."""

    at: float
    data: Fingerprint
    quiet: bool


class Watching:
    """A watcher under test, and what it reported."""

    def __init__(self, data_file: Path, mode: WatchMode = "native", **options: object) -> None:
        self.data_file = data_file
        self.reports: list[Report] = []
        self.notices: list[str] = []
        self.watcher = DataWatcher(
            data_file,
            self._report,
            mode=mode,
            on_notice=self.notices.append,
            **options,  # type: ignore[arg-type]
        )

    def _report(self) -> None:
        quiet = self.watcher.quiet_for() >= QUIET
        self.reports.append(Report(time.monotonic(), fingerprint(self.data_file), quiet))

    def wait_until_told(self) -> float:
        """Wait until the last report was of the data as it is now, and quiet; when that came."""
        now = fingerprint(self.data_file)

        def told() -> bool:
            return bool(self.reports) and self.reports[-1].quiet and self.reports[-1].data == now

        wait_for(told, f"a report of {now}, got {self.reports}")
        return self.reports[-1].at

    def hears_nothing_from(self, act: Callable[[], object]) -> None:
        before = len(self.reports)
        act()
        time.sleep(POLL + 2 * QUIET)  # A report that must not come can only be waited for.
        assert self.reports[before:] == []

    def wait_until_armed(self, *folders: Path) -> None:
        """Wait until file events are asked for from just these folders."""
        if self.watcher.polling:
            return
        expected = {folder.resolve() for folder in folders}
        wait_for(
            lambda: {folder.path for folder in self.watcher._watches} == expected,
            f"{expected} to be watched, not {list(self.watcher._watches)}",
        )


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)


Watch = Callable[..., Watching]


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Makes watchers, and sees to it that they leave no thread behind."""
    made: list[Watching] = []

    def make(data_file: Path, mode: WatchMode = "native", **options: object) -> Watching:
        made.append(Watching(data_file, mode, **options))
        return made[-1]

    before = set(threading.enumerate())
    yield make
    for watching in made:
        watching.watcher.close()
    wait_for(lambda: set(threading.enumerate()) <= before, "all threads to end")


@pytest.fixture(params=["native", "poll"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def data_file(tmp_path: Path) -> Path:
    file = tmp_path / "project" / ".coverage"
    file.parent.mkdir()
    file.write_text("first")
    return file


def replace(data_file: Path) -> None:
    new = data_file.with_name("new")
    new.write_text("other")
    new.replace(data_file)


def restore_old(data_file: Path) -> None:
    """As a backup tool does: same size, and older than what was there."""
    data_file.write_text("sec")
    os.utime(data_file, (1_000_000, 1_000_000))


def link_elsewhere(data_file: Path) -> None:
    target = data_file.parent.parent / "target"
    target.write_text("linked")
    data_file.unlink()
    data_file.symlink_to(target)


CHANGES: dict[str, Callable[[Path], object]] = {
    "rewritten": lambda data_file: data_file.write_text("second"),
    "replaced": replace,
    "restored": restore_old,
    "deleted": lambda data_file: data_file.unlink(),
    "renamed": lambda data_file: data_file.rename(data_file.with_name("away")),
    "linked": link_elsewhere,
    "part": lambda data_file: data_file.with_name(".coverage.host.pid1.Xabcdefx").write_text("p"),
    "folder": lambda data_file: shutil.rmtree(data_file.parent),
    "moved": lambda data_file: data_file.parent.rename(data_file.parent.with_name("moved")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_way_to_change_data_is_reported(
    change: str, mode: WatchMode, data_file: Path, watch: Watch
) -> None:
    watching = watch(data_file, mode)
    watching.wait_until_armed(data_file.parent)
    CHANGES[change](data_file)
    watching.wait_until_told()


def test_parts_that_come_and_are_combined(mode: WatchMode, data_file: Path, watch: Watch) -> None:
    watching = watch(data_file, mode)
    parts = [data_file.with_name(f".coverage.host.pid{n}.Xabcdefx") for n in (1, 2)]
    for part in parts:
        part.write_text("p")
        watching.wait_until_told()
    data_file.write_text("combined")
    for part in parts:
        part.unlink()
    watching.wait_until_told()
    assert len(watching.reports[-1].data.files) == 1


def test_a_change_between_construction_and_the_first_look_counts(
    mode: WatchMode, data_file: Path, watch: Watch
) -> None:
    watching = watch(data_file, mode)
    data_file.write_text("second")
    watching.wait_until_told()


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_the_last_state_is_reported(
    seed: int, mode: WatchMode, data_file: Path, watch: Watch
) -> None:
    chance = random.Random(seed)
    watching = watch(data_file, mode)
    for _ in range(100):
        change = CHANGES[chance.choice(list(CHANGES))]
        shutil.rmtree(data_file.parent.with_name("moved"), ignore_errors=True)
        data_file.parent.mkdir(exist_ok=True)
        if not data_file.exists():
            data_file.write_text("again")
        change(data_file)
        time.sleep(chance.choice([0, 0, 0.001, 0.02]))
    watching.wait_until_told()


def test_reading_is_no_change(mode: WatchMode, tmp_path: Path, watch: Watch) -> None:
    data_file = tmp_path / ".coverage"
    data = coverage.CoverageData(str(data_file))
    data.add_lines({"a.py": [1, 2]})
    data.close()
    watching = watch(data_file, mode)
    watching.wait_until_armed(tmp_path)

    def read() -> None:
        connection = sqlite3.connect(f"{data_file.as_uri()}?mode=ro", uri=True)
        assert connection.execute("select count(*) from file").fetchone() == (1,)
        connection.close()
        assert data_file.read_bytes()

    watching.hears_nothing_from(read)


def test_other_files_are_no_change(mode: WatchMode, data_file: Path, watch: Watch) -> None:
    watching = watch(data_file, mode)
    watching.wait_until_armed(data_file.parent)

    def work() -> None:
        data_file.with_name("module.py").write_text("x = 1")
        data_file.with_name(".coverage-journal").write_text("j")
        data_file.with_name(".coverage.host.pid1.Xabcdefx-journal").write_text("j")
        data_file.with_name(".coveragerc").write_text("[run]")
        data_file.with_name("folder").mkdir()

    watching.hears_nothing_from(work)


def test_a_folder_that_appears_later(mode: WatchMode, tmp_path: Path, watch: Watch) -> None:
    data_file = tmp_path / "build" / "deep" / "er" / ".coverage"
    watching = watch(data_file, mode)
    watching.wait_until_armed(tmp_path)
    data_file.parent.mkdir(parents=True)
    watching.wait_until_armed(data_file.parent)
    data_file.write_text("first")
    watching.wait_until_told()


def test_a_folder_that_appears_with_the_data_in_it(
    mode: WatchMode, tmp_path: Path, watch: Watch
) -> None:
    data_file = tmp_path / "build" / ".coverage"
    watching = watch(data_file, mode)
    watching.wait_until_armed(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".coverage").write_text("first")
    elsewhere.rename(data_file.parent)
    watching.wait_until_told()


@pytest.mark.parametrize("leave", [shutil.rmtree, lambda f: f.rename(f.with_name("gone"))])
def test_a_folder_that_goes_and_comes_back(
    leave: Callable[[Path], object], mode: WatchMode, data_file: Path, watch: Watch
) -> None:
    watching = watch(data_file, mode)
    watching.wait_until_armed(data_file.parent)
    for text in ("second", "the third"):
        leave(data_file.parent)
        watching.wait_until_told()
        data_file.parent.mkdir()
        data_file.write_text(text)
        watching.wait_until_told()
        shutil.rmtree(data_file.parent.with_name("gone"), ignore_errors=True)


def test_a_data_file_that_is_a_link(mode: WatchMode, tmp_path: Path, watch: Watch) -> None:
    target = tmp_path / "store" / "data"
    data_file = tmp_path / "project" / ".coverage"
    target.parent.mkdir()
    data_file.parent.mkdir()
    data_file.symlink_to(target)
    watching = watch(data_file, mode)
    watching.wait_until_armed(data_file.parent, target.parent)
    target.write_text("written through the link, or not")
    watching.wait_until_told()
    replace(target)
    watching.wait_until_told()
    data_file.unlink()
    watching.wait_until_told()


def test_a_folder_that_is_a_link(mode: WatchMode, tmp_path: Path, watch: Watch) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    watching = watch(tmp_path / "link" / ".coverage", mode)
    watching.wait_until_armed(real)
    (real / ".coverage").write_text("first")
    watching.wait_until_told()


def test_a_loop_of_links(mode: WatchMode, tmp_path: Path, watch: Watch) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    as_file, in_folder = watch(loop, mode), watch(loop / ".coverage", mode)
    as_file.wait_until_armed(tmp_path)
    in_folder.wait_until_armed(tmp_path)
    loop.unlink()
    loop.mkdir()
    (loop / ".coverage").write_text("first")
    in_folder.wait_until_told()


@pytest.mark.parametrize("name", ["mit Leerzeichen", "größer", "a'b\"c", "nl\nnl", "back\\slash"])
def test_odd_names(name: str, tmp_path: Path, watch: Watch) -> None:
    folder = tmp_path / name
    folder.mkdir()
    watching = watch(folder / ".coverage", "auto")
    watching.wait_until_armed(folder)
    (folder / ".coverage").write_text("first")
    watching.wait_until_told()


@pytest.mark.alone
def test_a_change_is_reported_within_a_quarter_of_a_second(data_file: Path, watch: Watch) -> None:
    watching = watch(data_file)
    watching.wait_until_armed(data_file.parent)
    delays: list[float] = []
    # A busy machine may be late now and then, but not each time.
    while len(delays) < 3 or (min(delays) > 0.25 and len(delays) < 50):
        data_file.write_text(f"change {len(delays)}")
        written = time.monotonic()
        delays.append(watching.wait_until_told() - written)
    assert min(delays) <= 0.25, delays
    assert min(delays) >= QUIET - 0.02, "and not before it is quiet"


def test_a_file_that_never_rests_is_reported_all_the_same(
    mode: WatchMode, data_file: Path, watch: Watch
) -> None:
    watching = watch(data_file, mode)
    watching.wait_until_armed(data_file.parent)
    began = time.monotonic()
    resting = threading.Event()

    def write() -> None:
        text = ""
        while not resting.wait(QUIET / 3):  # The pace of a run that writes after every test.
            text += "more "
            data_file.write_text(text)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        # The first sign is told at once, for somebody is at work, and then it goes on.
        wait_for(lambda: len(watching.reports) >= 3, "reports while it does not rest")
    finally:
        resting.set()
        writer.join()
    during = [report.at - began for report in watching.reports if not report.quiet]
    watching.wait_until_told()
    gaps = [after - before for before, after in itertools.pairwise(during)]
    assert min(gaps, default=AT_LATEST) >= AT_LATEST - 0.05, during


def test_what_changes_back_is_not_reported_as_quiet(data_file: Path, watch: Watch) -> None:
    watching = watch(data_file)
    watching.wait_until_armed(data_file.parent)
    away = data_file.with_name("away")

    data_file.rename(away)
    wait_for(lambda: len(watching.reports) == 1, "the first sign")
    away.rename(data_file)
    time.sleep(2 * QUIET)
    assert len(watching.reports) == 1


def test_quiet_before_any_change_is_by_the_clock_of_the_file(data_file: Path, watch: Watch) -> None:
    hour_ago = time.time() - 3600
    os.utime(data_file, (hour_ago, hour_ago))
    assert watch(data_file).watcher.quiet_for() == pytest.approx(3600, abs=PATIENCE)


def test_a_file_from_the_future_is_quiet_since_now(data_file: Path, watch: Watch) -> None:
    ahead = time.time() + 3600
    os.utime(data_file, (ahead, ahead))
    assert 0 <= watch(data_file).watcher.quiet_for() < PATIENCE


def test_off_is_off(data_file: Path, watch: Watch) -> None:
    watching = watch(data_file, "off")
    watching.hears_nothing_from(lambda: data_file.write_text("second"))


def test_closing(mode: WatchMode, data_file: Path) -> None:
    reports: list[int] = []
    watching = DataWatcher(data_file, lambda: reports.append(1), mode=mode)
    data_file.write_text("second")
    began = time.monotonic()
    watching.close()
    assert time.monotonic() - began < PATIENCE / 2
    count = len(reports)
    data_file.write_text("the third")
    time.sleep(POLL + 2 * QUIET)
    assert len(reports) == count
    watching.close()


def test_closing_from_within_a_report(data_file: Path) -> None:
    closed = threading.Event()

    def close() -> None:
        watching.close()
        closed.set()

    watching = DataWatcher(data_file, close)
    data_file.write_text("second")
    assert closed.wait(PATIENCE)
    wait_for(
        lambda: "covls-watcher" not in {t.name for t in threading.enumerate()}, "the thread to end"
    )


def test_closing_does_not_wait_for_a_report_that_hangs(data_file: Path) -> None:
    inside, release = threading.Event(), threading.Event()

    def hang() -> None:
        inside.set()
        release.wait(PATIENCE)

    watching = DataWatcher(data_file, hang)
    data_file.write_text("second")
    assert inside.wait(PATIENCE)
    began = time.monotonic()
    watching.close()
    assert time.monotonic() - began < PATIENCE / 2
    release.set()


def test_a_report_that_fails_is_logged_and_not_the_last(
    data_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[int] = []

    def fail() -> None:
        calls.append(1)
        raise RuntimeError("the loop is closed")

    watching = DataWatcher(data_file, fail)
    data_file.write_text("second")
    wait_for(lambda: len(calls) >= 2, "a second report")
    watching.close()
    assert "the loop is closed" in caplog.text


def test_no_descriptor_is_left_open(data_file: Path) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    def once() -> None:
        watching = Watching(data_file)
        watching.wait_until_armed(data_file.parent)
        watching.watcher.close()

    once()
    before = descriptors()
    for _ in range(5):
        once()
    assert descriptors() == before


# Where there are no file events


def test_a_limit_reached_when_the_observer_is_made(data_file: Path, watch: Watch) -> None:
    def make() -> BaseObserver:
        raise OSError(errno.EMFILE, "inotify instance limit reached")

    watching = watch(data_file, "auto", make_observer=make)
    data_file.write_text("second")
    watching.wait_until_told()
    assert watching.watcher.polling
    (notice,) = watching.notices
    assert notice == (
        f"{data_file.parent} cannot be watched (inotify instance limit reached): "
        "covls looks for new coverage data every 0.5 s instead."
    )


def test_a_limit_reached_later(tmp_path: Path, watch: Watch) -> None:
    """A folder appears, and there is no watch left for it."""
    made: list[BaseObserver] = []

    def make() -> BaseObserver:
        made.append(Observer())
        return made[-1]

    data_file = tmp_path / "build" / ".coverage"
    watching = watch(data_file, "native", make_observer=make)
    watching.wait_until_armed(tmp_path)

    def schedule(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")

    made[0].schedule = schedule  # type: ignore[method-assign, assignment]
    data_file.parent.mkdir()
    wait_for(lambda: watching.watcher.polling, "polling")
    data_file.write_text("first")
    watching.wait_until_told()
    assert len(watching.notices) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
@pytest.mark.parametrize("limit", ["watches", "instances"])
def test_the_system_is_really_out_of_watches(limit: str, data_file: Path, tmp_path: Path) -> None:
    """In a user namespace of its own, a process may lower the limits for itself."""
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(
            """\
            import sys, threading
            from pathlib import Path
            from covls.adapters.watcher import DataWatcher

            data_file, noticed, changed = Path(sys.argv[1]), threading.Event(), threading.Event()
            watcher = DataWatcher(
                data_file, changed.set, on_notice=lambda text: (print(text), noticed.set())
            )
            assert noticed.wait(60)
            data_file.write_text("second")
            assert changed.wait(60)
            watcher.close()
            print(*(thread.name for thread in threading.enumerate()))
            """
        )
    )
    script = f'echo 0 > /proc/sys/user/max_inotify_{limit} || exit 77; exec "$@"'
    in_namespace = ["unshare", "--user", "--map-root-user", "sh", "-c", script, "sh"]
    if subprocess.run([*in_namespace, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no user namespaces here")
    result = subprocess.run(
        [*in_namespace, sys.executable, str(program), str(data_file)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.stderr == ""
    notice, threads = result.stdout.splitlines()
    assert "limit reached): covls looks for new coverage data every 0.5 s" in notice
    assert threads == "MainThread"


@pytest.mark.skipif(sys.platform != "linux", reason="mounts are listed in /proc")
def test_a_network_file_system_is_polled(
    data_file: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "MOUNTS", data_file.with_name("mounts"))
    real = data_file.parent.resolve()
    data_file.with_name("mounts").write_text(
        "/dev/vda / ext4 rw 0 0\n"
        f"server:/export {real.parent} nfs4 rw 0 0\n"
        f"server:/other {real}\\040two ext4 rw 0 0\n"
    )
    watching = watch(data_file, "auto")
    data_file.write_text("second")
    watching.wait_until_told()
    assert watching.watcher.polling
    (notice,) = watching.notices
    assert notice == (
        f"{data_file.parent} is on a nfs4 file system, which does not tell of changes: "
        "covls looks for new coverage data every 0.5 s instead."
    )
    native = watch(data_file, "native")
    native.wait_until_armed(data_file.parent)
    assert native.notices == [], "who asks for events gets them"


@pytest.mark.parametrize(
    ("mounts", "expected", "why"),
    [
        ("/dev/a / ext4 rw 0 0", None, "a local disk"),
        ("/dev/a / ext4 rw 0 0\ns:/x /home nfs rw 0 0", "nfs", "a home on a server"),
        ("/dev/a / ext4 rw 0 0\ns:/x /home/me/p/other nfs rw 0 0", None, "another folder is"),
        ("s:/x / nfs rw 0 0\n/dev/a /home ext4 rw 0 0", None, "diskless, with a local home"),
        ("C: /home 9p rw 0 0", "9p", "a Windows drive under WSL"),
        ("s:/x /hom nfs rw 0 0", None, "a name that only begins alike"),
        ("none /home ext4 rw 0 0\nu@h: /home/me fuse.sshfs rw 0 0", "fuse.sshfs", "sshfs"),
        ("/dev/a /home ext4 rw 0 0\ns:/x /home nfs rw 0 0", "nfs", "the last mount is on top"),
        ("s:/x /home/me/p\\040q nfs rw 0 0", None, "a blank in the name"),
        ("", None, "nothing known"),
    ],
)
def test_remote_file_systems(
    mounts: str, expected: str | None, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "MOUNTS", tmp_path / "mounts")
    (tmp_path / "mounts").write_text(mounts)
    folder = watcher._Folder(Path("/home/me/p"), 0, 0)
    assert watcher._remote_file_system([folder]) == expected, why


def test_mount_points_with_blanks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "MOUNTS", tmp_path / "mounts")
    (tmp_path / "mounts").write_text("s:/x /home/my\\040files\\134x nfs rw 0 0\n")
    folder = watcher._Folder(Path("/home/my files\\x/p"), 0, 0)
    assert watcher._remote_file_system([folder]) == "nfs"
