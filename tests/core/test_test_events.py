"""Lines of a run's journal become events, and events are counted."""

import json
from typing import Any

import pytest

from covls.core.test_events import (
    Began,
    Collected,
    CollectionError,
    Ended,
    Event,
    Finished,
    Missing,
    Notice,
    NotInstalled,
    Started,
    Tally,
    event_from,
)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"event": "collected", "tests": ["a", "b"]}, Collected(("a", "b"))),
        ({"event": "begin", "pid": 3, "role": "main"}, Began(worker=False)),
        ({"event": "begin", "pid": 3, "role": "worker"}, Began(worker=True)),
        ({"event": "missing", "tests": ["c"]}, Missing(("c",))),
        ({"event": "started", "test": "a"}, Started("a")),
        (
            {"event": "finished", "test": "a", "outcome": "passed", "seconds": 1},
            Finished("a", "passed", 1.0),
        ),
        (
            {"event": "finished", "test": "a", "outcome": "failed", "seconds": 0.5}
            | {"message": "no", "file": "t.py", "line": 3, "long": "more"},
            Finished("a", "failed", 0.5, "no", "t.py", 3, "more"),
        ),
        (
            {"event": "collection-error", "file": "t.py", "line": None, "message": "no"},
            CollectionError("t.py", None, "no"),
        ),
        ({"event": "notice", "message": "look", "test": "a"}, Notice("look", "a")),
        ({"event": "no-coverage", "message": "none"}, NotInstalled("coverage", "none")),
        ({"event": "no-runner", "message": "none"}, NotInstalled("runner", "none")),
        (
            {"event": "end", "exit": 1, "core": "sysmon", "branch": True, "complete": False},
            Ended(1, "sysmon", branch=True, complete=False),
        ),
        # Of a newer probe, or not of one.
        ({"event": "unheard of", "pid": 3}, None),
        ({"event": "finished", "test": "a", "outcome": "exploded", "seconds": 1}, None),
        ({"event": "finished", "outcome": "passed"}, None),
        ({"event": "started", "test": 3}, None),
        ({"event": "collected", "tests": "abc"}, None),
        ({"event": "end", "exit": True}, None),
        ([1, 2], None),
    ],
)
def test_lines(told: Any, expected: Event | None) -> None:
    assert event_from(json.dumps(told).encode()) == expected


@pytest.mark.parametrize("line", [b"", b'{"event": "started", "te', b"\xff\xfe", b"null"])
def test_torn_lines_tell_nothing(line: bytes) -> None:
    assert event_from(line) is None


def test_the_count() -> None:
    tally = Tally()
    assert tally.words() == "no tests ran"
    for event in (
        Collected(("a", "b")),
        Collected(("c", "d")),
        Started("a"),
        Finished("a", "passed", 1.0),
        Started("b"),
        Finished("b", "failed", 1.0),
        Finished("b", "passed", 1.0),  # run again by a plugin
        Started("c"),
        Finished("c", "error", 1.0),
        CollectionError("t.py", 1, "no"),
        Started("d"),
    ):
        tally.add(event)
    assert list(tally.collected) == ["a", "b", "c", "d"]
    assert list(tally.running) == ["d"]
    assert [test.test for test in tally.failures] == ["c"]
    assert tally.words() == "2 passed, 2 errors"


def test_the_run_ends_with_its_runner_and_is_complete_if_all_its_processes_are() -> None:
    tally = Tally()
    tally.add(Ended(1))
    tally.add(Ended(0, complete=False, worker=True))
    assert tally.ended == Ended(1)
    assert not tally.complete
