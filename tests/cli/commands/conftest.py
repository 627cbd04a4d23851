"""A browser for commands that open one."""

import sys
from pathlib import Path

import pytest


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the browser was last asked to open."""
    browser, found = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(
        f"#!{sys.executable}\nimport sys\nopen({str(found)!r}, 'w').write(sys.argv[1])\n"
    )
    browser.chmod(0o755)
    # The module has looked for browsers once, and keeps what it found.
    monkeypatch.setattr("webbrowser._tryorder", None)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    return found
