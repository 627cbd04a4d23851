"""What shows that tests run in another environment than before."""

from dataclasses import replace
from pathlib import Path

from covls.adapters.configuration import read_configuration
from covls.adapters.interpreter import Interpreter
from covls.adapters.test_environment import changes_of_environment, environment_of_tests


def test_each_part_shows_its_change(tmp_path: Path) -> None:
    packages = tmp_path / "site-packages"
    (packages / "click-8.1.dist-info").mkdir(parents=True)
    (packages / "click").mkdir()
    configuration = read_configuration(tmp_path)
    interpreter = Interpreter(tmp_path / "python", "test", "3.12.1", (packages,), "7.17.3")
    before = environment_of_tests(interpreter, configuration, ["pytest"])
    assert environment_of_tests(interpreter, configuration, ["pytest"]) == before
    assert environment_of_tests(interpreter, replace(configuration, precision=2), ["pytest"]) == (
        before
    ), "how reports look is nothing to tests"

    def changed(**parts: object) -> str | None:
        now = environment_of_tests(
            replace(interpreter, **parts.get("interpreter", {})),  # type: ignore[arg-type]
            replace(configuration, **parts.get("configuration", {})),  # type: ignore[arg-type]
            parts.get("command", ["pytest"]),  # type: ignore[arg-type]
        )
        return changes_of_environment(before, now)

    assert changed() is None
    version = changed(interpreter={"version": "3.13.0"})
    assert version == "the version of Python changed from 3.12.1 to 3.13.0"
    version = changed(interpreter={"coverage_version": "7.6"})
    assert version == "the version of coverage.py changed from 7.17.3 to 7.6"
    branch = changed(configuration={"branch": True, "dynamic_context": "test_function"})
    assert branch == (
        "coverage.py's `branch` changed from false to true; "
        "coverage.py's `dynamic_context` changed from nothing to test_function"
    )
    source = {"source": ("src", "lib"), "source_folders": (tmp_path,)}
    assert changed(configuration=source) == (
        "coverage.py's `source` changed from nothing to src, lib"
    )
    moved = changed(configuration={"source_folders": (tmp_path,)})
    assert moved == f"what coverage.py measures changed from nothing to {tmp_path}"
    command = changed(command=["pytest", "-k", "a b"])
    assert command == "the command that runs the tests changed from pytest to pytest -k 'a b'"
    # Kept by another covls, which asked for something else.
    assert changes_of_environment({"Colour": "red"}, {}) == "Colour changed"

    (packages / "click-8.1.dist-info").rename(packages / "click-8.2.dist-info")
    for name in ("attrs-25.4.dist-info", "_own.pth", "zope.egg-link", "zzz-1.dist-info"):
        (packages / name).mkdir()
    assert changed() == (
        "the set of installed packages changed: _own.pth was installed, attrs 25.4 was installed, "
        "click 8.1 became 8.2 and 2 more"
    )
