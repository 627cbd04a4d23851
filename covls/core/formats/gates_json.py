"""The verdicts of gates as JSON, for scripts."""

import json

from covls.core.formats.gates_text import gap_words
from covls.core.gaps import Gap
from covls.core.gates import Check, Facts


def gates_json(check: Check, facts: Facts) -> str:
    """One object: the outcome of all, and each verdict with its numbers."""
    verdicts = [
        {
            "gate": verdict.gate,
            "outcome": verdict.outcome.value,
            "message": verdict.message,
            "threshold": verdict.threshold,
            "covered": verdict.covered,
            "possible": verdict.possible,
            "percent": verdict.percent or None,
            "needed": verdict.needed,
            "gaps": [gap_object(gap) for gap in verdict.gaps],
            "stale": list(verdict.stale),
            "remedy": verdict.remedy,
            "flaky": list(verdict.flaky),
        }
        for verdict in check.verdicts
    ]
    found = {
        "outcome": check.outcome.value,
        "by_default": check.by_default,
        "base": facts.base or None,
        "verdicts": verdicts,
    }
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def gap_object(gap: Gap) -> dict[str, object]:
    """A gap, as JSON has it."""
    return {
        "file": gap.file,
        "first": gap.first,
        "last": gap.last,
        "statements": gap.statements,
        "branches": gap.branches,
        "words": gap_words(gap),
    }
