"""What is said over functions and classes: the words, and coverage.py's figures in them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from covls.core.coverage import percent_text
from covls.core.lenses import lenses
from covls.core.marks import Freshness
from covls.core.placed_regions import PlacedRegion
from covls.core.reached import Reached
from covls.core.settings import Settings
from covls.project import FileView, Project
from tests.cli.measured import age, coverage, coverage_json, write

SOURCE = '''\
import contextlib
import functools


def whole(n):
    return n


def half(n):
    if n:
        return n
    if n is None:
        return 1
    return 2


def never(n):
    """Not called."""
    for each in n:
        print(each)


def left_out():  # pragma: no cover
    return 1


def nothing():
    """Only words."""


def in_one_line(): return 1


class Shop:
    name = "shop"

    @functools.cache
    @contextlib.contextmanager
    def decorated(self):
        yield 1

    def outer(self):
        def inner():
            if self:
                return 1
            return 2

        return inner

    class Inner:
        async def deep(self):
            async with self:
                pass

    def half(self):
        return 1

    def half(self):
        return 2


class Empty:
    pass
'''

TESTS = """\
import shop


def test_whole():
    assert shop.whole(1) == 1


def test_half():
    assert shop.half(1) == 1
    assert shop.whole(2) == 2


def test_shop():
    assert shop.Shop().outer()() == 1
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lenses")
    configuration = (
        "[run]\nbranch = true\nsource = .\ndynamic_context = test_function\n"
        "[report]\nprecision = 1\n"
    )
    call = "\n\ntest_whole()\ntest_half()\ntest_shop()\n"
    write(root, {".coveragerc": configuration, "shop.py": SOURCE, "main.py": TESTS + call})
    age(root)
    coverage(root, "run", "main.py")
    return root


@pytest.fixture
def project(root: Path, cache_folder: Path) -> Iterator[Project]:
    project = Project(root, Settings())
    project.load()
    yield project
    project.close()


def view_of(project: Project, text: str | None = None) -> FileView:
    view = project.view(project.root / "shop.py", text)
    assert view is not None, project.problems
    return view


def words(project: Project, text: str = SOURCE) -> dict[str, str]:
    """What is said over each line that begins a function or class."""
    view = view_of(project, text)
    found = lenses(view.regions(), project.reached(view), precision=project.configuration.precision)
    lines = text.split("\n")
    return {
        f"{lens.line} {lines[lens.line - 1].split('(')[0].strip()}": lens.words for lens in found
    }


def test_figures_tests_and_branches(project: Project) -> None:
    assert words(project) == {
        "5 def whole": "100.0 % · 2 tests",
        "9 def half": "33.3 % · 1 test · 3 branches missed",
        "17 def never": "0.0 % · no test · 2 branches missed",
        "23 def left_out": "excluded from coverage",
        "31 def in_one_line": "66.7 % · no test · 1 branch missed",
        "34 class Shop:": "50.0 % · 1 test · 1 branch missed",
        "39 def decorated": "0.0 % · no test",
        "42 def outer": "100.0 % · 1 test",
        "43 def inner": "60.0 % · 1 test · 1 branch missed",
        "50 class Inner:": "0.0 % · no test",
        "51 async def deep": "0.0 % · no test",
        "55 def half": "0.0 % · no test",
        "58 def half": "0.0 % · no test",
    }


def test_every_figure_is_that_of_coverages_report(root: Path, project: Project) -> None:
    file = coverage_json(root)["files"]["shop.py"]
    found = {(region.kind, region.name): region for region in view_of(project).regions()}
    for kind, key in (("function", "functions"), ("class", "classes")):
        theirs = {name: each for name, each in file[key].items() if name}
        assert theirs.keys() == {name for of, name in found if of == kind}
        for name, each in theirs.items():
            inner = found[kind, name].coverage
            assert inner is not None
            summary = each["summary"]
            assert percent_text(inner.totals.percent, 1) == summary["percent_covered_display"]
            assert inner.totals.n_missing_branches == summary["missing_branches"]
            assert found[kind, name].start == each["start_line"]


def test_an_edited_function_has_no_figure(project: Project) -> None:
    text = SOURCE.replace("        return inner\n", "        return inner or None\n")
    line = text.count("\n") + 3
    found = words(project, text + "\n\ndef more():\n    pass\n")
    assert found["42 def outer"] == "edited since it was measured"
    assert found["34 class Shop:"] == "edited since it was measured"
    assert found["43 def inner"] == "60.0 % · 1 test · 1 branch missed"
    assert found[f"{line} def more"] == "not measured yet"


def region(**changes: object) -> PlacedRegion:
    return PlacedRegion(
        **{"kind": "function", "name": "f", "start": 1, "end": 2, "freshness": Freshness.FRESH}  # type: ignore[arg-type]
        | changes
    )


def test_where_no_tests_were_recorded_nothing_is_said_of_them(project: Project) -> None:
    regions = view_of(project).regions()
    assert lenses(regions, None)[0].words == "100 %"
    assert lenses(regions, Reached((), {}))[0].words == "100 % · no test"


def test_not_verified_is_said(project: Project) -> None:
    (whole, *_) = view_of(project).regions()
    unverified = region(
        freshness=Freshness.UNVERIFIED, measured=whole.measured, coverage=whole.coverage
    )
    assert lenses([unverified], None)[0].words == "100 % · not verified"
