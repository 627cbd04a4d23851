"""Why a file has no coverage to show, or not the coverage one would expect, and what to do."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from covls.core.paths import PYTHON_SUFFIXES

_EDITABLE = "Install the project in editable form (`pip install -e .`), so that this one is run."


class Reason(StrEnum):
    """What stands between a file and its coverage."""

    NOT_THERE = "not there"
    NOT_PYTHON = "not Python"
    NO_DATA = "no data"
    OUTSIDE_ROOT = "outside the root"
    CANNOT_ANALYSE = "cannot be analysed"
    NO_CODE = "no code"
    EXCLUDED = "excluded"
    NEVER_RAN = "never ran"
    STALE = "stale"
    NOT_REPORTED = "not reported"
    AMBIGUOUS = "ambiguous"
    OTHER_PATH = "under another path"
    OTHER_COPY = "another copy ran"
    MOVED = "moved"
    OMITTED = "omitted"
    OUTSIDE_SOURCE = "outside source"
    NEW = "new"
    NOT_IMPORTED = "not imported"


@dataclass(frozen=True, slots=True)
class Absence:
    """Why there is no coverage here, in one sentence, and what to do about it in another."""

    reason: Reason
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What of coverage.py's configuration keeps a file from being measured or reported."""

    option: str  # "[run] omit"
    value: str  # the pattern, or the list that the file is not in
    file: str  # where it is configured


@dataclass(frozen=True, slots=True)
class RootFacts:
    """What is known of the root that a file belongs to."""

    root: str
    data_file: str
    test_command: str
    has_data: bool
    data_problem: str = ""  # why there is none, and the way out, where that is known
    configuration_file: str = ""  # empty where there is none


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of one file, on disk and in the data."""

    path: str  # absolute
    name: str  # as it is shown: against the root
    exists: bool = True
    below_root: bool = True
    in_package: bool = True  # its folder has an __init__.py
    in_source: bool = False  # below a folder of `source`
    modified_after_data: bool = False
    verified: bool = True  # its text is surely the one that was measured
    measured_as: str | None = None  # its path in the data, None where it has none
    failure: str = ""  # why it cannot be read or analysed
    statements: int = 0  # these three only where it was measured and analysed
    excluded: int = 0
    executed: int = 0
    not_measured: LeftOut | None = None
    not_reported: LeftOut | None = None
    elsewhere: tuple[str, ...] = ()  # measured paths of other machines that may be this one
    before: tuple[str, ...] = ()  # measured paths below the root, no longer there, that are near
    ambiguous: tuple[str, ...] = ()  # other local files that what was measured may be as well
    copies: tuple[str, ...] = ()  # installed copies of it that were measured
    installed: str = ""  # an installed copy of it that was not measured


def explain(file: FileFacts, root: RootFacts) -> Absence | None:
    """Return what keeps the file's coverage from being shown or true, None if nothing does."""
    again = f"Run the tests again: {root.test_command}"
    if not file.exists:
        return Absence(Reason.NOT_THERE, f"{file.path} is not there.", "Check its name.")
    if file.measured_as is None and not file.path.endswith(PYTHON_SUFFIXES):
        return Absence(
            Reason.NOT_PYTHON,
            f"{file.name} is not Python code, and nothing in the data is about it.",
            "A coverage.py plugin can measure some templates; see `plugins` in its documentation.",
        )
    if not root.has_data:
        message = root.data_problem or f"There is no coverage data: {root.data_file} is not there."
        return Absence(Reason.NO_DATA, message, f"To measure: {root.test_command}")
    if file.measured_as is not None:
        return _explain_measured(file, again)
    if found := _explain_elsewhere(file, root):
        return found
    if file.not_measured is not None:
        return _explain_configured(file, file.not_measured, again)
    if file.before:
        return Absence(
            Reason.MOVED,
            f"{file.name} is not in the data, but {_listed(file.before)} is, which is no longer "
            "there: it may have been moved or renamed.",
            again,
        )
    if not file.below_root:
        return Absence(
            Reason.OUTSIDE_ROOT,
            f"{file.path} is outside {root.root}, whose data this is.",
            "Add its folder as a root of its own, or to `source` of coverage.py's configuration.",
        )
    if file.modified_after_data:
        return Absence(
            Reason.NEW,
            f"{file.name} is not in the data, and was saved after the data was written.",
            again,
        )
    return _explain_not_imported(file, root, again)


def _explain_measured(file: FileFacts, again: str) -> Absence | None:
    if file.failure:
        return Absence(
            Reason.CANNOT_ANALYSE,
            f"{file.name} was measured, but cannot be analysed now: {file.failure.rstrip('.')}.",
            "Its coverage is shown as soon as this is corrected.",
        )
    if not file.statements:
        if file.excluded:
            return Absence(
                Reason.EXCLUDED,
                f"All code of {file.name} is excluded from coverage.",
                "Look for a `# pragma: no cover` near its top, and at `exclude_also` and "
                "`exclude_lines` of coverage.py's configuration.",
            )
        return Absence(Reason.NO_CODE, f"{file.name} has no code that could run.", "")
    if not file.verified:
        why = (
            "was saved after the data was written"
            if file.modified_after_data
            else "is not the text that was measured: lines ran that could not run in it"
        )
        return Absence(Reason.STALE, f"{file.name} {why}.", again)
    if not file.executed:
        return Absence(
            Reason.NEVER_RAN,
            f"No line of {file.name} ran: no test imports it.",
            f"Import it in a test. {again}",
        )
    if file.not_reported is not None:
        left_out = file.not_reported
        return Absence(
            Reason.NOT_REPORTED,
            f"{file.name} was measured, but reports leave it out: {_words(left_out)}.",
            f"Change that in {left_out.file} if it should be reported.",
        )
    return None


def _explain_elsewhere(file: FileFacts, root: RootFacts) -> Absence | None:
    if file.ambiguous:
        others = _listed(file.ambiguous)
        return Absence(
            Reason.AMBIGUOUS,
            f"The data has {_listed(file.elsewhere)}, which may be {file.name} or {others}.",
            f"Say which with coverage.py's [paths]. {_paths_example(file, root)}".strip(),
        )
    if file.elsewhere:
        return Absence(
            Reason.OTHER_PATH,
            f"{file.name} is not in the data under this path; the data has "
            f"{_listed(file.elsewhere)}, which is not on this machine.",
            f"If they are the same, say so with coverage.py's [paths]. "
            f"{_paths_example(file, root)}".strip(),
        )
    if file.copies:
        return Absence(
            Reason.OTHER_COPY,
            f"The tests ran another copy of {file.name}: {_listed(file.copies)}.",
            f"{_EDITABLE} Or map the copy to it with coverage.py's [paths]. "
            f"{_paths_example(file, root)}".strip(),
        )
    return None


def _explain_configured(file: FileFacts, left_out: LeftOut, again: str) -> Absence:
    change = f"Change that in {left_out.file} if it should be measured. {again}"
    if left_out.option == "[run] omit":
        message = f"{file.name} is not measured: {_words(left_out)}."
        return Absence(Reason.OMITTED, message, change)
    message = f"{file.name} is not measured: it is not in {left_out.option}, {left_out.value}."
    return Absence(Reason.OUTSIDE_SOURCE, message, change)


def _explain_not_imported(file: FileFacts, root: RootFacts, again: str) -> Absence:
    if file.in_source and not file.in_package:
        why = (
            f"No test imports {file.name}, and coverage.py does not look for files that never ran "
            "in folders without an __init__.py."
        )
        what = "Import it in a test, or set `include_namespace_packages = true` in [report]. "
        return Absence(Reason.NOT_IMPORTED, why, what + again)
    if file.installed:
        return Absence(
            Reason.OTHER_COPY,
            f"No line of {file.name} ran: the tests probably import the installed copy of it, "
            f"{file.installed}.",
            f"{_EDITABLE} {again}",
        )
    where = root.configuration_file or "coverage.py's configuration"
    why = f"No test imports {file.name}: it is not in the data."
    what = (
        "Import it in a test, or see that `--source` or `--cov` of your command does not leave it "
        f"out. If it ran in another process, set `patch = subprocess` in [run] of {where}. {again}"
    )
    return Absence(Reason.NOT_IMPORTED, why, what)


def common_end(one: str, other: str) -> int:
    """Return how many names, from the last one on, two paths of any system have in common."""
    count = 0
    for ours, theirs in zip(reversed(_names(one)), reversed(_names(other)), strict=False):
        if ours != theirs:
            break
        count += 1
    return count


def local_and_foreign(local: str, measured: str) -> tuple[str, str]:
    """Return the folders that differ between a local file, against its root, and a measured path.

    >>> local_and_foreign("src/pkg/a.py", "/app/pkg/a.py")
    ('src', '/app')
    """
    count = common_end(local, measured)
    names = _names(local)
    foreign = re.split(r"(?<=[/\\])", measured)
    foreign_folder = "".join(foreign[: len(foreign) - count]).rstrip("/\\")
    return "/".join(names[: len(names) - count]) or ".", foreign_folder or "/"


def installed_copies(path: str, measured: Iterable[str], in_package: bool) -> tuple[str, ...]:
    """Return those of the measured paths that are `path`'s module, installed; sorted.

    A module in a package is no copy of a top-level one that has its name.
    """
    names = _names(path)
    least = 2 if in_package else 1
    found = []
    for other in measured:
        theirs = _names(other)
        for folder in ("site-packages", "dist-packages"):
            if folder in theirs:
                module = theirs[theirs.index(folder) + 1 :]
                alike = names[-len(module) :] == module and len(module) >= least
                if alike and names != theirs:
                    found.append(other)
    return tuple(sorted(found))


def _names(path: str) -> list[str]:
    return [name for name in re.split(r"[/\\]", path) if name]


def _words(left_out: LeftOut) -> str:
    if left_out.option.endswith("omit"):
        return f'{left_out.option} has "{left_out.value}"'
    return f"it is not in {left_out.option}, {left_out.value}"


def _listed(names: tuple[str, ...]) -> str:
    return " or ".join(names)


def _paths_example(file: FileFacts, root: RootFacts) -> str:
    """Return the lines for pyproject.toml that would bring a measured path to this file."""
    measured = (file.elsewhere or file.copies)[:1]
    if not measured:
        return ""
    local, foreign = local_and_foreign(file.name, measured[0])
    if root.configuration_file and not root.configuration_file.endswith(".toml"):
        return f"In {root.configuration_file}: [paths] with `source = {local}` and `{foreign}`."
    quoted = foreign.replace("\\", "\\\\")
    return f'For pyproject.toml: [tool.coverage.paths] source = ["{local}", "{quoted}"]'
