"""What is said over each function and class: its figure, its tests, the branches missed."""

from collections.abc import Iterable
from dataclasses import dataclass

from covls.core.coverage import percent_text
from covls.core.marks import Freshness
from covls.core.placed_regions import PlacedRegion
from covls.core.reached import Reached


@dataclass(frozen=True, slots=True)
class Lens:
    """A line of the current text, that of a `def` or `class`, and what is said over it."""

    line: int
    words: str


def lenses(
    regions: Iterable[PlacedRegion], reached: Reached | None, precision: int = 0
) -> tuple[Lens, ...]:
    """The lenses of a file's functions and classes, in their order.

    The figures are those of coverage.py's JSON report, rounded as there. `reached` are the file's
    tests, None where none were recorded.
    """
    return tuple(
        Lens(region.start, words)
        for region in regions
        if (words := _words(region, reached, precision))
    )


def number_of(count: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{count} {one if count == 1 else many}"


def tests_in_words(count: int) -> str:
    """How many tests, none included."""
    return number_of(count, "test", "tests") if count else "no test"


def _words(region: PlacedRegion, reached: Reached | None, precision: int) -> str:
    """What is said over a region; nothing where nothing in it could run."""
    if region.freshness is Freshness.EDITED:
        return "edited since it was measured"
    if region.coverage is None or region.measured is None:
        return "not measured yet"
    totals = region.coverage.totals
    if totals.n_statements == 0:
        return "excluded from coverage" if totals.n_excluded else ""
    words = [f"{percent_text(totals.percent, precision)} %"]
    if reached is not None:
        words.append(tests_in_words(reached.count(region.measured.lines())))
    if totals.n_missing_branches:
        missed = number_of(totals.n_missing_branches, "branch", "branches")
        words.append(f"{missed} missed")
    if region.freshness is Freshness.UNVERIFIED:
        words.append("not verified")
    return " · ".join(words)
