"""What is flaky, and what only changed."""

import pytest

from covls.core.flaky import Seen, flaky_lines

STATES = {"c": Seen(0b10, 0b10), "m": Seen(0b10, 0), "p": Seen(0b10, 0b10, 0b10), "-": Seen(0, 0)}

ROWS = [
    ("nothing known", "", "", False),
    ("always covered", "cccc", "", False),
    ("a test was added", "mmcc", "", False),
    ("a test was added and taken away", "mcm", "", False),
    ("it comes and goes", "cmcm", "", True),
    ("however long it stays", "ccmmmccccmm", "", True),
    ("a branch that comes and goes", "cpcp", "", True),
    ("missed, partly covered, covered, partly covered", "mpcp", "", True),
    ("its text was another for a while: that is no change", "c-m-c", "", False),
    ("but what it was before counts", "c-m-c-m", "", True),
    ("two runs of the same code differ", "cm", "aa", True),
    ("two runs of other code do not count", "cm", "ab", False),
    ("of the same code again, later", "cmm", "aba", True),
    ("the same code, of which it is no part", "c-", "aa", False),
    ("the second and the third of the same code", "-cm", "aaa", True),
    ("code that is not known is not the same", "cm", "", False),
    ("the same code and the same state", "ccmm", "aabb", False),
]


@pytest.mark.parametrize(("why", "states", "codes", "flaky"), ROWS, ids=[row[0] for row in ROWS])
def test_a_line(why: str, states: str, codes: str, flaky: bool) -> None:
    seen = [
        Seen(STATES[state].known, STATES[state].executed, STATES[state].partial, code)
        for state, code in zip(states, codes or [""] * len(states), strict=True)
    ]
    assert bool(flaky_lines(seen)) is flaky, why


def test_lines_are_told_apart() -> None:
    runs = [Seen(0b11110, bits) for bits in (0b01110, 0b10110, 0b00110, 0b10010, 0b01010)]
    # Line 4 came and went thrice, line 3 went and came back, line 2 went, line 1 stayed.
    assert flaky_lines(runs) == 0b10000
