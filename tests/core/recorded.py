"""What a history would keep of a source in which the lines that no test reached are marked."""

from covls.core.analysis import analysis_from_json
from covls.core.coverage import Measured, cover
from covls.core.history import RecordedFile, recorded_file, source_name
from covls.core.lines import split_lines
from covls.probe.analyse import Rules, analyse_python

RULES = Rules(["# pragma: no cover"], ["# pragma: no branch"])

MARK = "# missed"


def stripped(marked: str) -> str:
    """The source without its marks."""
    return "\n".join(line.partition(MARK)[0].rstrip() for line in marked.split("\n"))


def recorded(name: str, marked: str, *, branches: bool = False) -> RecordedFile:
    """A file of which all ran but what is marked."""
    source = stripped(marked)
    analysis = analysis_from_json(analyse_python(source.encode(), name, RULES))
    missed = {n for n, line in enumerate(split_lines(marked), 1) if MARK in line}
    ran = analysis.statements - missed
    arcs = {(start, end) for start, ends in analysis.branches.items() for end in ends}
    taken = frozenset((a, b) for a, b in arcs if a in ran and abs(b) not in missed)
    measured = Measured(frozenset(ran), taken if branches else None)
    return recorded_file(name, source_name(source), cover(analysis, measured))
