"""The project's interpreter is found on disk as users keep it, and never run."""

import base64
import hashlib
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from covls.adapters.interpreter import Interpreter, find_interpreter, installed_version


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "home" / "project"
    root.mkdir(parents=True)
    (root / ".git").mkdir()
    (root / "pyproject.toml").touch()
    return root


def environment(folder: Path, *, coverage: str | None = None, version: str = "3.12.1") -> Path:
    """An environment as far as it can be seen; its interpreter fails the test that runs it."""
    (folder / "bin").mkdir(parents=True)
    python = folder / "bin" / "python"
    python.write_text(f"#!/bin/sh\ntouch {folder}/was-run\n")
    python.chmod(0o755)
    (folder / "pyvenv.cfg").write_text(f"home = /nowhere/bin\nversion = {version}\n")
    site_packages = folder / "lib" / ("python" + version.rpartition(".")[0]) / "site-packages"
    site_packages.mkdir(parents=True)
    (site_packages / "coverage_enable_subprocess-1.0.dist-info").mkdir()
    if coverage:
        (site_packages / f"coverage-{coverage}.dist-info").mkdir()
    return folder


def find(root: Path, setting: str | None = None, **environ: str) -> Interpreter | None:
    variables: Mapping[str, str] = {"HOME": str(root.parent), "PATH": "", **environ}
    found = find_interpreter(root, setting, variables)
    assert not list(root.parent.rglob("was-run"))
    return found


def checksum(root: Path) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(str(root).encode()).digest()).decode()[:8]


def test_there_is_none(root: Path) -> None:
    assert find(root) is None


def test_a_real_environment_is_seen_as_it_is(root: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / ".venv"], check=True)
    found = find(root)
    assert found is not None
    assert found.python == root / ".venv" / "bin" / "python"
    assert found.found_by == ".venv"
    assert found.version == ".".join(map(str, sys.version_info[:3]))
    assert found.site_packages
    assert found.coverage_version is None


def test_the_interpreter_of_these_tests_has_coverage(root: Path) -> None:
    import coverage

    found = find(root, sys.executable)
    assert found is not None
    assert found.coverage_version == coverage.__version__


@pytest.mark.parametrize(
    ("folder", "found_by"),
    [
        ("project/.venv", ".venv"),
        ("project/venv", "venv"),
        (".cache/pypoetry/virtualenvs/name-{checksum}-py3.12", "poetry"),
        (".local/share/virtualenvs/project-abcdefgh", "pipenv"),
        (".local/share/hatch/env/virtual/project/{checksum}/project", "hatch"),
        ("project/.hatch/project", "hatch"),
        ("project/.pixi/envs/default", "pixi"),
    ],
)
def test_where_environments_are_kept(root: Path, folder: str, found_by: str) -> None:
    made = environment(root.parent / folder.format(checksum=checksum(root)), coverage="7.6.1")
    if found_by == "pipenv":
        (made / ".project").write_text(str(root))
    found = find(root)
    assert found is not None
    assert (found.python, found.found_by) == (made / "bin" / "python", found_by)
    assert (found.version, found.coverage_version) == ("3.12.1", "7.6.1")


@pytest.mark.parametrize(
    ("file", "text", "kept"),
    [
        ("project/poetry.toml", '[virtualenvs]\npath = ".kept"\n', "project/.kept"),
        ("project/poetry.toml", '[virtualenvs]\npath = "~/kept"\n', "kept"),
        (
            "project/poetry.toml",
            '[virtualenvs]\npath = "{project-dir}/../kept"\n',
            "project/../kept",
        ),
        ("project/poetry.toml", 'cache-dir = "/tmp/c"\nvirtualenvs = 3\n', None),
        (".config/pypoetry/config.toml", 'cache-dir = "kept"\n', "project/kept/virtualenvs"),
        (".config/pypoetry/config.toml", '[virtualenvs]\npath = "~/kept"\n', "kept"),
        (".config/pypoetry/config.toml", "is no toml", ".cache/pypoetry/virtualenvs"),
    ],
)
def test_poetry_is_asked_where_it_keeps_environments(
    root: Path, file: str, text: str, kept: str | None
) -> None:
    (root.parent / file).parent.mkdir(parents=True, exist_ok=True)
    (root.parent / file).write_text(text)
    if kept is None:
        assert find(root) is None
        return
    made = environment(root.parent / kept / f"name-{checksum(root)}-py3.12")
    found = find(root)
    assert found is not None
    assert (found.python.resolve(), found.found_by) == ((made / "bin/python").resolve(), "poetry")


def test_of_poetrys_environments_the_one_in_use_is_taken(root: Path) -> None:
    kept = root.parent / ".cache/pypoetry/virtualenvs"
    made = {
        minor: environment(kept / f"name-{checksum(root)}-py{minor}")
        for minor in ("3.11", "3.12", "3.13")
    }
    (kept / "envs.toml").write_text(f'["name-{checksum(root)}"]\nminor = "3.12"\n')
    found = find(root)
    assert found is not None
    assert found.python == made["3.12"] / "bin" / "python"


@pytest.mark.parametrize("below", ["", "packages/a"])
@pytest.mark.parametrize(
    ("text", "place", "variables"),
    [
        ("name: work  # ours\n", "miniconda3/envs/work", {}),
        ("name: 'work'\ndependencies: []\n", "mamba/envs/work", {"MAMBA_ROOT_PREFIX": "mamba"}),
        ("name: work\n", "anywhere/work", {}),
        ("prefix: {home}/by/prefix\n", "by/prefix", {}),
    ],
)  # fmt: skip
def test_conda_environments_named_in_a_file(
    root: Path, below: str, text: str, place: str, variables: dict[str, str]
) -> None:
    home = root.parent
    made = environment(home / place, coverage="7.6.1")
    (home / ".conda").mkdir()
    (home / ".conda/environments.txt").write_text(f"{home}/other\n{home}/anywhere/work\n")
    (root / "environment.yml").write_text(text.format(home=home))
    (root / below).mkdir(parents=True, exist_ok=True)
    found = find(root / below, HOME=str(home), **{n: str(home / v) for n, v in variables.items()})
    assert found is not None
    assert (found.python, found.found_by) == (made / "bin/python", "conda (environment.yml)")


def test_behind_pyenvs_stand_in_is_the_interpreter_it_would_start(root: Path) -> None:
    pyenv = root.parent / ".pyenv"
    made = {
        name: environment(pyenv / "versions" / name, version=name)
        for name in ("3.11.7", "3.12.1", "3.12.9")
    }
    for each in made.values():
        (each / "pyvenv.cfg").unlink()
    environment(pyenv / "elsewhere")
    (pyenv / "shims").mkdir()
    (pyenv / "elsewhere" / "bin" / "python").rename(pyenv / "shims" / "python")
    (pyenv / "version").write_text("3.11.7\n")

    def python(**environ: str) -> Path:
        found = find(root, PATH=str(pyenv / "shims"), **environ)
        assert found is not None
        assert (found.found_by, found.version) == ("PATH", found.python.parent.parent.name[:4])
        return found.python.parent.parent

    assert python() == made["3.11.7"]
    (root / ".python-version").write_text("3.12\n")
    assert python() == made["3.12.9"]
    assert python(PYENV_VERSION="3.12.1") == made["3.12.1"]


def test_packages_are_seen_however_they_were_installed(root: Path) -> None:
    made = environment(root / ".venv", coverage="7.6.1")
    (site_packages,) = made.glob("lib/*/site-packages")
    (site_packages / "Pytest_Django-4.11.1.dist-info").mkdir()
    (site_packages / "pytest_cov-5.0.0-py3.12.egg-info").mkdir()
    found = find(root)
    assert found is not None
    versions = {
        name: installed_version(found, name)
        for name in ("coverage", "pytest-django", "pytest.cov", "pytest")
    }
    assert versions == {
        "coverage": "7.6.1",
        "pytest-django": "4.11.1",
        "pytest.cov": "5.0.0",
        "pytest": None,
    }


def test_pdm_names_the_interpreter_in_a_file(root: Path) -> None:
    made = environment(root.parent / "elsewhere", coverage="7.6.1")
    (root / ".pdm-python").write_text(str(made / "bin" / "python") + "\n")
    found = find(root)
    assert found is not None
    assert (found.python, found.found_by) == (made / "bin" / "python", "pdm")


def test_an_environment_of_another_project_is_not_taken(root: Path) -> None:
    other = environment(root.parent / ".local/share/virtualenvs/project-abcdefgh")
    (other / ".project").write_text("/somewhere/else")
    environment(root.parent / ".cache/pypoetry/virtualenvs/project-AAAAAAAA-py3.12")
    environment(root.parent / ".venv")  # above the repository
    assert find(root) is None


def test_a_sub_project_takes_the_environment_of_its_repository(root: Path) -> None:
    made = environment(root / ".venv")
    below = root / "packages" / "a"
    below.mkdir(parents=True)
    found = find_interpreter(below, None, {"HOME": str(root.parent), "PATH": ""})
    assert found is not None
    assert found.python == made / "bin" / "python"


def test_on_path_the_environment_of_the_program_is_looked_into(root: Path) -> None:
    import coverage

    found = find(root, PATH=str(Path(sys.executable).parent))
    assert found is not None
    assert (found.found_by, found.coverage_version) == ("PATH", coverage.__version__)


def test_the_order(root: Path) -> None:
    on_path = environment(root.parent / "on-path")
    in_folder = environment(root / ".venv")
    active = environment(root.parent / "active")
    named = environment(root.parent / "named")
    path = {"PATH": str(on_path / "bin")}
    activated = {**path, "VIRTUAL_ENV": str(active)}

    def python(setting: str | None = None, **environ: str) -> Path | None:
        found = find(root, setting, **environ)
        return None if found is None else found.python.parent.parent

    assert python(str(named / "bin" / "python"), **activated) == named
    assert python(str(named), **activated) == named
    assert python("../named/bin/python", **activated) == root / "../named"
    assert python(**activated) == active
    assert python(**path) == in_folder
    (in_folder / "bin" / "python").unlink()
    assert python(**path) == on_path


def test_a_setting_that_names_nothing_is_told(root: Path) -> None:
    environment(root / ".venv")
    found = find(root, "no/such/python")
    assert found is not None
    assert not found.exists
    assert found.python == root / "no/such/python"


def test_hatch_runs_tests_where_coverage_is(root: Path) -> None:
    kept = root.parent / ".local/share/hatch/env/virtual/project" / checksum(root)
    environment(kept / "docs")
    tests = environment(kept / "hatch-test", coverage="7.6.1")
    found = find(root)
    assert found is not None
    assert found.python == tests / "bin" / "python"


def test_conda_counts_unless_it_is_base(root: Path) -> None:
    conda = environment(root.parent / "conda")
    (conda / "pyvenv.cfg").unlink()
    variables = {"CONDA_PREFIX": str(conda)}
    assert find(root, CONDA_DEFAULT_ENV="base", **variables) is None
    found = find(root, CONDA_DEFAULT_ENV="work", **variables)
    assert found is not None
    assert (found.found_by, found.version) == ("conda", "3.12")
