"""Tests that run when a file is saved."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.processes import processes_below, wait_until_gone
from tests.server.client import Client, shape, uri_of
from tests.server.conftest import write
from tests.server.features.test_run import (
    QUIET,
    SHOP,
    WAITS,
    ended,
    project,
    there,
    with_options,
)

__all__ = ["project"]

SAVES = "Affected tests of shop"


def save(client: Client, uri: str, path: Path, text: str) -> None:
    """Edit a file and save it, as an editor does."""
    client.change(uri, text)
    path.write_text(text)
    client.save(uri)


async def begin(client: Client, project: Path, options: Any) -> str:
    """Start with all tests run, and the shop open. Returns its URI."""
    client.ignore(*QUIET[:-1], "window/showMessage")
    await client.start(project, options=options)
    uri = client.open(project / "shop.py")
    await client.command("covls.runAll")
    await ended(client)
    return uri


async def test_marks_are_those_of_a_full_run_a_moment_later(client: Client, project: Path) -> None:
    uri = await begin(client, project, with_options(on_save="affected"))
    assert shape(await client.diagnostics(uri, bool)) == [(2, 2, "partial-branch")]
    text = SHOP.replace(
        "    return int(text)", "    if not text:\n        return 0\n    return int(text)"
    )
    save(client, uri, project / "shop.py", text)
    (said,) = await ended(client)
    assert said.startswith(f"covls: {SAVES}: 1 passed. (")
    found = await client.diagnostics(uri, lambda items: len(items) == 3)
    assert shape(found) == [
        (2, 2, "partial-branch"),
        (8, 8, "partial-branch"),
        (9, 9, "uncovered"),
    ]
    coverage = await client.coverage(uri)
    assert coverage["freshness"] == "fresh"
    client.ignore("window/logMessage")
    await client.end()


async def test_a_save_in_the_middle_begins_anew_with_all_of_it(
    launch: Callable[..., Client], project: Path
) -> None:
    monkeypatch = pytest.MonkeyPatch()
    client = launch("neovim")
    slow = await begin_waiting(client, project)
    uri = uri_of(project / "shop.py")
    save(client, slow, project / "slow.py", "def a():\n    return 2 - 1\n")
    await there(project.parent / "waiting")
    # Saved twice in a row, as by a formatter; told at once, for this process may be held up.
    told: list[bytes] = []
    monkeypatch.setattr(client, "send_bytes", told.append)
    save(client, uri, project / "shop.py", SHOP.replace("int(text)", "int( text)"))
    save(client, uri, project / "shop.py", SHOP.replace("int(text)", "int(text) + 0"))
    monkeypatch.undo()
    client.send_bytes(b"".join(told))
    (said,) = await _saying(client, "Cancelled after")
    (project.parent / "go on").touch()
    (said,) = await ended(client)
    assert said.startswith(f"covls: {SAVES}: 2 passed. (")
    await asyncio.sleep(0.5)
    assert not [m for m in client.unclaimed if "Cancelled" in m["params"]["message"]]
    client.ignore("window/logMessage")
    await client.end()


async def _saying(client: Client, words: str) -> list[str]:
    found = await client.receive("window/logMessage", lambda p: words in p["message"])
    return [found["message"]]


def answers(client: Client, *replies: str | None) -> list[str]:
    """Have the client's user answer questions; what he was asked."""
    asked: list[str] = []

    def answer(params: Any) -> Any:
        asked.append(params["message"].removeprefix("covls: "))
        reply = replies[len(asked) - 1]
        return None if reply is None else {"title": reply}

    client.answers["window/showMessageRequest"] = answer
    return asked


async def test_all_tests_run_on_save_where_the_user_says_so(
    launch: Callable[..., Client], project: Path
) -> None:
    client = launch("vscode")
    client.ignore(*QUIET[:-1])
    asked = answers(client, "Not now", "Run all tests", "Always, without asking")
    await client.start(project, options=with_options(on_save="affected"))
    uri = client.open(project / "shop.py")
    never = "All tests of shop have to run: no run of the tests was recorded by covls."
    save(client, uri, project / "shop.py", SHOP + "# 1\n")
    await client.until(lambda: asked == [never])
    # He said no: nothing runs, and he is not asked again for the same reason.
    save(client, uri, project / "shop.py", SHOP + "# 2\n")
    await _saying(client, "nothing runs on save until all tests did: no run")
    assert not (project / ".coverage").exists()
    # All tests ran; now something else asks for all of them.
    await client.command("covls.runAll")
    await ended(client)
    (project / "conftest.py").write_text("")
    save(client, uri, project / "shop.py", SHOP + "# 3\n")
    (said,) = await ended(client)
    assert said.startswith(f"covls: {SAVES}: 2 passed. (")
    assert asked[1:] == [
        "All tests of shop have to run: conftest.py was added, which any test may depend on."
    ]
    for text in ("A = 1\n", "A = 2\n"):
        (project / "conftest.py").write_text(text)
        save(client, uri, project / "shop.py", SHOP + f"# {text}")
        (said,) = await ended(client)
        assert said.startswith(f"covls: {SAVES}: 2 passed. (")
    assert len(asked) == 3
    client.ignore("window/logMessage")
    await client.end()


async def test_a_client_without_questions_is_told_what_to_do(
    minimal: Client, project: Path
) -> None:
    minimal.ignore(*QUIET[:-1])
    await minimal.start(project, options=with_options(on_save="affected"))
    uri = minimal.open(project / "shop.py")
    save(minimal, uri, project / "shop.py", SHOP + "# 1\n")
    await minimal.receive("window/showMessageRequest")
    said = (await minimal.receive("window/showMessage"))["message"]
    save(minimal, uri, project / "shop.py", SHOP + "# 2\n")
    assert said.endswith("Until they did (`covls.runAll`), none runs on save.")
    await _saying(minimal, "nothing runs on save until all tests did")
    minimal.ignore("window/logMessage")
    await minimal.end()
    assert not (project / ".coverage").exists()


@pytest.mark.parametrize("trusted", [False, None])
async def test_nothing_runs_on_save_where_nobody_says_that_it_may(
    minimal: Client, project: Path, trusted: bool | None
) -> None:
    ran = project.parent / "it ran"
    (project / "conftest.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
    minimal.ignore(*QUIET)
    options = {**with_options(on_save="affected"), "trusted": trusted}
    await minimal.start(project, options=options)
    uri = minimal.open(project / "shop.py")
    for number in range(3):
        save(minimal, uri, project / "shop.py", SHOP + f"# {number}\n")
        if not number:
            said = (await minimal.receive("window/showMessage"))["message"]
            assert "No test runs on save" in said
    assert await minimal.command("covls.cancelRun") is False
    # A second notice would be left unclaimed.
    await minimal.end()
    assert not ran.exists()
    assert not (project / ".coverage").exists()


async def test_the_tests_of_the_file_that_is_saved(minimal: Client, project: Path) -> None:
    minimal.ignore(*QUIET[:-1], "window/showMessage", "textDocument/publishDiagnostics")
    write(project, test_other__py="def test_other():\n    pass\n")
    await minimal.start(project, options=with_options(on_save="file"))
    shop = minimal.open(project / "shop.py")
    other = minimal.open(project / "test_other.py")
    save(minimal, shop, project / "shop.py", SHOP + "# 1\n")
    (said,) = await ended(minimal)
    assert said.startswith("covls: Tests of what was saved of shop: 2 passed. (")
    save(minimal, other, project / "test_other.py", "def test_other():\n    assert 1 + 1 == 2\n")
    (said,) = await ended(minimal)
    assert said.startswith("covls: Tests of what was saved of shop: 1 passed. (")
    # All at once are one run.
    save(minimal, other, project / "test_other.py", "def test_other():\n    assert 2 + 1 == 3\n")
    save(minimal, shop, project / "shop.py", SHOP + "# 2\n")
    (said,) = await ended(minimal)
    assert said.startswith("covls: Tests of what was saved of shop: 3 passed. (")
    minimal.ignore("window/logMessage")
    await minimal.end()


async def test_what_the_user_asks_for_goes_before_what_a_save_began(
    launch: Callable[..., Client], project: Path
) -> None:
    client = launch("neovim")
    uri = await begin_waiting(client, project)
    save(client, uri, project / "slow.py", "def a():\n    return 2 - 1\n")
    await there(project.parent / "waiting")
    await client.command("covls.runTests", uri_of(project), ["test_shop.py::test_parse"])
    await _saying(client, f"{SAVES}: Cancelled after 0 of 1 tests")
    (said,) = await ended(client)
    assert said.startswith("covls: test_shop.py::test_parse: 1 passed. (")
    # And then what was saved, from its beginning.
    (project.parent / "go on").touch()
    (said,) = await ended(client)
    assert said.startswith(f"covls: {SAVES}: 1 passed. (")
    client.ignore("window/logMessage")
    await client.end()


async def begin_waiting(client: Client, project: Path) -> str:
    """Start with a test of slow.py that waits when it runs again. Returns the URI of slow.py."""
    waits = (
        WAITS.replace("import time\n", "import time\n\nimport slow\n")
        + "    assert slow.a() == 1\n"
    )
    write(project, test_waits__py=waits, slow__py="def a():\n    return 1\n")
    (project.parent / "go on").touch()
    await begin(client, project, with_options(on_save="affected"))
    client.ignore("textDocument/publishDiagnostics")
    slow = client.open(project / "slow.py")
    (project.parent / "go on").unlink()
    (project.parent / "waiting").unlink()
    return slow


@pytest.mark.parametrize(
    ("settings", "goes_on"),
    [({"run": {"onSave": "off"}}, False), ({"trusted": False}, False), ({"enable": False}, True)],
)
async def test_settings_that_change_in_the_middle(
    minimal: Client, project: Path, settings: dict[str, Any], goes_on: bool
) -> None:
    slow = await begin_waiting(minimal, project)
    before = set(processes_below(minimal.process.pid))
    save(minimal, slow, project / "slow.py", "def a():\n    return 2 - 1\n")
    await there(project.parent / "waiting")
    below = set(processes_below(minimal.process.pid)) - before
    minimal.notify("workspace/didChangeConfiguration", {"settings": {"covls": settings}})
    if goes_on:
        await minimal.until(lambda: True)
        (project.parent / "go on").touch()
        (said,) = await ended(minimal)
        assert said.startswith(f"covls: {SAVES}: 1 passed. (")
    else:
        await _saying(minimal, f"{SAVES}: Cancelled after 0 of 1 tests")
        await asyncio.to_thread(wait_until_gone, below)
        assert await minimal.command("covls.cancelRun") is False
    minimal.ignore("window/logMessage", "window/showMessage")
    await minimal.end()
