"""`covls init` on the kinds of projects there are: what it proposes, writes, and leaves."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from covls.adapters.configuration import read_configuration
from covls.initial.yaml_text import parsed
from tests.cli.measured import Covls, coverage, write
from tests.parcels import copy_parcels

TEST = "from {name} import f\n\n\ndef test_f():\n    assert f(1) == 1\n"
CODE = "def f(x):\n    if x:\n        return 1\n    return 2\n"

PROJECTS: Mapping[str, Mapping[str, str]] = {
    "src layout": {
        "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\n\n'
        '[tool.pytest.ini_options]\npythonpath = ["src"]  # kept\n',
        "src/shop/__init__.py": "",
        "src/shop/prices.py": CODE,
        "src/shop/unused.py": CODE,
        "tests/test_prices.py": TEST.format(name="shop.prices"),
    },
    "flat layout": {
        "setup.py": "from setuptools import setup\nsetup()\n",
        "shop/__init__.py": "",
        "shop/prices.py": CODE,
        "shop/unused.py": CODE,
        "conftest.py": "",
        "tests/test_prices.py": TEST.format(name="shop.prices"),
    },
    "modules": {
        ".coveragerc": "[run]\n# what is kept\nbranch = False\nomit =\n    old.py\n",
        "prices.py": CODE,
        "unused.py": CODE,
        "noxfile.py": "import nox\n",
        "test_prices.py": TEST.format(name="prices"),
    },
    "setup.cfg": {
        "setup.cfg": "[metadata]\nname = shop\n\n[coverage:run]\nbranch = True  \n\n[flake8]\n",
        "shop/__init__.py": "",
        "shop/prices.py": CODE,
        "shop/unused.py": CODE,
        "tests/__init__.py": "",
        "tests/test_prices.py": "import unittest\nfrom shop.prices import f\n\n\n"
        "class Tests(unittest.TestCase):\n"
        "    def test_f(self):\n        self.assertEqual(f(1), 1)\n",
    },
}


def init(covls: Covls, root: Path, *arguments: str) -> str:
    done = covls(root, "init", *arguments)
    assert done.code == 0, done.out + done.err
    return done.out


def files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.parametrize("kind", PROJECTS)
def test_what_it_writes_is_true(
    covls: Covls, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    write(tmp_path, PROJECTS[kind])
    out = init(covls, tmp_path, "--yes")
    assert init(covls, tmp_path, "--yes").endswith("There is nothing to propose.\n")
    configuration = read_configuration(tmp_path)
    assert configuration.problems == ()
    assert configuration.relative_files
    assert configuration.branch is (kind != "modules")
    assert ("run.branch stays False" in out) is (kind == "modules")
    command = out.splitlines()[-1].removeprefix("Next: coverage ").split(",")[0].split()
    coverage(tmp_path, *command)
    report = covls(tmp_path, "report", "--format=json")
    assert report.err == ""
    measured = {Path(name).name for name in json.loads(report.out)["files"]}
    assert {"prices.py", "unused.py"} <= measured
    assert not {"noxfile.py", "setup.py", "old.py"} & measured
    verdict = json.loads(covls(tmp_path, "check", "--format=json").out)
    assert {each["gate"] for each in verdict["verdicts"]} == {"total", "patch", "max-drop"}


def test_a_django_project_as_the_documentation_has_it(covls: Covls, tmp_path: Path) -> None:
    root = copy_parcels(tmp_path)
    before = files(root)
    assert "Nothing is written" in init(covls, root, "--dry-run")
    assert "Say --yes" in init(covls, root)
    assert files(root) == before
    init(covls, root, "--yes")
    after = files(root)
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {
        "pyproject.toml",
        ".pre-commit-config.yaml",
        ".github/workflows/coverage.yml",
        ".github/workflows/coverage-comment.yml",
        ".gitlab-ci.yml",
        ".vscode/settings.json",
        ".vscode/extensions.json",
        ".nvim.lua",
        ".covls/aliases.sh",
    }
    tool = tomllib.loads(after["pyproject.toml"].decode())["tool"]
    assert tool["covls"]["gates"] == {"total": 75, "patch": 90, "max-drop": 2.0}
    assert tool["coverage"]["run"]["omit"] == [
        *("*/migrations/*", "config/settings.py", "config/wsgi.py"),
        *("manage.py", "media/*", "static/*"),
    ]  # fmt: skip
    coverage(root, "run", "manage.py", "test")
    assert coverage(root, "report", "--format=total").out.strip() == "55.4"


def test_only_some_parts(covls: Covls, tmp_path: Path) -> None:
    write(tmp_path, PROJECTS["src layout"])
    before = set(files(tmp_path))
    init(covls, tmp_path, "--yes", "--only=vscode,covls")
    assert set(files(tmp_path)) - before == {".vscode/settings.json", ".vscode/extensions.json"}
    assert "coverage" not in tomllib.loads((tmp_path / "pyproject.toml").read_text())["tool"]
    init(covls, tmp_path, "--yes", "--only=github", "--only=codecov")
    workflow = (tmp_path / ".github/workflows/coverage.yml").read_text()
    assert "codecov/codecov-action@" in workflow
    assert init(covls, tmp_path, "--only=codecov").endswith("nothing to propose.\n")
    assert "no part" in covls(tmp_path, "init", "--only=github,sonar").err


def test_what_the_user_has_set_stays(covls: Covls, tmp_path: Path) -> None:
    theirs = {
        "pyproject.toml": "# mine\r\n[tool.coverage.report]\r\nfail_under = 60  # for now\r\n"
        "precision = 2\r\n[tool.coverage.run]\r\nsource = ['shop']\r\nomit = ['*/migrations/*']\r\n"
        "[tool.covls.gates]\r\npatch = 50\r\n",
        "shop/migrations/0001_initial.py": "",
        "manage.py": "# django\n",
        "shop/settings.py": "INSTALLED_APPS = []\n",
        ".pre-commit-config.yaml": "repos:\n- repo: meta\n  hooks:\n  - id: identity # me\n",
        ".github/workflows/coverage.yml": "name: mine\n",
        ".gitlab-ci.yml": "stages: [build, unit-tests]\nbuild:\n  stage: build\n  script: [make]\n",
        ".vscode/settings.json": '{\n  // mine\n  "covls.run.onSave": "affected",\n}\n',
        ".nvim.lua": "-- mine\n",
    }
    write(tmp_path, theirs)
    out = init(covls, tmp_path, "--yes")
    text = (tmp_path / "pyproject.toml").read_bytes().decode()
    values = tomllib.loads(text)["tool"]
    assert values["coverage"]["report"]["precision"] == 2
    assert values["coverage"]["run"]["source"] == ["shop"]
    assert values["coverage"]["run"]["omit"] == ["*/migrations/*", "shop/settings.py"]
    assert values["covls"]["gates"] == {"patch": 50, "total": 60, "max-drop": 2.0}
    assert "# mine\r\n" in text
    assert "fail_under = 60  # for now\r\n" in text
    assert text.count("\n") == text.count("\r\n")
    for name in (".github/workflows/coverage.yml", ".nvim.lua"):
        assert (tmp_path / name).read_text() == theirs[name]
        assert f"{name} is there, and stays as it is." in out
    assert "precision stays 2" in out
    assert "the gate patch stays 50" in out
    assert "covls.run.onSave stays affected" in out
    jobs = parsed((tmp_path / ".gitlab-ci.yml").read_text())
    assert jobs["coverage"]["stage"] == "unit-tests"
    hooks = (tmp_path / ".pre-commit-config.yaml").read_text()
    assert hooks.startswith(theirs[".pre-commit-config.yaml"])


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("pyproject.toml", b"[tool", "no valid TOML"),
        ("pyproject.toml", b"\xef\xbb\xbf[tool.x]\n", "byte order mark"),
        ("pyproject.toml", b"\xff\xfe[", "not UTF-8"),
        (".coveragerc", b"branch = 1\n", "cannot be read"),
        (".pre-commit-config.yaml", b"repos: [", "no valid YAML"),
        (".pre-commit-config.yaml", b"repos: [{repo: meta, hooks: []}]\n", "To paste"),
        (".gitlab-ci.yml", b"- a\n", "no jobs"),
        (".vscode/settings.json", b'{"a": }', "no valid JSON"),
    ],
)
def test_what_cannot_be_edited_is_left(
    covls: Covls, tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    done = covls(tmp_path, "init", "--yes")
    assert done.code == 1
    assert says in done.err
    assert path.read_bytes() == content
    assert (tmp_path / ".nvim.lua").exists(), "the other parts are written"


@pytest.mark.parametrize("content", [b"", b"\n", b"# only a comment"])
def test_empty_files_are_written_to(covls: Covls, tmp_path: Path, content: bytes) -> None:
    names = ("pyproject.toml", ".pre-commit-config.yaml", ".gitlab-ci.yml")
    for name in names:
        (tmp_path / name).write_bytes(content)
    init(covls, tmp_path, "--yes")
    for name in names:
        assert (tmp_path / name).read_bytes().startswith(content.strip())
    assert init(covls, tmp_path).endswith("nothing to propose.\n")


@pytest.mark.parametrize(
    ("files_there", "install", "runs"),
    [
        ({"uv.lock": ""}, "uv sync", "uv run --no-sync coverage run -m pytest"),
        ({"poetry.lock": ""}, "poetry install", "poetry run coverage run -m pytest"),
        ({"requirements/test.txt": "pytest\n"}, "-r requirements/test.txt", "run: coverage run -m"),
        ({".python-version": "3.12\n"}, "python-version-file: .python-version", "covls report"),
        (
            {
                "pyproject.toml": '[project]\nname = "a"\n'
                "[project.optional-dependencies]\ntest = []\n"
            },
            '-e ".[test]"',
            "coverage run",
        ),
        (
            {".coveragerc": "[run]\nparallel = True\nplugins = a_plugin\n"},
            "coverage combine",
            'COVLS_TRUSTED: "1"',
        ),
    ],
)
def test_workflows_install_and_run_as_the_project_does(
    covls: Covls, tmp_path: Path, files_there: Mapping[str, str], install: str, runs: str
) -> None:
    write(tmp_path, {"conftest.py": "", **files_there})
    init(covls, tmp_path, "--yes", "--only=github", "--only=codecov", "--only=gitlab")
    workflows = sorted((tmp_path / ".github" / "workflows").iterdir())
    text = workflows[1].read_text()
    assert install in text
    assert runs in text
    for schema, paths in {
        "vendor.github-workflows": workflows,
        "vendor.gitlab-ci": [tmp_path / ".gitlab-ci.yml"],
    }.items():
        done = subprocess.run(
            [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *paths],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_project_below_the_top_of_its_repository(covls: Covls, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    copy_parcels(tmp_path / "services" / "site")
    root = tmp_path / "services"
    (root / "pyproject.toml").write_text("")
    out = init(covls, root, "--yes")
    assert f"github: it is read in the repository's own folder, {tmp_path}" in out
    assert not (root / ".github").exists()
    assert not (root / ".pre-commit-config.yaml").exists()


def test_manage_py_in_a_folder_of_its_own(covls: Covls, tmp_path: Path) -> None:
    (copy_parcels(tmp_path / "before")).rename(tmp_path / "backend")
    out = init(covls, tmp_path, "--yes", "--only=coverage")
    run = tomllib.loads((tmp_path / "pyproject.toml").read_text())["tool"]["coverage"]["run"]
    assert run["source"] == ["backend"]
    assert {"*/migrations/*", "backend/manage.py", "backend/static/*"} <= set(run["omit"])
    command = out.splitlines()[-1].removeprefix("Next: coverage ").split(",")[0].split()
    coverage(tmp_path, *command)
    assert coverage(tmp_path, "report", "--format=total").out.strip() == "55.4"


def test_the_total_is_no_more_than_what_is_recorded(covls: Covls, tmp_path: Path) -> None:
    write(tmp_path, {"setup.cfg": "[coverage:run]\nsource = .\n", "a.py": CODE, "b.py": "x = 1\n"})
    coverage(tmp_path, "run", "a.py")
    init(covls, tmp_path, "--yes", "--only=covls")
    gates = tomllib.loads((tmp_path / "covls.toml").read_text())["gates"]
    assert gates == {"total": 20, "patch": 90, "max-drop": 2.0}
    assert init(covls, tmp_path, "--only=covls").endswith("nothing to propose.\n")


@pytest.mark.parametrize(("answer", "written"), [(b"y\n", True), (b"\n", False)])
def test_at_a_terminal_it_asks(tmp_path: Path, answer: bytes, written: bool) -> None:
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "covls", "init", "--only=neovim", f"--root={tmp_path}"]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE) as process:
        os.write(ours, answer)
        out, _ = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0
    assert b"Write 1 file?" in out
    assert (tmp_path / ".nvim.lua").exists() is written


def test_a_library_with_a_django_project_in_its_tests(covls: Covls, tmp_path: Path) -> None:
    write(tmp_path, {"pyproject.toml": "", "lib/__init__.py": "", "lib/settings.py": "A = 1\n"})
    copy_parcels(tmp_path / "tests" / "projects")
    init(covls, tmp_path, "--yes", "--only=coverage")
    run = tomllib.loads((tmp_path / "pyproject.toml").read_text())["tool"]["coverage"]["run"]
    assert run["source"] == ["lib"]
    assert "omit" not in run
