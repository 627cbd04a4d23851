"""The doctor sees real projects as they are, and says what to do about what is wrong in them."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from covls.adapters.settings_files import read_settings_files
from covls.core.absence import Absence, Reason
from covls.core.settings import Run, Settings, read_settings
from covls.doctor import Diagnosis, Finding, Level, absence, diagnose, test_command
from covls.project import Project

# Pytest takes an imported function of this name for a test.
test_command.__test__ = False  # type: ignore[attr-defined]

RUN = """
import pkg.used

pkg.used.half(1)
"""
USED = """
def half(n):
    if n > 5:
        return 0
    return n / 2
"""
FILES = {
    "run.py": RUN,
    "pkg/__init__.py": "",
    "pkg/used.py": USED,
    "pkg/unused.py": "x = 1\n",
    "pkg/nothing.py": '"""Only a docstring."""\n',
    "pkg/excluded.py": "def f():  # pragma: no cover\n    return 1\n",
}


class Place:
    """A project in a folder of its own, measured by a real run of coverage.py."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.projects: list[Project] = []
        (root / ".git").mkdir()
        for name, text in FILES.items():
            self.write(name, text)
        # Files are older than the data, whatever the resolution of the file system's clock.
        self.age()

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def age(self, seconds: float = 100) -> None:
        then = time.time() - seconds
        for path in self.root.rglob("*.py"):
            os.utime(path, (then, then))

    def run(self, *options: str, program: str = "run.py") -> None:
        self.age()
        subprocess.run(
            [sys.executable, "-m", "coverage", "run", *options, program],
            cwd=self.root,
            check=True,
            env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        )

    def rename_measured(self, change: Callable[[str], str]) -> None:
        """Make the data look as if it had been measured elsewhere."""
        with closing(sqlite3.connect(self.root / ".coverage")) as database:
            rows = database.execute("SELECT id, path FROM file").fetchall()
            renamed = [(change(path), number) for number, path in rows]
            database.executemany("UPDATE file SET path = ? WHERE id = ?", renamed)
            database.commit()

    def project(self, *, trusted: bool | None = None) -> Project:
        settings, _ = read_settings(*read_settings_files(self.root).layers)
        project = Project(self.root, settings, trusted=trusted)
        self.projects.append(project)
        give_up = time.monotonic() + 60
        while (again_in := project.refresh().again_in) is not None and project.snapshot is None:
            assert time.monotonic() < give_up
            time.sleep(again_in)
        return project

    def diagnosis(self, *, trusted: bool | None = None) -> Diagnosis:
        files = read_settings_files(self.root)
        _, problems = read_settings(*files.layers)
        return diagnose(self.project(trusted=trusted), files, problems)

    def absence(self, name: str) -> Absence | None:
        return absence(self.project(), self.root / name)

    def why(self, name: str) -> Reason | None:
        found = self.absence(name)
        return None if found is None else found.reason


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    place = Place(root)
    yield place
    for project in place.projects:
        project.close()


def found(diagnosis: Diagnosis, words: str) -> Finding:
    """The one finding with these words."""
    (finding,) = (f for f in diagnosis.findings if words in f.message)
    return finding


def test_a_project_that_is_well(place: Place) -> None:
    place.write(".coveragerc", "[run]\nbranch = true\nsource = .\n")
    place.run("--context=a_test")
    diagnosis = place.diagnosis()
    assert [f for f in diagnosis.findings if f.level is not Level.NOTE] == []
    assert diagnosis.root == place.root
    assert diagnosis.chosen_because == "it has coverage data"
    assert [(tried.path.name, tried.state) for tried in diagnosis.tried] == [
        (".coveragerc", "used")
    ]
    data, files = diagnosis.data, diagnosis.files
    assert data is not None
    assert files is not None
    assert data.branches
    assert data.contexts == 1
    assert data.schema == 7
    assert data.coverage_version == diagnosis.coverage_version
    assert [part.path for part in data.parts] == [place.root / ".coverage"]
    assert data.parts[0].size == (place.root / ".coverage").stat().st_size
    assert files.measured == files.found == 6
    assert diagnosis.data_is_usable()
    assert not diagnosis.has_wrong_settings()
    assert place.why("pkg/used.py") is None


@pytest.mark.parametrize(
    ("configuration", "name", "reason", "words"),
    [
        ("", "pkg/unused.py", Reason.NOT_IMPORTED, "No test imports pkg/unused.py"),
        ("", "README.md", Reason.NOT_PYTHON, "README.md is not Python code"),
        ("", "pkg/gone.py", Reason.NOT_THERE, "is not there"),
        ("", "pkg/__init__.py", Reason.NO_CODE, "has no code that could run"),
        ("[run]\nsource=.\n", "pkg/unused.py", Reason.NEVER_RAN, "No line of pkg/unused.py ran"),
        ("[run]\nsource=.\n", "pkg/nothing.py", Reason.NO_CODE, "has no code that could run"),
        ("[run]\nsource=.\n", "pkg/excluded.py", Reason.EXCLUDED, "# pragma: no cover"),
        ("[run]\nomit=*/used.py\n", "pkg/used.py", Reason.OMITTED, '[run] omit has "*/used.py"'),
        ("[run]\nomit=pkg/*\n", "pkg/used.py", Reason.OMITTED, '[run] omit has "pkg/*"'),
        ("[run]\nsource=lib\n", "pkg/used.py", Reason.OUTSIDE_SOURCE, "/project/lib"),
        ("[run]\nsource=pkg.other\n", "pkg/used.py", Reason.OUTSIDE_SOURCE, "pkg.other"),
        ("[run]\ninclude=run.py\n", "pkg/used.py", Reason.OUTSIDE_SOURCE, "[run] include, run.py"),
        ("[run]\nsource=.\n", "spaces/a.py", Reason.NOT_IMPORTED, "include_namespace_packages"),
        ("[report]\nomit=pkg/*\n", "pkg/used.py", Reason.NOT_REPORTED, '[report] omit has "pkg/*"'),
        ("[report]\ninclude=run.py\n", "pkg/used.py", Reason.NOT_REPORTED, "[report] include"),
    ],
)
def test_why_there_is_no_coverage(
    place: Place, configuration: str, name: str, reason: Reason, words: str
) -> None:
    place.write("README.md", "x")
    place.write("lib/a.py", "x = 1\n")
    place.write("spaces/a.py", "x = 1\n")
    place.write(".coveragerc", configuration)
    place.run()
    found = place.absence(name)
    assert found is not None
    assert found.reason is reason
    assert words in str(found)


def test_following_the_remedy_helps(place: Place) -> None:
    place.write(".coveragerc", "[run]\nsource = .\n")
    place.write("spaces/a.py", "x = 1\n")
    place.run()
    assert place.why("spaces/a.py") is Reason.NOT_IMPORTED
    place.write(".coveragerc", "[run]\nsource = .\n[report]\ninclude_namespace_packages = true\n")
    place.run()
    assert place.why("spaces/a.py") is Reason.NEVER_RAN


def test_no_data(place: Place) -> None:
    diagnosis = place.diagnosis()
    finding = found(diagnosis, str(place.root / ".coverage"))
    assert finding.level is Level.ERROR
    assert f"cd {place.root} && coverage run -m pytest" in finding.remedy
    assert diagnosis.chosen_because == "it is the repository's folder"
    assert not diagnosis.data_is_usable()
    assert place.why("pkg/used.py") is Reason.NO_DATA


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\0"])
def test_data_that_cannot_be_read(place: Place, content: bytes) -> None:
    (place.root / ".coverage").write_bytes(content)
    diagnosis = place.diagnosis()
    assert diagnosis.data is None
    (finding,) = (f for f in diagnosis.findings if f.topic == "data")
    assert str(place.root / ".coverage") in finding.message
    found = place.absence("pkg/used.py")
    assert found is not None
    assert found.message == finding.message
    assert (place.root / ".coverage").read_bytes() == content


def test_a_file_saved_after_the_run(place: Place) -> None:
    place.run()
    os.utime(place.root / "pkg" / "used.py", (time.time() + 50, time.time() + 50))
    assert place.why("pkg/used.py") is Reason.STALE
    diagnosis = place.diagnosis()
    assert found(diagnosis, "Saved after the data").level is Level.WARNING
    assert diagnosis.files is not None
    assert diagnosis.files.changed == ("pkg/used.py",)


def test_a_text_that_cannot_have_been_measured(place: Place) -> None:
    place.run()
    place.write("pkg/used.py", "\n\n# Nothing stands where lines ran.\nx = 1\n")
    place.age()
    found = place.absence("pkg/used.py")
    assert found is not None
    assert found.reason is Reason.STALE
    assert "is not the text that was measured" in found.message


def test_an_installed_package_is_not_measured_unless_named(place: Place) -> None:
    copy = installed_copy(place)
    place.run()
    found = place.absence(str(copy / "pkg" / "used.py"))
    assert found is not None
    assert found.reason is Reason.OUTSIDE_SOURCE
    assert "Change that in coverage.py's configuration" in found.remedy


def test_a_file_made_after_the_run(place: Place) -> None:
    place.run()
    new = place.write("pkg/new.py", "x = 1\n")
    os.utime(new, (time.time() + 50, time.time() + 50))
    assert place.why("pkg/new.py") is Reason.NEW


def test_a_file_that_no_longer_parses(place: Place) -> None:
    place.run()
    place.write("pkg/used.py", "def half(n:\n")
    found = place.absence("pkg/used.py")
    assert found is not None
    assert found.reason is Reason.CANNOT_ANALYSE
    assert "\n" not in str(found)


def test_data_from_a_container_is_mapped_and_the_mapping_told(place: Place) -> None:
    place.write(".coveragerc", "[run]\nsource = .\n")
    place.run()
    place.rename_measured(lambda path: path.replace(str(place.root), "/app"))
    diagnosis = place.diagnosis()
    assert diagnosis.files is not None
    assert diagnosis.files.found == 6
    (rule,) = diagnosis.files.rules
    assert rule.measured.rstrip("/") == "/app"
    assert rule.local.rstrip("/") == str(place.root)
    assert place.why("pkg/used.py") is None


def test_measured_files_that_are_not_here(place: Place) -> None:
    place.run()
    (place.root / "pkg" / "used.py").unlink()
    diagnosis = place.diagnosis()
    finding = found(diagnosis, "not on this machine")
    assert finding.level is Level.WARNING
    assert "pkg/used.py" in finding.message
    assert diagnosis.files is not None
    assert list(diagnosis.files.missing) == [str(place.root / "pkg" / "used.py")]


def test_data_of_another_machine_that_does_not_fit_the_text_here(place: Place) -> None:
    place.run()
    place.rename_measured(lambda path: path.replace(str(place.root / "pkg"), "/ci/build"))
    place.write("pkg/used.py", "\n\n# Nothing stands where lines ran.\nx = 1\n")
    place.age()
    found = place.absence("pkg/used.py")
    assert found is not None
    assert found.reason is Reason.OTHER_PATH
    assert "/ci/build/used.py" in found.message
    _, _, lines = found.remedy.partition("For pyproject.toml: ")
    assert lines == '[tool.coverage.paths] source = ["pkg", "/ci/build"]'


@pytest.mark.parametrize("relative", ["true", "false"])
def test_a_file_that_was_renamed_after_the_run(place: Place, relative: str) -> None:
    place.write(".coveragerc", f"[run]\nrelative_files = {relative}\n")
    place.run()
    (place.root / "pkg" / "used.py").rename(place.root / "pkg" / "used_2.py")
    found = place.absence("pkg/used_2.py")
    assert found is not None
    assert found.reason is Reason.MOVED
    assert "pkg/used.py is, which is no longer there" in found.message
    (finding,) = (f for f in place.diagnosis().findings if "not on this machine" in f.message)
    assert "[paths]" not in finding.remedy


def test_the_paths_that_are_proposed_do_bring_the_files_back(place: Place) -> None:
    """Two folders that the measured one may be: nothing is guessed, and [paths] decides."""
    place.write("one/mod.py", "x = 1\n")
    place.write("two/mod.py", "x = 1\n")
    place.write("run.py", "import sys\nsys.path.insert(0, 'one')\nimport mod\n")
    place.run()
    place.rename_measured(lambda path: path.replace(str(place.root / "one"), "/ci/build"))
    found = place.absence("two/mod.py")
    assert found is not None
    assert found.reason is Reason.AMBIGUOUS
    assert "/ci/build/mod.py" in found.message
    assert "one/mod.py" in found.message
    diagnosis = place.diagnosis()
    assert diagnosis.files is not None
    assert list(diagnosis.files.ambiguous) == ["/ci/build/mod.py"]
    _, _, lines = found.remedy.partition("For pyproject.toml: ")
    header, _, setting = lines.partition(" source")
    place.write("pyproject.toml", f"{header}\nsource{setting}\n")
    assert place.why("two/mod.py") is None


def test_the_installed_copy_was_measured(place: Place) -> None:
    copy = installed_copy(place)
    place.write(".coveragerc", "[run]\nsource_pkgs = pkg\n")
    place.write("run.py", f"import sys\nsys.path.insert(0, {str(copy)!r})\n{RUN}")
    (place.root / "pkg").rename(place.root / "src")
    (place.root / "src" / "pkg").mkdir()
    for path in (place.root / "src").glob("*.py"):
        path.rename(path.parent / "pkg" / path.name)
    place.run()
    found = place.absence("src/pkg/used.py")
    assert found is not None
    assert found.reason is Reason.OTHER_COPY
    assert str(copy / "pkg" / "used.py") in found.message
    assert "pip install -e ." in found.remedy


def test_an_installed_copy_that_was_not_measured(place: Place) -> None:
    copy = installed_copy(place)
    place.write("run.py", "x = 1\n")
    place.run()
    found = place.absence("pkg/used.py")
    assert found is not None
    assert found.reason is Reason.OTHER_COPY
    assert str(copy / "pkg" / "used.py") in found.message


def installed_copy(place: Place) -> Path:
    """Install the package into an environment in the project, as `pip install .` does."""
    place.write(".venv/pyvenv.cfg", "version = 3.12.1\n")
    place.write(".venv/bin/python", "")
    site_packages = place.root / ".venv" / "lib" / "python3.12" / "site-packages"
    place.write(str(site_packages / "pkg" / "__init__.py"), "")
    place.write(str(site_packages / "pkg" / "used.py"), USED)
    return site_packages


def test_wrong_settings_and_configuration_are_all_told(place: Place) -> None:
    place.run()
    place.write("covls.toml", '[watch]\nmode = "sometimes"\n[diagnostic]\n')
    place.write("pyproject.toml", "[tool.covls]\nenable = false\n")
    place.write(".coveragerc", "[run]\nbranch = perhaps\n")
    diagnosis = place.diagnosis()
    assert diagnosis.has_wrong_settings()
    for words in ("sometimes", "did you mean diagnostics?", "covls.toml is there too", "perhaps"):
        assert found(diagnosis, words).level is Level.ERROR
    # What could be read is shown all the same.
    assert diagnosis.data_is_usable()


def test_settings_that_differ_from_their_defaults(place: Place) -> None:
    place.run()
    place.write("covls.toml", "data_file = '.coverage'\n[watch]\nmode = 'off'\nsettle = 10.0\n")
    diagnosis = place.diagnosis()
    assert diagnosis.settings_file == place.root / "covls.toml"
    assert diagnosis.settings == {"data_file": ".coverage", "watch.mode": "off"}
    assert found(diagnosis, "`watch.mode`").level is Level.NOTE


def test_a_plugin_is_not_loaded_and_that_is_told(place: Place) -> None:
    place.run()
    place.write("evil.py", "raise SystemExit('code of the workspace was run')\n")
    place.write(".coveragerc", "[run]\nplugins = evil\n")
    place.age()
    diagnosis = place.diagnosis()
    assert diagnosis.plugins == ("evil",)
    assert "evil" in found(diagnosis, "not trusted").message


def test_what_the_data_lacks(place: Place) -> None:
    place.run()
    place.write(".coveragerc", "[run]\nbranch = true\n")
    diagnosis = place.diagnosis()
    assert found(diagnosis, "the data has none").level is Level.WARNING
    assert "--cov-context=test" in found(diagnosis, "which test ran").remedy


def test_parallel_parts(place: Place) -> None:
    # Parts that are equal to the last byte count once, as for coverage.py.
    place.run("--parallel-mode", "--context=one")
    place.run("--parallel-mode", "--context=two")
    before = sorted(path.name for path in place.root.iterdir())
    diagnosis = place.diagnosis()
    assert diagnosis.data is not None
    assert len(diagnosis.data.parts) == 2
    assert "2 parallel parts" in found(diagnosis, "coverage combine").message
    assert sorted(path.name for path in place.root.iterdir()) == before


def test_an_interpreter_that_is_not_there(place: Place) -> None:
    place.run()
    settings, _ = read_settings()
    project = place.project()
    project.configure(type(settings)(python="no/such/python"))
    diagnosis = diagnose(project, read_settings_files(place.root))
    finding = found(diagnosis, "no/such/python")
    assert finding.level is Level.ERROR
    assert diagnosis.has_wrong_settings()


def test_an_environment_without_coverage(place: Place) -> None:
    place.run()
    installed_copy(place)
    finding = found(place.diagnosis(), "coverage.py is not installed")
    assert finding.remedy == f"{place.root}/.venv/bin/python -m pip install coverage"


def test_what_runs_the_tests_and_what_it_lacks(place: Place) -> None:
    (place.root / ".venv" / "lib" / "python3.12" / "site-packages").mkdir(parents=True)
    (place.root / ".venv" / "bin").mkdir()
    (place.root / ".venv" / "bin" / "python").touch()
    (place.root / ".venv" / "pyvenv.cfg").write_text("version = 3.12.1\n")
    (place.root / "pytest.ini").touch()
    (place.root / "poetry.lock").touch()
    diagnosis = place.diagnosis()
    assert diagnosis.tests == "pytest (configured in pytest.ini)"
    remedies = {finding.message: finding.remedy for finding in diagnosis.findings}
    python = place.root / ".venv" / "bin" / "python"
    assert remedies[f"pytest is not installed for {python}."] == "poetry add --group dev pytest"
    assert remedies[f"coverage.py is not installed for {python}."] == (
        "poetry add --group dev coverage"
    )


def test_a_command_whose_tests_cannot_be_told_apart(place: Place) -> None:
    project = Project(place.root, Settings(run=Run(command=("make", "test"))), trusted=True)
    place.projects.append(project)
    diagnosis = diagnose(project, read_settings_files(place.root))
    assert diagnosis.tests == "a command (the setting `run.command`)"
    (found,) = (f for f in diagnosis.findings if "run as it is" in f.message)
    assert found.level is Level.NOTE
    assert found.message.endswith("what make does is not known.")


def test_data_below_where_there_is_none_here(place: Place) -> None:
    place.run()
    (place.root / "packages").mkdir()
    (place.root / ".coverage").rename(place.root / "packages" / ".coverage")
    finding = found(place.diagnosis(), "There is data in a folder below")
    assert finding.remedy == f"Look there: covls doctor {place.root}/packages"


def test_a_report_is_no_data(place: Place) -> None:
    place.write("coverage.xml", "<coverage/>")
    assert found(place.diagnosis(), "coverage.xml is a report").level is Level.NOTE


def test_a_configuration_that_only_pytest_cov_knows(place: Place) -> None:
    place.run()
    place.write("ci/cov.cfg", "[run]\nbranch = true\n")
    place.write("pytest.ini", "[pytest]\naddopts = -q --cov=pkg --cov-config=ci/cov.cfg\n")
    assert "COVERAGE_RCFILE=ci/cov.cfg" in found(place.diagnosis(), "--cov-config").remedy
    # The file that coverage.py finds by itself is worth no word.
    place.write(".coveragerc", "[run]\nbranch = true\n")
    place.write("pytest.ini", "[pytest]\naddopts = --cov-config .coveragerc --cov\n")
    assert not [f for f in place.diagnosis().findings if "--cov-config" in f.message]


@pytest.mark.parametrize(
    ("name", "because"),
    [
        (".coveragerc", "it has coverage.py's configuration"),
        ("covls.toml", "it has covls's settings"),
        ("x.txt", "it is the repository's folder"),
    ],
)
def test_why_a_folder_without_data_is_a_root(place: Place, name: str, because: str) -> None:
    place.write(name, "")
    assert place.diagnosis().chosen_because == because


def test_what_matters_most_comes_first(place: Place) -> None:
    place.write("covls.toml", "enable = 3\n")
    levels = [finding.level for finding in place.diagnosis().findings]
    assert levels == sorted(levels, key=list(Level).index)
    assert levels[0] is Level.ERROR


def test_roots_below(place: Place) -> None:
    place.run()
    place.write("packages/a/.coveragerc", "")
    assert place.diagnosis().other_roots == (place.root / "packages" / "a",)


@pytest.mark.parametrize(
    ("name", "text", "command"),
    [
        ("manage.py", "", "coverage run manage.py test"),
        ("pytest.ini", "[pytest]\naddopts = --cov=pkg\n", "pytest"),
        ("pyproject.toml", "# addopts = '--cov'\n", "coverage run -m pytest"),
        ("a b.txt", "", "coverage run -m pytest"),
    ],
)
def test_the_command_that_measures(tmp_path: Path, name: str, text: str, command: str) -> None:
    root = tmp_path / "with space"
    root.mkdir()
    (root / name).write_text(text)
    assert test_command(root) == f"cd '{root}' && {command}"
