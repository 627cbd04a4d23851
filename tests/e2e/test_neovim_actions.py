"""Code actions in a real Neovim with no plugin, on a real project: chosen, applied, and seen."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.measured import coverage_json, stamps
from tests.cli.sources import CLICK, run_tests, unpack
from tests.e2e.neovim import Neovim

pytestmark = pytest.mark.needs_tool("nvim", why="it is the editor under test")

FEW = replace(CLICK, tests=("tests/test_basic.py",))


@pytest.fixture(scope="module")
def click(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """click's source tree, measured by few of its tests."""
    tree = unpack(CLICK, tmp_path_factory.mktemp("click"))
    run_tests(FEW, tree)
    return tree


@pytest.fixture(scope="module")
def editor(click: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neovim]:
    """One Neovim for all of it, as it takes long to start."""
    with Neovim(click, tmp_path_factory.mktemp("neovim")) as started:
        # The browser that is asked to open something is the test.
        started.lua("vim.ui.open = function(url) vim.g.opened = url end")
        yield started


@pytest.fixture
def nvim(click: Path, editor: Neovim) -> Neovim:
    """The editor with a file of click's, as it is on disk."""
    editor.lua("vim.cmd('silent! edit!')")
    editor.edit(click / "src/click/utils.py")
    editor.lua("vim.cmd('silent! edit!')")
    editor.wait(editor.diagnostics, "diagnostics")
    return editor


def act(nvim: Neovim, line: str, kind: str) -> None:
    """Put the cursor on a line, found by its text, and apply the one action of a kind."""
    nvim.lua(
        f"assert(vim.fn.search([[\\V{line}]], 'w') > 0)\n"
        "vim.lsp.buf.code_action({\n"
        f"  context = {{ only = {{ '{kind}' }}, diagnostics = {{}} }},\n"
        "  apply = true,\n"
        "})"
    )


def lines(nvim: Neovim) -> list[str]:
    found: list[str] = nvim.lua("return vim.api.nvim_buf_get_lines(0, 0, -1, true)")
    return found


@pytest.mark.shows("Neovim", "exclude")
def test_exclude_a_block(click: Path, nvim: Neovim) -> None:
    path = click / "src/click/utils.py"
    before, measured = lines(nvim), coverage_json(click)["files"]["src/click/utils.py"]
    act(nvim, "return value.decode(sys.getfilesystemencoding())", "quickfix.covls.exclude")
    nvim.wait(lambda: lines(nvim) != before, "the comment")
    ((old, new),) = [pair for pair in zip(before, lines(nvim), strict=True) if len(set(pair)) > 1]
    assert new == f"{old}  # pragma: no cover"
    text = path.read_bytes()
    try:
        nvim.lua("vim.cmd('silent write')")
        now = coverage_json(click)["files"]["src/click/utils.py"]
    finally:
        path.write_bytes(text)
    gone = set(measured["missing_lines"]) - set(now["missing_lines"])
    assert gone
    assert gone <= set(now["excluded_lines"])
    assert set(now["missing_lines"]) < set(measured["missing_lines"])


@pytest.mark.shows("Neovim", "create test")
def test_create_a_test_that_pytest_collects(click: Path, nvim: Neovim) -> None:
    before = stamps(click / "tests")
    act(nvim, "def get_app_dir", "quickfix.covls.createTest")
    nvim.wait(
        lambda: nvim.lua("return vim.api.nvim_buf_get_name(0)").endswith("tests/test_utils.py"),
        "the file with the tests",
    )
    place = nvim.lua("return vim.api.nvim_win_get_cursor(0)")[0]
    assert lines(nvim)[place - 1] == "def test_get_app_dir():"
    assert stamps(click / "tests") == before, "the editor changes files, covls does not"
    nvim.lua("vim.cmd('silent write')")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-W", CLICK.ignored_warning, "tests/test_utils.py", "-k", "test_get_app_dir"),
        ],
        cwd=click,
        env={**os.environ, "PYTHONPATH": "src", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Failed: To be written: a test of click.utils.get_app_dir." in done.stdout, done
    assert "1 failed" in done.stdout


@pytest.mark.shows("Neovim", "go to tests")
def test_go_to_the_test_that_reaches_a_line(click: Path, nvim: Neovim) -> None:
    nvim.lua(
        "vim.lsp.handlers['window/showMessageRequest'] = function(_, asked)\n"
        "  vim.g.asked = asked.message\n"
        "  return asked.actions[1]\n"
        "end"
    )
    act(nvim, "if isinstance(value, bytes):", "covls.goToTests")
    nvim.wait(
        lambda: nvim.lua("return vim.api.nvim_buf_get_name(0)").endswith("tests/test_basic.py"),
        "a test",
    )
    assert "tests reach this" in nvim.lua("return vim.g.asked")
    place = nvim.lua("return vim.api.nvim_win_get_cursor(0)")[0]
    assert lines(nvim)[place - 1].startswith("def test_")


@pytest.mark.shows("Neovim", "report")
def test_open_the_report_at_a_line(click: Path, nvim: Neovim) -> None:
    data = stamps(click)
    act(nvim, "def get_app_dir", "covls.openReport")
    url = nvim.wait(lambda: nvim.lua("return vim.g.opened"), "the browser")
    page, _, anchor = url.removeprefix("file://").partition("#")
    line = nvim.lua("return vim.fn.search([[def get_app_dir]], 'wn')")
    assert anchor == f"t{line}"
    assert f'id="t{line}"' in Path(page).read_text()
    assert stamps(click) == data


@pytest.mark.shows("Neovim", "explain")
def test_explain_a_line(nvim: Neovim) -> None:
    act(nvim, "if isinstance(value, bytes):", "covls.explain")
    said = nvim.wait(
        lambda: "partly covered" in nvim.lua("return vim.fn.execute('messages')"), "the words"
    )
    assert said


@pytest.mark.shows("Neovim", "priorities")
def test_show_what_to_test_next(click: Path, nvim: Neovim) -> None:
    data = stamps(click)
    nvim.lua(
        "vim.lsp.get_clients({ name = 'covls' })[1]:exec_cmd({\n"
        "  title = 'What to test next', command = 'covls.showPriorities',\n"
        "})"
    )
    nvim.wait(lambda: lines(nvim)[0] == "# What to test next", "the document")
    assert nvim.lua("return vim.bo.filetype") == "markdown"
    assert any("`covls run tests/" in line for line in lines(nvim))
    assert stamps(click) == data
