"""All that is known of one line: its state, why, by which tests, and where that is known from."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from covls.core.coverage import FileCoverage, State, Totals, percent_text, regions
from covls.core.drift import LineMap
from covls.core.impact import holders
from covls.core.lost import lost_words
from covls.core.marks import Freshness, Mark, missed_words
from covls.core.report import counted, printable
from covls.core.told_apart import ONLY_FIRST_TESTS

LISTED: Final = 20
"""Tests and files that are named in text; JSON names all."""

NAMED: Final = 3
"""Tests that are named in one line."""

NOT_AFFECTED: Final = "nothing that it ran, or that its file imports, was changed"
NOT_THERE: Final = "it is not there any more"

_STATES: Final = {
    State.COVERED: "covered",
    State.MISSING: "not covered",
    State.PARTIAL: "partly covered",
    State.EXCLUDED: "excluded from coverage",
}
_FRESHNESS: Final = {
    Freshness.FRESH: "the code is as it was measured",
    Freshness.EDITED: "it was edited since, and nothing was measured of it as it is now",
    Freshness.NEW: "it was not there when coverage was measured",
    Freshness.UNVERIFIED: "it is not known whether this is the text that was measured",
}


@dataclass(frozen=True, slots=True)
class Region:
    """A function or class around the line, or the whole file, with its figures."""

    kind: str
    name: str
    totals: Totals


@dataclass(frozen=True, slots=True)
class Affected:
    """What became of a line's tests by the edits since the last run: which of them have to run."""

    tests: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The line's tests that have to run, each with its reasons."""
    others: Mapping[str, str] = field(default_factory=dict)
    """Those that need not, and why."""
    changed: tuple[str, ...] = ()
    """The files that are others than when the tests ran, as reports write them."""
    everything: str | None = None
    """Why all tests have to run; None where that is not so."""
    unknown: str = ""
    """Why nothing is known of that, or ""."""


def affected_of(
    tests: Collection[str],
    chosen: Mapping[str, tuple[str, ...]],
    *,
    gone: Collection[str] = (),
    changed: Sequence[str] = (),
    everything: str | None = None,
) -> Affected:
    """Some tests told apart by whether a run of the affected tests would take them.

    `chosen` are those that it would take, by the names that it would take them by: also a class's
    or a file's. `gone` are recorded tests that do not exist any more.
    """
    found: dict[str, tuple[str, ...]] = {}
    others: dict[str, str] = {}
    for test in tests:
        if test in gone:
            others[test] = NOT_THERE
            continue
        names = [name for name in holders(test) if name in chosen]
        reasons = tuple(dict.fromkeys(why for name in names for why in chosen[name]))
        if everything is not None:
            found[test] = (everything,)
        elif names:
            found[test] = reasons
        else:
            others[test] = NOT_AFFECTED
    return Affected(found, others, tuple(changed), everything)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of a line. Without a mark there is no statement on it."""

    name: str
    """The file, as reports write it."""
    line: int
    mark: Mark | None
    tests: tuple[str, ...] | None
    """The tests that reach it; None where they were not recorded, or not for the line as it is."""
    contexts: bool
    """Whether the data tell tests apart at all."""
    origin: str
    """Where the text that was measured is from."""
    regions: tuple[Region, ...]
    """From the inside out, the file last."""
    precision: int = 0
    only_first_tests: bool = False
    """Whether the data names only the first test of each line."""
    reached: tuple[str, ...] = ()
    """The tests of the line; of one that is not as it was measured, those of what is around it."""
    affected: Affected | None = None
    """Which of these have to run after what was changed; None where nobody asked."""


def regions_around(
    coverage: FileCoverage, line_map: LineMap, name: str, line: int
) -> tuple[Region, ...]:
    """The functions and classes that a line of the current text is in, and the file itself."""
    measured = line_map.measured(line, line)
    written = {(region.kind, region.start): region.lines() for region in coverage.analysis.regions}
    found = [
        Region(kind, region_name, inner.totals)
        for kind in ("function", "class")
        for region_name, start, inner in regions(coverage, kind)
        if region_name and measured & written[kind, start]
    ]
    return (*found, Region("file", name, coverage.totals))


def as_json(found: Explanation) -> dict[str, Any]:
    """What is known, as values of JSON; lines count from 1."""
    mark = found.mark
    return {
        "file": found.name,
        "line": found.line,
        "lines": None if mark is None else [mark.start, mark.end],
        "state": None if mark is None else mark.state.value,
        "freshness": None if mark is None else mark.freshness.value,
        "branches": [
            {"target": branch.target, "words": branch.words}
            for branch in (() if mark is None else mark.branches)
        ],
        "tests": None if found.tests is None else list(found.tests),
        "lost": None if mark is None or mark.lost is None else lost_words(mark.lost),
        "affected": None if found.affected is None else _affected_json(found.affected),
        "measured_text": found.origin,
        "regions": [
            {
                "kind": region.kind,
                "name": region.name,
                "percent": region.totals.percent,
                "percent_text": percent_text(region.totals.percent, found.precision),
                "statements": region.totals.n_statements,
                "missing": region.totals.n_missing,
                "branches": region.totals.n_branches,
                "missing_branches": region.totals.n_missing_branches,
            }
            for region in found.regions
        ],
    }


def _affected_json(affected: Affected) -> dict[str, Any]:
    tests = [
        {"id": test, "affected": True, "reasons": list(why)} for test, why in affected.tests.items()
    ]
    tests += [
        {"id": test, "affected": False, "reasons": [why]} for test, why in affected.others.items()
    ]
    return {
        "changed": list(affected.changed),
        "all": affected.everything is not None,
        "why": affected.unknown or affected.everything,
        "tests": tests,
    }


def as_text(found: Explanation) -> str:
    """What is known, for a terminal or a message."""
    lines = [f"{printable(found.name)}:{found.line}: {_headline(found.mark)}"]
    for label, said in _parts(found):
        lines.append(f"  {label:<14} {printable(said[0])}")
        lines += [f"  {'':<14} {printable(more)}" for more in said[1:]]
    return "\n".join(lines)


def as_markdown(found: Explanation) -> str:
    """What is known, as a list in Markdown."""
    place = _escaped(f"{found.name}:{found.line}")
    lines = [f"**{place}**: {_escaped(_headline(found.mark))}", ""]
    for label, said in _parts(found):
        if len(said) == 1:
            lines.append(f"- {label}: {_escaped(said[0])}")
        else:
            lines += [f"- {label}:", *(f"    - {_escaped(each)}" for each in said)]
    return "\n".join(lines)


def _headline(mark: Mark | None) -> str:
    if mark is None:
        return "no statement, so that there is nothing to cover"
    if mark.freshness is Freshness.NEW:
        return f"not measured yet; {_FRESHNESS[mark.freshness]}"
    if mark.freshness is Freshness.EDITED:
        return f"was {_STATES[mark.state]}; {_FRESHNESS[mark.freshness]}"
    return f"{_STATES[mark.state]}; {_FRESHNESS[mark.freshness]}"


def _parts(found: Explanation) -> Iterator[tuple[str, Sequence[str]]]:
    mark = found.mark
    if mark is not None and mark.branches:
        yield "branches", [missed_words(mark, branch) for branch in mark.branches]
    if mark is not None:
        yield "tests", _tests(found, mark)
    if found.affected is not None:
        yield "affected", list(_affected(found, found.affected))
    for region in found.regions:
        name = region.name if region.kind != "file" else ""
        yield region.kind, [f"{name}: {_figures(region.totals, found.precision)}".lstrip(": ")]
    yield "measured text", [found.origin]


def _tests(found: Explanation, mark: Mark) -> Sequence[str]:
    if mark.freshness in (Freshness.EDITED, Freshness.NEW):
        return ["none yet, as it is now"]
    if mark.lost is not None:
        return ["none runs it", lost_words(mark.lost)]
    if mark.state not in (State.COVERED, State.PARTIAL):
        return ["none runs it" if mark.state is State.MISSING else "not told of what is excluded"]
    if found.only_first_tests:
        return [ONLY_FIRST_TESTS]
    if not found.contexts:
        return ["not recorded; to record them: pytest --cov --cov-context=test"]
    tests = found.tests or ()
    if not tests:
        return ["none: it runs outside of any test, when its module is imported most likely"]
    more = len(tests) - LISTED
    return [*tests[:LISTED], *([f"and {more} more"] if more > 0 else [])]


def _affected(found: Explanation, affected: Affected) -> Iterator[str]:
    """What was changed, how many of the line's tests have to run for it, and why."""
    if affected.unknown:
        yield f"not told: {affected.unknown}"
        return
    if affected.everything is not None:
        yield f"all tests have to run: {affected.everything}"
        return
    more = len(affected.changed) - LISTED
    if affected.changed:
        names = ", ".join(affected.changed[:LISTED]) + (f" and {more} more" if more > 0 else "")
        yield f"changed since the last run: {names}"
    else:
        yield "nothing was changed since the last run"
    yield _how_many(found, affected)
    chosen = list(affected.tests.items())
    yield from (f"in: {test}: {'; '.join(why)}" for test, why in chosen[:LISTED])
    if len(chosen) > LISTED:
        yield f"in: {len(chosen) - LISTED} more"
    if affected.changed or chosen:
        for why in dict.fromkeys(affected.others.values()):
            tests = [test for test, reason in affected.others.items() if reason == why]
            others = f" and {len(tests) - NAMED} more" if len(tests) > NAMED else ""
            yield f"out: {', '.join(tests[:NAMED])}{others}: {why}"


def _how_many(found: Explanation, affected: Affected) -> str:
    count, of = len(affected.tests), len(found.reached)
    if not of:
        return "no test is known to reach this line"
    where = "this line" if found.tests is not None else "the code around this line"
    if of == 1:
        return f"the test that reaches {where} {'has to' if count else 'need not'} run"
    if not count:
        return f"none of the {of} tests that reach {where} has to run"
    if count == of:
        return f"all {of} tests that reach {where} have to run"
    return f"{count} of the {of} tests that reach {where} {'has' if count == 1 else 'have'} to run"


def _figures(totals: Totals, precision: int) -> str:
    words = f"{percent_text(totals.percent, precision)}% of "
    words += counted(totals.n_statements, "statement")
    if totals.n_branches:
        words += f" and {totals.n_branches} branches"
    return f"{words}, {totals.n_missing} missed" if totals.n_missing else words


def _escaped(text: str) -> str:
    return "".join(f"\\{char}" if char in "\\`*_[]<>|#" else char for char in printable(text))
