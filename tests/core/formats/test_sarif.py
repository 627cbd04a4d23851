"""SARIF: what its schema demands of each object that covls writes."""

import json
import re
from urllib.parse import unquote

from covls.core.findings import Rule
from covls.core.formats.sarif import sarif
from tests.core.formats.values import AWKWARD, findings


def test_every_object_has_what_it_must_and_nothing_that_is_unknown() -> None:
    log = json.loads(sarif(findings(), version="1.2.3"))
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert set(run) == {"tool", "columnKind", "results"}
    assert run["columnKind"] in {"utf16CodeUnits", "unicodeCodePoints"}
    driver = run["tool"]["driver"]
    assert [rule["id"] for rule in driver["rules"]] == [rule.value for rule in Rule]
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"none", "note", "warning", "error"}
        assert result["message"]["text"]
        for location in result.get("locations", ()):
            place = location["physicalLocation"]
            uri = place["artifactLocation"]["uri"]
            assert re.fullmatch(r"[A-Za-z0-9/._~%-]+", uri), "a URI of RFC 3986, and relative"
            region = place["region"]
            assert 1 <= region["startLine"] <= region["endLine"]
    places = [result.get("locations") for result in run["results"]]
    assert places[0] is None
    assert unquote(places[1][0]["physicalLocation"]["artifactLocation"]["uri"]) == AWKWARD
