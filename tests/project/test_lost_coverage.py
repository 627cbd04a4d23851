"""What real runs covered before and do not cover now, with the editor open or closed between."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from covls.core.coverage import State as Ran
from covls.core.settings import Settings, Watch
from covls.project import Project
from tests.project.test_project import recorder, settle
from tests.server.conftest import copy, measure

SHOP = """\
def price(n, member=False):
    if member:
        n = n * 0.9
    return n


def never(a):
    return [
        a,
    ]
"""
TESTS = """\
import shop


def test_price():
    shop.price(1)


def test_member():
    shop.price(1, True)


def test_never():
    shop.never(1)
"""
OTHERS = "import shop\n\n\ndef test_other():\n    shop.price(2)\n"

CONFIGURATION = "[run]\nbranch = true\nrelative_files = true\n"
PLAIN = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-c", os.devnull, "--rootdir=.")
CONTEXTS = ("--cov-context=test",)
PER_TEST = pytest.mark.parametrize("contexts", [CONTEXTS, ()], ids=["contexts", "no contexts"])
AN_HOUR_AGO = time.time() - 3600

Lost = dict[int, tuple[str, ...]]


def run(root: Path, *arguments: str, cov: str = "--cov=shop") -> None:
    """Run the tests as a user would, with the tests themselves not measured."""
    measure(root, "pytest", *PLAIN, cov, "--cov-report=", *arguments)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    # Its bytecode is of another time then, even if both were written in the same second.
    shutil.rmtree(path.parent / "__pycache__", ignore_errors=True)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], Path]:
    """The project after its first run, with contexts and without."""
    found: dict[tuple[str, ...], Path] = {}
    for contexts in (CONTEXTS, ()):
        root = tmp_path_factory.mktemp("lost") / "shop"
        root.mkdir()
        for name, text in {
            ".coveragerc": CONFIGURATION,
            "conftest.py": "",
            "shop.py": SHOP,
            "tests/test_shop.py": TESTS,
            "tests/test_others.py": OTHERS,
        }.items():
            write(root / name, text)
            os.utime(root / name, (AN_HOUR_AGO, AN_HOUR_AGO))
        run(root, *contexts)
        found[contexts] = root
    return found


@contextmanager
def shown(root: Path) -> Iterator[Project]:
    """The root in an editor; what it shows is on record when the editor is closed."""
    project = Project(root, Settings(watch=Watch(settle=0)))
    try:
        look(project)
        yield project
    finally:
        project.close()


def look(project: Project) -> None:
    """Look at the data until it is shown and on record."""
    settle(project)
    recorder(project).join(30)


def lost(project: Project, text: str | None = None) -> Lost:
    """The tests that covered each lost line until now."""
    view = project.view(project.root / "shop.py", text)
    assert view is not None
    assert all(mark.state is Ran.MISSING for mark in view.marks if mark.lost)
    return {mark.start: mark.lost.tests for mark in view.marks if mark.lost}


def lost_branches(project: Project) -> list[int]:
    view = project.view(project.root / "shop.py")
    assert view is not None
    return [mark.start for mark in view.marks for branch in mark.branches if branch.lost]


def named(tests: Lost, contexts: tuple[str, ...]) -> Lost:
    """What is to be told of the lines, where tests were told apart or not."""
    return tests if contexts else dict.fromkeys(tests, ())


NEVER = ("tests/test_shop.py::test_never",)
MEMBER = ("tests/test_shop.py::test_member",)


@PER_TEST
def test_a_test_that_reaches_less(
    measured: dict[tuple[str, ...], Path], contexts: tuple[str, ...], tmp_path: Path
) -> None:
    root = copy(measured[contexts], tmp_path / "shop")
    with shown(root) as project:
        assert lost(project) == {}
        write(root / "tests/test_shop.py", TESTS.replace("shop.never(1)", "pass"))
        run(root, *contexts)
        look(project)
        expected = named({8: NEVER}, contexts)
        assert lost(project) == expected
        view = project.view(root / "shop.py")
        assert view is not None
        assert view.coverage.missing == {8}
        # As the text changes, so does the place, and what is edited is not lost.
        assert lost(project, "# new\n" + SHOP) == {9: expected[8]}
        assert lost(project, SHOP.replace("[\n        a,\n    ]", "[a]")) == expected
        assert lost(project, SHOP.replace("        a,", "        a + 1,")) == {}
    with shown(root) as project:
        assert lost(project) == expected, "after it was opened again"
        write(root / "tests/test_shop.py", TESTS)
        run(root, *contexts)
        look(project)
        assert lost(project) == {}, "covered again"


@PER_TEST
def test_it_is_known_if_the_editor_was_closed_and_the_source_formatted_meanwhile(
    measured: dict[tuple[str, ...], Path], contexts: tuple[str, ...], tmp_path: Path
) -> None:
    root = copy(measured[contexts], tmp_path / "shop")
    with shown(root):
        pass
    price, never = SHOP.split("\n\n\n")
    never = never.replace("[\n        a,\n    ]", "[a]")
    write(root / "shop.py", f"{never}\n\n{price}  # the price\n")
    write(root / "tests/test_shop.py", TESTS[: TESTS.index("def test_member")])
    run(root, *contexts)
    with shown(root) as project:
        assert lost(project) == named({2: NEVER, 7: MEMBER}, contexts)
        assert lost_branches(project) == [6]


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        pytest.param(TESTS[: TESTS.index("def test_never")], {8: NEVER}, id="deleted"),
        pytest.param(
            "import pytest\n" + TESTS.replace("def test_m", "@pytest.mark.skip\ndef test_m"),
            {3: MEMBER},
            id="skipped",
        ),
        pytest.param(
            TESTS.replace("shop.never(1)", "assert False\n    shop.never(1)")
            .replace("import shop\n", "import pytest\nimport shop\n")
            .replace("def test_never", "@pytest.mark.xfail\ndef test_never"),
            {8: NEVER},
            id="failing",
        ),
    ],
)
def test_a_test_that_is_gone(
    measured: dict[tuple[str, ...], Path], tests: str, expected: Lost, tmp_path: Path
) -> None:
    root = copy(measured[CONTEXTS], tmp_path / "shop")
    with shown(root) as project:
        write(root / "tests/test_shop.py", tests)
        run(root, *CONTEXTS)
        look(project)
        assert lost(project) == expected
        assert lost_branches(project) == ([2] if 3 in expected else [])


def test_a_partial_run_loses_nothing(measured: dict[tuple[str, ...], Path], tmp_path: Path) -> None:
    root = copy(measured[CONTEXTS], tmp_path / "shop")
    with shown(root) as project:
        for selection in (("tests/test_others.py",), ("-k", "not member")):
            run(root, *CONTEXTS, *selection)
            look(project)
            view = project.view(root / "shop.py")
            assert view is not None
            assert view.coverage.missing
            assert lost(project) == {}
            assert lost_branches(project) == []
    with shown(root) as project:
        assert lost(project) == {}, "after it was opened again"
        # A run of everything is compared with the last of its kind.
        write(root / "tests/test_shop.py", TESTS.replace("shop.never(1)", "pass"))
        run(root, *CONTEXTS)
        look(project)
        assert lost(project) == {8: NEVER}


def test_a_partial_run_without_contexts(
    measured: dict[tuple[str, ...], Path], tmp_path: Path
) -> None:
    """The tests themselves tell, where they are measured."""
    root = copy(measured[()], tmp_path / "shop")
    run(root, cov="--cov=.")
    with shown(root) as project:
        for selection in ("tests/test_others.py", "tests/test_shop.py::test_price"):
            run(root, selection, cov="--cov=.")
            look(project)
            assert lost(project) == {}
        write(root / "tests/test_shop.py", TESTS.replace("    shop.never(1)", "    pass"))
        run(root, cov="--cov=.")
        look(project)
        assert lost(project) == {8: ()}


def test_a_loss_is_told_until_it_is_old(
    measured: dict[tuple[str, ...], Path], tmp_path: Path
) -> None:
    root = copy(measured[()], tmp_path / "shop")
    data_file = root / ".coverage"

    def at(days: float) -> None:
        when = time.time() - 30 * 24 * 3600 + days * 24 * 3600
        os.utime(data_file, (when, when))

    for path in ("shop.py", "tests/test_shop.py", "tests/test_others.py"):
        os.utime(root / path, (1e9, 1e9))
    at(0)
    with shown(root):
        pass
    write(root / "tests/test_shop.py", TESTS.replace("shop.never(1)", "pass"))
    run(root)
    kept = data_file.read_bytes()
    for days, last in ((10, True), (13, False)):
        data_file.write_bytes(kept)
        at(days)
        with shown(root) as project:
            view = project.view(root / "shop.py")
            assert view is not None
            assert [mark.lost.last for mark in view.marks if mark.lost] == [last]
    data_file.write_bytes(kept)
    at(15)
    with shown(root) as project:
        assert lost(project) == {}


def test_without_its_record_nothing_is_lost(
    measured: dict[tuple[str, ...], Path], cache_folder: Path, tmp_path: Path
) -> None:
    root = copy(measured[CONTEXTS], tmp_path / "shop")
    with shown(root):
        pass
    (record,) = cache_folder.glob("runs-*.sqlite")
    record.write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    write(root / "tests/test_shop.py", TESTS.replace("shop.never(1)", "pass"))
    run(root, *CONTEXTS)
    for _ in range(2):
        with shown(root) as project:
            assert lost(project) == {}


def test_two_servers_show_the_same(measured: dict[tuple[str, ...], Path], tmp_path: Path) -> None:
    root = copy(measured[CONTEXTS], tmp_path / "shop")
    with shown(root) as project, shown(root) as other:
        write(root / "tests/test_shop.py", TESTS.replace("shop.never(1)", "pass"))
        run(root, *CONTEXTS)
        look(project)
        look(other)
        assert lost(project) == lost(other) == {8: NEVER}


def test_a_run_that_ended_early_has_lost_nothing(
    measured: dict[tuple[str, ...], Path], tmp_path: Path
) -> None:
    root = copy(measured[CONTEXTS], tmp_path / "shop")
    with shown(root) as project:
        write(root / "tests/test_shop.py", TESTS.replace("shop.never(1)", "pass"))
        run(root, *CONTEXTS)
        arrival = project._arrival
        snapshot, _ = arrival._read()
        assert snapshot is not None
        arrival._show(snapshot, unfinished=True)
        arrival._record()
        look(project)
        assert lost(project) == {}
    with shown(root) as project:
        assert lost(project) == {}, "it is on record as what it is"
        run(root, *CONTEXTS)
        look(project)
        assert lost(project) == {8: NEVER}
