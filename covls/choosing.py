"""Which tests a run is for, and why: all, those that reach a place, those that edits affect."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from covls.adapters.data_file import fingerprint
from covls.adapters.ledger import data_identity
from covls.adapters.local_files import local_python_files
from covls.adapters.partial_runs import Before, PartialRuns, never_ran
from covls.adapters.project_files import name_of
from covls.adapters.source import Unreadable, read_source, source_text
from covls.adapters.test_choice import (
    choose_at_lines,
    choose_for_app,
    choose_for_file,
    choose_in_folder,
)
from covls.adapters.test_detail import DetailStore
from covls.adapters.test_environment import environment_of_tests
from covls.adapters.test_framework import Framework, find_framework
from covls.core.gates import is_below
from covls.core.naming import Conventions, is_test_file
from covls.project import Project

ASKED_FOR = "asked for"

NOTHING_AFFECTED = "No test is affected by what changed since the last run."

TAKEN_IN_PASSING = 8 * 1024 * 1024
FILES_IN_PASSING = 300
"""Bytes, and measured files, of data that another tool wrote, at most, that are taken in where no
run is asked for. The files of a project are all parsed for that, the first time."""

NAMED = 3
"""So many tests are called by their names; of more it is said how many there are."""


class Scope(StrEnum):
    """What a run is asked to run."""

    ALL = "all"
    AFFECTED = "affected"
    FILE = "file"
    LINES = "lines"
    APP = "app"
    TESTS = "tests"


@dataclass(frozen=True, slots=True)
class Request:
    """What to run. Lines are 1-based, of `text`, or of the file on disk where it is None."""

    scope: Scope = Scope.ALL
    path: Path | None = None
    """A file, or a folder where all of it is asked for."""
    first: int = 1
    last: int = 1
    text: str | None = None
    texts: Mapping[Path, str] = field(default_factory=dict)
    """Texts in the place of those on disk, by path, by which affected tests are to be chosen."""
    in_passing: bool = False
    """Whether nobody waits for a run, and so not for much data to be taken in either."""
    app: str = ""
    tests: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    """What the user passes on to the runner."""


@dataclass(frozen=True)
class Choice:
    """The tests to run, in their order, with the reasons for each in words."""

    request: Request
    framework: Framework
    tests: Mapping[str, tuple[str, ...]]
    everything: str | None = None
    """Why all tests have to run; None where those named are enough."""
    gone: frozenset[str] = frozenset()
    """Recorded tests that do not exist any more."""
    collect_all: bool = False
    """Whether all test modules have to be imported for the data to be those of a full run."""
    changed: bool = True
    """Whether anything is another than when the tests ran."""
    files: tuple[str, ...] = ()
    """The files that are, by their path from the root, where the affected tests were chosen."""
    note: str = ""
    """What to say of the choice."""

    @property
    def runs_nothing(self) -> bool:
        """Whether no test has to run, though what the tests did may have to move with the text."""
        return self.everything is None and not self.tests and not self.collect_all

    @property
    def headline(self) -> str:
        """What is going to run, in a sentence or two."""
        if self.everything == ASKED_FOR:
            passed_on = shlex.join(self.request.arguments)
            return f"All tests, with {passed_on}." if passed_on else "All tests."
        if self.everything is not None:
            return f"All tests: {self.everything}."
        if self.runs_nothing:
            return NOTHING_AFFECTED
        names = list(self.tests)
        # A name can stand for several tests: a file, a class, a test with parameters.
        kind = "test files" if all(name.endswith(".py") for name in names) else "tests"
        words = ", ".join(names) if len(names) <= NAMED else f"{len(names)} {kind}"
        return f"{words}. {self.note}".strip()


def together(choices: Sequence[Choice]) -> Choice:
    """Several choices as one: a test stands once, with all reasons for it."""
    first = choices[0]
    tests: dict[str, tuple[str, ...]] = {}
    for choice in choices:
        for test, reasons in choice.tests.items():
            tests[test] = (*tests.get(test, ()), *reasons)
    everything = next((each.everything for each in choices if each.everything is not None), None)
    notes = dict.fromkeys(choice.note for choice in choices if choice.note)
    return replace(first, tests=tests, everything=everything, note=" ".join(notes))


class CannotRunError(Exception):
    """Why no test can run, and what to do, in one or two sentences."""


class Chooser:
    """Chooses the tests of one project. What it reads is kept from one choice to the next."""

    def __init__(self, project: Project, store: DetailStore) -> None:
        self._project = project
        self._root = project.root
        self._store = store
        self._runs: tuple[tuple[Conventions, Path], PartialRuns] | None = None

    def choose(self, request: Request) -> Choice:
        """The tests that a request is for. Runs nothing. Raises CannotRunError."""
        if self._project.trusted is False:
            raise CannotRunError(
                "This workspace is not trusted, so that nothing of it is run. Trust it in the "
                "editor (`covls.trusted`), or say --trusted."
            )
        framework = find_framework(self._root, self._project.settings)
        if framework.problem:
            raise CannotRunError(f"{framework.problem} {framework.remedy}".strip())
        if request.scope is Scope.ALL:
            return Choice(request, framework, {}, everything=ASKED_FOR)
        if framework.command.runner in (None, "script"):
            why = framework.command.why_as_it_is or "a script runs as a whole"
            return Choice(request, framework, {}, everything=f"tests cannot be run alone: {why}")
        match request.scope:
            case Scope.TESTS:
                names = (_as_taken(test, framework) for test in request.tests)
                return Choice(request, framework, dict.fromkeys(names, ("asked for",)))
            case Scope.APP:
                chosen = choose_for_app(framework, request.app)
                if isinstance(chosen, str):
                    raise CannotRunError(chosen)
                return Choice(request, framework, {each.test: (each.rule,) for each in chosen})
            case Scope.LINES:
                return self._at_lines(request, framework)
            case Scope.FILE:
                return self._reaching(request, framework)
            case _:
                return self._affected(request, framework)

    def _at_lines(self, request: Request, framework: Framework) -> Choice:
        assert request.path is not None, "lines are of a file"
        text = request.text if request.text is not None else _text_of(request.path)
        chosen = choose_at_lines(framework, request.path, request.first, request.last, text)
        if chosen:
            return Choice(request, framework, {each.test: (each.rule,) for each in chosen})
        return self._reaching(request, framework)

    def _reaching(self, request: Request, framework: Framework) -> Choice:
        """The tests that reach a file, or lines of it; by names and imports where none is known."""
        path = request.path
        assert path is not None, "tests reach a file"
        what = name_of(os.path.realpath(path), self._root)
        if path.is_dir():
            return self._in_folder(request, framework, what)
        of_tests = is_test_file(what, framework.conventions)
        found: Sequence[str] = ()
        unknown = 0
        if request.scope is Scope.LINES:
            first, last = request.first, request.last
            found = self._reaching_lines(path, first, last, request.text)
            what += f":{first}" if first == last else f":{first}-{last}"
        elif not of_tests:
            found = self._project.tests_of(path)
        if framework.command.runner == "pytest":
            # coverage.py's `dynamic_context = test_function` has names that pytest cannot run.
            unknown = len(found)
            found = [test for test in found if "::" in test]
            unknown -= len(found)
        if found:
            known: dict[str, tuple[str, ...]] = dict.fromkeys(found, (f"reaches {what}",))
            if request.scope is Scope.FILE:
                known |= self._not_run_yet(framework, path)
            return Choice(request, framework, known)
        by_rule = choose_for_file(framework, path)
        if not by_rule:
            raise CannotRunError(
                f"No test is known to reach {what}: none was recorded to, and none is named after "
                "it or imports it. Run all tests once."
            )
        tests = {each.test: (each.rule,) for each in by_rule}
        if of_tests:
            return Choice(request, framework, tests)
        note = (
            f"The tests recorded to reach {what} have names that pytest cannot run; these were "
            "found by names and imports."
            if unknown
            else f"No recorded test reaches {what}; these were found by names and imports."
            if self._project.tells_tests
            else "Which tests reach it was not recorded yet; these were found by names and imports."
        )
        return Choice(request, framework, tests, note=note)

    def _not_run_yet(self, framework: Framework, path: Path) -> dict[str, tuple[str, ...]]:
        """The test files by name and import that may reach a file, and of which nobody knows."""
        detail = self._store.detail()
        names = set() if detail is None else set(never_ran(detail))
        if not names:
            return {}
        waiting = {framework.name_of(name) for name in names}
        return {
            each.test: (f"{each.rule}, and has not run as a whole yet",)
            for each in choose_for_file(framework, path)
            if each.test in waiting
        }

    def _in_folder(self, request: Request, framework: Framework, what: str) -> Choice:
        """The tests in a folder, or, where it has none, those that reach its files."""
        assert request.path is not None, "a folder is a path"
        if chosen := choose_in_folder(framework, request.path):
            return Choice(request, framework, {each.test: (each.rule,) for each in chosen})
        tests: dict[str, tuple[str, ...]] = {}
        for file in local_python_files(request.path):
            for test in self._project.tests_of(Path(file)):
                reason = f"reaches {name_of(os.path.realpath(file), self._root)}"
                tests[test] = (*tests.get(test, ()), reason)
        if not tests:
            raise CannotRunError(
                f"{what} has no tests, and none was recorded to reach it. Run all tests once."
            )
        return Choice(request, framework, tests)

    def _reaching_lines(self, path: Path, first: int, last: int, text: str | None) -> Sequence[str]:
        if first == last:
            view = self._project.view(path, text)
            begun = None if view is None else self._project.tests_of_what_begins(view, first)
            if begun is not None:
                return begun
        return self._project.tests_at(path, first, last, text)

    def _affected(self, request: Request, framework: Framework) -> Choice:
        before = self.look(framework, request.texts, in_passing=request.in_passing)
        selection = self.partial_runs(framework).select(before)
        if selection.everything is not None:
            return Choice(request, framework, {}, everything=selection.everything)
        return Choice(
            request,
            framework,
            selection.tests,
            gone=selection.gone,
            collect_all=selection.collect_all,
            changed=bool(before.changes),
            files=tuple(before.changes),
        )

    def partial_runs(self, framework: Framework) -> PartialRuns:
        """What puts the runs of these tests together with what is kept of them."""
        made_for = framework.conventions, self._project.configuration.data_file
        if self._runs is None or self._runs[0] != made_for:
            self._runs = (
                made_for,
                PartialRuns(
                    self._root,
                    made_for[1],
                    self._store,
                    is_test_file=lambda path: is_test_file(path, framework.conventions),
                    unread=self._is_unread,
                ),
            )
        return self._runs[1]

    def _is_unread(self, path: str) -> bool:
        """Whether the user knows that no test reads a file."""
        return any(is_below(path, pattern) for pattern in self._project.settings.run.unread)

    def _environment(self, framework: Framework) -> dict[str, str]:
        command = framework.command
        interpreter = framework.interpreter if command.python is None else None
        words = (*command.launcher, *command.python_options, *filter(None, [command.runner]))
        words += (*command.program, *command.arguments, *framework.also)
        return environment_of_tests(interpreter, self._project.configuration, words)

    def look(
        self,
        framework: Framework,
        texts: Mapping[Path, str] | None = None,
        *,
        in_passing: bool = False,
    ) -> Before:
        """How things stand before a run. Data that another tool wrote are adopted.

        `texts` are what an editor has of files that are not saved, by path. Raises CannotRunError
        where there is too much to adopt `in_passing`.
        """
        runs, environment = self.partial_runs(framework), self._environment(framework)
        if in_passing and self._has_much_to_take_in():
            raise CannotRunError(
                "The coverage data were written by something else than covls, and it takes a "
                "while to look through them: `covls run --affected --dry-run` does."
            )
        unsaved = {
            name_of(os.path.realpath(path), self._root): text
            for path, text in (texts or {}).items()
            if text != _text_of(path)
        }
        before = runs.look(environment, unsaved)
        if before.data and (
            before.about is None or before.about.data != data_identity(before.data)
        ):
            snapshot = self._project.snapshot
            if snapshot is None or snapshot.fingerprint != before.data:
                self._project.load()
                snapshot = self._project.snapshot
            if snapshot is not None and snapshot.fingerprint == before.data:
                only_first = self._project.only_first_tests
                runs.adopt(snapshot, environment, only_first_tests=only_first)
                before = runs.look(environment, unsaved)
        return before

    def _has_much_to_take_in(self) -> bool:
        """Whether the data are another tool's, and large."""
        data = fingerprint(self._project.configuration.data_file)
        snapshot, about = self._project.snapshot, self._store.about()
        if about is not None and about.data == data_identity(data):
            return False
        return sum(each.size for each in data.files) > TAKEN_IN_PASSING or (
            snapshot is not None and len(snapshot.paths) > FILES_IN_PASSING
        )


def _as_taken(test: str, framework: Framework) -> str:
    """A test's name as the runner takes it: `tests/test_a.py::A::test_b` is understood by all."""
    file, *steps = test.split("::")
    if not steps and not file.endswith(".py"):
        return test
    return framework.name_of(file, steps)


def _text_of(path: Path) -> str:
    content = read_source(path)
    return "" if isinstance(content, Unreadable) else source_text(content)
