"""Cobertura and LCOV beside `coverage xml` and `coverage lcov`, from the same data."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.measured import Covls, age, coverage, write
from tests.cli.test_report import OTHER, SHOP

FILES = {
    "shop.py": SHOP,
    "app/__init__.py": "",
    "app/other.py": OTHER,
    "app/deep/z10.py": "a = 1\n",
    "app/deep/z9.py": "import sys\nif sys.argv[5:]:\n    a = 1\n",
    "outside/tool.py": "b = [\n    1,\n    2,\n]\nwhile b:\n    b.pop()\n",
    "main.py": "import shop, app.other, app.deep.z9, app.deep.z10, outside.tool\n",
}
CONFIGURATIONS = {
    "all": "[run]\nbranch = true\n",
    "lines": "[run]\nbranch = false\n",
    "sources": "[run]\nbranch = true\nsource = app\n    outside\n",
    "relative": "[run]\nbranch = true\nrelative_files = true\nsource = .\n",
    "no empty files": "[run]\nbranch = true\n[report]\nskip_empty = true\n",
}


@pytest.fixture(params=CONFIGURATIONS)
def measured(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    write(tmp_path, {**FILES, ".coveragerc": CONFIGURATIONS[request.param]})
    age(tmp_path)
    coverage(tmp_path, "run", "main.py")
    return tmp_path


def elements(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Every element in order, but for who wrote the report and when."""
    found = []
    for element in ElementTree.fromstring(text).iter():
        given = {**element.attrib}
        if element.tag == "coverage":
            del given["version"], given["timestamp"]
        found.append((element.tag, given, (element.text or "").strip()))
    return found


def test_cobertura_is_coverage_pys(measured: Path, covls: Covls) -> None:
    coverage(measured, "xml", "-q", "-o", "theirs.xml")
    done = covls(measured, "report", "--format", "cobertura")
    assert done.code == 0, done.err
    assert elements(done.out) == elements((measured / "theirs.xml").read_text())


def test_lcov_is_coverage_pys(measured: Path, covls: Covls) -> None:
    coverage(measured, "lcov", "-q", "-o", "theirs.info")
    done = covls(measured, "report", "--format", "lcov")
    assert done.code == 0, done.err
    assert done.out == (measured / "theirs.info").read_text()


def test_a_badge_and_a_threshold(tmp_path: Path, covls: Covls) -> None:
    write(tmp_path, {"main.py": "import sys\nif sys.argv[9:]:\n    a = 1\n    b = 2\n"})
    age(tmp_path)
    coverage(tmp_path, "run", "main.py")
    done = covls(tmp_path, "report", "--format", "badge", "--fail-under", "60")
    assert done.code == 1
    assert ">50%<" in done.out
    (tmp_path / "main.py").write_text("import sys\n")
    assert ">unknown<" in covls(tmp_path, "report", "--format", "badge").out
