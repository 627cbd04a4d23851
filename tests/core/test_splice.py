"""Details of partial runs put into older ones: rows, modules' imports, and arcs that move."""

import coverage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from covls.core.detail import (
    OUTSIDE,
    Detail,
    FileDetail,
    Ran,
    TestRecord,
    detail_of_arcs,
    detail_of_lines,
)
from covls.core.lines import Arc
from covls.core.outline import Outline, compare, outline
from covls.core.splice import PartialRun, Spliced, merged, moved, splice

A, B = ("a", "call"), ("b", "call")
TESTS = {"a": TestRecord("passed", 1.0), "b": TestRecord("passed", 2.0)}
SOURCE = "import os\n\ndef f():\n    return 1\n\ndef g():\n    return 2\n"


def lines(**rows: set[int]) -> dict[Ran, set[int]]:
    return {OUTSIDE if who == "outside" else (who, "call"): ran for who, ran in rows.items()}


def told(file: FileDetail | None) -> dict[Ran, set[int]] | None:
    return None if file is None else {who: file.lines(bits) for who, bits in file.ran.items()}


def spliced(
    old: dict[Ran, set[int]],
    new: dict[Ran, set[int]] | None,
    *,
    ended: set[str] = frozenset(),  # type: ignore[assignment]
    gone: set[str] = frozenset(),  # type: ignore[assignment]
    complete: bool = False,
    source: str = SOURCE,
    imported: bool = False,
) -> Spliced:
    ran = {} if new is None else {"m.py": detail_of_lines(new)}
    run = Detail(False, ran, {test: TestRecord("failed") for test in ended})
    return splice(
        Detail(False, {"m.py": detail_of_lines(old)}, TESTS),
        PartialRun(run, frozenset(ended), frozenset(gone), complete),
        {},
        lambda _: outline(source),
        imported=lambda _path, _ran: imported,
    )


def result(*arguments: object, **named: object) -> dict[Ran, set[int]] | None:
    found = spliced(*arguments, **named)  # type: ignore[arg-type]
    if "m.py" in found.files:
        return told(found.files["m.py"])
    (old, *_) = arguments
    return old  # type: ignore[return-value]


def test_rows_of_tests_that_ran_again_are_replaced() -> None:
    old = lines(outside={1, 3, 6}, a={4}, b={4, 7})
    new = lines(outside={1, 3, 6}, a={7})
    assert result(old, new, ended={"a"}) == lines(outside={1, 3, 6}, a={7}, b={4, 7})
    found = spliced(old, new, ended={"a"}).tests
    assert found == {"a": TestRecord("failed"), "b": TESTS["b"]}


def test_rows_of_a_test_that_did_not_end_stay() -> None:
    old = lines(outside={1, 3, 6}, a={4})
    assert result(old, lines(outside={1, 3, 6}), ended=set()) == old


def test_tests_that_are_gone_take_their_rows_along() -> None:
    old = lines(outside={1, 3, 6}, a={4}, b={7})
    found = spliced(old, None, gone={"a"})
    assert told(found.files["m.py"]) == lines(outside={1, 3, 6}, b={7})
    assert [*found.tests] == ["b"]


def test_functions_that_ran_at_import_stay_until_all_is_imported() -> None:
    old = lines(outside={1, 3, 4, 6}, a={7})
    new = lines(outside={1, 3, 6}, a={7})
    assert result(old, new, ended={"a"}) == old
    assert result(old, new, ended={"a"}, complete=True) == new


def test_a_module_imported_by_the_test_that_is_gone_stays_for_those_that_need_it() -> None:
    old = lines(a={1, 3, 6, 4}, b={7})
    assert result(old, None, gone={"a"}) == lines(outside={1, 3, 6}, b={7})
    # Nobody is left to import it.
    assert spliced(lines(a={1, 3, 6, 4}), None, gone={"a"}).files == {"m.py": None}
    # Nobody ran it, but somebody is known to import it.
    assert result(lines(a={1, 3, 6, 4}), None, gone={"a"}, imported=True) == lines(
        outside={1, 3, 6}
    )


def test_a_module_imported_by_another_test_this_time_is_not_counted_twice() -> None:
    old = lines(a={1, 3, 6, 4}, b={7})
    new = lines(b={1, 3, 6, 7})
    assert result(old, new, ended={"a", "b"}) == new


def test_what_nothing_imports_any_more_goes() -> None:
    old = lines(outside={1, 3, 6})
    assert spliced(old, None, complete=True).files == {"m.py": None}


@pytest.mark.parametrize(
    ("new", "same"),
    [
        ({A: [(-3, 4), (4, -3)], OUTSIDE: [(-1, 1), (1, 3)]}, True),
        ({OUTSIDE: [(1, 3), (-1, 1)], A: [(4, -3), (-3, 4)]}, True),
        ({A: [(-3, 4)], OUTSIDE: [(-1, 1), (1, 3)]}, False),
        ({A: [(-3, 4), (4, -3)], OUTSIDE: [(-1, 1)]}, False),
        ({A: [(-3, 4), (4, -3)]}, False),
        ({A: [(-3, 4), (4, -3), (3, 7)], OUTSIDE: [(-1, 1), (1, 3)]}, False),
        ({OUTSIDE: [(-1, 1), (1, 3)]}, False),
    ],
)
def test_the_text_of_a_file_is_looked_at_only_where_something_else_ran(
    new: dict[Ran, list[Arc]], same: bool
) -> None:
    asked: list[str] = []

    def text(path: str) -> Outline | None:
        asked.append(path)
        return outline(SOURCE)

    ran = {A: [(-3, 4), (4, -3)], B: [(-6, 7)], OUTSIDE: [(-1, 1), (1, 3)]}
    found = splice(
        Detail(True, {"m.py": detail_of_arcs(ran)}, TESTS),
        PartialRun(Detail(True, {"m.py": detail_of_arcs(new)}, TESTS), frozenset("a")),
        {},
        text,
    )
    assert (asked == []) is same
    if same:
        assert found.files == {}


def test_files_that_are_gone_are_removed() -> None:
    old = Detail(False, {"m.py": detail_of_lines(lines(a={1}))}, TESTS)
    nothing = PartialRun(Detail(False, {}), frozenset())
    assert splice(old, nothing, {"m.py": None}, lambda _: None).files == {"m.py": None}


def test_tests_left_out_are_outdated() -> None:
    old = Detail(False, {}, TESTS)
    run = PartialRun(Detail(False, {}, {"a": TestRecord("passed")}), frozenset({"a"}))
    found = splice(old, run, {}, lambda _: None, outdated=lambda test: f"{test} was left out")
    assert found.tests["a"].outdated == ""
    assert found.tests["b"].outdated == "b was left out"


def arcs_of(text: str, path: str) -> set[Arc]:
    """What running a text runs, by coverage.py itself."""
    measuring = coverage.Coverage(data_file=None, branch=True, include=[path], config_file=False)
    measuring.start()
    try:
        exec(compile(text, path, "exec"), {"__name__": "m"})
    finally:
        measuring.stop()
    return set(measuring.get_data().arcs(path) or ())


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    return 1\nf()\n",
        "class A:\n    x = 1\n    def m(self): return 2\nA().m()\n",
        "class A: pass\n",
        "@staticmethod\ndef f():\n    return 1\nx = [i for i in (1, 2)]\n",
        "try:\n    x = 1 / 0\nexcept ZeroDivisionError:\n    x = 2\nfinally:\n    y = 3\n",
        "import os\nx = (os\n     .getcwd()\n     .upper())\nwith open(os.devnull) as f:\n    f\n",
        '"""Doc."""\nfor i in range(2):\n    if i:\n        continue\nelse:\n    z = 1\n',
    ],
)
@pytest.mark.parametrize("at", [0, 1, 3])
def test_arcs_that_move_are_those_that_the_moved_text_runs(text: str, at: int) -> None:
    rows = text.split("\n")
    after = "\n".join([*rows[:at], "# A remark.", "", *rows[at:]])
    edit = compare(text, after)
    if edit.changed:
        return  # It was put into brackets, which lays a statement out otherwise.
    before = detail_of_arcs({OUTSIDE: sorted(arcs_of(text, "/sources/before.py"))})
    found = moved(before, edit)
    assert set(found.arcs(found.union())) == arcs_of(after, "/sources/after.py")


ROWS = st.dictionaries(
    st.tuples(st.sampled_from(["", "a", "b"]), st.just("call")),
    st.sets(st.tuples(st.integers(-3, 9), st.integers(-3, 9)), min_size=1),
)


@settings(deadline=None)
@given(ROWS, ROWS)
def test_merged_rows_have_the_arcs_of_both(
    one: dict[Ran, set[Arc]], other: dict[Ran, set[Arc]]
) -> None:
    both = merged(detail_of_arcs(one), detail_of_arcs(other))
    assert {who: set(both.arcs(bits)) for who, bits in both.ran.items()} == {
        who: one.get(who, set()) | other.get(who, set()) for who in {*one, *other}
    }


MODEL = st.lists(
    st.tuples(
        st.sampled_from(["run", "gone", "edit"]),
        st.sets(st.sampled_from("abcd"), min_size=1),
        st.integers(0, 5),
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from("abcd"), st.sets(st.integers(0, 5)), min_size=1), MODEL)
def test_any_sequence_of_partial_runs_ends_as_a_full_run(
    calls: dict[str, set[int]], steps: list[tuple[str, set[str], int]]
) -> None:
    """Tests call functions of one module; each function has a line more than the one above."""
    calls = dict(calls)
    remarks = 0

    def source() -> str:
        functions = (f"def f{n}():\n{'    x = 1' + chr(10)}    return {n}\n" for n in range(6))
        return "# R.\n" * remarks + "import os\n" + "".join(functions)

    def full(tests: set[str]) -> Detail:
        found = outline(source())
        assert found is not None
        rows: dict[Ran, set[int]] = {OUTSIDE: {remarks + 1, *(f.start for f in found.functions)}}
        for test in tests & calls.keys():
            ran = {n for call in calls[test] for n in range(*_body(found, call))}
            if ran:
                rows[test, "call"] = ran
        records = {test: TestRecord("passed") for test in tests & calls.keys()}
        return Detail(False, {"m.py": detail_of_lines(rows)}, records)

    state, text = full(set(calls)), source()
    for kind, tests, number in steps:
        gone: set[str] = set()
        if kind == "gone":
            gone = tests & calls.keys()
            for test in gone:
                del calls[test]
        elif kind == "edit":
            remarks += number
        else:
            for test in tests:
                calls[test] = {number, *calls.get(test, set())} - {(number + 1) % 6}
        ran = tests if kind == "run" else set()
        run = PartialRun(full(ran), frozenset(ran), frozenset(gone), names_files=True)
        found = splice(state, run, {"m.py": compare(text, source())}, lambda _: outline(source()))
        text = source()
        files = {**state.files, **found.files}
        state = Detail(
            False, {path: file for path, file in files.items() if file is not None}, found.tests
        )
        truth = full(set(calls))
        assert told(state.files["m.py"]) == told(truth.files["m.py"])
        assert state.tests == truth.tests


def _body(found: Outline, number: int) -> tuple[int, int]:
    first, last = found.functions[number].body
    return first, last + 1
