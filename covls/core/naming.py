"""Tests found by their names, their places and what they import; the names that runners take."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from covls.core.lines import LineRange
from covls.core.test_command import Runner

# All paths here are relative to the root, with slashes.


@dataclass(frozen=True, slots=True)
class Conventions:
    """How a project's test files, classes and functions are called, as its runner takes them."""

    files: tuple[str, ...] = ("test_*.py", "*_test.py")
    """Patterns of names; those with a slash are of paths, seen from the end."""
    classes: tuple[str, ...] = ("Test",)
    """Beginnings or patterns. Classes with bases may be tests whatever they are called."""
    functions: tuple[str, ...] = ("test",)


PYTEST: Final = Conventions()
UNITTEST: Final = Conventions(files=("test*.py",))
DJANGO: Final = Conventions(files=("test*.py",))
"""As `manage.py test` has it; `tests.py` is among them."""

_IMPORT: Final = re.compile(
    rb"""^[ \t]*(?:
        from[ \t]+(?P<package>[.\w]+)[ \t]+import[ \t]*
            (?:\((?P<many>[^)]*)\)|(?P<few>(?:\\\r?\n|[^\n#;])*))
        |import[ \t]+(?P<modules>(?:\\\r?\n|[^\n#;])*)
    )
    |(?:import_module|importorskip|__import__)\(\s*["'](?P<called>[\w.]+)["']""",
    re.MULTILINE | re.VERBOSE,
)


def is_test_file(file: str, conventions: Conventions) -> bool:
    """Whether a runner with these conventions looks for tests in a file.

    >>> is_test_file("pkg/test_a.py", PYTEST), is_test_file("pkg/conftest.py", PYTEST)
    (True, False)
    """
    for pattern in conventions.files:
        subject = file if "/" in pattern else _name(file)
        if fnmatchcase(subject, pattern) or fnmatchcase("/" + subject, "*/" + pattern):
            return True
    return False


def named_after(source: str, tests: Iterable[str]) -> dict[str, str]:
    """The test files that are called after a source file, each with why in words.

    Where modules of one name have tests in several folders, only the tests are taken whose folders
    are likest to the module's: `a/utils.py` has `tests/a/test_utils.py`, `b/utils.py` another.

    >>> named_after("src/shop/cart.py", ["tests/test_cart.py", "tests/test_all.py"])
    {'tests/test_cart.py': 'is named after src/shop/cart.py'}
    """
    exact, wider = _names_for(source)
    found = [(test, _stem(test)) for test in tests if test != source]
    scores: dict[str, tuple[int, int]] = {}
    for test, stem in found:
        if stem in wider or stem in exact:
            scores[test] = (_likeness(_folders(source), _folders(test)), stem in wider)
    best = max(scores.values(), default=(0, 0))[0]
    alike = len({_folders(test) for test in scores}) > 1
    return {
        test: f"is named after {source}"
        for test, (score, named_with_package) in sorted(scores.items())
        if not alike or score == best or named_with_package
    }


def _names_for(source: str) -> tuple[set[str], set[str]]:
    """The stems of tests of a file, by its name alone, and by its name and its packages'."""
    stem, folders = _stem(source), list(_folders(source))
    bases = {stem, stem.strip("_")}
    if stem == "__init__" and folders:
        bases = {folders.pop()}
    if stem == "__main__":
        bases |= {"cli", "command_line"}
    bases -= {""}
    exact = {name for base in bases for name in _called(base)}
    wider: set[str] = set()
    for first in range(len(folders)):
        package = "_".join(folders[first:])
        wider |= {name for base in bases for name in _called(f"{package}_{base}")}
    return exact, wider


def _called(base: str) -> Iterator[str]:
    yield from (f"test_{base}", f"{base}_test", f"tests_{base}", f"{base}_tests", f"test{base}")


def _likeness(source: tuple[str, ...], test: tuple[str, ...]) -> int:
    """How many of the source's folders, in their order, are among the test's."""
    count, start = 0, 0
    for name in source:
        if name in test[start:]:
            start = test.index(name, start) + 1
            count += 1
    return count


def of_django_app(source: str, tests: Sequence[str]) -> dict[str, str]:
    """The tests of the app that a source file is in: the nearest `tests.py` or `tests/` above it.

    >>> of_django_app("shop/models.py", ["shop/tests.py", "blog/tests.py"])
    {'shop/tests.py': 'holds the tests of the app shop'}
    """
    folders = _folders(source)
    for count in range(len(folders), 0, -1):
        app = "/".join(folders[:count])
        own = [
            test
            for test in tests
            if test != source and (test == f"{app}/tests.py" or test.startswith(f"{app}/tests/"))
        ]
        if own:
            return dict.fromkeys(own, f"holds the tests of the app {app.replace('/', '.')}")
    return {}


def module_names(file: str, packages: int) -> tuple[str, ...]:
    """The dotted names a file may be imported by, the longest first.

    `packages` is how many of the folders right above it are packages with an `__init__.py`. The
    folders above those may be namespace packages, or what is on sys.path.

    >>> module_names("src/shop/cart.py", packages=1)
    ('src.shop.cart', 'shop.cart')
    """
    parts = [*_folders(file), _stem(file)]
    if parts[-1] == "__init__":
        parts.pop()
        packages -= 1
    most = max(0, len(parts) - 1 - max(0, packages))
    names = (parts[start:] for start in range(most + 1))
    return tuple(".".join(name) for name in names if name and all(p.isidentifier() for p in name))


def imports(source: bytes, file: str) -> dict[str, int]:
    r"""The dotted names that a text imports, or may, each with its first line.

    `from a import b` may be the module `a.b`, so that both are named. Relative imports are those of
    the file's folder, seen from the root.

    >>> imports(b"import os\nfrom ..cart import Cart as C", "shop/tests/test_cart.py")
    {'os': 1, 'shop.cart': 2, 'shop.cart.Cart': 2}
    """
    found: dict[str, int] = {}
    for match in _IMPORT.finditer(source):
        line = source.count(b"\n", 0, match.start()) + 1
        for name in _imported(match, _folders(file)):
            found.setdefault(name, line)
    return found


def _imported(match: re.Match[bytes], folders: tuple[str, ...]) -> Iterator[str]:
    parts = {key: value.decode(errors="replace") for key, value in match.groupdict(b"").items()}
    if parts["called"]:
        yield parts["called"]
        return
    if parts["modules"]:
        yield from (name for name in _aliased(parts["modules"]) if name)
        return
    package = parts["package"]
    dots = len(package) - len(package.lstrip("."))
    if dots > len(folders) + 1:
        return
    above = folders[: len(folders) - dots + 1] if dots else ()
    base = ".".join([*above, *filter(None, [package[dots:]])])
    if base:
        yield base
    for name in _aliased(re.sub(r"#[^\n]*", "", parts["many"] or parts["few"])):
        if name and name != "*":
            yield f"{base}.{name}" if base else name


def _aliased(names: str) -> Iterator[str]:
    for name in names.replace("\\", " ").split(","):
        yield name.split()[0] if name.split() else ""


def importers(
    names: Sequence[str], imported: Mapping[str, Mapping[str, int]]
) -> dict[str, tuple[str, int]]:
    """The files that import one of some names or something in it: the name, and the line.

    `imported` are the names that each file imports, with lines.
    """
    found: dict[str, tuple[str, int]] = {}
    for file, own in imported.items():
        for name in names:
            lines = [n for i, n in own.items() if i == name or i.startswith(name + ".")]
            if lines:
                found[file] = (name, min(lines))
                break
    return found


def steps_within(
    text: str, first: int, last: int, conventions: Conventions
) -> tuple[tuple[str, ...], ...]:
    r"""The tests of which some of the lines `first` to `last` are, each as `steps_at` has it.

    A class stands for all its tests only where the lines are of none of them. Of a text that is no
    Python at the moment it is the test at the first line.

    >>> steps_within("def test_a():\n    pass\ndef test_b():\n    pass", 2, 3, PYTEST)
    (('test_a',), ('test_b',))
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        steps = _steps_by_indentation(text, first, conventions)
        return (steps,) if steps else ()
    return tuple(dict.fromkeys(_within(tree.body, first, last, (), conventions)))


def _within(
    body: Sequence[ast.stmt],
    first: int,
    last: int,
    above: tuple[str, ...],
    conventions: Conventions,
) -> Iterator[tuple[str, ...]]:
    for node in _flat(body):
        start, end = _lines_of(node)
        steps = (*above, node.name)
        if end < first or last < start:
            continue
        if not isinstance(node, ast.ClassDef):
            if _fits(node.name, conventions.functions):
                yield steps
        elif _is_test_class(node.name, bool(node.bases), conventions):
            inner = list(_within(node.body, first, last, steps, conventions))
            yield from inner or [steps]


_Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _flat(body: Sequence[ast.stmt]) -> Iterator[_Definition]:
    """The definitions of a block, also those under an `if`, a `try` or a `with`."""
    for node in body:
        if isinstance(node, _Definition):
            yield node
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.For | ast.While):
            yield from _flat([n for n in ast.iter_child_nodes(node) if isinstance(n, ast.stmt)])
            for handler in getattr(node, "handlers", ()):
                yield from _flat(handler.body)


def _lines_of(node: _Definition) -> LineRange:
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return first, node.end_lineno or node.lineno


def _steps_by_indentation(text: str, line: int, conventions: Conventions) -> tuple[str, ...]:
    definition = re.compile(r"([ \t]*)(class|def|async[ \t]+def)[ \t]+(\w+)\s*(\(\s*[^)\s])?")
    steps: list[str] = []
    indent: int | None = None
    for number in range(min(line, len(lines := text.split("\n"))), 0, -1):
        here = lines[number - 1]
        width = len(here) - len(here.lstrip())
        match = definition.match(here)
        if indent is None and here.strip():
            indent = width + 1 if match else width
        if indent is None or width >= indent or not here.strip():
            continue
        indent = width
        if match is None:
            continue  # an `if` around it, say
        name = match[3]
        if match[2] == "class":
            fits = _is_test_class(name, bool(match[4]), conventions)
            steps = [name, *steps] if fits else []
        else:
            steps = [name] if _fits(name, conventions.functions) else []
    return tuple(steps)


def _is_test_class(name: str, has_bases: bool, conventions: Conventions) -> bool:
    return has_bases or _fits(name, conventions.classes)


def _fits(name: str, patterns: Iterable[str]) -> bool:
    """As pytest has it: a pattern is a beginning, or one with wildcards."""
    return any(name.startswith(p) or fnmatchcase(name, p) for p in patterns)


def id_of(runner: Runner | None, file: str, steps: Sequence[str] = (), top: str = "") -> str:
    """The name by which a runner takes the tests of a file, or one of them.

    `top` is the folder that dotted names start from.

    >>> id_of("pytest", "tests/test_a.py", ["TestA", "test_b"])
    'tests/test_a.py::TestA::test_b'
    >>> id_of("unittest", "tests/test_a.py", ["TestA"], top="tests")
    'test_a.TestA'
    """
    if runner not in ("unittest", "django"):
        return "::".join([file, *steps])
    below = file.removeprefix(top.rstrip("/") + "/") if top else file
    return ".".join([*below.removesuffix(".py").removesuffix("/__init__").split("/"), *steps])


def _folders(file: str) -> tuple[str, ...]:
    return tuple(file.split("/")[:-1])


def _name(file: str) -> str:
    return file.rpartition("/")[2]


def _stem(file: str) -> str:
    return re.sub(r"\.pyw?$", "", _name(file))
