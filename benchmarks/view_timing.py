"""Edits without the protocol: how long `Project.view` takes after each. Run by `python -m`.

    python -m benchmarks.view_timing ROOT FILE EDITS EDITS_PER_PLACE

Prints a JSON list of seconds.
"""

import json
import sys
import time
from pathlib import Path

from covls.core.settings import Settings
from covls.project import Project


def view_seconds(root: Path, path: Path, edits: int, edits_per_place: int) -> list[float]:
    """Insert lines in several places of a file; the seconds each view of the text took."""
    project = Project(root, Settings())
    try:
        project.refresh()
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        project.view(path, "".join(lines))
        places = edits // edits_per_place
        samples: list[float] = []
        for edit in range(edits):
            place = (edit // edits_per_place) * len(lines) // (places + 1)
            lines.insert(place + edit % edits_per_place, "\n")
            text = "".join(lines)
            started = time.perf_counter()
            view = project.view(path, text)
            samples.append(time.perf_counter() - started)
            assert view is not None
            assert view.marks
        return samples
    finally:
        project.close()


if __name__ == "__main__":
    root, name, edits, edits_per_place = sys.argv[1:]
    seconds = view_seconds(Path(root), Path(root, name), int(edits), int(edits_per_place))
    print(json.dumps(seconds))
