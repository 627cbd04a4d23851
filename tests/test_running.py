"""What is told of a run."""

import pytest

from covls.adapters.test_run import End, RunResult
from covls.core.test_events import Tally
from covls.running import Outcome


@pytest.mark.parametrize(
    ("end", "code", "workers", "hint"),
    [
        (End.FINISHED, 1, 4, True),
        (End.FINISHED, 1, 0, False),
        (End.FINISHED, 0, 4, False),
        (End.CANCELLED, 1, 4, False),
    ],
)
def test_of_failures_side_by_side_it_is_told_that_they_were(
    end: End, code: int, workers: int, hint: bool
) -> None:
    outcome = Outcome(
        RunResult(end, "Words.", Tally(), exit=code), problem="More.", workers=workers
    )
    words = "The tests ran in 4 processes at once; if they pass one after the other, set "
    words += "`run.workers = 0`."
    assert outcome.message == " ".join(["Words.", "More.", *([words] if hint else [])])
