"""covls in a real Emacs without a screen, set up as docs/editors/emacs.md says: eglot."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import lacks
from tests.server.conftest import CONFIGURATION, SHAPE, SHOP, TESTS, run_tests

pytestmark = pytest.mark.needs_tool("emacs", why="it is the editor under test")

ROOT = Path(__file__).parents[2]
DRIVER = Path(__file__).with_name("eglot.el")

PATIENCE = 600.0
"""Seconds for all that Emacs does; each thing that it waits for has a deadline of its own."""

LACKS = 77
"""Emacs's exit code where it has no such client."""

ONE_MORE = """

def test_never():
    import shop

    assert shop.never(1, 2) == 3
"""


def recipe(heading: str) -> str:
    """The blocks of Lisp under a heading of the page, down to the next one."""
    page = (ROOT / "docs" / "editors" / "emacs.md").read_text(encoding="utf-8")
    part = page[page.index(f"\n{heading}\n") + len(heading) + 1 :]
    part = re.split(r"^#", part, maxsplit=1, flags=re.MULTILINE)[0]
    return "\n".join(re.findall(r"```elisp\n(.*?)```", part, re.DOTALL))


@pytest.fixture(scope="module")
def eglot(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Emacs showed: it is started once, and does one thing after the other."""
    folder = tmp_path_factory.mktemp("emacs")
    shop, home, result = folder / "shop", folder / "home", folder / "result.json"
    shop.mkdir()
    home.mkdir()
    (shop / ".coveragerc").write_text(CONFIGURATION)
    (shop / "shop.py").write_text(SHOP)
    (shop / "test_shop.py").write_text(TESTS)
    run_tests(shop)
    # What the run from the editor finds that the one before it did not.
    (shop / "test_shop.py").write_text(TESTS + ONE_MORE)
    configuration = folder / "init.el"
    configuration.write_text(recipe("## Eglot"))
    done = subprocess.run(
        [
            *("emacs", "--batch", "--load", configuration, "--load", DRIVER),
            *(shop / "shop.py", result),
        ],
        cwd=shop,
        env={**os.environ, "HOME": str(home), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    if done.returncode == LACKS:
        lacks("eglot", why="it is Emacs's client, in a package of its own before Emacs 29")
    assert result.is_file(), done.stdout + done.stderr
    found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    assert "error" not in found, f"{found['error']}\n{done.stderr}"
    return found


def shape(shown: list[Any]) -> list[tuple[int, int, str]]:
    """First and last line and code of what Flymake shows."""
    return sorted((first, last, text.split("[")[1].split("]")[0]) for first, last, text, _ in shown)


@pytest.mark.shows("Emacs, eglot", "diagnostics", "settings")
def test_diagnostics_as_the_settings_have_them(eglot: dict[str, Any]) -> None:
    shown = eglot["diagnostics"]
    assert shape(shown) == SHAPE
    assert {kind for *_, kind in shown} == {"eglot-warning"}
    (block,) = [text for first, _, text, _ in shown if first == 17]
    assert block == "covls [uncovered]: No test runs lines 17 to 20."


@pytest.mark.shows("Emacs, eglot", "moving")
def test_they_move_with_an_edit(eglot: dict[str, Any]) -> None:
    assert shape(eglot["moved"]) == [(first + 2, last + 2, code) for first, last, code in SHAPE]
    assert shape(eglot["back"]) == SHAPE


@pytest.mark.shows("Emacs, eglot", "hover")
def test_hover(eglot: dict[str, Any]) -> None:
    assert eglot["hover"].startswith("Partly covered")
    assert "the condition on line 5 was always true" in eglot["hover"]
    assert "test_shop.py::test_discount" in eglot["hover"]


@pytest.mark.shows("Emacs, eglot", "run", "progress", "new data")
def test_an_action_runs_a_file_and_the_marks_follow(eglot: dict[str, Any]) -> None:
    # Eglot shows no progress: it gets messages of the beginning and the end.
    assert "Tests of test_shop.py: running" in eglot["begun"]
    assert "Tests of test_shop.py: 4 passed." in eglot["ended"]
    gone = (17, 20, "uncovered")
    assert shape(eglot["run"]) == [each for each in SHAPE if each != gone]


@pytest.mark.shows("Emacs, eglot", "explain", "priorities", "go to tests", "report")
def test_what_cannot_be_opened_is_said(eglot: dict[str, Any]) -> None:
    assert "shop.py:5: partly covered" in eglot["explain"]
    assert "no test calls it: 2 statements" in eglot["priorities"]
    assert re.search(r"TestParse::test_number is in .*test_shop\.py, line 12", eglot["tests"])
    (report,) = re.findall(r"The HTML report is file://(\S+)#t5$", eglot["report"])
    assert Path(report).is_file()


@pytest.mark.shows("Emacs, eglot", "exclude")
def test_a_block_is_excluded(eglot: dict[str, Any]) -> None:
    comment = "  # pragma: no cover"
    assert [line for line in eglot["excluded"].splitlines() if line.endswith(comment)] == [
        f"    def total(self):{comment}"
    ]


def test_nothing_is_left_running(eglot: dict[str, Any]) -> None:
    assert eglot["running"] is False
