"""covls in a real Vim without a screen, set up as docs/editors/vim.md says: ALE."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import lacks
from tests.e2e.other_editors import LACKS, drive, place, recipe
from tests.server.conftest import SHAPE

pytestmark = pytest.mark.needs_tool("vim", why="it is the editor under test")

DRIVER = Path(__file__).with_name("ale.vim")


@pytest.fixture(scope="module")
def ale(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What Vim showed: it is started once, and does one thing after the other."""
    at = place(tmp_path_factory.mktemp("vim"), recipe("vim.md", "## ALE", "vim"))
    command = ("vim", "-N", "-n", "-i", "NONE", "-u", at.configuration, "-es", "-S", DRIVER)
    found = drive([*command, at.shop / "shop.py"], at, COVLS_RESULT=str(at.result))
    if LACKS in found:
        lacks("ALE", why="it is the client of Vim's under test")
    return found


def shape(shown: list[Any]) -> list[tuple[int, int, str]]:
    """First and last line and code of what ALE shows."""
    return sorted((first, last, code) for first, last, code, *_ in shown)


@pytest.mark.shows("Vim, ALE", "diagnostics", "settings")
def test_diagnostics_as_the_settings_have_them(ale: Mapping[str, Any]) -> None:
    assert shape(ale["diagnostics"]) == SHAPE
    assert {kind for _, _, _, kind, _ in ale["diagnostics"]} == {"W"}
    (words,) = [text for first, *_, text in ale["diagnostics"] if first == 17]
    assert words == "No test runs lines 17 to 20."


@pytest.mark.shows("Vim, ALE", "moving")
def test_they_move_with_an_edit(ale: Mapping[str, Any]) -> None:
    assert shape(ale["moved"]) == [(first + 2, last + 2, code) for first, last, code in SHAPE]
    assert shape(ale["back"]) == SHAPE


@pytest.mark.shows("Vim, ALE", "hover")
def test_hover(ale: Mapping[str, Any]) -> None:
    assert ale["hover"][0].startswith("Partly covered")
    assert ale["hover"][-1].strip() == "test_shop.py::test_discount"


@pytest.mark.shows("Vim, ALE", "run", "progress", "new data")
def test_an_action_runs_a_file_and_the_marks_follow(ale: Mapping[str, Any]) -> None:
    # ALE shows no progress: it gets messages of the beginning and the end.
    assert "covls: Tests of test_shop.py: running" in ale["run"]
    assert "covls: Tests of test_shop.py: 4 passed." in ale["run"]
    # By a function that the page gives for keys.
    assert "No test is affected by what changed since the last run." in ale["affected"]
    gone = (17, 20, "uncovered")
    assert shape(ale["after"]) == [each for each in SHAPE if each != gone]


@pytest.mark.shows("Vim, ALE", "exclude")
def test_a_block_is_excluded(ale: Mapping[str, Any]) -> None:
    assert ale["excluded"] == ["    def total(self):  # pragma: no cover"]
