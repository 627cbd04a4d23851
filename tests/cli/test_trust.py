"""No command runs anything of a workspace unless it is told to, or to run its tests."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.adapters.repositories import needs_git
from tests.hostile import make_hostile, ran
from tests.server.conftest import CONFIGURATION, SHOP, TESTS, run_tests, write

COVLS = Path(sys.executable).with_name("covls")

COMMANDS = (
    ("report",),
    ("report", "--format", "json"),
    ("diff",),
    ("check",),
    ("priorities",),
    ("explain", "shop.py:5"),
    ("html",),
    ("record-sources",),
    ("doctor",),
    ("doctor", "shop.py"),
    ("run", "--affected", "--dry-run"),
    ("run", "--no-trusted"),
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A measured project that would leave marks, and where."""
    folder = tmp_path_factory.mktemp("hostile")
    shop = write(folder / "shop", shop__py=SHOP, test_shop__py=TESTS)
    (shop / ".coveragerc").write_text(CONFIGURATION)
    run_tests(shop)
    make_hostile(shop, folder / "marks")
    return shop, folder / "marks"


@needs_git
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_nothing_of_a_hostile_workspace_runs(
    hostile: tuple[Path, Path], words: tuple[str, ...]
) -> None:
    shop, marks = hostile
    done = subprocess.run(
        [COVLS, *words],
        cwd=shop,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert ran(marks) == set(), done.stdout + done.stderr
