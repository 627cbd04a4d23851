"""Where the files that a snapshot names are on this machine."""

import os
from dataclasses import replace
from pathlib import Path

from covls.adapters.analyst import Analysts
from covls.adapters.data_file import Snapshot
from covls.adapters.local_files import local_python_files
from covls.core.paths import Located, locate
from covls.core.plausible import lines_can_run
from covls.project.on_disk import analyse_on_disk

NOTHING_LOCATED = Located({}, {}, {}, ())


def locate_measured(root: Path, snapshot: Snapshot, analysts: Analysts) -> Located:
    """Find the measured files on this machine; content decides where names do not."""

    def plausible(measured_path: str, local: str) -> bool:
        found = analyse_on_disk(analysts, Path(local), snapshot.tracer(measured_path))
        return not isinstance(found, str) and lines_can_run(
            found.analysis, snapshot.measured(measured_path)
        )

    here: dict[str, str] = {}
    foreign: list[str] = []
    folders: dict[str, str] = {}
    for measured_path in sorted(snapshot.paths):
        local = _real_path(str(root / measured_path), folders)
        if Path(local).exists():
            here[measured_path] = local
        else:
            foreign.append(measured_path)
    if not foreign:
        return replace(NOTHING_LOCATED, found=here)
    # Walking the whole root is only worth it where something has to be looked for.
    files = local_python_files(root)
    located = locate(foreign, str(root), files, plausible, taken=here.values())
    return replace(located, found={**here, **located.found})


def _real_path(path: str, folders: dict[str, str]) -> str:
    """`os.path.realpath` for thousands of files of few folders, those done being in `folders`."""
    folder, separator, name = path.rpartition(os.sep)
    real = folders.get(folder)
    if real is None:
        real = folders[folder] = os.path.realpath(folder + separator)
    local = f"{real.rstrip(os.sep)}{os.sep}{name}"
    # A name that is a link, or none at all, is looked at in full.
    if not name or name == os.pardir or os.path.islink(local):  # noqa: PTH114
        return os.path.realpath(path)
    return local
