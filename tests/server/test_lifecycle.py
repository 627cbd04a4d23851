"""Beginning and end of a session: exit codes, vanished clients, answers out of turn."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.server.client import CAPABILITIES, DEADLINE, Client, ResponseError

NOT_INITIALIZED = -32002
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
PARSE_ERROR = -32700


async def test_a_session_without_a_file_says_nothing(client: Client, tmp_path: Path) -> None:
    await client.start(tmp_path)
    await client.end()


async def test_what_the_server_says_it_can_do(client: Client, tmp_path: Path) -> None:
    server = await client.start(tmp_path)
    found = server["capabilities"]
    encodings = {"neovim": "utf-8", "vscode": "utf-16", "minimal": "utf-16"}
    assert found["positionEncoding"] == encodings[client.kind]
    sync = found["textDocumentSync"]
    # 1 is Full: edits come as whole texts.
    assert (sync["openClose"], sync["change"], sync["save"]) == (True, 1, True)
    assert found["hoverProvider"] is True
    page = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
    documented = re.findall(r"^\| `(covls\.\w+)` \|", page, re.MULTILINE)
    assert sorted(found["executeCommandProvider"]["commands"]) == sorted(set(documented))
    assert found["workspace"]["workspaceFolders"] == {
        "supported": True,
        "changeNotifications": True,
    }
    # Only VS Code can be asked to pull again; whoever cannot gets diagnostics published.
    assert ("diagnosticProvider" in found) == (client.kind == "vscode")
    assert server["serverInfo"]["name"] == "covls"
    await client.end()


async def test_what_is_asked_of_a_client_that_can(client: Client, tmp_path: Path) -> None:
    await client.start(tmp_path)
    await client.request("covls/projectCoverage", {"folder": "untitled:no"})
    expected = {"vscode": {"workspace/didChangeWatchedFiles", "workspace/didChangeConfiguration"}}
    deadline = time.monotonic() + DEADLINE
    while set(client.registrations) != expected.get(client.kind, set()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    await client.end()


@pytest.mark.needs_tool("nvim", why="its capabilities are compared with those recorded")
def test_neovims_capabilities_are_the_real_ones(tmp_path: Path) -> None:
    nvim = shutil.which("nvim")
    assert nvim is not None
    script = "lua io.stdout:write(vim.json.encode(vim.lsp.protocol.make_client_capabilities()))"
    done = subprocess.run(
        [nvim, "--headless", "--clean", "-c", script, "-c", "q"], capture_output=True, check=True
    )
    assert json.loads(done.stdout) == json.loads((CAPABILITIES / "neovim.json").read_text())


async def test_exit_without_shutdown_is_1(minimal: Client, tmp_path: Path) -> None:
    await minimal.start(tmp_path)
    minimal.notify("exit", None)
    await minimal.left(1)


async def test_a_client_that_closes_its_pipe_ends_the_server(minimal: Client, shop: Path) -> None:
    await minimal.start(shop)
    minimal.open(shop / "shop.py")
    await minimal.receive("textDocument/publishDiagnostics")
    assert minimal.process.stdin is not None
    minimal.process.stdin.close()
    await minimal.left(1)


async def test_a_client_that_dies_ends_the_server_though_its_pipe_is_open(
    minimal: Client, tmp_path: Path
) -> None:
    editor = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        await minimal.start(tmp_path, process_id=editor.pid)
        await minimal.request("covls/projectCoverage", {"folder": "untitled:no"})
    finally:
        editor.communicate(b"\n")
    await minimal.left(1)


async def test_a_process_id_of_another_machine_is_no_vanished_client(
    minimal: Client, tmp_path: Path
) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    await minimal.start(tmp_path, process_id=gone.pid)
    await minimal.request("covls/projectCoverage", {"folder": "untitled:no"})
    await minimal.end()


async def test_shutdown_while_much_is_under_way(client: Client, shop: Path) -> None:
    client.ignore("$/progress", "covls/status", "covls/didChangeCoverage")
    client.ignore("textDocument/publishDiagnostics", "workspace/diagnostic/refresh")
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    asked = [
        client.ask("covls/projectCoverage", {})[1],
        client.ask("covls/fileCoverage", {"textDocument": {"uri": uri}})[1],
        client.ask("workspace/executeCommand", {"command": "covls.refresh"})[1],
    ]
    client.change(uri, "changed = 1\n")
    started = time.monotonic()
    await client.end()
    # Two seconds are promised; the rest is the machine's, which runs other tests.
    assert time.monotonic() - started < DEADLINE / 2
    # Every request got an answer, be it that it was cancelled.
    for answer in asked:
        assert answer.done()
        answer.exception()


async def test_no_worker_outlives_the_server(minimal: Client, shop: Path) -> None:
    processes = Path("/proc")
    if not processes.is_dir():
        pytest.skip("processes are told from /proc")
    await minimal.start(shop)
    minimal.open(shop / "shop.py")
    await minimal.receive("textDocument/publishDiagnostics")
    server = minimal.process.pid
    workers = [
        int(status.parent.name)
        for status in processes.glob("[0-9]*/status")
        if f"PPid:\t{server}\n" in _text(status)
    ]
    assert workers, "the file was analysed by a worker"
    minimal.ignore("covls/status", "covls/didChangeCoverage")
    await minimal.end()
    deadline = time.monotonic() + DEADLINE
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


async def test_requests_out_of_turn_are_refused(minimal: Client, tmp_path: Path) -> None:
    await minimal.launch()
    with pytest.raises(ResponseError) as early:
        await minimal.hover("file:///a.py", 0)
    assert early.value.code == NOT_INITIALIZED
    minimal.notify("textDocument/didSave", {"textDocument": {"uri": "file:///a.py"}})
    params: dict[str, Any] = {"processId": None, "rootUri": None, "capabilities": {}}
    await minimal.request("initialize", params)
    with pytest.raises(ResponseError) as twice:
        await minimal.request("initialize", params)
    assert twice.value.code == INVALID_REQUEST
    await minimal.request("shutdown", None)
    with pytest.raises(ResponseError) as late:
        await minimal.hover("file:///a.py", 0)
    assert late.value.code == INVALID_REQUEST
    minimal.notify("exit", None)
    await minimal.left(0)
    assert minimal.unclaimed == []


async def test_what_cannot_be_understood_is_answered_and_survived(
    minimal: Client, tmp_path: Path
) -> None:
    await minimal.start(tmp_path)
    with pytest.raises(ResponseError) as unknown:
        await minimal.request("textDocument/nonsense", {"a": {"b": [1]}})
    assert unknown.value.code == METHOD_NOT_FOUND
    wrong_ones: list[Any] = [{}, {"textDocument": 7}, {"textDocument": {}}, [1, 2], "text", None]
    for params in wrong_ones:
        with pytest.raises(ResponseError) as wrong:
            await minimal.request("covls/fileCoverage", params)
        assert wrong.value.code == INVALID_PARAMS
    minimal.notify("textDocument/didOpen", {"textDocument": {"uri": "file:///a.py"}})
    minimal.notify("textDocument/didChange", {"textDocument": {"uri": "file:///never/opened.py"}})
    minimal.notify("$/setTrace", {"value": "verbose"})
    minimal.notify("$/cancelRequest", {"id": 4711})
    minimal.notify("nonsense/notification", {"a": 1})
    minimal.send({"id": "nobody asked", "result": None})
    minimal.send_bytes(b"Content-Length: 2\r\nX: y\r\n\r\n[]")
    minimal.send_bytes(b"a line of noise\r\n\r\nContent-Length: 5\r\n\r\n\xff\xfe{}!")
    assert await minimal.request("covls/projectCoverage", {"folder": "untitled:no"}) is None
    answers = [message["error"]["code"] for message in minimal.unclaimed]
    assert answers == [INVALID_REQUEST, PARSE_ERROR]
    minimal.unclaimed.clear()
    await minimal.end()


async def test_a_document_never_opened_is_no_reason_to_bother_the_user(
    minimal: Client, tmp_path: Path
) -> None:
    await minimal.start(tmp_path)
    uri = f"file://{tmp_path}/never.py"
    for _ in range(5):
        changes = [{"text": "a"}]
        params: dict[str, Any] = {
            "textDocument": {"uri": uri, "version": 2},
            "contentChanges": changes,
        }
        minimal.notify("textDocument/didChange", params)
        minimal.close(uri)
        minimal.save(uri)
    assert await minimal.hover(uri, 0) is None
    await minimal.end()


async def test_no_message_body_is_logged_at_info(
    launch: Callable[..., Client], tmp_path: Path
) -> None:
    client = launch("minimal", "--log-level", "info")
    await client.start(tmp_path)
    secret = "pass" + "word = 'in the text'"
    uri = client.open(tmp_path / "a.py", secret)
    await client.receive("covls/status")
    assert await client.hover(uri, 0) is None
    await client.end()
    assert secret[:8] not in client.log()
    assert "a.py" not in client.log()


async def test_what_is_printed_does_not_reach_the_client(launch: Callable[..., Client]) -> None:
    client = launch("minimal", "--log-level", "debug")
    await client.launch()
    params: dict[str, Any] = {"processId": None, "rootUri": None, "capabilities": {}}
    await client.request("initialize", params)
    await client.end()
    assert "initialize" in client.log()
