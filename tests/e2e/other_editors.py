"""What the tests of other editors begin with: a page's recipe, a project, one run of the editor."""

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.server.conftest import CONFIGURATION, SHOP, TESTS, run_tests

PAGES = Path(__file__).parents[2] / "docs" / "editors"

PATIENCE = 600.0
"""Seconds for all that an editor does; each thing that it waits for has a deadline of its own."""

LACKS = "lacks"
"""What an editor finds where it has no such client."""

ONE_MORE = """

def test_never():
    import shop

    assert shop.never(1, 2) == 3
"""
"""A test that the data know nothing of yet: what it reaches turns when an editor runs it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an editor is tried: a measured project, and what the editor leaves behind."""

    shop: Path
    home: Path
    configuration: Path
    result: Path


def place(folder: Path, configuration: str) -> Place:
    """Make a project whose tests are one more than when they were measured."""
    found = Place(folder / "shop", folder / "home", folder / "init", folder / "result.json")
    found.shop.mkdir()
    found.home.mkdir()
    found.configuration.write_text(configuration, encoding="utf-8")
    (found.shop / ".coveragerc").write_text(CONFIGURATION)
    (found.shop / "shop.py").write_text(SHOP)
    (found.shop / "test_shop.py").write_text(TESTS)
    run_tests(found.shop)
    (found.shop / "test_shop.py").write_text(TESTS + ONE_MORE)
    return found


def recipe(page: str, heading: str, language: str) -> str:
    """The blocks of a language under a heading of a page, down to the next one."""
    text = (PAGES / page).read_text(encoding="utf-8")
    part = text[text.index(f"\n{heading}\n") + len(heading) + 1 :]
    part = re.split(r"^#", part, maxsplit=1, flags=re.MULTILINE)[0]
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", part, re.DOTALL))


def drive(command: Sequence[str | Path], at: Place, **environment: str) -> Mapping[str, Any]:
    """Run an editor to its end. Returns what it found."""
    done = subprocess.run(
        command,
        cwd=at.shop,
        env={
            **os.environ,
            "HOME": str(at.home),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            **environment,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert at.result.is_file(), done.stdout + done.stderr
    found: dict[str, Any] = json.loads(at.result.read_text(encoding="utf-8"))
    assert "error" not in found, f"{found['error']}\n{found}\n{done.stderr}"
    return found
