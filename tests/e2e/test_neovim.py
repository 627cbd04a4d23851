"""The main job in a real Neovim with no plugin: a real project's uncovered lines, live."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.measured import coverage_json
from tests.cli.sources import CLICK, run_tests, unpack
from tests.e2e.neovim import Neovim
from tests.server.conftest import CONFIGURATION, SHOP, TESTS
from tests.server.conftest import run_tests as run_shop

pytestmark = pytest.mark.needs_tool("nvim", why="it is the editor under test")

FEW = replace(CLICK, tests=("tests/test_basic.py",))
MORE = replace(CLICK, tests=("tests/test_basic.py", "tests/test_options.py", "tests/test_chain.py"))
HINT = 4
WARNING = 2


@pytest.fixture(scope="module")
def click(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """click's source tree, measured by few of its tests."""
    tree = unpack(CLICK, tmp_path_factory.mktemp("click"))
    run_tests(FEW, tree)
    return tree


@pytest.fixture
def nvim(click: Path, tmp_path: Path) -> Iterator[Neovim]:
    with Neovim(click, tmp_path) as editor:
        yield editor


def shown(nvim: Neovim) -> dict[str, set[int]]:
    """Lines by diagnostic code, counted from 1: every uncovered one, the first of a partial one."""
    lines: dict[str, set[int]] = {}
    for diagnostic in nvim.diagnostics():
        first, last = diagnostic["lnum"] + 1, diagnostic["end_lnum"] + 1
        block = range(first, last + 1) if diagnostic["code"] == "uncovered" else (first,)
        lines.setdefault(diagnostic["code"], set()).update(block)
    return lines


def check_shows(nvim: Neovim, file: dict[str, Any]) -> None:
    """Wait until the current buffer shows what coverage.py's JSON report has of the file."""
    missing, executed = set(file["missing_lines"]), set(file["executed_lines"])
    partial = {line for line, _ in file["missing_branches"] if line in executed}

    def right() -> bool:
        lines = shown(nvim)
        uncovered = lines.get("uncovered", set())
        return (
            lines.get("partial-branch", set()) == partial
            and missing <= uncovered
            and not executed & uncovered
        )

    assert missing, "a file where nothing is missing proves nothing"
    assert partial, "nor does one where every branch was taken"
    nvim.wait(right, "the diagnostics that coverage.py's report makes one expect")


def report_of(tree: Path, name: str) -> dict[str, Any]:
    file: dict[str, Any] = coverage_json(tree)["files"][name]
    return file


@pytest.mark.shows("Neovim", "diagnostics", "new data")
def test_a_real_project_and_its_new_data(click: Path, nvim: Neovim) -> None:
    nvim.edit(click / "src/click/core.py")
    before = report_of(click, "src/click/core.py")
    check_shows(nvim, before)
    assert {diagnostic["severity"] for diagnostic in nvim.diagnostics()} == {HINT}

    nvim.edit(click / "src/click/types.py")
    check_shows(nvim, report_of(click, "src/click/types.py"))

    nvim.edit(click / "src/click/core.py")
    run_tests(MORE, click)
    after = report_of(click, "src/click/core.py")
    assert len(after["missing_lines"]) < len(before["missing_lines"])
    check_shows(nvim, after)

    # And back again: what is lost is shown once the run has ended.
    run_tests(FEW, click)
    check_shows(nvim, before)


@pytest.mark.shows("Neovim", "moving")
def test_diagnostics_move_with_an_edit(click: Path, nvim: Neovim) -> None:
    nvim.edit(click / "src/click/core.py")
    nvim.wait(nvim.diagnostics, "diagnostics")
    before = shown(nvim)
    first = min(before["uncovered"])
    nvim.lua(f"vim.api.nvim_buf_set_lines(0, {first - 2}, {first - 2}, true, {{'', '# new', ''}})")

    def moved() -> bool:
        now = shown(nvim)
        return min(now["uncovered"]) == first + 3 and max(now["uncovered"]) == (
            max(before["uncovered"]) + 3
        )

    nvim.wait(moved, "the diagnostics to move by three lines")
    nvim.lua("vim.cmd.undo()")
    nvim.wait(lambda: shown(nvim) == before, "the diagnostics to come back after undo")


@pytest.mark.shows("Neovim", "hover")
def test_hover_says_which_tests_reach_a_line(click: Path, nvim: Neovim) -> None:
    nvim.edit(click / "src/click/core.py")
    nvim.wait(nvim.diagnostics, "diagnostics")
    line = nvim.lua("return vim.fn.search([[ctx = self.context_class(]]) - 1")
    words = nvim.lua(
        "local client = vim.lsp.get_clients({ name = 'covls' })[1]\n"
        "local answer = client:request_sync('textDocument/hover', {\n"
        "  textDocument = { uri = vim.uri_from_bufnr(0) },\n"
        f"  position = {{ line = {line}, character = 12 }},\n"
        "}, 5000, 0)\n"
        "return answer.result and answer.result.contents.value"
    )
    assert "tests" in words
    assert "test_basic" in words


@pytest.mark.shows("Neovim", "lost", "settings")
def test_what_a_deleted_test_covered_is_told_apart(tmp_path: Path) -> None:
    """Deleted while the editor was closed; then the lines move, and one is edited."""
    shop, first, second = tmp_path / "shop", tmp_path / "first", tmp_path / "second"
    for folder in (shop, first, second):
        folder.mkdir()
    (shop / ".coveragerc").write_text(CONFIGURATION)
    (shop / "shop.py").write_text(SHOP)
    (shop / "test_shop.py").write_text(TESTS)
    run_shop(shop)
    with Neovim(shop, first) as nvim:
        nvim.edit(shop / "shop.py")
        nvim.wait(nvim.diagnostics, "diagnostics")
        assert "lost" not in shown(nvim)
        # What ran is kept in the background, and closing waits for it.
    (shop / "test_shop.py").write_text(TESTS[: TESTS.index("class TestParse")])
    run_shop(shop)
    settings = {"diagnostics": {"lostSeverity": "warning"}}
    with Neovim(shop, second, settings) as nvim:
        nvim.edit(shop / "shop.py")
        nvim.wait(lambda: shown(nvim).get("lost") == {11, 13}, "what was lost")
        lost = [each for each in nvim.diagnostics() if each["code"] == "lost"]
        assert {each["severity"] for each in lost} == {WARNING}
        words = "Covered by test_shop.py::TestParse::test_number[1]"
        assert all(words in each["message"] for each in lost)
        nvim.lua("vim.api.nvim_buf_set_lines(0, 12, 13, true, { '    return int(text, 10)' })")
        nvim.lua("vim.api.nvim_buf_set_lines(0, 0, 0, true, { '# new' })")
        nvim.wait(lambda: shown(nvim).get("lost") == {12}, "one lost line, and the other edited")
