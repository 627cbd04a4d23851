"""Run tests through the probe, in any interpreter, and read what it wrote."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coverage import CoverageData

from covls.probe import run_tests

PROBE = Path(run_tests.__file__)

# Importing all the plugins of the development environment under measurement takes seconds.
BARE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

# (test, phase, scope, outside) → file's name relative to the root → lines, or arcs
Ran = dict[tuple[str, str, str, bool], dict[str, frozenset[Any]]]


@dataclass(frozen=True)
class Recorded:
    """What one run left behind."""

    code: int
    output: str
    events: tuple[dict[str, Any], ...]
    ran: Ran
    union: dict[str, frozenset[Any]]  # what the data says that ran, of each file with anything
    measured: frozenset[str]  # the files in the data, also those of which nothing ran
    contexts: frozenset[str]

    def told(self, event: str) -> list[dict[str, Any]]:
        return [told for told in self.events if told["event"] == event]

    @property
    def outcomes(self) -> dict[str, str]:
        return {told["test"]: told["outcome"] for told in self.told("finished")}

    @property
    def notices(self) -> list[str]:
        return [told["message"] for told in self.told("notice")]

    @property
    def end(self) -> dict[str, Any]:
        """The main process's last word."""
        mains = {told["pid"] for told in self.told("begin") if told["role"] == "main"}
        (end,) = (told for told in self.told("end") if told["of"] in mains)
        return end

    def by_test(self, *, outside: bool = True) -> dict[str, dict[str, frozenset[Any]]]:
        """What each test ran in all of its phases."""
        tests: dict[str, dict[str, frozenset[Any]]] = {}
        for (test, _, _, was_outside), files in self.ran.items():
            if outside or not was_outside:
                merge(tests.setdefault(test, {}), files)
        return tests

    def all_ran(self) -> dict[str, frozenset[Any]]:
        """The union of the detail, of what the user's configuration measures."""
        found: dict[str, frozenset[Any]] = {}
        for files in self.by_test(outside=False).values():
            merge(found, files)
        return found


def merge(into: dict[str, frozenset[Any]], files: Mapping[str, frozenset[Any]]) -> None:
    for name, ran in files.items():
        into[name] = into.get(name, frozenset()) | ran


def run(
    root: Path,
    out: Path,
    runner: str = "pytest",
    *,
    arguments: tuple[str, ...] = (),
    tests: list[str] | None = None,
    python: str | Path = sys.executable,
    environment: Mapping[str, str] | None = None,
    timeout: float = 120,
    **more: Any,
) -> Recorded:
    """Run tests as covls does, and read all that was written."""
    request = start(root, out, runner, arguments=arguments, tests=tests, **more)
    done = subprocess.run(
        [python, PROBE, request],
        cwd=root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **BARE, **(environment or {})},
        timeout=timeout,
        check=False,
    )
    return read(root, out, done.returncode, done.stdout.decode(errors="replace"))


def start(
    root: Path,
    out: Path,
    runner: str,
    *,
    arguments: tuple[str, ...] = (),
    tests: list[str] | None = None,
    **more: Any,
) -> Path:
    """Write a request; return its path."""
    out.mkdir(parents=True, exist_ok=True)
    request = {
        "runner": runner,
        "arguments": arguments,
        "tests": tests,
        "out": str(out),
        "data_file": ".coverage",
        "coverage": {},
        "core": "auto",
        "root": str(root),
        "workers": 0,
        **more,
    }
    path = out / "request.json"
    path.write_text(json.dumps(request))
    return path


def read(root: Path, out: Path, code: int, output: str) -> Recorded:
    """Read what a run has written, to its last whole line."""
    events: list[dict[str, Any]] = []
    for path in sorted(out.glob("events-*.jsonl")):
        events += [{**told, "of": process(path)} for told in lines(path)]
    ran: Ran = {}
    for path in sorted(out.glob("detail-*.jsonl")):
        read_detail(path, root, ran)
    union: dict[str, frozenset[Any]] = {}
    measured: set[str] = set()
    contexts: set[str] = set()
    for path in out.glob(".coverage*"):
        data = CoverageData(str(path))
        data.read()
        with closing(Closing(data)):
            contexts |= data.measured_contexts()
            for name in data.measured_files():
                measured.add(relative(name, root))
                if found := data.arcs(name) if data.has_arcs() else data.lines(name):
                    merge(union, {relative(name, root): frozenset(found)})
    return Recorded(
        code, output, tuple(events), ran, union, frozenset(measured), frozenset(contexts)
    )


class Closing:
    """A CoverageData that `contextlib.closing` can close for good."""

    def __init__(self, data: CoverageData) -> None:
        self._data = data

    def close(self) -> None:
        self._data.close(force=True)


def process(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


def relative(name: str, root: Path) -> str:
    return os.path.relpath(root / name, root)


def lines(path: Path) -> Iterator[dict[str, Any]]:
    whole, _, _ = path.read_text().rpartition("\n")
    for line in whole.splitlines():
        yield json.loads(line)


def read_detail(path: Path, root: Path, ran: Ran) -> None:
    names: dict[str, str] = {}
    pairs: dict[str, list[tuple[int, int]]] = {}
    for line in lines(path):
        if "file" in line:
            names[str(line["file"])] = relative(line["path"], root)
        elif "pairs" in line:
            added = [(start, end) for start, end in line["add"]]
            pairs.setdefault(str(line["pairs"]), []).extend(added)
        elif "ran" in line:
            key = (line["test"], line["phase"], line["scope"], line.get("outside", False))
            for number, text in line["ran"].items():
                bits = int.from_bytes(bytes.fromhex(text), "little")
                places = [place for place in range(bits.bit_length()) if bits >> place & 1]
                found = [pairs[number][place] for place in places] if number in pairs else places
                merge(ran.setdefault(key, {}), {names[number]: frozenset(found)})
