"""The protocol as the VS Code extension sees it: TypeScript made from the server's messages."""

import re
import types as python_types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs
from lsprotocol import types

from covls.core.settings import all_settings
from covls.server import messages

HEADER = """\
// The shapes of covls's own messages, and the names of its settings.
// Made by `make generate` from covls/server/messages.py and covls/core/settings.py.

import type { Location, Range, TextDocumentIdentifier } from 'vscode-languageclient';
"""

_METHODS = (
    "FILE_COVERAGE",
    "PROJECT_COVERAGE",
    "PRIORITIES",
    "TESTS_AT",
    "STATEMENTS",
    "PROJECT_TESTS",
    "DID_CHANGE_COVERAGE",
    "STATUS",
    "TEST_RUN",
)
_PROTOCOL = (types.TextDocumentIdentifier, types.Range, types.Location)
_PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", Any: "unknown"}


def typescript() -> str:
    """The text of the extension's protocol.ts."""
    parts = [HEADER]
    parts += [f"export const {name} = '{getattr(messages, name)}';\n" for name in _METHODS]
    parts += [_interface(shape) for shape in shapes()]
    names = "".join(f"  '{camel(name)}',\n" for name in server_settings())
    parts.append(
        "/** What covls itself can be set to; all else under `covls` is the extension's. */\n"
        f"export const SERVER_SETTINGS = [\n{names}] as const;\n"
    )
    return "\n".join(parts)


def server_settings() -> list[str]:
    """The settings that an editor's user can set, by their dotted paths."""
    return [setting.path for setting in all_settings() if not setting.about.client_only]


def camel(path: str) -> str:
    """A setting's name, or a field's, as the protocol writes it."""
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), path)


def shapes() -> Iterator[type[Any]]:
    """The messages' parts in the order they stand in, without the envelopes of requests."""
    for value in vars(messages).values():
        ours = isinstance(value, type) and value.__module__ == messages.__name__
        if ours and attrs.has(value) and not value.__name__.endswith("Request"):
            yield value


def _interface(shape: type[Any]) -> str:
    hints = get_type_hints(shape)
    lines = [f"/** {shape.__doc__} */\n", f"export interface {shape.__name__} {{\n"]
    for field in attrs.fields(shape):
        optional = "" if field.default is attrs.NOTHING else "?"
        lines.append(f"  {camel(field.name)}{optional}: {_type(hints[field.name])};\n")
    return "".join([*lines, "}\n"])


def _type(hint: Any) -> str:
    """A type in TypeScript's words. Raises KeyError for one that no message had before."""
    arguments = get_args(hint)
    if get_origin(hint) is list:
        inner = _type(arguments[0])
        return f"({inner})[]" if " " in inner else f"{inner}[]"
    if get_origin(hint) in (Union, python_types.UnionType):
        return " | ".join(dict.fromkeys(_type(argument) for argument in arguments))
    if hint is python_types.NoneType:
        return "null"
    if hint in _PROTOCOL or attrs.has(hint):
        return str(hint.__name__)
    return _PLAIN[hint]
