"""Data files of every kind, good and bad, read and compared with what coverage.py reads in them."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from coverage import CoverageData
from coverage.sqldata import SUFFIX_PATTERN
from hypothesis import given
from hypothesis import strategies as st

from covls.adapters import combination
from covls.adapters.data_file import (
    DataFileError,
    DataFileProblem,
    Snapshot,
    fingerprint,
    parallel_files,
    read_snapshot,
)
from covls.adapters.snapshot import lines_of
from tests.cli.measured import write

ContextData = Mapping[str, Mapping[str, Any]]
"""Lines or arcs by file, by context."""

BRANCHES: ContextData = {
    "": {"/src/a.py": [(-1, 1), (1, 2), (2, -1)], "/src/b.py": [(-1, 9)]},
    "test_one|run": {"/src/a.py": [(1, 2), (2, 3), (3, -3)], "/src/c.py": [(-7, 8), (8, -7)]},
    "test_two|run": {"/src/a.py": [(1, 4)]},
}
LINES: ContextData = {
    "": {"/src/a.py": [1, 2, 8, 9], "/src/b.py": []},
    "test_one|run": {"/src/a.py": [2, 3, 700], "/src/c.py": [8]},
    "test_two|run": {"/src/a.py": [1, 4]},
}


def write_data(
    path: Path, recorded: ContextData, *, arcs: bool, tracers: Mapping[str, str] | None = None
) -> Path:
    """Writes a data file with coverage.py itself."""
    data = CoverageData(str(path))
    for context, files in recorded.items():
        data.set_context(context)
        (data.add_arcs if arcs else data.add_lines)(files)
    if tracers:
        data.add_file_tracers(tracers)
    data.touch_files([name for files in recorded.values() for name in files])
    data.write()
    data.close()
    return path


def write_lines(path: Path, files: Mapping[str, Iterable[int]]) -> Path:
    return write_data(path, {"": files}, arcs=False)


def said_by_coverage(data: CoverageData, contexts: Sequence[str] = ()) -> dict[str, Any]:
    """Everything coverage.py reads in some data, by file."""
    data.set_query_contexts(list(contexts))
    return {
        path: {
            "lines": set(data.lines(path) or ()),
            "arcs": set(data.arcs(path) or ()) if data.has_arcs() else None,
            "contexts": {k: set(v) for k, v in data.contexts_by_lineno(path).items()},
            "tracer": data.file_tracer(path),
        }
        for path in data.measured_files()
    }


def said_by_us(snapshot: Snapshot, contexts: Sequence[str] = ()) -> dict[str, Any]:
    """The same by a snapshot, one file at a time."""
    said = {}
    for path in snapshot.paths:
        measured = snapshot.measured(path, contexts)
        by_line = snapshot.contexts_by_line(path, contexts)
        said[path] = {
            "lines": measured.lines,
            "arcs": measured.arcs,
            "contexts": {line: set(names) for line, names in by_line.items()},
            "tracer": snapshot.tracer(path),
        }
    return said


def folder_state(folder: Path) -> dict[str, tuple[int, int, int, bytes]]:
    return {
        path.name: (found.st_ino, found.st_size, found.st_mtime_ns, path.read_bytes())
        for path in folder.iterdir()
        if path.is_file() and (found := path.stat())
    }


@pytest.fixture(autouse=True)
def nothing_touched(tmp_path: Path) -> Iterator[Callable[[], None]]:
    """A check, to be called when the files are made, that they are the same at the end."""
    before: dict[Path, dict[str, tuple[int, int, int, bytes]]] = {}

    def files_are_made() -> None:
        before[tmp_path] = folder_state(tmp_path)

    yield files_are_made
    for folder, state in before.items():
        assert folder_state(folder) == state


@pytest.mark.parametrize("arcs", [True, False], ids=["branches", "lines"])
@pytest.mark.parametrize("contexts", [[], ["one"], ["^$"], ["two", "^test_one"], ["nothing"]])
def test_says_what_coverage_says(
    tmp_path: Path, arcs: bool, contexts: list[str], nothing_touched: Callable[[], None]
) -> None:
    path = write_data(
        tmp_path / ".coverage",
        BRANCHES if arcs else LINES,
        arcs=arcs,
        tracers={"/src/c.py": "django"},
    )
    theirs = CoverageData(shutil.copy(path, tmp_path / "copy"))
    theirs.read()
    expected = said_by_coverage(theirs, contexts)
    nothing_touched()
    with read_snapshot(path, root=tmp_path) as snapshot:
        assert said_by_us(snapshot, contexts) == expected
        all_measured = list(snapshot.all_measured(contexts))
        assert [path for path, _ in all_measured] == sorted(expected)
        assert dict(all_measured) == {p: snapshot.measured(p, contexts) for p in expected}
        assert snapshot.has_arcs is arcs
        assert set(snapshot.contexts) == theirs.measured_contexts()
        assert snapshot.has_contexts


@pytest.mark.parametrize("arcs", [True, False], ids=["branches", "lines"])
@pytest.mark.parametrize("span", [(1, 1), (2, 3), (0, 4), (5, 6), (-9, 900)])
def test_contexts_at_lines_are_those_of_each_line(
    tmp_path: Path, arcs: bool, span: tuple[int, int]
) -> None:
    path = write_data(tmp_path / ".coverage", BRANCHES if arcs else LINES, arcs=arcs)
    with read_snapshot(path, root=tmp_path) as snapshot:
        by_line = snapshot.contexts_by_line("/src/a.py")
        expected = {n for line in range(span[0], span[1] + 1) for n in by_line.get(line, ())}
        assert snapshot.contexts_at("/src/a.py", *span) == tuple(sorted(expected))


@pytest.mark.parametrize("arcs", [True, False], ids=["branches", "lines"])
@pytest.mark.parametrize("tests", [1, 64, 65, 200])
def test_the_tests_of_all_lines_are_those_of_each(tmp_path: Path, arcs: bool, tests: int) -> None:
    """Whether they are read in one part or in several; others may ask between two."""
    recorded: dict[str, dict[str, Any]] = {"": {"/src/a.py": [(-1, 1)] if arcs else [1]}}
    for number in range(tests):
        lines = [1 + number % 7, 2 + number % 11]
        ran = [(-1, lines[0]), (lines[0], lines[1])] if arcs else lines
        recorded[f"test_{number}|run"] = {"/src/a.py": ran}
    path = write_data(tmp_path / ".coverage", recorded, arcs=arcs)
    with read_snapshot(path, root=tmp_path) as snapshot:
        reached = snapshot.reached("/src/a.py")
        for line in range(14):
            expected = {
                name.removesuffix("|run") for name in snapshot.contexts_at("/src/a.py", line, line)
            }
            assert set(reached.names([line])) == expected - {""}
        reading = snapshot._by_context("/src/a.py")
        next(reading)
        with ThreadPoolExecutor(1) as other:
            assert other.submit(snapshot.contexts_at, "/src/a.py", 1, 9).result(timeout=60)
        assert len(list(reading)) == tests


SWITCHING = """
import sys
import coverage

recorded = coverage.Coverage(data_file=sys.argv[1], branch=False, config_file=False, source=["."])
recorded.start()
import both
for name, call in (("test_a", both.first), ("test_b", both.first), ("test_c", both.second)):
    # As pytest-cov does it, whatever core records.
    recorded.switch_context(name + "|run")
    call()
recorded.stop()
recorded.save()
"""


@pytest.mark.parametrize("core", ["sysmon", "pytrace"])
def test_sysmon_names_the_first_test_of_each_line_alone(tmp_path: Path, core: str) -> None:
    if core == "sysmon" and sys.version_info < (3, 12):
        pytest.skip("sys.monitoring came with Python 3.12: run it there, or later")
    write(tmp_path, {"both.py": "def first():\n    return 1\n\n\ndef second():\n    return 2\n"})
    write(tmp_path, {"record.py": SWITCHING})
    subprocess.run(
        [sys.executable, "record.py", ".coverage"],
        cwd=tmp_path,
        env={**os.environ, "COVERAGE_CORE": core},
        check=True,
    )
    with read_snapshot(tmp_path / ".coverage", root=tmp_path) as snapshot:
        found = snapshot.contexts_by_line(str(tmp_path / "both.py"))[2]
        assert found == ["test_a|run", *(["test_b|run"] if core == "pytrace" else [])]
        assert snapshot.only_first_tests == (core == "sysmon")


@pytest.mark.parametrize(
    ("arcs", "ran", "expected"),
    [
        (False, [1, 2], True),
        (True, [(1, 1), (2, 2)], True),  # As sysmon has it, from Python 3.14 on.
        (True, [(-1, 1), (1, -1)], False),  # As only the other cores have it.
    ],
)
def test_tests_that_have_nothing_in_common(
    tmp_path: Path, arcs: bool, ran: list[Any], expected: bool
) -> None:
    recorded = {"test_a|run": {"/src/a.py": ran}, "test_b|run": {"/src/b.py": ran}}
    path = write_data(tmp_path / ".coverage", recorded, arcs=arcs)
    with read_snapshot(path, root=tmp_path) as snapshot:
        assert snapshot.only_first_tests is expected


def test_a_snapshot_nobody_holds_is_closed(tmp_path: Path) -> None:
    path = write_data(tmp_path / ".coverage", BRANCHES, arcs=True)
    snapshot = read_snapshot(path, root=tmp_path)
    database = snapshot._stores[0].database
    del snapshot
    with pytest.raises(sqlite3.ProgrammingError):
        database.execute("SELECT 1")


def test_nothing_ran_of_an_unknown_file(tmp_path: Path) -> None:
    path = write_data(tmp_path / ".coverage", BRANCHES, arcs=True)
    with read_snapshot(path, root=tmp_path) as snapshot:
        assert not snapshot.measured("/elsewhere.py").lines
        assert snapshot.contexts_by_line("/elsewhere.py") == {}
        assert snapshot.contexts_at("/elsewhere.py", 1, 9) == ()
        assert snapshot.tracer("/elsewhere.py") == ""


def test_a_wrong_context_regex_is_named(tmp_path: Path) -> None:
    path = write_data(tmp_path / ".coverage", BRANCHES, arcs=True)
    with read_snapshot(path, root=tmp_path) as snapshot:
        with pytest.raises(ValueError, match=r"Invalid context regex '\(one'"):
            snapshot.measured("/src/a.py", ["two", "(one"])
        assert snapshot.measured("/src/a.py", ["two"]).lines == {1, 4}


@given(st.sets(st.integers(0, 5000)))
def test_numbits_are_read_as_coverage_writes_them(numbers: set[int]) -> None:
    from coverage.numbits import nums_to_numbits

    assert lines_of(int.from_bytes(nums_to_numbits(numbers), "little")) == numbers


NAMES = ["with space", "qu?ery", "ha#sh", "per%20cent", "ünïcode-文件", "a&b=c;d", "q'uote\"s"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_will_do(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    path = write_lines(folder / f".{name}", {"/a.py": [1]})
    write_lines(folder / f".{name}.part", {"/b.py": [2]})
    with read_snapshot(path, root=folder) as snapshot:
        assert snapshot.paths == {"/a.py", "/b.py"}
    assert len(list(folder.iterdir())) == 2


# Bad files.


def executed(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for statement in statements:
            database.execute(statement)
    return path


def good(path: Path) -> Path:
    return write_data(path, BRANCHES, arcs=True)


def large(path: Path) -> Path:
    many = {f"/src/{n}.py": [(line, line + 1) for line in range(300)] for n in range(40)}
    return write_data(path, {"": many}, arcs=True)


def cut(path: Path, size: int) -> None:
    large(path)
    os.truncate(path, size)


def spoilt(path: Path) -> None:
    content = bytearray(large(path).read_bytes())
    content[4096 : 4096 * 8] = bytes(range(256)) * 16 * 7
    path.write_bytes(content)


def with_journal(path: Path) -> None:
    """A transaction that was cut short by the death of its process, in SQLite's ordinary mode."""
    good(path)
    program = f"""
import os, sqlite3
database = sqlite3.connect({str(path)!r}, isolation_level=None)
database.execute("pragma cache_size = 1")
database.execute("begin")
for number in range(3000):
    database.execute("insert into context (context) values (?)", [f"context {{number}}"])
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    assert Path(f"{path}-journal").stat().st_size > 512


@dataclass(frozen=True)
class Bad:
    """One way for a data file to be unusable, and what has to be said of it."""

    make: Callable[[Path], object]
    kind: DataFileProblem
    says: str


BAD = {
    "missing": Bad(lambda _path: None, DataFileProblem.MISSING, "does not exist"),
    "empty": Bad(lambda path: path.touch(), DataFileProblem.EMPTY, "is empty"),
    "a folder": Bad(lambda path: path.mkdir(), DataFileProblem.FOREIGN, "it is a folder"),
    "a pipe": Bad(os.mkfifo, DataFileProblem.FOREIGN, "not a regular file"),
    "text": Bad(lambda path: path.write_text("x" * 999), DataFileProblem.FOREIGN, "not a SQLite"),
    "coverage 4": Bad(
        lambda path: path.write_text(
            "!coverage.py: This is a private format, don't read it directly!"
            '{"lines":{"/src/a.py":[1,2]}}'
        ),
        DataFileProblem.OLDER,
        "coverage.py 4",
    ),
    "other database": Bad(
        lambda path: executed(path, "create table t (x)"),
        DataFileProblem.FOREIGN,
        "no such table: coverage_schema",
    ),
    "no version": Bad(
        lambda path: executed(good(path), "delete from coverage_schema"),
        DataFileProblem.FOREIGN,
        "version of its schema",
    ),
    "a table less": Bad(
        lambda path: executed(good(path), "drop table arc"),
        DataFileProblem.FOREIGN,
        "no such table: arc",
    ),
    "newer schema": Bad(
        lambda path: executed(good(path), "update coverage_schema set version = 8"),
        DataFileProblem.NEWER,
        "Upgrade covls",
    ),
    "older schema": Bad(
        lambda path: executed(good(path), "update coverage_schema set version = 2"),
        DataFileProblem.OLDER,
        "Run the tests again",
    ),
    "cut in its header": Bad(lambda p: cut(p, 60), DataFileProblem.TRUNCATED, "its header"),
    "cut": Bad(lambda p: cut(p, 40_000), DataFileProblem.TRUNCATED, "malformed"),
    "spoilt": Bad(spoilt, DataFileProblem.TRUNCATED, "malformed"),
    "journal left": Bad(with_journal, DataFileProblem.JOURNAL, "-journal"),
    "write-ahead": Bad(
        lambda path: executed(good(path), "pragma journal_mode = wal"),
        DataFileProblem.FOREIGN,
        "write-ahead",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_named_with_its_way_out(
    tmp_path: Path, name: str, nothing_touched: Callable[[], None]
) -> None:
    bad = BAD[name]
    path = tmp_path / ".coverage"
    bad.make(path)
    nothing_touched()
    with pytest.raises(DataFileError) as raised, read_snapshot(path, root=tmp_path) as snapshot:
        list(snapshot.all_measured())
    assert raised.value.kind is bad.kind
    message = str(raised.value)
    assert str(path) in message
    assert bad.says in message
    assert "\n" not in message
    assert message.endswith(".")


@pytest.mark.parametrize("name", [name for name in BAD if name != "missing"])
def test_a_bad_part_is_left_out_and_named(
    tmp_path: Path, name: str, nothing_touched: Callable[[], None]
) -> None:
    path = good(tmp_path / ".coverage")
    part = tmp_path / ".coverage.host.1"
    BAD[name].make(part)
    good(tmp_path / ".coverage.host.2")
    nothing_touched()
    with read_snapshot(path, root=tmp_path) as snapshot:
        (problem,) = snapshot.problems
        assert str(part) in problem
        assert BAD[name].says in problem or name == "spoilt"
        assert [part.path.name for part in snapshot.parts] == [".coverage", ".coverage.host.2"]
        assert snapshot.measured("/src/a.py", ["two"]).lines == {1, 4}


def test_a_large_part_that_proves_damaged_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(combination, "_LARGE", 0)
    path = good(tmp_path / ".coverage")
    part = large(tmp_path / ".coverage.1")
    content = part.read_bytes()
    part.write_bytes(content[:-80_000] + bytes(80_000))
    with (
        read_snapshot(path, root=tmp_path) as snapshot,
        pytest.raises(DataFileError, match="malformed") as raised,
    ):
        list(snapshot.all_measured())
    assert str(part) in str(raised.value)


@pytest.mark.skipif(
    os.geteuid() == 0, reason="root may read everything: run the tests as another user"
)
def test_no_permission(tmp_path: Path) -> None:
    path = good(tmp_path / ".coverage")
    path.chmod(0)
    with pytest.raises(DataFileError, match="cannot be opened") as raised:
        read_snapshot(path, root=tmp_path)
    assert raised.value.kind is DataFileProblem.PERMISSION


def test_a_folder_that_cannot_be_entered_is_a_matter_of_permission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's word is passed on; tests may run as root, for whom nothing is forbidden."""
    path = good(tmp_path / ".coverage")

    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(DataFileError, match="Permission denied") as raised:
        read_snapshot(path, root=tmp_path)
    assert raised.value.kind is DataFileProblem.PERMISSION


def test_a_locked_file_is_given_up_by_the_deadline(tmp_path: Path) -> None:
    path = good(tmp_path / ".coverage")
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("begin exclusive")
        with pytest.raises(DataFileError, match="another process") as raised:
            read_snapshot(path, root=tmp_path, deadline=0.2)
        assert raised.value.kind is DataFileProblem.BUSY
        writer.execute("rollback")
    with read_snapshot(path, root=tmp_path, deadline=0.2) as snapshot:
        assert len(snapshot.paths) == 3


def test_a_writer_that_has_not_written_yet_does_not_matter(tmp_path: Path) -> None:
    path = good(tmp_path / ".coverage")
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("begin immediate")
        writer.execute("delete from arc")
        with read_snapshot(path, root=tmp_path, deadline=0.2) as snapshot:
            assert snapshot.measured("/src/b.py").arcs == frozenset({(-1, 9)})
        writer.execute("rollback")


def test_a_large_copy_is_not_held_in_memory(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = write_lines(tmp_path / ".coverage", {"/src/a.py": [1]})
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("pragma journal_mode = off")
        database.executemany(
            "insert into line_bits values (1, ?, zeroblob(200000))",
            ((context,) for context in range(9, 509)),
        )
    assert path.stat().st_size > 90 << 20
    program = f"""
import resource
from pathlib import Path
from covls.adapters.data_file import read_snapshot
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with read_snapshot(Path({str(path)!r}), root=Path("/")) as snapshot:
    list(snapshot.all_measured())
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(done.stdout) * unit < 30 << 20
    assert resource


# Parallel files and [paths].

DUMP = """
import json, sys, coverage
sys.path.insert(0, "")
cov = coverage.Coverage(messages=False)
cov.load()
cov.combine(strict=False, keep=True)
cov._prepare_data_for_reporting()
data = cov.get_data()
print(json.dumps({
    "has_arcs": data.has_arcs(),
    "contexts": sorted(data.measured_contexts()),
    "files": {
        path: [
            sorted(data.lines(path)),
            sorted(data.arcs(path)) if data.has_arcs() else None,
            {line: sorted(names) for line, names in data.contexts_by_lineno(path).items()},
            data.file_tracer(path),
        ]
        for path in data.measured_files()
    },
}))
"""


def combined_by_coverage(root: Path) -> dict[str, Any]:
    """What the reports of coverage.py would say of a folder. Changes the data file there."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", DUMP],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def combined_by_us(snapshot: Snapshot) -> dict[str, Any]:
    said: dict[str, Any] = {
        "has_arcs": snapshot.has_arcs,
        "contexts": list(snapshot.contexts),
        "files": {
            path: [
                sorted(measured.lines),
                None if measured.arcs is None else sorted(measured.arcs),
                snapshot.contexts_by_line(path),
                snapshot.tracer(path),
            ]
            for path, measured in snapshot.all_measured()
        },
    }
    return json.loads(json.dumps(said))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Case:
    """A folder with data in parts; `{root}` in a path is the folder itself."""

    why: str
    parts: Mapping[str, Sequence[str]]
    paths: Mapping[str, Sequence[str]] = field(default_factory=dict)
    local: Sequence[str] = ("src/a.py", "src/pkg/b.py", "lib/src/a.py")
    relative: bool = False


HOST = ".coverage.host.pid{}.X{}x"
CASES = [
    Case("the data file alone", {".coverage": ["{root}/src/a.py", "/ci/src/a.py"]}),
    Case("data file and parts", {".coverage": ["/x.py"], ".coverage.1": ["/x.py", "/y.py"]}),
    Case("parts alone", {".coverage.1": ["/x.py"], ".coverage.2": ["/x.py", "/y.py"]}),
    Case(
        "the same hash twice, read once",
        {
            HOST.format(1, "abcdef") + ".H0123456789h": ["/x.py"],
            HOST.format(2, "ghijkl") + ".H0123456789h": ["/y.py"],
            HOST.format(3, "ghijkl") + ".H1123456789h": ["/z.py"],
        },
    ),
    Case("journals are no parts", {".coverage": ["/x.py"], ".coverage.1-journal": ["/y.py"]}),
    Case("a namesake is no part", {".coverage": ["/x.py"], ".coveragerc2": ["/y.py"]}),
    Case(
        "two machines, one place here",
        {
            ".coverage.1": ["/ci/checkout/src/a.py", "/ci/checkout/src/gone.py"],
            ".coverage.2": [r"C:\ci\src\a.py", r"c:\CI\src\pkg\b.py", r"C:\ci\other\a.py"],
        },
        {"source": ["src", "/ci/checkout/src", r"c:\ci\src"]},
    ),
    Case(
        "the data file is mapped too",
        {".coverage": ["/ci/src/a.py", "{root}/src/a.py"]},
        {"source": ["src/", "/ci/src/"]},
    ),
    Case(
        "wildcards",
        {".coverage": ["/tox/py311/lib/site-packages/pkg/b.py", "/z/site-packages/a.py"]},
        {"source": ["src", "*/site-packages"]},
    ),
    Case(
        "wildcards within a component, and a relative pattern",
        {".coverage.1": ["/ci/build-17/s/a.py", "{root}/build/pkg/b.py", "/ci/build/x/s/a.py"]},
        {"source": ["./src", "/ci/build-*/s", "build"]},
    ),
    Case(
        "the first rule whose result exists",
        {".coverage.1": ["/ci/src/a.py", "/ci/src/pkg/b.py"]},
        {"first": ["lib/src", "/ci/src"], "second": ["src", "/ci/src"]},
    ),
    Case(
        "windows paths keep their slashes where nothing maps them",
        {".coverage": [r"C:\ci\x.py"]},
    ),
    Case(
        "combined windows paths change theirs",
        {".coverage": [r"C:\ci\x.py"], ".coverage.1": [r"C:\ci\x.py", r"C:\ci\y.py"]},
    ),
    Case(
        "results that do not exist",
        {".coverage": ["/ci/a.py"], ".coverage.1": ["/ci/pkg/b.py"]},
        {"source": ["nowhere", "/ci"]},
    ),
    Case("a result in windows' style", {".coverage": ["/ci/a.py"]}, {"source": [r"c:\src", "/ci"]}),
    Case("the name is replaced once", {".coverage": ["/ci/ci/a.py"]}, {"s": ["src", "/ci/ci"]}),
    Case(
        "relative files",
        {
            ".coverage": ["src/a.py"],
            ".coverage.1": ["src/a.py", "/ci/src/pkg/b.py", "{root}/lib/src/a.py", "a.py"],
            ".coverage.2": [r"src\a.py", r"D:\ci\src\a.py", "other/a.py"],
        },
        relative=True,
    ),
    Case(
        "absolute before relative, where no rule is made up yet",
        {".coverage.1": ["/ci/src/a.py", "src/pkg/b.py"], ".coverage.2": ["/ci/src/a.py"]},
        relative=True,
    ),
    Case(
        "relative files with rules",
        {
            ".coverage": ["/ci/src/a.py", "lib/src/a.py"],
            ".coverage.1": ["/tmp/x/site-packages/pkg/b.py", "src/a.py", "./src/a.py"],
        },
        {"source": ["src", "*/site-packages", "/ci/src"], "lib": ["./lib/src", "elsewhere/src"]},
        relative=True,
    ),
    Case(
        "a result of just a dot",
        {".coverage.1": ["/ci/src/a.py", "src/a.py"]},
        {"all": [".", "/ci"]},
        relative=True,
    ),
    Case("inside an archive", {".coverage.1": ["/ci/p.zip/m.py"]}, {"s": ["pack", "/ci"]}),
]


def recorded_for(case: Case, number: int, name: str, *, arcs: bool) -> ContextData:
    """Data that differs by part and file, and overlaps."""
    start = number * 3 + len(name)
    if arcs:
        return {
            "": {name: [(-1, 1), (1, start), (start, -1)]},
            f"test_{number}": {name: [(1, start + 9)]},
            "test_all": {name: [(1, 2)]},
        }
    return {"": {name: [1, start]}, f"test_{number}": {name: [2]}, "test_all": {name: [start + 9]}}


@pytest.mark.parametrize("large", [False, True], ids=["one database", "several"])
@pytest.mark.parametrize("arcs", [True, False], ids=["branches", "lines"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.why)
def test_combines_as_coverage_does(
    tmp_path: Path,
    case: Case,
    arcs: bool,
    large: bool,
    nothing_touched: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if large:
        monkeypatch.setattr(combination, "_LARGE", 0)
    for name in case.local:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "p.zip").write_text("")
    rc = f"[run]\nrelative_files = {case.relative}\n[paths]\n"
    rc += "".join(f"{name} =\n  " + "\n  ".join(each) + "\n" for name, each in case.paths.items())
    (tmp_path / ".coveragerc").write_text(rc)
    for number, (part, names) in enumerate(case.parts.items()):
        recorded: dict[str, dict[str, Any]] = {}
        for each in names:
            name = each.replace("{root}", str(tmp_path))
            for context, files in recorded_for(case, number, name, arcs=arcs).items():
                recorded.setdefault(context, {}).update(files)
        write_data(tmp_path / part, recorded, arcs=arcs)
    nothing_touched()
    # The server's own folder must not matter.
    with read_snapshot(
        tmp_path / ".coverage", root=tmp_path, paths=case.paths, relative_files=case.relative
    ) as snapshot:
        ours = combined_by_us(snapshot)
        assert snapshot.problems == ()
    before = folder_state(tmp_path)
    assert ours == combined_by_coverage(tmp_path)
    # What coverage.py changed is put back for the check that we changed nothing.
    for name, (_, _, mtime, content) in before.items():
        (tmp_path / name).write_bytes(content)
        os.utime(tmp_path / name, ns=(mtime, mtime))
    if ".coverage" not in before:
        (tmp_path / ".coverage").unlink(missing_ok=True)


def test_branches_and_lines_do_not_mix(tmp_path: Path) -> None:
    path = write_data(tmp_path / ".coverage", BRANCHES, arcs=True)
    part = write_data(tmp_path / ".coverage.1", LINES, arcs=False)
    write_data(tmp_path / ".coverage.2", {"": {"/src/z.py": [(1, 2)]}}, arcs=True)
    with read_snapshot(path, root=tmp_path) as snapshot:
        (problem,) = snapshot.problems
        assert f"{part} measured lines only, but {path} measured branches" in problem
        assert snapshot.paths == {"/src/a.py", "/src/b.py", "/src/c.py", "/src/z.py"}
        assert "test_one|run" in snapshot.contexts


def test_a_file_measured_by_different_plugins_is_left_out(tmp_path: Path) -> None:
    path = write_data(
        tmp_path / ".coverage", {"": {"/t.html": [1]}}, arcs=False, tracers={"/t.html": "one"}
    )
    part = write_data(
        tmp_path / ".coverage.1",
        {"": {"/t.html": [2], "/u.py": [1]}},
        arcs=False,
        tracers={"/t.html": "two"},
    )
    with read_snapshot(path, root=tmp_path) as snapshot:
        (problem,) = snapshot.problems
        assert str(part) in problem
        assert "'two'" in problem
        assert snapshot.paths == {"/t.html"}
        assert snapshot.tracer("/t.html") == "one"


def test_tracers_of_parts_are_kept(tmp_path: Path) -> None:
    for number in (1, 2):
        write_data(
            tmp_path / f".coverage.{number}",
            {"": {"/ci/t.html": [number]}},
            arcs=False,
            tracers={"/ci/t.html": "django"},
        )
    (tmp_path / "t.html").touch()
    with read_snapshot(
        tmp_path / ".coverage", root=tmp_path, paths={"all": [str(tmp_path), "/ci"]}
    ) as snapshot:
        assert snapshot.paths == {str(tmp_path / "t.html")}
        assert snapshot.tracer(str(tmp_path / "t.html")) == "django"
        assert snapshot.measured(str(tmp_path / "t.html")).lines == {1, 2}


def test_an_empty_data_file_beside_parts_is_about_to_be_written(tmp_path: Path) -> None:
    (tmp_path / ".coverage").touch()
    write_lines(tmp_path / ".coverage.1", {"/x.py": [1]})
    with read_snapshot(tmp_path / ".coverage", root=tmp_path) as snapshot:
        assert snapshot.paths == {"/x.py"}
    assert (tmp_path / ".coverage").stat().st_size == 0


def test_bad_rules_are_reported_one_by_one(tmp_path: Path) -> None:
    path = write_lines(tmp_path / ".coverage", {"/ci/a.py": [1]})
    (tmp_path / "a.py").touch()
    rules = {"bad": [".", "/x/*", "/y/***/z"], "good": [".", "/ci"]}
    with read_snapshot(path, root=tmp_path, paths=rules) as snapshot:
        assert snapshot.paths == {str(tmp_path / "a.py")}
        assert [p.split(" is left out: ")[0] for p in snapshot.problems] == [
            "[paths] bad: '/x/*'",
            "[paths] bad: '/y/***/z'",
        ]


def test_the_hash_in_a_name_is_coverages() -> None:
    assert SUFFIX_PATTERN.count("H(?P<hash>\\w{10}h)") == 1
    assert "\\.X(?P<random>\\w{6})x" in SUFFIX_PATTERN


# Fingerprints.


def test_a_fingerprint_knows_data_file_and_parts(tmp_path: Path) -> None:
    path = tmp_path / ".coverage"
    assert not fingerprint(path)
    assert not fingerprint(tmp_path / "nowhere" / ".coverage")
    write_lines(path, {"/x.py": [1]})
    alone = fingerprint(path)
    assert alone == fingerprint(path)
    part = write_lines(tmp_path / ".coverage.1", {"/x.py": [1]})
    assert parallel_files(path) == (part,)
    both = fingerprint(path)
    assert both != alone
    write_lines(part, {"/x.py": range(1, 99_999, 7)})
    assert fingerprint(path) != both
    part.unlink()
    assert fingerprint(path) == alone


def test_reading_leaves_the_fingerprint(tmp_path: Path) -> None:
    path = good(tmp_path / ".coverage")
    part = good(tmp_path / ".coverage.1")
    before = fingerprint(path)
    with read_snapshot(path, root=tmp_path) as snapshot:
        assert snapshot.fingerprint == before
        assert snapshot.written_at == path.stat().st_mtime
        os.utime(part, (1, 1))
    assert fingerprint(path) != before
    with read_snapshot(path, root=tmp_path) as snapshot:
        assert snapshot.written_at == 1
