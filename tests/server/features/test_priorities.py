"""What to test next, asked for and shown."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.server.client import Client, ResponseError, uri_of
from tests.server.conftest import copy
from tests.server.features.test_exclusion import QUIET
from tests.server.features.test_go_to_tests import shows


async def test_rows_have_places_reasons_and_what_to_do(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    found = await client.request("covls/priorities", {"folder": uri_of(shop)})
    assert found["folders"] == [uri_of(shop)]
    assert found["by"] == "function"
    assert found["total"] == len(found["rows"]) == 5
    assert "Left out: 1 file of tests." in found["notes"]
    rows = {row["title"]: row for row in found["rows"]}
    never = rows["never"]
    assert never["uri"] == uri_of(shop / "shop.py")
    assert (never["startLine"], never["endLine"]) == (15, 19)
    assert never["lines"] == [[16, 19]]
    assert never["reasons"][0] == "no test calls it: 2 statements"
    assert never["factors"]["statements"] == 2
    assert never["factors"]["complexity"] == 1
    action = never["action"]
    assert action["words"].startswith("Add a test of never to test_shop.py, beside ")
    assert action["uri"] == uri_of(shop / "test_shop.py")
    assert action["exists"]
    assert action["command"] == ["covls", "run", "test_shop.py"]
    nearest = rows["discount"]["action"]
    assert nearest["test"] == "test_shop.py::test_discount"
    assert nearest["location"]["uri"] == uri_of(shop / "test_shop.py")
    assert nearest["location"]["range"]["start"]["line"] == 5
    scores = [row["score"] for row in found["rows"]]
    assert scores == sorted(scores, reverse=True)
    await client.end()


async def test_what_is_asked_for(minimal: Client, shop: Path, tmp_path: Path) -> None:
    other = copy(shop, tmp_path / "other shop")
    minimal.ignore(*QUIET)
    await minimal.start(shop, other)
    both = await minimal.request("covls/priorities", None)
    assert both["total"] == 10
    assert {row["folder"] for row in both["rows"]} == {uri_of(shop), uri_of(other)}
    first = await minimal.request("covls/priorities", {"limit": 1, "by": "file"})
    assert [row["title"] for row in first["rows"]] == ["shop.py"]
    assert first["total"] == 2
    blocks = await minimal.request("covls/priorities", {"folder": uri_of(shop), "by": "block"})
    assert {row["title"] for row in blocks["rows"]} >= {"lines 17-20 of never"}
    assert await minimal.request("covls/priorities", {"folder": uri_of(shop / "gone")}) is None
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"by": "line"}, "by must be one of file, function, block"),
        ({"limit": -1}, "limit must be a whole number from 0"),
    ]
    for params, words in wrong:
        with pytest.raises(ResponseError, match=words):
            await minimal.request("covls/priorities", params)
    await minimal.end()


async def test_lines_are_those_on_screen(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    await minimal.start(shop)
    uri = minimal.open(shop / "shop.py")
    minimal.change(uri, "\n\n" + (shop / "shop.py").read_text())
    found = await minimal.request("covls/priorities", {})
    (never,) = (row for row in found["rows"] if row["title"] == "never")
    assert (never["startLine"], never["lines"], never["stale"]) == (17, [[18, 21]], False)
    minimal.change(uri, (shop / "shop.py").read_text())
    found = await minimal.request("covls/priorities", {})
    (never,) = (row for row in found["rows"] if row["title"] == "never")
    assert (never["startLine"], never["lines"]) == (15, [[16, 19]])
    await minimal.end()


async def test_settings_weigh_and_leave_out(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    (shop / "covls.toml").write_text(
        '[[priorities]]\nmatch = "shop.py"\nweight = 2\nadvice = "Mind the tax."\n'
    )
    await minimal.start(shop)
    found = await minimal.request("covls/priorities", {"limit": 1})
    assert found["rows"][0]["factors"]["weight"] == 2
    assert found["rows"][0]["advice"] == "Mind the tax."
    assert "weight 2 by shop.py" in found["rows"][0]["reasons"]
    await minimal.end()


async def test_it_is_shown_as_a_document_or_in_a_message(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    shown = shows(client)
    await client.start(shop)
    found = await client.command("covls.showPriorities", uri_of(shop), 2)
    assert found["text"].startswith("1  ")
    assert found["markdown"].startswith("# What to test next")
    if client.kind == "minimal":
        said = await client.receive("window/showMessage")
        assert said == {"type": 3, "message": f"covls: {found['text']}"}
    else:
        await client.until(lambda: shown)
        path = Path(unquote(urlsplit(shown[0]["uri"]).path))
        assert path.read_text(encoding="utf-8") == found["markdown"] + "\n"
        assert not path.is_relative_to(shop)
        link = f"({uri_of(shop / 'shop.py')}#L"
        assert link in found["markdown"]
    with pytest.raises(ResponseError, match="there is no coverage of"):
        await client.command("covls.showPriorities", uri_of(shop / "gone"))
    await client.end()
