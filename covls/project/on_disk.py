"""A measured file as it is on disk just now."""

from dataclasses import dataclass
from pathlib import Path

from covls.adapters.analyst import Analysts
from covls.adapters.source import Unreadable, read_source
from covls.core.analysis import Analysis, NotAnalysed

Stamp = tuple[int, int]
"""Time of change (nanoseconds) and size of a file."""


@dataclass(frozen=True, slots=True)
class OnDisk:
    """A source, and what could run in it."""

    content: bytes
    analysis: Analysis


def stamp_of(path: Path) -> Stamp | None:
    """What tells that a file was written; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def analyse_on_disk(analysts: Analysts, path: Path, tracer: str) -> OnDisk | str:
    """What could run in a file that the plugin `tracer` measured, or none; else why not known."""
    content = read_source(path)
    if isinstance(content, Unreadable):
        return content.reason
    if tracer and not analysts.plugins:
        return plugin_not_loaded(path, tracer)
    analysis = analysts.analyse(path, content, tracer)
    if isinstance(analysis, NotAnalysed):
        return analysis.reason
    return OnDisk(content, analysis)


def plugin_not_loaded(path: Path, tracer: str) -> str:
    """Why a file that a plugin measured has no coverage in a workspace that is not trusted."""
    return (
        f"{path} was measured by the coverage plugin {tracer}, which is not loaded because this "
        "workspace is not trusted"
    )
