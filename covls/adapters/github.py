"""GitHub's API, as far as a comment on a pull request takes it: found, made or updated.

The token goes into one header of requests to the API's own host, over TLS, and nowhere else: no
redirect is followed, and what is said of a failure is covls's own words and GitHub's message.
"""

import http.client
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from enum import Enum
from typing import Any, Final, TypeVar

from covls.core.comment import is_ours

API: Final = "https://api.github.com"
_TRIES: Final = 4
_PAGES: Final = 100
_PAGE: Final = 100
_TIMEOUT: Final = 20.0
_MOST_BYTES: Final = 20_000_000

Found = TypeVar("Found")
Wait = Callable[[float], None]


class GitHubError(Exception):
    """A comment could not be posted: the message says why, and what to do."""


class _PassingError(Exception):
    """What may go well in a while: after so many seconds, where GitHub has said it."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


class _GoneError(Exception):
    """What was to be changed is not there any more."""


class Posted(Enum):
    """What became of a comment."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Head:
    """A commit at the tip of a branch, by which a pull request is found."""

    owner: str
    branch: str
    commit: str


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Redirects are failures: the token is for one host."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


class GitHub:
    """One repository on GitHub, asked with a token."""

    def __init__(
        self,
        repository: str,
        token: str,
        *,
        api: str = API,
        timeout: float = _TIMEOUT,
        patience: float = 90.0,
        wait: Wait = time.sleep,
    ) -> None:
        """`patience` is how many seconds a rate limit may ask to wait.

        Raises GitHubError for a repository's name or an address that cannot be one.
        """
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
            raise GitHubError(f"{repository!r} is no repository: write OWNER/NAME.")
        address = urllib.parse.urlsplit(api)
        local = address.hostname in ("localhost", "127.0.0.1", "::1")
        if address.scheme != "https" and not (address.scheme == "http" and local):
            raise GitHubError(f"{api!r} is not reached over https, so the token is not sent there.")
        if not token.isascii() or not token.isprintable() or " " in token:
            raise GitHubError("The token is none: it has spaces or other letters in it.")
        self._api = api.rstrip("/")
        self._repository = repository
        self._token = token
        self._timeout = timeout
        self._patience = patience
        self._wait = wait
        self._opener = urllib.request.build_opener(_NoRedirects)

    def post_comment(self, number: int, body: str) -> Posted:
        """Make the comment on a pull request, or bring the one that is there up to date.

        Where an answer is missing, what is there is looked at again before anything is repeated, so
        that there is never a second one. Raises GitHubError.
        """
        return self._patiently(lambda: self._put(number, body))

    def find_pull_request(self, head: Head) -> int | None:
        """The number of the open pull request with this commit at its tip. Raises GitHubError."""

        def find() -> int | None:
            where = urllib.parse.urlencode(
                {"state": "open", "head": f"{head.owner}:{head.branch}", "per_page": _PAGE}
            )
            for page in self._pages(f"pulls?{where}"):
                for request in page:
                    if request["head"]["sha"] == head.commit:
                        return int(request["number"])
            return None

        return self._patiently(find)

    def _put(self, number: int, body: str) -> Posted:
        try:
            found = self._own_comment(number)
            if found is not None:
                if found["body"].replace("\r\n", "\n").strip() == body.strip():
                    return Posted.UNCHANGED
                try:
                    self._ask("PATCH", f"issues/comments/{int(found['id'])}", {"body": body})
                    return Posted.UPDATED
                except _GoneError:
                    pass
            self._ask("POST", f"issues/{number}/comments", {"body": body})
        except _GoneError as error:
            raise GitHubError(
                f"GitHub knows no pull request {number} in {self._repository}, or the token may "
                f"not see it ({error})."
            ) from None
        return Posted.CREATED

    def _own_comment(self, number: int) -> Mapping[str, Any] | None:
        # The tokens of workflows are those of an app. Its comments are a bot's; one of a person's,
        # who could change it after us, is not taken for ours.
        by_app = self._token.startswith("ghs_")
        for page in self._pages(f"issues/{number}/comments?per_page={_PAGE}"):
            for comment in page:
                by_bot = (comment.get("user") or {}).get("type") == "Bot"
                if is_ours(comment.get("body") or "") and (by_bot or not by_app):
                    return {"id": comment["id"], "body": comment["body"]}
        return None

    def _pages(self, path: str) -> Iterator[list[Any]]:
        for number in range(1, _PAGES + 1):
            page, link = self._ask("GET", f"{path}&page={number}")
            if not isinstance(page, list):
                raise GitHubError("GitHub's answer is not understood.")
            yield page
            # The address of the next page is not used: it could be anybody's.
            if 'rel="next"' not in link:
                return

    def _patiently(self, attempt: Callable[[], Found]) -> Found:
        """Try, and again after what passes."""
        pause = 1.0
        for tried in range(1, _TRIES + 1):
            try:
                return attempt()
            except _PassingError as error:
                seconds = pause if error.seconds is None else error.seconds
                if tried == _TRIES or seconds > self._patience:
                    raise GitHubError(str(error)) from None
                self._wait(seconds)
                pause *= 3
            except (KeyError, TypeError, ValueError, AttributeError):
                raise GitHubError("GitHub's answer is not understood.") from None
        raise AssertionError

    def _ask(
        self, method: str, path: str, values: Mapping[str, object] | None = None
    ) -> tuple[Any, str]:
        """The answer to a request, and where it goes on."""
        request = urllib.request.Request(  # noqa: S310  the scheme was looked at
            f"{self._api}/repos/{self._repository}/{path}",
            None if values is None else json.dumps(values).encode(),
            {
                "Accept": "application/vnd.github+json",
                "Content-Type": "application/json",
                "User-Agent": "covls",
                "X-GitHub-Api-Version": "2022-11-28",
            },
            method=method,
        )
        # Not one of those that urllib would take along to another host.
        request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                content = answer.read(_MOST_BYTES)
                return json.loads(content or b"null"), answer.headers.get("Link") or ""
        except urllib.error.HTTPError as error:
            with error:
                self._fail(error)
            raise AssertionError from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            words = (
                "no answer in time" if isinstance(reason, TimeoutError) else type(reason).__name__
            )
            raise _PassingError(f"GitHub cannot be reached: {words}.") from None
        except ValueError:
            raise _PassingError("GitHub's answer is not understood.") from None

    def _fail(self, error: urllib.error.HTTPError) -> None:
        """Raise what an answer means that is none."""
        code = error.code
        words = self._message(error)
        seconds = _seconds_to_wait(error.headers)
        if code == 429 or (code == 403 and (seconds is not None or "rate limit" in words.lower())):
            after = 60.0 if seconds is None else seconds
            raise _PassingError(f"GitHub's rate limit is reached for {after:.0f} s more.", after)
        if code >= 500:
            raise _PassingError(f"GitHub fails ({code}).")
        if code in (404, 410):
            raise _GoneError(words)
        if code == 401:
            raise GitHubError(f"GitHub does not take the token ({words}).")
        if code == 403:
            raise GitHubError(
                f"The token may not write comments here ({words}). In a workflow it takes "
                "`permissions: pull-requests: write`; one for a pull request from a fork never has "
                "it: leave the comment as a file there (`--output`), and post it from a workflow "
                "on `workflow_run` (`--post`)."
            )
        if 300 <= code < 400:
            raise GitHubError(f"{self._repository} has another name by now: give that.")
        raise GitHubError(f"GitHub refuses the comment ({code}, {words}).")

    def _message(self, error: urllib.error.HTTPError) -> str:
        """What GitHub says, on one line, without the token should it be in it."""
        try:
            told = json.loads(error.read(100_000))["message"]
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
            return f"it says {error.code}"
        words = " ".join(str(told).split()).replace(self._token, "***")
        return "".join(letter for letter in words if letter.isprintable())[:200]


def _seconds_to_wait(headers: Message) -> float | None:
    """How long a rate limit lasts; None where there is none."""
    try:
        if (after := headers.get("Retry-After")) is not None:
            return max(float(after), 1.0)
        if headers.get("X-RateLimit-Remaining") == "0":
            return max(float(headers.get("X-RateLimit-Reset") or 0) - time.time(), 1.0)
    except ValueError:
        return 60.0
    return None
