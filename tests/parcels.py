"""The Django project of `tests/projects/parcels`, in a folder of its own for a test."""

import shutil
from pathlib import Path

SOURCE = Path(__file__).parent / "projects" / "parcels"


def copy_parcels(folder: Path) -> Path:
    """The project's root below `folder`, without what runs in the original have left behind."""
    root = folder / "parcels"
    left = shutil.ignore_patterns("__pycache__", ".coverage*", "db.sqlite3", "htmlcov")
    shutil.copytree(SOURCE, root, ignore=left)
    return root
