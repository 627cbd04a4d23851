"""A project whose tests are run by the probe, whole or in part, and the data that comes of it."""

import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from covls.adapters.data_file import Snapshot, fingerprint, read_snapshot
from covls.adapters.partial_runs import PartialRuns, Taken
from covls.adapters.run_records import RunRecords, nothing_ran, read_run
from covls.adapters.test_detail import DetailStore
from covls.core.impact import Selection
from covls.core.naming import PYTEST, UNITTEST, is_test_file
from covls.probe import run_tests

ARGUMENTS = {"pytest": ["-q", "-p", "no:cacheprovider"], "unittest": ["discover"], "django": []}
BARE = {"PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
ENVIRONMENT = {"Python": sys.version.split()[0]}


@dataclass
class Live:
    """One project; `root` holds its files, `scratch` is for what runs leave behind."""

    root: Path
    scratch: Path
    options: Mapping[str, Any]
    runner: str = "pytest"

    def __post_init__(self) -> None:
        self._number = itertools.count()
        conventions = PYTEST if self.runner == "pytest" else UNITTEST
        self.runs = PartialRuns(
            self.root,
            self.root / ".coverage",
            DetailStore(self.root, self.scratch / "cache"),
            cache=self.scratch / "cache",
            is_test_file=lambda path: is_test_file(path, conventions),
        )
        self.output = ""

    def run(
        self, tests: list[str] | None, *, collect_all: bool = False
    ) -> tuple[RunRecords, Snapshot]:
        """Run some tests, or all, by the probe."""
        out = self.scratch / f"out{next(self._number)}"
        out.mkdir(parents=True)
        request = {
            "runner": self.runner,
            "arguments": ARGUMENTS[self.runner],
            "tests": tests,
            "collect_all": collect_all,
            "out": str(out),
            "data_file": "data",
            "coverage": self.options,
            "core": "auto",
            "root": str(self.root),
            "workers": 0,
        }
        if (self.runner == "unittest" and tests is None) or self.runner == "unittest":
            request["arguments"] = ["discover"]
        path = out / "request.json"
        path.write_text(json.dumps(request))
        done = subprocess.run(
            [sys.executable, run_tests.__file__, path],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **BARE},
            check=False,
            timeout=300,
        )
        self.output = done.stdout.decode(errors="replace")
        data = read_snapshot(out / "data", root=self.root)
        records = read_run(out, at=time.time(), data=data)
        shutil.rmtree(out)
        return records, data

    def take_all(self) -> RunRecords:
        """Run all tests, and keep what that brings."""
        before = self.runs.look(ENVIRONMENT)
        records, data = self.run(None)
        with data:
            taken = self.runs.take(
                before,
                Selection({}, "asked for"),
                records,
                data,
                old=None,
                asked=None,
                collected_all=True,
                began=time.time(),
            )
        assert taken.kept
        return records

    def take_affected(
        self, only: list[str] | None = None
    ) -> tuple[Selection, RunRecords | None, Taken | None]:
        """Run the tests that changes may reach, or others, and put what that brings in place."""
        before = self.runs.look(ENVIRONMENT)
        selection = self.runs.select(before)
        asked = None if selection.everything else [*selection.tests]
        if only is not None:
            asked = only
        began = time.time()
        collect_all = asked is None or selection.collect_all
        data: Snapshot | None
        if asked or collect_all:
            records, data = self.run(asked, collect_all=collect_all)
        else:
            assert before.detail is not None
            records, data = nothing_ran(before.detail.has_arcs), None
        with read_snapshot(self.root / ".coverage", root=self.root) as old:
            taken = self.runs.take(
                before,
                selection,
                records,
                data,
                old=old,
                asked=asked,
                collected_all=collect_all,
                began=began,
            )
        if data is not None:
            data.close()
        assert taken.data == fingerprint(self.root / ".coverage")
        assert taken.kept
        return selection, records, taken

    def said(self) -> dict[str, Any]:
        """What the data file says ran."""
        with read_snapshot(self.root / ".coverage", root=self.root) as snapshot:
            return said(snapshot)

    def truth(self) -> tuple[dict[str, Any], RunRecords]:
        """What a full run of the tests as they are now says ran."""
        records, data = self.run(None)
        with data:
            return said(data), records


def said(snapshot: Snapshot) -> dict[str, Any]:
    """Every measured file, and its arcs or lines."""
    found = {}
    for path, measured in snapshot.all_measured():
        ran = measured.lines if measured.arcs is None else measured.arcs
        found[path] = sorted(ran)
    return found
