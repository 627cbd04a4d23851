"""Whether something is at a path: never an error, where `pathlib` raises for lack of permission."""

import os
from pathlib import Path


def is_there(path: Path) -> bool:
    """Return whether there is anything at the path that may be seen."""
    return os.path.exists(path)  # noqa: PTH110


def is_file(path: Path) -> bool:
    """Return whether there is a file at the path that may be seen."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path) -> bool:
    """Return whether there is a folder at the path that may be seen."""
    return os.path.isdir(path)  # noqa: PTH112
