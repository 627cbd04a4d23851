"""What is said of the line under the pointer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from covls.core.coverage import State
from covls.core.marks import Freshness, Mark, MissedBranch
from covls.server.features.hover import describe
from tests.server.client import Client
from tests.server.conftest import CONFIGURATION, SHOP, measure, write

QUIET = (
    "covls/status",
    "covls/didChangeCoverage",
    "$/progress",
    "textDocument/publishDiagnostics",
)


async def text_at(client: Client, uri: str, line: int) -> str:
    """The hover's words for a line, 1-based."""
    found = await client.hover(uri, line - 1)
    assert found["range"]["start"]["line"] == found["range"]["end"]["line"] == line - 1
    kind = {"minimal": "plaintext"}.get(client.kind, "markdown")
    assert found["contents"]["kind"] == kind
    value: str = found["contents"]["value"]
    return value


async def test_a_line_of_each_state(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    covered = await text_at(client, uri, 6)
    assert "Covered" in covered
    assert "as it was measured" in covered
    assert "Reached by 1 test:" in covered
    assert "test_shop.py::test_discount" in covered
    # pytest-cov's phases are not the test's name.
    assert "|run" not in covered
    many = await text_at(client, uri, 13)
    assert "Reached by 2 tests:" in many
    assert "test_shop.py::TestParse::test_number[22]" in many
    assert "No test runs it." in await text_at(client, uri, 17)
    partial = await text_at(client, uri, 5)
    assert "Partly covered" in partial
    target = "line 7" if client.kind == "minimal" else f"[line 7]({uri}#L7)"
    words = f"Line 5 didn't jump to {target} because the condition on line 5 was always true"
    assert words in partial
    assert "test_discount" in partial
    imported = await text_at(client, uri, 4)
    assert "outside of any test" in imported
    assert ("**" in covered) == (client.kind != "minimal")
    await client.end()


def test_data_that_names_only_first_tests_is_not_believed() -> None:
    mark = Mark(1, 1, State.COVERED)
    words = describe(mark, None, recorded=False, only_first=True)
    assert "only the first test of each line" in words
    assert "was not recorded" not in words


async def test_elsewhere_there_is_none(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    for line in (3, 19, 500):
        assert await client.hover(uri, line - 1) is None
    unmeasured = shop / "other.py"
    unmeasured.write_text("a = 1\n")
    assert await client.hover(client.open(unmeasured), 0) is None
    assert await client.hover(f"file://{shop}/not/open.py", 0) is None
    assert await client.hover("untitled:Untitled-1", 0) is None
    await client.end()


async def test_an_edited_line_says_so(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    await minimal.start(shop)
    uri = minimal.open(shop / "shop.py")
    minimal.change(uri, SHOP.replace("amount * 9", "amount * 8") + "\n\nnew = 1\n")
    assert (await text_at(minimal, uri, 6)).startswith("Covered before it was edited")
    assert "not there when coverage was measured" in await text_at(minimal, uri, 33)
    # The tests of a line that moved are still its tests.
    minimal.change(uri, "\n\n" + SHOP)
    assert "test_discount" in await text_at(minimal, uri, 8)
    await minimal.end()


async def test_data_without_contexts_says_how_to_record_them(
    minimal: Client, tmp_path: Path
) -> None:
    project = write(tmp_path / "p", a__py="a = 1\n")
    (project / ".coveragerc").write_text(CONFIGURATION)
    measure(project, "coverage", "run", "a.py")
    minimal.ignore(*QUIET)
    await minimal.start(project)
    uri = minimal.open(project / "a.py")
    assert "--cov-context=test" in await text_at(minimal, uri, 1)
    await minimal.end()


async def test_it_can_be_turned_off(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    await minimal.start(shop, options={"hover": {"enable": False}})
    assert await minimal.hover(minimal.open(shop / "shop.py"), 5) is None
    await minimal.end()


def words(mark: Mark, tests: tuple[str, ...] | None = None, **how: Any) -> str:
    return describe(mark, tests, **{"recorded": True, **how})


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        (Mark(1, 1, State.EXCLUDED), "Excluded from coverage"),
        (Mark(1, 1, State.MISSING, Freshness.UNVERIFIED), "not verified"),
        (Mark(1, 1, State.COVERED, Freshness.UNVERIFIED), "not known which text was measured"),
        (Mark(1, 1, State.MISSING, Freshness.EDITED), "Not covered before it was edited"),
        (Mark(1, 1, State.MISSING, Freshness.NEW), "Not measured yet"),
        (Mark(1, 1, State.PARTIAL, branches=(MissedBranch(4, "x is y"),)), "X is y"),
    ],
)
def test_states_in_words(mark: Mark, expected: str) -> None:
    assert expected in words(mark)


def test_ten_tests_and_how_many_more() -> None:
    tests = tuple(f"test_{number}" for number in range(13))
    found = words(Mark(1, 1, State.COVERED), tests)
    assert "Reached by 13 tests:" in found
    assert "test_9" in found
    assert "test_10" not in found
    assert found.endswith("and 3 more")


def test_markdown_takes_names_and_words_as_they_are() -> None:
    mark = Mark(1, 1, State.PARTIAL, branches=(MissedBranch(None, "line *1* didn't"),))
    found = words(mark, ("test[`a`]", "test_b_c"), uri="file:///a.py")
    assert r"Line \*1\* didn't" in found
    assert "- `` test[`a`] ``" in found
    assert "- `test_b_c`" in found


def test_the_link_leads_to_the_line_that_was_not_reached() -> None:
    mark = Mark(
        7, 7, State.PARTIAL, branches=(MissedBranch(70, "line 7 didn't jump to line 70 because #"),)
    )
    found = words(mark, uri="file:///a%20(b)/c.py")
    link = "[line 70](file:///a%20%28b%29/c.py#L70)"
    assert f"Line 7 didn't jump to {link} because \\#" in found
    assert "[" not in words(mark)
    # An exit is no line, and words may be missing.
    leaving = Mark(7, 7, State.PARTIAL, branches=(MissedBranch(None, "line 7 didn't return"),))
    assert "[" not in words(leaving, uri="file:///a.py")
    unnamed = Mark(7, 7, State.PARTIAL, branches=(MissedBranch(9, ""),))
    assert "Line 7 never jumped to [line 9](file:///a.py#L9)" in words(unnamed, uri="file:///a.py")


async def test_where_the_measured_text_is_known_from(
    launch: Callable[..., Client], shop: Path
) -> None:
    before = launch()
    before.ignore(*QUIET)
    await before.start(shop)
    assert "known from" not in await text_at(before, before.open(shop / "shop.py"), 6)
    await before.end()
    (shop / "shop.py").write_text("# above\n" + SHOP)
    after = launch()
    after.ignore(*QUIET)
    await after.start(shop)
    found = await text_at(after, after.open(shop / "shop.py"), 7)
    assert "as it was measured" in found
    assert "not as it was measured. What was measured is known from covls's ledger." in found
    await after.end()
