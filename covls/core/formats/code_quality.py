"""Findings as GitLab's code quality report.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

import json
from collections.abc import Iterable
from hashlib import sha256

from covls.core.findings import Finding


def code_quality(found: Iterable[Finding]) -> str:
    """An array of issues. What is of no file is left out, as every issue is of a line."""
    issues: list[dict[str, object]] = []
    seen: set[str] = set()
    for finding in found:
        if not finding.file:
            continue
        fingerprint, number = "", 0
        while not fingerprint or fingerprint in seen:
            told = f"{finding.rule.value}\0{finding.file}\0{finding.message}\0{number}"
            fingerprint, number = sha256(told.encode()).hexdigest(), number + 1
        seen.add(fingerprint)
        issues.append(
            {
                "description": finding.message,
                "check_name": f"covls/{finding.rule.value}",
                "fingerprint": fingerprint,
                "severity": "major" if finding.is_error else "minor",
                "location": {
                    "path": finding.file,
                    "lines": {"begin": finding.first, "end": finding.last},
                },
            }
        )
    return json.dumps(issues, indent=2, ensure_ascii=False) + "\n"
