"""One number in covls's settings, put in the place of another; all else stays as it stands."""

import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class CannotEditError(Exception):
    """The settings are laid out in a way that is not edited here: the message says what to do."""


def set_number(file: Path, table: str, key: str, value: float) -> None:
    """Set a key of a table, by its dotted path, in a TOML file; both are made where they are not.

    The file is replaced whole, or left as it was. Raises CannotEditError or OSError.
    """
    # Not as text, which would make one kind of line end of all.
    before = file.read_bytes().decode("utf-8") if file.exists() else ""
    after = with_number(before, table, key, value)
    if after is None:
        raise CannotEditError(f"{file} cannot be edited here: set `{key} = {value:g}` in [{table}]")
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o644
    target = file.resolve()
    with tempfile.NamedTemporaryFile(
        "w",
        encoding="utf-8",
        newline="",
        dir=target.parent,
        prefix=f".{target.name}.",
        delete=False,
    ) as stream:
        unfinished = Path(stream.name)
        stream.write(after)
    try:
        unfinished.chmod(mode)
        os.replace(unfinished, target)  # noqa: PTH105  # as it is named everywhere
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def with_number(text: str, table: str, key: str, value: float) -> str | None:
    """A TOML text with a key of a table set; None where that would change anything else."""
    try:
        expected = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
    inner: Any = expected
    for name in table.split("."):
        inner = inner.setdefault(name, {})
        if not isinstance(inner, dict):
            return None
    inner[key] = value
    for after in _candidates(text, table, key, f"{value:g}"):
        try:
            found: Mapping[str, Any] = tomllib.loads(after)
        except tomllib.TOMLDecodeError:
            continue
        if found == expected:
            return after
    return None


def _candidates(text: str, table: str, key: str, value: str) -> list[str]:
    """The text edited in each way that may be right: the key's value, a new key, a new table."""
    end = "\r\n" if "\r\n" in text else "\n"
    dotted = r"\s*\.\s*".join(map(re.escape, table.split(".")))
    header = re.compile(rf"^[ \t]*\[\s*{dotted}\s*\][ \t]*(?:#[^\r\n]*)?(?:\r?\n|$)", re.MULTILINE)
    found = header.search(text)
    if found is None:
        gap = "" if not text.strip() else end if text.endswith("\n") else end * 2
        return [f"{text}{gap}[{table}]{end}{key} = {value}{end}"]
    start = found.end()
    following = re.compile(r"^[ \t]*\[", re.MULTILINE).search(text, start)
    stop = following.start() if following else len(text)
    body = text[start:stop]
    line = re.compile(rf"^([ \t]*{re.escape(key)}[ \t]*=[ \t]*)[-+0-9._eE]+", re.MULTILINE)
    edited = line.sub(rf"\g<1>{value}", body, count=1)
    head = text[:start] if text[:start].endswith("\n") else text[:start] + end
    return [
        text[:start] + edited + text[stop:],
        f"{head}{key} = {value}{end}{text[start:]}",
    ]
