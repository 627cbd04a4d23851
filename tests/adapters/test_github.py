"""Comments on GitHub: one that is found again, whatever GitHub answers."""

import time
from collections.abc import Iterator

import pytest

from covls.adapters.github import GitHub, GitHubError, Head, Posted
from covls.core.comment import MARKER
from tests.adapters.github_server import (
    APP_TOKEN,
    REPOSITORY,
    TOKEN,
    Answer,
    Service,
    github_service,
)

BODY = f"{MARKER}\nfigures\n"


@pytest.fixture
def service() -> Iterator[Service]:
    with github_service() as found:
        yield found


def github(service: Service, waits: list[float], token: str = TOKEN, timeout: float = 30) -> GitHub:
    return GitHub(REPOSITORY, token, api=service.url, timeout=timeout, wait=waits.append)


def test_one_comment_is_made_and_brought_up_to_date(service: Service) -> None:
    mine = github(service, [])
    service.add("somebody's")
    assert mine.post_comment(7, BODY) is Posted.CREATED
    assert mine.post_comment(7, BODY) is Posted.UNCHANGED
    assert mine.post_comment(7, BODY + "more\n") is Posted.UPDATED
    assert [comment["body"] for comment in service.comments] == ["somebody's", BODY + "more\n"]
    assert service.tokens == {f"Bearer {TOKEN}"}


def test_it_is_found_on_a_later_page(service: Service) -> None:
    for number in range(250):
        service.add(f"comment {number}")
    service.comments[230]["body"] = BODY
    assert github(service, []).post_comment(7, BODY + "new\n") is Posted.UPDATED
    assert len(service.comments) == 250
    assert service.comments[230]["body"] == BODY + "new\n"
    assert [asked.split()[0] for asked in service.asked] == ["GET", "GET", "GET", "PATCH"]


def test_a_workflow_does_not_write_into_the_comment_of_a_person(service: Service) -> None:
    service.add(BODY, kind="User")
    assert github(service, [], APP_TOKEN).post_comment(7, BODY) is Posted.CREATED
    assert github(service, [], TOKEN).post_comment(7, BODY) is Posted.UNCHANGED


def test_a_comment_that_goes_away_meanwhile_is_made_anew(service: Service) -> None:
    service.add(BODY)
    service.answers = [Answer(200, after=True), Answer(404)]
    assert github(service, []).post_comment(7, BODY + "new\n") is Posted.CREATED


@pytest.mark.parametrize(
    ("answers", "waits"),
    [
        pytest.param([Answer(502)], [1.0], id="5xx"),
        pytest.param([Answer(500), Answer(503), Answer(504)], [1.0, 3.0, 9.0], id="some 5xx"),
        pytest.param([Answer(429, headers={"Retry-After": "7"})], [7.0], id="429"),
        pytest.param([Answer(403, headers={"Retry-After": "9"})], [9.0], id="secondary limit"),
        pytest.param([Answer(403, "You exceeded a rate limit")], [60.0], id="limit in words"),
        pytest.param([Answer(200, body=b"<html>")], [1.0], id="no JSON"),
    ],
)
def test_what_passes_is_waited_for(
    service: Service, answers: list[Answer], waits: list[float]
) -> None:
    service.answers = answers
    waited: list[float] = []
    assert github(service, waited).post_comment(7, BODY) is Posted.CREATED
    assert waited == waits


def test_a_limit_that_lasts_is_not_waited_for(service: Service) -> None:
    reset = str(int(time.time()) + 3_000)
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    service.answers = [Answer(403, headers=headers)]
    waited: list[float] = []
    with pytest.raises(GitHubError, match="rate limit is reached for"):
        github(service, waited).post_comment(7, BODY)
    assert waited == []


@pytest.mark.parametrize("code", [201, 502])
def test_an_answer_that_is_lost_makes_no_second_comment(service: Service, code: int) -> None:
    # The comment is made, and nobody hears of it.
    slow = Answer(code, after=True, seconds=0.0 if code == 502 else 4.0)
    service.answers = [Answer(200, after=True), slow]
    github(service, [], timeout=30 if code == 502 else 2.0).post_comment(7, BODY)
    assert [comment["body"] for comment in service.comments] == [BODY]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(403, "Resource not accessible by integration"), "pull-requests: write"),
        (Answer(401, f"Bad credentials {TOKEN}"), r"does not take the token \(Bad credentials \*"),
        (Answer(404), "knows no pull request 7"),
        (Answer(422, "Validation\x1b[31m failed"), r"refuses the comment \(422"),
        (Answer(301, headers={"Location": "https://elsewhere.invalid/"}), "another name"),
        (Answer(200, body=b"{}"), "not understood"),
        (Answer(200, body=b"[{}, 1]"), "not understood"),
    ],
)
def test_what_does_not_pass_is_told(service: Service, answer: Answer, says: str) -> None:
    service.answers = [answer] * 9
    with pytest.raises(GitHubError, match=says) as raised:
        github(service, []).post_comment(7, BODY)
    assert TOKEN not in str(raised.value)
    assert str(raised.value).isprintable()
    assert len(service.asked) == 1


def test_it_gives_up(service: Service) -> None:
    service.answers = [Answer(500)] * 9
    with pytest.raises(GitHubError, match=r"fails \(500\)"):
        github(service, []).post_comment(7, BODY)
    assert len(service.asked) == 4


def test_nobody_listens() -> None:
    with github_service() as gone:
        pass
    with pytest.raises(GitHubError, match="cannot be reached"):
        github(gone, []).post_comment(7, BODY)


def test_a_pull_request_is_found_by_its_commit(service: Service) -> None:
    service.add_pull(5, "feature", "aaa", owner="fork")
    service.add_pull(6, "feature", "bbb")
    service.add_pull(8, "feature", "bbb", owner="fork")
    mine = github(service, [])
    assert mine.find_pull_request(Head("fork", "feature", "bbb")) == 8
    assert mine.find_pull_request(Head("fork", "feature", "ccc")) is None
    assert mine.find_pull_request(Head("fork", "other", "bbb")) is None


@pytest.mark.parametrize(
    ("repository", "token", "api"),
    [
        ("parcels", TOKEN, "https://api.github.com"),
        ("a/b/../c", TOKEN, "https://api.github.com"),
        (REPOSITORY, TOKEN, "http://api.github.com"),
        (REPOSITORY, TOKEN, "file:///etc/passwd"),
        (REPOSITORY, "two\nlines", "https://api.github.com"),
    ],
)
def test_the_token_goes_nowhere_else(repository: str, token: str, api: str) -> None:
    with pytest.raises(GitHubError) as raised:
        GitHub(repository, token, api=api)
    assert token not in str(raised.value)
