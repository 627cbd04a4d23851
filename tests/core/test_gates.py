"""Gates as tables: what passes, what would make it pass, and when nothing is judged."""

from collections.abc import Iterator

import pytest
from coverage.results import should_fail_under

from covls.core.coverage import Totals
from covls.core.gaps import Gap
from covls.core.gates import (
    BaseFigures,
    Check,
    Facts,
    GatedFile,
    Outcome,
    by_path,
    check,
    fewest,
    is_below,
    needed,
    passes,
)
from covls.core.patch import PatchTotals
from covls.core.settings import Gates


def totals(covered: int, possible: int) -> Totals:
    return Totals(1, possible, 0, possible - covered)


def file(name: str, covered: int, possible: int, stale: str = "") -> GatedFile:
    gap = Gap(name, 1, possible - covered, possible - covered, 0)
    return GatedFile(name, totals(covered, possible), (gap,) if gap.count else (), stale)


def changed(name: str, covered: int, possible: int, *, new: bool = False) -> GatedFile:
    """A file that is changed as a whole."""
    gaps = file(name, covered, possible).gaps
    patch = PatchTotals(totals(covered, possible))
    return GatedFile(name, totals(covered, possible), gaps, "", True, new, patch, gaps)


def checked(gates: Gates, *files: GatedFile, **facts: object) -> Check:
    found = Facts(files, base="main", **facts)  # type: ignore[arg-type]
    return check(gates, found, precision=0, fail_under=0, run="covls run")


def outcomes(found: Check) -> dict[str, str]:
    return {verdict.gate: verdict.outcome.value for verdict in found.verdicts}


@pytest.mark.parametrize("precision", [0, 1, 2])
@pytest.mark.parametrize("threshold", [0.0, 1.0, 50.0, 66.7, 75.0, 99.5, 99.99, 100.0])
def test_passes_where_coverage_py_does(threshold: float, precision: int) -> None:
    """Of all shares up to a size, where what is asked for has no more decimals than are shown."""
    if threshold != round(threshold, precision):
        return
    for possible in range(1, 120):
        for covered in range(possible + 1):
            percent = 100.0 * covered / possible
            theirs = not should_fail_under(percent, threshold, precision)
            assert passes(covered, possible, threshold, precision) == theirs


def test_only_all_is_all() -> None:
    assert not passes(99_999, 100_000, 100, 0)
    assert passes(0, 0, 100, 0), "nothing to cover is covered"


def shares() -> Iterator[tuple[int, int, float]]:
    for possible in (1, 7, 60, 997):
        for covered in sorted({0, possible // 3, possible - 1, possible}):
            for threshold in (10.0, 75.0, 99.9, 100.0):
                yield covered, possible, threshold


@pytest.mark.parametrize(("covered", "possible", "threshold"), list(shares()))
def test_needed_is_the_least_that_does(covered: int, possible: int, threshold: float) -> None:
    more = needed(covered, possible, lambda count: passes(count, possible, threshold, 0))
    assert passes(covered + more, possible, threshold, 0)
    assert more == 0 or not passes(covered + more - 1, possible, threshold, 0)


def test_the_seed_of_it_all() -> None:
    """2,381 of 4,333 statements: 55 %; 75 % is at 3,229, as 74.5 % is shown as 75."""
    found = checked(Gates(total=75), file("a.py", 2381, 4333))
    (verdict,) = found.verdicts
    assert verdict.message == "All code: 55% (2381 of 4333 statements), 75% asked."
    assert (verdict.outcome, verdict.needed) == (Outcome.FAILED, 848)
    assert verdict.covered + verdict.needed == 3229


def test_without_gates_covls_has_its_own_and_says_so() -> None:
    found = checked(Gates(), file("a.py", 3, 4), changed("b.py", 8, 10))
    assert found.by_default
    assert outcomes(found) == {"total": "passed", "patch": "failed"}
    assert not checked(Gates(total=1), file("a.py", 3, 4)).by_default


def test_coverage_pys_own_threshold_stands_in_for_the_total() -> None:
    facts = Facts([file("a.py", 8, 10)], no_patch="There is no repository.")
    found = check(Gates(), facts, precision=0, fail_under=85, run="covls run")
    assert outcomes(found) == {"total": "failed", "patch": "skipped"}
    found = check(Gates(total=80), facts, precision=0, fail_under=85, run="covls run")
    assert outcomes(found) == {"total": "passed"}


def test_stale_files_are_judged_by_no_gate_they_are_in() -> None:
    gates = Gates(total=50, paths={"a/": 50, "b/": 50})
    found = checked(gates, file("a/x.py", 1, 1, "1 statement edited"), file("b/y.py", 1, 1))
    assert outcomes(found) == {"total": "unknown", "paths.a/": "unknown", "paths.b/": "passed"}
    assert found.outcome is Outcome.UNKNOWN
    assert found.verdicts[0].stale == ("a/x.py: 1 statement edited",)
    assert "covls run" in found.verdicts[0].remedy


def test_what_cannot_be_judged_goes_before_what_failed() -> None:
    found = checked(Gates(total=99, patch=90), file("a.py", 1, 4), no_patch="No repository.")
    assert outcomes(found) == {"total": "failed", "patch": "unknown"}
    assert found.outcome is Outcome.UNKNOWN


def test_a_patch() -> None:
    one = changed("a.py", 8, 10)
    assert outcomes(checked(Gates(patch=80), one)) == {"patch": "passed"}
    failed = checked(Gates(patch=90), one).verdicts[0]
    assert (failed.needed, [gap.place for gap in failed.gaps]) == (1, ["a.py:1-2"])
    assert outcomes(checked(Gates(patch=90, min_patch=10), one)) == {"patch": "failed"}
    assert outcomes(checked(Gates(patch=90, min_patch=11), one)) == {"patch": "passed"}
    assert outcomes(checked(Gates(patch=90), file("a.py", 0, 9))) == {"patch": "passed"}


def test_a_patch_with_stale_statements_is_not_judged_however_good_the_rest_is() -> None:
    patch = PatchTotals(totals(100, 100), new=1)
    one = GatedFile("a.py", totals(100, 100), is_changed=True, patch=patch)
    found = checked(Gates(patch=10), one)
    assert outcomes(found) == {"patch": "unknown"}
    assert found.verdicts[0].stale == ("a.py: 1 statement of which nothing is known: 1 new",)


def test_changed_and_new_files_are_judged_as_a_whole() -> None:
    files = changed("a.py", 5, 10), changed("b.py", 9, 10, new=True), file("c.py", 0, 90)
    gates = Gates(changed_files=70, new_files=95)
    assert outcomes(checked(gates, *files)) == {"changed-files": "passed", "new-files": "failed"}
    assert outcomes(checked(gates, file("c.py", 0, 9))) == {
        "changed-files": "passed",
        "new-files": "passed",
    }


@pytest.mark.parametrize(
    ("name", "pattern", "below"),
    [
        ("app/models/a.py", "app/models/", True),
        ("app/models/a.py", "app/models", True),
        ("app/models/a.py", "./app/models", True),
        ("app/models_too/a.py", "app/models", False),
        ("app/models.py", "app/models.py", True),
        ("app/models.py", "", True),
        ("app/models.py", ".", True),
        ("shop/models.py", "*/models.py", True),
        ("a/b/models.py", "*/models.py", False),
        ("a/b/models.py", "**/models.py", True),
        ("models.py", "**/models.py", True),
        ("a/management/commands/x.py", "**/management/commands/**", True),
        ("a/management/commands/x.py", "**/management/commands", True),
        ("a/management/x.py", "**/commands/**", False),
    ],
)
def test_is_below(name: str, pattern: str, below: bool) -> None:
    assert is_below(name, pattern) is below


def test_a_file_is_judged_by_the_longest_path_alone() -> None:
    files = [file("app/a.py", 1, 1), file("app/models/b.py", 1, 1), file("c.py", 1, 1)]
    found = by_path(["app/", "app/models/", "lib/"], files)
    assert {path: [each.name for each in below] for path, below in found.items()} == {
        "app/": ["app/a.py"],
        "app/models/": ["app/models/b.py"],
        "lib/": [],
    }
    checks = checked(Gates(paths={"app/": 50, "lib/": 50}), *files)
    assert outcomes(checks) == {"paths.app/": "passed", "paths.lib/": "skipped"}


@pytest.mark.parametrize(
    ("before", "now", "most", "outcome", "lacking"),
    [
        ((90, 100), (88, 100), 2.0, "passed", 0),
        ((90, 100), (87, 100), 2.0, "failed", 1),
        ((2, 3), (1999, 3000), 0.0, "failed", 1),  # No rounding hides a loss.
        ((2, 3), (2000, 3000), 0.0, "passed", 0),
        ((1, 10), (9, 10), 0.0, "passed", 0),
    ],
)
def test_a_drop(
    before: tuple[int, int], now: tuple[int, int], most: float, outcome: str, lacking: int
) -> None:
    base = BaseFigures("main", totals(*before))
    found = checked(Gates(max_drop=most), file("a.py", *now), base_figures=base)
    assert outcomes(found) == {"max-drop": outcome}
    assert found.verdicts[0].needed == lacking


def test_flaky_lines_are_in_neither_figure_and_named() -> None:
    base = BaseFigures("main", totals(89, 99), ("a.py:7",), totals(0, 1))
    found = checked(Gates(max_drop=0), file("a.py", 89, 100), base_figures=base)
    assert outcomes(found) == {"max-drop": "passed"}
    assert found.verdicts[0].flaky == ("a.py:7",)
    assert found.verdicts[0].message == (
        "The total of 90% is as before against 90% at main; a loss of 0 is allowed. "
        "1 flaky line left out."
    )


def test_a_drop_from_a_run_without_branches_is_of_statements() -> None:
    now = Totals(n_statements=10, n_missing=1, n_branches=10, n_missing_branches=9)
    files = (GatedFile("a.py", now),)
    base = BaseFigures("main", totals(9, 10), statements_alone=True)
    facts = Facts(files, base_figures=base)
    found = check(Gates(max_drop=0), facts, precision=0, fail_under=0, run="covls run")
    assert outcomes(found) == {"max-drop": "passed"}
    assert "do not count" in found.verdicts[0].message


def test_a_drop_from_nothing_known() -> None:
    one = file("a.py", 1, 1)
    assert outcomes(checked(Gates(max_drop=1), one)) == {"max-drop": "skipped"}
    found = checked(Gates(max_drop=1, no_base="fail"), one)
    assert found.outcome is Outcome.UNKNOWN
    assert "No base recorded" in found.verdicts[0].message


def test_fewest_takes_the_largest_first() -> None:
    sizes = [2, 7, 1, 7]
    gaps = [Gap("a.py", at, at, size, 0) for at, size in enumerate(sizes, 1)]
    assert [gap.first for gap in fewest(gaps, 8)] == [2, 4]
    assert [gap.first for gap in fewest(gaps, 100)] == [2, 4, 1, 3]
    assert fewest(gaps, 0) == ()


def test_a_figure_is_shown_with_the_decimals_it_is_judged_by() -> None:
    found = checked(Gates(total=75.6), file("a.py", 755, 1000)).verdicts[0]
    assert found.message.startswith("All code: 75.5% (755 of 1000 statements), 75.6% asked")
