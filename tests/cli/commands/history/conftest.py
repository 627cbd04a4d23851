"""A measured project in a repository, for the commands of a history."""

import os
import shutil
from pathlib import Path

import pytest

from tests.adapters.repositories import Repository
from tests.cli.measured import coverage, write

SHOP = """\
import sys


def price(n, member=False):
    if member:
        return n - 1
    return n


def never():
    return 2
"""

FILES = {
    "shop.py": SHOP,
    "use.py": "import shop\n\nprint(shop.price(3))\n",
    "use_member.py": "import shop\n\nprint(shop.price(3, member=True))\n",
    ".coveragerc": "[run]\nrelative_files = True\nbranch = True\nsource = .\nomit = use*\n",
    ".gitignore": ".coverage\n__pycache__\n",
}
AT = 1_700_000_000


@pytest.fixture(scope="session")
def measured_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("measured") / "shop"
    repository = Repository(folder)
    write(folder, FILES)
    repository("add", ".")
    repository("commit", "-q", "-m", "Begin to sell ümlauts", at=AT)
    coverage(folder, "run", "use.py")
    return folder


@pytest.fixture
def shop(measured_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository with one commit, and data of it; copies keep the times of files."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    for name in ("GITHUB_HEAD_REF", "GITHUB_REF_TYPE", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"):
        monkeypatch.delenv(name, raising=False)
    shutil.copytree(measured_once, tmp_path / "shop")
    return Repository(tmp_path / "shop", init=False)
