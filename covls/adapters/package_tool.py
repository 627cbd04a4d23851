"""The command that installs a package for a project, by the tool that the project uses."""

import shlex
import tomllib
from pathlib import Path
from typing import Any

from covls.adapters.interpreter import Interpreter, environment_of
from covls.adapters.presence import is_file, is_folder, is_there


def install_command(root: Path, interpreter: Interpreter | None, package: str) -> str:
    """Return what to type so that the project's tests find a package from then on.

    The tool is the one whose files are nearest above the root, within its repository; without one,
    pip, in the interpreter.
    """
    for folder in (root, *root.parents):
        if command := _of_tool(folder, package):
            return command
        if is_there(folder / ".git"):
            break
    if interpreter is None:
        return f"python -m pip install {package}"
    environment = environment_of(interpreter)
    if environment is not None and is_folder(environment / "conda-meta"):
        return f"conda install --prefix {shlex.quote(str(environment))} {package}"
    python = shlex.quote(str(interpreter.python))
    if environment is not None and _made_by_uv(environment):
        return f"uv pip install --python {python} {package}"
    return f"{python} -m pip install {package}"


def _of_tool(folder: Path, package: str) -> str:
    tool = _tables(folder / "pyproject.toml")
    if is_file(folder / "uv.lock"):
        return f"uv add --dev {package}"
    if is_file(folder / "poetry.lock") or "poetry" in tool:
        return f"poetry add --group dev {package}"
    if is_file(folder / "pdm.lock") or is_file(folder / ".pdm-python") or "pdm" in tool:
        return f"pdm add --dev {package}"
    if is_file(folder / "Pipfile"):
        return f"pipenv install --dev {package}"
    if is_file(folder / "pixi.toml") or is_file(folder / "pixi.lock") or "pixi" in tool:
        return f"pixi add {package}"
    hatch = tool.get("hatch")
    if isinstance(hatch, dict) and "envs" in hatch:
        # Hatch has no command for it: its environments follow what is written.
        return f'add "{package}" to the environment\'s dependencies in {folder / "pyproject.toml"}'
    if "uv" in tool:
        return f"uv add --dev {package}"
    return ""


def _tables(file: Path) -> dict[str, Any]:
    try:
        tool = tomllib.loads(file.read_text("utf-8")).get("tool")
    except (OSError, ValueError):
        return {}
    return tool if isinstance(tool, dict) else {}


def _made_by_uv(environment: Path) -> bool:
    """Uv leaves its version in the environments that it makes, and no pip in them."""
    try:
        lines = (environment / "pyvenv.cfg").read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return False
    return any(line.partition("=")[0].strip() == "uv" for line in lines)
