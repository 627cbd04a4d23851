"""TOML that is added to keeps what it held, and its comments."""

import copy
import tomllib
from typing import Any

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from covls.initial.text_file import CannotEditError
from covls.initial.toml_text import with_toml

ADDED: dict[str, dict[str, Any]] = {
    "tool.coverage.run": {"relative_files": True, "omit": ["*/migrations/*", r"\d"]},
    "tool.coverage.html": {"title": "a title"},
}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("# only a comment", id="comment, no newline"),
        pytest.param(
            "[tool.coverage.run]\nbranch = true # why\n\n# next\n[a]\nb = 1\n", id="table"
        ),
        pytest.param('[tool.coverage.run]\nomit = [\n  "a", # x\n  "b"\n]\n', id="long list"),
        pytest.param('[tool.coverage.run]\nomit = ["a"]\n', id="short list"),
        pytest.param("[tool.coverage]\nrun.branch = true # d\n\n[x]\n", id="dotted keys"),
        pytest.param("tool.coverage.run.branch = true # d\n[b]\n", id="dotted at the top"),
        pytest.param("[tool.coverage.report]\nprecision = 2 # p\n", id="a sister table"),
        pytest.param('a = """\n[tool.coverage.run]\n"""\n', id="what looks like a table"),
        pytest.param("[tool.coverage.run]\n\tbranch = true\t# tabs\n", id="tabs"),
    ],
)
def test_what_was_there_is_there(text: str) -> None:
    after = with_toml(text, ADDED, {})
    expected = tomllib.loads(text)
    run = expected.setdefault("tool", {}).setdefault("coverage", {}).setdefault("run", {})
    run["omit"] = [*run.get("omit", []), *ADDED["tool.coverage.run"]["omit"]]
    run["relative_files"] = True
    expected["tool"]["coverage"]["html"] = {"title": "a title"}
    assert tomllib.loads(after) == expected
    for line in text.splitlines():
        if "#" in line:
            assert line[line.index("#") :] in after


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[tool", "no valid TOML"),
        ("tool = 1\n", "no table"),
        ("[tool.coverage]\nrun = 3\n", "no table"),
        ("[tool.coverage.run]\nomit = 3\n", "no list"),
        ("tool = {coverage = {report = {}}}\n", "does not edit"),
    ],
)
def test_it_refuses_and_says_what_to_paste(text: str, why: str) -> None:
    with pytest.raises(CannotEditError, match=why) as raised:
        with_toml(text, ADDED, {})
    assert tomllib.loads(raised.value.paste) == {"tool": {"coverage": {
        name.rpartition(".")[2]: values for name, values in ADDED.items()
    }}}  # fmt: skip


def test_a_comment_over_the_next_table_stays_over_it() -> None:
    text = "[tool.coverage.run]\nbranch = true\n\n# about b\n[b]\n"
    after = with_toml(text, {"tool.coverage.run": {"relative_files": True}}, {})
    assert after == "[tool.coverage.run]\nbranch = true\nrelative_files = true\n\n# about b\n[b]\n"


_names = st.sampled_from(["tool", "coverage", "run", "html", "omit", "branch", "x", "y-z", "ä b"])
_values = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.text(max_size=5) | st.lists(st.text(max_size=3)),
    lambda inner: st.dictionaries(_names, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=30)
@given(st.dictionaries(_names, _values, max_size=5), st.booleans())
def test_any_document_keeps_what_it_holds(values: dict[str, Any], commented: bool) -> None:
    text = tomlkit.dumps(values)
    if commented:
        text = "# first\n" + text.replace("]\n", "] # of a table\n")
        try:
            tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            return
    try:
        after = with_toml(text, ADDED, {})
    except CannotEditError:
        return
    found = tomllib.loads(after)

    def holds(now: Any, before: Any) -> bool:
        if isinstance(before, dict):
            return all(key in now and holds(now[key], value) for key, value in before.items())
        if isinstance(before, list) and isinstance(now, list):
            return now[: len(before)] == before
        return bool(now == before)

    assert holds(found, tomllib.loads(text))
    assert text.count("# of a table") == after.count("# of a table")
    assert holds(found["tool"]["coverage"]["html"], copy.deepcopy(ADDED["tool.coverage.html"]))
