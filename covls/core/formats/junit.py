"""The verdicts of gates as JUnit's XML, a test case for each gate."""

from covls.core.formats.gates_text import gap_words
from covls.core.formats.xml_text import attribute, escaped
from covls.core.gates import Check, Outcome, Verdict


def junit(check: Check) -> str:
    """One suite. What cannot be judged is an error, what does not apply is skipped."""
    outcomes = [verdict.outcome for verdict in check.verdicts]
    counts = (
        f'tests="{len(outcomes)}" failures="{outcomes.count(Outcome.FAILED)}" '
        f'errors="{outcomes.count(Outcome.UNKNOWN)}"'
    )
    skipped = outcomes.count(Outcome.SKIPPED)
    cases = "".join(_case(verdict) for verdict in check.verdicts)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name="covls" {counts}>\n'
        f'  <testsuite name="coverage gates" {counts} skipped="{skipped}">\n'
        f"{cases}  </testsuite>\n</testsuites>\n"
    )


def _case(verdict: Verdict) -> str:
    name = f'    <testcase classname="covls.gates" name={attribute(verdict.gate)}'
    tag = {
        Outcome.FAILED: "failure",
        Outcome.UNKNOWN: "error",
        Outcome.SKIPPED: "skipped",
    }.get(verdict.outcome)
    if tag is None:
        return f"{name}/>\n"
    message = f"{tag} message={attribute(verdict.message)}"
    if tag == "skipped":
        return f"{name}>\n      <{message}/>\n    </testcase>\n"
    told = [*verdict.stale, *(f"{gap.place}  {gap_words(gap)}" for gap in verdict.gaps)]
    words = escaped("\n".join(filter(None, (*told, verdict.remedy))))
    opened = f'<{message} type="{verdict.outcome.value}">'
    return f"{name}>\n      {opened}{words}</{tag}>\n    </testcase>\n"
