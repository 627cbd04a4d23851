"""Code lenses and inlay hints in a real Neovim, switched on as docs/editors/neovim.md tells."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.measured import coverage_json
from tests.cli.sources import CLICK, run_tests, unpack
from tests.e2e.neovim import Neovim
from tests.e2e.test_neovim import FEW

pytestmark = pytest.mark.needs_tool("nvim", why="it is the editor under test")

FILE = "src/click/core.py"
PAGE = Path(__file__).parents[2] / "docs" / "editors" / "neovim.md"


@pytest.fixture(scope="module")
def click(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """click's source tree, measured by few of its tests."""
    tree = unpack(CLICK, tmp_path_factory.mktemp("click"))
    run_tests(FEW, tree)
    return tree


@pytest.fixture
def nvim(click: Path, tmp_path: Path) -> Iterator[Neovim]:
    with Neovim(click, tmp_path) as editor:
        editor.lua(recipe("covls/didChangeCoverage"))
        yield editor


def recipe(word: str) -> str:
    """The block of the page's Neovim section that speaks of something."""
    blocks = re.findall(r"```lua\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (found,) = [block for block in blocks if word in block]
    return str(found)


def lenses(nvim: Neovim) -> dict[int, str]:
    """What is shown over lines, or beside them, by line from 1."""
    shown = nvim.lua(
        "local found = {}\n"
        "for _, lens in ipairs(vim.lsp.codelens.get(0)) do\n"
        "  table.insert(found, { lens.range.start.line + 1, lens.command.title })\n"
        "end\n"
        "return found"
    )
    return dict(shown or [])


def hints(nvim: Neovim) -> dict[int, str]:
    shown = nvim.lua(
        "local found = {}\n"
        "for _, hint in ipairs(vim.lsp.inlay_hint.get({ bufnr = 0 })) do\n"
        "  local place = hint.inlay_hint\n"
        "  table.insert(found, { place.position.line + 1, place.label })\n"
        "end\n"
        "return found"
    )
    return dict(shown or [])


@pytest.mark.shows("Neovim", "lenses")
def test_lenses(click: Path, nvim: Neovim) -> None:
    nvim.edit(click / FILE)
    before = nvim.wait(lambda: lenses(nvim), "code lenses")
    file = coverage_json(click)["files"][FILE]
    for kind in ("functions", "classes"):
        for name, region in file[kind].items():
            summary = region["summary"]
            if name and summary["num_statements"]:
                words = before[region["start_line"]]
                assert words.startswith(f"{summary['percent_covered_display']} % · ")
                missed = summary["missing_branches"]
                assert (f"{missed} branch" in words) == bool(missed)
    # An edit moves those below it, and says what it was made in.
    line = nvim.lua("return vim.fn.search([[def format_usage(]])")
    assert line in before
    nvim.lua(f"vim.api.nvim_buf_set_lines(0, {line}, {line}, true, {{'        print()', ''}})")
    last = max(before)
    nvim.wait(lambda: last + 2 in lenses(nvim), "the lenses to move by two lines")
    now = lenses(nvim)
    assert now[line] == "edited since it was measured"
    assert now[last + 2] == before[last]
    nvim.lua("vim.cmd.undo()")
    nvim.wait(lambda: lenses(nvim) == before, "the lenses to come back after undo")


def test_a_place_leads_to_a_test(click: Path, nvim: Neovim) -> None:
    nvim.edit(click / FILE)
    before = nvim.wait(lambda: lenses(nvim), "code lenses")
    line = next(line for line, words in before.items() if " 1 test " in f"{words} ")
    nvim.lua(
        "vim.lsp.get_clients({ name = 'covls' })[1]:exec_cmd({ title = 'Tests', "
        f"command = 'covls.goToTests', arguments = {{ vim.uri_from_bufnr(0), {line - 1} }} }})"
    )

    def at_a_test() -> bool:
        place = nvim.lua("return { vim.fn.expand('%:t'), vim.fn.getline('.') }")
        return bool(place[0] == "test_basic.py" and "def test_" in place[1])

    nvim.wait(at_a_test, "the test that reaches the function")


@pytest.mark.shows("Neovim", "hints")
def test_hints(click: Path, nvim: Neovim) -> None:
    nvim.edit(click / FILE)
    nvim.wait(nvim.diagnostics, "diagnostics")
    assert hints(nvim) == {}
    nvim.lua(recipe("inlay_hint.enable"))
    # The settings of a client that runs already are told to it.
    nvim.lua(
        "local client = vim.lsp.get_clients({ name = 'covls' })[1]\n"
        "client.settings = vim.lsp.config.covls.settings\n"
        "client:notify('workspace/didChangeConfiguration', { settings = client.settings })"
    )
    found = nvim.wait(lambda: hints(nvim), "inlay hints")
    report = coverage_json(click)["files"][FILE]
    never = {line for line, words in found.items() if words == "never run"}
    assert never == set(report["missing_lines"])
    partial = {line for line, words in found.items() if "never true" in words}
    assert partial
    assert partial <= {line for line, _ in report["missing_branches"]}
    assert any(words.endswith(" tests") for words in found.values())
