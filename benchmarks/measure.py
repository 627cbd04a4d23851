"""What a command costs: seconds, and the most memory its processes held together."""

import os
import statistics
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Cost:
    """One run of a command: wall-clock seconds and bytes of memory at its peak."""

    seconds: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Spread:
    """What several runs of the same thing took, in seconds."""

    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def p95(self) -> float:
        """The 95th percentile, the nearest rank above."""
        ordered = sorted(self.samples)
        return ordered[min(len(ordered) - 1, -(-95 * len(ordered) // 100) - 1)]

    @property
    def best(self) -> float:
        return min(self.samples)

    @property
    def worst(self) -> float:
        return max(self.samples)


class MemoryWatch:
    """Samples the memory of a process and of all below it together, from a thread of its own.

    What comes and goes between two samples is missed, but for the first process's own peak, which
    the kernel keeps. (What it tells after the end would not do: it has the peak of this process in
    it, which the other was forked from.)
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.peak_bytes = 0
        self._thread.start()

    def stop(self) -> int:
        self._done.set()
        self._thread.join()
        return self.peak_bytes

    def _watch(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            together = memory_of_tree(self._pid)
            self.peak_bytes = max(self.peak_bytes, together, peak_of(self._pid))


def process_tree(pid: int) -> list[int]:
    """The process and its descendants, as far as they are alive."""
    tree = [pid]
    for parent in tree:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                tree.extend(int(child) for child in task.read_text().split())
            except OSError:
                continue
    return tree


def processor_seconds(pid: int) -> float:
    """Processor time that a process and its living descendants have spent."""
    ticks = 0
    for member in process_tree(pid):
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_of_tree(pid: int) -> int:
    """The bytes of memory that a process and its descendants hold together."""
    return sum(map(memory_of, process_tree(pid)))


def memory_of(pid: int) -> int:
    """A process's resident memory, of pages shared with others its share (the kernel's "PSS")."""
    return _kilobytes(f"/proc/{pid}/smaps_rollup", "Pss:") * 1024


def peak_of(pid: int) -> int:
    """The most resident memory that a process had so far."""
    return _kilobytes(f"/proc/{pid}/status", "VmHWM:") * 1024


def _kilobytes(file: str, name: str) -> int:
    """A figure of the kernel's about a process, 0 for one that has ended."""
    try:
        lines = Path(file).read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)


def run(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str], output: Path
) -> Cost:
    """Run a command to its end, its standard output going to a file.

    Raises subprocess.CalledProcessError with what it wrote to standard error when it fails.
    """
    with output.open("wb") as out, output.with_suffix(".stderr").open("wb") as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
        )
        watch = MemoryWatch(process.pid)
        process.wait()
        seconds = time.perf_counter() - started
    peak_bytes = watch.stop()
    if process.returncode != 0:
        raise subprocess.CalledProcessError(
            process.returncode, command, stderr=output.with_suffix(".stderr").read_text()
        )
    return Cost(seconds, peak_bytes)
