"""Verdicts and findings to write, with all that could break a format."""

from covls.core.coverage import Totals
from covls.core.findings import Finding, Rule
from covls.core.gaps import Gap
from covls.core.gates import Check, Facts, GatedFile, check
from covls.core.patch import PatchTotals
from covls.core.settings import Gates

AWKWARD = 'a <b>&"c",:%|`d`\x1b[31m\n::error::e/x.py'
"""A file's name, as far as a file system takes one."""


def facts() -> Facts:
    gap = Gap(AWKWARD, 3, 5, 2, 1)
    branch = Gap(AWKWARD, 9, 9, 0, 1, "line 9 didn't jump to line 12")
    patch = PatchTotals(Totals(1, 10, 0, 2))
    files = (
        GatedFile(
            AWKWARD, Totals(1, 40, 0, 9), (gap, branch), "", True, False, patch, (gap, branch)
        ),
        GatedFile("b/late.py", Totals(1, 4), stale="1 statement edited"),
    )
    return Facts(files, base="ma|in")


def checked() -> Check:
    """A gate that failed, one that is not judged, one that does not apply, and one that passes."""
    gates = Gates(total=90, patch=90, max_drop=1, changed_files=50)
    return check(gates, facts(), precision=0, fail_under=0, run="covls run")


def findings() -> list[Finding]:
    return [
        Finding(Rule.GATE, "total: 5%, less than 9%.\nRun: x", is_error=True),
        Finding(Rule.UNCOVERED, "No test runs this line.", False, AWKWARD, 3, 5),
        Finding(Rule.PARTIAL_BRANCH, "Line 9 didn't jump.", False, "a b/ü.py", 9, 9),
        Finding(Rule.PARTIAL_BRANCH, "Line 9 didn't jump.", False, "a b/ü.py", 12, 12),
    ]
