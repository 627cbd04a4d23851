"""INI files that are added to keep what they held, and their comments."""

import configparser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from covls.initial.ini_text import Value, with_ini
from covls.initial.text_file import CannotEditError

ADDED: dict[str, dict[str, Value]] = {
    "run": {"relative_files": True, "omit": ["x", "y"]},
    "html": {"title": "a title"},
}


def parsed(text: str) -> dict[str, dict[str, str | None]]:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser.sections()}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("# c\n", id="comment"),
        pytest.param("[run]\nbranch = False\n# c\nomit = a\n\n[report]\nx = 1\n", id="one line"),
        pytest.param("[run]\nomit =\n  a\n  # inner\n  b\n\n\n# next\n[other]\n", id="many lines"),
        pytest.param("[run]\n[a]\nx = 1", id="empty section, no newline"),
        pytest.param("[run]\nbranch: 1\nomit=a,b\n; c\n", id="colon and commas"),
        pytest.param("[a]\n\tx = 1\n\n\n\n[b]\ny\n", id="tabs, blank lines, no value"),
    ],
)
def test_what_was_there_is_there(text: str) -> None:
    after = with_ini(text, ADDED)
    before, found = parsed(text), parsed(after)
    for section, options in before.items():
        for option, value in options.items():
            assert (found[section][option] or "").split()[: len((value or "").split())] == (
                value or ""
            ).split()
    assert (found["run"]["omit"] or "").split()[-2:] == ["x", "y"]
    assert found["run"]["relative_files"] == "True"
    assert found["html"] == {"title": "a title"}
    for line in text.splitlines():
        if line.strip().startswith(("#", ";")):
            assert line.strip() in after


@pytest.mark.parametrize("text", ["no section\n", "[run\n"])
def test_it_refuses_what_it_cannot_read(text: str) -> None:
    with pytest.raises(CannotEditError) as raised:
        with_ini(text, ADDED)
    assert "title = a title" in raised.value.paste


_words = st.text("abcx yz.*/\\[]%#", min_size=1, max_size=8)


@settings(max_examples=30)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(["[run]", "[report]", "[a b]", "", "# c", "; d"]),
            st.builds("{} = {}".format, st.sampled_from(["omit", "branch", "k"]), _words),
            st.builds("    {}".format, _words),
        ),
        max_size=12,
    )
)
def test_any_file_keeps_its_lines(lines: list[str]) -> None:
    text = "\n".join(["[first]", "k = 1", *lines, ""])
    try:
        before = parsed(text)
        after = with_ini(text, {"html": ADDED["html"], "run": {"relative_files": True}})
    except (configparser.Error, CannotEditError, AttributeError):
        return
    found = parsed(after)
    for section, options in before.items():
        if not {"title", "relative_files"} & set(options):
            assert options.items() <= found[section].items()
    comments = [line for line in text.splitlines() if line.startswith(("#", ";"))]
    assert [line for line in after.splitlines() if line.startswith(("#", ";"))] == comments
