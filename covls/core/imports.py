"""Which files of a project import which, as far as their texts say."""

import ast
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from covls.core.naming import module_names

# All paths here are relative to the root, with slashes.

_IMPORTERS: Final = frozenset(
    {"import_module", "__import__", "importorskip", "find_spec", "run_module", "reload"}
    | {"import_string", "resolve_name"}
)
_DISCOVERERS: Final = frozenset(
    {"import_module", "__import__", "walk_packages", "iter_modules", "run_path", "run_module"}
    | {"load_module", "exec_module", "spec_from_file_location", "import_string", "resolve_name"}
    | {"entry_points", "iter_entry_points"}
)
_DOTTED: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")


@dataclass(frozen=True, slots=True)
class Imports:
    """What one text imports, or may.

    `names` are dotted, that of a module or of something in it, with the first line that says so.
    A string that reads like one counts, as what is patched or configured is named in that way.
    Relative names are those of the file's folder, seen from the root. `discovers` is set where the
    text imports what it does not name.
    """

    names: Mapping[str, int]
    discovers: bool = False


def imports_of(text: str, path: str) -> Imports | None:
    r"""What a text imports; None where it cannot be parsed.

    >>> imports_of("import os\nfrom ..cart import Cart", "shop/tests/test_cart.py").names
    {'os': 1, 'shop.cart': 2, 'shop.cart.Cart': 2}
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    folders = path.split("/")[:-1]
    found: dict[str, int] = {}
    discovers = False
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                for alias in node.names:
                    found.setdefault(alias.name, node.lineno)
            case ast.ImportFrom():
                for name in _imported(node, folders):
                    found.setdefault(name, node.lineno)
                # Under another name its calls are not recognised.
                discovers |= any(each.asname and each.name in _DISCOVERERS for each in node.names)
            case ast.Constant(value=str() as said):
                dotted = _DOTTED.match(said)
                if dotted and (len(said) == len(dotted[0]) or said[len(dotted[0])] == ":"):
                    found.setdefault(dotted[0], node.lineno)
            case ast.Call():
                called = _last_name(node.func)
                first = node.args[0] if node.args else None
                named = isinstance(first, ast.Constant) and isinstance(first.value, str)
                if called in _IMPORTERS and named:
                    for name in _called(str(first.value), folders):  # type: ignore[union-attr]
                        found.setdefault(name, node.lineno)
                elif called in _DISCOVERERS:
                    discovers = True
            case _:
                pass
    return Imports(found, discovers)


def _imported(node: ast.ImportFrom, folders: list[str]) -> Iterator[str]:
    if node.level > len(folders) + 1:
        return
    above = folders[: len(folders) - node.level + 1] if node.level else []
    base = ".".join([*above, *filter(None, [node.module])])
    if base:
        yield base
    for alias in node.names:
        if alias.name != "*":
            yield f"{base}.{alias.name}" if base else alias.name


def _called(name: str, folders: list[str]) -> Iterator[str]:
    dots = len(name) - len(name.lstrip("."))
    if dots <= len(folders) + 1:
        above = folders[: len(folders) - dots + 1] if dots else []
        yield ".".join([*above, *filter(None, [name[dots:]])])


def _package_of(path: str) -> str:
    """Where the package of a module is, if it is in one."""
    folder = path.rpartition("/")[0]
    return f"{folder}/__init__.py" if folder else "__init__.py"


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


@dataclass(frozen=True)
class ImportGraph:
    """The imports between a project's files, by path; files that are gone import nothing."""

    files: Mapping[str, Imports]

    @cached_property
    def modules(self) -> Mapping[str, Collection[str]]:
        """The files that a dotted name may be."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for path in self.files:
            for name in module_names(path, self._packages(path)):
                found[name].append(path)
        return found

    def _packages(self, path: str) -> int:
        folders = path.split("/")[:-1]
        count = 0
        while count < len(folders):
            if "/".join([*folders[: len(folders) - count], "__init__.py"]) not in self.files:
                break
            count += 1
        return count

    @cached_property
    def imported(self) -> Mapping[str, frozenset[str]]:
        """The files that each file imports itself, the packages they are in included."""
        return {path: frozenset(self._imported_by(path)) - {path} for path in self.files}

    def _imported_by(self, path: str) -> Iterator[str]:
        own = self.files[path]
        for name in own.names:
            yield from self.named(name)
        package = _package_of(path)
        if package in self.files:
            # Before a module its package is imported.
            yield package
        if own.discovers:
            folders, count = path.split("/")[:-1], self._packages(path)
            within = "/".join(folders[: len(folders) - count + 1] if count else folders)
            yield from (each for each in self.files if not within or each.startswith(within + "/"))

    def named(self, name: str) -> Iterator[str]:
        """The files that importing a dotted name imports: its module, and the packages above."""
        parts = name.split(".")
        for count in range(len(parts), 0, -1):
            yield from self.modules.get(".".join(parts[:count]), ())

    @cached_property
    def _importers(self) -> Mapping[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for path, imported in self.imported.items():
            for each in imported:
                found[each].append(path)
        return found

    def imported_at(self, path: str) -> Mapping[str, frozenset[int]]:
        """The files that import a file, by its name, with the first line for each name.

        A module has its package imported without a line that says so.
        """
        found = {}
        for importer in self._importers.get(path, ()):
            names = self.files[importer].names
            lines = frozenset(line for name, line in names.items() if path in self.named(name))
            if lines or path == _package_of(importer):
                found[importer] = lines
        return found

    def importers(self, paths: Iterable[str]) -> set[str]:
        """The files that import one of these, directly or not, and these themselves."""
        found = set(paths)
        rest = list(found)
        while rest:
            for path in self._importers.get(rest.pop(), ()):
                if path not in found:
                    found.add(path)
                    rest.append(path)
        return found

    def chain(self, start: str, target: str) -> tuple[str, ...]:
        """The shortest way from a file to one that it imports, both included; empty: none."""
        before: dict[str, str] = {start: ""}
        rest = [start]
        for path in rest:
            if path == target:
                way = [path]
                while before[way[-1]]:
                    way.append(before[way[-1]])
                return tuple(reversed(way))
            for each in sorted(self.imported.get(path, ())):
                if each not in before:
                    before[each] = path
                    rest.append(each)
        return ()
