"""The protocol as the Neovim plugin sees it: LuaCATS types made from the server's messages."""

import types as python_types
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs
from lsprotocol import types

from scripts.vscode_protocol import camel, shapes

HEADER = """\
--- The shapes of covls's own messages, for those who read the code and for lua-language-server.
--- Made by `make generate` from covls/server/messages.py.
---@meta
"""

_PROTOCOL = {types.TextDocumentIdentifier, types.Range, types.Location}
_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", Any: "any"}


def lua() -> str:
    """The text of the plugin's types.lua."""
    return "\n".join([HEADER, *map(_class, shapes())])


def _class(shape: type[Any]) -> str:
    hints = get_type_hints(shape)
    lines = [f"--- {shape.__doc__}\n", f"---@class covls.{shape.__name__}\n"]
    for field in attrs.fields(shape):
        words = _type(hints[field.name])
        optional = "?" if field.default is not attrs.NOTHING or words.endswith("?") else ""
        lines.append(f"---@field {camel(field.name)}{optional} {words.removesuffix('?')}\n")
    return "".join(lines)


def _type(hint: Any) -> str:
    """A type in LuaCATS's words, with a `?` for null: Neovim leaves such a field out."""
    arguments = get_args(hint)
    if get_origin(hint) is list:
        return f"{_type(arguments[0])}[]"
    if get_origin(hint) in (Union, python_types.UnionType):
        words = [_type(each) for each in arguments if each is not python_types.NoneType]
        return "|".join(dict.fromkeys(words)) + ("?" if len(words) < len(arguments) else "")
    if hint in _PROTOCOL:
        return f"lsp.{hint.__name__}"
    return f"covls.{hint.__name__}" if attrs.has(hint) else _PLAIN[hint]
