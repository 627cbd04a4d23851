"""Every row of the tables below is a situation in a developer's day, and says why it is there."""

import pytest

from covls.core.arrival import (
    IDLE_LOOKALIKE,
    IDLE_WRITER,
    RUN_UNKNOWN,
    Digest,
    Hold,
    Run,
    RunState,
    Show,
    Waiting,
    anything_lost,
    decide,
    decide_unread,
)

SETTLE = 10.0

WRITING = Run(RunState.WRITING)
ALIVE = Run(RunState.ALIVE)
COVERAGE_RUN = Run(RunState.ALIVE, direct=True)
ENDED = Run(RunState.ENDED)
KILLED = Run(RunState.ENDED, unfinished=True)
UNSEEN = Run(RunState.UNSEEN)
UNKNOWN = RUN_UNKNOWN


def data(lines: str = "1 2 3", contexts: str = "", parts: int = 0, files: str = "a.py") -> Digest:
    """A digest whose lines, all in a.py, and whose contexts and files are words in a string."""
    return Digest(
        files=frozenset(files.split()),
        contexts=frozenset(["", *contexts.split()]),
        parts=parts,
        lines={"a.py": frozenset(map(int, lines.split()))} if lines else {},
    )


PLAIN = data()
PLAIN_LESS = data("1 2")
TESTS = data(contexts="t1 t2")
TESTS_HALF = data("1 2", contexts="t1")
IMPORTS = data("1")
PARTS_HALF = data("1 2", parts=1)


@pytest.mark.parametrize(
    ("shown", "candidate", "lost", "why"),
    [
        (PLAIN, PLAIN, False, "the same data written again"),
        (PLAIN_LESS, PLAIN, False, "a line more is no loss"),
        (PLAIN, PLAIN_LESS, True, "a line that ran does not any more"),
        (data(files="a.py b.py"), PLAIN, True, "a file was not reached (yet)"),
        (PLAIN, data(files="a.py b.py"), False, "a file more"),
        (
            TESTS,
            data(contexts="t1"),
            True,
            "a test has not run (yet), though its lines are covered",
        ),
        (data(contexts="t1"), TESTS, False, "a test more"),
        (PLAIN, Digest(frozenset({"a.py"})), False, "the file is closed or edited: lines unknown"),
        (
            Digest(frozenset({"a.py"}), frozenset({""})),
            Digest(frozenset({"a.py"})),
            False,
            "the nameless context is no test: combined data may lack it",
        ),
    ],
)
def test_anything_lost(shown: Digest, candidate: Digest, lost: bool, why: str) -> None:
    assert anything_lost(shown, candidate) is lost, why


RUNNING = Hold(Waiting.RUNNING, 0.2)
RUNNING_LONG = Hold(Waiting.RUNNING, 1.0)
NO_DATA = Hold(Waiting.NO_DATA, None)


def settling(again_in: float) -> Hold:
    return Hold(Waiting.SETTLING, again_in)


@pytest.mark.parametrize(
    ("shown", "candidate", "run", "quiet", "expected", "why"),
    [
        # Nothing is lost: no reason to wait, whatever else is going on.
        (PLAIN, PLAIN, ALIVE, 0.2, Show(), "the same data"),
        (TESTS_HALF, TESTS, ALIVE, 0.2, Show(), "--cov-append: each test only adds"),
        (TESTS, TESTS, UNKNOWN, 0.2, Show(), "a run that repeats the last one, on macOS"),
        # pytest-cov with contexts: erased, then flushed after every test.
        (TESTS, TESTS_HALF, ALIVE, 0.2, RUNNING, "half of the tests have run"),
        (TESTS, TESTS_HALF, ALIVE, 5.0, RUNNING, "a test sleeps for five seconds"),
        (TESTS, TESTS_HALF, ALIVE, 31.0, RUNNING_LONG, "a slow test: look less often"),
        (TESTS, TESTS_HALF, ALIVE, IDLE_LOOKALIKE, Show(), "an idle `pytest -f` is no writer"),
        (TESTS, TESTS_HALF, WRITING, IDLE_LOOKALIKE, RUNNING_LONG, "the writer stands in pdb"),
        (TESTS, TESTS_HALF, WRITING, IDLE_WRITER, Show(), "… but not for ever"),
        (TESTS, TESTS_HALF, ENDED, 0.2, Show(), "the run is over: this is what there is"),
        (TESTS, TESTS_HALF, KILLED, 0.2, Show(unfinished=True), "Ctrl-C or kill -9, and it shows"),
        (TESTS, TESTS_HALF, UNKNOWN, 5.0, settling(5.0), "a test sleeps, processes unseen"),
        (TESTS, TESTS_HALF, UNKNOWN, SETTLE, Show(), "quiet for long enough"),
        (TESTS, TESTS_HALF, UNSEEN, 5.0, settling(5.0), "a run in a container: nobody in sight"),
        (TESTS, TESTS_HALF, UNSEEN, SETTLE, Show(), "a backup restored, a branch switched"),
        # The first thing a run with contexts writes has no context yet.
        (TESTS, IMPORTS, ALIVE, 0.2, RUNNING, "imports only: tests are to come"),
        (TESTS, IMPORTS, UNKNOWN, 5.0, settling(5.0), "the same, processes unseen"),
        (TESTS, IMPORTS, ENDED, 0.2, Show(), "contexts were switched off for this run"),
        (PLAIN, IMPORTS, COVERAGE_RUN, 0.2, RUNNING, "dynamic_context switched on for this run"),
        # `coverage run` without contexts writes once, at its end.
        (PLAIN, PLAIN_LESS, ENDED, 0.2, Show(), "a test was deleted: shown when quiet"),
        (PLAIN, PLAIN_LESS, COVERAGE_RUN, 0.2, RUNNING, "it has written and is about to exit"),
        (PLAIN, PLAIN_LESS, COVERAGE_RUN, IDLE_LOOKALIKE, Show(), "a dev server run by coverage"),
        (PLAIN, PLAIN_LESS, ALIVE, 0.2, Show(), "pytest-cov has written, and writes reports now"),
        (PLAIN, PLAIN_LESS, UNKNOWN, 0.2, Show(), "written once: whole, on any system"),
        (PLAIN, PLAIN_LESS, UNSEEN, 0.2, Show(), "a run too short to be seen"),
        (PLAIN, data("1 2", files="b.py"), ENDED, 0.2, Show(), "a file was renamed"),
        # Parallel parts come one after another, and are combined at the end.
        (PLAIN, PARTS_HALF, ALIVE, 0.2, RUNNING, "xdist: the first worker has finished"),
        (PLAIN, PARTS_HALF, UNKNOWN, 0.2, settling(9.8), "the same, processes unseen"),
        (PLAIN, PARTS_HALF, ENDED, 0.2, Show(), "parallel = true, and not combined yet"),
        (PARTS_HALF, PLAIN, UNKNOWN, 0.2, Show(), "`coverage combine` loses nothing"),
        # Nothing on show: the server was started just now.
        (None, PLAIN, UNKNOWN, 0.2, Show(), "the usual start"),
        (None, TESTS, UNSEEN, 0.2, Show(), "no run in sight: do not let people wait"),
        (None, TESTS, UNKNOWN, 4.0, settling(6.0), "written just now: by whom is not known"),
        (None, TESTS, UNKNOWN, SETTLE, Show(), "written some time ago"),
        (None, TESTS_HALF, ALIVE, 0.2, RUNNING, "started in the middle of a run"),
        (None, TESTS_HALF, ALIVE, IDLE_LOOKALIKE, Show(), "… that may be an idle process"),
        (None, PARTS_HALF, ALIVE, 0.2, RUNNING, "the same with parts"),
        (None, PLAIN, ALIVE, 0.2, Show(), "data without contexts is whole once it is there"),
        (None, PLAIN, COVERAGE_RUN, 0.2, Show(), "coverage run --append, data of an earlier run"),
        # Data vanished.
        (PLAIN, None, ALIVE, 0.2, RUNNING, "a run has erased it and is at work"),
        (PLAIN, None, WRITING, 90.0, RUNNING_LONG, "a long run without contexts"),
        (PLAIN, None, ALIVE, IDLE_LOOKALIKE, NO_DATA, "whatever is alive does not write"),
        (PLAIN, None, ENDED, 0.2, NO_DATA, "coverage erase"),
        (PLAIN, None, UNKNOWN, 4.0, settling(6.0), "erased, by a run or by hand"),
        (PLAIN, None, UNKNOWN, SETTLE, NO_DATA, "nothing came"),
        (None, None, UNKNOWN, 0.2, NO_DATA, "never measured: no need to wait for saying so"),
        (None, None, ALIVE, 0.2, RUNNING, "the first run ever is under way"),
    ],
)
def test_decide(
    shown: Digest | None,
    candidate: Digest | None,
    run: Run,
    quiet: float,
    expected: Show | Hold,
    why: str,
) -> None:
    got = decide(shown, candidate, run, quiet, SETTLE)
    if isinstance(got, Hold) and got.again_in is not None:
        got = Hold(got.reason, round(got.again_in, 6))
    assert got == expected, why


@pytest.mark.parametrize(
    ("run", "quiet", "expected", "why"),
    [
        (WRITING, 0.2, RUNNING, "its data is partial whatever is in it"),
        (WRITING, IDLE_WRITER, None, "it has idled for so long that the data must be looked at"),
        (ENDED, 0.0, settling(0.1), "it is being replaced right now: tables, but no rows yet"),
        (ALIVE, 0.0, Hold(Waiting.RUNNING, 0.1), "the same, with a reason to tell"),
        (ALIVE, 0.2, None, "whether it writes this data is not known"),
        (ENDED, 0.2, None, "whole, or all there is"),
        (UNKNOWN, 0.2, None, "the data itself must tell"),
    ],
)
def test_decide_unread(run: Run, quiet: float, expected: Hold | None, why: str) -> None:
    assert decide_unread(run, quiet) == expected, why


@pytest.mark.parametrize("run", [WRITING, ALIVE, ENDED, UNSEEN, UNKNOWN, COVERAGE_RUN])
@pytest.mark.parametrize("shown", [None, PLAIN, TESTS])
@pytest.mark.parametrize("candidate", [None, IMPORTS, TESTS_HALF, PARTS_HALF])
def test_every_wait_ends(run: Run, shown: Digest | None, candidate: Digest | None) -> None:
    """Following `again_in` with nothing else happening leads to a decision that stands."""
    quiet = 0.0
    decision: Show | Hold = RUNNING
    for _ in range(int(IDLE_WRITER) * 5):
        decision = decide_unread(run, quiet) or decide(shown, candidate, run, quiet, SETTLE)
        if isinstance(decision, Show) or decision.again_in is None:
            break
        assert decision.again_in > 0
        quiet += decision.again_in
    assert decision == NO_DATA if candidate is None else isinstance(decision, Show)
