"""A figure as a badge: a small SVG picture of its own, with no font and no service behind it."""

from typing import Final

from covls.core.coverage import percent_text

_COLOURS: Final = (
    (95, "#3d8b2f"),
    (90, "#5a8f1e"),
    (75, "#8f8a00"),
    (60, "#b36b00"),
    (0, "#c0392b"),
)
"""From which percentage on each holds; white words are read on all of them."""

_LABEL: Final = "coverage"
_LETTER: Final = 6.5
"""How wide a letter of 11 pixels is, at most on average."""


def badge(percent: float | None, precision: int = 0) -> str:
    """The picture; None is written as unknown."""
    if percent is None:
        figure, colour = "unknown", "#6e6e6e"
    else:
        figure = f"{percent_text(percent, precision)}%"
        colour = next(colour for least, colour in _COLOURS if percent >= least)
    left, right = (round(len(text) * _LETTER + 12) for text in (_LABEL, figure))
    whole = left + right
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" role="img" '
        f'aria-label="{_LABEL}: {figure}">\n'
        f"  <title>{_LABEL}: {figure}</title>\n"
        f'  <clipPath id="r"><rect width="{whole}" height="20" rx="3"/></clipPath>\n'
        '  <g clip-path="url(#r)">\n'
        f'    <rect width="{left}" height="20" fill="#444"/>\n'
        f'    <rect x="{left}" width="{right}" height="20" fill="{colour}"/>\n'
        "  </g>\n"
        '  <g fill="#fff" text-anchor="middle" '
        'font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">\n'
        f'    <text x="{left / 2:g}" y="14">{_LABEL}</text>\n'
        f'    <text x="{left + right / 2:g}" y="14">{figure}</text>\n'
        "  </g>\n"
        "</svg>\n"
    )
