"""The count of a run, and runs that are cancelled before, while and after they wait."""

import asyncio
import threading

import pytest

from covls.core.test_events import Collected, Event, Finished, Started
from covls.server.runs import Counter, Counts, Job, Runs


@pytest.mark.parametrize(
    ("counts", "words", "percentage"),
    [
        (Counts(), "collecting tests", 0),
        (Counts(0, 3), "0 of 3 tests", 0),
        (Counts(2, 3, 1), "2 of 3 tests, 1 failed", 66),
        (Counts(3, 3), "3 of 3 tests", 100),
    ],
)
def test_how_far_it_is(counts: Counts, words: str, percentage: int) -> None:
    assert (counts.words, counts.percentage) == (words, percentage)


def test_events_are_counted() -> None:
    counter = Counter()
    events: list[tuple[Event, Counts]] = [
        (Collected(("a", "b")), Counts(0, 2)),
        # Each of several processes may tell what it collected.
        (Collected(("b", "c")), Counts(0, 3)),
        (Started("a"), Counts(0, 3)),
        (Finished("a", "failed", 0.1), Counts(1, 3, 1)),
        # It is run again, and passes.
        (Finished("a", "passed", 0.1), Counts(1, 3)),
        (Finished("b", "error", 0.1), Counts(2, 3, 1)),
        (Finished("d", "passed", 0.1), Counts(3, 3, 1)),
        (Finished("e", "passed", 0.1), Counts(4, 4, 1)),
    ]
    for event, expected in events:
        counter.add(event)
        assert counter.counts == expected


async def test_runs_end_each_once_however_they_end() -> None:
    runs, ended = Runs(), []
    try:
        goes_on = asyncio.Event()

        async def work() -> None:
            await goes_on.wait()

        jobs = [Job("waits"), Job("works"), Job("never begins")]
        tasks = [asyncio.create_task(work()) for _ in jobs]
        for job, task in zip(jobs, tasks, strict=True):
            runs.add(job, task, lambda job=job: ended.append(job.title))  # type: ignore[misc]
        jobs[1].counts = Counts(1, 2)
        assert runs.counts == Counts(1, 2)
        # It has not begun, and never does.
        jobs[2].cancel()
        await asyncio.wait([tasks[2]])
        assert ended == ["never begins"]
        # Under way it is not the loop that ends it.
        jobs[1].stop_waiting = None
        jobs[1].cancel()
        assert jobs[1].cancelled.is_set()
        jobs[0].supersede()
        assert jobs[0].superseded
        assert jobs[0].cancelled.is_set()
        await asyncio.wait([tasks[0]])
        goes_on.set()
        await asyncio.wait([tasks[1]])
        jobs[1].end()
        assert ended == ["never begins", "waits", "works"]
        assert not runs.cancel()
    finally:
        runs.close()


async def test_what_runs_does_so_in_a_thread_of_its_own_and_is_waited_for() -> None:
    runs = Runs()
    names: list[str] = []
    try:
        await runs.in_own_thread(lambda: names.append(threading.current_thread().name))
        await runs.in_own_thread(lambda: names.append(threading.current_thread().name))
        assert names[0] == names[1] != threading.current_thread().name
        with pytest.raises(ZeroDivisionError):
            await runs.in_own_thread(lambda: 1 // 0)
    finally:
        # It is idle, and so this does not take its time.
        runs.close()
