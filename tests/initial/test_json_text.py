"""JSON with comments that is added to keeps them."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from covls.initial.json_text import parsed, with_entries, with_string
from covls.initial.text_file import CannotEditError

ADDED = {"covls.enable": True, "search.exclude": {"htmlcov": True}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "// only a comment\n",
        '{"a": {"b": "// no comment"}}',
        '{\n  // c\n  "a": 1, // b\n  "x": [1, 2,],\n  /* end\n */\n}\n',
        '{\n\t"a": "\\"}" // last\n}',
        '{"a": 1,}',
    ],
)
def test_entries_are_added(text: str) -> None:
    after = with_entries(text, ADDED)
    assert parsed(after) == {**parsed(text), **ADDED}
    for comment in ("// only a comment", "// c", "// b", "/* end", "// last"):
        assert text.count(comment) == after.count(comment)


@pytest.mark.parametrize("text", ["[1]", '{"a":', '{"a" 1}', '{"a": "\n"}', "{'a': 1}", '"', "1"])
def test_it_refuses_what_it_cannot_read(text: str) -> None:
    with pytest.raises(CannotEditError) as raised:
        with_entries(text, ADDED)
    assert json.loads("{" + raised.value.paste + "}") == ADDED


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"r": []}',
        '{"r": ["a"]}',
        '{\n  "r": [\n    "a", // x\n    "b",\n  ],\n}',
        '{"r": [ // none yet\n]}',
    ],
)
def test_a_string_is_added_to_a_list(text: str) -> None:
    after = with_string(text, "r", "new")
    assert sorted(parsed(after)["r"]) == sorted([*parsed(text).get("r", []), "new"])
    assert text.count("//") == after.count("//")


@pytest.mark.parametrize("text", ['{"r": 1}', '{"x": {"r": []}, "r": "s"}', "[]"])
def test_a_string_is_not_added_to_anything_else(text: str) -> None:
    with pytest.raises(CannotEditError):
        with_string(text, "r", "new")


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@settings(max_examples=30)
@given(st.dictionaries(st.text(max_size=5), _values), st.sampled_from([None, 2, "\t"]))
def test_any_object_keeps_what_it_holds(values: dict[str, Any], indent: int | str | None) -> None:
    text = json.dumps(values, indent=indent)
    assert parsed(with_entries(text, ADDED)) == {**values, **ADDED}
