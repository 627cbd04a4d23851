"""Changed lines, beside those that git shows."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st

from covls.core.changed_lines import changed_lines
from covls.core.drift import Change
from tests.adapters.repositories import needs_git
from tests.core.edits import real_texts

ROWS = [
    ("nothing", "ab", "ab", ""),
    ("a line that came in", "ab", "aXb", "2"),
    ("a line that went away", "aXb", "ab", ""),
    ("a line that became another", "aXb", "aYb", "2"),
    ("all", "", "ab", "12"),
    ("the same line again is the later one", "aab", "aaab", "3"),
    ("equal lines within a change stay as they are", "azbzc", "XzYzZ", "135"),
    ("two changes that touch are one", "abc", "aXYc", "23"),
]


@pytest.mark.parametrize(("why", "base", "current", "lines"), ROWS)
def test_rows(why: str, base: str, current: str, lines: str) -> None:
    assert after(changed_lines(list(base), list(current))) == {int(line) for line in lines}, why


def test_what_came_in_is_told_from_what_stands_around_it() -> None:
    method = "    @property\n    def {0}(self):\n        return 1\n\n"
    base = "class A:\n" + method.format("a") + method.format("c")
    current = "class A:\n" + "".join(method.format(name) for name in "abc")
    assert after(changed_lines(base.split("\n"), current.split("\n"))) == {6, 7, 8, 9}


def test_a_long_rewrite_is_one_change() -> None:
    """Without end it would take time by the square of its length."""
    base = ["a", "b"] * 2000
    assert changed_lines(base, ["b", "c"] * 2000) == (Change((1, 4000), (1, 4000)),)


def after(changes: Sequence[Change]) -> set[int]:
    return {line for c in changes for line in range(c.after[0], sum(c.after))}


def kept(changes: Sequence[Change], lines: Sequence[str], side: str) -> list[str]:
    changed = {line for c in changes for line in range(getattr(c, side)[0], sum(getattr(c, side)))}
    return [text for line, text in enumerate(lines, 1) if line not in changed]


def git_lines(folder: Path, base: Sequence[str], current: Sequence[str]) -> set[int]:
    """The lines that `git diff -U0` shows as added."""
    for name, lines in (("base", base), ("current", current)):
        (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    command = ("git", "-c", "diff.algorithm=myers", "diff", "--no-index", "-U0", "base", "current")
    shown = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, check=False, text=True)
    hunks = re.findall(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", shown.stdout, re.MULTILINE)
    return {
        line for first, count in hunks for line in range(int(first), int(first) + int(count or "1"))
    }


@st.composite
def edited(draw: st.DrawFn) -> tuple[list[str], list[str], int]:
    """A real text, the same after some edits as people make them, and how many they were."""
    base = draw(st.sampled_from(real_texts())).split("\n")[:400]
    current = list(base)
    edits = draw(st.sampled_from((1, 1, 2, 4)))
    for number in range(edits):
        place = draw(st.integers(0, len(current)))
        size = draw(st.integers(0, 8))
        kind = draw(st.sampled_from(("delete", "insert", "replace", "copy")))
        made = [f"    made_{number} = {line}" for line in range(size)]
        if kind == "copy":
            made = current[place : place + size]
        gone = size if kind in ("delete", "replace") else 0
        current[place : place + gone] = [] if kind == "delete" else made
    return base, current, edits


@needs_git
@hypothesis.settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
@hypothesis.given(texts=edited())
def test_as_git_has_them(texts: tuple[list[str], list[str], int], tmp_path: Path) -> None:
    base, current, edits = texts
    changes = changed_lines(base, current)
    assert kept(changes, base, "before") == kept(changes, current, "after")
    if edits == 1:
        # Which of several equal lines is the one that came in, git may say otherwise.
        expected = [current[line - 1] for line in git_lines(tmp_path, base, current)]
        assert sorted(current[line - 1] for line in after(changes)) == sorted(expected)
