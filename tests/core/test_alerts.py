"""Events as tables: what comes about, what is over, what is still to tell, and its words."""

import pytest

from covls.core.alerts import (
    OVER,
    Event,
    Place,
    drops_over,
    is_told_of,
    message,
    of_drop,
    of_gates,
    still_to_tell,
)
from covls.core.coverage import Totals
from covls.core.gates import Check, Outcome, Verdict

RAISED = Event("gate total on main", "raised", "total: All code: 58%.")
WELL = Event("gate total on main", OVER, "total: All code: 80%.")
PLACE = Place("shop", "main", "0123456789abcdef", "https://ci.example/1")


def totals(covered: int, possible: int, *branches: int) -> Totals:
    """Of statements, and of branches that are taken and possible."""
    taken, ways = branches or (0, 0)
    return Totals(1, possible, 0, possible - covered, ways, 0, ways - taken)


@pytest.mark.parametrize(
    ("branch", "patterns", "expected"),
    [
        ("main", ["main", "master"], True),
        ("maintenance", ["main"], False),
        ("release/8.2", ["release/*"], True),
        ("release/8.2", ["*"], True),
        ("feature", [], False),
        ("feature", [""], False),
        # A tag, a pull request, a detached HEAD.
        ("", ["*", ""], False),
    ],
)
def test_branches(branch: str, patterns: list[str], expected: bool) -> None:
    assert is_told_of(branch, patterns) is expected


def test_what_is_not_judged_is_no_event() -> None:
    verdicts = (
        Verdict("total", Outcome.FAILED, "All code: 58%.", needed=3),
        Verdict("patch", Outcome.PASSED, "The patch: 100%."),
        Verdict("new-files", Outcome.UNKNOWN, "Not judged."),
        Verdict("max-drop", Outcome.SKIPPED, "No base."),
    )
    assert of_gates(Check(verdicts, by_default=False), "main") == [
        Event("gate total on main", "raised", "total: All code: 58%. 3 more would do."),
        Event("gate patch on main", OVER, "patch: The patch: 100%."),
    ]


@pytest.mark.parametrize(
    ("before", "now", "allowed", "drops"),
    [
        (totals(80, 100), totals(79, 100), 0.5, True),
        (totals(80, 100), totals(79, 100), 1.0, False),  # Not more than is allowed.
        (totals(8, 10), totals(799, 1000), 0.1, False),
        (totals(8, 10), totals(7989, 10000), 0.1, True),
        (totals(80, 100), totals(90, 100), 0, False),
        (totals(80, 100), totals(80, 100, 10, 20), 3, True),  # Branches count.
        (totals(80, 100), totals(0, 0), 0, False),
        (totals(0, 0), totals(1, 2), 0, True),
    ],
)
def test_drops_are_told_in_exact_numbers(
    before: Totals, now: Totals, allowed: float, drops: bool
) -> None:
    found = of_drop(before, now, allowed, branch="main", commit="abcdef12345", base="9876543")
    assert bool(found) is drops


def test_a_drop_is_over_when_what_was_is_reached_again() -> None:
    (drop,) = of_drop(
        totals(80, 100), totals(70, 100), 1, branch="main", commit="abcdef12345", base="9876543"
    )
    assert drop.words == (
        "The total lost 10.00 points: 70.00% (70 of 100) at abcdef1, 80.00% (80 of 100) at 9876543."
    )
    others = {"drop on other at 1": "raised 1/2", "gate total on main": "raised"}
    notes = {drop.key: drop.note, **others}
    assert drops_over(notes, totals(79, 100), branch="main") == []
    (over,) = drops_over(notes, totals(160, 200), branch="main")
    assert (over.key, over.is_over) == (drop.key, True)
    assert drops_over({drop.key: OVER}, totals(80, 100), branch="main") == []
    # Runs with flags are told apart from those without, and from others.
    flags = ["linux", "py312"]
    (flagged,) = of_drop(
        totals(8, 10), totals(7, 10), 1, branch="main", flags=flags, commit="abc", base="def"
    )
    assert flagged.words.startswith("The total of linux, py312 lost 10.00 points")
    noted, well = {flagged.key: flagged.note}, totals(9, 10)
    assert drops_over(noted, well, branch="main") == []
    assert drops_over(noted, well, branch="main", flags=["linux"]) == []
    assert [each.key for each in drops_over(noted, well, branch="main", flags=flags)] == [*noted]
    for damaged in ("raised", "raised 1", "raised x/y", "raised -1/2", "raised /"):
        assert drops_over({drop.key: damaged}, totals(1, 1), branch="main") == []


@pytest.mark.parametrize(
    ("event", "notes", "tells"),
    [
        (RAISED, {}, True),
        (RAISED, {RAISED.key: "raised"}, False),
        (RAISED, {RAISED.key: OVER}, True),  # Again.
        (RAISED, {"gate patch on main": "raised"}, True),
        (WELL, {}, False),  # Nobody was told that it was not.
        (WELL, {WELL.key: "raised"}, True),
        (WELL, {WELL.key: OVER}, False),
    ],
)
def test_each_event_is_told_once_and_once_when_it_is_over(
    event: Event, notes: dict[str, str], tells: bool
) -> None:
    assert still_to_tell([event], notes) == ([event] if tells else [])


def test_the_words() -> None:
    patch = Event("gate patch on main", OVER, "patch: \x1b[31m100%.")
    both = message([RAISED, patch], PLACE)
    assert both.title == "shop: coverage is not what it should be on main"
    assert both.body == (
        "total: All code: 58%.\n"
        "Recovered: patch: ?[31m100%.\n"
        "\n"
        "main at 0123456789\n"
        "https://ci.example/1"
    )
    assert not both.is_over
    well = message([patch], Place("shop", "main"))
    assert (well.title, well.is_over) == ("shop: coverage has recovered on main", True)
    assert well.body.splitlines()[-1] == "main"
