"""The names of tests, from the contexts that coverage data was recorded with."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_PHASE = re.compile(r"\|(setup|run|teardown)$")
_PARAMETERS = re.compile(r"\[.*$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TestName:
    """A test as it is written: candidates for its file, the nearest first, and what to find there.

    `files` are relative to a root, with slashes. `steps` are the names of classes and the function.
    """

    files: tuple[str, ...]
    steps: tuple[str, ...]

    __test__ = False


def tests_of(contexts: Iterable[str]) -> tuple[str, ...]:
    """The tests that contexts name, in their order, each once.

    pytest-cov records a test's setup, run and teardown apart, as `id|run`. The empty context,
    that of code outside of tests, names none.
    """
    return tuple(dict.fromkeys(_PHASE.sub("", context) for context in contexts if context))


def test_name(test: str) -> TestName | None:
    """Where a test may be written: pytest's node id, or the dotted name of `test_function`.

    >>> test_name("tests/test_a.py::TestB::test_c[1-2]")
    TestName(files=('tests/test_a.py',), steps=('TestB', 'test_c'))
    """
    name = _PARAMETERS.sub("", test)
    if "::" in name:
        file, *steps = name.split("::")
        return TestName((file,), tuple(steps)) if file and all(steps) else None
    parts = name.split(".")
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        return None
    # Where the module ends and its classes begin cannot be seen: the longest module is tried first.
    splits = range(len(parts) - 1, 0, -1)
    return TestName(tuple("/".join(parts[:split]) + ".py" for split in splits), tuple(parts))


test_name.__test__ = False  # type: ignore[attr-defined]


def steps_in(name: TestName, file: str) -> tuple[str, ...]:
    """The names to find in one of the files that `name` proposes."""
    if len(name.files) == 1 and len(name.steps) != len(file.split("/")) + 1:
        return name.steps
    depth = len(file.split("/"))
    dotted = tuple(file.removesuffix(".py").split("/")) == name.steps[:depth]
    return name.steps[depth:] if dotted else name.steps


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
