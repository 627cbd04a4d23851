"""One file's coverage whole, as an editor's own view of it needs it."""

from pathlib import Path

from tests.server.client import Client, uri_of
from tests.server.conftest import SHOP

QUIET = ("covls/status", "textDocument/publishDiagnostics", "$/progress")


async def test_everything_of_a_file(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    found = await client.coverage(uri)
    told = await client.receive("covls/didChangeCoverage")
    assert told == {"uri": uri, "version": 1}
    assert (found["uri"], found["version"], found["freshness"]) == (uri, 1, "fresh")
    assert found["summary"] == {
        "percent": found["summary"]["percent"],
        "percentText": "65",
        "statements": 16,
        "missing": 5,
        "excluded": 0,
        "branches": 4,
        "partialBranches": 2,
        "missingBranches": 2,
    }
    assert [3, 3, "covered", "fresh"] in found["marks"]
    assert [4, 4, "partial", "fresh"] in found["marks"]
    assert [27, 29, "missing", "fresh"] in found["marks"]
    assert found["marks"] == sorted(found["marks"])
    assert found["branches"][0] == {
        "line": 4,
        "target": 6,
        "words": "line 5 didn't jump to line 7 because the condition on line 5 was always true",
        "lost": False,
    }
    assert found["lost"] == []
    functions = {(each["kind"], each["name"]): each for each in found["functions"]}
    assert list(functions) == [
        ("function", "discount"),
        ("function", "parse"),
        ("function", "never"),
        ("class", "Basket"),
        ("function", "Basket.__init__"),
        ("function", "Basket.total"),
    ]
    never = functions["function", "never"]
    assert (never["startLine"], never["endLine"]) == (15, 19)
    assert never["summary"]["percentText"] == "0"
    assert functions["function", "parse"]["summary"]["missing"] == 1
    await client.end()


async def test_functions_move_with_an_edit(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET, "covls/didChangeCoverage")
    await minimal.start(shop)
    uri = minimal.open(shop / "shop.py")
    version = minimal.change(uri, "\n" + SHOP.replace("def parse(text)", "def parse(words)"))
    found = await minimal.coverage(uri)
    assert (found["version"], found["freshness"]) == (version, "edited")
    lines = {each["name"]: each["startLine"] for each in found["functions"]}
    assert lines["discount"] == 4
    assert lines["never"] == 16
    # Its first line was edited: nothing is said of a function that may be another one.
    assert "parse" not in lines
    await minimal.end()


async def test_a_file_that_is_not_open(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    await minimal.start(shop)
    found = await minimal.coverage(uri_of(shop / "shop.py"))
    assert found["version"] is None
    assert found["summary"]["statements"] == 16
    await minimal.end()


async def test_unknown_files_are_null_and_no_errors(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    (shop / "unmeasured.py").write_text("a = 1\n")
    for uri in (
        uri_of(shop / "unmeasured.py"),
        uri_of(shop / "gone.py"),
        uri_of(shop),
        uri_of("/"),
        "file:///nowhere/at%20all.py",
        "file://another.machine/a.py",
        "untitled:Untitled-1",
        "git:/a/b.py?ref",
        "http://[broken",
        "",
    ):
        assert await client.coverage(uri) is None
    await client.end()


async def test_changes_are_told_once_and_only_if_there_are_any(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    await minimal.start(shop)
    uri = minimal.open(shop / "shop.py")
    assert (await minimal.receive("covls/didChangeCoverage"))["version"] == 1
    minimal.change(uri, SHOP + "\n")
    minimal.save(uri)
    minimal.change(uri, "\n" + SHOP)
    told = await minimal.receive("covls/didChangeCoverage")
    assert told == {"uri": uri, "version": 3}
    await minimal.end()
