"""YAML that is added to keeps every line."""

import pytest

from covls.initial.text_file import CannotEditError
from covls.initial.yaml_text import parsed, with_item, with_key

ITEM = "repo: local\nhooks:\n  - id: covls\n    # why\n    name: x\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("# c\n", id="comment"),
        pytest.param("ci: {}\n", id="no list"),
        pytest.param("repos:\n- repo: a\n  hooks:\n  - id: b # why\n\n# end\n", id="no indent"),
        pytest.param("repos:\n    -   repo: a\n        hooks:\n        -   id: b", id="wide"),
        pytest.param(
            "repos:\n  - repo: a\n    hooks:\n      - id: b\n        args: [--x,\n          y]\n"
            "        exclude: |\n          (?x)\n           a\n\n# about ci\nci:\n  skip: [x]\n",
            id="block text, and more behind it",
        ),
        pytest.param("repos:\n  - repo: a\n    rev: 'q\n      r'\n    hooks: []\n", id="quoted"),
        pytest.param("---\nrepos:\n  - &a {repo: x}\n  - repo: y\n", id="anchors"),
    ],
)
def test_an_item_is_added_to_a_list(text: str) -> None:
    after = with_item(text, "repos", ITEM)
    before = dict(parsed(text) or {})
    assert dict(parsed(after)) == {**before, "repos": [*before.get("repos", []), parsed(ITEM)]}
    kept = iter(after.splitlines())
    assert all(line in kept for line in text.splitlines()), "lines stay, in their order"
    assert "# why" in after


@pytest.mark.parametrize(
    "text",
    [
        "x: [",
        "- a\n",
        "repos: []\n",
        "repos: [{repo: a}]\n",
        "{repos: []}",
        "a: 1\na: 2\n",
        "repos:\n- &a {repo: x}\n- *a\n",
    ],
)
def test_it_refuses_and_says_what_to_paste(text: str) -> None:
    with pytest.raises(CannotEditError) as raised:
        with_item(text, "repos", ITEM)
    assert parsed(raised.value.paste) == {"repos": [parsed(ITEM)]}


def test_a_key_is_added_to_a_mapping() -> None:
    text = "stages: [build]  # s\njob: &j\n  script: !reference [a, b]\nb: *j"
    after = with_key(text, "coverage:\n  script: [x]\n")
    assert after.startswith(text + "\n")
    assert parsed(after)["coverage"] == {"script": ["x"]}


@pytest.mark.parametrize("text", ["- a\n", "x: [", "a: 1\n...\n", "a: |\n  x\n---\nb: 1\n"])
def test_a_key_is_not_added_to_anything_else(text: str) -> None:
    with pytest.raises(CannotEditError):
        with_key(text, "coverage:\n  script: [x]\n")
