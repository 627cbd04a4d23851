"""Tests that run when a file is saved."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.server.client import Client, shape
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
    client = launch("neovim")
    waits = (
        WAITS.replace("import time\n", "import time\n\nimport slow\n")
        + "    assert slow.a() == 1\n"
    )
    write(project, test_waits__py=waits, slow__py="def a():\n    return 1\n")
    (project.parent / "go on").touch()
    uri = await begin(client, project, with_options(on_save="affected"))
    client.ignore("textDocument/publishDiagnostics")
    slow = client.open(project / "slow.py")
    (project.parent / "go on").unlink()
    (project.parent / "waiting").unlink()
    save(client, slow, project / "slow.py", "def a():\n    return 2 - 1\n")
    await there(project.parent / "waiting")
    # Saved twice in a row, as by a formatter.
    save(client, uri, project / "shop.py", SHOP.replace("int(text)", "int( text)"))
    save(client, uri, project / "shop.py", SHOP.replace("int(text)", "int(text) + 0"))
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
