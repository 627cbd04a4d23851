"""Which runner a project's tests are run by is told from its files alone."""

from pathlib import Path

import pytest

from covls.adapters.test_framework import (
    Framework,
    find_framework,
    settles_processes,
    words_to_start,
)
from covls.core.settings import Run, Settings

MANAGE = "from django.core.management import execute_from_command_line\n"
SET_UP = "[pytest]\nDJANGO_SETTINGS_MODULE = a.settings\n"
UNITTESTS = "unittest: the tests are unittest's"
CASES = "import unittest\n\n\nclass Cases(unittest.TestCase):\n    def test_a(self): pass\n"


def project(root: Path, files: dict[str, str], *packages: str) -> Path:
    """Files, and an environment with packages, in whose interpreter nothing may run."""
    (root / ".git").mkdir()
    for name, text in {".venv/pyvenv.cfg": "version = 3.12.1\n", **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    python = root / ".venv/bin/python"
    python.parent.mkdir()
    python.write_text(f"#!/bin/sh\ntouch {root}/was-run\n")
    python.chmod(0o755)
    for name in ("coverage-7.17.3", *packages):
        (root / f".venv/lib/python3.12/site-packages/{name}.dist-info").mkdir(parents=True)
    return root


def find(root: Path, command: str = "", arguments: tuple[str, ...] = ()) -> Framework:
    run = Run(command=tuple(command.split()), arguments=arguments)
    found = find_framework(root, Settings(run=run), {"PATH": "", "HOME": str(root.parent)})
    assert not (root / "was-run").exists()
    return found


@pytest.mark.parametrize(
    ("files", "packages", "found"),
    [
        # Configured, in each of the places that pytest looks into.
        ({"pytest.ini": ""}, "pytest-9", "pytest: configured in pytest.ini"),
        (
            {"pyproject.toml": "[tool.pytest.ini_options]\n"},
            "pytest-9",
            "pytest: configured in pyproject.toml",
        ),
        (
            {"pyproject.toml": "[tool.pytest]\n"},
            "pytest-9",
            "pytest: configured in pyproject.toml",
        ),
        ({"tox.ini": "[pytest]\n"}, "pytest-9", "pytest: configured in tox.ini"),
        ({"setup.cfg": "[tool:pytest]\n"}, "pytest-9", "pytest: configured in setup.cfg"),
        # By what else tells it.
        ({"tests/conftest.py": ""}, "pytest-9", "pytest: there is tests/conftest.py"),
        (
            {"tests/test_a.py": "def test_a(): pass\n"},
            "pytest-9",
            "pytest: tests/test_a.py has tests that are functions",
        ),
        ({"requirements.txt": "pytest-cov\n"}, "pytest-9", "pytest: named in requirements.txt"),
        ({"test_a.py": CASES}, "pytest-9", "pytest: installed in the project's environment"),
        # unittest, where nothing is pytest's.
        ({"test_a.py": CASES}, "", UNITTESTS),
        ({"a.py": ""}, "", "unittest: nothing of pytest's is there"),
        ({"setup.cfg": "[metadata]\n", "tox.ini": "# pytest\n", "test_a.py": CASES}, "", UNITTESTS),
        ({"pyproject.toml": "is [no toml", "test_a.py": CASES}, "", UNITTESTS),
        # Django, unless pytest-django is set up.
        ({"manage.py": MANAGE, "shop/tests.py": CASES}, "django-5", "django: there is manage.py"),
        ({"manage.py": "import flask\n", "test_a.py": CASES}, "", UNITTESTS),
        ({"backend/manage.py": MANAGE}, "django-5", "django: there is backend/manage.py"),
        ({"a/manage.py": MANAGE, "b/manage.py": MANAGE, "test_a.py": CASES}, "", UNITTESTS),
        (
            {"manage.py": MANAGE, "pytest.ini": SET_UP},
            "pytest-9 django-5",
            "pytest: pytest-django is configured in pytest.ini",
        ),
        (
            {"manage.py": MANAGE, "pytest.toml": "[pytest]\naddopts = ['--ds=a.settings']\n"},
            "pytest-9 django-5",
            "pytest: pytest-django is configured in pytest.toml",
        ),
        (
            {"manage.py": MANAGE, "conftest.py": "os.environ['DJANGO_SETTINGS_MODULE'] = 'a'\n"},
            "pytest-9 django-5",
            "pytest: conftest.py sets Django up",
        ),
        (
            {"manage.py": MANAGE, "conftest.py": ""},
            "pytest-9 django-5",
            "django: there is manage.py",
        ),
        # Configured for pytest-django, but with pytest nowhere to be seen.
        ({"manage.py": MANAGE, "pytest.ini": SET_UP}, "django-5", "django: there is manage.py"),
    ],
)
def test_which_runner(tmp_path: Path, files: dict[str, str], packages: str, found: str) -> None:
    framework = find(project(tmp_path, files, *packages.split()))
    assert f"{framework.command.runner}: {framework.because}" == found
    assert framework.problem == ""
    versions = dict(each.rsplit("-", 1) for each in packages.split())
    assert framework.version == versions.get(str(framework.command.runner))


def test_pytest_is_configured_above_the_root_of_a_monorepo(tmp_path: Path) -> None:
    files = {"pyproject.toml": "[tool.pytest.ini_options]\n", "packages/a/test_a.py": CASES}
    root = project(tmp_path, files, "pytest-9.2.0", "pytest_xdist-3.8.0") / "packages" / "a"
    found = find(root)
    assert found.because == f"configured in {tmp_path}/pyproject.toml"
    assert found.parallel


@pytest.mark.parametrize(
    ("options", "parallel"),
    [
        ("-p no:xdist", False),
        ("-pno:xdist", False),
        ("-q -n 4", False),
        ("-nauto", False),
        ("--numprocesses=2", False),
        ("--pdb", False),
        ("-p no:cacheprovider --no-header -k n", True),
    ],
)
def test_tests_are_shared_unless_options_settle_it(
    tmp_path: Path, options: str, parallel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    packages = "pytest-9.2.0", "pytest_xdist-3.8.0"
    text = f"[tool.pytest.ini_options]\naddopts = '{options}'\n"
    assert find(project(tmp_path, {"pyproject.toml": text}, *packages)).parallel is parallel
    assert settles_processes(options.split()) is not parallel


def test_names_of_tests_are_as_configured(tmp_path: Path) -> None:
    text = "[pytest]\npython_files =\n    check_*.py\n    'a b.py'\npython_functions = check it_*\n"
    found = find(project(tmp_path, {"pytest.ini": text}, "pytest-9.2.0"))
    assert found.conventions.files == ("check_*.py", "a b.py")
    assert found.conventions.functions == ("check", "it_*")
    assert found.conventions.classes == ("Test",)


@pytest.mark.parametrize(
    ("files", "arguments", "top"),
    [
        # Discovery goes down from the root where packages lead to the tests.
        ({"test_a.py": CASES}, (), ""),
        ({"tests/__init__.py": "", "tests/test_a.py": CASES}, (), ""),
        ({"tests/test_a.py": CASES}, ("discover", "-s", "tests"), "tests"),
        (
            {"a/test_a.py": CASES, "b/test_b.py": CASES, "b/test_c.py": CASES},
            ("discover", "-s", "b"),
            "b",
        ),
        ({"a/test_a.py": CASES, "tests/test_b.py": CASES}, ("discover", "-s", "tests"), "tests"),
        (
            {"src/shop/__init__.py": "", "src/shop/test_a.py": CASES},
            ("discover", "-s", "src"),
            "src",
        ),
    ],
)
def test_where_unittest_discovers(
    tmp_path: Path, files: dict[str, str], arguments: tuple[str, ...], top: str
) -> None:
    found = find(project(tmp_path, files))
    assert (found.command.arguments, found.top) == (arguments, top)


def test_folders_in_which_unittest_discovers_as_well(tmp_path: Path) -> None:
    files = {
        "shop/__init__.py": "",
        "tests/test_a.py": CASES,
        "tests/test_b.py": CASES,
        "checks/test_c.py": CASES,
        "checks/more/__init__.py": "",
        "checks/more/test_d.py": CASES,
        # A name that another has, a package of the project's, and what is no test.
        "same/test_a.py": CASES,
        "like/shop.py": "",
        "like/test_e.py": CASES,
        "tools/test_line.py": "raise SystemExit('imported')\n",
    }
    found = find(project(tmp_path, files))
    assert (found.command.arguments, found.top) == (("discover", "-s", "tests"), "tests")
    assert found.also == ("checks",)
    first, second = found.left_out
    assert first.startswith("The tests in like are not run, as it has a module named shop,")
    assert "named test_a, and tests has one, too" in second
    names = {"tests/test_a.py": "test_a", "checks/more/test_d.py": "more.test_d"}
    assert {file: found.name_of(file) for file in names} == names
    assert found.name_of("checks/test_c.py", ["Cases", "test_a"]) == "test_c.Cases.test_a"


def test_unittest_discovers_in_the_root_and_in_folders_beside(tmp_path: Path) -> None:
    files = {"test_a.py": CASES, "tests/test_b.py": CASES, "other/test_a.py": CASES}
    found = find(project(tmp_path, files))
    assert (found.command.arguments, found.top, found.also) == ((), "", ("tests",))
    assert "and the project has one, too" in found.left_out[0]
    assert found.name_of("tests/test_b.py") == "test_b"
    # A command says itself where it begins.
    said = find(tmp_path, "python -m unittest discover -s other")
    assert (said.also, said.left_out) == ((), ())


@pytest.mark.parametrize(
    ("command", "top"),
    [
        ("python -m unittest discover -s tests -t .", ""),
        ("python -m unittest discover tests", "tests"),
        ("python -m unittest discover -v --start-directory=tests -p *.py", "tests"),
        ("python -m unittest discover tests *.py .", ""),
        ("python -m unittest -v", ""),
        ("python manage.py test", ""),
        ("python ./backend/manage.py test", "backend"),
    ],
)
def test_where_dotted_names_start(tmp_path: Path, command: str, top: str) -> None:
    assert find(project(tmp_path, {}, "django-5.2"), command).top == top


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("", "{python} PROBE REQUEST"),
        ("pytest -x", "{python} PROBE REQUEST"),
        ("python -W error -m pytest", "{python} -W error PROBE REQUEST"),
        ("uv run coverage run -m pytest", "uv run python PROBE REQUEST"),
        ("env A=1 .venv/bin/python -m unittest", "env A=1 .venv/bin/python PROBE REQUEST"),
        (".venv/bin/pytest", ".venv/bin/python PROBE REQUEST"),
        # The program is there, and no interpreter beside it.
        ("bin/pytest", "bin/pytest --more"),
        ("make test", "make test --more"),
    ],
)
def test_words_that_start_the_probe(tmp_path: Path, command: str, words: str) -> None:
    root = project(tmp_path, {"bin/pytest": "", "pytest.ini": ""}, "pytest-9.2.0")
    found = find(root, command, arguments=("--more",))
    assert found.command.arguments[-1] == "--more"
    assert found.because == ("the setting `run.command`" if command else "configured in pytest.ini")
    started = words_to_start(found, Path("PROBE"), Path("REQUEST"))
    python = root / ".venv" / "bin" / "python"
    assert started == words.format(python=python).split()


def test_what_is_not_installed_is_told_with_the_command_that_installs_it(tmp_path: Path) -> None:
    found = find(project(tmp_path, {"pytest.ini": "", "uv.lock": ""}))
    assert found.problem == f"pytest is not installed for {tmp_path}/.venv/bin/python."
    assert found.remedy == "uv add --dev pytest"
    # What `uv run` would find is not to be seen from outside.
    assert find(tmp_path, "uv run pytest").problem == ""


def test_without_an_interpreter_no_test_can_run(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert find(tmp_path).problem == "No Python interpreter of the project was found."
    found = find_framework(tmp_path, Settings(python="no/such"), {"PATH": ""})
    assert found.problem == f"The setting `python` names {tmp_path}/no/such, which is not there."
