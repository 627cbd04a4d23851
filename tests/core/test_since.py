"""Since when lines are as they are."""

import pytest

from covls.core.coverage import State
from covls.core.flaky import Seen
from covls.core.since import Before, Since, since

STATES = {"c": Seen(2, 2), "m": Seen(2, 0), "p": Seen(2, 2, 2), "-": Seen(0, 0)}

ROWS = [
    ("the only run", "c", State.COVERED, 0, Before.UNKNOWN),
    ("as long as anything is known", "ccc", State.COVERED, 2, Before.UNKNOWN),
    ("covered two runs ago", "ccm", State.COVERED, 1, Before.MISSING),
    ("covered in part before", "cp", State.COVERED, 0, Before.PARTIAL),
    ("missed of late", "mcm", State.MISSING, 0, Before.COVERED),
    ("only the last change counts", "pppcp", State.PARTIAL, 2, Before.COVERED),
    ("it came in", "mm-m", State.MISSING, 1, Before.NOTHING),
]


@pytest.mark.parametrize(("why", "newest_first", "state", "run", "before"), ROWS)
def test_a_line(why: str, newest_first: str, state: State, run: int, before: Before) -> None:
    found = since(2, [STATES[each] for each in newest_first])
    assert found == (Since((1, 1), state, run, before),), why


def test_statements_in_a_row_are_told_of_together() -> None:
    statements = 0b1111010
    found = since(statements, [Seen(statements, 0b1101010), Seen(statements, 0b1001010)])
    assert [(each.lines, each.state, each.run) for each in found] == [
        ((1, 3), State.COVERED, 1),
        ((4, 4), State.MISSING, 1),
        ((5, 5), State.COVERED, 0),
        ((6, 6), State.COVERED, 1),
    ]


def test_what_is_excluded_by_now_is_not_told_of() -> None:
    assert since(0b10, [Seen(0b110, 0b110)])[0].lines == (1, 1)
    assert since(0, [Seen(0, 0)]) == ()
