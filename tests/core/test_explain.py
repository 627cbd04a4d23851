"""What is said of a line."""

from dataclasses import replace

import pytest

from covls.core.coverage import State, Totals
from covls.core.explain import (
    NOT_AFFECTED,
    NOT_THERE,
    Affected,
    Explanation,
    Region,
    affected_of,
    as_json,
    as_markdown,
    as_text,
)
from covls.core.lost import Loss
from covls.core.marks import Freshness, Mark, MissedBranch

REGIONS = (
    Region("function", "Basket.total", Totals(1, 4, 0, 1)),
    Region("file", "shop.py", Totals(1, 10, 0, 1, 4, 1, 1)),
)


def explanation(mark: Mark | None, *tests: str, contexts: bool = True) -> Explanation:
    told = tests if mark is not None and contexts else None
    return Explanation("shop.py", 3, mark, told, contexts, "the ledger", REGIONS)


def test_everything_at_once() -> None:
    branches = (MissedBranch(5, "line 3 didn't jump to line 5"), MissedBranch(None, ""))
    found = explanation(Mark(3, 4, State.PARTIAL, branches=branches), "a::b", "a::c")
    assert as_text(found).split("\n") == [
        "shop.py:3: partly covered; the code is as it was measured",
        "  branches       Line 3 didn't jump to line 5",
        "                 Line 3 never jumped to the exit",
        "  tests          a::b",
        "                 a::c",
        "  function       Basket.total: 75% of 4 statements, 1 missed",
        "  file           86% of 10 statements and 4 branches, 1 missed",
        "  measured text  the ledger",
    ]
    assert as_markdown(found).startswith("**shop.py:3**: partly covered")
    assert "    - a::c" in as_markdown(found).split("\n")
    said = as_json(found)
    assert said["lines"] == [3, 4]
    assert said["branches"][0] == {"target": 5, "words": "line 3 didn't jump to line 5"}
    assert said["regions"][0]["percent_text"] == "75"


@pytest.mark.parametrize(
    ("state", "freshness", "headline", "tests"),
    [
        (State.COVERED, Freshness.FRESH, "covered; the code is as it was measured", "a::b"),
        (State.MISSING, Freshness.FRESH, "not covered; the code is as it was", "none runs it"),
        (State.EXCLUDED, Freshness.FRESH, "excluded from coverage; ", "not told of what is"),
        (State.COVERED, Freshness.EDITED, "was covered; it was edited since", "none yet"),
        (State.MISSING, Freshness.NEW, "not measured yet; it was not there", "none yet"),
        (State.COVERED, Freshness.UNVERIFIED, "covered; it is not known whether", "a::b"),
    ],
)
def test_every_state(state: State, freshness: Freshness, headline: str, tests: str) -> None:
    first, said, *_ = as_text(explanation(Mark(3, 3, state, freshness), "a::b")).split("\n")
    assert first.startswith(f"shop.py:3: {headline}")
    assert said.startswith(f"  tests          {tests}")


def test_what_was_lost() -> None:
    lost = Loss(("a::b",), 1.0, "1970-01-01 00:00", last=True)
    found = explanation(Mark(3, 3, State.MISSING, lost=lost))
    assert as_text(found).split("\n")[1:3] == [
        "  tests          none runs it",
        "                 Covered by a::b until the last run.",
    ]
    assert as_json(found)["lost"] == "Covered by a::b until the last run."
    assert as_json(explanation(Mark(3, 3, State.MISSING)))["lost"] is None


def test_tests_that_are_not_there() -> None:
    covered = Mark(3, 3, State.COVERED)
    assert "when its module is imported most likely" in as_text(explanation(covered))
    assert "not recorded; to record them" in as_text(explanation(covered, contexts=False))
    assert as_json(explanation(covered, contexts=False))["tests"] is None


def test_of_many_tests_some_are_named() -> None:
    found = explanation(Mark(3, 3, State.COVERED), *(f"t{n}" for n in range(30)))
    assert "and 10 more\n" in as_text(found)
    assert len(as_json(found)["tests"]) == 30


def test_no_statement_and_a_name_that_is_no_good_in_a_terminal() -> None:
    found = Explanation("a\x1b[31m.py", 3, None, None, True, "x", ())
    assert as_text(found).startswith("a?[31m.py:3: no statement, so that there is nothing to cover")
    assert as_json(found)["state"] is None


TESTS = ("t.py::A::a", "t.py::b[1]", "t.py::c", "t.py::d")


def test_which_of_the_tests_have_to_run() -> None:
    chosen = {"t.py::A": ("x was changed",), "t.py::b": ("y", "z"), "u.py::e": ("y",)}
    found = affected_of(TESTS, chosen, gone={"t.py::d"}, changed=["shop.py"])
    assert found.tests == {"t.py::A::a": ("x was changed",), "t.py::b[1]": ("y", "z")}
    assert found.others == {"t.py::c": NOT_AFFECTED, "t.py::d": NOT_THERE}
    everything = affected_of(TESTS[:2], {}, everything="conftest.py was changed")
    assert dict.fromkeys(TESTS[:2], ("conftest.py was changed",)) == everything.tests


@pytest.mark.parametrize(
    ("reached", "affected", "said"),
    [
        (
            TESTS[:3],
            affected_of(TESTS[:3], {"t.py::c": ("y", "z")}, changed=["shop.py", "a.py"]),
            [
                "changed since the last run: shop.py, a.py",
                "1 of the 3 tests that reach this line has to run",
                "in: t.py::c: y; z",
                f"out: t.py::A::a, t.py::b[1]: {NOT_AFFECTED}",
            ],
        ),
        (
            TESTS[:2],
            affected_of(TESTS[:2], {"t.py": ("new",)}, changed=["t.py"]),
            [
                "changed since the last run: t.py",
                "all 2 tests that reach this line have to run",
                "in: t.py::A::a: new",
                "in: t.py::b[1]: new",
            ],
        ),
        (
            TESTS[:1],
            affected_of(TESTS[:1], {}),
            [
                "nothing was changed since the last run",
                "the test that reaches this line need not run",
            ],
        ),
        (
            TESTS[:1],
            affected_of(TESTS[:1], {TESTS[0]: ("failed when it last ran",)}),
            [
                "nothing was changed since the last run",
                "the test that reaches this line has to run",
                "in: t.py::A::a: failed when it last ran",
            ],
        ),
        (
            (),
            affected_of((), {"t.py": ("new",)}, changed=["t.py"]),
            ["changed since the last run: t.py", "no test is known to reach this line"],
        ),
        (TESTS, affected_of(TESTS, {}, everything="because"), ["all tests have to run: because"]),
        (TESTS, Affected(unknown="Not trusted."), ["not told: Not trusted."]),
    ],
)
def test_what_is_said_of_them(
    reached: tuple[str, ...], affected: Affected, said: list[str]
) -> None:
    found = explanation(Mark(3, 3, State.COVERED), *reached)
    lines = as_text(replace(found, reached=reached, affected=affected)).split("\n")
    first = next(number for number, line in enumerate(lines) if line.startswith("  affected"))
    assert [line[17:] for line in lines[first : first + len(said)]] == said
    assert lines[first + len(said)].startswith("  function")


def test_of_what_is_not_as_it_was_measured_the_tests_around_it_are_told() -> None:
    edited = Mark(3, 3, State.COVERED, Freshness.EDITED)
    affected = affected_of(TESTS, {"t.py::c": ("y",)}, changed=["shop.py"])
    found = replace(explanation(edited), tests=None, reached=TESTS, affected=affected)
    assert "1 of the 4 tests that reach the code around this line has to run" in as_text(found)


def test_the_affected_as_json() -> None:
    found = explanation(Mark(3, 3, State.COVERED), *TESTS[:2])
    assert as_json(found)["affected"] is None
    affected = affected_of(TESTS[1:3], {"t.py::c": ("y", "z")}, changed=["shop.py"])
    assert as_json(replace(found, affected=affected))["affected"] == {
        "changed": ["shop.py"],
        "all": False,
        "why": None,
        "tests": [
            {"id": "t.py::c", "affected": True, "reasons": ["y", "z"]},
            {"id": "t.py::b[1]", "affected": False, "reasons": [NOT_AFFECTED]},
        ],
    }
    unknown = replace(found, affected=Affected(unknown="Not trusted."))
    assert as_json(unknown)["affected"]["why"] == "Not trusted."


def test_of_many_affected_tests_some_are_named() -> None:
    names = tuple(f"t{number}" for number in range(30))
    affected = affected_of(names, dict.fromkeys(names, ("y",)), changed=names)
    said = as_text(replace(explanation(None), reached=names, affected=affected))
    assert "t19 and 10 more\n" in said
    assert "in: t19: y\n                 in: 10 more\n" in said
    affected = affected_of(names, {"t0": ("y",)}, changed=["t.py"])
    said = as_text(replace(explanation(None), reached=names, affected=affected))
    assert f"out: t1, t2, t3 and 26 more: {NOT_AFFECTED}\n" in said
