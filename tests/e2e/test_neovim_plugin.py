"""The plugin in a real Neovim on a real project: what is on which line, and every command."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cli.measured import coverage_json, stamps
from tests.cli.sources import CLICK, run_tests, unpack
from tests.e2e.neovim import Neovim, with_plugin
from tests.e2e.vscode_projects import bars

pytestmark = pytest.mark.needs_tool("nvim", why="it is the editor under test")

FEW = replace(CLICK, tests=("tests/test_basic.py",))

HEARD = """
_G.said = {}
vim.notify = function(words) table.insert(_G.said, words) end
vim.ui.open = function(url) _G.opened = url end
"""

ROWS = """
local found = {}
for _, mark in ipairs((require('covls.draw').shown(0))) do
  found[#found + 1] = { mark.line + 1, mark.kind, mark.id }
end
"""


@pytest.fixture(scope="module")
def click(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """click's source tree, measured by few of its tests."""
    tree = unpack(CLICK, tmp_path_factory.mktemp("click"))
    run_tests(FEW, tree)
    return tree


@pytest.fixture(scope="module")
def report(click: Path) -> dict[str, Any]:
    """coverage.py's own JSON report."""
    return coverage_json(click)


@pytest.fixture(scope="module")
def editor(click: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neovim]:
    """One Neovim for all of it, as it takes long to start; a file is named on its command line."""
    state = tmp_path_factory.mktemp("neovim")
    init = with_plugin({"trusted": False}, HEARD)
    with Neovim(click, state, init=init, files=[click / "src/click/core.py"]) as started:
        started.wait(lambda: marks(started), "marks in the file of the command line")
        yield started


@pytest.fixture
def nvim(click: Path, editor: Neovim) -> Neovim:
    """The editor with one window on click's utils.py, as it is on disk, and its marks."""
    editor.lua("vim.cmd('silent! fclose!'); vim.cmd('silent! only!'); _G.said = {}")
    open_file(editor, click / "src/click/utils.py")
    editor.lua("vim.cmd('silent edit!')")
    path = str(click / "src/click/utils.py")
    editor.wait(lambda: answered(editor, path) and marks(editor), "marks")
    return editor


def open_file(nvim: Neovim, path: Path) -> None:
    nvim.lua(f"vim.cmd('silent edit ' .. vim.fn.fnameescape({json.dumps(str(path))}))")


def answered(nvim: Neovim, path: str) -> bool:
    """Whether what the server says of a file is of the text on screen."""
    same: bool = nvim.lua(
        f"local buffer = vim.fn.bufnr({json.dumps(path)})\n"
        "local known = require('covls.coverage').of(buffer)\n"
        "return known ~= nil and known.version == vim.lsp.util.buf_versions[buffer]"
    )
    return same


def marks(nvim: Neovim) -> dict[int, str]:
    """The marks of the current buffer: what kind by lines from 1."""
    rows: list[tuple[int, str, int]] = nvim.lua(ROWS + "return found")
    found = {line: kind for line, kind, _ in rows}
    assert len(found) == len(rows), "no line has two"
    return found


def wait_for(nvim: Neovim, expected: dict[int, str]) -> None:
    assert expected
    nvim.wait(lambda: marks(nvim) == expected, "the marks that coverage.py makes one expect")


def expected(tree: Path, report: dict[str, Any], name: str) -> dict[int, str]:
    """The marks that coverage.py's own report makes one expect in a file."""
    return bars(tree / name, report["files"][name])


def said(nvim: Neovim) -> str:
    return "\n".join(nvim.lua("return _G.said"))


def window(nvim: Neovim) -> list[str]:
    found: list[str] = nvim.lua("return vim.api.nvim_buf_get_lines(0, 0, -1, false)")
    return found


def press(nvim: Neovim, keys: str) -> None:
    """Press keys as somebody would, mappings included; `<CR>` and its like are keys."""
    nvim.lua(
        f"local keys = vim.api.nvim_replace_termcodes({json.dumps(keys)}, true, true, true)\n"
        "vim.api.nvim_feedkeys(keys, 'xm', false)"
    )


def cursor(nvim: Neovim) -> int:
    line: int = nvim.lua("return vim.api.nvim_win_get_cursor(0)[1]")
    return line


def name(nvim: Neovim) -> str:
    found: str = nvim.lua("return vim.api.nvim_buf_get_name(0)")
    return found


@pytest.mark.parametrize("file", ["src/click/core.py", "src/click/utils.py"])
@pytest.mark.shows("Neovim, plugin", "marks")
def test_marks_are_on_exactly_the_right_lines(
    click: Path, report: dict[str, Any], nvim: Neovim, file: str
) -> None:
    open_file(nvim, click / file)
    right = expected(click, report, file)
    assert {"covered", "missing", "partial"} <= {*right.values()}
    wait_for(nvim, right)
    looks: dict[str, list[Any]] = nvim.lua(
        "local found = {}\n"
        "local spaces = vim.api.nvim_get_namespaces()\n"
        "local all = vim.api.nvim_buf_get_extmarks(0, spaces['covls.marks'], 0, -1, "
        "{ details = true })\n"
        "for _, mark in ipairs(all) do\n"
        "  local look = mark[4]\n"
        "  found[look.sign_hl_group] = { vim.trim(look.sign_text), look.priority }\n"
        "end\n"
        "return found"
    )
    assert looks == {
        "CovlsCovered": ["▎", 5],
        "CovlsMissing": ["▌", 5],
        "CovlsPartial": ["┋", 5],
    }


@pytest.mark.shows("Neovim, plugin", "moving")
def test_marks_move_with_the_text_at_once_and_stay_what_they_are(nvim: Neovim) -> None:
    before = marks(nvim)
    rows = nvim.lua(
        "vim.api.nvim_buf_set_lines(0, 0, 0, true, { '# one', '# two' })\n" + ROWS + "return found"
    )
    # In the same breath: no server can have said anything.
    assert {line: kind for line, kind, _ in rows} == {n + 2: kind for n, kind in before.items()}
    path = name(nvim)
    nvim.wait(lambda: answered(nvim, path), "the server's answer")
    assert nvim.lua(ROWS + "return found") == rows, "what is right is not drawn again"
    nvim.lua("vim.cmd('silent undo')")
    wait_for(nvim, before)


def test_a_line_that_is_typed_has_no_mark_and_one_that_is_edited_says_so(nvim: Neovim) -> None:
    before = marks(nvim)
    line = next(n for n, kind in before.items() if kind == "missing")
    text = nvim.lua(f"return vim.fn.getline({line})")
    press(nvim, f"{line}GOnew = 1<Esc>")
    nvim.wait(lambda: marks(nvim).get(line) == "edited", "the new line")
    assert marks(nvim).get(line + 1) == "missing"
    press(nvim, "u")
    wait_for(nvim, before)
    press(nvim, f"{line}GA  + 1<Esc>")
    assert nvim.lua(f"return vim.fn.getline({line})") != text
    nvim.wait(lambda: marks(nvim).get(line) == "edited", "the edited line")
    press(nvim, "u")
    wait_for(nvim, before)
    press(nvim, f"{line}Gdd")
    nvim.wait(lambda: answered(nvim, name(nvim)), "the server's answer")
    assert marks(nvim).get(line) != "missing" or before.get(line + 1) == "missing"
    press(nvim, "u")
    wait_for(nvim, before)


def test_marks_survive_reloads_other_buffers_and_splits(
    click: Path, report: dict[str, Any], nvim: Neovim
) -> None:
    right = expected(click, report, "src/click/utils.py")
    wait_for(nvim, right)
    nvim.lua("vim.cmd('silent edit')")
    wait_for(nvim, right)
    nvim.lua("vim.cmd('vsplit')")
    assert marks(nvim) == right
    open_file(nvim, click / "src/click/core.py")
    wait_for(nvim, expected(click, report, "src/click/core.py"))
    nvim.lua("vim.cmd.wincmd('p')")
    assert marks(nvim) == right
    nvim.lua("vim.cmd.bdelete()")
    open_file(nvim, click / "src/click/utils.py")
    wait_for(nvim, right)


def test_marks_survive_a_formatter_and_undo(
    click: Path, report: dict[str, Any], nvim: Neovim
) -> None:
    right = expected(click, report, "src/click/utils.py")
    ruff = "ruff format --isolated --line-length 60 --config 'format.quote-style=\\\"single\\\"' -"
    nvim.lua(f'vim.cmd("silent %!{ruff}")')
    assert nvim.lua("return vim.v.shell_error") == 0
    path = name(nvim)
    nvim.wait(lambda: answered(nvim, path) and marks(nvim) != right, "marks of the new layout")
    # The same code: nothing of it is edited, and as many statements are missing.
    assert "edited" not in marks(nvim).values()
    texts = {
        line.strip().replace('"', "'")
        for line in (click / "src/click/utils.py").read_text().split("\n")
    }
    lines = window(nvim)
    same = [n for n in marks(nvim) if lines[n - 1].strip() in texts]
    assert len(same) > len(right) / 2
    nvim.lua("vim.cmd('silent undo')")
    wait_for(nvim, right)
    nvim.lua("vim.cmd('silent redo')")
    nvim.wait(lambda: answered(nvim, path) and marks(nvim) != right, "the new layout again")
    nvim.lua("vim.cmd('silent undo')")
    wait_for(nvim, right)


def test_next_and_prev_go_through_what_is_missing(nvim: Neovim) -> None:
    gaps = sorted(n for n, kind in marks(nvim).items() if kind in ("missing", "partial"))
    kinds = marks(nvim)
    firsts = [n for n in gaps if kinds.get(n - 1) != kinds[n]]
    nvim.lua("vim.cmd('normal! gg')")
    seen = []
    for _ in firsts:
        nvim.lua("vim.cmd('Covls next')")
        seen.append(cursor(nvim))
    assert seen == firsts
    nvim.lua("vim.cmd('Covls next')")
    assert cursor(nvim) == firsts[0], "round the end"
    nvim.lua("vim.cmd('Covls prev')")
    assert cursor(nvim) == firsts[-1]
    nvim.lua("vim.keymap.set('n', ']u', '<Plug>(covls-next)')")
    press(nvim, "gg3]u")
    assert cursor(nvim) == firsts[2], "a count"


@pytest.mark.shows("Neovim, plugin", "summary")
def test_the_summary_has_the_figures_of_coverage_json(
    click: Path, report: dict[str, Any], nvim: Neovim
) -> None:
    nvim.lua("vim.cmd('Covls summary')")
    nvim.wait(lambda: any("TOTAL" in line for line in window(nvim)), "the figures")
    row = re.compile(r" +(\d+) % +(\d+) +(\d+) +(\d+) +(\d+)   (\S+)$")
    found = {m[6]: [*map(int, m.groups()[:5])] for line in window(nvim) if (m := row.match(line))}

    def figures(summary: dict[str, Any]) -> list[int]:
        names = ("num_statements", "missing_lines", "num_branches", "num_partial_branches")
        return [int(summary["percent_covered_display"]), *(summary[each] for each in names)]

    assert found == {path: figures(file["summary"]) for path, file in report["files"].items()}
    total = next(line for line in window(nvim) if "TOTAL" in line)
    assert [*map(int, re.findall(r"\d+", total))][:5] == figures(report["totals"])
    here = window(nvim)[cursor(nvim) - 1]
    assert here.endswith("src/click/utils.py"), "the current file is under the cursor"

    def names() -> list[str]:
        return [m[6] for line in window(nvim) if (m := row.match(line))]

    press(nvim, "ss")
    assert names() == sorted(found), "by name"
    press(nvim, "r")
    assert names() == sorted(found, reverse=True)
    press(nvim, "sss")
    percents = [found[path][0] for path in names()]
    assert "(by name" in window(nvim)[0]
    press(nvim, "ss")
    percents = [found[path][0] for path in names()]
    assert percents == sorted(percents)
    nvim.lua("vim.ui.input = function(_, go) go('src/click/t') end")
    press(nvim, "f")
    assert names()
    assert all("src/click/t" in path for path in names())
    press(nvim, "gg/termui.py<CR><CR>")
    assert name(nvim) == str(click / "src/click/termui.py")


@pytest.mark.shows("Neovim, plugin", "priorities")
def test_what_to_test_next(click: Path, nvim: Neovim) -> None:
    nvim.lua("vim.cmd('Covls priorities')")
    nvim.wait(lambda: len(window(nvim)) > 4, "the list")
    assert window(nvim)[0].split()[0] == "1"
    press(nvim, "b")
    nvim.wait(lambda: any(line.endswith(".py") for line in window(nvim)[:1]), "files")
    press(nvim, "gg<CR>")
    assert name(nvim).startswith(str(click))
    assert nvim.lua("return vim.api.nvim_win_get_config(0).relative") == ""


def test_the_quickfix_and_location_lists(click: Path, report: dict[str, Any], nvim: Neovim) -> None:
    right = expected(click, report, "src/click/utils.py")
    gaps = {line for line, kind in right.items() if kind != "covered"}
    for command, source in (
        ("quickfix", "vim.fn.getqflist()"),
        ("loclist", "vim.fn.getloclist(0)"),
    ):
        read = (
            f"local found = {{}}\nfor _, each in ipairs({source}) do\n"
            "  found[#found + 1] = { each.lnum, each.end_lnum, each.text }\nend\nreturn found"
        )
        nvim.lua(f"vim.cmd('Covls {command}')")
        entries = nvim.wait(partial(nvim.lua, read), command)
        assert {n for first, last, _ in entries for n in range(first, last + 1)} == gaps
        assert any(text.startswith("line ") for _, _, text in entries), "coverage.py's words"
        nvim.lua("vim.cmd('silent! cclose'); vim.cmd('silent! lclose')")
    nvim.lua("vim.fn.setqflist({}, 'f'); vim.cmd('Covls quickfix all')")
    names = nvim.wait(
        lambda: nvim.lua(
            "local found = {}\n"
            "for _, each in ipairs(vim.fn.getqflist()) do\n"
            "  found[vim.fn.bufname(each.bufnr)] = true\n"
            "end\n"
            "return vim.tbl_keys(found)"
        ),
        "all files",
    )
    missing = {
        path
        for path, file in report["files"].items()
        if file["missing_lines"] or file["missing_branches"]
    }
    assert {os.path.relpath(click / each, click) for each in names} == missing


@pytest.mark.shows("Neovim, plugin", "explain")
def test_explain_shows_all_that_is_known_of_a_line(nvim: Neovim) -> None:
    nvim.lua("assert(vim.fn.search([[\\Vif isinstance(value, bytes):]], 'w') > 0)")
    nvim.lua("vim.cmd('Covls explain')")
    shown = "local found = {}\nfor _, each in ipairs(vim.api.nvim_list_wins()) do\n"
    shown += "  if vim.api.nvim_win_get_config(each).relative ~= '' then\n"
    shown += "    local buffer = vim.api.nvim_win_get_buf(each)\n"
    shown += "    vim.list_extend(found, vim.api.nvim_buf_get_lines(buffer, 0, -1, true))\n"
    shown += "  end\nend\nreturn table.concat(found, '\\n')"
    nvim.wait(lambda: "partly covered" in nvim.lua(shown), "the window")
    assert "partly covered" not in nvim.lua("return vim.fn.execute('messages')"), "said once"


@pytest.mark.shows("Neovim, plugin", "go to tests")
def test_tests_at_a_line_are_chosen_from_and_gone_to(click: Path, nvim: Neovim) -> None:
    nvim.lua(
        "vim.ui.select = function(items, options, go)\n"
        "  _G.chosen = { options.prompt, options.format_item(items[1]), #items }\n"
        "  go(items[1])\n"
        "end"
    )
    nvim.lua("assert(vim.fn.search([[\\Vif isinstance(value, bytes):]], 'w') > 0)")
    line = cursor(nvim)
    nvim.lua("vim.cmd('Covls tests')")
    nvim.wait(lambda: name(nvim) == str(click / "tests/test_basic.py"), "the test's file")
    prompt, first, count = nvim.lua("return _G.chosen")
    assert prompt == f"{count} tests reach line {line}"
    assert window(nvim)[cursor(nvim) - 1].startswith(f"def {re.split('[.:]', first)[-1]}(")


@pytest.mark.shows("Neovim, plugin", "report")
def test_the_report_opens_at_the_line(click: Path, nvim: Neovim) -> None:
    data = stamps(click)
    nvim.lua("vim.cmd('normal! 40G'); vim.cmd('Covls report')")
    url = nvim.wait(lambda: nvim.lua("return _G.opened"), "the browser")
    assert url.endswith("#t40")
    assert stamps(click) == data


def test_toggle_takes_marks_away_and_puts_them_back(nvim: Neovim) -> None:
    right = marks(nvim)
    signs = "local spaces = vim.api.nvim_get_namespaces()\n"
    signs += "return #vim.iter(vim.api.nvim_buf_get_extmarks(0, spaces['covls.marks'], 0, -1, "
    signs += "{ details = true })):filter(function(m) return m[4].sign_text ~= nil end):totable()"
    assert nvim.lua(signs) == len(right)
    nvim.lua("vim.cmd('Covls toggle marks')")
    assert nvim.lua(signs) == 0
    assert marks(nvim) == right, "to go to the next one works all the same"
    nvim.lua("vim.cmd('Covls toggle marks')")
    assert nvim.lua(signs) == len(right)
    nvim.lua("vim.cmd('Covls toggle')")
    nvim.wait(lambda: not marks(nvim), "no marks")
    nvim.lua("vim.cmd('Covls toggle')")
    wait_for(nvim, right)


def test_the_log_and_the_doctor(nvim: Neovim) -> None:
    nvim.lua("vim.cmd('Covls log')")
    assert name(nvim).endswith("covls://log")
    nvim.lua("vim.cmd.close(); vim.cmd('Covls doctor')")
    nvim.wait(lambda: name(nvim).endswith("covls://doctor"), "the doctor")
    assert "src/click/utils.py" in "\n".join(window(nvim))
    press(nvim, "q")
    assert name(nvim).endswith("utils.py")


def test_nothing_runs_where_it_is_not_trusted(click: Path, nvim: Neovim) -> None:
    data = stamps(click)
    for command in ("run", "run file", "run cursor", "run affected", "run all"):
        nvim.lua(f"_G.said = {{}}; vim.cmd('Covls {command}')")
        nvim.wait(lambda: "is not trusted, so that nothing of it runs" in said(nvim), command)
    nvim.lua("_G.said = {}; vim.cmd('Covls cancel')")
    nvim.wait(lambda: "no run is under way" in said(nvim), "the answer")
    assert stamps(click) == data


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("Covls", "There are: cancel, doctor, explain"),
        ("Covls nonsense", "there is no :Covls nonsense"),
        ("Covls run nonsense", ":Covls run takes file, cursor, affected, all, not nonsense"),
        ("Covls summary now", ":Covls summary takes nothing, not now"),
        ("Covls run file twice", ":Covls run takes one word, and got 2"),
    ],
)
def test_what_is_typed_wrongly_is_said(nvim: Neovim, typed: str, words: str) -> None:
    nvim.lua(f"vim.cmd('{typed}')")
    assert words in said(nvim)


@pytest.mark.parametrize("command", ["explain", "tests", "run", "run cursor", "quickfix"])
def test_where_no_file_is_that_is_said(nvim: Neovim, command: str) -> None:
    nvim.lua(f"vim.cmd('silent enew'); vim.cmd('Covls {command}')")
    assert f":Covls {command} is about a file, and this is none" in said(nvim)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("Covls p", ["prev", "priorities"]),
        ("Covls run ", ["file", "cursor", "affected", "all"]),
        ("Covls run a", ["affected", "all"]),
        ("Covls run file ", []),
        ("Covls summary ", []),
        ("1,2Covls tes", ["tests"]),
    ],
)
def test_completion(nvim: Neovim, typed: str, offered: list[str]) -> None:
    assert nvim.lua(f"return vim.fn.getcompletion('{typed}', 'cmdline')") == offered


def test_health_says_what_runs(click: Path, nvim: Neovim) -> None:
    # Counted behind what is on screen.
    nvim.wait(
        lambda: nvim.lua("return require('covls.status').roots()[1].percentText == '30'"),
        "the project's figure",
    )
    nvim.lua("vim.cmd('silent checkhealth covls')")
    text = "\n".join(window(nvim))
    assert "ERROR" not in text
    assert "OK covls " in text
    assert f"The server runs for {click}" in text
    assert "is not trusted: none of its code runs" in text
    assert "30 %" in text


@pytest.mark.shows("Neovim, plugin", "status")
def test_the_statusline_has_the_figure_of_the_file(report: dict[str, Any], nvim: Neovim) -> None:
    figure = report["files"]["src/click/utils.py"]["summary"]["percent_covered_display"]
    # A test before this one may have left word that something was edited.
    nvim.wait(
        lambda: nvim.lua("return require('covls').statusline()") == f"{figure} %%", "the figure"
    )
    nvim.lua(
        "_G.told = 0\n"
        "vim.api.nvim_create_autocmd('User', {\n"
        "  pattern = 'CovlsStatus', callback = function() _G.told = _G.told + 1 end,\n"
        "})\n"
        "vim.api.nvim_buf_set_lines(0, 0, 0, true, { 'new = 1' })"
    )
    nvim.wait(
        lambda: nvim.lua("return require('covls').statusline()").startswith(
            f"{figure} %% · edited"
        ),
        "the word for an edited file",
    )
    assert nvim.lua("return _G.told") > 0
    nvim.lua("vim.cmd('silent undo')")


def test_numbers_and_lines_are_marked_where_that_is_wanted(nvim: Neovim) -> None:
    right = marks(nvim)
    looks = (
        "local found = {}\n"
        "local spaces = vim.api.nvim_get_namespaces()\n"
        "for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, spaces['covls.marks'], 0, -1, "
        "{ details = true })) do\n"
        "  local look = mark[4]\n"
        "  found[table.concat({ look.sign_text or '-', look.number_hl_group or '-', "
        "look.line_hl_group or '-' }, ' ')] = true\n"
        "end\n"
        "return vim.tbl_keys(found)"
    )
    marked = "{ signs = false, numbers = true, lines = true }"
    nvim.lua(f"require('covls').setup({{ trusted = false, marks = {marked} }})")
    try:
        assert {*nvim.lua(looks)} == {
            "- CovlsCovered -",
            "- CovlsMissing CovlsMissingLine",
            "- CovlsPartial CovlsPartialLine",
        }
        assert marks(nvim) == right
    finally:
        nvim.lua("require('covls').setup({ trusted = false })")
    assert marks(nvim) == right


def test_hints_have_no_signs_beside_the_marks_and_failed_tests_do(nvim: Neovim) -> None:
    least = nvim.lua(
        "local client = vim.lsp.get_clients({ name = 'covls' })[1]\n"
        "local config = vim.diagnostic.config(nil, vim.lsp.diagnostic.get_namespace(client.id))\n"
        "return { config.signs.severity.min, config.underline.severity.min }"
    )
    assert least == [2, 2], "warnings and errors"
    assert nvim.diagnostics(), "they are there for those who look"


def test_a_theme_made_for_nvim_coverage_has_its_colours(nvim: Neovim, tmp_path: Path) -> None:
    (tmp_path / "colors").mkdir()
    theme = "highlight clear\nhighlight CoverageUncovered guifg=#123456\n"
    (tmp_path / "colors" / "made_for_it.vim").write_text(theme)
    target = "return vim.api.nvim_get_hl(0, { name = 'CovlsMissing' }).link"
    assert nvim.lua(target) == "DiagnosticError"
    folder = json.dumps(str(tmp_path))
    nvim.lua(f"vim.opt.runtimepath:append({folder}); vim.cmd.colorscheme('made_for_it')")
    try:
        assert nvim.lua(target) == "CoverageUncovered"
    finally:
        nvim.lua(f"vim.opt.runtimepath:remove({folder}); vim.cmd.colorscheme('default')")
