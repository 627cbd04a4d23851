"""Which tests an edit may reach: a safe choice, and why each test is in it.

A test is left out only where nothing it ran, and nothing that its file or its fixtures import,
changed. Where that is not sure, all tests have to run, and it is said why.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from covls.core.detail import OUTSIDE, UNATTRIBUTED, Detail, FileDetail, scope_of
from covls.core.imports import ImportGraph
from covls.core.outline import Edit, EditedFunction, Function, Outline
from covls.core.test_names import without_parameters

# All paths here are relative to the root, with slashes.

_CONFIGURATION: Final = re.compile(
    r"(?:^|/)(?:conftest\.py|sitecustomize\.py|manage\.py)$"
    r"|^(?:pyproject\.toml|setup\.(?:py|cfg)|tox\.ini|\.?pytest\.(?:ini|toml)|\.coveragerc(?:\.toml)?"
    r"|Pipfile|environment\.ya?ml|[\w.-]*(?:requirements|constraints)[\w.-]*\.(?:txt|in)"
    r"|requirements/.*|[\w.-]*\.lock|pylock(?:\.\w+)?\.toml|\.python-version)$"
)
_READ_BY_PEOPLE: Final = re.compile(
    r"(?:^|/)(?:README|CHANGE|CHANGES|CHANGELOG|HISTORY|NEWS|LICEN[CS]E|COPYING|AUTHORS|CONTRIBUTING"
    r"|CODE_OF_CONDUCT|SECURITY)[^/]*$|^(?:docs?|news|changes|changelog\.d|licenses)/(?!.*\.py$)"
    r"|^[^/]*\.(?:md|rst)$|^(?:\.[^/]*|Makefile|justfile|codecov\.yml|covls\.toml)$|^\.(?:github|gitlab|vscode|idea)/",
    re.IGNORECASE,
)
_KEEPS_RESULTS: Final = re.compile(r"cache|memo|singleton|once", re.IGNORECASE)
_NO_TEST: Final = frozenset({OUTSIDE, UNATTRIBUTED})
_STEPS_TOLD: Final = 3
"""Files between one and another that it imports, of which a reason tells at most."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one file of the project since the tests ran.

    `edit` compares it with the text that was measured. Without one, `kind` says what it is: `new`,
    `gone`, `unknown` (it is not known what was measured) or `data` (it is not Python).
    """

    kind: str
    edit: Edit | None = None
    after: Outline | None = None
    """Of a new file, where it can be parsed."""


@dataclass(frozen=True)
class Selection:
    """The tests to run, with the reasons for each in words, likeliest to tell something first.

    `tests` are names of tests, of classes or of files that hold some, as the runner takes them.
    `everything` is why all tests have to run; None where these are enough.
    """

    tests: Mapping[str, tuple[str, ...]]
    everything: str | None = None
    gone: frozenset[str] = frozenset()
    """Recorded tests that do not exist any more."""
    collect_all: bool = False
    """Whether what runs outside of tests may have changed, so that all test modules have to be
    imported for the data to be what a full run would give."""

    def reasons(self, test: str) -> tuple[str, ...]:
        """Why a test is among those to run; empty where it is not."""
        if self.everything is not None:
            return (self.everything,)
        for name in holders(test):
            if name in self.tests:
                return self.tests[name]
        return ()


def holders(test: str) -> Iterator[str]:
    """A test's name, and the names that stand for it and others: its classes', its file's.

    >>> list(holders("tests/test_a.py::TestB::test_c[1::2]"))[1:]
    ['tests/test_a.py::TestB::test_c', 'tests/test_a.py::TestB', 'tests/test_a.py']
    >>> list(holders("test_a.TestB.test_c"))[1:]
    ['test_a.TestB', 'test_a']
    """
    yield test
    plain = without_parameters(test)
    if plain != test:
        yield plain
    separator = "::" if "::" in plain else "."
    while separator in plain and not (separator == "." and "/" in plain):
        plain = plain.rpartition(separator)[0]
        yield plain


def affected(
    detail: Detail,
    changes: Mapping[str, Change],
    graph: ImportGraph,
    *,
    measured: Mapping[str, str],
    is_test_file: Callable[[str], bool],
    scoped: bool = True,
    tests_now: Collection[str] | None = None,
    unread: Callable[[str], bool] = lambda _: False,
) -> Selection:
    """The tests to run after some changes.

    `graph` is of the sources as they are now; `measured` are the measured paths of files by their
    path below the root. `scoped` says that the detail tells what ran in fixtures of wider scope
    than a test's apart. `tests_now` are the tests that there are, where that is known. `unread`
    says of files that are not Python which ones the user knows that no test reads.
    """
    work = _Impact(detail, changes, graph, measured, is_test_file, scoped, unread)
    everything = work.run(tests_now)
    ordered = dict(sorted(work.found.items(), key=work.order))
    return Selection(
        {test: tuple(reasons) for test, reasons in ordered.items()},
        everything,
        frozenset(work.gone),
        work.collect_all,
    )


class _EverythingError(Exception):
    """All tests have to run; the message says why."""


class _Impact:
    """The work of `affected`."""

    def __init__(
        self,
        detail: Detail,
        changes: Mapping[str, Change],
        graph: ImportGraph,
        measured: Mapping[str, str],
        is_test_file: Callable[[str], bool],
        scoped: bool,
        unread: Callable[[str], bool],
    ) -> None:
        self.detail = detail
        self.changes = changes
        self.graph = graph
        self.measured = measured
        self.is_test_file = is_test_file
        self.scoped = scoped
        self.unread = unread
        self.found: dict[str, dict[str, None]] = {}
        self.gone: set[str] = set()
        self.collect_all = False
        self._direct: set[str] = set()

    def run(self, tests_now: Collection[str] | None) -> str | None:
        """Go through all changes; returns why all tests have to run, if they have."""
        try:
            for path in sorted(self.changes):
                self._change(path, self.changes[path])
        except _EverythingError as why:
            return str(why)
        for test, record in self.detail.tests.items():
            if test in self.gone:
                continue
            if record.outdated:
                self._add(test, record.outdated)
            elif record.failed:
                self._add(test, "failed when it last ran" if record.outcome else "did not end")
        for test in tests_now or ():
            if test not in self.detail.tests and not any(map(self.found.get, holders(test))):
                self._add(test, "was never recorded")
        if tests_now is not None:
            self.gone.update(test for test in self.detail.tests if test not in set(tests_now))
        for test in self.gone:
            self.found.pop(test, None)
        self._look_after_the_gone()
        return None

    def order(self, item: tuple[str, object]) -> tuple[int, float, str]:
        """Where a test stands: failed ones, those that reach an edit, others; fast ones first."""
        test = item[0]
        record = self.detail.tests.get(test)
        if record is None:
            # New tests; those that stand for others come after all that are named themselves.
            return 3 if test in self.by_file else 0, 0.0, test
        return 0 if record.failed else 1 if test in self._direct else 2, record.seconds, test

    # What is known of tests.

    @cached_property
    def by_file(self) -> Mapping[str, list[str]]:
        """The recorded tests by the files they are in."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for test in self.detail.tests:
            found[self.file_of(test)].append(test)
        return found

    def file_of(self, test: str) -> str:
        """The file of a test; of one that has a dotted name, as far as there is one like it."""
        if "::" in test or "/" in test:
            return test.partition("::")[0]
        for name in holders(test):
            for path in self.graph.modules.get(name, ()):
                return path
        return ""

    def _add(self, test: str, reason: str) -> None:
        self.found.setdefault(test, {})[reason] = None

    def _add_file(self, path: str, reason: str) -> None:
        """Add all tests of a file, those that are not known yet included."""
        known = self.by_file.get(path, [])
        if path in self.changes and self.changes[path].kind == "gone":
            return
        if self.dotted and not known:
            # By its name it may be found also where a run of all tests does not look for it.
            self.collect_all = True
            self._add(self._dotted_name(path), reason)
            return
        if any("::" in test for test in known) or not known:
            self._add(path, reason)
            return
        modules = {".".join(self._module_of(test)) for test in known}
        for module in modules:
            self._add(module, reason)

    @cached_property
    def dotted(self) -> bool:
        """Whether tests have dotted names, as unittest gives them."""
        return bool(self.detail.tests) and not any("::" in test for test in self.detail.tests)

    def _dotted_name(self, path: str) -> str:
        """The name of a module of tests that are not known yet, as its neighbours are named."""
        name = path.rpartition(".")[0].replace("/", ".")
        above = {""}
        for known, tests in self.by_file.items():
            own, module = known.rpartition(".")[0].replace("/", "."), self._module_of(tests[0])
            if known and own.endswith("." + ".".join(module)):
                above.add(own.removesuffix(".".join(module)))
        return name.removeprefix(max(filter(name.startswith, above), key=len))

    def _module_of(self, test: str) -> list[str]:
        parts = test.split(".")
        for count in range(len(parts), 0, -1):
            if ".".join(parts[:count]) in self.graph.modules:
                return parts[:count]
        return parts

    def _has_tests(self, path: str) -> bool:
        return path in self.by_file or self.is_test_file(path)

    # What changed.

    def _change(self, path: str, change: Change) -> None:
        edit = change.edit
        if edit is not None and not edit.changed:
            return
        line = f":{_first_line(edit)}" if edit is not None else ""
        if _CONFIGURATION.search(path):
            raise _EverythingError(
                f"{path}{line} was {_done(change)}, which any test may depend on"
            )
        if change.kind == "data" or not path.endswith((".py", ".pyw")):
            self._data(path, change)
            return
        if self._has_tests(path):
            self._tests(path, change)
            if self.is_test_file(path):
                return
            # It is a source as well, with tests in its documentation.
        if edit is None:
            self._whole_file(path, change)
            return
        if edit.outside is not None:
            self._outside(path, f"{path}:{edit.outside} was changed outside of functions")
            return
        for function in edit.functions:
            self._function(path, function, edit)

    def _data(self, path: str, change: Change) -> None:
        measured = self.measured.get(path)
        if measured is not None and measured in self.detail.files and change.edit is not None:
            # A template, of which a plugin tells what ran.
            tests = self.detail.tests_in([measured])
            if OUTSIDE in self.detail.files[measured].ran:
                raise _EverythingError(f"{path} was {_done(change)}, and it ran outside of tests")
            for test in tests:
                self._add(test, f"runs {path}, which was {_done(change)}")
            return
        if path in self.by_file:
            self._add_file(path, f"{path} was {_done(change)}")
            return
        if _READ_BY_PEOPLE.search(path) or self.unread(path):
            return
        raise _EverythingError(
            f"{path} was {_done(change)}; covls cannot tell which tests read it (if none does, "
            "name it in `run.unread`)"
        )

    def _whole_file(self, path: str, change: Change) -> None:
        """A source file without tests that is new, gone, or of which the measured text is lost."""
        why = {
            "new": f"{path} is new",
            "gone": f"{path} was removed",
            "unknown": f"{path} was changed, and covls does not know the text that was measured",
        }[change.kind]
        if change.kind == "unknown" and path not in self.measured:
            raise _EverythingError(why)
        self._outside(path, why, new=change.kind == "new")

    def _outside(self, path: str, why: str, *, new: bool = False) -> None:
        """Whatever reaches a module, or imports it, may depend on what is outside of functions."""
        self.collect_all = True
        importers = self.graph.importers([path])
        tests, fixtures = self._test_files(importers)
        for file in sorted(fixtures):
            folder = file.rpartition("/")[0]
            way = self._way(file, path)
            if not folder:
                raise _EverythingError(f"{why}, and {way}")
            for each in [*self.by_file]:
                if each.startswith(folder + "/"):
                    self._add_file(each, f"{why}, and {way}")
        for file in sorted(tests):
            self._add_file(file, f"{why}, and {self._way(file, path)}")
        reached = False
        for importer in sorted(importers):
            measured = self.measured.get(importer)
            for test in self.detail.tests_in([measured] if measured else ()):
                reached = True
                through = "" if importer == path else f", which {importer} imports"
                self._add(test, f"{why}{through}, and it runs {importer}")
        self._look_for_the_unseen(path, why, importers, tests | fixtures)
        measured = self.measured.get(path)
        file_detail = self.detail.files.get(measured) if measured else None
        if tests or fixtures:
            return
        if reached or new or (file_detail is not None and not file_detail.ran):
            return
        if file_detail is None and not path.startswith(("docs/", "doc/", "examples/")):
            raise _EverythingError(f"{why}; it is not measured, and covls cannot tell who runs it")

    def _look_for_the_unseen(
        self, path: str, why: str, importers: Collection[str], seen: Collection[str]
    ) -> None:
        """All tests have to run where something ran that imports a module, and that no test file
        imports in its turn: a framework did, for tests that need not name it, or run a function.
        """
        found = set(seen)
        rest = list(found)
        while rest:
            more = self.graph.imported.get(rest.pop(), frozenset()).intersection(importers) - found
            found |= more
            rest += more
        unseen = sorted(found.symmetric_difference(importers))
        for importer in sorted(unseen, key=lambda each: each != path):
            file = self.detail.files.get(self.measured.get(importer, ""))
            ran = {} if file is None else file.ran
            # What is run as a program is run anew by each test that does.
            if not ran or (importer.endswith("__main__.py") and _NO_TEST.isdisjoint(ran)):
                continue
            if importer == path:
                raise _EverythingError(f"{why}; it is imported in a way that covls cannot see")
            raise _EverythingError(
                f"{why}; {importer}, which imports it, ran without a test's import"
            )

    def _test_files(self, paths: Iterable[str]) -> tuple[set[str], set[str]]:
        """The files of these that have tests, and those that have fixtures for others."""
        tests, fixtures = set(), set()
        for path in paths:
            if path.rpartition("/")[2] == "conftest.py":
                fixtures.add(path)
            elif self._has_tests(path):
                tests.add(path)
        return tests, fixtures

    def _way(self, file: str, path: str) -> str:
        steps = self.graph.chain(file, path)[1:-1]
        through = f" by way of {', '.join(steps[:_STEPS_TOLD])}" if steps else ""
        return f"{file} imports it{through}" if file != path else "it has tests"

    # Functions of sources.

    def _function(self, path: str, function: EditedFunction, edit: Edit) -> None:
        where = f"{path}:{function.line} ({function.name})"
        measured = self.measured.get(path)
        file = self.detail.files.get(measured) if measured else None
        if file is None:
            # It is not measured: a helper of tests, or what a subprocess runs.
            self._outside(path, f"{where} was changed")
            return
        before = _function_at(edit, function)
        if before is not None and any(map(_KEEPS_RESULTS.search, before.decorators)):
            self._outside(path, f"{where} was changed, whose results are kept from test to test")
            return
        self._reach(path, where, function, file)

    def _reach(self, path: str, where: str, function: EditedFunction, file: FileDetail) -> None:
        first, last = function.body
        why = f"runs {where}, which was changed"
        for test, phase in sorted(file.reaching(range(first, last + 1))):
            if (test, phase) == OUTSIDE or (not test and phase == "!"):
                self._outside(path, f"{where} was changed, which runs when modules are imported")
                continue
            if not test:
                raise _EverythingError(
                    f"{where} was changed, and ran in a process whose test covls does not know"
                )
            self._direct.add(test)
            self._add(test, why)
            if not phase.startswith("call"):
                self._share(test, phase, why)

    def _share(self, test: str, phase: str, why: str) -> None:
        """Add the tests that a fixture was set up for, when one of them ran it."""
        scope = scope_of(phase)
        if not scope and self.scoped:
            return
        file = self.file_of(test)
        reason = f"may share a fixture with {test}, which {why}"
        if scope == "session":
            raise _EverythingError(f"{test} {why} in a fixture of the whole run")
        for other in self._sharers(test, file, scope):
            self._add(other, reason)

    def _sharers(self, test: str, file: str, scope: str) -> list[str]:
        if scope == "package":
            folder = file.rpartition("/")[0]
            files = [each for each in self.by_file if not folder or each.startswith(folder + "/")]
            return [other for each in files for other in self.by_file[each]]
        return self.by_file.get(file, [test])

    # Files with tests.

    def _tests(self, path: str, change: Change) -> None:
        edit = change.edit
        if change.kind == "gone":
            self.gone.update(self.by_file.get(path, ()))
            self._importing_tests(path, f"{path} was removed")
            self.collect_all = True
            return
        if edit is None or edit.before is None or edit.after is None:
            why = f"{path} is new" if change.kind == "new" else f"{path} was changed"
            self._add_file(path, why)
            self._importing_tests(path, why)
            self.collect_all = True
            return
        if edit.outside is not None:
            self.collect_all = True
            if (line := self._plain_difference(edit)) is not None:
                why = f"{path}:{line} was changed outside of tests"
                self._add_file(path, why)
                self._importing_tests(path, why)
                return
        self._changed_tests(path, edit)

    def _plain_difference(self, edit: Edit) -> int | None:
        """Where a file differs outside of functions, once the tests themselves are left out."""
        assert edit.before is not None, "asked where both texts were parsed"
        assert edit.after is not None, "asked where both texts were parsed"
        return edit.before.without(_is_test).difference(edit.after.without(_is_test))

    def _changed_tests(self, path: str, edit: Edit) -> None:
        """Tests whose own code changed, that are new, or that are gone."""
        before, after = edit.before, edit.after
        assert before is not None, "asked where both texts were parsed"
        assert after is not None, "asked where both texts were parsed"
        names = {function.name: function.line for function in edit.functions}
        was = {function.name: function for function in before.functions}
        now = {function.name: function for function in after.functions}
        for name, function in now.items():
            if name not in was:
                names[name] = function.start
            elif function.header.difference(was[name].header) is not None:
                names.setdefault(name, function.start)
        for name in was.keys() - now.keys():
            names[name] = 0
        for name, line in sorted(names.items()):
            plain = name.rpartition(".")[2]
            if not plain.startswith("test"):
                # Tests are all that may come and go where nothing else differs outside.
                self._helper(path, edit, name, line)
                continue
            if before.names[plain] or after.names[plain]:
                # Somebody calls it besides the runner.
                why = f"{path}:{line or 1} ({name}) was changed, which is used in other tests"
                self._add_file(path, why)
                self._importing_tests(path, why)
                continue
            self._test(path, name, line, after)

    def _test(self, path: str, name: str, line: int, after: Outline) -> None:
        owner, _, plain = name.rpartition(".")
        recorded = [test for test in self.by_file.get(path, ()) if _last_name(test) == plain]
        if not line:
            inherits = after.bases.get(owner, True) if owner else False
            if inherits or (owner not in after.bases and owner):
                self._add_file(path, f"{path}: {name} was removed")
                return
            self.gone.update(
                test for test in recorded if _steps(test, path) in (name, f"{owner}.{plain}")
            )
            return
        why = f"{path}:{line} ({name}) is new or was changed"
        self._direct.update(recorded)
        if recorded:
            # Also those that inherit it; by their plain names, for the parameters may be others.
            for test in recorded:
                self._add(without_parameters(test), why)
        elif not self.dotted:
            self._add("::".join([path, *name.split(".")]), why)
        else:
            known = self.by_file.get(path)
            self.collect_all = self.collect_all or not known
            module = ".".join(self._module_of(known[0])) if known else self._dotted_name(path)
            self._add(f"{module}.{name}", why)
        if owner:
            # A class of another file may inherit it.
            for file in self.graph.importers([path]) - {path}:
                for test in self.by_file.get(file, ()):
                    if _last_name(test) == plain:
                        self._add(without_parameters(test), why)

    def _helper(self, path: str, edit: Edit, name: str, line: int) -> None:
        """A function beside the tests of a file: a fixture, or something they call."""
        where = f"{path}:{line or 1} ({name})"
        measured = self.measured.get(path)
        file = self.detail.files.get(measured) if measured else None
        function = next((f for f in edit.functions if f.name == name), None)
        if file is not None and function is not None:
            self._reach(path, where, function, file)
            before = _function_at(edit, function)
            if before is not None and not before.decorators:
                return
        why = f"{where} was changed"
        self._add_file(path, why)
        self._importing_tests(path, why)

    def _importing_tests(self, path: str, why: str) -> None:
        tests, fixtures = self._test_files(self.graph.importers([path]) - {path})
        if fixtures:
            raise _EverythingError(f"{why}, and {self._way(min(fixtures), path)}")
        for file in sorted(tests):
            self._add_file(file, f"{why}, and {self._way(file, path)}")

    # Tests that are gone.

    def _look_after_the_gone(self) -> None:
        """Add tests that would run what only a test that is gone has run.

        The first test of a run that needs something made once, be it a module imported, a fixture
        of wider scope or a result that is kept, makes it for all.
        """
        if not self.gone:
            return
        for path, measured in sorted(self.measured.items()):
            file = self.detail.files.get(measured)
            if file is None or not any(test in self.gone for test, _ in file.ran):
                continue
            others = self._dropped(path, file)
            for (test, _), bits in file.ran.items():
                if test not in self.gone:
                    others |= bits
            for (test, phase), bits in file.ran.items():
                if test in self.gone and bits & ~others:
                    self._instead(path, test, phase, file)

    def _dropped(self, path: str, file: FileDetail) -> int:
        """What cannot run any more, whoever ran it, as its text is another."""
        change = self.changes.get(path)
        if change is None or change.edit is None:
            return 0
        return file.mask({line for line, now in enumerate(change.edit.lines) if line and not now})

    def _instead(self, path: str, gone: str, phase: str, file: FileDetail) -> None:
        why = f"{gone} is gone, which alone ran parts of {path}"
        if not phase.startswith("call"):
            for other in self._sharers(gone, self.file_of(gone), scope_of(phase)):
                if other not in self.gone:
                    self._add(other, f"{why} when it was set up")
        if phase.startswith("call") or scope_of(phase) in ("session", "package"):
            for test, _ in file.ran:
                if test and test not in self.gone:
                    self._add(test, f"{why}, and it runs others")


def _function_at(edit: Edit, edited: EditedFunction) -> Function | None:
    if edit.before is None:
        return None
    return next((f for f in edit.before.functions if f.body == edited.body), None)


def _is_test(function: Function) -> bool:
    return function.plain_name.startswith("test")


def _first_line(edit: Edit) -> int:
    lines = [function.line for function in edit.functions]
    if edit.outside is not None:
        lines.append(edit.outside)
    return min(lines, default=1)


def _done(change: Change) -> str:
    return {"new": "added", "gone": "removed"}.get(change.kind, "changed")


def _last_name(test: str) -> str:
    return re.split(r"::|\.", without_parameters(test))[-1]


def _steps(test: str, path: str) -> str:
    """The classes and the function of a test in a file, with dots between."""
    return without_parameters(test).removeprefix(f"{path}::").replace("::", ".")
