"""What tests depend on beside the project's files, in a form that shows what is another."""

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from covls.adapters.configuration import CoverageConfiguration
from covls.adapters.interpreter import Interpreter

PACKAGES: Final = "the set of installed packages"
MEASURED: Final = "what coverage.py measures"
"""The folders and packages that `source` and the like come to, where they say so."""

_TELLING = (".dist-info", ".egg-info", ".egg-link", ".pth")
_NAMED: Final = 3
"""So many packages are called by their names."""


def environment_of_tests(
    interpreter: Interpreter | None,
    configuration: CoverageConfiguration,
    command: Sequence[str] = (),
) -> dict[str, str]:
    """The environment in which tests run: a value by what it is, both in words.

    `command` is how they are started. What a package holds is told by its version: one that is
    edited in place, without being installed anew, is not seen to change.
    """
    found = {f"coverage.py's `{name}`": _said(value) for name, value in _measuring(configuration)}
    found[MEASURED] = _said((*configuration.source_folders, *configuration.source_packages))
    found["the command that runs the tests"] = shlex.join(command)
    if interpreter is not None:
        found["the interpreter"] = str(interpreter.python)
        found["the version of Python"] = interpreter.version or ""
        found["the version of coverage.py"] = interpreter.coverage_version or ""
        found[PACKAGES] = "\n".join(_packages(interpreter.site_packages))
    return found


def changes_of_environment(was: Mapping[str, str], now: Mapping[str, str]) -> str | None:
    """What is another in an environment, in words; None where nothing is."""
    changed = [name for name in sorted({*was, *now}) if was.get(name) != now.get(name)]
    if len(changed) > 1 and MEASURED in changed:
        changed.remove(MEASURED)
    return "; ".join(_change(name, was.get(name), now.get(name)) for name in changed) or None


def _change(name: str, was: str | None, now: str | None) -> str:
    if was is None or now is None:
        # It was not looked at, as by another covls.
        return f"{name} changed"
    if name == PACKAGES:
        words = _packages_changed(was.splitlines(), now.splitlines())
        return f"{name} changed{words and ': '}{words}"
    return f"{name} changed from {was or 'nothing'} to {now or 'nothing'}"


def _packages_changed(was: Sequence[str], now: Sequence[str]) -> str:
    before, after = (dict(map(_name_and_version, each)) for each in (was, now))
    words = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old is None:
            words.append(f"{name} {new} was installed".replace("  ", " "))
        elif new is None:
            words.append(f"{name} {old} was taken out".replace("  ", " "))
        elif old != new:
            words.append(f"{name} {old} became {new}")
    more = len(words) - _NAMED
    return ", ".join(words[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _name_and_version(file: str) -> tuple[str, str]:
    """The package that a file or folder in `site-packages` tells of, and its version.

    >>> _name_and_version("click-8.1.dist-info")
    ('click', '8.1')
    """
    name, _, version = re.sub(r"\.(dist-info|egg-info|egg-link)$", "", file).partition("-")
    return name, version


def _measuring(
    configuration: CoverageConfiguration,
) -> Iterator[tuple[str, bool | str | Sequence[str] | None]]:
    """The settings that decide what is recorded, by their names; those of reports do not."""
    yield "branch", configuration.branch
    yield "relative_files", configuration.relative_files
    yield "source", configuration.source
    yield "include", configuration.run_include
    yield "omit", configuration.run_omit
    yield "plugins", configuration.plugins
    yield "concurrency", configuration.concurrency
    yield "dynamic_context", configuration.dynamic_context
    yield "include_namespace_packages", configuration.include_namespace_packages


def _said(value: bool | str | Sequence[object] | None) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value or "" if value is None or isinstance(value, str) else ", ".join(map(str, value))


def _packages(folders: Iterable[Path]) -> Iterator[str]:
    for folder in folders:
        try:
            names = os.listdir(folder)  # noqa: PTH208  # Names are all that is wanted of thousands.
        except OSError:
            continue
        yield from sorted(name for name in names if name.endswith(_TELLING))
