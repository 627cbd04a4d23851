"""Messages to real services on this machine, and what is said where one fails: never an address."""

import logging
import socket
import sys
from collections.abc import Iterator

import pytest
from apprise.plugins.slack import NotifySlack

from covls.adapters.notify import CannotNotifyError, Service, send, services
from covls.core.alerts import Message
from tests.adapters.services import Web, mail_service, web_service

BAD = Message("shop: coverage", "total: 58 % <b>&amp;\nsecond line", is_over=False)
GOOD = Message("shop: coverage has recovered", "total: 80 %", is_over=True)
TOKENS = "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
SECONDS = 60.0
"""Long, for a machine that is busy: none of the tests waits for it to pass."""


@pytest.fixture
def web() -> Iterator[Web]:
    with web_service() as web:
        yield web


def to(address: str, name: str = "one") -> Service:
    return Service(name, address)


def test_addresses_are_told_apart_by_kind_and_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "MINE", f" slack://{TOKENS}\njson://user:secret@host/\tSLACK://x/y/z secret@host "
    )
    found = services("MINE")
    assert [service.name for service in found] == ["slack 1", "json 1", "slack 2", "address 1"]
    assert found[0].address == f"slack://{TOKENS}"
    assert "secret" not in repr(found) + str(found[1])
    assert services("NOT_THERE") == []


def test_a_webhook_gets_the_words_as_they_are(web: Web) -> None:
    address = f"json://user:secret@127.0.0.1:{web.port}/hook"
    assert send([(to(address), BAD), (to(address), GOOD)], SECONDS) == ["", ""]
    found = sorted(web.bodies, key=lambda body: str(body["type"]))
    assert {path for path, _ in web.received} == {"/hook"}
    assert [(body["type"], body["title"]) for body in found] == [
        ("failure", BAD.title),
        ("success", GOOD.title),
    ]
    assert found[0]["message"] == BAD.body


def test_slack_gets_what_slack_takes(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NotifySlack, "webhook_url", f"http://127.0.0.1:{web.port}/services")
    assert send([(to(f"slack://{TOKENS}/#coverage"), BAD)], SECONDS) == [""]
    ((path, body),) = web.received
    assert path == f"/services/{TOKENS}"
    assert body["channel"] == "#coverage"
    (attachment,) = body["attachments"]
    assert attachment["title"] == BAD.title
    assert "total: 58 %" in attachment["text"]


def test_e_mail() -> None:
    with mail_service() as mail:
        address = f"mailto://127.0.0.1:{mail.port}?from=ci@example.org&to=team@example.org"
        assert send([(to(address), BAD)], SECONDS) == [""]
    (letter,) = mail.letters
    assert "Subject: shop: coverage" in letter
    assert "team@example.org" in letter


def test_one_that_fails_holds_up_no_other_and_gives_nothing_away(
    web: Web, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody, web_service() as refusing:
        refusing.status = 500
        closed = nobody.getsockname()[1]
        nobody.close()
        addresses = [
            f"json://user:secret@127.0.0.1:{closed}/secret",
            f"json://user:secret@127.0.0.1:{refusing.port}/secret",
            "nothing://secret",
            "secret",
            "slack://secret",
            f"json://127.0.0.1:{web.port}/",
        ]
        wrong = send([(to(address), BAD) for address in addresses], SECONDS)
    assert all(wrong[:5]), wrong
    assert wrong[5] == ""
    assert len(web.received) == 1
    shown = capfd.readouterr()
    assert "secret" not in " ".join(wrong) + shown.out + shown.err + caplog.text
    assert logging.root.manager.disable == logging.NOTSET


def test_one_that_answers_without_end_is_not_waited_for(web: Web) -> None:
    web.drips = True
    try:
        (wrong,) = send([(to(f"json://127.0.0.1:{web.port}/"), BAD)], 0.2)
    finally:
        logging.disable(logging.NOTSET)  # It stays quiet for what comes too late.
    assert wrong


def test_without_apprise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(CannotNotifyError, match="not installed"):
        send([(to("json://127.0.0.1/"), BAD)], SECONDS)
