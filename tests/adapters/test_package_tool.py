"""What to type to install a package fits the tool that the project uses."""

from pathlib import Path

import pytest

from covls.adapters.interpreter import find_interpreter
from covls.adapters.package_tool import install_command


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("uv.lock", "", "uv add --dev coverage"),
        ("pyproject.toml", "[tool.uv]\n", "uv add --dev coverage"),
        ("poetry.lock", "", "poetry add --group dev coverage"),
        ("pyproject.toml", "[tool.poetry]\n", "poetry add --group dev coverage"),
        ("pdm.lock", "", "pdm add --dev coverage"),
        ("Pipfile", "", "pipenv install --dev coverage"),
        ("pixi.toml", "", "pixi add coverage"),
        (
            "pyproject.toml",
            "[tool.hatch.envs.test]\n",
            'add "coverage" to the environment\'s dependencies in {root}/pyproject.toml',
        ),
        ("pyproject.toml", "no toml", "python -m pip install coverage"),
        ("requirements.txt", "", "python -m pip install coverage"),
    ],
)
@pytest.mark.parametrize("below", ["", "packages/a"])
def test_by_tool(tmp_path: Path, file: str, text: str, expected: str, below: str) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / file).write_text(text)
    (tmp_path / below).mkdir(parents=True, exist_ok=True)
    found = install_command(tmp_path / below, None, "coverage")
    assert found == expected.format(root=tmp_path)


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        ("pyvenv.cfg:home = /usr/bin", "'{python}' -m pip install pytest"),
        ("pyvenv.cfg:uv = 0.9.1", "uv pip install --python '{python}' pytest"),
        ("conda-meta/history:", "conda install --prefix '{environment}' pytest"),
    ],
)
def test_by_environment(tmp_path: Path, kept: str, expected: str) -> None:
    environment = tmp_path / "my project" / "env"
    python = environment / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    name, _, text = kept.partition(":")
    (environment / name).parent.mkdir(exist_ok=True)
    (environment / name).write_text(text)
    found = find_interpreter(environment.parent, None, {"PATH": "", "HOME": str(tmp_path)})
    assert found is not None
    command = install_command(environment.parent, found, "pytest")
    assert command == expected.format(python=python, environment=environment)
