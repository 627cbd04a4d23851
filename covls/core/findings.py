"""What there is to say of places in the code, as tools that annotate code take it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from covls.core.gaps import Gap
from covls.core.gates import Check, GatedFile, Outcome
from covls.core.patched import PatchedFiles, stale_lines
from covls.core.report import counted

if TYPE_CHECKING:
    from covls.core.priorities import Ranking


class Rule(StrEnum):
    """What a finding is of."""

    UNCOVERED = "uncovered"
    PARTIAL_BRANCH = "partial-branch"
    STALE = "stale"
    GATE = "gate"
    PRIORITY = "priority"


ABOUT = {
    Rule.UNCOVERED: "Code that no test runs",
    Rule.PARTIAL_BRANCH: "A branch that no test takes",
    Rule.STALE: "Code that changed since the tests ran",
    Rule.GATE: "A gate that does not pass",
    Rule.PRIORITY: "Code to test next",
}
"""Each rule in a few words."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to say, of lines of a file (both included), or of no file at all."""

    rule: Rule
    message: str
    is_error: bool = False
    file: str = ""
    """Its path from the top of the repository, with slashes; empty for the whole project."""
    first: int = 0
    last: int = 0


def of_gap(gap: Gap, folder: str) -> Finding:
    """A gap, in a project whose root is `folder` of its repository ("" or with a slash behind)."""
    rule = Rule.UNCOVERED if gap.statements else Rule.PARTIAL_BRANCH
    if not gap.statements:
        message = _sentence(gap.words or counted(gap.branches, "branch never taken"))
    elif gap.first == gap.last:
        message = "No test runs this line."
    else:
        message = f"No test runs these lines ({counted(gap.statements, 'statement')})."
    return Finding(rule, message, False, _path(folder, gap.file), gap.first, gap.last)


def of_patch(patched: PatchedFiles, folder: str) -> Iterator[Finding]:
    """What is uncovered of a patch, the largest first, and then what is stale."""
    found = [gap for file in patched.files for gap in file.gaps]
    yield from (of_gap(gap, folder) for gap in _largest(found))
    for file in patched.files:
        for lines in stale_lines(file):
            message = _sentence(lines.words)
            where = _path(folder, file.name)
            yield Finding(Rule.STALE, message, False, where, lines.first, lines.last)


def of_check(check: Check, files: Iterable[GatedFile], folder: str) -> Iterator[Finding]:
    """The gates that do not pass, what is uncovered of the patch, and what would turn a gate."""
    for verdict in check.verdicts:
        if verdict.outcome in (Outcome.FAILED, Outcome.UNKNOWN):
            words = [verdict.message, *verdict.stale, verdict.remedy]
            message = " ".join(filter(None, (verdict.gate + ":", *words)))
            yield Finding(Rule.GATE, message, is_error=True)
    patch = [gap for file in files for gap in file.patch_gaps]
    others = [gap for verdict in check.verdicts for gap in verdict.gaps]
    told: set[tuple[str, int]] = set()
    for gap in [*_largest(patch), *others]:
        if (gap.file, gap.first) not in told:
            told.add((gap.file, gap.first))
            yield of_gap(gap, folder)


def of_ranking(ranking: "Ranking", folder: str) -> Iterator[Finding]:
    """What to test next, best first, each at the first lines of it that no test reaches."""
    for row in ranking.rows:
        words = [f"{row.title}:", _sentence("; ".join(row.reasons)), row.advice]
        if row.action is not None:
            words.append(row.action.words)
        first, last = row.lines[0] if row.lines else (row.start, row.end)
        message = " ".join(filter(None, words))
        yield Finding(Rule.PRIORITY, message, False, _path(folder, row.file), first, last)


def _largest(found: Iterable[Gap]) -> list[Gap]:
    return sorted(found, key=lambda gap: (-gap.count, gap.file, gap.first))


def _path(folder: str, name: str) -> str:
    name = name.replace("\\", "/")
    return name if name.startswith("/") else folder + name


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:].rstrip(".") + "."
