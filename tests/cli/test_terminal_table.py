"""The table for people: what is cut, what goes, and that it never misleads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from covls.cli.terminal_table import age_words, percent_bar, shorten_names, table_lines
from covls.core.coverage import Totals
from covls.core.report import Row, tabulate

PARTS = st.text("abcd日é_", min_size=1, max_size=12)
NAMES = st.lists(
    st.lists(PARTS, min_size=1, max_size=5).map("/".join), min_size=1, max_size=8, unique=True
)
TOTALS = st.builds(
    Totals,
    n_files=st.just(1),
    n_statements=st.integers(100, 99_999),
    n_missing=st.integers(0, 100),
    n_branches=st.integers(10, 9_999),
    n_partial_branches=st.integers(0, 10),
    n_missing_branches=st.integers(0, 10),
)


@pytest.mark.parametrize(
    ("names", "width", "shown"),
    [
        (["a.py"], 10, ["a.py"]),
        (["src/pack/a.py"], 10, ["…/a.py"]),
        (["src/pack/a.py"], 12, ["…/pack/a.py"]),
        # The same when cut: neither is.
        (["src/one/a.py", "src/two/a.py"], 8, [None, None]),
        (["src/one/a.py", "src/one/b.py"], 8, ["…/a.py", "…/b.py"]),
        # The last part alone does not fit.
        (["src/a_long_name.py"], 8, [None]),
        # Two cells a letter.
        (["日本/日.py"], 8, ["…/日.py"]),
    ],
)
def test_names_are_cut_from_the_left(names: list[str], width: int, shown: list[str | None]) -> None:
    assert shorten_names(names, width) == shown


@given(NAMES, st.integers(4, 40))
def test_cut_names_fit_and_differ(names: list[str], width: int) -> None:
    shown = shorten_names(names, width)
    kept = [name for name in shown if name is not None]
    assert len(set(kept)) == len(kept)
    assert all(cell_len(name) <= width for name in kept)
    for name, cut in zip(names, shown, strict=True):
        assert cut is None or name.endswith(cut.removeprefix("…"))


@pytest.mark.parametrize(
    ("percent", "full"),
    [(0, ""), (0.1, "╸"), (50, "━━━━━"), (55, "━━━━━╸"), (99.9, "━━━━━━━━━╸"), (100, "━" * 10)],
)
def test_only_nothing_is_empty_and_only_everything_is_full(percent: float, full: str) -> None:
    assert percent_bar(percent).plain == full.ljust(10, "─")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 seconds"), (1, "1 second"), (119, "1 minute"), (7_300, "2 hours"), (1e6, "11 days")],
)
def test_ages_are_told_in_the_largest_unit(seconds: float, words: str) -> None:
    assert age_words(seconds) == words


@given(
    NAMES.flatmap(lambda names: st.tuples(st.just(names), st.lists(TOTALS, min_size=8))),
    st.integers(50, 140),
    st.booleans(),
)
def test_lines_fit_and_no_figure_is_lost(
    files: tuple[list[str], list[Totals]], width: int, show_missing: bool
) -> None:
    missing = ", ".join(str(line) for line in range(1, 400, 2))
    rows = [Row(name, totals, missing) for name, totals in zip(*files, strict=False)]
    table = tabulate(rows, branches=True, show_missing=show_missing)
    lines = [line.plain for line in table_lines(table, width)]
    whole = {f"  {row.name}" for row in rows}
    assert all(cell_len(line.rstrip()) <= width for line in lines if line not in whole)
    text = "\n".join(lines)
    for row in rows:
        assert f" {row.totals.n_statements} " in text
        assert f" {table.percent(row.totals)}%" in text
    if show_missing:
        assert text.count("399") >= len(rows)


def test_stale_rows_have_a_mark_and_keep_their_colours() -> None:
    totals = Totals(n_files=1, n_statements=10, n_missing=1)
    table = tabulate([Row("a.py", totals, stale=True), Row("b.py", totals)], branches=False)
    marked, plain = table_lines(table, 80)[2:4]
    assert marked.plain.startswith("~ a.py")
    assert plain.plain.startswith("  b.py")
    assert not marked.style
