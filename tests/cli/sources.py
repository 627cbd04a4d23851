"""Projects that nobody here wrote, from their source distributions, with their own tests run."""

import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import CI, MISSING

CACHE = Path.home() / ".cache" / "covls-dev" / "sources"


@dataclass(frozen=True)
class Source:
    """A release, and some of its tests.

    Few enough that coverage.py, too, can write the contexts of each line into each region.
    """

    requirement: str
    folder: str
    tests: tuple[str, ...]
    ignored_warning: str = ""


CLICK = Source(
    "click==8.3.1",
    "click-8.3.1",
    tuple(
        f"tests/test_{name}.py" for name in ("chain", "commands", "formatting", "parser", "utils")
    ),
    # Its tests are older than this pytest, which warns of what they do.
    ignored_warning="ignore::pytest.PytestRemovedIn10Warning",
)
ATTRS = Source(
    "attrs==25.4.0",
    "attrs-25.4.0",
    (
        "tests/test_cmp.py",
        "tests/test_config.py",
        "tests/test_converters.py",
        "tests/test_filters.py",
        "tests/test_next_gen.py",
        "tests/test_setattr.py",
        "tests/test_validators.py",
    ),
)


def unpack(source: Source, folder: Path) -> Path:
    """The release's tree; downloaded once, by pip as this machine has it configured."""
    archive = CACHE / f"{source.folder}.tar.gz"
    if not archive.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
                *("--no-binary", source.requirement.partition("==")[0]),
                *("--dest", str(folder), source.requirement),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        downloaded = folder / archive.name
        if not downloaded.exists():
            said = f"{MISSING}the source of {source.requirement}"
            if CI:
                pytest.fail(f"{said}\n{done.stdout}{done.stderr}", pytrace=False)
            pytest.skip(said)
        # Several of xdist's workers may come here at once: each puts a whole file in place.
        part = archive.with_name(f"{archive.name}.{os.getpid()}")
        shutil.move(downloaded, part)
        part.replace(archive)
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / source.folder


def run_tests(source: Source, tree: Path) -> None:
    """Run its tests under coverage with its own configuration, and contexts besides."""
    configuration = tree / "pyproject.toml"
    text = configuration.read_text()
    assert text.count("[tool.coverage.run]\n") == 1
    assert "branch = true" in text
    if "dynamic_context" not in text:
        section = '[tool.coverage.run]\ndynamic_context = "test_function"\n'
        configuration.write_text(text.replace("[tool.coverage.run]\n", section))
    warnings = ["-W", source.ignored_warning] if source.ignored_warning else []
    done = subprocess.run(
        [
            *(sys.executable, "-m", "coverage", "run", "-m", "pytest", "-q"),
            *("-p", "no:cacheprovider", *warnings, *source.tests),
        ],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": "src", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    # Some few fail with versions newer than theirs; that they ran is what matters.
    assert " passed" in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]
