"""Gates: what a project asks of its coverage, whether it is so, and what would make it so.

A gate is of some statements and their branches: all, those of the patch, those of files that were
changed or are new, those below a path. Counts are whole numbers up to the comparison, and that is
coverage.py's own, rounding included: 74.6 is shown as 75 and passes 75, but only all is 100.

Of statements that changed since the tests ran nothing is known, so a gate that has any among its
own judges nothing: it says so, and what to run.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Final

from covls.core.coverage import NOTHING as NO_TOTALS
from covls.core.coverage import Totals, percent, percent_text
from covls.core.gaps import Gap
from covls.core.patch import NOTHING, PatchTotals
from covls.core.report import below_threshold, counted
from covls.core.settings import Gates

DEFAULT_TOTAL: Final = 75.0
DEFAULT_PATCH: Final = 90.0
"""What is asked for where a project asks for nothing."""


class Outcome(StrEnum):
    """What a gate says."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It cannot be judged: data are stale, or missing."""
    SKIPPED = "skipped"
    """It does not apply, and says why."""


@dataclass(frozen=True, slots=True)
class GatedFile:
    """One file, as gates see it."""

    name: str
    totals: Totals
    """Of its whole text; not to be relied on where it is stale."""
    gaps: tuple[Gap, ...] = ()
    stale: str = ""
    """Why its figures are not surely those of its text, in words; empty where they are."""
    is_changed: bool = False
    is_new: bool = False
    patch: PatchTotals = NOTHING
    patch_gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class BaseFigures:
    """The figures that a drop is told from."""

    name: str
    """Of what they are, for people."""
    totals: Totals
    """Without what was deleted since, and without flaky lines."""
    flaky: tuple[str, ...] = ()
    """The flaky lines that were left out: "app/models.py:12"."""
    flaky_now: Totals = NO_TOTALS
    """Their counts now, which are left out of the total, too."""
    statements_alone: bool = False
    """Whether one of the two was measured without branches, so that they count in neither."""
    note: str = ""
    """What else is to be known of them, as a sentence."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that gates are judged by."""

    files: Sequence[GatedFile]
    base: str = ""
    """What the patch is told against, for people."""
    no_patch: str = ""
    """Why it is not known what was changed; empty where it is."""
    base_figures: BaseFigures | None = None
    no_base: str = ""
    """Why there are none, for people."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one gate says."""

    gate: str
    """Its name, as in the settings: "total", "changed-files", "paths.app/models/"."""
    outcome: Outcome
    message: str
    """One sentence, with the numbers."""
    threshold: float | None = None
    covered: int = 0
    possible: int = 0
    """Statements and branches."""
    percent: str = ""
    """As it is shown, without its sign; empty where there is nothing to count."""
    needed: int = 0
    """How many more must be covered for it to pass."""
    gaps: tuple[Gap, ...] = ()
    """The fewest that would do, the largest first."""
    stale: tuple[str, ...] = ()
    """The files of which too little is known, each with why."""
    remedy: str = ""
    """What to do, as a sentence or a command."""
    flaky: tuple[str, ...] = ()
    """The lines that were left out because they are now covered, now missed."""


@dataclass(frozen=True, slots=True)
class Check:
    """The verdicts of all gates."""

    verdicts: tuple[Verdict, ...]
    by_default: bool
    """Whether the project asks for nothing, so that covls's own defaults were judged."""

    @property
    def outcome(self) -> Outcome:
        """What all say together: what cannot be judged goes before what failed."""
        found = {verdict.outcome for verdict in self.verdicts}
        for outcome in (Outcome.UNKNOWN, Outcome.FAILED):
            if outcome in found:
                return outcome
        return Outcome.PASSED


def has_gates(gates: Gates) -> bool:
    """Whether a project asks for anything."""
    asked = (gates.total, gates.patch, gates.changed_files, gates.new_files, gates.max_drop)
    return bool(gates.paths) or any(value is not None for value in (*asked, gates.ratchet))


def needs_patch(gates: Gates) -> bool:
    """Whether anything asks what was changed."""
    asked = (gates.patch, gates.changed_files, gates.new_files, gates.max_drop)
    return not has_gates(gates) or any(value is not None for value in asked)


def check(gates: Gates, facts: Facts, *, precision: int, fail_under: float, run: str) -> Check:
    """Judge everything that is asked for.

    `fail_under` is coverage.py's own setting, which stands in for a total that is not set; `run`
    is the command that makes new data.
    """
    judge = _Judge(facts, precision, run)
    by_default = not has_gates(gates)
    files = facts.files
    total = gates.total
    if total is None and fail_under:
        total = fail_under
    elif by_default:
        total = DEFAULT_TOTAL
    patch = DEFAULT_PATCH if by_default else gates.patch
    verdicts: list[Verdict] = []
    if total is not None:
        verdicts.append(judge.whole("total", "All code", files, total))
    if gates.ratchet is not None:
        verdicts.append(judge.whole("ratchet", "All code", files, gates.ratchet))
    if patch is not None:
        verdicts.append(judge.patch(patch, gates.min_patch, optional=by_default))
    if gates.changed_files is not None:
        changed = [file for file in files if file.is_changed]
        verdicts.append(
            judge.of_changes("changed-files", "changed files", changed, gates.changed_files)
        )
    if gates.new_files is not None:
        new = [file for file in files if file.is_new]
        verdicts.append(judge.of_changes("new-files", "new files", new, gates.new_files))
    for pattern, below in by_path(gates.paths, files).items():
        threshold = gates.paths[pattern]
        name = f"paths.{pattern}"
        if below:
            verdicts.append(judge.whole(name, pattern, below, threshold))
        else:
            message = f"{pattern}: no file of the report is below it."
            verdicts.append(Verdict(name, Outcome.SKIPPED, message, threshold))
    if gates.max_drop is not None:
        verdicts.append(judge.drop(gates.max_drop, gates.no_base))
    return Check(tuple(verdicts), by_default)


def by_path(paths: Iterable[str], files: Iterable[GatedFile]) -> Mapping[str, Sequence[GatedFile]]:
    """The files of each path, each file with the longest that it is below, or none.

    >>> by_path(["app/", "app/models/"], [GatedFile("app/models/a.py", Totals())]).keys()
    dict_keys(['app/', 'app/models/'])
    """
    found: dict[str, list[GatedFile]] = {pattern: [] for pattern in paths}
    longest = sorted(found, key=lambda pattern: (len(pattern), pattern), reverse=True)
    for file in files:
        name = file.name.replace("\\", "/")
        for pattern in longest:
            if is_below(name, pattern):
                found[pattern].append(file)
                break
    return found


def is_below(name: str, pattern: str) -> bool:
    """Whether a file, by its path with slashes, is a path's, below it, or fits it as a pattern.

    In a pattern `*` stands for any characters of one name, `**` for any number of folders.

    >>> is_below("app/models/a.py", "app/models"), is_below("app/models.py", "app/models")
    (True, False)
    >>> is_below("a/b/models.py", "**/models.py"), is_below("a/b/c.py", "a/*.py")
    (True, False)
    """
    pattern = pattern.replace("\\", "/").removeprefix("./")
    if not any(char in pattern for char in "*?["):
        folder = pattern.rstrip("/")
        return folder in {"", "."} or name == folder or name.startswith(folder + "/")
    return _fits(name.split("/"), pattern.rstrip("/").split("/"))


def _fits(names: Sequence[str], patterns: Sequence[str]) -> bool:
    if not patterns:
        return True  # What fits is a folder that the file is below.
    if patterns[0] == "**":
        return any(_fits(names[skip:], patterns[1:]) for skip in range(len(names) + 1))
    if not names or not fnmatchcase(names[0], patterns[0]):
        return False
    return _fits(names[1:], patterns[1:])


def passes(covered: int, possible: int, threshold: float, precision: int) -> bool:
    """Whether a share reaches a threshold, as coverage.py's `fail_under` has it."""
    return not below_threshold(percent(covered, possible), threshold, precision)


def needed(covered: int, possible: int, enough: Callable[[int], bool]) -> int:
    """How many more of `possible` must be covered until `enough` says so; all may not do."""
    low, high = covered, possible
    while low < high:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle + 1
    return low - covered


def fewest(found: Iterable[Gap], count: int) -> tuple[Gap, ...]:
    """The fewest gaps that have so many statements and branches, the largest first."""
    chosen: list[Gap] = []
    for gap in sorted(found, key=lambda gap: (-gap.count, gap.file, gap.first)):
        if count <= 0:
            break
        chosen.append(gap)
        count -= gap.count
    return tuple(chosen)


def shares(totals: Totals) -> tuple[int, int]:
    """Statements and branches that are covered, and all."""
    return (
        totals.n_executed + totals.n_executed_branches,
        totals.n_statements + totals.n_branches,
    )


@dataclass(frozen=True, slots=True)
class _Judge:
    facts: Facts
    precision: int
    run: str

    def whole(self, gate: str, what: str, files: Iterable[GatedFile], threshold: float) -> Verdict:
        """Judge files as a whole."""
        files = list(files)
        if stale := [f"{file.name}: {file.stale}" for file in files if file.stale]:
            return self._unknown(gate, threshold, stale)
        totals = sum((file.totals for file in files), Totals())
        return self._judged(gate, what, totals, threshold, (g for f in files for g in f.gaps))

    def of_changes(
        self, gate: str, what: str, files: Sequence[GatedFile], threshold: float
    ) -> Verdict:
        """Judge files that were chosen by what was changed."""
        if self.facts.no_patch:
            return self._no_patch(gate, threshold)
        if not files:
            return Verdict(gate, Outcome.PASSED, f"There are no {what}.", threshold)
        return self.whole(gate, what.capitalize(), files, threshold)

    def patch(self, threshold: float, least: int, *, optional: bool) -> Verdict:
        """Judge what was changed; where it is `optional`, not knowing that is no fault."""
        if self.facts.no_patch:
            found = self._no_patch("patch", threshold)
            if optional:
                return Verdict("patch", Outcome.SKIPPED, found.message, threshold)
            return found
        files = [file for file in self.facts.files if file.is_changed]
        patch = sum((file.patch for file in files), PatchTotals())
        size = patch.known.n_statements + patch.stale
        if not size:
            message = f"The patch against {self.facts.base} has no statement that is counted."
            return Verdict("patch", Outcome.PASSED, message, threshold)
        if size < least:
            message = (
                f"The patch against {self.facts.base} has {counted(size, 'statement')}, and less "
                f"than {least} are not judged."
            )
            return Verdict("patch", Outcome.PASSED, message, threshold)
        if patch.stale:
            stale = [
                f"{file.name}: {stale_words(file.patch)}" for file in files if file.patch.stale
            ]
            return self._unknown("patch", threshold, stale)
        what = f"The patch against {self.facts.base}"
        gaps = (gap for file in files for gap in file.patch_gaps)
        return self._judged("patch", what, patch.known, threshold, gaps)

    def drop(self, most: float, no_base: str) -> Verdict:
        """Judge the total against that of the base."""
        base, gate = self.facts.base_figures, "max-drop"
        if base is None:
            failed = no_base == "fail"
            why = f" {self.facts.no_base}" if self.facts.no_base else ""
            return Verdict(
                gate,
                Outcome.UNKNOWN if failed else Outcome.SKIPPED,
                f"No base recorded: a drop of the total cannot be told.{why}",
                most,
                remedy="Record what runs of the base cover, as `covls history record` does on CI, "
                "or give its report: `covls report --format json -o base.json` there, then "
                "`covls check --base-report base.json` here.",
            )
        files = self.facts.files
        if stale := [f"{file.name}: {file.stale}" for file in files if file.stale]:
            return self._unknown(gate, most, stale)
        whole = sum((file.totals for file in files), Totals()) - base.flaky_now
        at_base = base.totals
        if base.statements_alone:
            whole, at_base = whole.of_statements, at_base.of_statements
        covered, possible = shares(whole)
        before = _share(*shares(at_base))
        allowed = Fraction(str(most))

        def enough(count: int) -> bool:
            return before - _share(count, possible) <= allowed

        lacking = 0 if enough(covered) else needed(covered, possible, enough)
        drop = before - _share(covered, possible)
        words = f"{abs(float(drop)):.{max(self.precision, 2)}f}"
        now, was = self._text(covered, possible), self._text(*shares(at_base))
        moved = "is as before" if not drop else f"{'lost' if drop > 0 else 'gained'} {words} points"
        message = (
            f"The total of {now}% {moved} against {was}% at {base.name}; a loss of {most:g} is "
            "allowed."
        )
        if base.flaky:
            message += f" {counted(len(base.flaky), 'flaky line')} left out."
        if base.statements_alone:
            message += " Branches were not measured both times, and do not count."
        if base.note:
            message += f" {base.note}"
        chosen = set(base.flaky)
        gaps = (gap for file in files for gap in file.gaps if gap.place not in chosen)
        return Verdict(
            gate,
            Outcome.FAILED if lacking else Outcome.PASSED,
            message,
            most,
            covered,
            possible,
            now,
            lacking,
            fewest(gaps, lacking),
            remedy=self._test_these(lacking),
            flaky=base.flaky,
        )

    def _judged(
        self, gate: str, what: str, totals: Totals, threshold: float, found: Iterable[Gap]
    ) -> Verdict:
        covered, possible = shares(totals)

        def enough(count: int) -> bool:
            return passes(count, possible, threshold, self.precision)

        lacking = 0 if enough(covered) else needed(covered, possible, enough)
        text = self._text(covered, possible, threshold)
        things = "statements and branches" if totals.n_branches else "statements"
        message = f"{what}: {text}% ({covered} of {possible} {things}), {threshold:g}% asked."
        return Verdict(
            gate,
            Outcome.FAILED if lacking else Outcome.PASSED,
            message,
            threshold,
            covered,
            possible,
            text,
            lacking,
            fewest(found, lacking),
            remedy=self._test_these(lacking),
        )

    def _text(self, covered: int, possible: int, threshold: float = 0.0) -> str:
        # With the decimals of what is asked for, by which it is judged, too.
        decimals = len(f"{threshold:g}".partition(".")[2])
        return percent_text(percent(covered, possible), max(self.precision, decimals))

    def _test_these(self, lacking: int) -> str:
        return f"Write tests for them, then: {self.run}" if lacking else ""

    def _unknown(self, gate: str, threshold: float, stale: Sequence[str]) -> Verdict:
        files = counted(len(stale), "file")
        return Verdict(
            gate,
            Outcome.UNKNOWN,
            f"Not judged: {files} changed since the tests ran.",
            threshold,
            stale=tuple(stale),
            remedy=f"Run the tests again: {self.run}",
        )

    def _no_patch(self, gate: str, threshold: float) -> Verdict:
        message = f"Not judged: {self.facts.no_patch}"
        return Verdict(
            gate,
            Outcome.UNKNOWN,
            message,
            threshold,
            remedy="Name what to compare "
            "with: `covls check --base REF`, or `editor.base` in covls's settings.",
        )


def stale_words(patch: PatchTotals) -> str:
    """What of a patch is in no figure: "3 statements new, 1 edited since the tests ran"."""
    parts = [
        f"{number} {word}"
        for number, word in (
            (patch.edited, "edited"),
            (patch.new, "new"),
            (patch.unverified, "not surely what was measured"),
        )
        if number
    ]
    return f"{counted(patch.stale, 'statement')} of which nothing is known: {', '.join(parts)}"


def _share(covered: int, possible: int) -> Fraction:
    return Fraction(100 * covered, possible) if possible else Fraction(100)
