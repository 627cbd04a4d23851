"""Git repositories for tests, with dates of their own and nothing of the user's configuration."""

import os
import subprocess
from pathlib import Path

import pytest

needs_git = pytest.mark.needs_tool("git", why="its history has the measured texts")


class Repository:
    """A real repository in a folder."""

    def __init__(self, folder: Path, *, init: bool = True) -> None:
        self.folder = folder
        if init:
            folder.mkdir(parents=True, exist_ok=True)
            self("init", "-q", "-b", "main")

    def __call__(self, *arguments: str, at: float | None = None, check: bool = True) -> str:
        """Run git; with `at` as if at that time."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "A",
            "GIT_AUTHOR_EMAIL": "a@example.org",
            "GIT_COMMITTER_NAME": "A",
            "GIT_COMMITTER_EMAIL": "a@example.org",
            "GIT_ALLOW_PROTOCOL": "file",
        }
        if at is not None:
            environment["GIT_AUTHOR_DATE"] = environment["GIT_COMMITTER_DATE"] = f"@{int(at)} +0000"
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, name: str, text: str, at: float | None = None) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        if at is not None:
            os.utime(path, (at, at))
        return path

    def commit(self, name: str, text: str, at: float) -> str:
        """Write a file, and commit it at a time."""
        self.write(name, text, at)
        self("add", name)
        self("commit", "-qm", f"at {at:.0f}", at=at)
        return self("rev-parse", "HEAD")
