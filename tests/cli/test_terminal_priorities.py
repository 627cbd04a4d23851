"""The ranking for people: fitted to the terminal, and nothing cut that is to be copied."""

import io
import re

import pytest
from rich.cells import cell_len

from covls.cli.terminal_priorities import print_ranking
from covls.core.priorities import Action, Factors, Priority, Ranking

COMMAND = ("covls", "run", "tests/a_folder_with_a_long_name/test_what_is_done.py")

ROWS = tuple(
    Priority(
        "function",
        "src/package/module.py",
        "/src/package/module.py",
        name,
        10,
        20,
        ((10, 20),),
        (10,),
        Factors(5, 2),
        score,
        ("5 of 9 statements and 2 branches not run", "complexity 7", "22 commits in a year"),
        "Look at what it does, in more words than fit into one line of a terminal, if need be.",
        action=Action("Add a test of it.", "a.py", "/a.py", True, None, COMMAND),
    )
    for name, score in (("f", 123.4), ("Klass.a_method_with_a_long_name\x1b[31m", 0.25))
)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_it_fits(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    stream = io.StringIO()
    print_ranking(Ranking("function", ROWS, 9, ("A note.",)), stream)
    lines = stream.getvalue().split("\n")
    commands = [line for line in lines if line.lstrip().startswith("$ ")]
    assert [line.split("$ ")[1] for line in commands] == [" ".join(COMMAND)] * 2
    assert all(cell_len(line) <= width for line in lines if line not in commands)
    text = re.sub(r"\s+", " ", stream.getvalue())
    for words in (
        "module.py:10",
        "22 commits in a year",
        "if need be.",
        "2 of 9 functions",
        "A note.",
    ):
        assert words in text
    assert "\x1b" not in text


def test_bars_are_as_long_as_scores_are_high() -> None:
    stream = io.StringIO()
    print_ranking(Ranking("function", ROWS, 2), stream)
    first, second = (line for line in stream.getvalue().split("\n") if "module.py" in line)
    assert first.count("━") == 8
    assert second.count("━") == 0
    assert second.count("╸") == 1


def test_nothing_to_test() -> None:
    stream = io.StringIO()
    print_ranking(Ranking("file"), stream)
    assert "Nothing is left to test of what was measured." in stream.getvalue()
