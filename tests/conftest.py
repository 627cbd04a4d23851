"""What every test gets: a cache of its own, tools it can ask for, and its turn on the machine."""

import fcntl
import os
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest

from tests import features
from tests.history_databases import MISSING, history_url, new_history_url, postgresql

__all__ = ["MISSING", "history_url", "new_history_url", "postgresql"]

CI = os.environ.get("CI", "").lower() in {"1", "true"}

# The tests of projects that tests run covls on.
collect_ignore = ["projects"]

# What a user's shell or a workflow may set and what would change the runs that tests start.
FOREIGN = (
    "CI_COMMIT_BRANCH",
    "COVERAGE_CORE",
    "COVERAGE_DEBUG",
    "COVERAGE_FILE",
    "COVERAGE_PROCESS_START",
    "COVERAGE_RCFILE",
    "COVLS_ALERT_URLS",
    "COVLS_CACHE_DIR",
    "COVLS_TRUSTED",
    "GITHUB_ACTIONS",
    "GITHUB_STEP_SUMMARY",
    "GITLAB_CI",
    "PYTEST_ADDOPTS",
    "PYTEST_PLUGINS",
    "PYTHONWARNINGS",
)

hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("ci" if CI else "default")


def pytest_configure(config: pytest.Config) -> None:
    """Puts the environment's programs (nvim) on PATH and takes out what a user's shell had set."""
    for name in FOREIGN:
        os.environ.pop(name, None)
    programs = str(Path(sys.executable).parent)
    if programs not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([programs, os.environ.get("PATH", os.defpath)])
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell's job in the background ignores Ctrl-C, and so would all that tests interrupt.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Fixtures wider than a test get this folder; each test gets one of its own over it.
    folder = tempfile.TemporaryDirectory(prefix="covls-tests-cache-")
    config.add_cleanup(folder.cleanup)
    os.environ["COVLS_CACHE_DIR"] = folder.name


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that want the machine to themselves come last, so that few have to wait for them."""
    items.sort(key=lambda item: item.get_closest_marker("alone") is not None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips a test whose tool is missing; in CI that is a failure."""
    for marker in item.iter_markers("needs_tool"):
        (tool,) = marker.args
        if shutil.which(tool) is None:
            lacks(tool, marker.kwargs["why"])


def lacks(tool: str, why: str) -> NoReturn:
    """Skips the test under way for want of a tool; in CI that is a failure."""
    reason = f"{MISSING}{tool}"
    if CI:
        pytest.fail(f"{reason} ({why}), and CI may not skip", pytrace=False)
    pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Notes which features of which editors a test that passed has seen."""
    report = yield
    if call.when == "call" and report.passed:
        for marker in item.iter_markers("shows"):
            client, *seen = marker.args
            features.record(client, seen, item.nodeid)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One loud line for every tool that was missing."""
    missing: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        _, found, tool = reason.partition(MISSING)
        if found:
            missing[tool] += 1
    for tool, count in sorted(missing.items()):
        terminalreporter.write_line(
            f"!!! {count} test{'s' if count > 1 else ''} SKIPPED for want of {tool}. A program: "
            "scripts/install-test-tools, or your system's packages. A download: the network.",
            red=True,
            bold=True,
        )


@pytest.fixture(autouse=True)
def turn(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Under xdist, a test marked `alone` runs while no other does; all others share the machine."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    alone = request.node.get_closest_marker("alone") is not None
    # The parent folder is the same for all workers of one run, and of this run only.
    with (tmp_path_factory.getbasetemp().parent / "turn.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """covls's cache folder for this test: empty, and never the user's."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("COVLS_CACHE_DIR", str(folder))
    return folder
