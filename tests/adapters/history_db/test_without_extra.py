"""Without covls[team] a history is told how to be had; all else does without it."""

import subprocess
import sys
from pathlib import Path

import pytest

LACKING = """
import sys
sys.modules[sys.argv[1]] = None
from covls.adapters.history_db import HistoryError, open_history
from covls.core.settings import History, Settings
from pathlib import Path
try:
    open_history(Path(sys.argv[2]), Settings(history=History(sys.argv[3])), mode="write")
except HistoryError as error:
    print(error)
"""

IMPORTS = """
import sys
import covls.server.app, covls.cli.main, covls.cli.commands.check, covls.cli.commands.history
import covls.adapters.history_db
print(sorted({"sqlalchemy", "alembic", "psycopg", "pyarrow"} & set(sys.modules)))
"""


def said(code: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize(
    ("module", "url", "extra"),
    [
        ("sqlalchemy", "sqlite:///history.sqlite", "team"),
        ("psycopg", "postgresql+psycopg://nobody@localhost/nothing", "postgres"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, module: str, url: str, extra: str) -> None:
    """With the command that installs it."""
    words = said(LACKING, module, str(tmp_path), url)
    assert words == (
        f"A history needs {module}, which is not installed here. It comes with covls[{extra}]: "
        f'python -m pip install "covls[{extra}]"\n'
    )


def test_the_server_and_check_start_without_databases() -> None:
    """They take longer to import than an answer may take."""
    assert said(IMPORTS) == "[]\n"
