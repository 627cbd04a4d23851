"""Annotations are read back as GitHub's runner reads workflow commands."""

import re
from urllib.parse import unquote

from covls.core.findings import ABOUT, Rule
from covls.core.formats.github import annotations
from tests.core.formats.values import AWKWARD, findings


def read(line: str) -> tuple[str, dict[str, str], str]:
    """As `ActionCommand.TryParseV2` of the runner does: no line is two commands."""
    assert "\n" not in line
    assert "\r" not in line
    found = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line)
    assert found is not None, line
    given = dict(part.split("=", 1) for part in found[2].split(","))
    # Of percent signs the runner knows these alone; every other one stands for itself.
    assert set(re.findall("%..", line)) <= {"%25", "%0D", "%0A", "%3A", "%2C"}
    return found[1], {name: unquote(value) for name, value in given.items()}, unquote(found[3])


def test_what_is_written_is_what_is_read() -> None:
    gate, uncovered, branch, _ = map(read, annotations(findings()))
    assert gate == ("error", {"title": ABOUT[Rule.GATE]}, "total: 5%, less than 9%.\nRun: x")
    assert uncovered[1] == {
        "file": AWKWARD,
        "line": "3",
        "endLine": "5",
        "title": ABOUT[Rule.UNCOVERED],
    }
    assert (branch[0], branch[1]["file"]) == ("warning", "a b/ü.py")
