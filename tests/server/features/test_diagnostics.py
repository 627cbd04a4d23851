"""Uncovered blocks and branches not taken, in each kind of editor."""

from pathlib import Path

from lsprotocol import types

from covls.core.coverage import State
from covls.core.marks import Freshness, Mark, MissedBranch, missing_blocks
from covls.core.settings import Diagnostics
from covls.server.capabilities import Capabilities
from covls.server.convert import Encoding
from covls.server.features.diagnostics import diagnostics_of
from tests.server.client import Client, shape, uri_of
from tests.server.conftest import CONFIGURATION, SHAPE, SHOP, measure, run_tests, write

QUIET = ("covls/status", "covls/didChangeCoverage", "$/progress")


async def test_a_file_shows_its_blocks_and_branches(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    found = await client.diagnostics(client.open(shop / "shop.py"))
    assert shape(found) == SHAPE
    for diagnostic in found:
        assert diagnostic["source"] == "covls"
        assert diagnostic["severity"] == 4
        assert "tags" not in diagnostic
    by_line = {diagnostic["range"]["start"]["line"] + 1: diagnostic for diagnostic in found}
    assert by_line[12]["message"] == "No test runs this line."
    assert by_line[17]["message"] == "No test runs lines 17 to 20."
    assert by_line[17]["range"] == {
        "start": {"line": 16, "character": 4},
        "end": {"line": 19, "character": 16},
    }
    branch = by_line[5]
    assert branch["message"] == (
        "Line 5 didn't jump to line 7 because the condition on line 5 was always true"
    )
    uri = uri_of(shop / "shop.py")
    related = branch.get("relatedInformation")
    if client.kind == "minimal":
        assert related is None
    else:
        assert related == [
            {
                "location": {
                    "uri": uri,
                    "range": {
                        "start": {"line": 6, "character": 4},
                        "end": {"line": 6, "character": 17},
                    },
                },
                "message": "Never reached from line 5",
            }
        ]
    await client.end()


async def test_diagnostics_go_with_their_file(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    assert await client.diagnostics(uri)
    client.close(uri)
    if client.pulls:
        assert (await client.pull(uri))["items"] == []
    else:
        assert await client.diagnostics(uri) == []
    await client.end()


async def test_lines_move_with_an_edit_and_an_edited_line_has_none(
    client: Client, shop: Path
) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    await client.diagnostics(uri)
    text = "import os\n\n" + SHOP.replace("total = a + b", "total = a - b")
    client.change(uri, text)
    moved = [(first + 2, last + 2, code) for first, last, code in SHAPE if not first <= 17 <= last]
    # What is left of the block of which one line was edited.
    moved.append((22, 22, "uncovered"))
    found = await client.diagnostics(uri, lambda items: shape(items) == sorted(moved))
    words = next(d["message"] for d in found if d["code"] == "partial-branch")
    assert words.startswith("Line 7 didn't jump to line 9 ")
    client.change(uri, SHOP)
    assert shape(await client.diagnostics(uri, lambda items: shape(items) == SHAPE))
    await client.end()


async def test_a_burst_of_typing_is_published_as_few_times(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    await minimal.start(shop)
    uri = minimal.open(shop / "shop.py")
    await minimal.diagnostics(uri)
    for number in range(200):
        minimal.change(uri, "\n" * (number + 1) + SHOP)
    await minimal.diagnostics(uri, lambda items: items[0]["range"]["start"]["line"] == 204)
    assert minimal.count("textDocument/publishDiagnostics") < 20
    minimal.ignore("textDocument/publishDiagnostics")
    await minimal.end()


async def test_nothing_is_sent_again_that_did_not_change(minimal: Client, shop: Path) -> None:
    minimal.ignore("covls/status")
    await minimal.start(shop)
    uri = minimal.open(shop / "shop.py")
    await minimal.diagnostics(uri)
    await minimal.receive("covls/didChangeCoverage")
    # Behind the last statement: no mark moves, though the text is another one.
    minimal.change(uri, SHOP + "\n\n")
    minimal.save(uri)
    await minimal.command("covls.refresh")
    # The next edit does move marks: its diagnostics are the next ones.
    minimal.change(uri, "\n" + SHOP)
    found = await minimal.diagnostics(uri)
    assert found[0]["range"]["start"]["line"] == 5
    minimal.ignore("covls/didChangeCoverage")
    await minimal.end()


async def test_pulled_twice_is_unchanged(launch_vscode: Client, shop: Path) -> None:
    client = launch_vscode
    client.ignore(*QUIET)
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    first = await client.pull(uri)
    assert first["kind"] == "full"
    second = await client.pull(uri, first["resultId"])
    assert second == {"kind": "unchanged", "resultId": first["resultId"]}
    assert client.refreshes == 0
    client.change(uri, "\n" + SHOP)
    third = await client.pull(uri, first["resultId"])
    assert third["kind"] == "full"
    assert third["resultId"] != first["resultId"]
    await client.end()


async def test_versions_are_sent_to_those_who_want_them(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    minimal.capabilities["textDocument"] = {"publishDiagnostics": {"versionSupport": True}}
    await minimal.start(shop)
    uri = minimal.open(shop / "shop.py")
    first = await minimal.receive("textDocument/publishDiagnostics")
    assert first["version"] == 1
    version = minimal.change(uri, "\n" + SHOP)
    second = await minimal.receive("textDocument/publishDiagnostics")
    assert second["version"] == version
    await minimal.end()


async def test_data_that_changes_while_a_file_is_open(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    assert shape(await client.diagnostics(uri)) == SHAPE
    tests = shop / "test_shop.py"
    tests.write_text(
        tests.read_text() + "\n\ndef test_never():\n    import shop\n"
        "    assert shop.never(1, 2) == 3\n"
    )
    run_tests(shop)
    now = [each for each in SHAPE if each[0] != 17]
    await client.diagnostics(uri, lambda items: shape(items) == now)
    await client.end()


async def test_a_file_modified_after_the_data_was_written(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    (shop / "shop.py").write_text(SHOP.replace("total = a + b", "total = a - b"))
    await client.start(shop)
    found = await client.diagnostics(client.open(shop / "shop.py"))
    assert {code for _, _, code in shape(found)} == {"stale"}
    assert all("not known which text was measured" in each["message"] for each in found)
    await client.end()


async def test_only_open_files_have_diagnostics(minimal: Client, tmp_path: Path) -> None:
    project = write(tmp_path / "p", a__py="def a():\n    pass\n", main__py="import a, b\n")
    (project / "b.py").write_text("def b():\n    pass\n")
    (project / ".coveragerc").write_text(CONFIGURATION)
    measure(project, "coverage", "run", "main.py")
    minimal.ignore(*QUIET)
    await minimal.start(project)
    uri = minimal.open(project / "a.py")
    params = await minimal.receive("textDocument/publishDiagnostics")
    assert params["uri"] == uri
    await minimal.end()


MARKS = [
    Mark(1, 1, State.MISSING),
    Mark(2, 2, State.MISSING, Freshness.EDITED),
    Mark(3, 3, State.MISSING, Freshness.NEW),
    Mark(4, 4, State.MISSING, Freshness.UNVERIFIED),
    Mark(5, 5, State.COVERED),
    Mark(6, 6, State.EXCLUDED),
    Mark(7, 7, State.PARTIAL, Freshness.FRESH, (MissedBranch(2, "words"), MissedBranch(None, ""))),
    Mark(8, 8, State.PARTIAL, Freshness.UNVERIFIED, (MissedBranch(1, "words"),)),
    Mark(9, 9, State.PARTIAL, Freshness.EDITED),
]
LINES = [f"line_{number}" for number in range(1, 10)]


def codes(settings: Diagnostics) -> list[tuple[int, str | int | None]]:
    found = diagnostics_of(
        MARKS, missing_blocks(MARKS), LINES, "file:///a.py", settings, Capabilities()
    )
    return [(d.range.start.line + 1, d.code) for d in found]


def test_what_each_state_and_freshness_becomes() -> None:
    all_of_them = [(1, "uncovered"), (4, "stale"), (7, "partial-branch"), (8, "stale")]
    assert codes(Diagnostics()) == all_of_them
    assert codes(Diagnostics(stale=False)) == [(1, "uncovered"), (7, "partial-branch")]
    assert codes(Diagnostics(partial=False)) == [(1, "uncovered"), (4, "stale")]
    assert codes(Diagnostics(enable=False)) == []


def test_the_words_and_targets_of_branches() -> None:
    capabilities = Capabilities(encoding=Encoding.UTF8, related_information=True)
    settings = Diagnostics(severity="warning")
    found = diagnostics_of(
        MARKS, missing_blocks(MARKS), LINES, "file:///a.py", settings, capabilities
    )
    partial = next(each for each in found if each.code == "partial-branch")
    assert partial.message == "Words\nLine 7 never jumped to the exit"
    assert partial.severity is types.DiagnosticSeverity.Warning
    assert partial.related_information is not None
    assert [each.location.range.start.line for each in partial.related_information] == [1]
