"""Data files written anew: as coverage.py has them, and whole whatever happens on the way."""

import contextlib
import io
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest
from coverage import CoverageData

from covls.adapters.data_file import fingerprint
from covls.adapters.data_writer import (
    NotWrittenError,
    WrittenFile,
    kept_data,
    recover,
    write_data,
)
from covls.core.coverage import Measured
from covls.core.lines import Arc

KILLS = int(os.environ.get("COVLS_TEST_KILLS", "8"))
"""How many writes are killed; set it to 200 for a proof."""

ARCS: dict[str, dict[str, list[Arc]]] = {
    "/src/a.py": {"": [(-1, 1), (1, 2), (2, -1)], "t|run": [(-2, 3), (3, -2)]},
    "/src/b.py": {"": [(-1, 1), (1, -1)]},
    "/src/never.py": {},
}
LINES: dict[str, dict[str, list[int]]] = {
    "/src/a.py": {"": [1, 2, 8, 9], "t|run": [700]},
    "/src/never.py": {},
    "/src/page.html": {"t|run": [3]},
}
TRACERS = {"/src/page.html": "django_coverage_plugin.DjangoTemplatePlugin"}


def arc_files() -> list[WrittenFile]:
    return [
        WrittenFile(
            path,
            {
                context: Measured(
                    frozenset(n for arc in arcs for n in arc if n > 0), frozenset(arcs)
                )
                for context, arcs in ran.items()
            },
        )
        for path, ran in ARCS.items()
    ]


def line_files() -> list[WrittenFile]:
    return [
        WrittenFile(
            path,
            {context: Measured(frozenset(lines)) for context, lines in ran.items()},
            TRACERS.get(path, ""),
        )
        for path, ran in LINES.items()
    ]


def by_coverage(path: Path, *, arcs: bool) -> Path:
    """The same data, written by coverage.py."""
    data = CoverageData(str(path))
    for context in ("", "t|run"):
        data.set_context(context)
        if arcs:
            data.add_arcs({name: each[context] for name, each in ARCS.items() if context in each})
        else:
            data.add_lines({name: each[context] for name, each in LINES.items() if context in each})
    data.touch_files(list(ARCS if arcs else LINES))
    if not arcs:
        data.add_file_tracers(TRACERS)
    data.write()
    data.close(force=True)
    return path


def contents(path: Path) -> dict[str, object]:
    """All that a data file says, its row numbers left out."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        ask = database.execute
        return {
            "schema": ask("SELECT sql FROM sqlite_master ORDER BY name").fetchall(),
            "version": ask("SELECT version FROM coverage_schema").fetchall(),
            "meta": sorted(ask("SELECT key, value FROM meta").fetchall()),
            "files": sorted(ask("SELECT path FROM file").fetchall()),
            "contexts": sorted(ask("SELECT context FROM context").fetchall()),
            "arcs": sorted(
                ask(
                    "SELECT path, context, fromno, tono FROM arc JOIN file ON file.id = file_id "
                    "JOIN context ON context.id = context_id"
                )
            ),
            "lines": sorted(
                ask(
                    "SELECT path, context, numbits FROM line_bits JOIN file ON file.id = file_id "
                    "JOIN context ON context.id = context_id"
                )
            ),
            "tracers": sorted(
                ask("SELECT path, tracer FROM tracer JOIN file ON file.id = file_id").fetchall()
            ),
        }


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.mark.parametrize("arcs", [True, False])
def test_what_is_written_is_what_coverage_would_write(
    tmp_path: Path, cache: Path, *, arcs: bool
) -> None:
    theirs = by_coverage(tmp_path / "theirs", arcs=arcs)
    ours = tmp_path / "ours"
    write_data(
        ours,
        arc_files() if arcs else line_files(),
        has_arcs=arcs,
        replacing=fingerprint(ours),
        folder=cache,
    )
    assert contents(ours) == contents(theirs)


def test_coverage_reports_on_it_and_can_add_to_it(tmp_path: Path, cache: Path) -> None:
    source = tmp_path / "a.py"
    source.write_text("def f(x):\n    if x:\n        return 1\n    return 2\n")
    data_file = tmp_path / ".coverage"
    arcs = frozenset({(-1, 1), (1, -1), (-1, 2), (2, 3), (3, -1)})
    ran = {"": Measured(frozenset({1, 2, 3}), arcs)}
    found = write_data(
        data_file,
        [WrittenFile(str(source), ran)],
        has_arcs=True,
        replacing=fingerprint(data_file),
        version="7.6.1",
        folder=cache,
    )
    assert found == fingerprint(data_file)
    measuring = coverage.Coverage(data_file=str(data_file), config_file=False)
    measuring.load()
    shown = io.StringIO()
    measuring.report(file=shown, show_missing=True)
    assert re.search(r"a\.py +4 +1 +2 +1 +67% +4$", shown.getvalue(), re.MULTILINE)
    data = measuring.get_data()
    data.add_arcs({str(source): [(2, 4), (4, -1)]})
    assert set(data.lines(str(source)) or ()) == {1, 2, 3, 4}
    data.close(force=True)


def test_data_that_somebody_else_wrote_meanwhile_stays(tmp_path: Path, cache: Path) -> None:
    data_file = by_coverage(tmp_path / ".coverage", arcs=True)
    seen = fingerprint(data_file)
    data_file.unlink()
    by_coverage(data_file, arcs=False)
    theirs = data_file.read_bytes()
    with pytest.raises(NotWrittenError, match="somebody else"):
        write_data(data_file, arc_files(), has_arcs=True, replacing=seen, folder=cache)
    assert data_file.read_bytes() == theirs
    assert sorted(path.name for path in tmp_path.iterdir()) == [".coverage", "cache"]


def test_data_changed_while_the_new_is_made_stays(tmp_path: Path, cache: Path) -> None:
    data_file = by_coverage(tmp_path / ".coverage", arcs=True)

    def files() -> Iterator[WrittenFile]:
        yield from arc_files()
        (tmp_path / ".coverage.host.1.abc").write_bytes(b"a run has begun")

    with pytest.raises(NotWrittenError, match="somebody else"):
        write_data(
            data_file, files(), has_arcs=True, replacing=fingerprint(data_file), folder=cache
        )
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [".coverage", ".coverage.host.1.abc", "cache"]


def test_parallel_files_that_were_read_go_with_the_old_data(tmp_path: Path, cache: Path) -> None:
    data_file = by_coverage(tmp_path / ".coverage", arcs=True)
    by_coverage(tmp_path / ".coverage.host.1.abc", arcs=True)
    old = {path.name: path.read_bytes() for path in tmp_path.glob(".coverage*")}
    write_data(
        data_file, arc_files()[:1], has_arcs=True, replacing=fingerprint(data_file), folder=cache
    )
    assert [path.name for path in tmp_path.glob(".coverage*")] == [".coverage"]
    assert contents(data_file)["files"] == [("/src/a.py",)]
    kept = kept_data(data_file, cache)
    assert {path.name: path.read_bytes() for path in kept} == old


def test_a_journal_of_another_writer_is_respected(tmp_path: Path, cache: Path) -> None:
    data_file = by_coverage(tmp_path / ".coverage", arcs=True)
    (tmp_path / ".coverage-journal").write_bytes(b"half")
    with pytest.raises(NotWrittenError, match="journal"):
        write_data(
            data_file, arc_files(), has_arcs=True, replacing=fingerprint(data_file), folder=cache
        )


@pytest.mark.skipif(sys.platform == "win32", reason="rights and links are POSIX's: run it there")
def test_rights_and_links_stay(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "real").mkdir()
    real = by_coverage(tmp_path / "real/data", arcs=True)
    real.chmod(0o640)
    link = tmp_path / ".coverage"
    link.symlink_to(real)
    write_data(
        link,
        arc_files(),
        has_arcs=True,
        replacing=fingerprint(link),
        measured_at=1_700_000_000.5,
        folder=cache,
    )
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert real.stat().st_mtime == 1_700_000_000.5


def test_a_failure_on_the_way_leaves_all_as_it_was(tmp_path: Path, cache: Path) -> None:
    data_file = by_coverage(tmp_path / ".coverage", arcs=True)
    old = data_file.read_bytes()

    def files() -> Iterator[WrittenFile]:
        yield arc_files()[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_data(
            data_file, files(), has_arcs=True, replacing=fingerprint(data_file), folder=cache
        )
    assert data_file.read_bytes() == old
    assert sorted(path.name for path in tmp_path.iterdir()) == [".coverage", "cache"]
    assert not recover(data_file, cache)


WRITER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from covls.adapters.data_file import fingerprint
    from covls.adapters.data_writer import WrittenFile, write_data
    from covls.core.coverage import Measured

    data_file, cache, first = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    print("ready", flush=True)
    sys.stdin.readline()
    for version in range(first, first + 1000):
        ran = {"": Measured(frozenset({version}))}
        files = [WrittenFile(f"/src/{n}.py", ran) for n in range(200)]
        found = fingerprint(data_file)
        (data_file.parent / f".coverage.host.{version}.x").write_bytes(b"")
        write_data(data_file, files, has_arcs=False, replacing=fingerprint(data_file), folder=cache)
    """
)


@pytest.mark.skipif(
    not hasattr(signal, "SIGKILL"), reason="processes are killed by a signal: run it on POSIX"
)
def test_a_writer_killed_at_any_moment_leaves_whole_data(tmp_path: Path, cache: Path) -> None:
    chosen = random.Random(20261122)
    data_file = tmp_path / ".coverage"
    version = 1
    for kill in range(KILLS):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(data_file), str(cache), str(version)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with writer:
            assert writer.stdin is not None
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
            writer.stdin.write("\n")
            writer.stdin.flush()
            # Within the first write mostly, of which one takes some ten milliseconds.
            time.sleep(chosen.random() * (0.08 if kill % 2 else 0.02))
            writer.kill()
        for _ in range(2):  # As it was left, and when it was cleared up.
            if data_file.exists():
                data = CoverageData(str(data_file))
                data.read()
                lines = {tuple(data.lines(path) or ()) for path in data.measured_files()}
                n_files = len(data.measured_files())
                data.close(force=True)
                assert n_files == 200
                assert len(lines) == 1, "of one write"
                ((found,),) = lines
                assert found >= version - 1
                version = found + 1
            recover(data_file, cache)
        assert not list(tmp_path.glob(".covls-*"))
        for left in tmp_path.glob(".coverage.*"):
            left.unlink()
