"""TOML with more in it than before: what was there keeps its values and its comments."""

import copy
import json
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from covls.initial.text_file import CannotEditError

Value = bool | int | float | str | Sequence[str]


def with_toml(
    text: str, tables: Mapping[str, Mapping[str, Value]], notes: Mapping[str, str]
) -> str:
    """Return the text with keys added to tables, named by dotted path, made where they are not.

    A list is added to the end of the list that is there; any other key must not be there. `notes`
    are comments for keys that come into a new table, by "table.key". Raises CannotEditError where
    the text is no TOML, or cannot take the keys without losing something.
    """
    paste = "\n".join(_section(path, values, notes) for path, values in tables.items())
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CannotEditError(f"it is no valid TOML ({error})", paste) from error
    expected = copy.deepcopy(before)
    try:
        for path, values in tables.items():
            _merge(_table(expected, path), values)
    except TypeError as error:
        raise CannotEditError(str(error), paste) from error
    after = text
    for path, values in tables.items():
        there = _find(tomllib.loads(after), path)
        if there is None:
            after = after.rstrip("\n") + "\n\n" if after.strip() else ""
            after += _section(path, values, notes)
        elif values:
            after = _within(after, path, values)
        if not _is(after, None):
            break
    if not _is(after, expected):
        raise CannotEditError("it is laid out in a way that covls does not edit", paste)
    return after


def _within(text: str, path: str, values: Mapping[str, Value]) -> str:
    """The text with keys added to a table that is there."""
    import tomlkit
    import tomlkit.items

    document = tomlkit.parse(text)
    table: Any = document
    for name in path.split("."):
        table = table[name]
    # What stands behind the last key belongs to the next table: a comment over it, blank lines.
    behind: list[Any] = []
    body = table.value.body if isinstance(table, tomlkit.items.Table) else []
    while body and body[-1][0] is None:
        behind.append(body.pop())
    for name, value in values.items():
        if name in table:
            for item in _listed(value):
                table[name].append(item)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            table.add(name, tomlkit.parse(f"x = {_shown(value)}")["x"])
        else:
            table.add(name, value)
    body.extend(reversed(behind))
    return tomlkit.dumps(document)


def _section(path: str, values: Mapping[str, Value], notes: Mapping[str, str]) -> str:
    lines = [f"[{path}]"]
    for name, value in values.items():
        if note := notes.get(f"{path}.{name}"):
            lines += [f"# {line}" for line in note.splitlines()]
        lines.append(f"{name} = {_shown(value)}")
    return "\n".join(lines) + "\n"


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _string(value)
    if len(value) < 2:
        return "[" + ", ".join(_string(item) for item in value) + "]"
    return "[\n" + "".join(f"    {_string(item)},\n" for item in value) + "]"


def _string(value: str) -> str:
    # As it is where it can be: regexes read better.
    if "\\" in value and "'" not in value:
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False)


def _find(values: Mapping[str, Any], path: str) -> Mapping[str, Any] | None:
    """The table at a dotted path; None where there is none."""
    found: Any = values
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else None


def _table(values: dict[str, Any], path: str) -> dict[str, Any]:
    for name in path.split("."):
        values = values.setdefault(name, {})
        if not isinstance(values, dict):
            raise TypeError(f"{path} is no table in it")
    return values


def _merge(table: dict[str, Any], values: Mapping[str, Value]) -> None:
    for name, value in values.items():
        if name not in table:
            table[name] = list(value) if isinstance(value, list | tuple) else value
        elif isinstance(table[name], list):
            table[name] = [*table[name], *_listed(value)]
        else:
            raise TypeError(f"{name} is no list in it")


def _listed(value: Value) -> Sequence[str]:
    assert not isinstance(value, bool | int | float | str), "what is there already is kept"
    return value


def _is(text: str, expected: Mapping[str, Any] | None) -> bool:
    """Whether a text is TOML, and holds what is expected."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return expected is None or found == expected
