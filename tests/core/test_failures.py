"""Where a failed test failed, in a text that goes on being edited, and which failures last."""

import pytest

from covls.core.drift import drift
from covls.core.failures import Failure, failed_in, place_now, still_failed
from covls.core.lines import LineRange
from covls.core.statements import Text
from covls.core.test_events import Collected, CollectionError, Finished, Missing, Tally

BEFORE = """\
import shop


def test_total():
    basket = shop.Basket()
    basket.add(1)
    assert basket.total(
        vat=0,
    ) == 2


def test_other():
    assert True
"""


def text(source: str) -> Text:
    return Text(source.splitlines(), python=True)


def failure(test: str = "t.py::a", file: str = "/p/t.py", line: int = 7) -> Failure:
    return Failure(test, file, line, "assert 1 == 2", text(BEFORE))


@pytest.mark.parametrize(
    ("line", "edits", "expected"),
    [
        (7, [], (7, 9)),
        # In the middle of a statement.
        (8, [], (7, 9)),
        # It moved with the lines above it.
        (7, [("import shop\n", "import shop\n\nX = 1\n")], (9, 11)),
        # It was edited, and what it became is where it failed.
        (7, [("vat=0", "vat=1")], (7, 9)),
        # It is gone: the statement before it stands for it.
        (7, [("    assert basket.total(\n        vat=0,\n    ) == 2\n", "")], (6, 6)),
        # All of the function but its `def` is another.
        (5, [("    basket = shop.Basket()\n", "")], (4, 4)),
        # Before the first statement there is nothing to go by.
        (0, [], (1, 1)),
    ],
)
def test_where_it_is_now(line: int, edits: list[tuple[str, str]], expected: LineRange) -> None:
    after = BEFORE
    for was, now in edits:
        assert after.count(was) == 1
        after = after.replace(was, now)
    assert place_now(failure(line=line), drift(text(BEFORE), text(after))) == expected


def test_of_a_function_that_is_gone_there_is_no_place() -> None:
    start = BEFORE.index("def test_total")
    end = BEFORE.index("def test_other")
    after = BEFORE[:start] + BEFORE[end:]
    line_map = drift(text(BEFORE), text(after))
    assert place_now(failure(), line_map) is None
    assert place_now(failure(line=13), line_map) == (5, 5)


def tally(*events: object) -> Tally:
    found = Tally()
    for event in events:
        found.add(event)  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(
    ("asked", "finished", "events", "left"),
    [
        # A whole run that came to its end says all there is to say.
        (None, True, [], []),
        (None, False, [], ["t.py::A::a", "t.py::b[1]", "u.py::c", "/p/v.py"]),
        # What ran again failed again, or did not.
        (["u.py::c"], True, [Finished("u.py::c", "failed", 0.1)],
         ["t.py::A::a", "t.py::b[1]", "/p/v.py"]),
        # Asked for by its class's or its file's name, and not found.
        (["t.py::A"], True, [], ["t.py::b[1]", "u.py::c", "/p/v.py"]),
        (["t.py::b"], True, [], ["t.py::A::a", "u.py::c", "/p/v.py"]),
        (["t.py"], True, [], ["u.py::c", "/p/v.py"]),
        # Of a run that was stopped that is not known.
        (["t.py"], False, [], ["t.py::A::a", "t.py::b[1]", "u.py::c", "/p/v.py"]),
        (["u.py::c"], False, [Missing(("u.py::c",))], ["t.py::A::a", "t.py::b[1]", "/p/v.py"]),
        # A file that could not be imported was, for there are tests of it.
        (["v.py::d"], True, [Collected(("v.py::d",))], ["t.py::A::a", "t.py::b[1]", "u.py::c"]),
    ],
)  # fmt: skip
def test_which_failures_last(
    asked: list[str] | None, finished: bool, events: list[object], left: list[str]
) -> None:
    before = [
        failure("t.py::A::a"),
        failure("t.py::b[1]"),
        failure("u.py::c", "/p/u.py"),
        failure("", "/p/v.py"),
    ]
    names = None if asked is None else dict.fromkeys(asked)
    found = still_failed(before, tally(*events), names, root="/p", finished=finished)
    assert [each.test or each.file for each in found] == left


def test_what_failed_in_a_run() -> None:
    failed = Finished("t.py::a", "failed", 0.1)
    error = CollectionError("/p/v.py", 1, "SyntaxError")
    passed = Finished("t.py::b", "passed", 0.1)
    broken = Finished("t.py::c", "error", 0.1)
    assert failed_in(tally(failed, error, passed, broken)) == [failed, broken, error]
