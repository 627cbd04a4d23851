"""What shows that tests run in another environment than before."""

from dataclasses import replace
from pathlib import Path

from covls.adapters.configuration import read_configuration
from covls.adapters.interpreter import Interpreter
from covls.adapters.test_environment import environment_of_tests


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

    def changed(**parts: object) -> set[str]:
        now = environment_of_tests(
            replace(interpreter, **parts.get("interpreter", {})),  # type: ignore[arg-type]
            replace(configuration, **parts.get("configuration", {})),  # type: ignore[arg-type]
            parts.get("command", ["pytest"]),  # type: ignore[arg-type]
        )
        return {name for name in before if now[name] != before[name]}

    assert changed(interpreter={"version": "3.13.0"}) == {"the version of Python"}
    assert changed(interpreter={"coverage_version": "7.6"}) == {"the version of coverage.py"}
    assert changed(configuration={"branch": True}) == {"the way coverage is measured"}
    assert changed(command=["pytest", "-x"]) == {"the command that runs the tests"}
    (packages / "click-8.1.dist-info").rename(packages / "click-8.2.dist-info")
    assert changed() == {"the set of installed packages"}
