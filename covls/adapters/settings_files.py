"""Covls's settings in a folder's files: `covls.toml`, or `[tool.covls]` of `pyproject.toml`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from covls.adapters.presence import is_there
from covls.core.settings import Layer, Problem


@dataclass(frozen=True, slots=True)
class SettingsFiles:
    """What the settings files of one folder hold: at most one layer, and the file it is from."""

    layers: tuple[Layer, ...] = ()
    file: Path | None = None
    problems: tuple[Problem, ...] = ()


def read_settings_files(folder: Path) -> SettingsFiles:
    """Read the settings files of `folder`; what cannot be read is a problem, never an error.

    `covls.toml` goes before `[tool.covls]`, whole: the two are never mixed.
    """
    problems: list[Problem] = []
    own_file = folder / "covls.toml"
    project_file = folder / "pyproject.toml"
    own = _read_toml(own_file, problems)
    project = _read_toml(project_file, problems)
    tool = project.get("tool") if project is not None else None
    table = tool.get("covls") if isinstance(tool, Mapping) else None
    if table is not None and not isinstance(table, Mapping):
        problems.append(Problem(str(project_file), "tool.covls is not a table; write [tool.covls]"))
        table = None
    if own is not None:
        if table is not None:
            problems.append(
                Problem(
                    str(project_file),
                    "[tool.covls] is not used, because covls.toml is there too; keep one of them",
                )
            )
        return SettingsFiles((Layer("covls.toml", own),), own_file, tuple(problems))
    if table is not None:
        return SettingsFiles((Layer("tool.covls", table),), project_file, tuple(problems))
    return SettingsFiles(problems=tuple(problems))


def _read_toml(file: Path, problems: list[Problem]) -> Mapping[str, object] | None:
    """Return what a TOML file holds, nothing if it cannot be read; None if it is not there."""
    try:
        return tomllib.loads(file.read_bytes().decode("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        # In a folder that may not be entered nobody knows what there is.
        if isinstance(error, PermissionError) and not is_there(file):
            return None
        problems.append(Problem(str(file), f"cannot be read: {error.strerror}"))
    except UnicodeDecodeError as error:
        problems.append(Problem(str(file), f"is not UTF-8 at byte {error.start}; save it as UTF-8"))
    except tomllib.TOMLDecodeError as error:
        problems.append(Problem(str(file), f"is not valid TOML: {error}; correct it"))
    return {}
