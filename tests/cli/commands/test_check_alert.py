"""`covls check --alert` on a real repository, with a real service and a history beside it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.repositories import Repository, needs_git
from tests.adapters.services import Web, web_service
from tests.cli.measured import Covls, Done, age, coverage

pytestmark = needs_git

SHOP = "def price(n):\n    if n:\n        return 1\n    return 2\n\n\nprice({})\n"


@pytest.fixture
def web() -> Iterator[Web]:
    with web_service() as web:
        yield web


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, web: Web) -> Repository:
    """On `main`, 75 % of it covered, 90 asked for, and a service that is told."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("COVLS_ALERT_URLS", f"json://me:secret@127.0.0.1:{web.port}/secret")
    repository = Repository(tmp_path / "shop")
    repository.write("covls.toml", "[gates]\ntotal = 90\n[alerts]\ntimeout = 60\n")
    repository.write("shop.py", SHOP.format(0))
    repository("add", ".")
    repository("commit", "-qm", "one")
    measured(repository)
    return repository


def measured(repository: Repository) -> None:
    age(repository.folder)
    coverage(repository.folder, "run", "--source=.", "shop.py")


def alerted(covls: Covls, repository: Repository, *arguments: str) -> Done:
    done = covls(repository.folder, "check", "--alert", *arguments)
    assert "secret" not in done.out + done.err
    return done


def test_each_event_is_told_once_and_once_when_it_is_over(
    shop: Repository, covls: Covls, web: Web
) -> None:
    done = alerted(covls, shop)
    assert (done.code, "Told json 1: gate total on main." in done.err) == (1, True), done.err
    (body,) = web.bodies
    assert (body["type"], body["title"]) == (
        "failure",
        "shop: coverage is not what it should be on main",
    )
    first, _, where = body["message"].splitlines()
    assert first == "total: All code: 80% (4 of 5 statements), 90% asked. 1 more would do."
    assert where.startswith("main at ")
    # Again, on a later commit, too: nothing is new.
    alerted(covls, shop)
    shop.commit("other.txt", "text\n", 1_700_000_000)
    assert alerted(covls, shop).code == 1
    assert len(web.bodies) == 1
    shop.write("shop.py", SHOP.format(0) + "price(1)\n")
    measured(shop)
    assert alerted(covls, shop).code == 0
    assert alerted(covls, shop).code == 0
    assert [each["title"] for each in web.bodies[1:]] == ["shop: coverage has recovered on main"]
    shop.write("shop.py", SHOP.format(0))
    measured(shop)
    alerted(covls, shop)
    assert [each["type"] for each in web.bodies] == ["failure", "success", "failure"]


def test_a_dry_run_says_what_would_be_sent_and_notes_nothing(
    shop: Repository, covls: Covls, web: Web
) -> None:
    done = alerted(covls, shop, "--dry-run", "--format", "json")
    assert done.out.startswith("{")
    assert (
        "Would be sent to json 1:\n    shop: coverage is not what it should be on main\n"
        "    total: All code: 80%" in done.err
    )
    assert (web.bodies, (shop.folder / ".covls").exists()) == ([], False)
    alerted(covls, shop)
    assert "there is nothing that was not told" in alerted(covls, shop, "--dry-run").err
    assert len(web.bodies) == 1
    assert covls(shop.folder, "check", "--dry-run").code == 2


def test_a_service_that_is_down_fails_nothing_and_is_told_later(
    shop: Repository, covls: Covls, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web_service() as second:
        both = f"{os.environ['COVLS_ALERT_URLS']} json://127.0.0.1:{second.port}/"
        monkeypatch.setenv("COVLS_ALERT_URLS", both)
        second.status = 503
        done = alerted(covls, shop)
        assert "Told json 1:" in done.err
        assert (
            "json 2 was not told: it did not take the message. It is told by the next" in done.err
        )
        second.status = 200
        done = alerted(covls, shop)
        assert ("json 1" in done.err, "Told json 2:" in done.err) == (False, True), done.err
    assert (len(web.bodies), len(second.bodies)) == (1, 2)


def test_what_is_no_alert(
    shop: Repository, covls: Covls, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop("checkout", "-qb", "feature")
    done = alerted(covls, shop)
    assert "No alert: This is feature, and `alerts.branches` has main, master." in done.err
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_REF", "refs/pull/1/merge")
    assert "No alert: This is no branch" in alerted(covls, shop).err
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    monkeypatch.delenv("COVLS_ALERT_URLS")
    done = alerted(covls, shop)
    assert (done.code, "No alert: COVLS_ALERT_URLS has no address." in done.err) == (1, True)
    assert web.bodies == []
    # Data that are not of the code say nothing either way.
    monkeypatch.setenv("COVLS_ALERT_URLS", f"json://127.0.0.1:{web.port}/")
    shop.write("shop.py", SHOP.format(1))
    assert alerted(covls, shop).code == 3
    assert web.bodies == []


def test_where_it_must_be_sent_it_fails_like_a_gate(
    shop: Repository, covls: Covls, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = "[gates]\ntotal = {}\n[alerts]\nrequired = true\nvariable = 'MINE'\n"
    shop.write("covls.toml", settings.format(50))
    done = alerted(covls, shop)
    assert (done.code, "No alert: MINE has no address." in done.err) == (1, True), done.err
    monkeypatch.setenv("MINE", "json://127.0.0.1:9/")
    done = alerted(covls, shop)
    assert done.code == 0, "all is well, and nobody was told otherwise"
    monkeypatch.setenv("COVLS_HISTORY_URL", "nothing://")
    done = alerted(covls, shop)
    assert (done.code, "what was told before is not known" in done.err) == (1, True), done.err
    monkeypatch.delenv("COVLS_HISTORY_URL")
    url = "[history]\nurl = 'sqlite:///other.sqlite'\n"
    shop.write("covls.toml", settings.format(50) + url)
    done = alerted(covls, shop, "--no-trusted")
    assert (done.code, "not trusted" in done.err) == (1, True), done.err


def test_of_several_processes_one_tells(
    shop: Repository, covls: Covls, web: Web, history_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COVLS_HISTORY_URL", history_url)
    alerted(covls, shop, "--dry-run")
    command = [sys.executable, "-m", "covls", "check", "--alert"]
    started = [
        subprocess.Popen(command, cwd=shop.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    said = [process.communicate(timeout=120)[1].decode() for process in started]
    assert sum("Told json 1" in each for each in said) == 1, said
    assert len(web.bodies) == 1
