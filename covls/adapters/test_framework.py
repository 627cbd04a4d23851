"""How a root's tests are run, told from its files: nothing is run."""

import configparser
import os
import re
import shlex
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from covls.adapters.interpreter import Interpreter, find_interpreter, installed_version
from covls.adapters.local_files import local_python_files
from covls.adapters.package_tool import install_command
from covls.adapters.presence import is_file, is_there
from covls.adapters.source import Unreadable, read_source
from covls.core.naming import (
    DJANGO,
    PYTEST,
    UNITTEST,
    Conventions,
    id_of,
    is_test_file,
)
from covls.core.settings import Settings
from covls.core.test_command import Command, understand

#: As many test files are looked into to see in what style they are written.
_FILES_TO_JUDGE: Final = 20

_PYTEST_FILES: Final = (
    ("pytest.toml", "pytest"),
    (".pytest.toml", "pytest"),
    ("pytest.ini", "pytest"),
    (".pytest.ini", "pytest"),
    ("pyproject.toml", "tool.pytest"),
    ("tox.ini", "pytest"),
    ("setup.cfg", "tool:pytest"),
)


@dataclass(frozen=True, slots=True)
class Framework:
    """How a root's tests are run."""

    root: Path
    command: Command
    because: str
    """Why by this runner, in words that go on after its name."""
    interpreter: Interpreter | None
    conventions: Conventions = PYTEST
    top: str = ""
    """The folder that dotted names of tests start from, relative to the root."""
    also: tuple[str, ...] = ()
    """More such folders, in which unittest's discovery is to begin as well."""
    left_out: tuple[str, ...] = ()
    """Why tests of others are not run, a sentence for each folder."""
    version: str | None = None
    """The runner's, where it is to be seen without running anything."""
    parallel: bool = False
    """Whether pytest-xdist is installed, and nobody says in how many processes tests run."""
    problem: str = ""
    """Why no test can run, in a sentence, or ""."""
    remedy: str = ""

    def name_of(self, file: str, steps: Sequence[str] = ()) -> str:
        """The name by which the runner takes the tests of a file, or one of them."""
        above = [top for top in (self.top, *self.also) if file.startswith(f"{top}/")]
        return id_of(self.command.runner, file, steps, max(above, key=len, default=""))

    def words(self) -> str:
        """The runner, and how it was found: "pytest 9.2.0 (configured in pyproject.toml)"."""
        name = {"django": "Django's test command", "script": "a script", None: "a command"}.get(
            self.command.runner, str(self.command.runner)
        )
        version = f" {self.version}" if self.version else ""
        return f"{name}{version} ({self.because})"


def find_framework(
    root: Path, settings: Settings, environ: Mapping[str, str] | None = None
) -> Framework:
    """Return how the root's tests are run: as the settings say, or as its files show."""
    root = Path(os.path.realpath(root))
    interpreter = find_interpreter(root, settings.python, environ)
    if settings.run.command:
        framework = _commanded(root, settings.run.command, interpreter)
    else:
        framework = _detected(root, interpreter)
    command = framework.command
    framework = replace(
        framework,
        command=replace(command, arguments=(*command.arguments, *settings.run.arguments)),
    )
    return _with_what_is_wrong(framework)


def uses_django(framework: Framework) -> bool:
    """Whether the root is a Django project, or an app made for such, as its files say."""
    root = framework.root
    if framework.command.runner == "django" or _manage_py(root) is not None:
        return True
    configured = _pytest_configuration(root)
    if configured is not None and "DJANGO_SETTINGS_MODULE" in {
        key.upper() for key in configured[1]
    }:
        return True
    files = ("pyproject.toml", "setup.cfg", "setup.py")
    return any("Framework :: Django" in text_of(root / name) for name in files)


def words_to_start(framework: Framework, probe: Path, request: Path) -> list[str]:
    """Return the words that start the probe in place of the tests' own command.

    Where the probe cannot stand in, they are the command's own.
    """
    command = framework.command
    if command.runner is None:
        return [*command.launcher, *command.arguments]
    python = command.python
    if python is None:
        assert framework.interpreter is not None, "without one there is a problem"
        python = str(framework.interpreter.python)
    return [*command.launcher, python, *command.python_options, str(probe), str(request)]


def _commanded(root: Path, words: Sequence[str], interpreter: Interpreter | None) -> Framework:
    command = understand(words)
    # `.venv/bin/pytest` belongs to the interpreter beside it. Where there is none, the program was
    # put there by something that keeps its environment elsewhere.
    if command.python and command.python != words[len(command.launcher)]:
        beside = os.path.dirname(command.python)  # noqa: PTH120  also of Windows's paths
        if beside and not is_file(root / command.python):
            command = Command(
                None, tuple(words), why_as_it_is=f"no interpreter stands beside {words[0]}"
            )
    because = "the setting `run.command`"
    framework = Framework(root, command, because, interpreter)
    match command.runner:
        case "pytest":
            return replace(framework, conventions=_pytest_conventions(root))
        case "unittest":
            return replace(framework, conventions=UNITTEST, top=_top_of(command.arguments))
        case "django":
            folder = os.path.dirname(command.script or "").removeprefix("./").strip(".")  # noqa: PTH120
            return replace(framework, conventions=DJANGO, top=folder)
    return framework


def _detected(root: Path, interpreter: Interpreter | None) -> Framework:
    configured = _pytest_configuration(root)
    manage = _manage_py(root)
    has_pytest = interpreter is not None and installed_version(interpreter, "pytest") is not None
    if manage is not None:
        why = _uses_pytest_django(root, manage, configured, interpreter, has_pytest)
        if not why:
            return _django(root, manage, interpreter)
        return _pytest(root, interpreter, why)
    if configured is not None:
        return _pytest(root, interpreter, f"configured in {configured[0]}")
    tests = Sources(root)
    if conftest := next((file for file in tests.files if file.endswith("conftest.py")), None):
        return _pytest(root, interpreter, f"there is {conftest}")
    if style := tests.pytest_style():
        return _pytest(root, interpreter, style)
    if name := _depends_on_pytest(root):
        return _pytest(root, interpreter, f"named in {name}")
    # On PATH is what many projects share; an environment is made for one.
    if has_pytest and interpreter is not None and interpreter.found_by != "PATH":
        return _pytest(root, interpreter, "installed in the project's environment")
    if tests.of_tests():
        return _unittest(root, interpreter, tests, "the tests are unittest's")
    if has_pytest:
        return _pytest(root, interpreter, "installed")
    return _unittest(root, interpreter, tests, "nothing of pytest's is there")


def _pytest(root: Path, interpreter: Interpreter | None, because: str) -> Framework:
    return Framework(root, Command("pytest"), because, interpreter, _pytest_conventions(root))


def _django(root: Path, manage: str, interpreter: Interpreter | None) -> Framework:
    top = manage.rpartition("/")[0]
    # The command looks for tests in the current folder, which is the root.
    command = Command("django", script=manage, arguments=(top,) if top else ())
    return Framework(root, command, f"there is {manage}", interpreter, DJANGO, top)


def _unittest(
    root: Path, interpreter: Interpreter | None, tests: "Sources", because: str
) -> Framework:
    arguments, others = _discovery(root, tests.of_tests(UNITTEST))
    command, top = Command("unittest", arguments=arguments), _top_of(arguments)
    also, left_out = _further(tests, top, others)
    return Framework(
        root, command, because, interpreter, UNITTEST, top, also=also, left_out=left_out
    )


def _with_what_is_wrong(framework: Framework) -> Framework:
    """Say what keeps the tests from running, as far as files can show it."""
    command, interpreter, root = framework.command, framework.interpreter, framework.root
    if command.runner is None or command.python is not None:
        return framework
    if interpreter is None:
        return replace(
            framework,
            problem="No Python interpreter of the project was found.",
            remedy="Name it in the setting `python`.",
        )
    if not interpreter.exists:
        return replace(
            framework,
            problem=f"The setting `python` names {interpreter.python}, which is not there.",
            remedy="Correct it, or leave it out to have the interpreter found.",
        )
    needed = {"pytest": "pytest", "django": "django"}.get(command.runner)
    if needed is None:
        return framework
    version = installed_version(interpreter, needed)
    problem = remedy = ""
    # Without a folder of packages nothing is known, rather than nothing there.
    if version is None and interpreter.site_packages:
        problem = f"{needed} is not installed for {interpreter.python}."
        remedy = install_command(root, interpreter, needed)
    parallel = (
        command.runner == "pytest"
        and installed_version(interpreter, "pytest-xdist") is not None
        and not settles_processes([*_added_options(root), *command.arguments])
    )
    return replace(framework, version=version, parallel=parallel, problem=problem, remedy=remedy)


def _pytest_configuration(root: Path) -> tuple[str, Mapping[str, Any]] | None:
    """The file that configures pytest for the root, and what stands in it.

    pytest looks upwards; above the repository nothing is the project's.
    """
    for folder in (root, *root.parents):
        for name, section in _PYTEST_FILES:
            values = _section(folder / name, section)
            if values is None:
                continue
            return (name if folder == root else str(folder / name)), values
        if is_there(folder / ".git") or folder == Path.home():
            return None
    return None


def _section(file: Path, section: str) -> Mapping[str, Any] | None:
    """A section of a configuration file as pytest takes it, None where there is none."""
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, ValueError):
        return None
    if file.suffix == ".toml":
        try:
            table: Any = tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            return None
        for key in section.split("."):
            table = table.get(key) if isinstance(table, Mapping) else None
        if isinstance(table, Mapping):
            table = table.get("ini_options", table)
        return table if isinstance(table, Mapping) else None
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    if parser.has_section(section):
        return dict(parser[section])
    # The file alone says that it is pytest's.
    return {} if file.name.endswith("pytest.ini") else None


def _added_options(root: Path) -> tuple[str, ...]:
    _, values = _pytest_configuration(root) or ("", {})
    return *_words(values.get("addopts")), *_words(os.environ.get("PYTEST_ADDOPTS"))


def settles_processes(words: Iterable[str]) -> bool:
    """Whether options for pytest say in how many processes tests run, or need them to be one."""
    own = re.compile(r"-n|--numprocesses|--dist\b|--pdb|--trace\b|(?:-p)?no:xdist")
    return any(map(own.match, words))


def _pytest_conventions(root: Path) -> Conventions:
    _, values = _pytest_configuration(root) or ("", {})
    return Conventions(
        files=_words(values.get("python_files")) or PYTEST.files,
        classes=_words(values.get("python_classes")) or PYTEST.classes,
        functions=_words(values.get("python_functions")) or PYTEST.functions,
    )


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        try:
            return tuple(shlex.split(value, comments=True))
        except ValueError:
            return tuple(value.split())
    if isinstance(value, list):
        return tuple(item for item in value if isinstance(item, str))
    return ()


def _manage_py(root: Path) -> str | None:
    """Django's manage.py, relative to the root: in it, or in the one folder below that has one."""
    found = [
        file.relative_to(root).as_posix()
        for pattern in ("manage.py", "*/manage.py")
        for file in _matches(root, pattern)
        if "django" in text_of(file) and not file.parent.name.startswith(".")
    ]
    if "manage.py" in found:
        return "manage.py"
    return found[0] if len(found) == 1 else None


def _uses_pytest_django(
    root: Path,
    manage: str,
    configured: tuple[str, Mapping[str, Any]] | None,
    interpreter: Interpreter | None,
    has_pytest: bool,
) -> str:
    """Why a Django project's tests are run by pytest, in words; "" where they are not."""
    known = interpreter is not None and bool(interpreter.site_packages)
    if known and not has_pytest:
        return ""
    if configured is not None:
        name, values = configured
        options = " ".join(_words(values.get("addopts")))
        if "DJANGO_SETTINGS_MODULE" in {key.upper() for key in values} or "--ds" in options:
            return f"pytest-django is configured in {name}"
    for folder in dict.fromkeys((root, (root / manage).parent)):
        for conftest in (folder / "conftest.py", folder / "tests" / "conftest.py"):
            if re.search(
                r"DJANGO_SETTINGS_MODULE|django\.setup\(|settings\.configure\(", text_of(conftest)
            ):
                return f"{conftest.relative_to(root).as_posix()} sets Django up"
    return ""


def _depends_on_pytest(root: Path) -> str:
    """The file that says that the project's tests need pytest, "" where none does."""
    files = [root / "pyproject.toml", root / "setup.cfg", root / "setup.py", root / "Pipfile"]
    files += [root / "tox.ini", root / "noxfile.py"]
    files += _matches(root, "*requirements*.txt") + _matches(root, "requirements/*.txt")
    for file in files:
        if re.search(r"(?<![\w.-])pytest(?![\w./])", re.sub(r"(?m)^\s*#.*$", "", text_of(file))):
            return file.relative_to(root).as_posix()
    return ""


def _top_of(arguments: Sequence[str]) -> str:
    """The folder that dotted names start from, by the arguments of unittest's discovery."""
    if list(arguments[:1]) != ["discover"]:
        return ""
    start = top = ""
    rest = list(arguments[1:])
    positional: list[str] = []
    while rest:
        word = rest.pop(0)
        name, given, value = word.partition("=")
        if name in ("-s", "--start-directory"):
            start = value if given else (rest.pop(0) if rest else "")
        elif name in ("-t", "--top-level-directory"):
            top = value if given else (rest.pop(0) if rest else "")
        elif name in ("-p", "--pattern", "-k"):
            del rest[: 0 if given else 1]
        elif not word.startswith("-"):
            positional.append(word)
    start = start or (positional[0] if positional else "")
    top = top or (positional[2] if len(positional) > 2 else "") or start
    return "/".join(part for part in top.split("/") if part not in ("", "."))


def _discovery(root: Path, tests: Sequence[str]) -> tuple[tuple[str, ...], dict[str, list[str]]]:
    """The arguments by which unittest finds the tests: it only goes down into packages.

    It begins in one folder. Of several that are no packages it is the one with the most test files;
    the others come with their test files.
    """
    starts: dict[str, list[str]] = {}
    for test in tests:
        starts.setdefault(_outermost_package(root, test), []).append(test)
    if not starts or "" in starts:
        # Without arguments discovery starts in the current folder.
        starts.pop("", None)
        return (), starts
    most = max(sorted(starts), key=lambda folder: (len(starts[folder]), folder.endswith("tests")))
    del starts[most]
    return ("discover", "-s", most), starts


def _further(
    sources: "Sources", top: str, others: Mapping[str, Sequence[str]]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The folders in which discovery begins as well, and why it does not in others, in sentences.

    Their modules come to be in one process, where each name can be that of one module only.
    """
    also: list[str] = []
    left_out: list[str] = []
    known = {name: folder for folder in (top, "") for name in sources.modules_in(folder)}
    for folder, tests in sorted(others.items()):
        # A file may be named like tests, and be something else that is not to be imported.
        if not any(b"TestCase" in text or b"load_tests" in text for _, text in sources.read(tests)):
            continue
        names = sources.modules_in(folder)
        if clash := next((name for name in names if name in known), None):
            left_out.append(
                f"The tests in {folder} are not run, as it has a module named {clash}, and "
                f"{known[clash] or 'the project'} has one, too: they need a run of their own "
                "(`run.command`)."
            )
            continue
        known.update(dict.fromkeys(names, folder))
        also.append(folder)
    return tuple(also), tuple(left_out)


def _outermost_package(root: Path, test: str) -> str:
    """The nearest folder above a test from which packages lead down to it, "" for the root."""
    folder = test.rpartition("/")[0]
    while folder and is_file(root / folder / "__init__.py"):
        folder = folder.rpartition("/")[0]
    return folder


class Sources:
    """The Python files of a root, listed once, by their paths relative to it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        prefix = str(root).rstrip(os.sep) + os.sep
        self.files = [
            file.removeprefix(prefix).replace(os.sep, "/") for file in local_python_files(root)
        ]

    def modules_in(self, folder: str) -> list[str]:
        """The names of the modules and packages in a folder, as they are imported from there."""
        prefix = f"{folder}/" if folder else ""
        below = [file.removeprefix(prefix) for file in self.files if file.startswith(prefix)]
        packages = [name.removesuffix("/__init__.py") for name in below]
        return sorted(
            {name.removesuffix(".py") for name in below if "/" not in name and name.endswith(".py")}
            | {name for name in packages if "/" not in name and not name.endswith(".py")}
        )

    def of_tests(self, conventions: Conventions | None = None) -> list[str]:
        kinds = (conventions,) if conventions else (PYTEST, UNITTEST)
        return [file for file in self.files if any(is_test_file(file, kind) for kind in kinds)]

    def pytest_style(self) -> str:
        """Which test file is written for pytest, in words; "" where none is."""
        for file in self.of_tests()[:_FILES_TO_JUDGE]:
            text = text_of(self._root / file)
            if re.search(r"^(?:import|from) pytest\b", text, re.MULTILINE):
                return f"{file} imports it"
            if re.search(r"^(?:async )?def test", text, re.MULTILINE):
                return f"{file} has tests that are functions"
        return ""

    def read(self, files: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The sources of files that can be read."""
        for file in files:
            source = read_source(self._root / file)
            if not isinstance(source, Unreadable):
                yield file, source


def _matches(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(file for file in folder.glob(pattern) if is_file(file))
    except OSError:
        return []


def text_of(file: Path) -> str:
    """Return the beginning of a text file, "" where it cannot be read."""
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return opened.read(1_000_000)
    except OSError:
        return ""
