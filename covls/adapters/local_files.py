"""The files below a root that are the project's own."""

import os
from collections.abc import Callable, Iterator
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
    local = os.path.realpath(root)
    found = (
        f"{folder}{os.sep}{name}"
        for folder, names in own_folders(local, _NOT_SOURCES.__contains__)
        for name in names
        if name.endswith((".py", ".pyw"))
    )
    return sorted(islice(found, most))


def own_folders(root: str, left_out: Callable[[str], bool]) -> Iterator[tuple[str, list[str]]]:
    """The folders of a project's own with the names of their files, sorted.

    Those whose name is `left_out` are not looked into, nor are those that `local_python_files`
    leaves out whatever their name is.
    """
    for folder, folders, names in os.walk(root):
        if "pyvenv.cfg" in names and folder != root:
            folders.clear()
            continue
        in_build = Path(folder).name == "build"
        folders[:] = [
            name
            for name in sorted(folders)
            if not name.startswith(".")
            and not left_out(name)
            and not (in_build and name.startswith("lib"))
        ]
        yield folder, sorted(names)
