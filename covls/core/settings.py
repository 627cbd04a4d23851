"""Covls's settings: typed values with defaults, read from layers, and what was wrong in those."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from difflib import get_close_matches
from functools import cache
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

Severity = Literal["hint", "information", "warning", "error"]
Scope = Literal["all", "patch"]
WatchMode = Literal["auto", "native", "poll", "off"]
OnSave = Literal["off", "file", "affected"]
ShowPulled = Literal["missing", "newer", "always", "never"]
NoBase = Literal["pass", "fail"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong that was found and passed over; `str()` of it is one clear line."""

    where: str  # a setting as the user wrote it ("tool.covls.watch.mode"), or a file
    message: str

    def __str__(self) -> str:
        # What is wrong with a file is often a sentence that names it.
        if self.where in self.message:
            return self.message
        return f"`{self.where}`: {self.message}"


@dataclass(frozen=True, slots=True)
class About:
    """What a setting is for, beside its type: the schema and the documentation are made from it."""

    description: str
    minimum: float | None = None
    maximum: float | None = None
    restricted: bool = (
        False  # names something that would run: in the workspace's files only if trusted
    )
    client_only: bool = False  # never from the workspace's files
    required: bool = False  # of an item of a list of tables: there is none without it


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """Uncovered lines as the editor's diagnostics."""

    enable: Annotated[bool, About("Publish uncovered lines as diagnostics.")] = True
    severity: Annotated[Severity, About("Severity of the diagnostics of uncovered code.")] = "hint"
    partial: Annotated[bool, About("Report branches that were never taken, too.")] = True
    lost_severity: Annotated[
        Severity | None,
        About(
            "Severity of the diagnostics of code that a run before covered, and the last one does "
            "not. Unset: as for other uncovered code."
        ),
    ] = None
    stale: Annotated[bool, About("Report a file whose coverage is no longer of its text.")] = True
    patch_severity: Annotated[
        Severity | None,
        About(
            "Severity of the diagnostics of uncovered code that the work here changed. Unset: as "
            "that of others."
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class Editor:
    """What of a file's coverage is shown."""

    scope: Annotated[
        Scope,
        About(
            "What to show coverage of: all code, or the patch alone, that is what was changed "
            "since the merge base with the default branch, unsaved edits included."
        ),
    ] = "all"
    base: Annotated[
        str | None,
        About(
            "What the patch is told against: a branch, a tag or a commit. Unset: the default "
            "branch, as git knows it."
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class Hover:
    """What is shown for the line under the pointer."""

    enable: Annotated[bool, About("Tell on hover whether and by which tests a line is run.")] = True


@dataclass(frozen=True, slots=True)
class Lens:
    """Figures over functions and classes."""

    enable: Annotated[
        bool, About("Show the figure of each function and class over it, as a code lens.")
    ] = True


@dataclass(frozen=True, slots=True)
class Hints:
    """Words at the ends of lines."""

    enable: Annotated[
        bool,
        About(
            "Show at the ends of lines, as inlay hints, how many tests run them, and which lines "
            "and branches none does."
        ),
    ] = False


@dataclass(frozen=True, slots=True)
class Watch:
    """How changes of the data file are noticed."""

    mode: Annotated[
        WatchMode,
        About(
            "How to notice new data: by the system's file events, by polling, not at all; "
            "auto polls where there are no events."
        ),
    ] = "auto"
    settle: Annotated[
        float,
        About(
            "Seconds the data must be quiet before results that have lost lines are shown, "
            "where it cannot be seen whether a test run is under way.",
            minimum=0,
            maximum=3600,
        ),
    ] = 10.0


@dataclass(frozen=True, slots=True)
class Cache:
    """The cache of analysed files, in the user's cache folder; safe to delete."""

    max_mb: Annotated[
        int, About("Megabytes the cache may take; 0 keeps nothing.", minimum=0, maximum=1_048_576)
    ] = 256


@dataclass(frozen=True, slots=True)
class Ledger:
    """The sources as they were when data landed, in the user's cache folder; safe to delete."""

    max_mb: Annotated[
        int,
        About(
            "Megabytes that measured sources may take; 0 keeps none, and coverage of files that "
            "changed since the data was written is only told where git has what was measured.",
            minimum=0,
            maximum=1_048_576,
        ),
    ] = 256
    max_days: Annotated[
        int,
        About("Days after which measured sources are let go of.", minimum=1, maximum=36_500),
    ] = 90


@dataclass(frozen=True, slots=True)
class Run:
    """How tests are run, and when."""

    on_save: Annotated[
        OnSave,
        About(
            "Tests to run when a file is saved, in trusted workspaces: none, those of the file, "
            "or those that the changes since the last run affect."
        ),
    ] = "off"
    command: Annotated[
        tuple[str, ...],
        About(
            "The command that runs the tests, such as `uv run pytest` or `uv run coverage run "
            "--source=. manage.py test`, a string for each word. Empty: pytest, unittest or "
            "Django's `manage.py test`, as the project uses it, in its own interpreter.",
            restricted=True,
        ),
    ] = ()
    arguments: Annotated[
        tuple[str, ...],
        About("Arguments to pass on to the test runner, a string for each.", restricted=True),
    ] = ()
    timeout: Annotated[
        float,
        About("Seconds after which a run is ended; 0 lets it take as long as it takes.", minimum=0),
    ] = 0.0
    workers: Annotated[
        int | None,
        About(
            "Processes that share a run, where pytest-xdist is installed; 0: none but the "
            "runner's own. Unset: one a core for large runs.",
            minimum=0,
            maximum=256,
        ),
    ] = None
    unread: Annotated[
        tuple[str, ...],
        About(
            "Files that no test reads, as paths or patterns from the root, such as `notes` or "
            "`**/*.drawio`: when one changes, no test has to run for it. Python files and "
            "configuration are not meant."
        ),
    ] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """Coverage from CI: where `covls push` leaves it, and `covls pull` finds it."""

    url: Annotated[
        str | None,
        About(
            "Where measured data are shared: a folder (against the root), `https://`, `s3://`, "
            "`gs://`, `az://`, or `history`: its database. Credentials come from the environment.",
            restricted=True,
        ),
    ] = None
    show: Annotated[
        ShowPulled,
        About(
            "When data that was pulled is shown: where the project has none of its own (missing), "
            "where it was pulled after the project's own was written, too (newer), always, or "
            "never."
        ),
    ] = "missing"
    max_mb: Annotated[
        int,
        About("Megabytes that one pull may take.", minimum=1, maximum=1_048_576),
    ] = 1024


_PERCENT: dict[str, Any] = {"minimum": 0, "maximum": 100}


@dataclass(frozen=True, slots=True)
class Gates:
    """What `covls check` asks for, in percent of statements and branches."""

    total: Annotated[float | None, About("The least of all code.", **_PERCENT)] = None
    patch: Annotated[
        float | None, About("The least of the statements that the work here changed.", **_PERCENT)
    ] = None
    min_patch: Annotated[
        int,
        About("Statements a patch must have for `patch` to judge it; smaller ones pass.", 0),
    ] = 0
    changed_files: Annotated[
        float | None,
        About("The least of all code of the files that the work here changed.", **_PERCENT),
    ] = None
    new_files: Annotated[
        float | None, About("The least of all code of files that are new.", **_PERCENT)
    ] = None
    paths: Annotated[
        Mapping[str, float],
        About(
            "The least of folders and files, by their path or a pattern: "
            '`"app/models/" = 90`. A file is judged by the longest that it is below.',
            **_PERCENT,
        ),
    ] = field(default_factory=dict)
    max_drop: Annotated[
        float | None,
        About(
            "Points that the total may be below that of the base, what was deleted since not "
            "counted.",
            **_PERCENT,
        ),
    ] = None
    base_report: Annotated[
        str | None,
        About("A JSON report of the base for `max_drop`, as of `covls report --format json`."),
    ] = None
    no_base: Annotated[
        NoBase, About("What `max_drop` says where nothing is known of the base.")
    ] = "pass"
    ratchet: Annotated[
        float | None,
        About("A floor of the total that `covls check --ratchet` raises to it.", **_PERCENT),
    ] = None


@dataclass(frozen=True, slots=True)
class History:
    """What past runs measured, by commit, in a database."""

    url: Annotated[
        str | None,
        About(
            "The database of the history, such as "
            "`postgresql+psycopg://covls@db.example.org/coverage`; COVLS_HISTORY_URL in the "
            "environment goes over it, and is the place for a password. Unset: "
            "`.covls/history.sqlite` in the root, for git to ignore."
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class Alerts:
    """What is told, outside of the project, of failed gates and of drops."""

    branches: Annotated[
        tuple[str, ...],
        About("The branches that alerts are sent of, by their names or patterns."),
    ] = ("main", "master")
    drop: Annotated[
        float,
        About(
            "Points that the total may drop from one recorded run to the next without an alert.",
            **_PERCENT,
        ),
    ] = 0.5
    variable: Annotated[
        str,
        About(
            "The variable of the environment that has the addresses. They have passwords in "
            "them, and stand nowhere else.",
        ),
    ] = "COVLS_ALERT_URLS"
    timeout: Annotated[
        float,
        About("Seconds that a service may take to answer.", minimum=0.1, maximum=600),
    ] = 10.0
    required: Annotated[
        bool, About("Fail, as a gate does, where an alert cannot be sent to a service.")
    ] = False


@dataclass(frozen=True, slots=True)
class PriorityRule:
    """What testing some files is worth to the project, and how it is done there."""

    match: Annotated[
        str,
        About(
            "The files that are meant, by their path or a pattern, or that of a folder: "
            "`**/management/commands/**`, `app/models/`.",
            required=True,
        ),
    ] = ""
    weight: Annotated[
        float | None,
        About(
            "What their score is multiplied by; 0 leaves them out. Where several match a file, the "
            "last one that has a weight counts.",
            minimum=0,
            maximum=1000,
        ),
    ] = None
    advice: Annotated[
        str | None,
        About(
            "What to say of how they are tested. Where several match a file, the last one that "
            "says something counts."
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class Settings:
    """All of covls's settings, nested as they are written."""

    enable: Annotated[bool, About("Show coverage.")] = True
    trusted: Annotated[
        bool | None,
        About(
            "Whether code of the workspace may run: coverage.py's configuration plugins, the "
            "project's interpreter. Unset: only when a run is asked for.",
            client_only=True,
        ),
    ] = None
    python: Annotated[
        str | None,
        About(
            "The project's Python interpreter. Unset: found in the environment.", restricted=True
        ),
    ] = None
    data_file: Annotated[
        str | None,
        About(
            "The data file to show, against the root. Unset: where coverage.py's own "
            "configuration puts it."
        ),
    ] = None
    roots: Annotated[
        tuple[str, ...],
        About(
            "Folders that have coverage data of their own, against the workspace's folder. "
            "Empty: the nearest folder with data, or else with coverage configuration."
        ),
    ] = ()
    diagnostics: Annotated[Diagnostics, About("Uncovered lines as diagnostics.")] = Diagnostics()
    editor: Annotated[Editor, About("What of a file's coverage is shown.")] = Editor()
    hover: Annotated[Hover, About("What is shown for the line under the pointer.")] = Hover()
    lens: Annotated[Lens, About("Figures over functions and classes.")] = Lens()
    hints: Annotated[Hints, About("Words at the ends of lines.")] = Hints()
    watch: Annotated[Watch, About("How changes of the data file are noticed.")] = Watch()
    cache: Annotated[Cache, About("The cache of analysed files.")] = Cache()
    ledger: Annotated[Ledger, About("The sources as they were when data landed.")] = Ledger()
    run: Annotated[Run, About("How tests are run, and when.")] = Run()
    share: Annotated[Share, About("Coverage from CI, for those who have the code.")] = Share()
    gates: Annotated[Gates, About("What `covls check` asks for.")] = Gates()
    history: Annotated[History, About("What past runs measured, by commit.")] = History()
    alerts: Annotated[
        Alerts, About("What is told, outside of the project, of failed gates and of drops.")
    ] = Alerts()
    priorities: Annotated[
        tuple[PriorityRule, ...],
        About("What testing some files is worth, for `covls priorities`; a table for each rule."),
    ] = ()


class Layer(NamedTuple):
    """Settings as they were found in one place: plain values under their keys."""

    name: str  # how the user would name the place: "tool.covls", "covls.toml", "covls"
    values: Mapping[str, object]
    client: bool = False  # from the editor or the command line, not from a file of the workspace


def client_layer(values: object, name: str = "covls") -> Layer:
    """Return the layer of an editor's settings, with or without an outer "covls" key.

    Keys may be dotted ("covls.watch.mode"), as some editors keep them. Anything but an object (a
    client may send null or an empty list) holds no settings.
    """
    if not isinstance(values, Mapping):
        return Layer(name, {}, client=True)
    nested = _nested(values)
    if "covls" in nested:
        inner = nested["covls"]
        nested = inner if isinstance(inner, dict) else {}
    return Layer(name, nested, client=True)


def read_settings(*layers: Layer) -> tuple[Settings, tuple[Problem, ...]]:
    """Return the settings of all layers, later ones over earlier ones, and what is wrong in them.

    A wrong value or an unknown key is reported with its path as it was written, and only it is
    ignored. Null means unset. Keys are taken in camelCase, snake_case and kebab-case.
    """
    problems: list[Problem] = []
    settings = Settings()
    # Trust is given by the client alone, and decides what the workspace's files may say.
    given = [_given_trust(layer) for layer in layers if layer.client]
    trusted = [trust for trust in given if trust is not None][-1:] == [True]
    for layer in layers:
        reader = _Reader(layer.client, trusted, problems)
        separator = ": " if layer.name.endswith(".toml") else "."
        settings = reader.section(settings, layer.values, layer.name + separator)
    return settings, tuple(problems)


class Setting(NamedTuple):
    """One setting, for documentation: its dotted path, type in words, default and purpose."""

    path: str
    type: str
    default: object
    about: About
    items: tuple["Setting", ...] = ()
    """What each table of a list of tables has."""


def all_settings(defaults: Any = None, prefix: str = "") -> Iterator[Setting]:
    """Yield every setting in the order of the dataclasses."""
    defaults = Settings() if defaults is None else defaults
    for name, (kind, about) in _options(defaults.__class__).items():
        default = getattr(defaults, name)
        if is_dataclass(kind):
            yield from all_settings(default, f"{prefix}{name}.")
        else:
            items: tuple[Setting, ...] = ()
            if get_origin(kind) is tuple and _is_table(item := get_args(kind)[0]):
                items = tuple(all_settings(item(), f"{prefix}{name}[]."))
            yield Setting(prefix + name, _expected(kind), default, about, items)


def settings_schema() -> dict[str, object]:
    """Return the JSON schema of `[tool.covls]` and `covls.toml`."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "covls",
        "description": "Settings of covls: [tool.covls] in pyproject.toml, or covls.toml.",
        **_schema(Settings()),
    }


class _Reader:
    """Reads one layer over settings already known."""

    def __init__(self, client: bool, trusted: bool, problems: list[Problem]) -> None:
        self._client = client
        self._trusted = trusted
        self._problems = problems

    def section(self, known: Any, values: Mapping[str, object], where: str) -> Any:
        options = _options(known.__class__)
        changes: dict[str, Any] = {}
        for key, value in values.items():
            path = f"{where}{key}"
            name = _snake(key)
            if name not in options:
                self._report(path, "is no setting of covls's" + _did_you_mean(key, options))
                continue
            if value is None:
                continue
            kind, about = options[name]
            if about.client_only and not self._client:
                self._report(
                    path, "is taken from the editor's settings only, not from the workspace"
                )
            elif about.restricted and not self._client and not self._trusted:
                self._report(
                    path,
                    "is ignored because the workspace is not trusted; "
                    "trust it or set it in the editor's settings",
                )
            elif name in changes:
                self._report(path, "is given twice, in another spelling above; this one is ignored")
            elif is_dataclass(kind):
                if isinstance(value, Mapping):
                    changes[name] = self.section(getattr(known, name), value, path + ".")
                # Lua has one empty table: a client may send [] where it means {}.
                elif value != []:
                    self._report(path, f"{_shown(value)} is not a table of settings")
            else:
                taken = self._value(kind, about, value, path)
                if taken is not _WRONG:
                    changes[name] = taken
        return replace(known, **changes)

    def _value(self, kind: Any, about: About, value: object, path: str) -> object:
        if get_origin(kind) is tuple:
            item = get_args(kind)[0]
            if _is_table(item):
                return self._tables(item(), value, path)
            return self._list(value, about, path)
        if get_origin(kind) is Mapping:
            return self._numbers(value, about, path)
        check, words = _check(kind)
        taken = check(value)
        if taken is _WRONG:
            self._report(path, f"{_shown(value)} is not {words}")
        elif isinstance(taken, int | float) and not isinstance(taken, bool):
            if about.minimum is not None and taken < about.minimum:
                self._report(path, f"{_shown(value)} is under {about.minimum:g}")
                return _WRONG
            if about.maximum is not None and taken > about.maximum:
                self._report(path, f"{_shown(value)} is over {about.maximum:g}")
                return _WRONG
        return taken

    def _list(self, value: object, about: About, path: str) -> object:
        if not isinstance(value, list | tuple):
            if value == {}:
                return ()
            self._report(path, f"{_shown(value)} is not a list of strings")
            return _WRONG
        kept = []
        for index, item in enumerate(value):
            if isinstance(item, str):
                kept.append(item)
            else:
                self._report(f"{path}[{index}]", f"{_shown(item)} is not a string")
        # A command without one of its words is another command.
        return _WRONG if about.restricted and len(kept) < len(value) else tuple(kept)

    def _numbers(self, value: object, about: About, path: str) -> object:
        """A table of numbers under keys that are the user's own, which are taken as they stand."""
        if not isinstance(value, Mapping):
            if value == []:
                return {}
            self._report(path, f"{_shown(value)} is not a table of numbers")
            return _WRONG
        found = {
            str(key): self._value(float, about, number, f"{path}.{_shown(str(key))}")
            for key, number in value.items()
        }
        return {key: number for key, number in found.items() if number is not _WRONG}

    def _tables(self, defaults: Any, value: object, path: str) -> object:
        """A list of tables; one that is none, or lacks what it needs, is left out."""
        if value == {}:
            return ()
        if not isinstance(value, list | tuple):
            self._report(path, f"{_shown(value)} is not a list of tables")
            return _WRONG
        needed = [
            name for name, (_, about) in _options(defaults.__class__).items() if about.required
        ]
        kept = []
        for index, item in enumerate(value):
            where = f"{path}[{index}]"
            if not isinstance(item, Mapping):
                self._report(where, f"{_shown(item)} is not a table of settings")
                continue
            given = {_snake(key) for key in item}
            missing = [name for name in needed if name not in given]
            if missing:
                self._report(where, f"has no {missing[0]}")
                continue
            read = self.section(defaults, item, where + ".")
            # What it needs was reported where it is wrong.
            if all(getattr(read, name) != getattr(defaults, name) for name in needed):
                kept.append(read)
        return tuple(kept)

    def _report(self, path: str, message: str) -> None:
        self._problems.append(Problem(path, message))


_WRONG = object()  # not None: that is a value a setting can have


def _check(kind: Any) -> tuple[Callable[[object], object], str]:
    """Return the function that takes a value for a type or gives _WRONG, and the type in words."""
    choices = get_args(kind) if get_origin(kind) is Literal else ()

    def check(value: object) -> object:
        if choices:
            return value if isinstance(value, str) and value in choices else _WRONG
        if kind is bool:
            return value if isinstance(value, bool) else _WRONG
        if kind is str:
            return value if isinstance(value, str) and value else _WRONG
        if isinstance(value, bool) or not isinstance(value, int | float):
            return _WRONG
        if kind is float:
            return float(value) if math.isfinite(value) else _WRONG
        # Lua and JavaScript have one kind of number: 256.0 is a whole one.
        return int(value) if isinstance(value, int) or value.is_integer() else _WRONG

    return check, _expected(kind)


def _is_table(kind: type[Any]) -> bool:
    """Whether what a list holds has settings of its own."""
    return is_dataclass(kind)


def _expected(kind: Any) -> str:
    """Return a type in words, as after "is not"."""
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(get_args(kind))
    if get_origin(kind) is tuple:
        return "a list of tables" if _is_table(get_args(kind)[0]) else "a list of strings"
    if get_origin(kind) is Mapping:
        return "a table of numbers"
    return {bool: "true or false", str: "a string", int: "a whole number", float: "a number"}[kind]


@cache
def _options(section: type) -> dict[str, tuple[Any, About]]:
    """Return type (without None) and purpose of each setting of a section, by its name."""
    hints = get_type_hints(section, include_extras=True)
    options = {}
    for each in fields(section):
        kind, about = get_args(hints[each.name])
        if get_origin(kind) in {Union, UnionType}:
            (kind,) = (one for one in get_args(kind) if one is not NoneType)
        options[each.name] = (kind, about)
    return options


def _given_trust(layer: Layer) -> bool | None:
    for key, value in layer.values.items():
        if _snake(key) == "trusted" and isinstance(value, bool):
            return value
    return None


def _nested(values: Mapping[str, object]) -> dict[str, object]:
    """Return the values with dotted keys taken apart."""
    nested: dict[str, object] = {}
    for key, value in values.items():
        *sections, last = str(key).split(".")
        section = nested
        for name in sections:
            below = section.get(name)
            # A copy: the values are the client's, and are compared with what it sends next.
            copy = dict(below) if isinstance(below, Mapping) else {}
            section[name] = copy
            section = copy
        section[last] = value
    return nested


def _snake(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z]+)", r"_\1", key.replace("-", "_")).lower()


def _camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)


def _did_you_mean(key: str, options: Mapping[str, object]) -> str:
    near = get_close_matches(_snake(key), options, n=1)
    if not near:
        return ""
    name = near[0]
    if "-" in key:
        name = name.replace("_", "-")
    elif key != key.lower():
        name = _camel(name)
    return f"; did you mean {name}?"


def _shown(value: object) -> str:
    """Return a value as the user would have written it, shortened."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _schema(defaults: Any) -> dict[str, object]:
    properties: dict[str, dict[str, object]] = {}
    required: list[str] = []
    for name, (kind, about) in _options(defaults.__class__).items():
        if about.client_only:
            continue
        default = getattr(defaults, name)
        entry: dict[str, object] = {"description": about.description}
        limits = {"minimum": about.minimum, "maximum": about.maximum}
        within = {word: limit for word, limit in limits.items() if limit is not None}
        if is_dataclass(kind):
            entry |= _schema(default)
        elif get_origin(kind) is Literal:
            entry |= {"enum": list(get_args(kind)), "default": default}
        elif get_origin(kind) is tuple:
            item = get_args(kind)[0]
            items = _schema(item()) if _is_table(item) else {"type": "string"}
            entry |= {"type": "array", "items": items, "default": list(default)}
        elif get_origin(kind) is Mapping:
            inner = {"type": "number", **within}
            entry |= {"type": "object", "additionalProperties": inner, "default": {}}
        else:
            words = {bool: "boolean", str: "string", int: "integer", float: "number"}
            entry["type"] = words[kind]
            if default is not None:
                entry["default"] = default
            entry |= within
        if about.required:
            required.append(name)
            del entry["default"]
        properties[name] = entry
    schema: dict[str, object] = {"type": "object", "additionalProperties": False}
    return schema | {"properties": properties} | ({"required": required} if required else {})
