"""A command that runs tests is taken apart as the shell, coverage.py and the launchers would."""

import shlex
from typing import Any

import pytest

from covls.core.test_command import Command, understand

UV = {"launcher": ("uv", "run"), "python": "python"}


@pytest.mark.parametrize(
    ("command", "runner", "parts"),
    [
        # The runners by their own names; a script does not put the current folder on the path.
        ("pytest -x tests", "pytest", {"arguments": ("-x", "tests"), "folder_on_path": False}),
        ("python -m pytest", "pytest", {}),
        ("python3 -W error -m unittest -v", "unittest", {"python_options": ("-W", "error")}),
        ("python manage.py test shop", "django", {"script": "manage.py"}),
        ("./manage.py test", "django", {"script": "./manage.py"}),
        ("django-admin test", "django", {"script": None}),
        ("python -m django test", "django", {"script": None}),
        # Options of one letter stand together, and a module's name right behind them.
        ("python -Impytest", "pytest", {"python_options": ("-I",)}),
        # An interpreter or a script that is named by its path is meant.
        (".venv/bin/python -m pytest", "pytest", {"python": ".venv/bin/python"}),
        (".venv/bin/pytest", "pytest", {"python": ".venv/bin/python"}),
        (r".venv\Scripts\pytest.exe", "pytest", {"python": r".venv\Scripts\python.exe"}),
        ("python3.12 -m pytest", "pytest", {"python": "python3.12"}),
        # Under coverage.py: what is measured stays, where data goes does not.
        (
            "coverage run --source=. manage.py test",
            "django",
            {"script": "manage.py", "coverage": {"source": ["."]}},
        ),
        (
            "coverage run -p --branch --omit a,b --rcfile=c -L --data-file=d -m pytest -q",
            "pytest",
            {
                "arguments": ("-q",),
                "coverage": {
                    "branch": True,
                    "omit": ["a", "b"],
                    "config_file": "c",
                    "cover_pylib": True,
                },
            },
        ),
        ("coverage3 run --sour=a -m unittest", "unittest", {"coverage": {"source": ["a"]}}),
        ("python -m coverage run -m pytest", "pytest", {}),
        # Behind launchers, which know the environment that Python is to be taken from.
        ("uv run pytest", "pytest", UV | {"folder_on_path": False}),
        ("uv run -m pytest", "pytest", UV),
        ("uv run manage.py test", "django", UV | {"script": "manage.py"}),
        ("uv run coverage run --source=. manage.py test", "django", UV | {"script": "manage.py"}),
        (
            "uv --quiet run --with pytest --no-sync python -m unittest",
            "unittest",
            {"launcher": ("uv", "--quiet", "run", "--with", "pytest", "--no-sync")},
        ),
        ("uv run -- pytest", "pytest", {"launcher": ("uv", "run", "--")}),
        ("poetry run pytest", "pytest", {"launcher": ("poetry", "run"), "python": "python"}),
        ("pdm run -s pytest", "pytest", {"launcher": ("pdm", "run", "-s")}),
        ("pipenv run python -m pytest", "pytest", {"python": "python"}),
        ("hatch run test:pytest", "pytest", {"python": "test:python"}),
        ("conda run -n work pytest", "pytest", {"launcher": ("conda", "run", "-n", "work")}),
        (
            "env A=1 -u B nice -n 5 timeout -k 5 9 pytest",
            "pytest",
            {
                "launcher": ("env", "A=1", "-u", "B", "nice", "-n", "5", "timeout", "-k", "5", "9"),
                "python": None,
            },
        ),
        # What runs tests in its own way runs all of them.
        ("python runtests.py -v", "script", {"program": ("runtests.py",), "arguments": ("-v",)}),
        ("coverage run -m nose2", "script", {"program": ("-m", "nose2")}),
        ("python setup.py test", "script", {"script": "setup.py"}),
    ],
)  # fmt: skip
def test_understood(command: str, runner: str, parts: dict[str, Any]) -> None:
    found = understand(shlex.split(command, posix="\\" not in command))
    assert found.runner == runner
    assert {name: getattr(found, name) for name in parts} == parts
    assert found.takes_tests == (runner != "script")
    assert not found.why_as_it_is


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("make test", "what make does is not known"),
        ("make pytest", "what make does is not known"),  # a target, not the program
        ("tox -e pytest", "what tox does is not known"),
        ("docker compose exec web pytest", "what docker does is not known"),  # other paths there
        ("uvx pytest", "what uvx does is not known"),
        ("uv sync", "what uv sync does is not known"),
        ("pdm run test", "what test does is not known"),
        ("uv run", "it names no program"),
        ("python", "it names no script"),
        ("python -m", "it names no module"),
        ("python -c pass", "it runs code that is written into the command"),
        ("coverage report", "`coverage run` alone measures"),
        ("coverage run", "`coverage run` is not told what to run"),
        ("coverage run --wrong x.py", "of `coverage run`, option --wrong not recognized"),
        ("django-admin check", "it is no test command of Django's"),
    ],
)
def test_as_it_is(command: str, why: str) -> None:
    words = tuple(command.split())
    assert understand(words) == Command(None, launcher=words, why_as_it_is=why)
    assert not understand(words).takes_tests
