"""Whether recorded contexts tell all tests of each line, or only the first that ran it."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from covls.core.test_names import ran_by

SHARED: Final = 0.05
"""The share of the lines reached by tests that several tests must have in common."""

ENOUGH: Final = 200
"""Lines reached by tests after which it is clear enough, if four times that share has several."""

ONLY_FIRST_TESTS: Final = (
    "not known: the data names only the first test of each line, as coverage.py's sysmon core "
    "records it; `covls run` tells all, or COVERAGE_CORE=ctrace"
)
"""What is said instead of the tests of a line."""


def only_first_tests(files: Iterable[Iterable[tuple[str, int]]]) -> bool:
    """Whether each line names one test alone, though there are several tests.

    `files` are, file by file, contexts with the lines that ran in them as the bits of an integer.
    coverage.py's sysmon core reports a line once, and never again: pytest-cov's contexts are then
    those of the tests that came first. A line that holds several functions, as a lambda, is
    reported once for each. Where a few tests have next to nothing in common it looks the same, and
    where several processes recorded, each has first tests of its own, which cannot be seen.
    """
    tests: set[str] = set()
    several = reached = 0
    for file in files:
        by_test: defaultdict[str, int] = defaultdict(int)
        for context, lines in file:
            by_test[ran_by(context)[0]] |= lines
        by_test.pop("", None)
        once = twice = 0
        for lines in by_test.values():
            twice |= once & lines
            once |= lines
        tests.update(by_test)
        several += twice.bit_count()
        reached += once.bit_count()
        if reached >= ENOUGH and several >= 4 * SHARED * reached:
            return False
    return len(tests) > 1 and several < SHARED * reached
