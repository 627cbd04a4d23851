"""The comment on a pull request is found again, and fits."""

import pytest

from covls.core.comment import LIMIT, MARKER, compose, fit, is_ours, marked


def details(name: str, size: int) -> str:
    return f"<details><summary>{name}</summary>\n\n```diff\n{'- x' * size}\n```\n\n</details>\n"


def test_it_is_known_again() -> None:
    body = compose(["| Gate |", "", "patch"], "0123456789abcdef")
    assert body == f"{MARKER}\n## Coverage of 0123456789\n\n| Gate |\n\npatch\n"
    assert is_ours(body)
    assert marked(body) == body
    assert not is_ours("> " + body)
    assert is_ours(marked("from a fork"))


def test_the_code_of_the_last_files_goes_first() -> None:
    text = f"{MARKER}\nfigures\n" + "".join(details(str(i), 9_000) for i in range(5)) + "end\n"
    fitted = fit(text)
    assert len(fitted) <= LIMIT
    assert "<summary>1</summary>" in fitted
    assert "<summary>2</summary>" not in fitted
    assert fitted.endswith(
        "end\n\n_The code of 3 files is left out: a comment holds 65,536 characters._\n"
    )
    assert fit(fitted) == fitted


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{MARKER}\n" + "a line\n" * 20_000, id="lines"),
        pytest.param(f"{MARKER}\n" + "x" * 100_000, id="one line"),
        pytest.param(f"{MARKER}\n" + "\U0001f600\n" * 30_000, id="letters that count twice"),
        pytest.param(f"{MARKER}\n" + details("a", 30_000) + "b\n" * 50_000, id="both"),
    ],
)
def test_it_always_fits(text: str) -> None:
    fitted = fit(text)
    assert is_ours(fitted)
    assert len(fitted.encode("utf-16-le")) // 2 <= LIMIT
    assert "left out" in fitted


def test_what_fits_is_as_it_was() -> None:
    text = f"{MARKER}\n" + "x" * 60_000
    assert fit(text) == text
