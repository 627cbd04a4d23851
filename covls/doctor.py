"""What covls sees of one root or one file, as values, and what to do about each problem in it."""

import ntpath
import os
import posixpath
import re
import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

from covls import __version__
from covls.adapters.analysis_cache import cache_folder
from covls.adapters.configuration import (
    find_roots,
    has_data,
    left_out_of_measuring,
    left_out_of_reports,
    parallel_parts,
    read_configuration,
)
from covls.adapters.interpreter import Interpreter, find_interpreter
from covls.adapters.package_tool import install_command
from covls.adapters.presence import is_file, is_there
from covls.adapters.settings_files import SettingsFiles
from covls.adapters.test_framework import Framework, find_framework
from covls.core.absence import (
    Absence,
    FileFacts,
    RootFacts,
    common_end,
    explain,
    installed_copies,
    local_and_foreign,
)
from covls.core.marks import Freshness
from covls.core.report import counted
from covls.core.settings import Problem, Settings, client_layer, read_settings
from covls.project import Project

# How many names a sentence lists; the values hold all of them.
_LISTED = 3


class Level(StrEnum):
    """How much a finding matters."""

    ERROR = "error"  # settings or configuration are wrong, or there is nothing to show
    WARNING = "warning"  # what is shown is incomplete or not surely true
    NOTE = "note"  # nothing is wrong, but more could be had


@dataclass(frozen=True, slots=True)
class Finding:
    """Something worth knowing, in one sentence, and what to do about it."""

    level: Level
    topic: str  # "settings" | "configuration" | "data" | "files" | "environment"
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class PartFacts:
    """One file that the data was read from."""

    path: Path
    size: int
    written_at: float  # seconds since the epoch
    coverage_version: str | None
    files: int


@dataclass(frozen=True, slots=True)
class DataFacts:
    """The data that is on show."""

    file: Path
    parts: tuple[PartFacts, ...]
    written_at: float  # the oldest part's time
    schema: int
    coverage_version: str | None  # that wrote it
    branches: bool
    contexts: int  # other than the empty one
    tracers: tuple[str, ...]  # plugins that measured files


@dataclass(frozen=True, slots=True)
class Rule:
    """A foreign folder that stands for one here."""

    measured: str
    local: str
    files: int


@dataclass(frozen=True, slots=True)
class MeasuredFiles:
    """The measured files, and where they are on this machine."""

    measured: int
    found: int
    missing: Mapping[str, tuple[str, ...]]  # measured path → the nearest local files
    ambiguous: Mapping[str, tuple[str, ...]]  # measured path → the local files it may be
    rules: tuple[Rule, ...]
    changed: tuple[str, ...]  # found, but saved after the data was written


@dataclass(frozen=True, slots=True)
class TriedFile:
    """A file coverage.py would look for its configuration in."""

    path: Path
    state: str  # "used" | "nothing in it for coverage.py" | "not there"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What covls sees of one root."""

    covls_version: str
    python_version: str  # covls's own
    coverage_version: str  # that covls uses
    root: Path
    chosen_because: str
    other_roots: tuple[Path, ...]  # below it
    trusted: bool | None
    settings_file: Path | None
    settings: Mapping[str, object]  # those that differ from their defaults
    tried: tuple[TriedFile, ...]
    environment: Mapping[str, str]  # variables that coverage.py listens to
    data_file: Path  # where the data is looked for
    source: tuple[str, ...]
    plugins: tuple[str, ...]
    core: str | None
    data: DataFacts | None
    files: MeasuredFiles | None
    interpreter: Interpreter | None
    tests: str  # what runs them, and why that
    cache_folder: Path
    cache_bytes: int
    findings: tuple[Finding, ...]  # what matters most first

    def has_wrong_settings(self) -> bool:
        """Whether anything is wrong in covls's settings or coverage.py's configuration."""
        topics = {"settings", "configuration"}
        return any(f.level is Level.ERROR and f.topic in topics for f in self.findings)

    def data_is_usable(self) -> bool:
        """Whether there is data with at least one file that is here."""
        return self.files is not None and self.files.found > 0


def diagnose(project: Project, files: SettingsFiles, problems: Iterable[Problem] = ()) -> Diagnosis:
    """Return what covls sees of a project that has looked at its data.

    `files` are the settings files of its root, `problems` what was wrong in the settings.
    """
    configuration = project.configuration
    runs, problems, for_runs = _settings_of_runs(project, files, problems)
    framework = find_framework(project.root, runs)
    interpreter = framework.interpreter
    data = _data(project)
    measured = _measured_files(project)
    other_roots = tuple(root for root in find_roots(project.root) if root != project.root)
    folder = cache_folder()
    return Diagnosis(
        covls_version=__version__,
        python_version=".".join(map(str, sys.version_info[:3])),
        coverage_version=version("coverage"),
        root=project.root,
        chosen_because=_why_this_root(project, files, data is not None),
        other_roots=other_roots,
        trusted=project.trusted,
        settings_file=files.file,
        settings=_changed_settings(runs, Settings()),
        tried=tuple(
            TriedFile(
                path,
                "used"
                if path == configuration.file
                else "nothing in it for coverage.py"
                if is_there(path)
                else "not there",
            )
            for path in configuration.files_tried
        ),
        environment={
            name: value
            for name, value in sorted(os.environ.items())
            if name in ("COVERAGE_CORE", "COVERAGE_FILE", "COVERAGE_RCFILE")
        },
        data_file=configuration.data_file,
        source=configuration.source,
        plugins=configuration.plugins,
        core=configuration.core,
        data=data,
        files=measured,
        interpreter=interpreter,
        tests=framework.words(),
        cache_folder=folder,
        cache_bytes=_bytes_below(folder),
        findings=tuple(
            sorted(
                (
                    *_settings_findings(project, files, problems, interpreter),
                    *_trust_findings(for_runs),
                    *_data_findings(project, data, other_roots),
                    *_file_findings(project, measured),
                    *_environment_findings(project, data, interpreter),
                    *_test_findings(framework),
                ),
                key=lambda finding: list(Level).index(finding.level),
            )
        ),
    )


def absence(project: Project, path: Path) -> Absence | None:
    """Return why a file's coverage cannot be shown or is not true, None if nothing is wrong."""
    return explain(*facts(project, path))


def facts(project: Project, path: Path) -> tuple[FileFacts, RootFacts]:
    """Return what is known of a file and of its root, for `covls.core.absence.explain`."""
    configuration = project.configuration
    snapshot, located = project.snapshot, project.located
    local = os.path.realpath(path)
    root = str(project.root)
    name = os.path.relpath(local, root) if _is_below(local, root) else local
    root_facts = RootFacts(
        root=root,
        data_file=str(configuration.data_file),
        test_command=test_command(project.root),
        has_data=snapshot is not None,
        data_problem="" if snapshot is not None else project.status().message,
        configuration_file=str(configuration.file or ""),
    )
    if snapshot is None:
        return FileFacts(local, name, exists=is_file(Path(local))), root_facts
    measured_as = next((m for m, found in located.found.items() if found == local), None)
    ambiguous = [(m, others) for m, others in located.ambiguous.items() if local in others]
    near = [measured for measured, nearest in located.missing.items() if local in nearest]
    foreign = [m for m in near if not _is_of_root(m, root) and common_end(m, local)]
    elsewhere = [measured for measured, _ in ambiguous] or foreign
    before = [m.removeprefix(root + os.sep) for m in near if _is_of_root(m, root)]
    in_package = is_file(Path(local).parent / "__init__.py")
    failure, statements, excluded, executed, verified = "", 0, 0, 0, True
    if measured_as is not None:
        view = project.view(Path(local))
        if view is None:
            failures = [p.message for p in project.problems if p.where == local]
            failure = failures[0] if failures else "it could not be read"
        else:
            analysis, totals = view.coverage.analysis, view.coverage.totals
            statements, excluded = len(analysis.statements), len(analysis.excluded)
            executed = totals.n_executed
            verified = view.freshness is Freshness.FRESH
    file_facts = FileFacts(
        path=local,
        name=name,
        exists=is_file(Path(local)),
        below_root=_is_below(local, root),
        in_package=in_package,
        in_source=any(
            _is_below(local, os.path.realpath(folder)) for folder in configuration.source_folders
        ),
        # No time tells of what was measured elsewhere.
        modified_after_data=project.pulled is None and _modified(local) > snapshot.written_at,
        verified=verified,
        measured_as=measured_as,
        failure=failure,
        statements=statements,
        excluded=excluded,
        executed=executed,
        not_measured=left_out_of_measuring(configuration, local),
        not_reported=left_out_of_reports(configuration, local),
        elsewhere=tuple(sorted(elsewhere)),
        before=tuple(sorted(before)),
        ambiguous=tuple(
            sorted({os.path.relpath(o, root) for _, others in ambiguous for o in others} - {name})
        ),
        copies=installed_copies(local, located.found.values(), in_package),
        installed="" if measured_as else _installed(project, local, in_package),
    )
    return file_facts, root_facts


def test_command(root: Path) -> str:
    """Return the command that most probably runs the root's tests under coverage."""
    go_there = f"cd {shlex.quote(str(root))} && "
    if is_file(root / "manage.py"):
        return go_there + "coverage run manage.py test"
    return go_there + ("pytest" if _pytest_cov_options(root) else "coverage run -m pytest")


def _pytest_cov_options(root: Path) -> list[str]:
    """Return the options of pytest-cov that the root's configuration of pytest holds."""
    options: list[str] = []
    for name in ("pyproject.toml", "pytest.ini", "tox.ini", "setup.cfg"):
        try:
            text = (root / name).read_text("utf-8", errors="replace")
        except OSError:
            continue
        for line in text.splitlines():
            if not line.lstrip().startswith(("#", ";")):
                options += re.findall(r"--cov\b[\w-]*(?:[= ][^\s\"',\]]+)?", line)
    return options


def _why_this_root(project: Project, files: SettingsFiles, has_data: bool) -> str:
    if has_data or is_there(project.configuration.data_file):
        return "it has coverage data"
    if project.configuration.file is not None:
        return "it has coverage.py's configuration"
    if files.file is not None:
        return "it has covls's settings"
    if is_there(project.root / ".git"):
        return "it is the repository's folder"
    return "neither it nor a folder above has coverage data or configuration"


def _data(project: Project) -> DataFacts | None:
    snapshot = project.snapshot
    if snapshot is None:
        return None
    return DataFacts(
        file=snapshot.data_file,
        parts=tuple(
            PartFacts(part.path, _size(part.path), part.mtime, part.version, part.files)
            for part in snapshot.parts
        ),
        written_at=snapshot.written_at,
        schema=snapshot.schema,
        coverage_version=snapshot.coverage_version,
        branches=snapshot.has_arcs,
        contexts=sum(1 for context in snapshot.contexts if context),
        tracers=tuple(sorted({snapshot.tracer(path) for path in snapshot.paths} - {""})),
    )


def _measured_files(project: Project) -> MeasuredFiles | None:
    snapshot, located = project.snapshot, project.located
    if snapshot is None:
        return None
    return MeasuredFiles(
        measured=len(snapshot.paths),
        found=len(located.found),
        missing=dict(sorted(located.missing.items())),
        ambiguous=dict(sorted(located.ambiguous.items())),
        rules=tuple(Rule(rule.measured, rule.local, rule.files) for rule in located.mounts),
        changed=tuple(
            sorted(
                os.path.relpath(local, project.root)
                for local in located.found.values()
                if project.pulled is None and _modified(local) > snapshot.written_at
            )
        ),
    )


def _settings_of_runs(
    project: Project, files: SettingsFiles, problems: Iterable[Problem]
) -> tuple[Settings, list[Problem], list[Problem]]:
    """The settings by which `covls run` goes, and what is wrong with them.

    Where nobody said whether the workspace is trusted, that command takes settings that are
    ignored otherwise: the third are the problems that are none to it.
    """
    found = list(problems)
    if project.trusted is not None:
        return project.settings, found, []
    runs, wrong = read_settings(*files.layers, client_layer({"trusted": True}, "command line"))
    for_runs = [problem for problem in found if problem not in wrong]
    if not for_runs:
        return project.settings, found, []
    # Nobody said so, whatever those settings were read with.
    return replace(runs, trusted=None), [each for each in found if each in wrong], for_runs


def _trust_findings(for_runs: Iterable[Problem]) -> Iterable[Finding]:
    for problem in for_runs:
        yield Finding(
            Level.NOTE,
            "settings",
            f"`{problem.where}` is taken by `covls run`, as you run that yourself. An editor "
            "ignores it, and so do all other commands, as long as nobody says that the workspace "
            "is trusted.",
            "If you trust it: `covls.trusted` in the editor's settings, or `--trusted`.",
        )


def _settings_findings(
    project: Project,
    files: SettingsFiles,
    problems: Iterable[Problem],
    interpreter: Interpreter | None,
) -> Iterable[Finding]:
    for problem in (*files.problems, *problems):
        yield Finding(
            Level.ERROR, "settings", str(problem), "See the settings in docs/settings.md."
        )
    if interpreter is not None and not interpreter.exists:
        yield Finding(
            Level.ERROR,
            "settings",
            f"The setting `python` names {interpreter.python}, which is not there.",
            "Correct it, or leave it out to have the interpreter found.",
        )
    if not project.settings.enable:
        yield Finding(
            Level.NOTE,
            "settings",
            "covls is switched off here by `enable = false`.",
            "Take that out of the settings, or set it to true.",
        )
    if project.settings.watch.mode == "off":
        yield Finding(
            Level.NOTE,
            "settings",
            "New data is not noticed, because of `watch.mode`.",
            'Set it to "auto" to have marks follow the test runs.',
        )
    if project.pulled is not None:
        yield Finding(
            Level.NOTE,
            "data",
            f"What is shown is not data of your own. {project.status().message}",
            "A run of the tests takes its place; `covls pull` fetches what is newer.",
        )
    for problem in project.configuration.problems:
        yield Finding(Level.ERROR, "configuration", str(problem))
    for option in _pytest_cov_options(project.root):
        name = option.removeprefix("--cov-config").lstrip("= ")
        file = project.root / name
        if option != name and is_file(file) and file != project.configuration.file:
            yield Finding(
                Level.WARNING,
                "configuration",
                f"pytest measures with `{option}`, which coverage.py's reports and covls do not "
                "find by themselves.",
                f"Set the environment variable COVERAGE_RCFILE={name} where editors and reports "
                "run, or move that configuration to .coveragerc or pyproject.toml.",
            )
    if project.configuration.plugins and not project.trusted:
        listed = ", ".join(project.configuration.plugins)
        yield Finding(
            Level.WARNING,
            "configuration",
            f"coverage.py's plugins are not loaded, because this workspace is not trusted: "
            f"{listed}. Files that only they understand are not shown, and what they configure "
            "is not known.",
            "If you trust it: `covls doctor --trusted`, or `trusted: true` in the editor's "
            "settings.",
        )


def _data_findings(
    project: Project, data: DataFacts | None, other_roots: Iterable[Path]
) -> Iterable[Finding]:
    snapshot, configuration = project.snapshot, project.configuration
    again = test_command(project.root)
    if snapshot is None or data is None:
        # A message of the data file's own says what to do, but not by which command.
        message = project.status().message
        if not message:
            message = f"There is no coverage data: {configuration.data_file} is not there."
        yield Finding(Level.ERROR, "data", message, f"To measure: {again}")
        for other in other_roots:
            if has_data(read_configuration(other)):
                yield Finding(
                    Level.NOTE,
                    "data",
                    f"There is data in a folder below: {other}.",
                    f"Look there: covls doctor {shlex.quote(str(other))}",
                )
        for name in ("coverage.xml", "coverage.json", "coverage.lcov", "lcov.info"):
            if is_file(project.root / name):
                yield Finding(
                    Level.NOTE,
                    "data",
                    f"{name} is a report made from the data; covls reads the data itself.",
                    f"Keep {configuration.data_file.name} as well, where that report is made.",
                )
        return
    for text in snapshot.problems:
        yield Finding(Level.WARNING, "data", text)
    parts = parallel_parts(configuration.data_file)
    if parts:
        yield Finding(
            Level.NOTE,
            "data",
            f"{counted(len(parts), 'parallel part')} beside {configuration.data_file.name}, "
            "shown as `coverage combine` would put them together.",
            f"To put them together on disk: cd {shlex.quote(str(project.root))} && "
            "coverage combine",
        )
    if configuration.branch and not data.branches:
        yield Finding(
            Level.WARNING,
            "data",
            "Branches are configured (`branch = true` in [run]), but the data has none: it was "
            "written before that, or with another configuration.",
            f"Run the tests again: {again}",
        )
    if not data.contexts:
        yield Finding(
            Level.NOTE,
            "data",
            "The data does not say which test ran which line, so no tests are shown.",
            "Record it with `pytest --cov --cov-context=test`, or `dynamic_context = "
            '"test_function"` in [run].',
        )
    elif configuration.core == "sysmon":
        yield Finding(
            Level.WARNING,
            "data",
            "Tests were recorded with `core = sysmon`, which keeps only the first test of each "
            "line.",
            f'Set `core = "ctrace"` in [run], then run the tests again: {again}',
        )


def _file_findings(project: Project, files: MeasuredFiles | None) -> Iterable[Finding]:
    if files is None:
        return
    again = f"Run the tests again: {test_command(project.root)}"
    if not files.measured:
        yield Finding(
            Level.ERROR,
            "data",
            "The data has no files: nothing was measured.",
            "See that `source`, `include` and `omit` of coverage.py's configuration, or `--cov` "
            f"of your command, name your code. {again}",
        )
    root = str(project.root)
    toml = project.configuration.file is None or project.configuration.file.suffix == ".toml"
    for measured, candidates in list(files.ambiguous.items())[:_LISTED]:
        names = [os.path.relpath(path, root) for path in candidates]
        yield Finding(
            Level.WARNING,
            "files",
            f"{measured} was measured elsewhere, and may be {' or '.join(names)}: it is not shown.",
            f"Say which with coverage.py's [paths]. {_paths_lines(measured, names[0], toml)}",
        )
    if (more := len(files.ambiguous) - _LISTED) > 0:
        yield Finding(Level.WARNING, "files", f"{more} more measured files are ambiguous.")
    if files.missing:
        names = list(files.missing)
        remedy = f"What was moved or deleted leaves the data with the next full run. {again}"
        foreign = [
            (measured, local)
            for measured, nearest in files.missing.items()
            for local in nearest
            if common_end(measured, local) and not _is_of_root(measured, root)
        ]
        if foreign:
            nearest, local = foreign[0][0], os.path.relpath(foreign[0][1], root)
            remedy = (
                f"If {nearest} is {local}, say so with coverage.py's [paths]. "
                f"{_paths_lines(nearest, local, toml)}"
            )
        verb = "is" if len(names) == 1 else "are"
        yield Finding(
            Level.WARNING,
            "files",
            f"{counted(len(names), 'measured file')} {verb} not on this machine: {_some(names)}.",
            remedy,
        )
    if files.changed:
        yield Finding(
            Level.WARNING,
            "files",
            "Saved after the data was written, so that what is shown may not be true any more: "
            f"{_some(files.changed)}.",
            again,
        )


def _environment_findings(
    project: Project, data: DataFacts | None, interpreter: Interpreter | None
) -> Iterable[Finding]:
    if interpreter is None:
        yield Finding(
            Level.NOTE,
            "environment",
            "No Python interpreter of the project was found; covls reads sources with its own.",
            "Name it in the setting `python` if there is one.",
        )
        return
    if interpreter.exists and interpreter.site_packages and interpreter.coverage_version is None:
        yield Finding(
            Level.WARNING if data is None else Level.NOTE,
            "environment",
            f"coverage.py is not installed for {interpreter.python}.",
            install_command(project.root, interpreter, "coverage"),
        )
    newer = interpreter.version and _numbers(interpreter.version)[:2] > sys.version_info[:2]
    if newer and not project.trusted:
        own = ".".join(map(str, sys.version_info[:2]))
        yield Finding(
            Level.NOTE,
            "environment",
            f"The project runs on Python {interpreter.version}, covls on {own}: files with newer "
            "syntax cannot be analysed while this workspace is not trusted.",
            "Trust it, or install covls for a newer Python.",
        )


def _test_findings(framework: Framework) -> Iterable[Finding]:
    # That there is no interpreter, or not where the settings say, is told already.
    if framework.problem and framework.interpreter is not None and framework.interpreter.exists:
        yield Finding(Level.NOTE, "environment", framework.problem, framework.remedy)
    for sentence in framework.left_out:
        yield Finding(Level.NOTE, "environment", sentence)
    if why := framework.command.why_as_it_is:
        yield Finding(
            Level.NOTE,
            "settings",
            "The command of `run.command` is run as it is, so that it cannot be seen which test "
            f"runs what: {why}.",
            "Name pytest, `python -m unittest` or `manage.py test` in it, also behind `uv run`.",
        )


def _paths_lines(measured: str, local: str, toml: bool) -> str:
    """Return the configuration that maps a measured path's folder to a local one's."""
    ours, foreign = local_and_foreign(local, measured)
    if not toml:
        return f"[paths] with `source = {ours}` and `{foreign}`."
    quoted = foreign.replace("\\", "\\\\")
    return f'For pyproject.toml: [tool.coverage.paths] source = ["{ours}", "{quoted}"]'


def _changed_settings(settings: object, defaults: object, prefix: str = "") -> dict[str, object]:
    changed: dict[str, object] = {}
    assert is_dataclass(settings)
    for field in fields(settings):
        value, default = getattr(settings, field.name), getattr(defaults, field.name)
        if is_dataclass(value):
            changed |= _changed_settings(value, default, f"{prefix}{field.name}.")
        elif value != default:
            changed[prefix + field.name] = value
    return changed


def _installed(project: Project, local: str, in_package: bool) -> str:
    """Return the copy of a module that is installed beside the project, if there is one."""
    interpreter = find_interpreter(project.root, project.settings.python)
    if interpreter is None:
        return ""
    parts = Path(local).parts
    for folder in interpreter.site_packages:
        for count in range(len(parts) - 1, 1 if in_package else 0, -1):
            candidate = folder.joinpath(*parts[-count:])
            if is_file(candidate) and not candidate.samefile(local):
                return str(candidate)
    return ""


def _some(names: Iterable[str]) -> str:
    names = list(names)
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip(os.sep) + os.sep)


def _is_of_root(measured: str, root: str) -> bool:
    """Whether a measured path, of whatever system, is one of a file that was in this root."""
    absolute = posixpath.isabs(measured) or ntpath.isabs(measured)
    return not absolute or _is_below(measured, root)


def _modified(path: str) -> float:
    """Return when a file was last modified, seconds since the epoch; 0 if it is not there."""
    try:
        return Path(path).stat().st_mtime
    except (OSError, ValueError):
        return 0.0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _bytes_below(folder: Path) -> int:
    return sum(_size(Path(parent, name)) for parent, _, names in os.walk(folder) for name in names)


def _numbers(version_text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version_text.split(".") if part.isdigit())
