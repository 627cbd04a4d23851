"""Command lines of a table, and real processes in real folders."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from covls.adapters import runs
from covls.adapters.runs import Kind, RunFinder, kind_of
from covls.core.arrival import RunState

PATIENCE = 30.0

linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are seen in /proc")


@pytest.mark.parametrize(
    ("command", "kind", "name"),
    [
        ("/venv/bin/python /venv/bin/pytest -q", Kind.RUNNER, "pytest"),
        ("/venv/bin/python3.12 -m pytest tests", Kind.RUNNER, "pytest"),
        ("python -mpytest", Kind.RUNNER, "pytest"),
        ("python -Im pytest", Kind.RUNNER, "pytest"),
        ("python -X dev -W error -m unittest discover", Kind.RUNNER, "unittest"),
        ("python -u -bb -m nose2", Kind.RUNNER, "nose2"),
        ("pypy3 /x/bin/py.test", Kind.RUNNER, "py.test"),
        ("python /venv/bin/tox -e py312", Kind.RUNNER, "tox"),
        ("python manage.py test app", Kind.RUNNER, "manage"),
        ("python manage.py --settings=x test", Kind.RUNNER, "manage"),
        ("python -m django test", Kind.RUNNER, "django"),
        ("python /x/lib/pytest/__main__.py", Kind.RUNNER, "pytest"),
        ("python /x/debugpy --connect 1 --wait -m pytest tests", Kind.RUNNER, "pytest"),
        ("python -m debugpy --connect 1 -m coverage run x.py", Kind.DIRECT, "coverage run"),
        ("python -m coverage run -m pytest", Kind.DIRECT, "coverage run"),
        ("python /venv/bin/coverage run --branch manage.py test", Kind.DIRECT, "coverage run"),
        ("python /venv/bin/coverage3 combine", Kind.DIRECT, "coverage combine"),
        ("coverage-3.12 erase", Kind.DIRECT, "coverage erase"),
        # What must not hold data back.
        ("python -m coverage html", Kind.READER, "coverage html"),
        ("python /venv/bin/coverage report -m", Kind.READER, "coverage report"),
        ("python /venv/bin/covls serve", Kind.READER, "covls"),
        ("python -m covls serve", Kind.READER, "covls"),
        ("python -I /x/covls/probe/analyse.py", Kind.READER, "covls.probe.analyse"),
        ("nvim test_pytest.py", Kind.OTHER, "nvim"),
        ("vim pytest", Kind.OTHER, "vim"),
        ("sh -c pytest", Kind.OTHER, "sh"),
        ("less /var/log/coverage run", Kind.OTHER, "less"),
        ("python manage.py runserver", Kind.OTHER, "manage"),
        ("python -m django runserver", Kind.OTHER, "django"),
        ("python -c import\tpytest", Kind.OTHER, "python"),
        ("python -mjson.tool pytest", Kind.OTHER, "json.tool"),
        ("python server.py -m", Kind.OTHER, "server"),
        ("/venv/bin/python /venv/bin/ptw", Kind.OTHER, "ptw"),
        ("python", Kind.OTHER, "python"),
        ("python -X", Kind.OTHER, "python"),
        ("python -m", Kind.OTHER, "python"),
        ("", Kind.OTHER, ""),
    ],
)
def test_kind_of(command: str, kind: Kind, name: str) -> None:
    assert kind_of(command.split(" ")) == (kind, name)


def test_kind_of_nothing() -> None:
    """A kernel thread, or a process that is just being born, has no command line."""
    assert kind_of([])[0] is Kind.OTHER


Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts Python programs that say when they are there, and ends them after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, cwd: Path) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=cwd,
            env={**os.environ, "PWD": str(cwd)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


WAIT = "print('ready', flush=True)\ninput()\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    for name in ("pytest.py", "script.py"):
        (root / name).write_text(WAIT)
    return root


def wait_for_state(finder: RunFinder, data_file: Path, state: RunState) -> None:
    deadline = time.monotonic() + PATIENCE
    while (run := finder.look(data_file)).state is not state:
        assert time.monotonic() < deadline, f"waited in vain for {state}, it is {run}"
        time.sleep(0.02)


def part_of(data_file: Path, pid: int, *, host: str = "", finished: bool = False) -> Path:
    host = host or socket.gethostname().replace(".", "_")
    suffix = ".HabcdefabcdefXh" if finished else ""
    part = data_file.with_name(f"{data_file.name}.{host}.pid{pid}.Xabcdefx{suffix}")
    part.write_text("part")
    return part


@linux
def test_a_run_in_the_root_from_start_to_end(root: Path, start: Start) -> None:
    data_file = root / ".coverage"
    finder = RunFinder(root)
    assert finder.look(data_file).state is RunState.UNSEEN
    process = start("pytest.py", cwd=root)
    data_file.write_text("first")
    run = finder.look(data_file)
    assert run.state is RunState.ALIVE
    assert run.name == f"pytest (process {process.pid})"
    assert not run.direct
    process.communicate(b"\n")
    assert finder.look(data_file).state is RunState.ENDED


@linux
def test_what_changes_long_after_a_run_was_not_written_by_it(
    root: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a run here, one in a container begins: that the first has ended says nothing of it."""
    data_file = root / ".coverage"
    finder = RunFinder(root)
    process = start("pytest.py", cwd=root)
    assert finder.look(data_file).alive
    process.communicate(b"\n")
    assert finder.look(data_file).state is RunState.ENDED
    monkeypatch.setattr(runs, "BETWEEN_LOOKS", 0.0)
    data_file.write_text("somebody else's")
    assert finder.look(data_file).state is RunState.UNSEEN


@linux
@pytest.mark.parametrize("where", [".", "sub/folder"])
def test_a_run_below_the_root_counts(where: str, root: Path, start: Start) -> None:
    (root / where).mkdir(parents=True, exist_ok=True)
    start(str(root / "pytest.py"), cwd=root / where)
    assert RunFinder(root).look(root / ".coverage").state is RunState.ALIVE


@linux
def test_runs_elsewhere_do_not_count(root: Path, tmp_path: Path, start: Start) -> None:
    (tmp_path / "root-two").mkdir()
    start(str(root / "pytest.py"), cwd=tmp_path / "root-two")
    start(str(root / "pytest.py"), cwd=tmp_path)
    assert RunFinder(root).look(root / ".coverage").state is RunState.UNSEEN


@linux
def test_a_root_that_is_a_link(root: Path, tmp_path: Path, start: Start) -> None:
    (tmp_path / "link").symlink_to(root)
    start("pytest.py", cwd=root)
    assert RunFinder(tmp_path / "link").look(root / ".coverage").state is RunState.ALIVE


@linux
def test_a_run_that_went_elsewhere_counts(root: Path, start: Start) -> None:
    (root / "pytest.py").write_text("import os\nos.chdir('/')\n" + WAIT)
    start("pytest.py", cwd=root)
    assert RunFinder(root).look(root / ".coverage").state is RunState.ALIVE


@linux
def test_any_program_that_measures_counts(root: Path, start: Start) -> None:
    """A project's own script runs the tests, under coverage.py's API."""
    measuring = "import coverage.tracer\n" + WAIT
    start("script.py", cwd=root)
    finder = RunFinder(root)
    assert finder.look(root / ".coverage").state is RunState.UNSEEN
    (root / "script.py").write_text(measuring)
    process = start("script.py", cwd=root)
    run = finder.look(root / ".coverage")
    assert run.state is RunState.ALIVE
    assert run.name == f"script (process {process.pid})"


@linux
def test_a_process_with_the_data_open_writes(root: Path, start: Start) -> None:
    data_file = root / ".coverage"
    data_file.write_text("data")
    (root / "script.py").write_text(
        f"import coverage.tracer\nkept = open({str(data_file)!r}, 'a')\n{WAIT}"
    )
    process = start("script.py", cwd=root)
    finder = RunFinder(root)
    assert finder.look(data_file).state is RunState.WRITING
    process.communicate(b"\n")
    assert finder.look(data_file).state is RunState.ENDED


@linux
def test_covls_itself_does_not_count(root: Path, start: Start) -> None:
    (root / "covls.py").write_text("import coverage.tracer\n" + WAIT)
    start("covls.py", cwd=root)
    analyst = root / "covls" / "probe" / "analyse.py"
    analyst.parent.mkdir(parents=True)
    analyst.write_text("import coverage.tracer\n" + WAIT)
    start(str(analyst), cwd=root)
    assert RunFinder(root).look(root / ".coverage").state is RunState.UNSEEN


# What the names of parts tell


@pytest.fixture(params=["proc", "ps"])
def finder(request: pytest.FixtureRequest, root: Path) -> RunFinder:
    """Looks at processes as on Linux, or as elsewhere, with `ps` alone."""
    if request.param == "proc" and sys.platform != "linux":
        pytest.skip("processes are seen in /proc")
    if request.param == "ps" and not Path("/bin/ps").exists():
        pytest.skip("no ps here")
    made = RunFinder(root)
    if request.param == "ps":
        made._processes = runs._Ps()
    return made


def nothing_seen(finder: RunFinder) -> RunState:
    return RunState.UNKNOWN if isinstance(finder._processes, runs._Ps) else RunState.UNSEEN


def test_the_process_in_a_parts_name_writes(
    finder: RunFinder, root: Path, tmp_path: Path, start: Start
) -> None:
    """Wherever it works, whatever it is called."""
    data_file = root / ".coverage"
    process = start(str(root / "script.py"), cwd=tmp_path)
    assert finder.look(data_file).state is nothing_seen(finder)
    part_of(data_file, process.pid)
    run = finder.look(data_file)
    assert run.state is RunState.WRITING
    assert run.name == f"script (process {process.pid})"
    process.communicate(b"\n")
    run = finder.look(data_file)
    assert run.state is RunState.ENDED
    assert run.unfinished


def test_a_part_named_by_an_older_coverage(finder: RunFinder, root: Path, start: Start) -> None:
    data_file = root / ".coverage"
    process = start(str(root / "script.py"), cwd=root.parent)
    data_file.with_name(f".coverage.{socket.gethostname()}.{process.pid}.012345").write_text("part")
    assert finder.look(data_file).state is RunState.WRITING


def test_a_finished_part_is_no_loss_when_its_process_ends(
    finder: RunFinder, root: Path, start: Start
) -> None:
    data_file = root / ".coverage"
    process = start("pytest.py", cwd=root)
    part = part_of(data_file, process.pid)
    assert finder.look(data_file).state is RunState.WRITING
    part.unlink()
    part_of(data_file, process.pid, finished=True)
    assert finder.look(data_file).alive
    process.communicate(b"\n")
    run = finder.look(data_file)
    assert run.state is RunState.ENDED
    assert not run.unfinished


def test_parts_that_were_combined(finder: RunFinder, root: Path, start: Start) -> None:
    """Then their writers write no more, though they live on, until one erases the data anew."""
    data_file = root / ".coverage"
    process = start("pytest.py", cwd=root)
    part = part_of(data_file, process.pid)
    assert finder.look(data_file).state is RunState.WRITING
    data_file.write_text("combined")
    part.unlink()
    assert finder.look(data_file).state is RunState.ENDED
    assert finder.look(data_file).state is RunState.ENDED
    data_file.unlink()
    part_of(data_file, process.pid)
    assert finder.look(data_file).state is RunState.WRITING, "pytest -f has begun once more"


def test_parts_of_other_machines(finder: RunFinder, root: Path, start: Start) -> None:
    """A container's process 1 is not the one here."""
    data_file = root / ".coverage"
    process = start(str(root / "script.py"), cwd=root.parent)
    part_of(data_file, process.pid, host="0123456789ab")
    assert finder.look(data_file).state is nothing_seen(finder)


def test_a_number_that_went_to_another_process(finder: RunFinder, root: Path, start: Start) -> None:
    """The run that left the part was killed yesterday; now its number is somebody else's."""
    data_file = root / ".coverage"
    process = start(str(root / "script.py"), cwd=root.parent)
    part = part_of(data_file, process.pid)
    yesterday = time.time() - 86400
    os.utime(part, (yesterday, yesterday))
    assert finder.look(data_file).state is nothing_seen(finder)


def test_a_part_of_nobody(finder: RunFinder, root: Path) -> None:
    data_file = root / ".coverage"
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    part_of(data_file, process.pid)
    part_of(data_file, 4_000_000_000)
    data_file.with_name(".coverage.odd").write_text("x")
    run = finder.look(data_file)
    assert run.state is nothing_seen(finder)
    assert not run.unfinished, "who wrote it, and how it ended, was not seen"


def test_a_dead_process_that_its_parent_has_not_missed_yet(
    finder: RunFinder, root: Path, start: Start
) -> None:
    data_file = root / ".coverage"
    process = start("pytest.py", cwd=root)
    part_of(data_file, process.pid)
    assert finder.look(data_file).state is RunState.WRITING
    process.kill()
    wait_for_state(finder, data_file, RunState.ENDED)


def test_without_ps(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finder = RunFinder(root)
    finder._processes = runs._Ps()
    monkeypatch.setattr(runs, "PS", "/nonexistent/ps")
    part_of(root / ".coverage", os.getpid())
    assert finder.look(root / ".coverage").state is RunState.UNKNOWN


@linux
def test_looking_is_cheap(root: Path) -> None:
    """Of a process that runs no Python, its command line is read, and nothing else."""
    opened: list[str] = []
    counting = True

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if counting and event == "open" and str(arguments[0]).startswith("/proc/"):
            opened.append(str(arguments[0]))

    with subprocess.Popen(["sleep", "600"], cwd=root) as other:
        finder = RunFinder(root)
        sys.addaudithook(note)
        finder.look(root / ".coverage")
        counting = False
        other.kill()
    assert [path for path in opened if path.startswith(f"/proc/{other.pid}/")] == [
        f"/proc/{other.pid}/cmdline"
    ]
