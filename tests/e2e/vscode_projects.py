"""Makes what the VS Code extension is tried on, click and small shops, measured; and what is right.

    python -m tests.e2e.vscode_projects FOLDER

`FOLDER/expected.json` has coverage.py's own figures, and for each line of click's files what bar
belongs before it: by coverage.py's JSON report, and by its parser for statements of several lines.
"""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from coverage.parser import PythonParser

from tests.cli.measured import coverage_json
from tests.cli.sources import CLICK, run_tests, unpack

FEW = replace(CLICK, tests=("tests/test_basic.py",))

SHOP = '''\
"""Prices of a shop."""


def price(amount, member=False):
    if member:
        amount = amount * 0.9
    return amount


def refund(order):
    raise ValueError("no refunds")
'''

TESTS = """\
from shop import price


def test_price():
    assert price(10) == 10
"""


def bars(path: Path, report: dict[str, Any]) -> dict[int, str]:
    """The bar before each line that has one, by lines from 1."""
    text = path.read_text(encoding="utf-8")
    parser = PythonParser(text=text)
    parser.parse_source()
    missing, ran = set(report["missing_lines"]), set(report["executed_lines"])
    partial = {line for line, _ in report["missing_branches"] if line in ran}
    found: dict[int, str] = {}
    for line in range(1, len(text.splitlines()) + 1):
        first = parser.first_line(line)
        if first in missing:
            found[line] = "missing"
        elif first in partial:
            found[line] = "partial"
        elif first in ran:
            found[line] = "covered"
    return found


def make_shop(folder: Path) -> None:
    """A project with one module and one test, measured."""
    folder.mkdir()
    (folder / "shop.py").write_text(SHOP, encoding="utf-8")
    (folder / "test_shop.py").write_text(TESTS, encoding="utf-8")
    (folder / ".coveragerc").write_text(
        "[run]\nbranch = true\ndynamic_context = test_function\nsource = .\n", encoding="utf-8"
    )
    command = [
        sys.executable,
        "-m",
        "coverage",
        "run",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    subprocess.run(
        command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def main(folder: Path) -> None:
    """Make both projects, and what is expected of them."""
    tree = unpack(CLICK, folder)
    run_tests(FEW, tree)
    report = coverage_json(tree)
    files = {
        name.replace("\\", "/"): {"summary": one["summary"], "bars": bars(tree / name, one)}
        for name, one in report["files"].items()
    }
    for name in ("shop", "other", "runs", "explored"):
        make_shop(folder / name)
    workspace = {"folders": [{"path": "shop"}, {"path": "other"}]}
    (folder / "two.code-workspace").write_text(json.dumps(workspace), encoding="utf-8")
    expected = {
        "click": str(tree),
        "totals": report["totals"],
        "files": files,
        "shop": coverage_json(folder / "shop"),
        "python": sys.executable,
    }
    (folder / "expected.json").write_text(json.dumps(expected), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
