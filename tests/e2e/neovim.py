"""A real Neovim without a screen, told what to do over a socket."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

EDITOR_FOLDER = Path(__file__).parents[2] / "editors" / "neovim"

PATIENCE = 60.0
"""Seconds to wait for what has to come. Generous: it decides when a test fails, not how fast covls
is."""


def without_plugin(state: Path, settings: dict[str, Any], more: str = "") -> str:
    """An init.lua for Neovim's own LSP client alone, with the one file that is to be copied."""
    runtime = state / "runtime"
    shutil.copytree(EDITOR_FOLDER / "lsp", runtime / "lsp")
    wanted = json.dumps(json.dumps({"covls": settings}))
    return (
        f"vim.opt.runtimepath:append({json.dumps(str(runtime))})\n"
        f"vim.lsp.config('covls', {{ settings = vim.json.decode({wanted}) }})\n"
        f"{more}\n"
        "vim.lsp.enable('covls')\n"
    )


def with_plugin(options: dict[str, Any], more: str = "") -> str:
    """An init.lua with the plugin on the runtime path, and its options."""
    wanted = json.dumps(json.dumps(options))
    return (
        f"vim.opt.runtimepath:append({json.dumps(str(EDITOR_FOLDER))})\n"
        f"vim.g.covls = vim.json.decode({wanted})\n"
        f"{more}\n"
    )


def own_folders(state: Path) -> dict[str, str]:
    """An environment in which nothing of the user's own Neovim is read or written."""
    names = ("CONFIG", "DATA", "STATE", "CACHE")
    folders = {f"XDG_{name}_HOME": str(state / name.lower()) for name in names}
    return {**os.environ, **folders}


# Lua comes in and JSON goes out, a null byte behind each: `nvim --remote-expr` starts a Neovim for
# every question, which is most of what a test would take.
_LISTEN = """
vim.api.nvim_create_autocmd('VimEnter', { callback = function()
  local function answer(code)
    local run, problem = loadstring(code)
    if not run then return { problem = problem } end
    local ok, result = xpcall(run, debug.traceback)
    if not ok then return { problem = tostring(result) } end
    if result == nil then result = vim.NIL end
    return { result = result }
  end
  local pipe = vim.uv.new_pipe(false)
  assert(pipe:bind(%s))
  pipe:listen(1, function()
    local client, text = vim.uv.new_pipe(false), ''
    pipe:accept(client)
    client:read_start(function(_, more)
      if not more then return client:close() end
      text = text .. more
      while text:find('\\0', 1, true) do
        local code, rest = text:match('^(%%Z*)%%z(.*)$')
        text = rest
        vim.schedule(function()
          local ok, written = pcall(vim.json.encode, answer(code))
          if not ok then written = vim.json.encode({ problem = written }) end
          if not client:is_closing() then client:write(written .. '\\0') end
        end)
      end
    end)
  end)
end })
"""


class NeovimError(Exception):
    """Lua that Neovim was given failed."""


class Neovim:
    """One headless Neovim with nothing but covls: by `init`, or with no plugin and `settings`."""

    def __init__(
        self,
        folder: Path,
        state: Path,
        settings: dict[str, Any] | None = None,
        init_lua: str = "",
        *,
        init: str | None = None,
        files: Sequence[Path] = (),
    ) -> None:
        self._folder = folder
        self._socket = state / "nvim.sock"
        text = without_plugin(state, settings or {}, init_lua) if init is None else init
        script = state / "init.lua"
        listen = _LISTEN % json.dumps(str(self._socket))
        script.write_text(f"vim.opt.swapfile = false\n{text}\n{listen}", encoding="utf-8")
        self._connection: socket.socket | None = None
        self._process = subprocess.Popen(
            ["nvim", "--headless", "--clean", "-u", script, *files],
            cwd=folder,
            env=own_folders(state),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            self._connection = self.wait(self._connected, "Neovim to listen")
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._connection is not None
        # Nothing is answered by a Neovim that ends.
        with contextlib.suppress(OSError):
            self._connection.sendall(b"vim.cmd('qall!')\0")
        try:
            self._process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._connection.close()
        assert self._process.stderr is not None
        self._process.stderr.close()

    def _connected(self) -> socket.socket | None:
        """A connection, once Neovim has done more than to make the socket."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE)
        try:
            connection.connect(str(self._socket))
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            return None
        return connection

    def lua(self, code: str) -> Any:
        """Run Lua in the editor; a value that the code returns comes back as JSON has it."""
        assert self._connection is not None
        self._connection.sendall(f"{code}\0".encode())
        received = bytearray()
        while not received.endswith(b"\0"):
            more = self._connection.recv(1 << 16)
            if not more:
                raise NeovimError("Neovim ended")
            received += more
        answer = json.loads(received[:-1])
        if "problem" in answer:
            raise NeovimError(f"{answer['problem']}\nin\n{code}")
        return answer["result"]

    def edit(self, path: Path) -> None:
        """Open a file."""
        self.lua(f"vim.cmd.edit({json.dumps(str(path))})")

    def diagnostics(self) -> list[dict[str, Any]]:
        """What the current buffer shows, sorted by line; lines count from 0."""
        found: list[dict[str, Any]] = self.lua("return vim.diagnostic.get(0)") or []
        return sorted(found, key=lambda diagnostic: (diagnostic["lnum"], diagnostic["code"]))

    def wait(self, come: Callable[[], Any], what: str) -> Any:
        """Ask until the answer is not false, and return it."""
        deadline = time.monotonic() + PATIENCE
        while not (answer := come()):
            if self._process.poll() is not None:
                assert self._process.stderr is not None
                raise AssertionError(f"Neovim ended: {self._process.stderr.read().decode()}")
            assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what}"
            time.sleep(0.02)
        return answer
