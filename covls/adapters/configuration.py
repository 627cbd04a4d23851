"""coverage.py's configuration of one root, as coverage.py reads it, and the search for roots."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from covls.adapters.presence import is_file, is_folder, is_there
from covls.adapters.settings_files import read_settings_files
from covls.core.settings import Problem, read_settings

if TYPE_CHECKING:
    from coverage.config import CoverageConfig, TConfigParser

    from covls.core.absence import LeftOut

# Folders that hold no project of the user's own, however many files they have.
_NOT_SEARCHED = frozenset({"node_modules", "__pycache__", "site-packages", "build", "dist"})


@dataclass(frozen=True, slots=True)
class CoverageConfiguration:
    """What coverage.py resolves with the root as its current directory, no plugin imported.

    Folders and files that coverage.py would look for from the current directory are absolute here;
    patterns and regexes stand as they were written, environment variables and `~` replaced.
    """

    root: Path
    file: Path | None  # the file that gave the configuration, None where defaults hold
    files_tried: tuple[Path, ...]  # in coverage.py's order, up to the one that was used
    data_file: Path
    branch: bool
    relative_files: bool
    parallel: bool
    source: tuple[str, ...]  # as written: folders and packages
    source_folders: tuple[Path, ...]  # those of `source` and `source_dirs` that are folders
    source_packages: tuple[str, ...]  # the others, and `source_pkgs`
    run_include: tuple[str, ...]
    run_omit: tuple[str, ...]
    plugins: tuple[str, ...]
    concurrency: tuple[str, ...]
    core: str | None
    dynamic_context: str | None
    exclude: tuple[str, ...]  # exclude_lines and exclude_also
    partial: tuple[str, ...]  # partial_branches, partial_also and partial_branches_always
    report_include: tuple[str, ...]
    report_omit: tuple[str, ...]
    report_contexts: tuple[str, ...]
    include_namespace_packages: bool
    paths: Mapping[str, tuple[str, ...]]
    precision: int
    skip_empty: bool
    skip_covered: bool
    show_missing: bool
    ignore_errors: bool
    sort: str | None
    fail_under: float
    html_dir: Path
    json_show_contexts: bool
    json_pretty_print: bool
    problems: tuple[Problem, ...]


def read_configuration(root: Path) -> CoverageConfiguration:
    """Return the configuration coverage.py would use with `root` as its current directory.

    What is wrong in a file is reported in `problems` and ignored singly: coverage.py itself would
    refuse to start, but the data it wrote before is still worth showing. Environment variables
    (COVERAGE_RCFILE, COVERAGE_FILE, COVERAGE_CORE) count as they do for coverage.py.
    """
    root = _absolute(root)
    return _values(root, *_resolve(root))


def after_plugins(
    configuration: CoverageConfiguration, attributes: Mapping[str, Any]
) -> CoverageConfiguration:
    """Return the configuration as plugins have changed it, in a process of their own.

    `attributes` are those of coverage.py's `CoverageConfig`, by their own names.
    """
    from coverage.config import CoverageConfig

    config = CoverageConfig()
    vars(config).update(attributes)
    changed = _values(configuration.root, config, list(configuration.problems))
    return replace(changed, file=configuration.file, files_tried=configuration.files_tried)


def _values(root: Path, config: "CoverageConfig", problems: list[Problem]) -> CoverageConfiguration:
    def patterns(option: str, values: Iterable[str] | None) -> tuple[str, ...]:
        kept = []
        for value in values or ():
            if wrong := _wrong_pattern(value):
                problems.append(_option_problem(config, root, option, wrong))
            else:
                kept.append(value)
        return tuple(kept)

    def text(option: str, value: object) -> str | None:
        if value is None or isinstance(value, str):
            return value
        problems.append(_option_problem(config, root, option, f"{value!r} is not a string"))
        return None

    precision = config.precision
    if precision < 0:
        problems.append(
            _option_problem(config, root, "[report] precision", f"{precision} is negative")
        )
        precision = 0

    folders = [_absolute(root / folder) for folder in config.source_dirs]
    packages = list(config.source_pkgs)
    for entry in config.source or ():
        if is_folder(root / entry):
            folders.append(_absolute(root / entry))
        else:
            packages.append(entry)

    return CoverageConfiguration(
        root=root,
        file=Path(config.config_file) if config.config_file else None,
        files_tried=tuple(Path(file) for file in config.config_files_attempted),
        data_file=_absolute(root / config.data_file),
        branch=bool(config.branch),
        relative_files=bool(config.relative_files),
        parallel=bool(config.parallel),
        source=tuple(config.source or ()),
        source_folders=tuple(folders),
        source_packages=tuple(packages),
        run_include=patterns("[run] include", config.run_include),
        run_omit=patterns("[run] omit", config.run_omit),
        plugins=tuple(config.plugins),
        concurrency=tuple(config.concurrency),
        core=text("[run] core", config.core),
        dynamic_context=text("[run] dynamic_context", config.dynamic_context),
        exclude=tuple(config.exclude_list),
        # Coverage.py joins the two lists in this order into one regex.
        partial=tuple(config.partial_list) + tuple(config.partial_always_list),
        report_include=patterns("[report] include", config.report_include),
        report_omit=patterns("[report] omit", config.report_omit),
        report_contexts=_regexes(config, root, problems),
        include_namespace_packages=bool(config.include_namespace_packages),
        paths={name: tuple(values) for name, values in config.paths.items()},
        precision=precision,
        skip_empty=bool(config.skip_empty),
        skip_covered=bool(config.skip_covered),
        show_missing=bool(config.show_missing),
        ignore_errors=bool(config.ignore_errors),
        sort=text("[report] sort", config.sort),
        fail_under=float(config.fail_under),
        html_dir=_absolute(root / config.html_dir),
        json_show_contexts=bool(config.json_show_contexts),
        json_pretty_print=bool(config.json_pretty_print),
        problems=tuple(problems),
    )


def report_matcher(configuration: CoverageConfiguration) -> Callable[[str], bool]:
    """Return the test whether coverage.py's reports would show the file at an absolute path.

    Patterns without a leading wildcard are against the root. With `relative_files` coverage.py
    matches the relative name that stands in the data, so that is what is matched then.
    """
    root = Path(os.path.realpath(configuration.root))
    prefix = str(root).rstrip(os.sep) + os.sep
    include = omit = None
    if configuration.report_include:
        include = _glob_matcher(configuration.report_include, root)
    if configuration.report_omit:
        omit = _glob_matcher(configuration.report_omit, root)
    if include is None and omit is None:
        return lambda _: True

    def reported(path: str) -> bool:
        name = os.path.realpath(root / path)
        if configuration.relative_files and name.startswith(prefix):
            name = name[len(prefix) :]
        if include is not None and not include(name):
            return False
        return omit is None or not omit(name)

    return reported


def left_out_of_measuring(configuration: CoverageConfiguration, path: str) -> "LeftOut | None":
    """Return which option keeps coverage.py from measuring the file at an absolute path.

    As coverage.py's `InOrOut` decides, as far as that can be told without importing the packages of
    `source`: a package is taken to be wherever its name's parts stand in the path.
    """
    from covls.core.absence import LeftOut

    name = os.path.realpath(path)
    file = str(configuration.file or "coverage.py's configuration")
    if configuration.source_folders or configuration.source_packages:
        folders = [os.path.realpath(folder) for folder in configuration.source_folders]
        if not any(name.startswith(folder.rstrip(os.sep) + os.sep) for folder in folders) and not (
            any(_is_of_package(name, package) for package in configuration.source_packages)
        ):
            listed = [str(folder) for folder in configuration.source_folders]
            listed += configuration.source_packages
            return LeftOut("[run] source", ", ".join(listed), file)
    elif configuration.run_include:
        if _first_match(configuration.run_include, configuration.root, name) is None:
            return LeftOut("[run] include", ", ".join(configuration.run_include), file)
    elif any(part in {"site-packages", "dist-packages"} for part in Path(name).parts):
        return LeftOut("[run] source", "and installed packages are not measured without", file)
    pattern = _first_match(configuration.run_omit, configuration.root, name)
    return None if pattern is None else LeftOut("[run] omit", pattern, file)


def left_out_of_reports(configuration: CoverageConfiguration, path: str) -> "LeftOut | None":
    """Return which option keeps coverage.py's reports from showing the file at an absolute path."""
    from covls.core.absence import LeftOut

    if report_matcher(configuration)(path):
        return None
    file = str(configuration.file or "coverage.py's configuration")
    for pattern in configuration.report_omit:
        if not report_matcher(replace(configuration, report_include=(), report_omit=(pattern,)))(
            path
        ):
            return LeftOut("[report] omit", pattern, file)
    return LeftOut("[report] include", ", ".join(configuration.report_include), file)


def find_root(path: Path, within: Path | None = None) -> Path:
    """Return the folder whose coverage data and configuration `path` belongs to.

    The nearest ancestor with a data file (where its own configuration or covls's settings say,
    parallel parts included); else the nearest with configuration of coverage.py or covls; else
    `within`, the folder of the repository, or the file's own. A sub-project that has configuration
    but no data of its own therefore takes the data of the folder above that has it. Nothing above
    `within` is looked at, or, where it is not given, above the repository's folder.
    """
    start = _absolute(path)
    if not is_folder(start):
        start = start.parent
    top = _absolute(within) if within is not None else None
    if top is not None and top != start and not _is_below(start, top):
        top = None
    folders = tuple(_ancestors(start, top))
    configured = None
    for folder in folders:
        own, data = _has_configuration_and_data(folder)
        if data:
            return folder
        if own and configured is None:
            configured = folder
    if configured is not None:
        return configured
    if top is not None and folders[-1] == top:
        return top
    return folders[-1] if is_there(folders[-1] / ".git") else start


def find_roots(folder: Path, *, depth: int = 4, most: int = 2_000) -> tuple[Path, ...]:
    """Return the folders at or below `folder` that have coverage data or configuration, sorted.

    At most `most` folders down to `depth` levels are looked at, breadth first. Hidden folders,
    environments, installed packages and links to folders are left out.
    """
    roots: list[Path] = []
    level = [_absolute(folder)]
    looked_at = 0
    for _ in range(depth + 1):
        below: list[Path] = []
        for current in level:
            looked_at += 1
            if looked_at > most:
                return tuple(sorted(roots))
            if any(_has_configuration_and_data(current)):
                roots.append(current)
            below.extend(_searched_folders(current))
        level = below
    return tuple(sorted(roots))


def has_data(configuration: CoverageConfiguration) -> bool:
    """Return whether a data file or a parallel part of one lies where the configuration says."""
    return is_file(configuration.data_file) or bool(parallel_parts(configuration.data_file))


def parallel_parts(data_file: Path) -> tuple[Path, ...]:
    """Return the files that `coverage combine` would take together into `data_file`, sorted."""
    prefix = data_file.name + "."
    try:
        names = os.listdir(data_file.parent)  # noqa: PTH208  names are what is compared
    except OSError:
        return ()
    parts = (
        data_file.parent / name
        for name in sorted(names)
        if name.startswith(prefix) and not name.endswith("-journal")
    )
    return tuple(part for part in parts if is_file(part))


def _resolve(root: Path) -> tuple["CoverageConfig", list[Problem]]:
    """Read the files and the environment in coverage.py's order, as `read_coverage_config` does."""
    from coverage.config import CoverageConfig, config_files_to_try
    from coverage.exceptions import ConfigError, CoverageException

    problems: list[Problem] = []

    class ForgivingConfig(CoverageConfig):
        """Coverage.py's reader, except that an option with a wrong value keeps its default."""

        def _set_attr_from_config_option(
            self, cp: "TConfigParser", attr: str, where: str, type_: str = ""
        ) -> bool:
            try:
                return super()._set_attr_from_config_option(cp, attr, where, type_)
            except (ValueError, CoverageException) as error:
                section, option = where.split(":")
                problems.append(
                    Problem(
                        self.config_files_attempted[-1],
                        f"[{section}] {option}: {_one_line(error)}; coverage.py refuses this, "
                        "its default is used until it is corrected",
                    )
                )
                return True

    def load(file: str, our_file: bool) -> bool | None:
        """Read one file; None if it is there and cannot be read."""
        warnings: list[str] = []
        try:
            used = config.from_file(file, warnings.append, our_file=our_file)
        # Coverage.py's readers raise whatever tomllib, configparser or a value of an unexpected
        # type makes them raise; all of it is about this one file.
        except Exception as error:  # noqa: BLE001
            problems.append(
                Problem(
                    file,
                    f"coverage.py cannot read this file: {_one_line(error, file)}; correct it, "
                    "defaults are used until then",
                )
            )
            return None
        problems.extend(_unknown_option(file, warning) for warning in sorted(warnings))
        if not used:
            # Coverage.py passes over a file it may not open, without a word.
            try:
                Path(file).open("rb").close()
            except PermissionError:
                problems.append(Problem(file, "no permission to read this file: it is passed over"))
            except OSError:
                pass
        return used

    config = ForgivingConfig()
    for name, our_file, specified in config_files_to_try(True):
        file = str(root / name)
        used = load(file, our_file)
        if used is None:
            config.config_file = file
            break
        if used:
            break
        if specified:
            problems.append(
                Problem(
                    "COVERAGE_RCFILE",
                    f"{file} cannot be read; correct the environment variable or unset it",
                )
            )
            break

    if env_data_file := os.environ.get("COVERAGE_FILE"):
        config.data_file = env_data_file
    if env_core := os.environ.get("COVERAGE_CORE"):
        config.core = env_core
    if forced := os.environ.get("COVERAGE_FORCE_CONFIG"):
        load(str(root / forced), True)

    try:
        config.post_process()
    except ConfigError as error:
        problems.append(
            Problem(config.config_file or str(root), f"[run] concurrency: {_one_line(error)}")
        )
    return config, problems


def _option_problem(config: "CoverageConfig", root: Path, option: str, wrong: str) -> Problem:
    return Problem(config.config_file or str(root), f"{option}: {wrong}; ignored")


def _unknown_option(file: str, warning: str) -> Problem:
    """Turn coverage.py's warning about an option it does not know into a problem with a hint."""
    from coverage import __version__ as version
    from coverage.config import CoverageConfig

    match = re.match(r"Unrecognized option '\[(?P<section>.*?)\] (?P<option>.*)=' in ", warning)
    if match is None:
        return Problem(file, warning)
    section = re.sub(r"^(tool\.coverage\.|coverage:)", "", match["section"])
    known = [spec[1].split(":") for spec in CoverageConfig.CONFIG_FILE_OPTIONS]
    near = get_close_matches(match["option"], [name for place, name in known if place == section])
    elsewhere = [place for place, name in known if name == match["option"]]
    if near:
        hint = f"; did you mean {near[0]}?"
    elif elsewhere:
        hint = f"; it belongs in [{elsewhere[0]}]"
    else:
        hint = ""
    return Problem(
        file, f"[{section}] {match['option']} is no option of coverage.py {version}{hint}"
    )


def _one_line(error: Exception, file: str = "") -> str:
    """Return the message of an error on one line, without the file's name that stands beside it."""
    words = " ".join(str(error).split()) or type(error).__name__
    if file:
        words = words.removeprefix(f"Couldn't read config file {file}: ")
        words = words.replace(f"Source contains parsing errors: {file!r} ", "")
    return words


def _wrong_pattern(pattern: str) -> str | None:
    """Return what is wrong with a pattern for file names, None where coverage.py takes it."""
    from coverage.exceptions import ConfigError
    from coverage.files import globs_to_regex

    try:
        globs_to_regex([pattern])
    except (ConfigError, re.error) as error:
        return f"{pattern!r} is no pattern: {_one_line(error)}"
    return None


def _regexes(config: "CoverageConfig", root: Path, problems: list[Problem]) -> tuple[str, ...]:
    kept = []
    for regex in config.report_contexts or ():
        try:
            re.compile(regex)
        except re.error as error:
            wrong = f"{regex!r} is no regular expression: {error}"
            problems.append(_option_problem(config, root, "[report] contexts", wrong))
        else:
            kept.append(regex)
    return tuple(kept)


def _has_configuration_and_data(folder: Path) -> tuple[bool, bool]:
    """Return whether the folder itself configures coverage.py or covls, and whether it has data."""
    configuration = read_configuration(folder)
    own = configuration.file is not None and _is_below(configuration.file, folder)
    # Data that an environment variable puts in one place for every folder tells no folder from
    # another: it counts only for folders around it, or that name it themselves.
    if (own or _is_below(configuration.data_file, folder)) and has_data(configuration):
        return own, True
    for layer in read_settings_files(folder).layers:
        own = True
        settings, _ = read_settings(layer)
        if settings.data_file and is_file(folder / settings.data_file):
            return own, True
    return own, False


def _absolute(path: Path) -> Path:
    """Return a path made absolute and free of `..` by its words alone.

    Links stay as the user spells them, and a loop of links cannot raise, as `Path.resolve` does.
    """
    return Path(os.path.abspath(path))  # noqa: PTH100


def _first_match(patterns: Iterable[str], root: Path, path: str) -> str | None:
    """Return the first pattern that takes a real path, patterns being against the root."""
    for pattern in patterns:
        if _glob_matcher((pattern,), root)(path):
            return pattern
    return None


def _glob_matcher(patterns: Iterable[str], root: Path) -> Callable[[str], bool]:
    """Return coverage.py's matcher of files, for patterns prepared as if `root` were current."""
    from coverage.files import GlobMatcher

    prepared = []
    for pattern in patterns:
        prepared.append(pattern)
        if not pattern.startswith(("*", "?")):
            prepared.append(os.path.realpath(root / pattern))
    return GlobMatcher(prepared).match


def _is_of_package(path: str, package: str) -> bool:
    parts = package.split(".")
    names = list(Path(path).with_suffix("").parts)
    return any(names[start : start + len(parts)] == parts for start in range(len(names)))


def _is_below(path: Path, folder: Path) -> bool:
    return folder in path.parents


def _ancestors(start: Path, top: Path | None) -> Iterator[Path]:
    """Yield `start` and the folders above it that may be its root, nearest first."""
    # Unlike `Path.home()` this does not raise where there is no home folder.
    home = Path(os.path.expanduser("~"))  # noqa: PTH111
    for folder in (start, *start.parents):
        # Data left behind in the home folder or the file system's root by accident would
        # otherwise claim every file below.
        if folder != start and top is None and (folder == home or folder == folder.parent):
            return
        yield folder
        if folder == top or (top is None and is_there(folder / ".git")):
            return


def _searched_folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [
                entry.name
                for entry in entries
                if not entry.name.startswith(".")
                and entry.name not in _NOT_SEARCHED
                and entry.is_dir(follow_symlinks=False)
            ]
    except OSError:
        return []
    folders = (folder / name for name in sorted(names))
    return [below for below in folders if not is_there(below / "pyvenv.cfg")]
