"""`covls report` beside coverage.py's reports, on click and attrs under their own tests."""

from pathlib import Path

import pytest

from tests.cli.measured import Covls, age, comparable, coverage, coverage_json, stamps
from tests.cli.sources import ATTRS, CLICK, Source, run_tests, unpack


@pytest.mark.parametrize("source", [CLICK, ATTRS], ids=["click", "attrs"])
def test_equals_coverage_in_every_file_and_the_totals(
    source: Source, tmp_path: Path, covls: Covls, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = unpack(source, tmp_path)
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
    run_tests(source, tree)
    age(tree)
    before = stamps(tree)
    ours = {
        contexts: covls.json(tree, "--fail-under=0", contexts)
        for contexts in ("--no-show-contexts", "--show-contexts")
    }
    text = covls(tree, "report", "--fail-under=0", "--no-skip-covered", "--show-missing")
    only = covls.json(tree, "--fail-under=0", "--contexts=test_.*default")
    assert stamps(tree) == before

    plain = comparable(ours["--no-show-contexts"])
    assert plain == comparable(coverage_json(tree))
    report = ours["--show-contexts"]
    assert comparable(report) == comparable(coverage_json(tree, "--show-contexts"))
    assert comparable(only) == comparable(coverage_json(tree, "--contexts=test_.*default"))
    theirs = coverage(tree, "report", "--fail-under=0", "--no-skip-covered", "--show-missing")
    assert text.out == theirs.out

    # The comparison is worth something: many files, branches, and contexts of many tests.
    totals = report["totals"]
    assert len(report["files"]) >= 15
    assert totals["covered_branches"] > 300
    assert totals["missing_branches"] > 10
    contexts = {
        name
        for file in report["files"].values()
        for names in file["contexts"].values()
        for name in names
    }
    assert len(contexts) > 50
    assert report["covls"]["stale"] == []
