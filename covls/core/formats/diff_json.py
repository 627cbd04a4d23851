"""The coverage of a patch as JSON, for scripts."""

import json
from collections.abc import Mapping

from covls.core.coverage import percent_text
from covls.core.formats.gates_json import gap_object
from covls.core.gates import shares
from covls.core.patch import PatchTotals
from covls.core.patched import PatchedFiles, stale_lines


def diff_json(patched: PatchedFiles, precision: int) -> str:
    """One object: the figures of all, and each file with its own."""
    found = {
        "base": {"name": patched.base, "commit": patched.commit},
        "totals": _totals(patched.totals, precision),
        "files": [
            {
                "file": file.name,
                "new": file.is_new,
                "totals": _totals(file.patch.totals, precision),
                "lines": [list(lines) for lines in file.patch.lines],
                "gaps": [gap_object(gap) for gap in file.gaps],
                "stale": [
                    {"first": each.first, "last": each.last, "words": each.words}
                    for each in stale_lines(file)
                ],
                "unknown": file.unknown or None,
            }
            for file in patched.files
        ],
        "left_out": [{"file": each.name, "reason": each.reason} for each in patched.left_out],
    }
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _totals(totals: PatchTotals, precision: int) -> Mapping[str, object]:
    known = totals.known
    covered, possible = shares(known)
    return {
        "percent": totals.percent,
        "percent_text": None if totals.percent is None else percent_text(totals.percent, precision),
        "covered": covered,
        "possible": possible,
        "statements": known.n_statements,
        "missing_statements": known.n_missing,
        "branches": known.n_branches,
        "missing_branches": known.n_missing_branches,
        "stale": {
            "edited": totals.edited,
            "new": totals.new,
            "unverified": totals.unverified,
        },
    }
