"""Failed tests as diagnostics, beside those of coverage."""

from pathlib import Path
from typing import Any

from tests.server.client import Client, uri_of
from tests.server.conftest import write
from tests.server.features.test_run import OPTIONS, QUIET, TESTS, ended, project

__all__ = ["project"]

PUBLISHED = "textDocument/publishDiagnostics"

FAILING = TESTS.replace("== 90", "== 80")

RAISES = """\
from shop import parse


def test_raises():
    parse("x")
"""


def failed(items: list[Any]) -> list[tuple[int, str]]:
    """Line, counted from 1, and message of the failed tests among diagnostics."""
    return [
        (item["range"]["start"]["line"] + 1, item["message"])
        for item in items
        if item["code"] == "test-failed"
    ]


async def test_at_the_failing_line_wherever_it_moves_until_it_passes(
    client: Client, project: Path
) -> None:
    client.ignore(*QUIET[:-1], "window/showMessage", "window/showMessageRequest")
    path = project / "test_shop.py"
    path.write_text(FAILING)
    await client.start(project, options=OPTIONS)
    uri = client.open(path)
    await client.command("covls.runAll")
    await ended(client)
    message = "test_shop.py::test_discount failed: assert 90 == 80"
    found = await client.diagnostics(uri, lambda items: bool(failed(items)))
    (line, said), *_ = failed(found)
    assert line == 5
    assert said.startswith(message)
    assert [item["severity"] for item in found if item["code"] == "test-failed"] == [1]
    client.change(uri, "# one more line\n" + FAILING)
    await client.diagnostics(uri, lambda items: [line for line, _ in failed(items)] == [6])
    # The line itself is edited: what it became shows the failure still.
    client.change(uri, TESTS)
    path.write_text(TESTS)
    client.save(uri)
    await client.diagnostics(uri, lambda items: [line for line, _ in failed(items)] == [5])
    await client.command("covls.runAffected")
    await ended(client)
    await client.diagnostics(uri, lambda items: not failed(items))
    client.ignore("window/logMessage", PUBLISHED)
    await client.end()


async def test_in_files_that_are_not_open(client: Client, project: Path) -> None:
    client.ignore(*QUIET[:-1], "window/showMessage", "window/showMessageRequest")
    write(project, test_raises__py=RAISES)
    await client.start(project, options=OPTIONS)
    await client.command("covls.runAll")
    await ended(client)
    uri, broken = uri_of(project / "test_raises.py"), uri_of(project / "test_broken.py")
    told = await client.receive(PUBLISHED, lambda p: p["uri"] == uri)
    ((line, _),) = failed(told["diagnostics"])
    assert line == 5
    if client.kind != "minimal":
        (related,) = told["diagnostics"][0]["relatedInformation"]
        assert related["location"]["uri"] == uri_of(project / "shop.py")
        assert related["location"]["range"]["start"]["line"] == 7
    client.open(project / "test_raises.py")
    await client.receive(PUBLISHED, lambda p: p["uri"] == uri and not p["diagnostics"])
    await client.diagnostics(uri, lambda items: bool(failed(items)))
    client.close(uri)
    await client.receive(PUBLISHED, lambda p: p["uri"] == uri and bool(p["diagnostics"]))
    # What cannot be imported keeps pytest from running anything else.
    write(project, test_broken__py="import nothing_of_the_kind\n")
    await client.command("covls.runAll")
    await ended(client)
    told = await client.receive(PUBLISHED, lambda p: p["uri"] == broken)
    ((line, said),) = failed(told["diagnostics"])
    assert (line, said) == (1, "ModuleNotFoundError: No module named 'nothing_of_the_kind'")
    client.ignore("window/logMessage", PUBLISHED)
    await client.end()
