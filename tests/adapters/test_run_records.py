"""Journals of a run's processes, whole and cut off."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from covls.adapters.data_file import read_snapshot
from covls.adapters.run_records import UNSEEN, CollectionError, RunRecords, read_run
from covls.core.detail import OUTSIDE, UNATTRIBUTED, TestRecord
from tests.adapters.test_data_file import write_data
from tests.cli.measured import write
from tests.probe.recorded import run

BEGIN = {"event": "begin", "role": "main", "runner": "pytest"}
PLACE = {"file": "t.py", "line": 3}
END = {"event": "end", "exit": 0, "complete": True, "core": "ctrace"}


def journal(folder: Path, name: str, *lines: Mapping[str, Any], cut: str = "") -> None:
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / f"{name}.jsonl").write_text(text + cut)


def ran(test: str, phase: str, bits: int, **more: Any) -> dict[str, Any]:
    size = (bits.bit_length() + 7) // 8
    return {"test": test, "phase": phase, "ran": {"0": bits.to_bytes(size, "little").hex()}, **more}


def arcs(records: RunRecords, path: str) -> dict[tuple[str, str], set[tuple[int, int]]]:
    file = records.detail.files[path]
    return {who: set(file.arcs(bits)) for who, bits in file.ran.items()}


def test_a_whole_run(tmp_path: Path) -> None:
    journal(
        tmp_path,
        "events-1",
        BEGIN,
        {"event": "collected", "tests": ["t", "u"]},
        {"event": "collected", "tests": ["v"]},
        {"event": "started", "test": "t"},
        {
            "event": "finished",
            "test": "t",
            "outcome": "failed",
            "seconds": 0.5,
            "file": "t.py",
            "line": 3,
        },
        {"event": "started", "test": "u"},
        {"event": "collection-error", "file": "/r/bad.py", "line": 1, "message": "no"},
        {"event": "notice", "message": "slow"},
        END,
        cut='{"event": "finished", "te',
    )
    journal(
        tmp_path,
        "detail-1",
        {"file": 0, "path": "/r/a.py"},
        {"pairs": 0, "add": [[-1, 1], [1, -1]]},
        ran("", "", 0b11, scope="function"),
        {"pairs": 0, "add": [[-2, 3]]},
        ran("t", "call", 0b100, scope="function"),
        ran("t", "setup", 0b100, scope="module"),
        ran("t", "call", 0b1, scope="function", outside=True),
        ran("u", "call", 0b100, scope="function"),
        {"test": "t", "phase": "nonsense", "ran": {"0": "01"}},
        cut='{"test": "t", "ph',
    )
    journal(
        tmp_path,
        "detail-2",
        {"file": 0, "path": "/r/a.py"},
        {"pairs": 0, "add": [[-2, 3], [3, 4]]},
        ran("t", "call", 0b11, scope="function"),
    )
    records = read_run(tmp_path, at=7.0)
    assert arcs(records, "/r/a.py") == {
        OUTSIDE: {(-1, 1), (1, -1)},
        ("t", "call"): {(-2, 3), (3, 4)},
        ("t", "setup@module"): {(-2, 3)},
        ("t", "call!"): {(-1, 1)},
    }
    assert records.detail.has_arcs
    assert records.detail.tests == {"t": TestRecord("failed", 0.5, 7.0, "t.py", 3)}
    assert records.ended == {"t"}
    assert records.interrupted == {"u"}
    assert records.collected == ("t", "u", "v")
    assert records.errors == (CollectionError("/r/bad.py", 1, "no"),)
    assert records.notices == ("slow",)
    assert not records.finished, "a test began that did not end"
    assert records.about["core"] == "ctrace"


def test_a_run_that_was_killed(tmp_path: Path) -> None:
    journal(tmp_path, "events-1", BEGIN, {"event": "started", "test": "t"})
    records = read_run(tmp_path, at=0.0, has_arcs=True)
    assert records.collected is None
    assert not records.finished
    assert records.detail.has_arcs
    assert not records.detail.files


def test_a_worker_that_died_leaves_a_test_that_did_not_end(tmp_path: Path) -> None:
    journal(tmp_path, "events-2", {**BEGIN, "role": "worker"}, {"event": "started", "test": "t"})
    journal(
        tmp_path,
        "events-1",
        BEGIN,
        {"event": "finished", "test": "t", "outcome": "error", "seconds": 0},
        END,
    )
    records = read_run(tmp_path, at=0.0)
    assert records.detail.tests["t"].failed
    assert records.ended == frozenset()
    assert records.interrupted == {"t"}
    assert not records.finished


def test_what_only_the_data_knows_is_kept_as_somebodys(tmp_path: Path) -> None:
    journal(tmp_path, "events-1", BEGIN, END)
    journal(tmp_path, "detail-1", {"file": 0, "path": "/r/a.py"}, {"lines": 0}, ran("", "", 0b110))
    data = write_data(tmp_path / "data", {"": {"/r/a.py": [1, 2, 9], "/r/b.py": []}}, arcs=False)
    with read_snapshot(data, root=tmp_path) as snapshot:
        records = read_run(tmp_path, at=0.0, data=snapshot)
    file = records.detail.files["/r/a.py"]
    assert {who: file.lines(bits) for who, bits in file.ran.items()} == {
        OUTSIDE: {1, 2},
        UNATTRIBUTED: {9},
    }
    assert records.detail.files["/r/b.py"].ran == {}


TESTS = """\
import sys
def test_takes_the_tracer():
    sys.settrace(None)
def test_plain():
    pass
"""


def test_a_test_that_was_not_recorded_whole_has_to_run_again(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, {"test_it.py": TESTS})
    run(root, tmp_path / "out", core="ctrace")
    records = read_run(tmp_path / "out", at=1.0)
    assert records.finished
    assert {test: record.outdated for test, record in records.detail.tests.items()} == {
        "test_it.py::test_takes_the_tracer": UNSEEN,
        "test_it.py::test_plain": "",
    }
