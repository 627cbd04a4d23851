"""What a run's journals say, where the run was not as runs are."""

from pathlib import Path

from covls.adapters.run_records import UNSEEN, read_run
from tests.cli.measured import write
from tests.probe.recorded import run

TESTS = """\
import sys
def test_takes_the_tracer():
    sys.settrace(None)
def test_plain():
    pass
"""


def test_a_test_that_was_not_recorded_whole_has_to_run_again(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, {"test_it.py": TESTS})
    run(root, tmp_path / "out", core="ctrace")
    records = read_run(tmp_path / "out", at=1.0)
    assert records.finished
    assert {test: record.outdated for test, record in records.detail.tests.items()} == {
        "test_it.py::test_takes_the_tracer": UNSEEN,
        "test_it.py::test_plain": "",
    }
