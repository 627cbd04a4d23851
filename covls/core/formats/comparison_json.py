"""Two runs compared, for scripts."""

import json
from fractions import Fraction
from typing import Any

from covls.core.formats.history_json import run_values, totals_values
from covls.core.regression import FileChange, RunComparison


def comparison_json(compared: RunComparison) -> str:
    """One object. Points are below 0 where coverage fell, and `exact` is the fraction of each."""
    drop = compared.found.drop
    found = {
        "before": run_values(compared.before),
        "now": run_values(compared.now),
        "points": {
            "total": _points(-drop.naive),
            "fair": _points(-drop.fair),
            "deleted_code": _points(drop.by_deleted),
            "tests": _points(drop.by_tests),
            "changed_code": _points(drop.by_code),
            "flaky_lines": _points(drop.by_chance),
        },
        "fair_before": totals_values(drop.fair_before),
        "fair_now": totals_values(drop.fair_now),
        "files": [_file(file) for file in compared.found.files if file.differs or file.flaky],
        "notes": list(compared.notes),
    }
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _points(value: Fraction) -> dict[str, Any]:
    return {"points": float(value), "exact": str(value)}


def _file(file: FileChange) -> dict[str, Any]:
    return {
        "path": file.name,
        "path_before": file.name_before or None,
        "kind": file.kind.value,
        "renamed": file.renamed,
        "before": totals_values(file.before),
        "now": totals_values(file.now),
        "new_covered": list(file.new_covered),
        "new_missed": list(file.new_missed),
        "newly_covered": _pairs(file.newly_covered),
        "newly_missed": _pairs(file.newly_missed),
        "branches_covered": _pairs(file.branches_covered),
        "branches_missed": _pairs(file.branches_missed),
        "deleted_covered": list(file.deleted_covered),
        "deleted_missed": list(file.deleted_missed),
        "flaky": _pairs(file.flaky),
        "flaky_changed": _pairs(file.flaky_changed),
    }


def _pairs(pairs: tuple[tuple[int, int], ...]) -> list[dict[str, int]]:
    return [{"line_before": before, "line": now} for before, now in pairs]
