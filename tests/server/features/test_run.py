"""Tests run from the editor: commands, progress, what is told, and the coverage that follows."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.server.client import DEADLINE, Client, ResponseError, shape, uri_of
from tests.server.conftest import CONFIGURATION, write

QUIET = ("covls/status", "covls/didChangeCoverage", "$/progress", "window/logMessage")

SHOP = """\
def discount(amount, member):
    if member:
        amount = amount * 9
    return amount


def parse(text):
    return int(text)
"""

TESTS = """\
from shop import discount, parse


def test_discount():
    assert discount(10, True) == 90


def test_parse():
    assert parse("7") == 7
"""

OPTIONS = {
    "trusted": True,
    "python": sys.executable,
    "run": {"arguments": ["-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist"]},
}

WAITS = """\
import pathlib
import time


def test_waits():
    here = pathlib.Path(__file__).parents[1]
    (here / "waiting").touch()
    while not (here / "go on").exists():
        time.sleep(0.01)
"""
"""A test that goes on when it is told to, beside the project: what is in it tests may read."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose tests were never run."""
    folder = write(tmp_path / "shop", shop__py=SHOP, test_shop__py=TESTS)
    (folder / ".coveragerc").write_text(CONFIGURATION)
    return folder


def with_options(**run: Any) -> dict[str, Any]:
    """The settings of these tests, with others of a run."""
    return {**OPTIONS, "run": {**OPTIONS["run"], **run}}  # type: ignore[dict-item]


async def there(path: Path) -> None:
    """Wait until a file is there."""
    async with asyncio.timeout(DEADLINE):
        while not path.exists():
            await asyncio.sleep(0.01)


async def ended(client: Client, count: int = 1) -> list[str]:
    """Wait until so many runs have ended; what the log says of them."""
    said: list[str] = []
    while len(said) < count:
        message = (await client.receive("window/logMessage"))["message"]
        if " s)" in message:
            said.append(message)
    return said


async def test_all_then_what_an_edit_affects(client: Client, project: Path) -> None:
    client.ignore(*QUIET[:-1], "window/showMessage")
    await client.start(project, options=OPTIONS)
    uri = client.open(project / "shop.py")
    assert await client.command("covls.runAll") == [1]
    (said,) = await ended(client)
    assert said.startswith("covls: All tests of shop: 2 passed. (")
    assert shape(await client.diagnostics(uri, bool)) == [(2, 2, "partial-branch")]
    (project / "shop.py").write_text(SHOP.replace("int(text)", "int(text) + 0"))
    await client.command("covls.runAffected", uri_of(project))
    (said,) = await ended(client)
    assert said.startswith("covls: Affected tests of shop: 1 passed. (")
    client.ignore("window/logMessage")
    await client.end()


async def test_a_file_by_imports_then_by_what_was_recorded(minimal: Client, project: Path) -> None:
    minimal.ignore(*QUIET[:-1], "window/showMessage", "textDocument/publishDiagnostics")
    await minimal.start(project, options=OPTIONS)
    uri = minimal.open(project / "shop.py")
    await minimal.command("covls.runFile", uri)
    said = (await minimal.receive("window/logMessage"))["message"]
    assert "found by names and imports" in said
    assert "  test_shop.py: is named after shop.py" in said
    await ended(minimal)
    await minimal.command("covls.runAll")
    await ended(minimal)
    await minimal.command("covls.runFile", uri)
    said = (await minimal.receive("window/logMessage"))["message"]
    assert "  test_shop.py::test_parse: reaches shop.py" in said
    await ended(minimal)
    minimal.ignore("window/logMessage")
    await minimal.end()


async def test_at_the_cursor(minimal: Client, project: Path) -> None:
    minimal.ignore(*QUIET[:-1], "window/showMessage", "textDocument/publishDiagnostics")
    await minimal.start(project, options=OPTIONS)
    # The cursor is in the text on screen.
    test = minimal.open(project / "test_shop.py", "\n" + TESTS)
    await minimal.command("covls.runAll")
    await ended(minimal)
    shop = minimal.open(project / "shop.py")
    asked: list[tuple[list[Any], str]] = [
        ([test, 5], "test_shop.py::test_discount."),
        ([shop, 7], "test_shop.py::test_parse."),
        ([shop, 2, 7], "test_shop.py::test_discount, test_shop.py::test_parse."),
        # What begins on the line, not who imported it.
        ([shop, 6], "test_shop.py::test_parse."),
    ]
    for arguments, words in asked:
        await minimal.command("covls.runAtCursor", *arguments)
        said = (await minimal.receive("window/logMessage"))["message"].splitlines()[0]
        assert said.partition(": ")[2].partition(": ")[2] == words
        await ended(minimal)
    minimal.ignore("window/logMessage")
    await minimal.end()


async def test_tests_by_name(minimal: Client, project: Path) -> None:
    minimal.ignore(*QUIET[:-1])
    await minimal.start(project, options=OPTIONS)
    tests = ["test_shop.py::test_parse"]
    await minimal.command("covls.runTests", uri_of(project), tests)
    began = (await minimal.receive("window/showMessage"))["message"]
    assert began == "covls: test_shop.py::test_parse: running test_shop.py::test_parse."
    done = (await minimal.receive("window/showMessage"))["message"]
    assert done.startswith("covls: test_shop.py::test_parse: 1 passed. (")
    minimal.ignore("window/logMessage")
    await minimal.end()


async def test_what_failed_is_told_and_its_log_shown(client: Client, project: Path) -> None:
    client.ignore(*QUIET, "textDocument/publishDiagnostics")
    (project / "test_shop.py").write_text(TESTS.replace("== 90", "== 80"))
    shown: list[Any] = []
    asked: list[Any] = []

    def answer(params: Any) -> Any:
        asked.append(params)
        return params["actions"][0]

    def show(params: Any) -> Any:
        shown.append(params)
        return {"success": True}

    await client.start(project, options=OPTIONS)
    client.answers["window/showMessageRequest"] = answer
    client.answers["window/showDocument"] = show
    await client.command("covls.runAll")
    words = "1 passed, 1 failed. \ntest_shop.py::test_discount: assert 90 == 80"
    if client.kind == "minimal":
        await client.receive("window/showMessage")
        message = (await client.receive("window/showMessage"))["message"]
        log = Path(message.rpartition("printed: ")[2])
    else:
        await client.until(lambda: shown)
        message = asked[0]["message"]
        assert asked[0]["type"] == 2
        log = Path(shown[0]["uri"].removeprefix("file://"))
    assert message.startswith(f"covls: {words}")
    assert "def test_discount():" in log.read_text()
    await client.end()


async def test_progress_is_counted_and_cancels(
    launch: Callable[..., Client], project: Path
) -> None:
    client = launch("vscode")
    client.ignore("covls/didChangeCoverage")
    write(project, test_shop__py=TESTS + WAITS.replace("import", "\n\nimport", 1))
    await client.start(project, options=OPTIONS)
    client.open(project / "shop.py")
    await client.command("covls.runAll")
    begun = await client.receive("$/progress", lambda p: p["value"]["kind"] == "begin")
    assert begun["value"]["title"] == "All tests of shop"
    assert begun["value"]["cancellable"] is True
    words = "2 of 3 tests"
    await client.receive("$/progress", lambda p: p["value"].get("message") == words)
    status = await client.receive("covls/status", lambda p: bool(p["run"] and p["run"]["done"]))
    assert status["state"] == "running"
    assert status["run"] == {"done": 2, "total": 3, "failed": 0}
    client.notify("window/workDoneProgress/cancel", {"token": begun["token"]})
    await client.receive("$/progress", lambda p: p["value"]["kind"] == "end")
    (said,) = await ended(client)
    assert said.startswith("covls: All tests of shop: Cancelled after 2 of 3 tests.")
    assert not (project / ".coverage").exists()
    await client.receive_until("covls/status", lambda p: p["run"] is None)
    client.ignore(*QUIET)
    await client.end()


async def test_runs_wait_for_their_turn_and_are_cancelled_together(
    launch: Callable[..., Client], project: Path
) -> None:
    client = launch("vscode")
    client.ignore("covls/status", "covls/didChangeCoverage")
    write(project, test_waits__py=WAITS)
    await client.start(project, options=OPTIONS)
    await client.command("covls.runAll")
    await there(project.parent / "waiting")
    await client.command("covls.runFile", uri_of(project / "shop.py"))
    await client.command("covls.runTests", uri_of(project), ["test_shop.py::test_parse"])
    waits = "waiting for the run under way"
    for _ in range(2):
        await client.receive("$/progress", lambda p: p["value"].get("message") == waits)
    (project.parent / "go on").touch()
    said = await ended(client, 3)
    assert [words.rpartition(": ")[2].partition(".")[0] for words in said] == [
        "3 passed",
        "2 passed",
        "1 passed",
    ]
    (project.parent / "go on").unlink()
    (project.parent / "waiting").unlink()
    data = (project / ".coverage").read_bytes()
    await client.command("covls.runAll")
    await client.command("covls.runAll")
    await there(project.parent / "waiting")
    assert await client.command("covls.cancelRun", uri_of(project)) is True
    await ended(client)
    await client.until(lambda: True)
    assert await client.command("covls.cancelRun") is False
    assert (project / ".coverage").read_bytes() == data
    client.ignore(*QUIET)
    await client.end()


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("covls.runFile", ["{file}"]),
        ("covls.runAtCursor", ["{file}", 1]),
        ("covls.runAffected", []),
        ("covls.runAll", ["{folder}"]),
        ("covls.runTests", ["{folder}", ["test_shop.py"]]),
    ],
)
async def test_nothing_runs_where_nothing_is_trusted(
    minimal: Client, project: Path, command: str, arguments: list[Any]
) -> None:
    ran = project / "it ran"
    (project / "conftest.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
    minimal.ignore(*QUIET)
    await minimal.start(project, options={**OPTIONS, "trusted": False})
    named = {"{file}": uri_of(project / "shop.py"), "{folder}": uri_of(project)}
    given = [named.get(each, each) if isinstance(each, str) else each for each in arguments]
    with pytest.raises(ResponseError, match=f"{command}: this workspace is not trusted"):
        await minimal.command(command, *given)
    await minimal.end()
    assert not ran.exists()
    assert not (project / ".coverage").exists()


@pytest.mark.parametrize(
    ("command", "arguments", "words"),
    [
        ("covls.runFile", [], "covls.runFile needs uri, and got 0"),
        ("covls.runFile", ["untitled:a"], "'untitled:a' is not the URI of a file"),
        ("covls.runAtCursor", ["file:///a.py", -1], "line must be a whole number from 0, not -1"),
        ("covls.runAll", ["untitled:a"], "'untitled:a' is not the URI of a folder"),
        ("covls.runTests", ["file:///a", "test_a"], "tests must be a list of strings"),
        ("covls.runTests", ["file:///a", [1]], "tests must be a list of strings, not [1]"),
        ("covls.runTests", ["file:///a", []], "there are no tests to run"),
        ("covls.cancelRun", [True], "folder must be a string, not True"),
    ],
)
async def test_arguments_are_checked(
    minimal: Client, tmp_path: Path, command: str, arguments: list[Any], words: str
) -> None:
    await minimal.start(tmp_path)
    with pytest.raises(ResponseError) as refused:
        await minimal.command(command, *arguments)
    assert words in refused.value.message
    await minimal.end()


async def test_why_nothing_can_run(minimal: Client, project: Path) -> None:
    minimal.ignore(*QUIET)
    await minimal.start(project, options={**OPTIONS, "python": os.devnull + "/python"})
    await minimal.command("covls.runAll")
    said = (await minimal.receive("window/showMessage"))["message"]
    assert "which is not there" in said
    (project / "lonely.py").write_text("a = 1\n")
    await minimal.end()


async def test_from_the_menu_also_without_coverage(client: Client, project: Path) -> None:
    client.ignore(*QUIET, "window/showMessage", "textDocument/publishDiagnostics")
    await client.start(project, options=OPTIONS)
    test = client.open(project / "test_shop.py")
    found = await client.actions(test, 5, only=["covls.run"])
    assert [each["title"] for each in found] == [
        "Run test_shop.py::test_discount",
        "Run the tests of this file",
        "Run the affected tests",
    ]
    commands = found if client.kind == "minimal" else [each["command"] for each in found]
    assert [(each["command"], each["arguments"]) for each in commands] == [
        ("covls.runAtCursor", [test, 4]),
        ("covls.runFile", [test]),
        ("covls.runAffected", [uri_of(project)]),
    ]
    shop = client.open(project / "shop.py")
    found = await client.actions(shop, 8, only=["covls.run.line"])
    assert not found
    await client.end()


async def test_a_lens_runs_the_tests_of_its_function(client: Client, shop: Path) -> None:
    client.ignore(*QUIET[:-1], "window/showMessage", "textDocument/publishDiagnostics")
    await client.start(shop, options=OPTIONS)
    uri = client.open(shop / "shop.py")
    (lens,) = [each for each in await client.lenses(uri) if each["range"]["start"]["line"] == 9]
    assert lens["command"]["title"].endswith("· 2 tests · 1 branch missed")
    await client.command(lens["command"]["command"], *lens["command"]["arguments"])
    said = (await client.receive("window/logMessage"))["message"].splitlines()[0]
    assert "test_shop.py::TestParse::test_number[1], " in said
    (said,) = await ended(client)
    assert "2 passed" in said
    client.ignore("window/logMessage")
    await client.end()


async def test_a_lens_leads_to_the_tests_where_nothing_may_run(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET, "textDocument/publishDiagnostics")
    await minimal.start(shop, options={"trusted": False})
    uri = minimal.open(shop / "shop.py")
    commands = {each["command"]["command"] for each in await minimal.lenses(uri)}
    assert commands == {"covls.goToTests"}
    assert await minimal.actions(uri, 5, only=["covls.run"]) == []
    await minimal.end()
