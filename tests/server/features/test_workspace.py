"""Folders, roots and places: which data a file's coverage is taken from."""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.server.client import Client, shape, uri_of
from tests.server.conftest import CONFIGURATION, SHAPE, copy, measure, run_tests, write

QUIET = ("covls/status", "covls/didChangeCoverage", "$/progress")

ONLY_A = "def a():\n    return 1\n"


def measured(folder: Path, *, call: bool) -> Path:
    """A project whose function is called, or not."""
    write(folder, a__py=ONLY_A, main__py="import a\n" + ("a.a()\n" if call else ""))
    (folder / ".coveragerc").write_text(CONFIGURATION)
    measure(folder, "coverage", "run", "main.py")
    return folder


async def uncovered(client: Client, path: Path) -> list[tuple[int, int, str]]:
    """What a file shows, by the message that any client can send."""
    found = await client.coverage(client.open(path))
    assert found is not None
    return [(m[0] + 1, m[1] + 1, m[2]) for m in found["marks"] if m[2] == "missing"]


async def test_several_folders(client: Client, tmp_path: Path) -> None:
    one = measured(tmp_path / "one", call=True)
    two = measured(tmp_path / "two", call=False)
    client.ignore(*QUIET, "textDocument/publishDiagnostics")
    await client.start(one, two)
    assert await uncovered(client, one / "a.py") == []
    assert await uncovered(client, two / "a.py") == [(2, 2, "missing")]
    await client.end()


async def test_the_innermost_root_holds(minimal: Client, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    inner = measured(outer / "packages" / "inner", call=False)
    write(outer, main__py="import sys\nsys.path.insert(0, 'packages/inner')\nimport a\na.a()\n")
    (outer / ".coveragerc").write_text(CONFIGURATION)
    measure(outer, "coverage", "run", "main.py")
    minimal.ignore(*QUIET, "textDocument/publishDiagnostics")
    await minimal.start(outer)
    assert await uncovered(minimal, inner / "a.py") == [(2, 2, "missing")]
    assert await uncovered(minimal, outer / "main.py") == []
    # Without data of its own, the inner folder's files have that of the outer.
    (inner / ".coverage").unlink()
    await minimal.command("covls.refresh")
    deadline = 200
    while await uncovered(minimal, inner / "a.py"):
        deadline -= 1
        assert deadline
    await minimal.end()


async def test_roots_that_the_settings_name(minimal: Client, tmp_path: Path) -> None:
    outer = measured(tmp_path / "outer", call=True)
    inner = measured(outer / "inner", call=False)
    (outer / "covls.toml").write_text('roots = ["inner"]\n')
    minimal.ignore(*QUIET, "textDocument/publishDiagnostics")
    await minimal.start(outer)
    assert await uncovered(minimal, inner / "a.py") == [(2, 2, "missing")]
    assert await uncovered(minimal, outer / "a.py") == []
    await minimal.end()


async def test_folders_come_and_go(minimal: Client, tmp_path: Path) -> None:
    one = measured(tmp_path / "one", call=True)
    two = measured(tmp_path / "two", call=False)
    minimal.ignore("covls/didChangeCoverage", "textDocument/publishDiagnostics")
    await minimal.start(one)

    def folders(added: list[Path], removed: list[Path]) -> None:
        event = {
            "added": [{"uri": uri_of(path), "name": path.name} for path in added],
            "removed": [{"uri": uri_of(path), "name": path.name} for path in removed],
        }
        minimal.notify("workspace/didChangeWorkspaceFolders", {"event": event})

    folders([two], [one])
    found = await minimal.request("covls/projectCoverage", {})
    assert found["folders"] == [uri_of(two)]
    await minimal.receive("covls/status", lambda status: status["folder"] == uri_of(two))
    folders([one], [])
    both = await minimal.request("covls/projectCoverage", {})
    assert both["folders"] == [uri_of(two), uri_of(one)]
    folders([], [one, two])
    assert await minimal.request("covls/projectCoverage", {}) is None
    minimal.ignore("covls/status")
    await minimal.end()


async def test_a_file_outside_of_all_folders(client: Client, tmp_path: Path) -> None:
    one = measured(tmp_path / "one", call=True)
    lone = measured(tmp_path / "lone", call=False)
    client.ignore(*QUIET, "textDocument/publishDiagnostics")
    await client.start(one)
    assert await uncovered(client, lone / "a.py") == [(2, 2, "missing")]
    await client.end()


async def test_without_any_folder(client: Client, tmp_path: Path) -> None:
    lone = measured(tmp_path / "lone", call=False)
    client.ignore(*QUIET, "textDocument/publishDiagnostics")
    await client.start()
    assert await uncovered(client, lone / "a.py") == [(2, 2, "missing")]
    await client.end()


async def test_data_that_appears_later(client: Client, tmp_path: Path, shop: Path) -> None:
    project = copy(shop, tmp_path / "later")
    (project / ".coverage").unlink()
    client.ignore("covls/didChangeCoverage", "$/progress", "textDocument/publishDiagnostics")
    await client.start(project)
    uri = client.open(project / "shop.py")
    status = await client.receive("covls/status")
    assert (status["state"], status["percent"]) == ("noData", None)
    assert await client.coverage(uri) is None
    client._ignored.discard("textDocument/publishDiagnostics")
    run_tests(project)
    await client.diagnostics(uri, lambda items: shape(items) == SHAPE)
    client.ignore("covls/status")
    await client.end()


async def test_a_place_with_spaces_and_umlauts(client: Client, tmp_path: Path, shop: Path) -> None:
    project = copy(shop, tmp_path / "Füße & 100% mehr;so #1")
    client.ignore(*QUIET)
    await client.start(project)
    uri = client.open(project / "shop.py")
    found = await client.diagnostics(uri)
    assert shape(found) == SHAPE
    await client.end()


async def test_the_clients_own_spelling_of_a_uri(client: Client, tmp_path: Path) -> None:
    project = measured(tmp_path / "Füße (1)", call=False)
    client.ignore(*QUIET)
    await client.start(project)
    # VS Code encodes more than it must, and in lower case.
    path = quote(str(project / "a.py"), safe="/")
    spelled = "file://" + "".join(
        part.lower() if part.startswith("%") else part for part in _encoded(path)
    )
    assert spelled != uri_of(project / "a.py")
    found = await client.diagnostics(client.open(project / "a.py", uri=spelled))
    assert shape(found) == [(2, 2, "uncovered")]
    assert (await client.coverage(spelled))["uri"] == spelled
    await client.end()


def _encoded(text: str) -> list[str]:
    parts = []
    while text:
        size = 3 if text[0] == "%" else 1
        parts.append(text[:size])
        text = text[size:]
    return parts


async def test_a_folder_reached_by_a_link(client: Client, tmp_path: Path) -> None:
    real = write(tmp_path / "real", a__py=ONLY_A, main__py="import a\n")
    # Without relative_files: the data has the real paths, as coverage.py writes them.
    measure(real, "coverage", "run", "main.py")
    link = tmp_path / "link"
    link.symlink_to(real)
    client.ignore("covls/didChangeCoverage", "$/progress")
    await client.start(link)
    uri = client.open(link / "a.py")
    assert shape(await client.diagnostics(uri)) == [(2, 2, "uncovered")]
    status = await client.receive_until("covls/status", lambda status: status["state"] == "ok")
    assert status["folder"] == uri_of(link)
    # The same file by its real path, too; it is one project.
    assert shape(await client.diagnostics(client.open(real / "a.py"))) == [(2, 2, "uncovered")]
    client.ignore("covls/status")
    await client.end()


async def test_a_root_has_the_clients_spelling_whichever_file_comes_first(
    minimal: Client, tmp_path: Path
) -> None:
    real = measured(tmp_path / "real", call=False)
    link = tmp_path / "link"
    link.symlink_to(real)
    minimal.ignore("covls/didChangeCoverage", "textDocument/publishDiagnostics")
    await minimal.start(link)
    assert await uncovered(minimal, real / "a.py") == [(2, 2, "missing")]
    status = await minimal.receive_until("covls/status", lambda status: status["state"] == "ok")
    assert status["folder"] == uri_of(link)
    minimal.ignore("covls/status")
    await minimal.end()


async def test_links_in_a_circle(minimal: Client, tmp_path: Path) -> None:
    project = measured(tmp_path / "p", call=False)
    (project / "loop").symlink_to(project)
    (project / "self.py").symlink_to(project / "self.py")
    minimal.ignore(*QUIET, "textDocument/publishDiagnostics")
    await minimal.start(project)
    assert await uncovered(minimal, project / "a.py") == [(2, 2, "missing")]
    assert await minimal.coverage(minimal.open(project / "self.py", "a = 1\n")) is None
    assert await uncovered(minimal, project / "loop" / "loop" / "a.py") == [(2, 2, "missing")]
    await minimal.end()


async def test_documents_that_are_no_files_are_ignored(client: Client, shop: Path) -> None:
    await client.start(shop)
    text = (shop / "shop.py").read_text()
    for uri in ("untitled:Untitled-1", "vscode-notebook-cell:/a.ipynb#W0", "git:/shop.py?HEAD"):
        client.open(shop / "shop.py", text, uri=uri)
        client.change(uri, text + "a = 1\n")
        client.save(uri)
        assert await client.hover(uri, 5) is None
        client.close(uri)
    await client.end()


async def test_a_source_whose_text_comes_back(launch_vscode: Client, shop: Path) -> None:
    client = launch_vscode
    client.ignore(*QUIET)
    source = shop / "shop.py"
    text, times = source.read_text(), source.stat()
    source.write_text(text + "\nmore = 1\n")
    await client.start(shop)
    uri = client.open(source, text)
    assert {code for _, _, code in shape(await client.diagnostics(uri))} == {"stale"}
    source.write_text(text)
    os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
    changes: list[dict[str, Any]] = [{"uri": uri, "type": 2}]
    client.notify("workspace/didChangeWatchedFiles", {"changes": changes})
    await client.diagnostics(uri, lambda items: shape(items) == SHAPE)
    await client.end()


def test_capabilities_are_plain_json() -> None:
    folder = Path(__file__).parents[1] / "capabilities"
    assert {path.stem for path in folder.glob("*.json")} == {"neovim", "vscode", "minimal"}
    for path in folder.glob("*.json"):
        assert isinstance(json.loads(path.read_text()), dict)
