"""A pytest plugin for the benchmark's recording: a test that takes too long is stopped.

What it ran until then stays recorded, so that a slow suite gives many tests' rows in bounded time.
How many tests were run is left in `tests.count`. Needs a Unix signal.
"""

import os
import signal
from collections.abc import Generator
from pathlib import Path
from types import FrameType

import coverage
import pytest

TEST_SECONDS = float(os.environ["BENCH_TEST_SECONDS"])
COVERAGE_FOLDER = str(Path(coverage.__file__).parent) + os.sep
tests = 0


def _stop(_signal: int, frame: FrameType | None) -> None:
    # An exception raised inside the tracer would leave its lock held for ever, so it waits until
    # the tracer has returned.
    within = frame
    while within is not None and within.f_code.co_name != "pytest_runtest_call":
        if within.f_code.co_filename.startswith(COVERAGE_FOLDER):
            signal.setitimer(signal.ITIMER_REAL, 0.001)
            return
        within = within.f_back
    # pytest's own outcome is no Exception, so that the code under test cannot swallow it.
    pytest.skip(f"stopped after {TEST_SECONDS} s: raise TEST_SECONDS to let it end")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, None, None]:
    """Bound the time of one test."""
    global tests
    tests += 1
    signal.signal(signal.SIGALRM, _stop)
    signal.setitimer(signal.ITIMER_REAL, TEST_SECONDS)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave the number of tests that were run."""
    (session.config.invocation_params.dir / "tests.count").write_text(str(tests))
