"""Projects with real coverage data, and editors that have them open."""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.server.client import KINDS, Client

SHOP = '''\
"""Prices."""


def discount(amount, member):
    if member:
        amount = amount * 9
    return amount


def parse(text):
    if not text:
        raise ValueError("empty")
    return int(text)


def never(a, b):
    total = a + b

    # Nothing but this comment between.
    return total


class Basket:
    def __init__(self):
        self.items = []

    def total(self):
        return sum(
            self.items,
        )
'''

TESTS = """\
import pytest

from shop import discount, parse


def test_discount():
    assert discount(10, True) == 90


class TestParse:
    @pytest.mark.parametrize("text", ["1", "22"])
    def test_number(self, text):
        assert parse(text) == int(text)
"""

CONFIGURATION = """\
[run]
branch = true
relative_files = true
"""

MISSING = [(12, 12), (17, 20), (25, 25), (28, 30)]
"""What no test of the shop runs, in blocks."""

PARTIAL = [5, 11]

SHAPE = sorted(
    [(first, last, "uncovered") for first, last in MISSING]
    + [(line, line, "partial-branch") for line in PARTIAL]
)


def write(folder: Path, **files: str) -> Path:
    """Write files into a folder; `__` in a name is a dot, two of them a slash."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name.replace("____", "/").replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def measure(folder: Path, *arguments: str) -> None:
    """Run something under coverage in a folder, as a user would."""
    # Neither the coverage nor the pytest that these tests run under are to be told of.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTEST"))
    }
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def run_tests(folder: Path, *arguments: str) -> None:
    """Run a folder's tests under coverage, with contexts."""
    plain = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-c", os.devnull, "--rootdir=.")
    measure(folder, "pytest", *plain, "--cov=.", "--cov-context=test", "--cov-report=", *arguments)


@pytest.fixture(scope="session")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template") / "shop"
    write(folder, shop__py=SHOP, test_shop__py=TESTS)
    (folder / ".coveragerc").write_text(CONFIGURATION)
    run_tests(folder)
    return folder


@pytest.fixture
def shop(_shop: Path, tmp_path: Path) -> Path:
    """A tested project of one's own: two functions tested, one never, partial branches."""
    return copy(_shop, tmp_path / "shop")


def copy(project: Path, folder: Path) -> Path:
    """Copy a project; times stay, so that its data is still newer than its sources."""
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest_asyncio.fixture
async def launch(cache_folder: Path) -> AsyncIterator[Callable[..., Client]]:
    """Makes clients, and ends them whatever happens."""
    made: list[Client] = []

    def make(kind: str = "minimal", *arguments: str) -> Client:
        client = Client(kind, *arguments)
        made.append(client)
        return client

    yield make
    for client in made:
        await client.kill()


@pytest_asyncio.fixture(params=KINDS)
async def client(request: pytest.FixtureRequest, launch: Callable[..., Client]) -> Client:
    """Each kind of editor in turn, not started yet."""
    return launch(request.param)


@pytest_asyncio.fixture
async def minimal(launch: Callable[..., Client]) -> Client:
    """An editor that can do nothing special, not started yet."""
    return launch("minimal")


@pytest_asyncio.fixture
async def launch_vscode(launch: Callable[..., Client]) -> Client:
    """An editor that pulls diagnostics, not started yet."""
    return launch("vscode")


@pytest.fixture
def unreadable() -> Iterator[Callable[[Path], None]]:
    """Takes the permission to read files away, and gives it back."""
    taken: list[tuple[Path, int]] = []

    def take(path: Path) -> None:
        taken.append((path, path.stat().st_mode))
        path.chmod(0)

    yield take
    for path, mode in taken:
        path.chmod(mode)
