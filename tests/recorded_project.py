"""A real repository with a real history beside it, in which runs are recorded as a test asks."""

from datetime import UTC, datetime
from pathlib import Path

from covls.adapters.commits import Commits, commits_of
from covls.adapters.history_db import open_history
from covls.adapters.history_db.history import History
from covls.core.history import Commit, Run
from covls.core.settings import Settings
from tests.adapters.repositories import Repository
from tests.core.recorded import recorded, stripped

AT = 1_767_225_600
"""The beginning of 2026."""


class RecordedProject:
    """A project of which each commit may be measured: what no test reaches is marked in its text.

    The marks are not in what is committed.
    """

    def __init__(self, folder: Path) -> None:
        self.repository = Repository(folder)
        self.history: History = open_history(folder, Settings(), mode="write")
        self.texts: dict[str, str] = {}
        self._commits = 0
        self.repository.write(".gitignore", ".covls/\n")

    @property
    def folder(self) -> Path:
        return self.repository.folder

    @property
    def commits(self) -> Commits:
        found = commits_of(self.folder)
        assert found is not None
        return found

    def commit(self, at: float | None = None, **texts: str | None) -> str:
        """Write files (None: delete), and commit all there is. `a__b` is the file `a/b.py`."""
        self.mark(**texts)
        self._commits += 1
        self.repository("add", "-A")
        at = AT + 86_400 * self._commits if at is None else at
        self.repository("commit", "-q", "--allow-empty", "-m", f"Do {self._commits}", at=at)
        return self.repository("rev-parse", "HEAD")

    def mark(self, **texts: str | None) -> None:
        """Write files without committing them: where the code is the same, only marks differ."""
        for key, text in texts.items():
            name = key.replace("__", "/") + ".py"
            if text is None:
                del self.texts[name]
                (self.folder / name).unlink()
            else:
                self.texts[name] = text
                self.repository.write(name, stripped(text))

    def document(self, text: str) -> str:
        """Commit something that is no code."""
        self.repository.write("README.md", text)
        return self.commit()

    def record(
        self, *, flags: tuple[str, ...] = (), branches: bool = False, clean: bool = True
    ) -> Run:
        """Record a run of what is there, at HEAD."""
        head, authored, *parents = self.repository("log", "-1", "--format=%H %at %P").split()
        branch = self.repository("symbolic-ref", "--short", "-q", "HEAD", check=False) or None
        when = datetime.fromtimestamp(int(authored), UTC)
        return self.history.record(
            Commit(head, tuple(parents), branch, authored=when, subject="Do"),
            flags,
            clean=clean,
            versions={"python": "3.12.1"},
            has_branches=branches,
            files=[recorded(name, text, branches=branches) for name, text in self.texts.items()],
        )
