"""Findings as SARIF 2.1.0, which code scanning takes.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from covls.core.findings import ABOUT, Finding, Rule

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(found: Iterable[Finding], *, version: str) -> str:
    """One log with one run, by covls of this version."""
    rules = list(Rule)
    driver = {
        "name": "covls",
        "version": version,
        "rules": [
            {
                "id": rule.value,
                "shortDescription": {"text": ABOUT[rule] + "."},
                "defaultConfiguration": {"level": "error" if rule is Rule.GATE else "warning"},
            }
            for rule in rules
        ],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, rules.index(finding.rule)) for finding in found],
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _result(finding: Finding, index: int) -> Mapping[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule.value,
        "ruleIndex": index,
        "level": "error" if finding.is_error else "warning",
        "message": {"text": finding.message},
    }
    if finding.file:
        from urllib.parse import quote  # It imports much, and few formats need it.

        place = {
            "artifactLocation": {"uri": quote(finding.file), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": finding.first, "endLine": finding.last},
        }
        result["locations"] = [{"physicalLocation": place}]
        # What stays the same while lines above it come and go.
        told = f"{finding.rule.value}\0{finding.file}\0{finding.message}".encode()
        result["partialFingerprints"] = {"covls/v1": sha256(told).hexdigest()}
    return result
