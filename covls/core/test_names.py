"""The names of tests, from the contexts that coverage data was recorded with."""

import re
from collections.abc import Iterable, Sequence

_PHASE = re.compile(r"\|(setup|run|teardown)$")
_PARAMETERS = re.compile(r"\[.*$", re.DOTALL)

Place = tuple[str, tuple[str, ...]]
"""A file, relative to the root and with slashes, and the names to follow in it, outermost first."""


def named_in(contexts: Iterable[str]) -> tuple[str, ...]:
    """The tests that contexts name, in their order, each once.

    pytest-cov records a test's setup, run and teardown apart, as `id|run`. The empty context,
    that of code outside of tests, names none.
    """
    return tuple(dict.fromkeys(_PHASE.sub("", context) for context in contexts if context))


def without_parameters(test: str) -> str:
    """A test's name without the case it was run with.

    >>> without_parameters("tests/test_a.py::TestB::test_c[1-2]")
    'tests/test_a.py::TestB::test_c'
    """
    return _PARAMETERS.sub("", test)


def ran_by(context: str) -> tuple[str, str]:
    """The test and the phase that a context names; two empty names for code outside of tests.

    >>> ran_by("tests/test_a.py::test_b|run")
    ('tests/test_a.py::test_b', 'call')
    """
    phase = _PHASE.search(context)
    if phase is None:
        return (context, "call") if context else ("", "")
    return context[: phase.start()], "call" if phase[1] == "run" else phase[1]


def places_of(test: str) -> tuple[Place, ...]:
    """Where a test may be written, by pytest's node id or by the dotted name of `test_function`.

    Where a dotted name's module ends and its classes begin cannot be seen: the longest module
    comes first.

    >>> places_of("tests/test_a.py::TestB::test_c[1-2]")
    (('tests/test_a.py', ('TestB', 'test_c')),)
    >>> places_of("test_a.TestB.test_c")
    (('test_a/TestB.py', ('test_c',)), ('test_a.py', ('TestB', 'test_c')))
    """
    name = without_parameters(test)
    if "::" in name:
        file, *steps = name.split("::")
        return ((file, tuple(steps)),) if file and all(steps) else ()
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        return ()
    splits = range(len(parts) - 1, 0, -1)
    return tuple(("/".join(parts[:split]) + ".py", tuple(parts[split:])) for split in splits)


def find_definition(lines: Sequence[str], steps: Sequence[str]) -> int | None:
    """The line, 1-based, of the function or class that `steps` lead to, outermost first.

    It goes by indentation, and finds nothing that is not written out in the text.
    """
    start, indent = 0, -1
    for step in steps:
        pattern = re.compile(rf"([ \t]*)(?:async[ \t]+def|def|class)[ \t]+{re.escape(step)}\b")
        for index in range(start, len(lines)):
            line = lines[index]
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            width = len(line) - len(line.lstrip())
            if width <= indent:
                return None
            if pattern.match(line):
                start, indent = index + 1, width
                break
        else:
            return None
    return start or None
