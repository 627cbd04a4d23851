"""Which tests a run is for, and why: all, those that reach a place, those that edits affect."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from covls.adapters.ledger import data_identity
from covls.adapters.partial_runs import Before, PartialRuns
from covls.adapters.project_files import name_of
from covls.adapters.source import Unreadable, read_source, source_text
from covls.adapters.test_choice import choose_at_line, choose_for_app, choose_for_file
from covls.adapters.test_detail import DetailStore
from covls.adapters.test_environment import environment_of_tests
from covls.adapters.test_framework import Framework, find_framework
from covls.core.naming import Conventions, is_test_file
from covls.project import Project

ASKED_FOR = "asked for"

NOTHING_AFFECTED = "No test is affected by what changed since the last run."

NAMED = 3
"""So many tests are called by their names; of more it is said how many there are."""


class Scope(StrEnum):
    """What a run is asked to run."""

    ALL = "all"
    AFFECTED = "affected"
    FILE = "file"
    LINES = "lines"
    CURSOR = "cursor"
    APP = "app"
    TESTS = "tests"


@dataclass(frozen=True, slots=True)
class Request:
    """What to run. Lines are 1-based, of `text`, or of the file on disk where it is None."""

    scope: Scope = Scope.ALL
    path: Path | None = None
    first: int = 1
    last: int = 1
    text: str | None = None
    texts: Mapping[Path, str] = field(default_factory=dict)
    """Texts in the place of those on disk, by path, by which affected tests are to be chosen."""
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
            return "All tests."
        if self.everything is not None:
            return f"All tests: {self.everything}."
        if self.runs_nothing:
            return NOTHING_AFFECTED
        names = list(self.tests)
        words = ", ".join(names) if len(names) <= NAMED else f"{len(names)} tests"
        # A name can stand for several tests: a file, a class, a test with parameters.
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
                return Choice(request, framework, dict.fromkeys(request.tests, ("asked for",)))
            case Scope.APP:
                chosen = choose_for_app(framework, request.app)
                if isinstance(chosen, str):
                    raise CannotRunError(chosen)
                return Choice(request, framework, {each.test: (each.rule,) for each in chosen})
            case Scope.CURSOR:
                return self._at_cursor(request, framework)
            case Scope.FILE | Scope.LINES:
                return self._reaching(request, framework)
            case _:
                return self._affected(request, framework)

    def _at_cursor(self, request: Request, framework: Framework) -> Choice:
        assert request.path is not None, "a cursor is in a file"
        text = request.text if request.text is not None else _text_of(request.path)
        chosen = choose_at_line(framework, request.path, request.first, text)
        if chosen is None:
            return self._reaching(replace(request, scope=Scope.LINES), framework)
        return Choice(request, framework, {chosen.test: (chosen.rule,)})

    def _reaching(self, request: Request, framework: Framework) -> Choice:
        """The tests that reach a file, or lines of it; by names and imports where none is known."""
        path = request.path
        assert path is not None, "tests reach a file"
        what = name_of(os.path.realpath(path), self._root)
        if is_test_file(what, framework.conventions):
            by_rule = choose_for_file(framework, path)
            return Choice(request, framework, {each.test: (each.rule,) for each in by_rule})
        if request.scope is Scope.LINES:
            first, last = request.first, request.last
            found = self._at_lines(path, first, last, request.text)
            what += f":{first}" if first == last else f":{first}-{last}"
        else:
            found = self._project.tests_of(path)
        if found:
            return Choice(request, framework, dict.fromkeys(found, (f"reaches {what}",)))
        by_rule = choose_for_file(framework, path)
        if not by_rule:
            raise CannotRunError(
                f"No test is known to reach {what}: none was recorded to, and none is named after "
                "it or imports it. Run all tests once."
            )
        note = (
            f"No recorded test reaches {what}; these were found by names and imports."
            if self._project.tells_tests
            else "Which tests reach it was not recorded yet; these were found by names and imports."
        )
        return Choice(request, framework, {each.test: (each.rule,) for each in by_rule}, note=note)

    def _at_lines(self, path: Path, first: int, last: int, text: str | None) -> Sequence[str]:
        if first == last:
            view = self._project.view(path, text)
            begun = None if view is None else self._project.tests_of_what_begins(view, first)
            if begun is not None:
                return begun
        return self._project.tests_at(path, first, last, text)

    def _affected(self, request: Request, framework: Framework) -> Choice:
        before = self.look(framework, request.texts)
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
                ),
            )
        return self._runs[1]

    def _environment(self, framework: Framework) -> dict[str, str]:
        command = framework.command
        interpreter = framework.interpreter if command.python is None else None
        words = (str(command.runner), *command.launcher, *command.python_options)
        words += (*command.program, *command.arguments)
        return environment_of_tests(interpreter, self._project.configuration, words)

    def look(self, framework: Framework, texts: Mapping[Path, str] | None = None) -> Before:
        """How things stand before a run. Data that another tool wrote are adopted.

        `texts` are what an editor has of files that are not saved, by path.
        """
        runs, environment = self.partial_runs(framework), self._environment(framework)
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


def _text_of(path: Path) -> str:
    content = read_source(path)
    return "" if isinstance(content, Unreadable) else source_text(content)
