"""Makes docs/pictures/history-*.png: the page of click's history in Chromium.

    .venv/bin/python -m scripts.picture_page CLONE --commits 200 --every 8

CLONE is a clone of https://github.com/pallets/click, whose work tree is taken over: the tests of
each chosen one of its last commits to src/click run under coverage, by this environment's pytest,
and are recorded. Commits that are recorded already are not measured again. Needs chromium.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.page.chromium import ARGUMENTS

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
GATES = "[gates]\ntotal = 80\n"

# What is shown in each picture: the part of the page it begins with, its size, and the scheme.
PARTS = (
    ("history-trend", None, 1000, 1130, "light"),
    ("history-compare", "compare", 1140, 900, "dark"),
)


def covls(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run covls in the clone."""
    return subprocess.run(
        [sys.executable, "-m", "covls", *arguments], cwd=clone, capture_output=True, text=True
    )


def git(clone: Path, *arguments: str) -> str:
    """What git says of the clone."""
    return subprocess.run(
        ["git", *arguments], cwd=clone, capture_output=True, text=True, check=True
    ).stdout


def measure(clone: Path, commit: str) -> None:
    """Run the tests of a commit under coverage, and record what they covered."""
    git(clone, "checkout", "--quiet", "--force", "--detach", commit)
    (clone / ".coverage").unlink(missing_ok=True)
    environment = os.environ | {"PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "coverage", "run", "--branch", "--source=src/click"),
            *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "default", "tests"),
        ],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
    )
    # A test that fails by this environment's newer pytest is no reason to have no figure.
    told = done.stdout.splitlines()[-1:] if done.returncode < 2 else ["not measured"]
    recorded = (
        covls(clone, "history", "record", "--branch", "main") if done.returncode < 2 else None
    )
    print(commit[:12], *told, recorded.stdout.strip() if recorded else "", flush=True)


def draw(page: Path) -> None:
    """Photograph the page into docs/pictures."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        for name, part, width, height, scheme in PARTS:
            shown = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
            )
            shown.goto(page.as_uri())
            shown.wait_for_selector("html[data-ready]")
            if part:
                shown.locator("#compare-from").select_option(index=4)
                shown.locator(f"#{part}").evaluate("part => part.scrollIntoView()")
            shown.screenshot(path=PICTURES / f"{name}.png")
        browser.close()


def main() -> None:
    """Measure, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clone", type=Path)
    parser.add_argument("--commits", type=int, default=200)
    parser.add_argument("--every", type=int, default=8)
    given = parser.parse_args()
    clone: Path = given.clone.resolve()
    listed = git(clone, "log", "--first-parent", "--format=%H", "origin/HEAD", "--", "src/click")
    known = covls(clone, "history", "list", "--limit", "0").stdout
    for commit in listed.split()[: given.commits : given.every]:
        if commit[:12] not in known:
            measure(clone, commit)
    with tempfile.TemporaryDirectory() as folder:
        (clone / "covls.toml").write_text(GATES)
        page = Path(folder, "history.html")
        done = covls(clone, "history", "html", "--no-priorities", "--output", str(page))
        print(done.stdout + done.stderr, end="")
        draw(page)


if __name__ == "__main__":
    main()
