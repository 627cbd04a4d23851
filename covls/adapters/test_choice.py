"""The tests of a file, an app or a line, chosen where no recorded data tells which they are."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from covls.adapters.presence import is_file
from covls.adapters.test_framework import Framework, Sources, text_of
from covls.core.naming import (
    id_of,
    importers,
    imports,
    is_test_file,
    module_names,
    named_after,
    of_django_app,
    steps_within,
)

# What makes a package look like an app of Django's.
_APP_FILES = (
    "admin.py", "apps.py", "migrations/__init__.py", "models.py", "models/__init__.py", "tests.py",
    "tests/__init__.py", "views.py",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chosen:
    """A test, or a name that stands for several, and the rule that chose it."""

    test: str
    rule: str
    """In words that go on after the test's name."""


def choose_for_file(framework: Framework, path: Path) -> tuple[Chosen, ...]:
    """The tests that most probably reach a file, each with the rule that chose it.

    Found by their names and places, and by what they import. A test file stands for itself, a
    conftest.py for the tests beside and below it. They are names of files as the runner takes them.
    """
    file = relative_to_root(framework.root, path)
    if file is None:
        return ()
    tests = Sources(framework.root)
    found = _chosen_files(framework, file, tests)
    return tuple(Chosen(framework.name_of(test), rule) for test, rule in found.items())


def _chosen_files(framework: Framework, file: str, tests: Sources) -> dict[str, str]:
    conventions = framework.conventions
    if is_test_file(file, conventions):
        return {file: "is the file itself"}
    there = [each for each in tests.files if is_test_file(each, conventions)]
    if file.rpartition("/")[2] == "conftest.py":
        folder = file.removesuffix("conftest.py")
        return {each: f"may use {file}" for each in there if each.startswith(folder)}
    found = named_after(file, there)
    names = module_names(file, packages_above(framework.root, file))
    wanted = {name.rpartition(".")[2].encode() for name in names}
    imported = {
        each: imports(source, each)
        for each, source in tests.read(there)
        if any(name in source for name in wanted)
    }
    for each, (name, line) in importers(names, imported).items():
        found.setdefault(each, f"imports {name} on line {line}")
    # Others lead to the file, too, but they are many, and may not reach it.
    return found or of_django_app(file, there) or _by_way_of_others(file, names, there, tests)


def _by_way_of_others(
    file: str, names: Sequence[str], there: Sequence[str], tests: Sources
) -> dict[str, str]:
    """Tests that import a package which imports the file, or have a conftest.py that does."""
    found: dict[str, str] = {}
    conftests = [each for each in tests.files if each.rpartition("/")[2] == "conftest.py"]
    imported = {each: imports(source, each) for each, source in tests.read(conftests)}
    for conftest in importers(names, imported):
        folder = conftest.removesuffix("conftest.py")
        for each in there:
            if each.startswith(folder):
                found.setdefault(each, f"may use {conftest}, which imports {file}")
    packages = [
        each
        for each in tests.files
        if each.endswith("__init__.py") and file.startswith(each.removesuffix("__init__.py"))
    ]
    above = {each: imports(source, each) for each, source in tests.read(packages)}
    direct = importers(names, above)
    if direct:
        package_names = {
            ".".join(name.split(".")[:length])
            for name in names
            for length in range(1, name.count(".") + 1)
        }
        uses = {each: imports(source, each) for each, source in tests.read(there)}
        for each, (name, line) in importers(sorted(package_names, key=len), uses).items():
            found.setdefault(each, f"imports {name} on line {line}, which imports {file}")
    return found


def choose_for_app(framework: Framework, name: str) -> tuple[Chosen, ...] | str:
    """The tests of a Django app, given by its label or its dotted name, or why there are none."""
    tests = Sources(framework.root)
    apps = _django_apps(framework, tests)
    folders = [folder for folder, names in apps.items() if name in names]
    if not folders:
        labels = sorted({names[0] for names in apps.values()})
        there = f" There are: {', '.join(labels)}." if labels else ""
        return f"{framework.root} has no Django app {name}.{there}"
    if len(folders) > 1:
        dotted = " and ".join(sorted(apps[folder][-1] for folder in folders))
        return f"{name} may be {dotted}; give its dotted name."
    folder = folders[0]
    runner = framework.command.runner
    if runner in ("django", "unittest"):
        return (Chosen(framework.name_of(folder), f"is the app {name}"),)
    chosen = tuple(
        Chosen(framework.name_of(file), f"is of the app {name}")
        for file in tests.files
        if file.startswith(folder + "/") and is_test_file(file, framework.conventions)
    )
    return chosen or f"The app {name} in {folder} has no tests that pytest would find."


def _django_apps(framework: Framework, tests: Sources) -> dict[str, list[str]]:
    """The folders of the root's apps, with the names of each: its label, its dotted name last."""
    folders = {
        file.removesuffix(mark).rstrip("/")
        for file in tests.files
        for mark in _APP_FILES
        if file.endswith("/" + mark)
    }
    apps: dict[str, list[str]] = {}
    for folder in sorted(folders):
        # The tests' own folder, and what is part of an app, is no app.
        if not is_file(framework.root / folder / "__init__.py") or folder.endswith("/tests"):
            continue
        dotted = module_names(
            folder + "/__init__.py", packages_above(framework.root, folder + "/__init__.py")
        )
        below = id_of("unittest", folder, (), framework.top)
        text = text_of(framework.root / folder / "apps.py")
        label = re.search(r"^\s+label\s*=\s*[\"']([\w]+)[\"']", text, re.MULTILINE)
        first = label[1] if label else folder.rpartition("/")[2]
        apps[folder] = [first, *dotted, below]
    return apps


def choose_at_lines(
    framework: Framework, path: Path, first: int, last: int, text: str
) -> tuple[Chosen, ...]:
    """The tests at some lines (1-based) of a text; none where it is no test file's.

    Those are test functions and methods, with all of their parameters, or classes where the lines
    are in no method.
    """
    file = relative_to_root(framework.root, path)
    if file is None or not is_test_file(file, framework.conventions):
        return ()
    rule = "is the test at the line" if first == last else "is at the lines"
    return tuple(
        Chosen(framework.name_of(file, steps), rule)
        for steps in steps_within(text, first, last, framework.conventions)
    )


def choose_in_folder(framework: Framework, folder: Path) -> tuple[Chosen, ...]:
    """The test files below a folder, by their names as the runner takes them."""
    where = relative_to_root(framework.root, folder)
    if where is None:
        return ()
    below = "" if where == "." else f"{where}/"
    return tuple(
        Chosen(framework.name_of(file), f"is in {where}")
        for file in Sources(framework.root).files
        if file.startswith(below) and is_test_file(file, framework.conventions)
    )


def relative_to_root(root: Path, path: Path) -> str | None:
    """A path relative to the root, with slashes; None where it is not below it."""
    relative = os.path.relpath(os.path.realpath(path), root)
    if relative.startswith(os.pardir) or os.path.isabs(relative):  # noqa: PTH117
        return None
    return relative.replace(os.sep, "/")


def packages_above(root: Path, file: str) -> int:
    """How many of the folders right above a file are packages with an `__init__.py`."""
    count, folder = 0, file.rpartition("/")[0]
    while folder and is_file(root / folder / "__init__.py"):
        count += 1
        folder = folder.rpartition("/")[0]
    return count
