"""The command that runs a project's tests, taken apart so that the probe can stand in for it."""

import getopt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

Runner = Literal["pytest", "unittest", "django", "script"]


@dataclass(frozen=True, slots=True)
class Command:
    """How tests are started: by the probe in the command's stead, or by the command as it is."""

    runner: Runner | None
    """None: the command runs as it is, and which test ran what cannot be told."""
    launcher: tuple[str, ...] = ()
    """Words before Python's name: ("uv", "run"). Without a runner, the whole command."""
    python: str | None = None
    """Python as the launcher or the user calls it; None: the project's interpreter."""
    python_options: tuple[str, ...] = ()
    script: str | None = None
    """Django's manage.py (None: `python -m django`), or what a script runner runs."""
    module: str | None = None
    """What a script runner runs by `-m`."""
    arguments: tuple[str, ...] = ()
    """What the runner gets; for Django what stands after `test`."""
    folder_on_path: bool = True
    """Whether the current folder is first on sys.path, as it is for `python -m pytest`."""
    coverage: Mapping[str, object] = field(default_factory=dict)
    """Keyword arguments of coverage.Coverage, from the options of `coverage run`."""
    why_as_it_is: str = ""
    """Why the probe cannot stand in for it."""

    @property
    def takes_tests(self) -> bool:
        """Whether it can run some tests alone."""
        return self.runner not in (None, "script")

    @property
    def program(self) -> tuple[str, ...]:
        """What a script runner runs, as Python is told it: ("-m", "nose2"), or ("runtests.py",)."""
        if self.runner != "script":
            return ()
        return ("-m", self.module) if self.module else (self.script or "",)


class _Launcher(NamedTuple):
    """A program that runs another one: what may stand between the two."""

    verbs: frozenset[str] = frozenset()
    """Words of which one follows, like `run`; none: no such word."""
    with_value: frozenset[str] = frozenset()
    """Options whose value is the next word."""
    positional: int = 0
    """Words that are not the program, like the seconds of `timeout`."""
    environment: bool = True
    """Whether `python` means an environment of its own."""


_RUN: Final = frozenset({"run"})
_LAUNCHERS: Final[Mapping[str, _Launcher]] = {
    "uv": _Launcher(
        _RUN,
        frozenset(
            {
                "--with", "--with-editable", "--with-requirements", "--extra", "--no-extra",
                "--group", "--no-group", "--only-group", "--package", "--no-install-package",
                "-p", "--python", "--env-file", "--directory", "--project", "--index",
                "--default-index", "-i", "--index-url", "--extra-index-url", "-f", "--find-links",
                "-w", "-P", "--upgrade-package", "--reinstall-package", "--refresh-package", "-C",
                "--config-setting", "--config-file", "--cache-dir", "--resolution", "--prerelease",
                "--link-mode", "--exclude-newer", "--color", "--python-preference",
                "--index-strategy", "--keyring-provider", "--allow-insecure-host",
            }
        ),
    ),
    "poetry": _Launcher(_RUN, frozenset({"-C", "--directory", "-P", "--project"})),
    "pdm": _Launcher(_RUN, frozenset({"-p", "--project", "-c", "--config", "--venv"})),
    "hatch": _Launcher(
        _RUN,
        frozenset({"-e", "--env", "-p", "--project", "--data-dir", "--cache-dir", "--config"}),
    ),
    "pipenv": _Launcher(_RUN, frozenset({"--python"})),
    "rye": _Launcher(_RUN, frozenset({"--pyproject"})),
    "pixi": _Launcher(_RUN, frozenset({"-e", "--environment", "--manifest-path", "--color"})),
    **dict.fromkeys(
        ("conda", "mamba", "micromamba"),
        _Launcher(_RUN, frozenset({"-n", "--name", "-p", "--prefix", "--cwd", "-r"})),
    ),
    "dotenv": _Launcher(_RUN, frozenset({"-f", "--file", "-q", "--quote"}), environment=False),
    "direnv": _Launcher(frozenset({"exec"}), positional=1),
    "env": _Launcher(with_value=frozenset({"-u", "--unset", "-C", "--chdir"}), environment=False),
    "nice": _Launcher(with_value=frozenset({"-n", "--adjustment"}), environment=False),
    "ionice": _Launcher(with_value=frozenset({"-c", "-n"}), environment=False),
    "time": _Launcher(with_value=frozenset({"-f", "-o"}), environment=False),
    "timeout": _Launcher(
        with_value=frozenset({"-k", "-s", "--kill-after", "--signal"}),
        positional=1,
        environment=False,
    ),
    "xvfb-run": _Launcher(
        with_value=frozenset({"-e", "-f", "-n", "-p", "-s", "-w"}), environment=False
    ),
}  # fmt: skip

_PYTHON: Final = re.compile(r"(?:python|pypy)[\d.]*|py")
_COVERAGE: Final = re.compile(r"coverage-?[\d.]*")
_ASSIGNMENT: Final = re.compile(r"\w+=", re.ASCII)
_PYTHON_OPTIONS_WITH_VALUE: Final = frozenset({"-W", "-X", "--check-hash-based-pycs"})

# The options of `coverage run`, as getopt takes them.
_RUN_SHORT: Final = "aLpmqh"
_RUN_LONG: Final = (
    "append", "branch", "concurrency=", "context=", "data-file=", "debug=", "help", "include=",
    "keep", "module", "omit=", "parallel-mode", "pylib", "quiet", "rcfile=", "save-signal=",
    "source=", "timid",
)  # fmt: skip
_FLAGS: Final = {"--branch": "branch", "--timid": "timid", "--pylib": "cover_pylib"}
_LISTS: Final = {
    "--concurrency": "concurrency",
    "--debug": "debug",
    "--include": "include",
    "--omit": "omit",
    "--source": "source",
}
_TEXTS: Final = {"--context": "context", "--rcfile": "config_file"}


def understand(words: Sequence[str]) -> Command:
    """Take a command apart.

    Understood are pytest, unittest, Django's `manage.py test`, any of them under `coverage run`,
    and Python scripts and modules, each also behind launchers such as `uv run`. All else, like
    `make test`, runs as it is.
    """
    try:
        return _understood(list(words))
    except _NotUnderstoodError as error:
        return Command(None, launcher=tuple(words), why_as_it_is=str(error))


def _understood(words: list[str]) -> Command:
    launcher: list[str] = []
    environment = False
    while words and (known := _LAUNCHERS.get(_name(words[0]))):
        environment = environment or known.environment
        taken, module = _launched(words, known)
        launcher += words[: taken - module]
        words = words[taken:]
        if module:
            words = ["python", "-m", *words]
    if not words:
        raise _NotUnderstoodError("it names no program")
    program, name = words[0], _name(words[0])
    before = tuple(launcher)
    # `hatch run ENVIRONMENT:PROGRAM`
    prefix = ""
    if launcher and _name(launcher[0]) == "hatch" and ":" in program:
        prefix, _, name = program.rpartition(":")
        prefix += ":"
    default = prefix + "python" if environment else None
    if _PYTHON.fullmatch(name):
        called = None if program in ("python", "python3") and not environment else program
        return _python(words[1:], before, called)
    if "/" in program or "\\" in program:
        # What an environment installs stands beside its interpreter.
        default = re.sub(r"[^/\\]+?(\.exe)?$", r"python\1", program)
    if name in ("pytest", "py.test"):
        return Command("pytest", before, default, arguments=tuple(words[1:]), folder_on_path=False)
    if _COVERAGE.fullmatch(name):
        return _coverage(words[1:], before, default, ())
    if name == "django-admin":
        return _django(words[1:], None, before, default, ())
    if program.endswith(".py"):
        python = default if environment else None
        return _program(program, words[1:], before, python, ())
    raise _NotUnderstoodError(f"what {program} does is not known")


def _launched(words: list[str], known: _Launcher) -> tuple[int, bool]:
    """How many words stand before the launched program's name, and whether that is a module's."""
    index, verb_missing, positional = 1, bool(known.verbs), known.positional
    while index < len(words):
        word = words[index]
        if word == "--":
            return index + 1, False
        if _name(words[0]) == "uv" and word in ("-m", "--module"):
            return index + 1, True
        if word.startswith("-"):
            index += 1 + (word in known.with_value)
        elif verb_missing:
            if word not in known.verbs:
                raise _NotUnderstoodError(f"what {words[0]} {word} does is not known")
            verb_missing = False
            index += 1
        elif _name(words[0]) == "env" and _ASSIGNMENT.match(word):
            index += 1
        elif positional:
            positional -= 1
            index += 1
        else:
            return index, False
    raise _NotUnderstoodError("it names no program")


def _python(words: list[str], launcher: tuple[str, ...], python: str | None) -> Command:
    options: list[str] = []
    while words and words[0].startswith("-") and words[0] != "-":
        option = words.pop(0)
        # One letter after the other, the last one `m` or `c`, as in `-Im`.
        if match := re.fullmatch(r"-([bBdEiIOPqRsSuvx]*)([mc])(.*)", option, re.DOTALL):
            if match[2] == "c":
                raise _NotUnderstoodError("it runs code that is written into the command")
            if match[1]:
                options.append("-" + match[1])
            words[:0] = [match[3]] if match[3] else []
            if not words:
                raise _NotUnderstoodError("it names no module")
            return _module(words[0], words[1:], launcher, python, tuple(options))
        options.append(option)
        if option in _PYTHON_OPTIONS_WITH_VALUE and words:
            options.append(words.pop(0))
    if not words or words[0] == "-":
        raise _NotUnderstoodError("it names no script")
    return _program(words[0], words[1:], launcher, python, tuple(options))


def _module(
    module: str,
    arguments: list[str],
    launcher: tuple[str, ...],
    python: str | None,
    options: tuple[str, ...],
) -> Command:
    if module == "coverage":
        return _coverage(arguments, launcher, python, options)
    if module == "django":
        return _django(arguments, None, launcher, python, options)
    if module in ("pytest", "unittest"):
        runner: Runner = "pytest" if module == "pytest" else "unittest"
        return Command(runner, launcher, python, options, arguments=tuple(arguments))
    return Command("script", launcher, python, options, None, module, tuple(arguments))


def _program(
    script: str,
    arguments: list[str],
    launcher: tuple[str, ...],
    python: str | None,
    options: tuple[str, ...],
) -> Command:
    name = _name(script)
    if name == "manage" and arguments[:1] == ["test"]:
        return _django(arguments, script, launcher, python, options)
    if name in ("pytest", "py.test"):
        return Command("pytest", launcher, python, options, None, None, tuple(arguments), False)
    return Command("script", launcher, python, options, script, None, tuple(arguments))


def _django(
    arguments: list[str],
    script: str | None,
    launcher: tuple[str, ...],
    python: str | None,
    options: tuple[str, ...],
) -> Command:
    if arguments[:1] != ["test"]:
        raise _NotUnderstoodError("it is no test command of Django's")
    return Command("django", launcher, python, options, script, None, tuple(arguments[1:]))


def _coverage(
    words: list[str], launcher: tuple[str, ...], python: str | None, options: tuple[str, ...]
) -> Command:
    if words[:1] != ["run"]:
        raise _NotUnderstoodError("`coverage run` alone measures")
    try:
        given, rest = getopt.getopt(words[1:], _RUN_SHORT, list(_RUN_LONG))
    except getopt.GetoptError as error:
        raise _NotUnderstoodError(f"of `coverage run`, {error.msg}") from error
    arguments: dict[str, object] = {}
    module = False
    for option, value in given:
        if option in ("-m", "--module"):
            module = True
        elif option == "-L":
            arguments["cover_pylib"] = True
        elif option in _FLAGS:
            arguments[_FLAGS[option]] = True
        elif option in _LISTS:
            arguments[_LISTS[option]] = [part.strip() for part in value.split(",")]
        elif option in _TEXTS:
            arguments[_TEXTS[option]] = value
        # What is left says where and how data is kept, which covls does in its own way.
    if not rest:
        raise _NotUnderstoodError("`coverage run` is not told what to run")
    inner = (
        _module(rest[0], rest[1:], launcher, python, options)
        if module
        else _program(rest[0], rest[1:], launcher, python, options)
    )
    if inner.coverage:
        raise _NotUnderstoodError("it measures coverage.py itself")
    return Command(
        inner.runner,
        inner.launcher,
        inner.python,
        inner.python_options,
        inner.script,
        inner.module,
        inner.arguments,
        inner.folder_on_path,
        arguments,
    )


def _name(word: str) -> str:
    """A program's name, without its folder and ending."""
    return re.sub(r"\.(?:exe|cmd|bat|py)$", "", re.split(r"[/\\]", word)[-1])


class _NotUnderstoodError(Exception):
    """Why a command runs as it is."""
