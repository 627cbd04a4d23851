"""A fresh clone of a real project, in a real Neovim, with what CI measured ten commits before.

COVLS_CLICK_REPOSITORY names a repository of click's own: then its last ten commits are taken, and
those lines are counted that differ because the commits changed what runs.
"""

import difflib
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from covls.cli.main import run
from tests.adapters.repositories import Repository, needs_git
from tests.cli.measured import coverage_json
from tests.cli.sources import CLICK, run_tests, unpack
from tests.e2e.neovim import Neovim
from tests.shares import clone

pytestmark = [pytest.mark.needs_tool("nvim", why="it is the editor under test"), needs_git]

FEW = replace(CLICK, tests=("tests/test_basic.py",))
FILES = ("src/click/core.py", "src/click/types.py")
REAL = os.environ.get("COVLS_CLICK_REPOSITORY")


def next_commit(repository: Repository, number: int) -> None:
    """Change what no test can tell: a new function in the middle, and a line that is another."""
    name = FILES[number % len(FILES)]
    text = (repository.folder / name).read_text()
    places = [found.start() for found in re.finditer(r"^(?:def|class) ", text, re.MULTILINE)]
    undecorated = [place for place in places if text[:place].endswith("\n\n\n")]
    place = undecorated[(number * 3) % len(undecorated)]
    new = f"def added_{number}(value):\n    if value:\n        return 1\n    return None\n\n\n"
    text = text[:place] + new + text[place:]
    lines = text.splitlines(keepends=True)
    returns = [n for n, line in enumerate(lines) if line.strip() == "return rv"]
    if returns:
        where = returns[number % len(returns)]
        lines[where] = lines[where].replace("return rv", "return rv or rv")
    repository.write(name, "".join(lines))
    repository("commit", "-qam", f"change {number}")


def marks(nvim: Neovim) -> dict[int, tuple[str, str]]:
    """State and freshness of each line (from 1) of the current buffer that has a mark."""

    def ask() -> Any:
        return nvim.lua(
            "local client = vim.lsp.get_clients({ name = 'covls' })[1]\n"
            "if not client then return nil end\n"
            "local answer = client:request_sync('covls/fileCoverage', {\n"
            "  textDocument = { uri = vim.uri_from_bufnr(0) },\n"
            "}, 30000, 0)\n"
            "return answer and answer.result and answer.result.marks"
        )

    found = nvim.wait(ask, "the coverage of the file")
    return {
        line: (state, freshness)
        for first, last, state, freshness, *_ in found
        for line in range(first + 1, last + 2)
    }


def hover(nvim: Neovim, line: int) -> str:
    words = nvim.lua(
        "local client = vim.lsp.get_clients({ name = 'covls' })[1]\n"
        "local answer = client:request_sync('textDocument/hover', {\n"
        "  textDocument = { uri = vim.uri_from_bufnr(0) },\n"
        f"  position = {{ line = {line - 1}, character = 0 }},\n"
        "}, 30000, 0)\n"
        "return answer and answer.result and answer.result.contents.value"
    )
    return str(words)


def unchanged(before: str, now: str) -> set[int]:
    """The lines of the text now that were in the text before, counted from 1."""
    matcher = difflib.SequenceMatcher(None, before.splitlines(), now.splitlines(), autojunk=False)
    return {
        line + 1
        for block in matcher.get_matching_blocks()
        for line in range(block.b, block.b + block.size)
    }


def states(file: dict[str, Any]) -> dict[int, str]:
    """What coverage.py's JSON report has of each statement's first line."""
    partial = {line for line, _ in file["missing_branches"]}
    return {
        **dict.fromkeys(file["missing_lines"], "missing"),
        **{n: "partial" if n in partial else "covered" for n in file["executed_lines"]},
    }


@pytest.mark.shows("Neovim", "marks", "hover")
def test_marks_are_right_on_every_line_that_did_not_change(tmp_path: Path) -> None:
    if REAL:
        ci = clone(Repository(Path(REAL), init=False), tmp_path / "ci")
        ci("checkout", "-q", "-b", "measured", "HEAD~10")
        target = "origin/HEAD"
    else:
        ci = Repository(unpack(CLICK, tmp_path / "ci"))
        ci("add", "--all")
        ci("commit", "-qm", "release")
        target = "changed"
    configuration = (ci.folder / "pyproject.toml").read_text()
    run_tests(FEW, ci.folder)
    ci.write("pyproject.toml", configuration)
    share = str(tmp_path / "share")
    assert run(["push", "--root", str(ci.folder), "--to", share]) == 0
    measured = ci("rev-parse", "HEAD")
    if not REAL:
        ci("checkout", "-q", "-b", target)
        for number in range(10):
            next_commit(ci, number)
    ci("checkout", "-q", "--detach", target)
    (ci.folder / ".coverage").unlink()

    fresh = clone(ci, tmp_path / "clone")
    fresh("checkout", "-q", "--detach", ci("rev-parse", "HEAD"))
    assert run(["pull", "--root", str(fresh.folder), "--from", share]) == 0
    # The truth: the same tests, run on the text as it is now.
    if REAL:
        ci("checkout", "-q", measured, "--", "tests")
    run_tests(FEW, ci.folder)
    truth = coverage_json(ci.folder)["files"]

    with Neovim(fresh.folder, tmp_path) as nvim:
        for name in FILES:
            nvim.edit(fresh.folder / name)
            shown = marks(nvim)
            was = ci("show", f"{measured}:{name}")
            same = unchanged(was, (fresh.folder / name).read_text())
            expected = states(truth[name])
            wrong = {
                line: (state, shown.get(line))
                for line, state in expected.items()
                if line in same and shown.get(line) != (state, "fresh")
            }
            kinds = {expected[line] for line in expected.keys() & same}
            assert kinds == {"covered", "missing", "partial"}
            # What is there anew is called that, and nothing else.
            assert all(shown[n][1] != "fresh" for n in expected.keys() - same if n in shown)
            if REAL:
                print(json.dumps([name, len(expected), len(expected.keys() & same), wrong]))
            else:
                assert not wrong
                assert expected.keys() - same
        ago = fresh("rev-list", "--count", f"{measured}..HEAD")
        first = min(marks(nvim))
        words = f"From CI: commit {measured[:7]}, {ago} commits ago."
        nvim.wait(lambda: words in hover(nvim, first), "where the data are from")
    assert not (fresh.folder / ".coverage").exists()
