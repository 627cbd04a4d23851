"""What tests depend on beside the project's files, in a form that shows when it is another."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from covls.adapters.configuration import CoverageConfiguration
from covls.adapters.interpreter import Interpreter

_TELLING = (".dist-info", ".egg-info", ".egg-link", ".pth")


def environment_of_tests(
    interpreter: Interpreter | None,
    configuration: CoverageConfiguration,
    command: Sequence[str] = (),
) -> dict[str, str]:
    """The environment in which tests run: a value by what it is, in words.

    `command` is how they are started. What a package holds is told by its version: one that is
    edited in place, without being installed anew, is not seen to change.
    """
    found = {
        "the way coverage is measured": _digest(_measuring(configuration)),
        "the command that runs the tests": _digest(command),
    }
    if interpreter is not None:
        found["the interpreter"] = str(interpreter.python)
        found["the version of Python"] = interpreter.version or ""
        found["the version of coverage.py"] = interpreter.coverage_version or ""
        found["the set of installed packages"] = _digest(_packages(interpreter.site_packages))
    return found


def _measuring(configuration: CoverageConfiguration) -> Iterable[str]:
    """The settings that decide what is recorded; those of reports do not."""
    yield repr(
        (
            configuration.branch,
            configuration.relative_files,
            configuration.source,
            configuration.source_folders,
            configuration.source_packages,
            configuration.run_include,
            configuration.run_omit,
            configuration.plugins,
            configuration.concurrency,
            configuration.dynamic_context,
            configuration.include_namespace_packages,
        )
    )


def _packages(folders: Iterable[Path]) -> Iterable[str]:
    for folder in folders:
        try:
            names = os.listdir(folder)  # noqa: PTH208  # Names are all that is wanted of thousands.
        except OSError:
            continue
        yield from sorted(name for name in names if name.endswith(_TELLING))


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
