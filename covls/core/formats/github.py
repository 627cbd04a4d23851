"""Findings as GitHub Actions takes them: workflow commands, which become annotations.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from collections.abc import Iterable, Iterator

from covls.core.findings import ABOUT, Finding


def annotations(found: Iterable[Finding]) -> Iterator[str]:
    """A line for each finding. GitHub shows the first ten of a step, so the worst come first."""
    for finding in found:
        properties = {"title": ABOUT[finding.rule]}
        if finding.file:
            properties = {
                "file": finding.file,
                "line": str(finding.first),
                "endLine": str(finding.last),
                **properties,
            }
        level = "error" if finding.is_error else "warning"
        given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
        yield f"::{level} {given}::{_data(finding.message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
