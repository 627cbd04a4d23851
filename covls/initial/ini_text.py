"""INI files with more in them than before: what was there stays, letter by letter."""

import configparser
from collections.abc import Mapping, Sequence

from covls.initial.text_file import CannotEditError

Value = bool | int | str | Sequence[str]


def with_ini(text: str, sections: Mapping[str, Mapping[str, Value]]) -> str:
    """Return the text with options added to sections, which are made where they are not there.

    A list is added to the lines of the option that is there; any other option must not be there.
    Raises CannotEditError where the text cannot be read, or cannot take them.
    """
    paste = "\n".join(_section(name, values) for name, values in sections.items())
    before = _parsed(text, paste)
    after = text
    for name, values in sections.items():
        if before.has_section(name):
            after = _within(after, name, values, paste)
        else:
            after = after.rstrip("\n") + "\n\n" if after.strip() else ""
            after += _section(name, values)
    expected = _items(before)
    for name, values in sections.items():
        section = expected.setdefault(name, {})
        for option, value in values.items():
            section[option] = [*section.get(option, []), *_lines(value)]
    if _items(_parsed(after, paste)) != expected:
        raise CannotEditError("it is laid out in a way that covls does not edit", paste)
    return after


def _within(text: str, name: str, values: Mapping[str, Value], paste: str) -> str:
    from configupdater import ConfigUpdater

    updater = ConfigUpdater(strict=False, allow_no_value=True)
    try:
        updater.read_string(text)
    except configparser.Error as error:
        raise CannotEditError(f"it cannot be read ({error})", paste) from error
    section = updater[name]
    for option, value in values.items():
        lines = _lines(value)
        if option in section:
            kept = section[option]
            own = [line for line in (kept.value or "").split("\n") if line.strip()]
            kept.set_values([*(line.strip() for line in own), *lines])
        elif options := section.options():
            place = section[options[-1]].add_after
            if len(lines) == 1 and not isinstance(value, list | tuple):
                place.option(option, lines[0])
            else:
                place.option(option)
                section[option].set_values(lines)
        else:
            section.set(option, lines[0] if len(lines) == 1 else None)
            if len(lines) > 1:
                section[option].set_values(lines)
    return str(updater)


def _section(name: str, values: Mapping[str, Value]) -> str:
    lines = [f"[{name}]"]
    for option, value in values.items():
        if isinstance(value, list | tuple):
            lines += [f"{option} =", *(f"    {item}" for item in value)]
        else:
            lines.append(f"{option} = {_lines(value)[0]}")
    return "\n".join(lines) + "\n"


def _lines(value: Value) -> list[str]:
    if isinstance(value, list | tuple):
        return list(value)
    return [str(value)]


def _parsed(text: str, paste: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        words = str(error).splitlines()[0]
        raise CannotEditError(f"it cannot be read ({words})", paste) from error
    return parser


def _items(parser: configparser.RawConfigParser) -> dict[str, dict[str, list[str]]]:
    """What a file says, each value by its lines."""
    return {
        name: {
            option: [line.strip() for line in (value or "").splitlines() if line.strip()]
            for option, value in parser.items(name)
        }
        for name in parser.sections()
    }
