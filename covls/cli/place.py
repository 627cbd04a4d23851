"""A place in a file, as it is typed: `shop.py:12`."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from covls.cli.project_data import absolute

_LINE: Final = re.compile(r"(.+?):(\d+)(?::\d+)?")


@dataclass(frozen=True, slots=True)
class Place:
    """A file, and a line in it from 1; None where none was said."""

    path: Path
    line: int | None


def place(_context: click.Context, _parameter: click.Parameter, text: str | None) -> Place | None:
    """FILE or FILE:LINE as a place; a column behind it, as compilers print it, is let pass.

    A callback of click's. A file whose own name ends like a line is taken for the file.
    """
    if text is None:
        return None
    if not Path(text).is_file() and (match := _LINE.fullmatch(text)) is not None:
        found = Place(absolute(Path(match[1])), int(match[2]))
    else:
        found = Place(absolute(Path(text)), None)
    if not found.path.is_file():
        raise click.BadParameter(f"{found.path} is not a file")
    if found.line == 0:
        raise click.BadParameter("lines count from 1")
    return found


def place_with_line(context: click.Context, parameter: click.Parameter, text: str) -> Place:
    """As `place`, and the line must be there. A callback of click's."""
    found = place(context, parameter, text)
    if found is None or found.line is None:
        raise click.BadParameter(f"{text!r} names no line; write {text}:12, for one")
    return found
