"""GitLab's code quality report: every issue has a line, and a fingerprint of its own."""

import json

from covls.core.formats.code_quality import code_quality
from tests.core.formats.values import findings


def test_issues() -> None:
    issues = json.loads(code_quality(findings()))
    assert len(issues) == 3
    assert len({issue["fingerprint"] for issue in issues}) == 3
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert not issue["location"]["path"].startswith(("/", "./"))
        assert issue["location"]["lines"]["begin"] >= 1


def test_a_fingerprint_stays_when_lines_above_come_and_go() -> None:
    below = [
        type(each)(each.rule, each.message, each.is_error, each.file, each.first + 7, each.last + 7)
        for each in findings()
    ]
    before, after = (json.loads(code_quality(each)) for each in (findings(), below))
    assert [i["fingerprint"] for i in before] == [i["fingerprint"] for i in after]
