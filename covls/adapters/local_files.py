"""The Python files below a folder, for finding measured files that have other paths here."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

_MOST = 100_000

# Folders that hold no sources of the project's own.
_NOT_SOURCES = frozenset({"node_modules", "__pycache__", "site-packages", "__pypackages__"})


def local_python_files(root: Path, most: int = _MOST) -> list[str]:
    """Real paths of the Python files below `root`, sorted; where there are more, `most` of them.

    Left out are hidden folders, virtual environments, installed packages and what `setup.py build`
    copied. Links to folders are not followed: what they lead to has a real path of its own, and a
    link may lead back.
    """
    return sorted(islice(_walk(os.path.realpath(root)), most))


def _walk(root: str) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        if "pyvenv.cfg" in names and folder != root:
            folders.clear()
            continue
        in_build = Path(folder).name == "build"
        folders[:] = [
            name
            for name in sorted(folders)
            if not name.startswith(".")
            and name not in _NOT_SOURCES
            and not (in_build and name.startswith("lib"))
        ]
        for name in names:
            if name.endswith((".py", ".pyw")):
                yield f"{folder}{os.sep}{name}"
