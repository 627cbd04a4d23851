"""JUnit: what a parser of XML reads of each verdict."""

from xml.etree import ElementTree

from covls.core.formats.junit import junit
from tests.core.formats.values import checked


def test_each_gate_is_a_test_case() -> None:
    suites = ElementTree.fromstring(junit(checked()))
    (suite,) = suites
    assert suite.attrib == {
        "name": "coverage gates",
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
    }
    found = {case.attrib["name"]: [part.tag for part in case] for case in suite}
    assert found == {
        "total": ["error"],
        "patch": ["failure"],
        "changed-files": [],
        "max-drop": ["skipped"],
    }
    failure = suite.find(".//failure")
    assert failure is not None
    assert failure.attrib["message"].startswith("The patch against ma|in: 80%")
    assert failure.text is not None
    assert 'a <b>&"c",:%|`d`?[31m' in failure.text
    assert failure.text.endswith("Write tests for them, then: covls run")
