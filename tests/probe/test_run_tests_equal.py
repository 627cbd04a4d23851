"""sysmon tells the same of each test as ctrace, and the data is what `coverage run` leaves."""

import os
import subprocess
from pathlib import Path

import pytest
from coverage import CoverageData

from tests.cli.measured import write
from tests.cli.sources import ATTRS, CLICK, Source, unpack
from tests.probe.pythons import environment, with_pytest
from tests.probe.recorded import BARE, Ran, Recorded, relative, run
from tests.probe.test_run_tests_configured import LINES, PROJECT, source

# Everything takes a minute and a half of one core; what is compared else, some fifteen seconds.
WHOLE = bool(os.environ.get("COVLS_WHOLE_SUITES"))

# coverage.py: the newest that each Python can have, and each way in which it kept things before.
PYTHONS = [
    ("3.9", "7.2.7"),
    ("3.9", ""),
    ("3.10", "7.4.4"),
    ("3.10", ""),
    ("3.11", ""),
    ("3.12", "7.6.12"),
    ("3.12", "7.7.1"),
    ("3.12", "7.8.2"),
    ("3.12", ""),
    ("3.13", ""),
    ("3.14", ""),
]


@pytest.mark.parametrize(("version", "coverage"), PYTHONS)
def test_every_python_and_coverage(version: str, coverage: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, PROJECT)
    python = with_pytest(version, coverage)
    recorded = run(root, tmp_path / "out", python=python)
    assert recorded.end["python"].startswith(f"{version}.")
    assert recorded.end["coverage"].startswith(coverage)
    minor = int(version.partition(".")[2])
    restarts = minor >= 12 and coverage != "7.6.12"
    assert recorded.end["core"] == ("sysmon" if restarts else "ctrace")
    assert source(recorded) == LINES
    assert recorded.union == recorded.all_ran()

    branches = run(root, tmp_path / "branches", python=python, coverage={"branch": True})
    assert branches.end["core"] == ("sysmon" if minor >= 14 else "ctrace")
    reached = {
        test: {line for arc in arcs for line in arc if line > 1}
        for test, arcs in source(branches).items()
    }
    assert reached == LINES
    assert branches.union == branches.all_ran()
    assert branches.code == recorded.code == 0


def differences(one: Ran, other: Ran) -> dict[object, tuple[list[int], list[int]]]:
    found: dict[object, tuple[list[int], list[int]]] = {}
    for key in one.keys() | other.keys():
        ours, theirs = one.get(key, {}), other.get(key, {})
        for name in ours.keys() | theirs.keys():
            lines, others = ours.get(name, frozenset()), theirs.get(name, frozenset())
            if lines != others:
                found[key, name] = sorted(lines - others), sorted(others - lines)
    return found


def plain(root: Path, python: Path, arguments: tuple[str, ...], settings: dict[str, str]) -> Ran:
    """What `coverage run -m pytest` leaves, as if it were the detail of no test."""
    subprocess.run(
        [
            *(python, "-m", "coverage", "run", "--rcfile=lines.toml"),
            *("-m", "pytest", *arguments),
        ],
        cwd=root,
        env={**os.environ, **settings},
        capture_output=True,
        check=False,
    )
    (path,) = root.glob(".coverage*")
    data = CoverageData(str(path))
    data.read()
    found = {
        relative(name, root): frozenset(lines)
        for name in data.measured_files()
        if (lines := data.lines(name))
    }
    data.close(force=True)
    return {("", "", "", False): found}


SUITES = {
    "click": (CLICK, () if WHOLE else ("tests/test_options.py", "tests/test_commands.py")),
    "attrs": (ATTRS, () if WHOLE else ("tests/test_next_gen.py", "tests/test_validators.py")),
}

# A pager that is not there any more: how far click gets is a race.
RACES = {"src/click/_termui_impl.py"}


@pytest.mark.parametrize("name", SUITES)
def test_a_real_suite(name: str, tmp_path: Path) -> None:
    suite, tests = SUITES[name]
    python = environment("3.12", "run-3.12-suites", "coverage", "pytest", "hypothesis")
    root = unpack(suite, tmp_path)
    lines_only(suite, root)
    settings = {**BARE, "PYTHONHASHSEED": "0", "PYTHONPATH": str(root / "src")}
    arguments = ("-q", "-p", "no:cacheprovider", "-W", "ignore", *(tests or suite.tests))

    def recorded(core: str) -> Recorded:
        return run(
            root,
            tmp_path / core,
            arguments=arguments,
            python=python,
            environment=settings,
            core=core,
            coverage={"config_file": "lines.toml"},
            timeout=600,
        )

    quick, traced = recorded("auto"), recorded("ctrace")
    assert quick.end["core"] == "sysmon"
    assert quick.outcomes == traced.outcomes
    assert len(quick.outcomes) > 100
    different = differences(quick.ran, traced.ran)
    assert {key: found for key, found in different.items() if key[1] not in RACES} == {}  # type: ignore[index]
    theirs = plain(root, python, arguments, settings)
    assert differences({("", "", "", False): traced.union}, theirs).keys() <= {
        (("", "", "", False), race) for race in RACES
    }
    assert quick.union == quick.all_ran()


def lines_only(suite: Source, root: Path) -> None:
    """The suite's own configuration, but for branches, which sys.monitoring has from 3.14 on."""
    text = (root / "pyproject.toml").read_text()
    assert text.count("branch = true\n") == 1, suite.folder
    (root / "lines.toml").write_text(text.replace("branch = true\n", ""))
