"""`covls history record --alert`: a drop is told once, and once more when it is made up for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.repositories import Repository, needs_git
from tests.adapters.services import Web, web_service
from tests.cli.measured import Covls, Done, age, coverage

pytestmark = needs_git

START = 1_700_000_000
SHOP = """\
def price(n):
    if n:
        n += 1
        return n
    return 2


def never():
    return 3


price(0)
"""


@pytest.fixture
def web() -> Iterator[Web]:
    with web_service() as web:
        yield web


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, web: Web) -> Repository:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("COVLS_ALERT_URLS", f"json://127.0.0.1:{web.port}/")
    repository = Repository(tmp_path / "shop")
    repository.write("covls.toml", "[alerts]\ntimeout = 60\n")
    repository.write(".gitignore", "__pycache__\n.coverage\n")
    repository("add", ".")
    return repository


def recorded(covls: Covls, repository: Repository, text: str, at: int, *arguments: str) -> Done:
    """A run of one more commit, recorded."""
    repository.commit("shop.py", text, START + at)
    age(repository.folder)
    coverage(repository.folder, "run", "--source=.", "shop.py")
    done = covls(repository.folder, "history", "record", "--alert", *arguments)
    assert done.code == 0, done.err
    return done


def test_a_drop_is_told_once_and_when_it_is_made_up_for(
    shop: Repository, covls: Covls, web: Web
) -> None:
    first = recorded(covls, shop, SHOP.replace("price(0)", "price(1)"), 0)
    assert "A drop is not told: " in first.err
    # A comment that is put in, and a run of the same commit again, are no drop.
    recorded(covls, shop, "# Prices.\n" + SHOP.replace("price(0)", "price(1)"), 10)
    assert web.bodies == []
    done = recorded(covls, shop, SHOP, 20, "--dry-run")
    assert "Would be sent to json 1:" in done.err
    assert web.bodies == []
    again = covls(shop.folder, "history", "record", "--alert")
    assert "Told json 1: drop on main at " in again.err
    covls(shop.folder, "history", "record", "--alert")
    (body,) = web.bodies
    assert body["title"] == "shop: coverage is not what it should be on main"
    assert body["message"].startswith("The total lost 12.50 points: 62.50% (5 of 8) at ")
    assert ", 75.00% (6 of 8) at " in body["message"]
    recorded(covls, shop, SHOP + "price(1)\n", 30)
    assert [each["title"] for each in web.bodies[1:]] == ["shop: coverage has recovered on main"]
    assert "as before the drop at " in web.bodies[1]["message"]


def test_deleted_code_is_no_drop(shop: Repository, covls: Covls, web: Web) -> None:
    text = SHOP.replace("price(0)", "price(1)")
    recorded(covls, shop, text + "print(1)\n" * 20, 0)
    recorded(covls, shop, text, 10)
    assert web.bodies == []
