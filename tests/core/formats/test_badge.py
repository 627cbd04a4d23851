"""The badge: a picture that a parser reads, with the figure and its colour."""

from xml.etree import ElementTree

import pytest

from covls.core.formats.badge import badge


@pytest.mark.parametrize(
    ("percent", "precision", "words"),
    [
        (100.0, 0, "100%"),
        (99.96, 0, "99%"),
        (0.01, 0, "1%"),
        (54.951, 2, "54.95%"),
        (None, 0, "unknown"),
    ],
)
def test_the_figure(percent: float | None, precision: int, words: str) -> None:
    picture = ElementTree.fromstring(badge(percent, precision))
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    texts = [each.text for each in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["coverage", words]
    assert picture.attrib["aria-label"] == f"coverage: {words}"


def test_more_is_another_colour() -> None:
    colours = [badge(percent).count("#c0392b") for percent in (59.0, 60.0)]
    assert colours == [1, 0]
