"""Edit a project, run what is affected as `covls run --affected` does, and measure all anew."""

import ast
import os
import random
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from covls.adapters.settings_files import read_settings_files
from covls.choosing import Choice, Request, Scope
from covls.core.impact import holders
from covls.core.settings import client_layer, read_settings
from covls.project import Project as CovlsProject
from covls.running import Outcome, Runner
from tests.live.edits import Edit, Editor, contents, restore, some_edit
from tests.live.projects import FullRun, Project, Ran, full_run, read


@dataclass(frozen=True)
class Step:
    """What came of one edit."""

    edit: str
    choice: Choice
    outcome: Outcome
    full: FullRun
    seconds: float
    """Of choosing, running and splicing."""
    verdict: str
    """`same`, `different`, `unsteady` (two full runs differ), or `broken` (no full run)."""
    differences: tuple[str, ...] = ()
    missed: frozenset[str] = frozenset()
    """Tests that fail, also where no others run, and were not among those that ran."""

    @property
    def share(self) -> float:
        """How many of the tests ran."""
        ran = len(self.outcome.result.tally.finished)
        return min(1.0, ran / max(1, len(self.full.ran)))


class LiveProject:
    """A project that is edited, with its data kept by covls."""

    def __init__(self, project: Project, folder: Path, seed: int) -> None:
        self.project = project
        self.root = project.make(folder)
        self.scratch = folder / "scratch"
        self.scratch.mkdir()
        self.editor = Editor(project, self.root, random.Random(seed))
        self._full: dict[tuple[tuple[str, str], ...], FullRun] = {}

    def run(self, scope: Scope = Scope.AFFECTED) -> tuple[Choice, Outcome]:
        """As `covls run`, or `covls run --affected`, in a project that was opened for it."""
        with self.runner() as runner:
            choice = runner.choose(Request(scope))
            return choice, runner.run(choice)

    @contextmanager
    def runner(self) -> Iterator[Runner]:
        settings, problems = read_settings(
            *read_settings_files(self.root).layers, client_layer({"trusted": True}, "tests")
        )
        assert not problems, problems
        project = CovlsProject(self.root, settings, trusted=True)
        before = dict(os.environ)
        os.environ.update(self.project.environment(self.root))
        try:
            project.load()
            yield Runner(project)
        finally:
            project.close()
            os.environ.clear()
            os.environ.update(before)

    def data(self) -> Ran:
        return read(self.root / ".coverage", self.root)

    def full(self) -> FullRun:
        """What a full run of these very texts gives, which one is run for once."""
        texts = tuple(contents(self.editor))
        if texts not in self._full:
            self._full[texts] = full_run(self.project, self.root, self.scratch)
        return self._full[texts]

    def failed_alone(self, tests: Collection[str]) -> frozenset[str]:
        """Those of some tests that fail also where no others run before them."""
        run = full_run(self.project, self.root, self.scratch, measure=False, tests=tests)
        return run.failed

    def start(self) -> FullRun:
        """Run all tests once, and hold that this is what coverage.py measures."""
        _, outcome = self.run(Scope.ALL)
        assert outcome.written, outcome.message
        full = self.full()
        assert not full.broken, full.output
        different = differences(self.data(), full.data)
        assert not different, different
        return full

    def step(self, edit: str) -> Step:
        """Run what is affected by an edit that was done, and compare."""
        began = time.monotonic()
        choice, outcome = self.run()
        seconds = time.monotonic() - began
        full = self.full()
        if full.broken:
            return Step(edit, choice, outcome, full, seconds, "broken")
        found = differences(self.data(), full.data)
        missed = {test for test in full.failed if not _is_among(test, outcome)}
        verdict = "different" if found else "same"
        if missed:
            missed &= self.failed_alone(missed)
        if found:
            again = full_run(self.project, self.root, self.scratch)
            if again.data != full.data:
                verdict = "unsteady"
        return Step(
            edit,
            choice,
            outcome,
            full,
            seconds,
            verdict,
            tuple(found),
            frozenset(missed),
        )


@dataclass(frozen=True)
class Killed:
    """What was chosen after a mutation by which tests fail."""

    edit: str
    failed: frozenset[str]
    """Tests that fail now, and did not before."""
    missed: frozenset[str]
    """Those of them that were not chosen, and fail also where no other test runs before."""
    led_astray: frozenset[str]
    """Those that were not chosen, and fail by what others leave behind only."""
    share: float
    """How many of all tests were chosen."""
    everything: str | None
    """Why all were."""
    all: frozenset[str]


def _is_chosen(test: str, choice: Choice) -> bool:
    """Whether a test, or of a class or module, which fails where it cannot be set up, one is."""
    if choice.everything is not None or any(name in choice.tests for name in holders(test)):
        return True
    return any(name.startswith(f"{test}.") for name in choice.tests)


def _is_among(test: str, outcome: Outcome) -> bool:
    """Whether a test ran, or of a class or module, which fails where it cannot be set up, one."""
    finished = outcome.result.tally.finished
    return test in finished or any(name.startswith(f"{test}.") for name in finished)


def differences(ours: Ran, theirs: Ran) -> list[str]:
    """Where two measurements differ, in words."""
    found = []
    for path in sorted({*ours, *theirs}):
        if path not in ours or path not in theirs:
            found.append(f"{path}: only {'measured by a full run' if path in theirs else 'ours'}")
        elif ours[path] != theirs[path]:
            more, less = ours[path] - theirs[path], theirs[path] - ours[path]
            found.append(f"{path}: too many {_some(more)}, missing {_some(less)}")
    return found


def _some(places: frozenset[object]) -> str:
    return ", ".join(sorted(map(str, places))[:8]) or "none"


def edited(live: LiveProject, kinds: Sequence[Edit], count: int) -> Iterator[Step]:
    """Edits one after the other, of which some are undone by the next; each a step.

    An edit with which no tests can run, or fewer pass, is undone next.
    """
    base = live.start()
    states = [dict(contents(live.editor))]
    for _ in range(count):
        names = [some_edit(live.editor, kinds) for _ in range(live.editor.chosen.choice([1, 1, 2]))]
        step = live.step("; ".join(names))
        yield step
        worse = step.verdict == "broken" or step.full.failed - base.failed
        if worse or step.differences or live.editor.chosen.random() < 0.3:
            restore(live.editor, states[-1])
            undone = live.step(f"undo {'; '.join(names)}")
            yield undone
            if undone.differences:
                live.run(Scope.ALL)
        else:
            states.append(dict(contents(live.editor)))


def mutated(live: LiveProject, kinds: Sequence[Edit], count: int) -> Iterator[Step]:
    """One edit after the other, each undone before the next."""
    live.start()
    before = dict(contents(live.editor))
    for _ in range(count):
        yield live.step(some_edit(live.editor, kinds))
        restore(live.editor, before)
        live.run()


_AGAIN = 300
"""So many mutations in a row that were tried before are taken for all that there are."""


def killed(live: LiveProject, kinds: Sequence[Edit], count: int) -> Iterator[Killed]:
    """Mutations of lines that tests run, each undone before the next, until so many make some fail.

    What is chosen is only looked at, for to run it would tell nothing more of what it lacks. There
    are fewer where hardly any mutation is left that was not tried.
    """
    base = live.start()
    ran = {
        name: {line for place in places if isinstance(place, tuple) for line in place}
        for name, places in live.data().items()
    }
    before = dict(contents(live.editor))
    seen = {tuple(before.items())}
    found = again = 0
    while found < count and again < _AGAIN:
        edit = some_edit(live.editor, kinds)
        texts = tuple(contents(live.editor))
        again = again + 1 if texts in seen else 0
        if not again and any(
            _first_change(before[name], live.editor.text(name)) in ran.get(name, ())
            for name in live.editor.written
        ):
            with live.runner() as runner:
                choice = runner.choose(Request(Scope.AFFECTED))
            chosen = {test for test in base.ran if _is_chosen(test, choice)}
            # Where all are chosen none can be missed, and it is enough that some test fails.
            full = full_run(
                live.project,
                live.root,
                live.scratch,
                measure=False,
                stop=chosen == base.ran and not base.failed,
            )
            failed = full.failed - base.failed
            if failed and not full.broken:
                found += 1
                missed = frozenset(test for test in failed if not _is_chosen(test, choice))
                alone = live.failed_alone(missed) if missed else frozenset()
                share = len(chosen) / len(base.ran)
                yield Killed(
                    edit,
                    failed,
                    missed & alone,
                    missed - alone,
                    share,
                    choice.everything,
                    base.ran,
                )
        restore(live.editor, before)


def _first_change(before: str, after: str) -> int:
    """The line on which the innermost statement begins in which two texts begin to differ."""
    lines = zip(before.split("\n"), after.split("\n"), strict=False)
    first = next((number for number, (one, other) in enumerate(lines, 1) if one != other), 0)
    return max(
        (
            node.lineno
            for node in ast.walk(ast.parse(before))
            if isinstance(node, ast.stmt) and node.lineno <= first <= (node.end_lineno or 0)
        ),
        default=0,
    )
