"""The formats a command can write, one to show and others to files beside it."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from covls import __version__
from covls.cli.output import opened

if TYPE_CHECKING:
    from covls.core.findings import Finding

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def format_options(names: Sequence[str]) -> Callable[[Decorated], Decorated]:
    """Let `--format`, `--output` and `--write` stand behind a command."""

    def others(
        _context: click.Context, _parameter: click.Parameter, values: Sequence[str]
    ) -> tuple[tuple[str, Path], ...]:
        found = []
        for value in values:
            name, _, file = value.partition("=")
            if name not in names or not file:
                raise click.BadParameter(
                    f"{value!r} is no FORMAT=FILE; the formats are {', '.join(names)}."
                )
            found.append((name, Path(file)))
        return tuple(found)

    def decorate(command: Decorated) -> Decorated:
        for option in (
            click.option(
                "--write",
                "others",
                multiple=True,
                callback=others,
                metavar="FORMAT=FILE",
                help="Another format to write to a file beside it; can be given several times.",
            ),
            click.option(
                "-o",
                "--output",
                type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
                help="A file to write the result to.",
            ),
            click.option(
                "-f",
                "--format",
                "form",
                type=click.Choice(list(names)),
                default="text",
                help="How to write the result.",
            ),
        ):
            command = option(command)
        return command

    return decorate


def write(text: Callable[[str], Iterable[str]], to: Iterable[tuple[str, Path | None]]) -> None:
    """Write a result in one format after the other, each to a file; None is stdout.

    `text` gives the text of a format by its name, in pieces.
    """
    for name, file in to:
        with opened(file) as stream:
            stream.writelines(text(name))
            stream.flush()


def findings_text(name: str, found: "Iterable[Finding]") -> Iterable[str]:
    """The text of a format that takes findings, by its name."""
    match name:
        case "github":
            from covls.core.formats.github import annotations

            return lines(annotations(found))
        case "sarif":
            from covls.core.formats.sarif import sarif

            return [sarif(found, version=__version__)]
        case "gitlab":
            from covls.core.formats.code_quality import code_quality

            return [code_quality(found)]
    raise ValueError(name)


def lines(found: Iterable[str]) -> Iterable[str]:
    """Lines with their ends."""
    return (f"{line}\n" for line in found)
