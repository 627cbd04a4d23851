"""YAML with more in it than before: nothing that was there is written anew."""

from io import StringIO
from textwrap import indent
from typing import Any

from covls.initial.text_file import CannotEditError


def parsed(text: str) -> Any:
    """What a YAML text holds, tags that only its reader knows left out. Raises CannotEditError."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="rt", pure=True).load(StringIO(text))
    except (YAMLError, ValueError) as error:
        words = " ".join(str(error).split())
        raise CannotEditError(f"it is no valid YAML ({words[:200]})") from error


def with_item(text: str, key: str, item: str) -> str:
    """Return the text with an item at the end of the list at a key of its outermost mapping.

    `item` is YAML of one mapping, not indented. Raises CannotEditError where the text cannot be
    read, or has the list in another style than a line for each item.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

    paste = f"{key}:\n{_as_item(item, 2)}"
    try:
        before = parsed(text)
    except CannotEditError as error:
        raise CannotEditError(str(error), paste) from error
    if before is None:
        return (text.rstrip("\n") + "\n\n" if text.strip() else "") + paste
    odd = CannotEditError("it is laid out in a way that covls does not edit", paste)
    node = YAML(typ="rt", pure=True).compose(StringIO(text))
    if not isinstance(node, MappingNode) or node.flow_style:
        raise odd
    pairs = {name.value: value for name, value in node.value if isinstance(name, ScalarNode)}
    items = pairs.get(key)
    if items is None:
        after = f"{text.rstrip()}\n{paste}"
    elif isinstance(items, SequenceNode) and not items.flow_style and items.value:
        # The column of a list's items is that of their dashes.
        last = _last_line(items.value[-1])
        lines = text.split("\n")
        if last >= len(lines):
            raise odd
        new = _as_item(item, items.start_mark.column).rstrip("\n").split("\n")
        after = "\n".join([*lines[: last + 1], *new, *lines[last + 1 :]])
    else:
        raise odd
    try:
        expected = [*(before.get(key) or ()), parsed(item)]
        found = parsed(after)
    except CannotEditError as error:
        raise odd from error
    if {**before, key: expected} != dict(found):
        raise odd
    return after


def with_key(text: str, addition: str) -> str:
    """Return the text of a mapping with more keys behind it: YAML, not indented.

    Raises CannotEditError where the text cannot be read, or is no mapping that can go on so.
    """
    try:
        before = parsed(text)
        after = (text.rstrip("\n") + "\n\n" if text.strip() else "") + addition
        found = parsed(after)
        if dict(found) == {**(before or {}), **parsed(addition)}:
            return after
    except (CannotEditError, TypeError, ValueError) as error:
        raise CannotEditError(str(error), addition) from error
    raise CannotEditError("it is laid out in a way that covls does not edit", addition)


def _as_item(item: str, column: int) -> str:
    inner = indent(item, "  ").strip()
    return indent(f"- {inner}\n", " " * column)


def _last_line(node: Any) -> int:
    """The last line with anything of a node on it; its end mark may be behind what follows."""
    if node.value and not isinstance(node.value, str) and not node.flow_style:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(last, tuple) else last)
    end = node.end_mark
    block = isinstance(node.value, str) and node.style in ("|", ">")
    line: int = end.line
    return line - 1 if (block or end.column == 0) and line > node.start_mark.line else line
