"""The texts that one state of a root's data measured, where the disk has others by now."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from covls.adapters.git import Git
from covls.adapters.ledger import Ledger, Record, content_hash
from covls.adapters.recorded_sources import (
    RecordedSources,
    data_hashes,
    read_sources,
    sources_file,
)
from covls.adapters.snapshot import Snapshot
from covls.adapters.source import source_text
from covls.core.analysis import Analysis
from covls.core.coverage import Measured
from covls.core.lines import split_lines
from covls.core.plausible import Version, can_have_run, choose, lines_can_run

CONTENTS_TRIED = 12
"""Versions in git that are analysed for one file, at most."""

Analyse = Callable[[bytes], Analysis | None]
"""What could run in a source; None where it cannot be analysed."""


@dataclass(frozen=True, slots=True)
class MeasuredSource:
    """The text that was measured, with what could run in it."""

    content: bytes
    analysis: Analysis
    origin: str
    """Where it is from, for people, as after "known from"."""
    doubtful: frozenset[int] = frozenset()
    """Lines (from 1) that may have been others when they were measured."""


class MeasuredSources:
    """The measured sources of one snapshot, from beside its data, the ledger, and git.

    A source that was modified after `written_at` (seconds since the epoch) is not surely what was
    measured: that is when the data was written, or sooner, when it was seen to change first. Of
    data that are from elsewhere (`pulled`) no time tells anything: only what was recorded beside
    them counts, for the paths that it names.

    Thread-safe. All is looked up when first asked for.
    """

    def __init__(
        self,
        root: Path,
        snapshot: Snapshot,
        ledger: Ledger,
        git: Git,
        *,
        written_at: float,
        pulled: bool = False,
    ) -> None:
        self.problem: str | None = None
        """What is wrong with the sources that were recorded beside the data."""
        self._root = root
        self._snapshot = snapshot
        self._ledger = ledger
        self._git = git
        self._written_at = written_at
        self._pulled = pulled
        self._lock = threading.Lock()
        self._record: Record | None = None
        self._recorded: RecordedSources | None = None
        self._looked_beside = False
        self._stopped = threading.Event()
        self._recorder: threading.Thread | None = None

    def beside(
        self, measured_path: str, measured: Measured, analyse: Analyse
    ) -> MeasuredSource | None:
        """What was recorded beside the data, by `covls record-sources`; surer than the disk."""
        recorded = self._beside()
        digest = self._recorded_digest(measured_path)
        if recorded is None or digest is None:
            return None
        return _checked(
            recorded.content(digest),
            "what was recorded where it was measured"
            if self._pulled
            else f"{recorded.path.name}, recorded beside the data",
            measured,
            analyse,
        )

    def elsewhere(
        self, path: Path, measured_path: str, measured: Measured, analyse: Analyse
    ) -> MeasuredSource | None:
        """What the ledger kept when this data was first seen, or else what git has."""
        if self._pulled:
            return None
        entry = self._kept().get(measured_path)
        if entry is not None:
            content = self._ledger.content(entry.hash)
            found = _checked(content, "covls's ledger", measured, analyse)
            if found is not None:
                return found
        return self._in_git(path, measured, analyse)

    def _in_git(self, path: Path, measured: Measured, analyse: Analyse) -> MeasuredSource | None:
        sources: list[MeasuredSource] = []
        versions: list[Version] = []
        tried: dict[bytes, tuple[list[str], MeasuredSource | None]] = {}
        last = max(measured.lines, default=0)
        for version in self._git.versions(path, self._written_at):
            if version.content not in tried:
                if len(tried) == CONTENTS_TRIED:
                    # What was not looked at might contradict what was.
                    return None
                lines = split_lines(source_text(version.content))
                analysis = analyse(version.content) if last <= len(lines) else None
                possible = analysis is not None and can_have_run(analysis, measured)
                tried[version.content] = (
                    lines,
                    (
                        MeasuredSource(version.content, analysis, f"git ({version.name})")
                        if analysis is not None and possible
                        else None
                    ),
                )
            lines, source = tried[version.content]
            if source is not None:
                sources.append(source)
                versions.append(Version(lines, version.at))
        choice = choose(versions, self._written_at)
        if choice is None:
            return None
        return replace(sources[choice.index], doubtful=choice.doubtful)

    def agree(self, measured_path: str, content: bytes, *, unmodified: bool) -> bool:
        """Whether a content on disk is the one that was measured.

        What was recorded beside the data decides, where there is something. Else it is a file that
        is `unmodified` since the data was written, or one that is again as the ledger kept it.
        """
        if digest := self._recorded_digest(measured_path):
            return content_hash(content) == digest
        if unmodified:
            return True
        entry = self._kept().get(measured_path)
        return entry is not None and entry.hash == content_hash(content)

    def record(
        self, files: Mapping[str, Path], then: Callable[[Record, Callable[[], bool]], None]
    ) -> None:
        """Keep the sources on disk that were surely measured, in a thread of its own.

        `files` are local files by measured path. `then` is called in that thread with the sources
        that are known now, and with what says whether to stop.
        """

        def work() -> None:
            record = self._ledger.note(
                self._root,
                self._snapshot.fingerprint,
                files,
                written_at=self._written_at,
                stopped=self._stopped.is_set,
            )
            with self._lock:
                self._record = record
            then(record, self._stopped.is_set)

        self._recorder = threading.Thread(target=work, name="covls ledger", daemon=True)
        self._recorder.start()

    @property
    def recorder(self) -> threading.Thread | None:
        """The thread that keeps the sources, and what is done then."""
        return self._recorder

    def finish(self, seconds: float) -> None:
        """Wait for what is being recorded, and end it where it takes longer."""
        if self._recorder is not None:
            self._recorder.join(seconds)
            self._stopped.set()
            self._recorder.join(seconds)

    def _recorded_digest(self, measured_path: str) -> str | None:
        recorded = self._beside()
        if recorded is None:
            return None
        if self._pulled:
            return recorded.files.get(measured_path)
        return recorded.digest(measured_path)

    def _beside(self) -> RecordedSources | None:
        with self._lock:
            if not self._looked_beside:
                self._looked_beside = True
                self._recorded = self._looked_up()
            return self._recorded

    def _looked_up(self) -> RecordedSources | None:
        path = sources_file(self._snapshot.data_file)
        try:
            recorded = read_sources(path)
        except ValueError as error:
            self.problem = str(error)
            return None
        if recorded is None:
            return None
        hashes = data_hashes(self._snapshot.data_file, self._snapshot.fingerprint)
        if hashes is not None and hashes == recorded.data:
            return recorded
        if hashes is not None:
            self.problem = (
                f"{path} holds the sources of other data, and is not used. Make it anew with "
                "`covls record-sources`, or delete it"
            )
        return None

    def _kept(self) -> Record:
        with self._lock:
            if self._record is None:
                self._record = self._ledger.record(self._root, self._snapshot.fingerprint)
            return self._record


def _checked(
    content: bytes | None, origin: str, measured: Measured, analyse: Analyse
) -> MeasuredSource | None:
    """A content that time or a record speaks for, unless what ran cannot run in it."""
    analysis = None if content is None else analyse(content)
    if content is None or analysis is None or not lines_can_run(analysis, measured):
        return None
    return MeasuredSource(content, analysis, origin)
