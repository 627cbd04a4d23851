"""Random edits of real sources: nothing is taken for what it is not, and formatting loses nothing.

The truth is Python's own parser: a statement of the measured text and its partner in the current
one must be the same tree.
"""

import random
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from covls.core.drift import LineMap, drift
from covls.core.lines import split_lines
from covls.core.statements import Text
from tests.core.edits import (
    CHANGING,
    FORMATTING,
    MOVING,
    Edit,
    add_comments,
    code_of,
    real_texts,
    reformat,
    unparse,
)

SLOW = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
EDITS = {edit.__name__: edit for edit in (*CHANGING, *FORMATTING, *MOVING)}


def edited(text: str, edits: Sequence[Edit], seed: int) -> LineMap:
    """The map from a text to what several edits make of it."""
    chosen = random.Random(seed)
    lines = before = split_lines(text)
    for edit in edits:
        lines = edit(lines, chosen)
    return drift(Text(before), Text(lines))


def check_sound(line_map: LineMap) -> None:
    """Each statement that has a partner is the same code; where both texts parse."""
    truth = code_of("\n".join(line_map.before.lines))
    now = code_of("\n".join(line_map.after.lines))
    if truth is None or now is None:
        return
    partners = [partner for partner in line_map.partners if partner >= 0]
    assert len(partners) == len(set(partners)), "one statement has two partners"
    starts, after_starts = line_map.before.starts, line_map.after_starts
    for index, partner in enumerate(line_map.partners):
        if partner >= 0 and index not in line_map.group_of:
            line, new_line = starts[index], after_starts[partner]
            assert truth.get(line) == now.get(new_line), (line, new_line)
    for b, b_end, a, a_end in line_map.regrouped:
        says = [says for line in starts[b:b_end] for says in truth.get(line, ())]
        says_now = [says for line in after_starts[a:a_end] for says in now.get(line, ())]
        assert says == says_now, (starts[b], after_starts[a])


def lost(line_map: LineMap) -> list[int]:
    """The lines of measured statements whose code is not found."""
    truth = code_of("\n".join(line_map.before.lines))
    assert truth is not None
    starts = line_map.before.starts
    return [
        starts[index]
        for index, partner in enumerate(line_map.partners)
        if partner < 0 and truth.get(starts[index]) and index not in line_map.group_of
    ]


TEXTS = st.sampled_from(range(len(real_texts())))
SEEDS = st.integers(0, 2**32)


@SLOW
@given(TEXTS, st.lists(st.sampled_from(sorted(EDITS)), min_size=1, max_size=6), SEEDS)
@example(  # A backslash alone, above a definition.
    10, ["insert", "delete", "comment_out", "move_block", "change_character"], 2559532680
)
def test_what_is_fresh_is_the_same_code(text: int, edits: list[str], seed: int) -> None:
    check_sound(edited(real_texts()[text], [EDITS[name] for name in edits], seed))


@SLOW
@given(TEXTS, st.lists(st.sampled_from(FORMATTING), min_size=1, max_size=3), SEEDS)
@example(2, [add_comments], 0)  # A comment behind a string that holds a brace.
@example(2, [unparse], 0)  # Backslashes that are escaped themselves.
@example(3, [add_comments, reformat], 0)  # Lines like those of another block, by the new indent.
@example(10, [add_comments, unparse], 479323293)  # A comment behind a pragma.
@example(10, [reformat, unparse], 2569621022)  # Two functions of much the same lines.
def test_formatting_and_comments_lose_nothing(text: int, edits: list[Edit], seed: int) -> None:
    line_map = edited(real_texts()[text], edits, seed)
    check_sound(line_map)
    assert not lost(line_map)


@SLOW
@given(TEXTS, st.sampled_from(MOVING), SEEDS)
def test_moved_and_doubled_definitions(text: int, edit: Edit, seed: int) -> None:
    check_sound(edited(real_texts()[text], [edit], seed))


@pytest.mark.parametrize("edit", CHANGING, ids=[edit.__name__ for edit in CHANGING])
def test_undo_brings_everything_back(edit: Edit) -> None:
    text = real_texts()[0]
    before = Text(split_lines(text))
    drift(before, Text(edit(split_lines(text), random.Random(1))))
    again = drift(before, Text(split_lines(text)))
    assert list(again.partners) == list(range(len(before.starts)))
    assert not again.edited
