"""The page as a text: what it allows itself, what it escapes, and how large it gets."""

import json
import os
import re
import zlib
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import pytest

from covls.core.history_page import About, gather
from covls.core.settings import Gates
from covls.page.filling import history_page
from tests.page.values import many, recorded, run

ABOUT = About("shop", datetime(2024, 3, 9, 8, 30, tzinfo=UTC), "1.2", "main")

# Files × runs of the largest history whose page has to be small.
N_FILES = int(os.environ.get("COVLS_PAGE_FILES", "1500"))
N_RUNS = int(os.environ.get("COVLS_PAGE_RUNS", "1000"))


class Elements(HTMLParser):
    """The elements of a page, and the text of each that has only text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[int, str] = {}
        self.within = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.within = True

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 # It is called by keyword.
        self.within = False

    def handle_data(self, data: str) -> None:
        at = len(self.found) - 1 if self.within else -1
        self.texts[at] = self.texts.get(at, "") + data

    def of(self, tag: str) -> list[str]:
        return [self.texts.get(at, "") for at, (name, _) in enumerate(self.found) if name == tag]


def data_of(page: str) -> Any:
    found = re.search(r'id="data">([^<]*)</script>', page)
    assert found
    return json.loads(zlib.decompress(b64decode(found[1])))


def test_the_page_runs_and_loads_nothing_but_its_own() -> None:
    page = history_page(ABOUT, gather([run(0, recorded("a.py", 4, 1))]))
    elements = Elements(page)
    (policy,) = (
        attributes["content"] or ""
        for tag, attributes in elements.found
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    for tag, rule, text in (
        ("script", "script-src", elements.of("script")[-1]),
        ("style", "style-src", elements.of("style")[-1]),
    ):
        allowed = b64encode(sha256(text.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{allowed}'", tag
    for tag, attributes in elements.found:
        assert not {name for name in attributes if name.startswith("on")}, tag
        for name in ("src", "href", "action", "style"):
            value = attributes.get(name) or "#"
            assert value.startswith("#") or value == "data:,", (tag, name, value)


def test_the_newest_figure_stands_in_the_page_itself() -> None:
    page = history_page(
        ABOUT, gather([run(0, recorded("a.py", 4, 1)), run(1, recorded("a.py", 8, 1))])
    )
    assert "87.5 % at 356a192b, 2024-03-01 13:00 UTC" in page


@pytest.mark.parametrize(
    "hostile",
    ["</script><script>alert(1)</script>", "<b>&amp;'\"", "{data}", "\\1{", "\x1b[31m\udcff"],
)
def test_names_are_nothing_but_text(hostile: str) -> None:
    gates = Gates(paths={hostile: 80})
    about = About(hostile, ABOUT.made, "1.2", hostile, gates, notes=(hostile,))
    page = history_page(
        about, gather([run(0, recorded(hostile, 4, 1), subject=hostile, branch=hostile)])
    )
    usual = history_page(ABOUT, gather([run(0, recorded("a.py", 4, 1))]))
    assert [tag for tag, _ in Elements(page).found] == [tag for tag, _ in Elements(usual).found]
    shown = hostile.replace("\x1b", "?").replace("\udcff", "?")
    assert Elements(page).of("title") == [f"Coverage of {shown}"]
    told = data_of(page)
    assert told["files"] == [shown]
    assert told["series"][0]["subject"] == [shown]
    assert told["notes"] == [shown]


def test_a_history_without_runs_has_a_page() -> None:
    assert data_of(history_page(ABOUT, gather([])))["series"] == []


def test_the_page_of_a_large_history_is_small() -> None:
    gathered = gather(many(N_FILES, N_RUNS, changed=20, functions=15))
    page = history_page(ABOUT, gathered)
    assert len(page.encode()) < 1_500_000
    told = data_of(page)
    assert len(told["files"]) == N_FILES
    assert len(told["series"][0]["id"]) == N_RUNS
    assert told["series"][0]["first"] == 0, "all files of all runs are told"
    assert told["notes"] == []


def test_a_page_that_would_be_too_large_tells_less_of_the_oldest_runs() -> None:
    gathered = gather(many(60, 50, changed=30, functions=1))
    whole, cut = (history_page(ABOUT, gathered, size) for size in (10**9, 75_000))
    assert len(cut) <= 75_000 < len(whole)
    series = data_of(cut)["series"][0]
    assert series["first"] > 0
    assert len(series["changes"]) == 50 - series["first"]
    assert len(series["id"]) == 50
    assert data_of(cut)["notes"][0].startswith("Of runs before 2024-03-0")
