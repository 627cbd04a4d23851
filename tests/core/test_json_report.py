"""The JSON report as text: its pieces make valid JSON, indented as `json` would, one by one."""

import json
from collections.abc import Iterator

import pytest

from covls.core.analysis import Analysis, Region
from covls.core.coverage import Measured, cover
from covls.core.json_report import JsonFile, JsonForm, json_report

ANALYSIS = Analysis(
    statements=frozenset({1, 2, 3, 5}),
    excluded=frozenset(),
    no_branch=frozenset(),
    branches={2: (-1, 3)},
    first_lines={},
    last_lines={},
    jump_fixers={},
    words={},
    regions=(Region("function", "f", 1, ((2, 3),)),),
    executable=frozenset({1, 2, 3, 5}),
    line_count=5,
)
COVERAGE = cover(ANALYSIS, Measured(frozenset({1, 2, 5}), frozenset({(2, -1)})))


def pieces(form: JsonForm, files: Iterator[JsonFile] | list[JsonFile]) -> Iterator[str]:
    return json_report(form, version="7", timestamp="now", files=files, added=lambda: {"a": [1]})


@pytest.mark.parametrize("pretty", [False, True])
@pytest.mark.parametrize("contexts", [{}, {2: ["a", 'b"\n']}])
def test_pieces_are_what_json_would_write(pretty: bool, contexts: dict[int, list[str]]) -> None:
    form = JsonForm(branches=True, contexts=bool(contexts), pretty=pretty)
    text = "".join(pieces(form, [JsonFile("é.py", COVERAGE, contexts)]))
    assert text == json.dumps(json.loads(text), indent=4 if pretty else None)
    report = json.loads(text)
    assert list(report) == ["meta", "files", "totals", "covls"]
    file = report["files"]["é.py"]
    assert file["missing_branches"] == [[2, 3]]
    assert list(file["functions"]) == ["f", ""]
    assert ("contexts" in file["functions"]["f"]) == bool(contexts)


def test_no_files_is_an_empty_object() -> None:
    for pretty in (False, True):
        text = "".join(pieces(JsonForm(branches=False, pretty=pretty), []))
        assert json.loads(text)["files"] == {}
        assert text == json.dumps(json.loads(text), indent=4 if pretty else None)


def test_a_file_is_asked_for_only_when_the_one_before_is_written() -> None:
    asked = []

    def files() -> Iterator[JsonFile]:
        for name in ("a.py", "b.py"):
            asked.append(name)
            yield JsonFile(name, COVERAGE, {})

    written = ""
    for piece in pieces(JsonForm(branches=True), files()):
        written += piece
        if "b.py" not in asked and '"classes"' in written:
            break
    else:
        pytest.fail("b.py was asked for before a.py was written")


def test_kinds_of_regions_that_a_plugin_does_not_know_are_left_out() -> None:
    file = JsonFile("a.html", COVERAGE, {}, kinds=())
    report = json.loads("".join(pieces(JsonForm(branches=True), [file])))
    assert "functions" not in report["files"]["a.html"]
