"""What is affected is run after each edit, and the data is that of a full run, arc for arc."""

import os
from pathlib import Path

import pytest

from tests.live.comparison import LiveProject, Step, edited, mutated
from tests.live.edits import EDITS, MUTATIONS
from tests.live.projects import PROJECTS

SEED = int(os.environ.get("COVLS_LIVE_SEED", "20261122"))
EDITS_EACH = int(os.environ.get("COVLS_LIVE_EDITS", "0"))
"""Random edits of each project; 0: a few, as many as take some seconds."""
MUTATIONS_EACH = int(os.environ.get("COVLS_MUTATIONS", "0"))
"""The same of mutations, each undone before the next."""

FEW_EDITS = {"mini": 4, "unittest": 3, "django": 2, "click": 1}
FEW_MUTATIONS = {"mini": 3, "django": 1}


def check(step: Step) -> None:
    print(f"{step.verdict}: {step.edit}; {step.share:.0%} of the tests, {step.seconds:.1f} s")
    if step.verdict == "different":
        pytest.fail(f"After {step.edit}:\n" + "\n".join(step.differences), pytrace=False)
    assert not step.missed, step.edit


@pytest.mark.parametrize("name", PROJECTS if EDITS_EACH else FEW_EDITS)
def test_after_edits_the_data_are_those_of_a_full_run(name: str, tmp_path: Path) -> None:
    live = LiveProject(PROJECTS[name], tmp_path, SEED)
    for step in edited(live, EDITS, EDITS_EACH or FEW_EDITS[name]):
        check(step)


@pytest.mark.parametrize("name", PROJECTS if MUTATIONS_EACH else FEW_MUTATIONS)
def test_every_test_that_a_mutation_fails_is_run(name: str, tmp_path: Path) -> None:
    live = LiveProject(PROJECTS[name], tmp_path, SEED)
    for step in mutated(live, MUTATIONS, MUTATIONS_EACH or FEW_MUTATIONS[name]):
        check(step)
