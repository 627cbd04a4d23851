"""covls in a real Emacs without a screen, set up as docs/editors/emacs.md says: eglot, lsp-mode."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import lacks
from tests.e2e.other_editors import LACKS, drive, place, recipe
from tests.server.conftest import SHAPE

pytestmark = pytest.mark.needs_tool("emacs", why="it is the editor under test")

DRIVERS = Path(__file__).parent


@pytest.fixture(scope="module")
def eglot(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What Emacs showed: it is started once, and does one thing after the other."""
    return shown(tmp_path_factory.mktemp("eglot"), "## Eglot", "eglot")


@pytest.fixture(scope="module")
def lsp_mode(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """Likewise, with the other client."""
    return shown(tmp_path_factory.mktemp("lsp-mode"), "## lsp-mode", "lsp-mode")


def shown(folder: Path, heading: str, client: str) -> Mapping[str, Any]:
    """What Emacs shows with one of its clients, set up as the page says under a heading."""
    at = place(folder, recipe("emacs.md", heading, "elisp"))
    driver = DRIVERS / f"{client}.el"
    command = ("emacs", "--batch", "--load", at.configuration, "--load", driver)
    found = drive([*command, at.shop / "shop.py", at.result], at)
    if LACKS in found:
        lacks(client, why="it is the client of Emacs's under test")
    return found


def shape(shown: list[Any]) -> list[tuple[int, int, str]]:
    """First and last line and code of what Flymake shows."""
    return sorted((first, last, text.split("[")[1].split("]")[0]) for first, last, text, _ in shown)


@pytest.mark.shows("Emacs, eglot", "diagnostics", "settings")
def test_diagnostics_as_the_settings_have_them(eglot: Mapping[str, Any]) -> None:
    shown = eglot["diagnostics"]
    assert shape(shown) == SHAPE
    assert {kind for *_, kind in shown} == {"eglot-warning"}
    (block,) = [text for first, _, text, _ in shown if first == 17]
    assert block == "covls [uncovered]: No test runs lines 17 to 20."


@pytest.mark.shows("Emacs, eglot", "moving")
def test_they_move_with_an_edit(eglot: Mapping[str, Any]) -> None:
    assert shape(eglot["moved"]) == [(first + 2, last + 2, code) for first, last, code in SHAPE]
    assert shape(eglot["back"]) == SHAPE


@pytest.mark.shows("Emacs, eglot", "hover")
def test_hover(eglot: Mapping[str, Any]) -> None:
    assert eglot["hover"].startswith("Partly covered")
    assert "the condition on line 5 was always true" in eglot["hover"]
    assert "test_shop.py::test_discount" in eglot["hover"]


@pytest.mark.shows("Emacs, eglot", "run", "progress", "new data")
def test_an_action_runs_a_file_and_the_marks_follow(eglot: Mapping[str, Any]) -> None:
    # Eglot shows no progress: it gets messages of the beginning and the end.
    assert "Tests of test_shop.py: running" in eglot["begun"]
    assert "Tests of test_shop.py: 4 passed." in eglot["ended"]
    gone = (17, 20, "uncovered")
    assert shape(eglot["run"]) == [each for each in SHAPE if each != gone]


@pytest.mark.shows("Emacs, eglot", "explain", "priorities", "go to tests", "report")
def test_what_cannot_be_opened_is_said(eglot: Mapping[str, Any]) -> None:
    assert "shop.py:5: partly covered" in eglot["explain"]
    assert "no test calls it: 2 statements" in eglot["priorities"]
    assert re.search(r"TestParse::test_number is in .*test_shop\.py, line 12", eglot["tests"])
    (report,) = re.findall(r"The HTML report is file://(\S+)#t5$", eglot["report"])
    assert Path(report).is_file()


@pytest.mark.shows("Emacs, eglot", "exclude")
def test_a_block_is_excluded(eglot: Mapping[str, Any]) -> None:
    comment = "  # pragma: no cover"
    assert [line for line in eglot["excluded"].splitlines() if line.endswith(comment)] == [
        f"    def total(self):{comment}"
    ]


def test_nothing_is_left_running(eglot: Mapping[str, Any]) -> None:
    assert eglot["running"] is False


def marks(shown: list[Any]) -> list[tuple[int, int, str]]:
    """First and last line and code of what lsp-mode has of a file."""
    return sorted((first, last, code) for first, last, code, _ in shown)


@pytest.mark.shows("Emacs, lsp-mode", "diagnostics", "settings", "hover", "lenses", "explain")
def test_a_file_in_lsp_mode(lsp_mode: Mapping[str, Any]) -> None:
    assert marks(lsp_mode["diagnostics"]) == SHAPE
    assert {severity for *_, severity in lsp_mode["diagnostics"]} == {2}
    assert "the condition on line 5 was always true" in lsp_mode["hover"]
    lenses = {lens.strip() for lens in lsp_mode["lenses"]}
    assert {"80 % · 1 test · 1 branch missed", "0 % · no test"} <= lenses
    assert "shop.py:5: partly covered" in lsp_mode["explain"]


@pytest.mark.shows("Emacs, lsp-mode", "run", "progress", "new data", "exclude")
def test_actions_in_lsp_mode(lsp_mode: Mapping[str, Any]) -> None:
    # How far the tests are is told at times; of a quick run perhaps never.
    assert lsp_mode["progress"] == "collecting tests"
    gone = (17, 20, "uncovered")
    assert marks(lsp_mode["run"]) == [each for each in SHAPE if each != gone]
    assert "    def total(self):  # pragma: no cover\n" in lsp_mode["excluded"]
