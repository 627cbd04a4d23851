"""What goes wrong outside: each thing is told once and clearly, and the server serves on."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from covls.server import features
from tests.server.client import DEADLINE, Client, shape, uri_of
from tests.server.conftest import CONFIGURATION, SHAPE, SHOP, copy, measure, write

QUIET = ("covls/status", "covls/didChangeCoverage", "$/progress")


async def test_a_file_that_does_not_parse(client: Client, shop: Path) -> None:
    client.ignore(*QUIET, "textDocument/publishDiagnostics")
    broken = "def broken(:\n    pass\n"
    (shop / "shop.py").write_text(broken)
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    assert await client.coverage(uri) is None
    message = await client.receive("window/showMessage")
    assert str(shop / "shop.py") in message["message"]
    # Said once, however often it is looked at; another file has its coverage.
    client.change(uri, broken + "\n")
    client.change(uri, broken + "\n\n")
    assert await client.coverage(uri) is None
    assert await client.hover(uri, 0) is None
    assert await client.coverage(client.open(shop / "test_shop.py"))
    await client.end()


async def test_a_buffer_that_does_not_parse(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    await client.diagnostics(uri)
    client.change(uri, "def half(:\n" + SHOP)
    found = await client.diagnostics(uri, lambda items: items[0]["range"]["start"]["line"] == 5)
    assert len(found) == len(SHAPE)
    await client.end()


async def test_a_source_that_vanished(client: Client, shop: Path) -> None:
    client.ignore(*QUIET, "window/showMessage")
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    assert shape(await client.diagnostics(uri)) == SHAPE
    (shop / "shop.py").unlink()
    # The text on screen is still the one measured.
    client.change(uri, "\n" + SHOP)
    moved = [(first + 1, last + 1, code) for first, last, code in SHAPE]
    await client.diagnostics(uri, lambda items: shape(items) == moved)
    found = await client.request("covls/projectCoverage", {"folder": uri_of(shop)})
    assert [row["name"] for row in found["files"]] == ["test_shop.py"]
    await client.end()


async def test_one_line_of_a_megabyte(client: Client, tmp_path: Path) -> None:
    project = tmp_path / "long"
    long_line = "a = '" + "ü😋" * 500_000 + "'\n"
    write(project, long__py="if 1 > 2:\n    " + long_line, main__py="import long\nlong\n")
    (project / ".coveragerc").write_text(CONFIGURATION)
    measure(project, "coverage", "run", "main.py")
    client.ignore(*QUIET)
    await client.start(project)
    found = await client.diagnostics(client.open(project / "long.py"), bool)
    assert shape(found)[-1] == (2, 2, "uncovered")
    units = {"neovim": 6, "vscode": 3, "minimal": 3}[client.kind]
    assert found[-1]["range"]["end"]["character"] == 4 + 6 + units * 500_000
    await client.end()


@pytest.mark.parametrize(("encoding", "end"), [("utf-8", 15), ("utf-16", 12), ("utf-32", 11)])
async def test_columns_in_each_encoding(
    minimal: Client, tmp_path: Path, encoding: str, end: int
) -> None:
    write(tmp_path, a__py="def f():\n    ü = '😋'\n", main__py="import a\n")
    measure(tmp_path, "coverage", "run", "main.py")
    minimal.capabilities["general"] = {"positionEncodings": [encoding]}
    minimal.ignore(*QUIET)
    server = await minimal.start(tmp_path)
    assert server["capabilities"]["positionEncoding"] == encoding
    (found,) = await minimal.diagnostics(minimal.open(tmp_path / "a.py"))
    assert found["range"]["start"] == {"line": 1, "character": 4}
    assert found["range"]["end"] == {"line": 1, "character": end}
    await minimal.end()


async def test_form_feeds_and_other_line_ends_of_pythons(minimal: Client, tmp_path: Path) -> None:
    text = "a = 1\f\n\f\nb = '\x85 \u2028'\r\ndef f():\r    c = 1\n"
    write(tmp_path, main__py="import a\n")
    (tmp_path / "a.py").write_bytes(text.encode())
    measure(tmp_path, "coverage", "run", "main.py")
    minimal.ignore(*QUIET)
    await minimal.start(tmp_path)
    uri = minimal.open(tmp_path / "a.py")
    assert shape(await minimal.diagnostics(uri)) == [(5, 5, "uncovered")]
    minimal.change(uri, "\f\n" + text)
    assert shape(await minimal.diagnostics(uri)) == [(6, 6, "uncovered")]
    await minimal.end()


@pytest.mark.parametrize(
    "make",
    [
        lambda data: data.write_bytes(b""),
        lambda data: data.write_bytes(b"SQLite format 3\0" + b"\0" * 5000),
        lambda data: data.write_bytes(data.read_bytes()[:5000]),
        lambda data: data.write_text("not a database at all"),
        lambda data: (data.unlink(), data.mkdir()),
    ],
)
async def test_data_that_is_none_from_the_start(
    minimal: Client, shop: Path, make: Callable[[Path], Any]
) -> None:
    make(shop / ".coverage")
    minimal.ignore("covls/didChangeCoverage")
    await minimal.start(shop)
    uri = minimal.open(shop / "shop.py")
    assert await minimal.coverage(uri) is None
    status = await minimal.receive("covls/status", lambda each: each["state"] != "running")
    assert status["state"] in ("error", "noData")
    assert status["percent"] is None
    if status["state"] == "error":
        message = await minimal.receive("window/showMessage")
        assert str(shop / ".coverage") in message["message"]
    minimal.ignore("covls/status")
    await minimal.end()


async def test_a_text_with_half_a_character(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET, "textDocument/publishDiagnostics")
    await minimal.start(shop)
    uri = minimal.open(shop / "shop.py")
    minimal.change(uri, SHOP.replace("total = a + b", "total = '\ud83d'") + "\n")
    found = await minimal.coverage(uri)
    assert found["freshness"] == "edited"
    await minimal.end()


async def test_a_handler_that_fails_is_answered_and_survived(
    minimal: Client, shop: Path, tmp_path: Path
) -> None:
    # A feature that raises, put in its place in the server's own process.
    folder = write(
        tmp_path / "broken",
        sitecustomize__py="import sys, importlib.abc\n"
        "class Finder(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'covls.server.app':\n"
        "            from covls.server.features import hover\n"
        "            async def broken(session, params):\n"
        "                raise ZeroDivisionError('on purpose')\n"
        "            hover.hover = broken\n"
        "sys.meta_path.insert(0, Finder())\n",
    )
    root = Path(features.__file__).parents[3]
    minimal.environment["PYTHONPATH"] = os.pathsep.join([str(folder), str(root)])
    minimal.ignore(*QUIET)
    await minimal.start(shop)
    uri = minimal.open(shop / "shop.py")
    for _ in range(3):
        with pytest.raises(Exception, match="on purpose"):
            await minimal.hover(uri, 5)
    assert shape(await minimal.diagnostics(uri)) == SHAPE
    await minimal.end()
    assert "on purpose" in minimal.log()


async def test_many_files_at_once(minimal: Client, shop: Path, tmp_path: Path) -> None:
    minimal.ignore(*QUIET)
    projects = [copy(shop, tmp_path / f"p{number}") for number in range(4)]
    await minimal.start(*projects)
    uris = [minimal.open(project / "shop.py") for project in projects]
    for uri in uris:
        assert shape(await minimal.diagnostics(uri)) == SHAPE
    await minimal.end()


async def test_over_tcp(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "covls",
        "serve",
        "--tcp",
        "0",
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        async with asyncio.timeout(DEADLINE):
            line = (await process.stderr.readline()).decode()
        assert line.startswith("covls listens on 127.0.0.1:")
        port = int(line.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        params: dict[str, Any] = {"processId": None, "rootUri": None, "capabilities": {}}
        _send(writer, {"id": 1, "method": "initialize", "params": params})
        async with asyncio.timeout(DEADLINE):
            assert (await _receive(reader))["result"]["serverInfo"]["name"] == "covls"
            # One client is served, and no other let in.
            with pytest.raises(OSError, match=r"."):
                await asyncio.open_connection("127.0.0.1", port)
            _send(writer, {"id": 2, "method": "shutdown"})
            assert (await _receive(reader))["result"] is None
            _send(writer, {"method": "exit"})
            assert await process.wait() == 0
        writer.close()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _send(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))


async def _receive(reader: asyncio.StreamReader) -> Any:
    size = int((await reader.readline()).partition(b":")[2])
    await reader.readline()
    return json.loads(await reader.readexactly(size))


async def test_a_client_that_reads_nothing_can_still_end_it(minimal: Client, shop: Path) -> None:
    await minimal.start(shop)
    transport: Any = minimal.process._transport  # type: ignore[attr-defined]
    transport.get_pipe_transport(1).pause_reading()
    # Answers of some megabytes fill the pipe, and would stop a server that writes on its loop.
    for number in range(1000):
        minimal.send({"id": f"{number}{'x' * 4000}", "method": "nonsense"})
    minimal.send({"id": 1, "method": "shutdown"})
    minimal.send({"method": "exit"})
    deadline = time.monotonic() + DEADLINE
    while minimal.process.returncode is None:
        assert time.monotonic() < deadline, minimal.log()
        await asyncio.sleep(0.02)
    assert minimal.process.returncode == 0
