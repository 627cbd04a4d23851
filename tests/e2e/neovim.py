"""A real Neovim without a screen, told what to do over its own socket."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

EDITOR_FOLDER = Path(__file__).parents[2] / "editors" / "neovim"

PATIENCE = 60.0
"""Seconds to wait for what has to come. Generous: it decides when a test fails, not how fast covls
is."""


class Neovim:
    """One headless Neovim with nothing but its own LSP client and covls's server configured."""

    def __init__(
        self, folder: Path, state: Path, settings: dict[str, Any] | None = None, init_lua: str = ""
    ) -> None:
        self._folder = folder
        self._socket = state / "nvim.sock"
        init = state / "init.lua"
        wanted = json.dumps(json.dumps({"covls": settings or {}}))
        init.write_text(
            f"vim.opt.runtimepath:append({json.dumps(str(EDITOR_FOLDER))})\n"
            "vim.opt.swapfile = false\n"
            f"vim.lsp.config('covls', {{ settings = vim.json.decode({wanted}) }})\n"
            f"{init_lua}\n"
            "vim.lsp.enable('covls')\n",
            encoding="utf-8",
        )
        self._process = subprocess.Popen(
            ["nvim", "--headless", "--clean", "-u", init, "--listen", self._socket],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self.wait(self._socket.exists, "Neovim's socket")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.lua("vim.cmd('qall!')")
        except subprocess.SubprocessError:
            self._process.kill()
        try:
            self._process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stderr is not None
        self._process.stderr.close()

    def lua(self, code: str) -> Any:
        """Run Lua in the editor; a value that the code returns comes back as JSON has it."""
        wrapped = f"(function() {code} end)()"
        answer = subprocess.run(
            [
                "nvim",
                "--server",
                self._socket,
                "--remote-expr",
                f"luaeval({_vim_string(f'vim.json.encode({wrapped} or vim.NIL)')})",
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE,
        )
        return json.loads(answer.stdout) if answer.stdout.strip() else None

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


def _vim_string(text: str) -> str:
    """A string as Vim script quotes it."""
    return "'" + text.replace("'", "''") + "'"
