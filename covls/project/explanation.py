"""All that is known of one line of a file."""

from covls.core.explain import Explanation, regions_around
from covls.core.marks import Freshness
from covls.project.recorded_tests import RecordedTests
from covls.project.view import FileView


def explain_line(
    view: FileView, line: int, recorded: RecordedTests, *, name: str, precision: int
) -> Explanation:
    """What is known of a line of the text viewed.

    `name` is the file for people, `precision` the decimals of percentages.
    """
    mark = next((mark for mark in view.all_marks if mark.start <= line <= mark.end), None)
    tests = None
    if recorded.are_told and mark is not None and mark.is_told:
        measured = view.measured_lines(line, line)
        tests = tuple(recorded.reaching(view.measured_path, measured))
    reached = tests if tests is not None else _reaching_around(view, line, recorded)
    return Explanation(
        name,
        line,
        mark,
        tests,
        recorded.are_told,
        _origin(view),
        regions_around(view.coverage, view.line_map, name, line),
        precision,
        recorded.only_first,
        reached,
    )


def _reaching_around(view: FileView, line: int, recorded: RecordedTests) -> tuple[str, ...]:
    """The tests that reach the innermost function or class around a line, or else the file."""
    around = [
        region.measured
        for region in view.regions()
        if region.start <= line <= region.end and region.measured is not None
    ]
    if not around:
        return tuple(recorded.of_file(view.measured_path))
    return tuple(recorded.reaching(view.measured_path, around[-1].lines()))


def _origin(view: FileView) -> str:
    """Where the measured text of a file is from, for people."""
    if view.freshness is Freshness.UNVERIFIED:
        return "not known; the file on disk was modified after the data was written"
    return view.origin or "the file on disk"
