"""How long Neovim takes to open 100 Python files in a row, with the plugin and without anything.

    .venv/bin/python -m benchmarks.neovim_buffers

Prints milliseconds a buffer for `:edit`, the moment in which nothing can be typed, and how long it
took after the last until all had marks. The files are click's, as often as need be, and all have
coverage.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from tests.cli.measured import coverage
from tests.cli.sources import CLICK, unpack
from tests.e2e.neovim import Neovim, with_plugin

BUFFERS = 100

_OPEN = """
local spent = {}
for _, path in ipairs(vim.fn.readfile(vim.env.COVLS_FILES)) do
  local from = vim.uv.hrtime()
  vim.cmd('silent edit ' .. vim.fn.fnameescape(path))
  vim.cmd.redraw()
  spent[#spent + 1] = (vim.uv.hrtime() - from) / 1e6
  -- Between two files somebody looks, and what has come is drawn.
  vim.wait(5)
end
return spent
"""

_DONE = """
local done = 0
for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
  if require('covls.coverage').of(buffer) then done = done + 1 end
end
return done
"""


def project(folder: Path) -> tuple[Path, list[Path]]:
    """Click's modules, in as many packages as it takes, imported under coverage."""
    sources = sorted((unpack(CLICK, folder) / "src/click").glob("*.py"))
    tree = folder / "many"
    files: list[Path] = []
    while len(files) < BUFFERS:
        package = tree / f"click{len(files)}"
        package.mkdir(parents=True)
        for source in sources[: BUFFERS - len(files)]:
            files.append(package / source.name)
            files[-1].write_bytes(source.read_bytes())
    (tree / ".coveragerc").write_text("[run]\nbranch = true\nsource = .\n")
    (tree / "run.py").write_text("import json\n")
    done = coverage(tree, "run", "run.py")
    assert done.code == 0, done.err
    return tree, files


def measure(tree: Path, files: list[Path], state: Path, init: str) -> list[float]:
    """Milliseconds a file, with an init.lua."""
    state.mkdir()
    listed = state / "files"
    listed.write_text("\n".join(map(str, files)))
    os.environ["COVLS_FILES"] = str(listed)
    with Neovim(tree, state, init=init) as nvim:
        spent: list[float] = nvim.lua(_OPEN)
        if "covls" in init:
            nvim.wait(lambda: nvim.lua(_DONE) == len(files), "marks in all files")
    return spent


def main() -> None:
    """Measure both and print them."""
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    os.environ["PATH"] = programs
    version = subprocess.run(["nvim", "--version"], capture_output=True, text=True, check=True)
    print(version.stdout.splitlines()[0])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["COVLS_CACHE_DIR"] = str(folder / "cache")
        tree, files = project(folder)
        for what, init in (("without", ""), ("with covls", with_plugin({"trusted": False}))):
            spent = measure(tree, files, folder / what.replace(" ", "-"), init)
            print(
                f"{what}: {len(spent)} files, {median(spent):.1f} ms each in the middle, "
                f"{max(spent):.1f} ms the slowest (the first starts the server)"
            )


if __name__ == "__main__":
    main()
