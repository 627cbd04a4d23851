"""Where a new test of a module goes: the file, its style, and the module's name for imports."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from covls.adapters.presence import is_file, is_there
from covls.adapters.test_choice import packages_above, relative_to_root
from covls.adapters.test_framework import Framework, Sources, text_of
from covls.core.naming import imports, is_test_file, module_names, named_after, of_django_app
from covls.core.skeleton import Awaiting, Style

_PROJECT_FILES: Final = ("pyproject.toml", "setup.py", "setup.cfg", "manage.py")

_NEIGHBOURS: Final = 20
"""Test files that are looked at to see how tests are written here."""

_BASE: Final = re.compile(r"^class\s+\w+\(([\w.]*TestCase)\)", re.MULTILINE)
_FUNCTION: Final = re.compile(r"^(?:async )?def test|^class Test\w*:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TestPlace:
    """Where a test goes, and how it is written there."""

    file: Path
    exists: bool
    package: tuple[str, ...]
    """The package of the file, as names from the root."""
    style: Style
    module: str
    made: tuple[Path, ...] = ()
    """Empty files that must be made for the test to be found."""

    __test__ = False


class TestFiles:
    """The files of a root, which of them hold tests, and what those import: each read once."""

    __test__ = False

    def __init__(self, framework: Framework) -> None:
        self.sources = Sources(framework.root)
        self.tests = [
            each for each in self.sources.files if is_test_file(each, framework.conventions)
        ]

    @cached_property
    def imported(self) -> Mapping[str, Mapping[str, int]]:
        """The names that each test file imports, with lines."""
        return {each: imports(source, each) for each, source in self.sources.read(self.tests)}


def find_test_place(
    framework: Framework, path: Path, among: TestFiles | None = None
) -> TestPlace | str:
    """Where a test of a source file goes; why there is no such place, in words.

    `among` are the root's files, where they were looked at for another file already.
    """
    file = relative_to_root(framework.root, path)
    if file is None:
        return f"{path} is not below {framework.root}"
    among = among or TestFiles(framework)
    sources, tests = among.sources, among.tests
    if is_test_file(file, framework.conventions) or file.rpartition("/")[2] == "conftest.py":
        return f"{file} holds tests itself"
    imported = among.imported
    names = module_names(file, packages_above(framework.root, file))
    if not names:
        return f"{file} cannot be imported: its name is none of a module"
    module = _module(framework, file, names, imported)
    found = _File(framework, file, module, sources.files, tests, imported)
    existing = found.existing()
    test, made = (existing, ()) if existing is not None else found.new()
    return TestPlace(
        framework.root / test,
        existing is not None,
        tuple(test.split("/")[:-1]),
        _style(framework, test, _neighbours(test, tests)),
        module,
        tuple(framework.root / name for name in made),
    )


def _module(
    framework: Framework,
    file: str,
    names: Sequence[str],
    imported: Mapping[str, Mapping[str, int]],
) -> str:
    """The name that tests import the module by, or would, as they import others."""
    scores: dict[str, tuple[int, int, int]] = {}
    for name in names:
        package, top = name.rpartition(".")[0], name.partition(".")[0]
        known = [own.keys() for own in imported.values()]
        scores[name] = (
            sum(_has(each, name) for each in known),
            sum(bool(package) and _has(each, package) for each in known),
            sum("." in name and _has(each, top) for each in known),
        )
    best = max(scores.values())
    if any(best):
        return max(names, key=lambda name: scores[name])
    base = _base(framework.root, file)
    folder_names = [part for part in base.split("/") if part]
    for name in names:
        if name == ".".join([*_dotted(file)][len(folder_names) :]):
            return name
    return names[0]


def _has(known: Iterable[str], name: str) -> bool:
    return any(each == name or each.startswith(f"{name}.") for each in known)


def _dotted(file: str) -> list[str]:
    parts = file.removesuffix(".py").split("/")
    return parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts


def _base(root: Path, file: str) -> str:
    """The folder that modules are imported from, relative to the root: `src`, or the project's."""
    folders = file.split("/")[:-1]
    top = len(folders) - packages_above(root, file)
    for count in range(top, 0, -1):
        if folders[count - 1] == "src":
            return "/".join(folders[:count])
    return _project(root, "/".join(folders[:top]))


def _project(root: Path, folder: str) -> str:
    """The nearest folder above that a project's files are in, relative to the root."""
    parts = [part for part in folder.split("/") if part]
    for count in range(len(parts), 0, -1):
        above = "/".join(parts[:count])
        if any(is_file(root / above / name) for name in _PROJECT_FILES):
            return above
    return ""


class _File:
    """The file that a test goes into."""

    def __init__(
        self,
        framework: Framework,
        file: str,
        module: str,
        files: Sequence[str],
        tests: Sequence[str],
        imported: Mapping[str, Mapping[str, int]],
    ) -> None:
        self._root = framework.root
        self._django = framework.command.runner == "django"
        self._unittest = framework.command.runner == "unittest"
        self._conventions = framework.conventions
        self._file = file
        self._module = module
        self._files = files
        self._tests = tests
        self._imported = imported

    def existing(self) -> str | None:
        """The file with the module's tests, if there is one."""
        named = named_after(self._file, self._tests)
        stem = self._module.rpartition(".")[2]
        for test in sorted(named, key=lambda test: not self._imports_it(test)):
            others = [name for name in self._imported.get(test, {}) if name.split(".")[-1] == stem]
            # Another module of that name has the file for its tests.
            if self._imports_it(test) or not others:
                return test
        if self._django:
            app = [t for t in of_django_app(self._file, self._tests) if t.endswith("/tests.py")]
            return app[0] if app else None
        return None

    def _imports_it(self, test: str) -> bool:
        return _has(self._imported.get(test, {}), self._module)

    def new(self) -> tuple[str, tuple[str, ...]]:
        """A file that is not there yet, and empty ones that it needs."""
        folder, made = self._folder()
        stem = _dotted(self._file)[-1].strip("_") or "main"
        stems = [stem]
        package = [part for part in _dotted(self._module.replace(".", "/"))[:-1] if part]
        stems += ["_".join([*package[start:], stem]) for start in range(len(package) - 1, -1, -1)]
        stems += [f"{stem}_{number}" for number in range(2, 100)]
        if self._django and not made and not folder.endswith("tests"):
            file = f"{folder}/tests.py".lstrip("/")
            if not is_there(self._root / file):
                return file, ()
        basenames = {test.rpartition("/")[2] for test in self._tests}
        for each in stems:
            name = self._called(each)
            # pytest takes two test files of one name for one module, unless they are in packages.
            if name in basenames and not is_file(self._root / folder / "__init__.py"):
                continue
            file = f"{folder}/{name}".lstrip("/")
            if not is_there(self._root / file):
                return file, made
        raise AssertionError("a hundred names are not taken")

    def _called(self, stem: str) -> str:
        """The name of a test file by the project's patterns, as most files here have it."""
        names = [pattern.rpartition("/")[2] for pattern in self._conventions.files]
        names = [n for n in names if n.count("*") == 1 and not set(n) & set("?[")] or ["test_*.py"]
        used = Counter(
            name
            for test in self._tests
            for name in names
            if re.fullmatch(re.escape(name).replace(r"\*", ".*"), test.rpartition("/")[2])
        )
        pattern = used.most_common(1)[0][0] if used else names[0]
        if pattern == "test*.py":
            pattern = "test_*.py"
        return pattern.replace("*", stem)

    def _folder(self) -> tuple[str, tuple[str, ...]]:
        """The folder of a new test file: where the tests of the module's neighbours are."""
        own = self._file.rpartition("/")[0]
        beside = Counter(
            test.rpartition("/")[0]
            for source in self._files
            if source.rpartition("/")[0] == own and source not in self._tests
            for test in named_after(source, self._tests)
        )
        if beside:
            return beside.most_common(1)[0][0], ()
        project = _project(self._root, own)
        if self._django:
            in_app = [t.rpartition("/")[0] for t in of_django_app(self._file, self._tests)]
            return (in_app[0], ()) if in_app else (own, ())
        prefix = f"{project}/" if project else ""
        folders = Counter(
            test.rpartition("/")[0] for test in self._tests if test.startswith(prefix)
        )
        if folders:
            # Of folders in one another the outer is for all.
            most = max(folders.values())
            some = [folder for folder, count in folders.items() if 4 * count >= most]
            return min(some, key=lambda folder: (folder.count("/"), -folders[folder])), ()
        for name in ("tests", "test"):
            if is_there(self._root / prefix / name) and not is_file(self._root / prefix / name):
                return f"{prefix}{name}", ()
        # unittest's discovery goes down into packages alone.
        made = (f"{prefix}tests/__init__.py",) if self._unittest else ()
        return f"{prefix}tests", made


def _neighbours(test: str, tests: Sequence[str]) -> list[str]:
    """The test files nearest to one, itself first."""
    folder = test.rpartition("/")[0]
    near = sorted(tests, key=lambda each: (each != test, each.rpartition("/")[0] != folder))
    return near[:_NEIGHBOURS]


def _style(framework: Framework, test: str, neighbours: Sequence[str]) -> Style:
    """How a test is written: as those in its file, or else as most around it."""
    texts = {each: text_of(framework.root / each) for each in neighbours}
    awaiting = _awaiting(framework.root, texts.values())
    prefix = next((name for name in framework.conventions.functions if "*" not in name), "test")
    function = prefix if prefix.endswith("_") else f"{prefix}_"
    runner = framework.command.runner
    own = texts.get(test, "")
    bases, functions = _BASE.findall(own), len(_FUNCTION.findall(own))
    if not bases and not functions:
        bases = [base for text in texts.values() for base in _BASE.findall(text)]
        functions = sum(len(_FUNCTION.findall(text)) for text in texts.values())
    if runner not in ("unittest", "django") and functions >= len(bases):
        return Style(awaiting=awaiting, function=function)
    if bases:
        base = Counter(bases).most_common(1)[0][0]
        name = base.partition(".")[0]
        for each, text in texts.items():
            statement = re.search(
                rf"^(?:from\s+(?P<package>[.\w]+)\s+import\s+[^\n(]*\b{name}\b[^\n]*"
                rf"|import\s+{name})\s*$",
                text,
                re.MULTILINE,
            )
            if statement is None:
                continue
            package = statement["package"]
            if package is None:
                return Style(base, f"import {name}")
            same_folder = each.rpartition("/")[0] == test.rpartition("/")[0]
            if same_folder or not package.startswith("."):
                return Style(base, f"from {package} import {name}")
    if runner == "django":
        return Style("TestCase", "from django.test import TestCase")
    return Style("unittest.TestCase", "import unittest")


def _awaiting(root: Path, texts: Iterable[str]) -> Awaiting:
    for name in ("pyproject.toml", "pytest.ini", "setup.cfg", "tox.ini"):
        if re.search(r"^\s*asyncio_mode\s*=\s*[\"']?auto\b", text_of(root / name), re.MULTILINE):
            return "auto"
    joined = "\n".join(texts)
    if "pytest.mark.asyncio" in joined:
        return "asyncio"
    if "pytest.mark.anyio" in joined:
        return "anyio"
    return "run"
