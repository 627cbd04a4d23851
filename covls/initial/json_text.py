"""JSON with comments, as VS Code's settings are kept, with more in it than before."""

import json
import re
from collections.abc import Mapping
from typing import Any

from covls.initial.text_file import CannotEditError

_TOKEN = re.compile(
    r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/|[{}\[\],:]|[^\s{}\[\],:"/]+|\s+', re.DOTALL
)


def parsed(text: str) -> Any:
    """What a text holds, comments and commas behind the last entry left out.

    Raises CannotEditError.
    """
    kept: list[str] = []
    for piece in filter(_is_real, _tokens(text)):
        if piece in ("]", "}") and kept[-1:] == [","]:
            kept.pop()
        kept.append(piece)
    if not kept:
        return {}
    try:
        return json.loads(" ".join(kept))
    except ValueError as error:
        raise CannotEditError(f"it is no valid JSON ({error})") from error


def with_entries(text: str, entries: Mapping[str, Any]) -> str:
    """Return the text with entries behind the last one of its object. They must not be there.

    Raises CannotEditError where the text is no object, or cannot be read.
    """
    paste = _shown(entries, "    ")
    try:
        before = parsed(text)
    except CannotEditError as error:
        raise CannotEditError(str(error), paste) from error
    if not isinstance(before, dict):
        raise CannotEditError("it holds no object", paste)
    if not text.strip():
        return "{\n" + paste + "\n}\n"
    tokens = _tokens(text)
    real = [i for i, token in enumerate(tokens) if _is_real(token)]
    if not real:
        return text.rstrip("\n") + "\n{\n" + paste + "\n}\n"
    close = real[-1]
    last = real[-2]
    width = re.search(r"\n([ \t]+)\"", text)
    shown = _shown(entries, width[1] if width else "    ")
    behind = "".join(tokens[last + 1 : close])
    tail = "".join(tokens[close:])
    comma = "" if tokens[last] in "{," else ","
    # A comment behind the last entry stays with it.
    behind = behind.rstrip(" \t").rstrip("\n")
    after = f"{''.join(tokens[: last + 1])}{comma}{behind}\n{shown}\n{tail}"
    if parsed(after) != {**before, **entries}:
        raise CannotEditError("it is laid out in a way that covls does not edit", paste)
    return after


def with_string(text: str, key: str, value: str) -> str:
    """Return the text with a string at the end of the list at a key, which is made if need be."""
    before = parsed(text)
    there = before.get(key) if isinstance(before, dict) else None
    if there is None:
        return with_entries(text, {key: [value]})
    paste = f'"{key}": [{json.dumps(value)}]'
    odd = CannotEditError("it is laid out in a way that covls does not edit", paste)
    if not isinstance(there, list):
        raise odd
    found = re.search(rf'("{re.escape(key)}"\s*:\s*\[)(\s*)', text)
    if found is None:
        raise odd
    # In front of the first: what is behind the last may be a comma, a comment or both.
    more = ", " if there and "\n" not in found[2] else "," if there else ""
    new = f"{found[1]}{found[2]}{json.dumps(value)}{more}"
    after = text[: found.start()] + new + (found[2] if there and "\n" in found[2] else "")
    after += text[found.end() :]
    if parsed(after) != {**before, key: [value, *there]}:
        raise odd
    return after


def _tokens(text: str) -> list[str]:
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != text:
        raise CannotEditError("it is no valid JSON")
    return tokens


def _is_real(token: str) -> bool:
    return not token.isspace() and not token.startswith(("//", "/*"))


def _shown(entries: Mapping[str, Any], width: str) -> str:
    whole = json.dumps(entries, indent=width, ensure_ascii=False)
    return whole.removeprefix("{\n").removesuffix("\n}")
