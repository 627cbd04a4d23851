"""The team's history as a share: what CI measured, beside what it recorded."""

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from covls.adapters.history_db import HistoryError, Mode, history_place, open_history
from covls.adapters.share import ShareError
from covls.core.settings import Settings

if TYPE_CHECKING:
    from covls.adapters.history_db.history import History


class HistoryShare:
    """The artifacts of a history, which is opened for each question.

    A database that a workspace names is gone to where that is `trusted`.
    """

    def __init__(self, root: Path, settings: Settings, *, trusted: bool) -> None:
        self._root = root
        self._settings = settings
        self._trusted = trusted
        with self._saying():
            self.shown = str(history_place(root, settings, os.environ, trusted=trusted))

    def commits(self) -> frozenset[str]:
        with self._opened("read") as history:
            return frozenset(history.artifacts.commits())

    def names(self, commit: str) -> tuple[str, ...]:
        with self._opened("read") as history:
            return tuple(sorted(artifact.name for artifact in history.artifacts.list(commit)))

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        commit, _, file = name.partition("/")
        with self._opened("read") as history:
            found = next((a for a in history.artifacts.list(commit) if a.name == file), None)
            if found is None:
                raise FileNotFoundError(name)
            content = history.artifacts.content(found, self._settings.share.max_mb << 20)
        yield io.BytesIO(content)

    def write(self, name: str, content: Path | bytes) -> None:
        commit, _, file = name.partition("/")
        with self._opened("write") as history:
            whole = content if isinstance(content, bytes) else content.read_bytes()
            history.artifacts.put(commit, file, whole)

    @contextlib.contextmanager
    def _opened(self, mode: Mode) -> "Iterator[History]":
        with (
            self._saying(),
            open_history(self._root, self._settings, mode=mode, trusted=self._trusted) as history,
        ):
            yield history

    @contextlib.contextmanager
    def _saying(self) -> Iterator[None]:
        try:
            yield
        except HistoryError as error:
            raise ShareError(str(error)) from error
