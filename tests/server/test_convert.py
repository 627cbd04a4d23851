"""Positions in every encoding, and paths and URIs in every spelling."""

from pathlib import Path

import pytest

from covls.core.coverage import Totals
from covls.server.convert import Encoding, lines_range, path_of, summary_of, units, uri_of


@pytest.mark.parametrize(
    ("text", "utf8", "utf16", "utf32"),
    [
        ("", 0, 0, 0),
        ("abc", 3, 3, 3),
        ("äöü", 6, 3, 3),
        ("x = '😋'", 10, 8, 7),
        ("\ud83d", 3, 1, 1),  # half a surrogate pair, as JSON can carry it
    ],
)
def test_units(text: str, utf8: int, utf16: int, utf32: int) -> None:
    assert units(text, Encoding.UTF8) == utf8
    assert units(text, Encoding.UTF16) == utf16
    assert units(text, Encoding.UTF32) == utf32


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["a"], (0, 0, 0, 1)),
        (["    a = 1   "], (0, 4, 0, 9)),
        (["\tif a:", "\t\tb  "], (0, 1, 1, 3)),
        (["\f  a", "b"], (0, 3, 1, 1)),
        (["", "b"], (0, 0, 1, 1)),
        (["   "], (0, 0, 0, 0)),
    ],
)
def test_ranges_are_without_the_white_space_around(
    lines: list[str], expected: tuple[int, int, int, int]
) -> None:
    found = lines_range(lines, 1, len(lines), Encoding.UTF16)
    assert (
        found.start.line,
        found.start.character,
        found.end.line,
        found.end.character,
    ) == expected


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///a/b.py", "/a/b.py"),
        ("file://localhost/a.py", "/a.py"),
        ("FILE:///a.py", "/a.py"),
        ("file:///a%20b/%C3%BC.py", "/a b/ü.py"),
        ("file:///a%20b/%c3%bc.py", "/a b/ü.py"),
        ("file:///a;b/c%23d%3fe.py", "/a;b/c#d?e.py"),
        ("file:///a/../b.py", "/b.py"),
        ("file:///a/%2525.py", "/a/%25.py"),
        ("file:///a/%FF.py", "/a/\udcff.py"),
        ("file://machine/a.py", None),
        ("file:a.py", None),
        ("file:///a%00.py", None),
        ("untitled:Untitled-1", None),
        ("untitled:/a.py", None),
        ("vscode-notebook-cell:/a.py", None),
        ("http://[broken", None),
        ("/a.py", None),
        ("", None),
    ],
)
def test_paths_of_uris(uri: str, path: str | None) -> None:
    assert path_of(uri) == (None if path is None else Path(path))


@pytest.mark.parametrize("path", ["/a/b.py", "/a b/ü #?%25;&.py", "/a/\udcff.py"])
def test_a_path_survives_its_uri(path: str) -> None:
    uri = uri_of(path)
    assert uri.isascii()
    assert path_of(uri) == Path(path)


def test_figures_are_rounded_as_coverage_does() -> None:
    found = summary_of(Totals(n_files=1, n_statements=1000, n_missing=1), 0)
    assert (found.percent, found.percent_text) == (99.9, "99")
