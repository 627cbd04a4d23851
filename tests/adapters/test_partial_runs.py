"""After any edits, what a partial run leaves is what a full run would leave, arc for arc."""

import ast
import os
import random
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from coverage import CoverageData

from covls.adapters.data_file import fingerprint, read_snapshot
from covls.adapters.data_writer import NotWrittenError
from covls.core.impact import Selection
from tests.adapters.live import ENVIRONMENT, Live
from tests.cli.measured import write

EDITS = int(os.environ.get("COVLS_TEST_LIVE_EDITS", "2"))
"""Random edits one after the other, each with a partial run and a full one."""

SAMPLE = {
    "pkg/__init__.py": "",
    "pkg/a.py": """\
from functools import lru_cache

from pkg.b import register, twice

LIMIT = 3


def f(x):
    if x > LIMIT:
        return twice(x)
    return x


@lru_cache
def slow(x):
    y = x + 1
    return y


class C:
    kind = "c"

    def m(self):
        return 1

    def n(self):
        return [i for i in range(3)]


@register
def registered():
    return LIMIT
""",
    "pkg/b.py": """\
ALL = []


def register(function):
    ALL.append(function)
    return function


def twice(x):
    return 2 * x


def thrice(x):
    for _ in range(3):
        x = x + 1
    return x
""",
    "pkg/lazy.py": "class Value:\n    one = 1\n\n\ndef g():\n    return Value.one\n",
    "pkg/never.py": "def h():\n    return 1\n",
    "tests/conftest.py": """\
import pytest
from pkg.b import ALL


@pytest.fixture(scope="session")
def names():
    return [function.__name__ for function in ALL]
""",
    "tests/helper.py": "from pkg.a import f\n\n\ndef check(x):\n    assert f(x) is not None\n",
    "tests/test_a.py": """\
import pytest
from helper import check
from pkg.a import C, f, slow


@pytest.fixture(scope="module")
def c():
    return C()


def test_small():
    assert f(1)


def test_big():
    check(10)


def test_c(c):
    assert c.m()


@pytest.mark.parametrize("x", [1, 2])
def test_slow(x):
    assert slow(1)


class TestMore:
    def test_n(self, c):
        assert c.n()

    def test_names(self, names):
        assert names
""",
    "tests/test_b.py": """\
from pkg.b import thrice


def test_thrice():
    assert thrice(2)


def test_lazy():
    from pkg.lazy import g

    assert g()


def test_lazy_again():
    from pkg.lazy import g

    assert g()
""",
}
OPTIONS = {"branch": True, "source": ["."]}


class Sample(Live):
    """The sample, edited."""

    def text(self, name: str) -> str:
        return (self.root / name).read_text()

    def replace(self, name: str, old: str, new: str) -> None:
        text = self.text(name)
        assert old in text
        (self.root / name).write_text(text.replace(old, new, 1))

    def is_as_after_a_full_run(self) -> None:
        told, (truth, _) = self.said(), self.truth()
        for path in sorted({*told, *truth}):
            assert told.get(path) == truth.get(path), (path, self.text(path))


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    write(tmp_path / "root", SAMPLE)
    sample = Sample(tmp_path / "root", tmp_path / "scratch", OPTIONS)
    records = sample.take_all()
    assert records.finished, sample.output
    assert len(records.ended) == 10
    return sample


def test_edits_one_after_the_other(sample: Sample) -> None:
    selection, _, _ = sample.take_affected()
    assert selection.tests == {}
    assert selection.everything is None

    sample.replace("pkg/b.py", "return 2 * x", "y = 2 * x\n    return y")
    selection, _, _ = sample.take_affected()
    assert [*selection.tests] == ["tests/test_a.py::test_big"]
    assert selection.tests["tests/test_a.py::test_big"] == (
        "runs pkg/b.py:10 (twice), which was changed",
    )

    sample.replace("pkg/a.py", "from functools", "# Moved.\n\nfrom functools")
    assert not sample.take_affected()[0].tests
    sample.is_as_after_a_full_run()

    sample.replace("pkg/a.py", "LIMIT = 3", "LIMIT = 0")
    selection, _, _ = sample.take_affected()
    assert selection.reasons("tests/test_a.py::test_small")
    sample.is_as_after_a_full_run()


def test_a_deleted_test_takes_only_what_nobody_else_runs(sample: Sample) -> None:
    text = sample.text("tests/test_b.py")
    begin, end = text.index("def test_lazy()"), text.index("def test_lazy_again")
    (sample.root / "tests/test_b.py").write_text(text[:begin] + text[end:])
    selection, _, _ = sample.take_affected()
    assert selection.gone == {"tests/test_b.py::test_lazy"}
    sample.is_as_after_a_full_run()
    detail = sample.runs.store.detail()
    assert detail is not None
    assert "tests/test_b.py::test_lazy" not in detail.tests


def test_a_test_that_imports_less_leaves_what_others_import_by_what_they_run(
    tmp_path: Path,
) -> None:
    again = SAMPLE["tests/test_b.py"].partition("def test_lazy_again")
    files = {
        # Nothing is called in them, so that only what imports them tells that somebody needs them.
        "pkg/lazy.py": f"from pkg.values import ONE\n\n{SAMPLE['pkg/lazy.py']}",
        "pkg/values.py": "import pkg.sub.more\n\nONE = 1\n",
        "pkg/sub/__init__.py": "HERE = 1\n",
        "pkg/sub/more.py": "MORE = 2\n",
        "pkg/alone.py": "NOBODY = 1\n",
        "tests/test_b.py": again[0].replace("    assert g()", "    import pkg.alone\n\n    g()"),
        "tests/test_z.py": "".join(again[1:]),
    }
    write(tmp_path / "root", SAMPLE | files)
    sample = Sample(tmp_path / "root", tmp_path / "scratch", OPTIONS)
    sample.take_all()
    text = sample.text("tests/test_b.py").partition("    from pkg.lazy")[0]
    (sample.root / "tests/test_b.py").write_text(f"{text}    pass\n")
    selection, _, _ = sample.take_affected()
    assert [*selection.tests] == ["tests/test_b.py::test_lazy"]
    sample.is_as_after_a_full_run()


def test_tests_that_were_left_out_are_known_to_be_outdated(sample: Sample) -> None:
    sample.replace("pkg/b.py", "return 2 * x", "return x + x")
    sample.take_affected(only=["tests/test_b.py::test_thrice"])
    selection = sample.runs.select(sample.runs.look(ENVIRONMENT))
    assert [*selection.tests] == ["tests/test_a.py::test_big"]
    sample.take_affected()
    assert not sample.runs.select(sample.runs.look(ENVIRONMENT)).tests
    sample.is_as_after_a_full_run()


def test_new_tests_that_were_left_out_are_not_forgotten(sample: Sample) -> None:
    text = sample.text("tests/test_b.py")
    new = "\n\ndef test_new():\n    assert thrice(1)\n"
    write(sample.root, {"tests/test_b.py": text + new, "tests/test_n.py": "def test_n(): pass\n"})
    # What is in a conftest may be for any test.
    sample.replace("tests/conftest.py", "import pytest\n", "import pytest\n\nX = 1\n")
    sample.take_affected(only=["tests/test_a.py::test_big"])
    selection, _, _ = sample.take_affected()
    assert selection.everything is None
    assert selection.tests.keys() >= {"tests/test_b.py::test_new", "tests/test_n.py"}
    sample.is_as_after_a_full_run()
    detail = sample.runs.store.detail()
    assert detail is not None
    assert {"tests/test_b.py::test_new", "tests/test_n.py::test_n"} <= detail.tests.keys()
    assert "tests/test_n.py" not in detail.tests
    assert not sample.take_affected()[0].tests


def test_a_failed_test_runs_again_until_it_passes(sample: Sample) -> None:
    sample.replace("pkg/b.py", "return 2 * x", "return None")
    sample.take_affected()
    selection, records, _ = sample.take_affected()
    assert [*selection.tests] == ["tests/test_a.py::test_big"]
    assert records is not None
    assert records.detail.tests["tests/test_a.py::test_big"].outcome == "failed"
    sample.is_as_after_a_full_run()


def test_what_covls_cannot_know_takes_everything(sample: Sample) -> None:
    look = sample.runs.look
    write(sample.root, {"tests/data.json": "{}"})
    assert "tests/data.json" in (sample.runs.select(look(ENVIRONMENT)).everything or "")
    (sample.root / "tests/data.json").unlink()
    changed = sample.runs.select(look({"Python": "2.7"})).everything
    assert changed is not None
    assert "Python changed" in changed
    data_file = sample.root / ".coverage"
    os.utime(data_file, (1, 1))
    assert "something else" in (sample.runs.select(look(ENVIRONMENT)).everything or "")


def test_data_of_another_tool_are_not_thrown_away(tmp_path: Path) -> None:
    write(tmp_path / "root", SAMPLE)
    sample = Sample(tmp_path / "root", tmp_path / "scratch", OPTIONS)
    data = CoverageData(str(sample.root / ".coverage"))
    elsewhere = {str(sample.root / "pkg/never.py"): [(-1, 1), (1, -1), (-1, 2), (2, -1)]}
    data.add_arcs(elsewhere)
    data.write()
    data.close(force=True)
    with pytest.raises(NotWrittenError):
        sample.take_affected(only=["tests/test_b.py::test_thrice"])
    with read_snapshot(sample.root / ".coverage", root=sample.root) as snapshot:
        assert sample.runs.adopt(snapshot, ENVIRONMENT)
    sample.take_affected(only=["tests/test_b.py::test_thrice"])
    told = sample.said()
    assert told[str(sample.root / "pkg/never.py")] == [(-1, 1), (-1, 2), (1, -1), (2, -1)]
    assert (-9, 10) not in told[str(sample.root / "pkg/b.py")]
    assert (-13, 14) in told[str(sample.root / "pkg/b.py")]


def test_the_first_run_may_be_of_some_tests(tmp_path: Path) -> None:
    write(tmp_path / "root", SAMPLE)
    sample = Sample(tmp_path / "root", tmp_path / "scratch", OPTIONS)
    before = sample.runs.look(ENVIRONMENT)
    # To find out what is new takes long, and all is.
    assert not before.changes
    asked = ["tests/test_b.py"]
    records, data = sample.run(asked)
    with data:
        taken = sample.runs.take(
            before,
            Selection({}),
            records,
            data,
            old=None,
            asked=asked,
            collected_all=False,
            began=1.0,
        )
    assert taken.kept
    # Which test ran what is known, and that others have not run.
    detail = sample.runs.store.detail()
    assert detail is not None
    assert {*detail.tests} == {*records.ended, "tests/test_a.py"}
    thrice = "tests/test_b.py::test_thrice"
    assert thrice in {*detail.tests_in([str(sample.root / "pkg/b.py")])}
    everything = "tests/test_a.py has not run yet"
    assert sample.runs.select(sample.runs.look(ENVIRONMENT)).everything == everything
    # A part of them is spliced in nevertheless.
    sample.take_affected(only=[thrice])
    assert sample.runs.select(sample.runs.look(ENVIRONMENT)).everything == everything
    # A file that has run is known.
    sample.take_affected(only=["tests/test_a.py"])
    sample.take_affected(only=["tests/test_b.py"])
    assert sample.runs.select(sample.runs.look(ENVIRONMENT)).everything is None
    sample.is_as_after_a_full_run()


def test_lines_without_branches(tmp_path: Path) -> None:
    write(tmp_path / "root", SAMPLE)
    sample = Sample(tmp_path / "root", tmp_path / "scratch", {"source": ["pkg"]})
    sample.take_all()
    sample.replace("pkg/a.py", "from functools", "# Moved.\n\nfrom functools")
    sample.replace("pkg/a.py", "        return 1\n", "        if self:\n            return 1\n")
    selection, _, _ = sample.take_affected()
    assert [*selection.tests] == ["tests/test_a.py::test_c"]
    sample.is_as_after_a_full_run()


def test_contexts_that_the_user_asks_for_stay(tmp_path: Path) -> None:
    write(tmp_path / "root", SAMPLE)
    write(
        tmp_path / "root",
        {"cov.rc": "[run]\nbranch = true\nsource = pkg\ndynamic_context = test_function\n"},
    )
    sample = Sample(tmp_path / "root", tmp_path / "scratch", {"config_file": "cov.rc"})
    sample.take_all()
    sample.replace("pkg/b.py", "return 2 * x", "y = 2 * x\n    return y")
    sample.replace("pkg/b.py", "ALL = []", "\nALL = []")
    sample.take_affected(only=["tests/test_a.py::test_big"])
    ours = contexts(sample.root / ".coverage")
    records, data = sample.run(None)
    with data:
        theirs = {
            (path, line): set(names)
            for path in data.paths
            for line, names in data.contexts_by_line(path).items()
        }
    assert records.finished
    assert any(theirs.values())
    bodies = {where: names for where, names in theirs.items() if where[0].endswith("b.py")}
    assert {where: ours.get(where) for where in bodies if names_tests(bodies[where])} == {
        where: names for where, names in bodies.items() if names_tests(names)
    }


def contexts(data_file: Path) -> dict[tuple[str, int], set[str]]:
    with read_snapshot(data_file, root=data_file.parent) as snapshot:
        return {
            (path, line): set(names)
            for path in snapshot.paths
            for line, names in snapshot.contexts_by_line(path).items()
        }


def names_tests(names: set[str]) -> bool:
    return any(names) and "" not in names


# Random edits

Edit = Callable[[Sample, random.Random], object]


def functions(text: str, *, tests: bool) -> list[ast.FunctionDef]:
    return [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test") is tests
    ]


def some_file(sample: Sample, chosen: random.Random, folder: str, start: str = "") -> str:
    names = sorted(path.name for path in (sample.root / folder).glob(f"{start}*.py"))
    return f"{folder}/{chosen.choice([name for name in names if name != '__init__.py'])}"


def change_body(sample: Sample, chosen: random.Random) -> None:
    name = some_file(sample, chosen, "pkg")
    lines = sample.text(name).split("\n")
    if found := functions("\n".join(lines), tests=False):
        node = chosen.choice(found)
        first = node.body[0].lineno - 1
        indent = " " * node.body[0].col_offset
        new = [f"{indent}if {chosen.random() < 0.5}:", f"{indent}    z = {chosen.random()}"]
        lines[first:first] = chosen.choice([new, new[1:][:0], [f"{indent}z = {chosen.random()}"]])
        (sample.root / name).write_text("\n".join(lines))


def take_lines_out(sample: Sample, chosen: random.Random) -> None:
    name = some_file(sample, chosen, "pkg")
    lines = sample.text(name).split("\n")
    added = [i for i, line in enumerate(lines) if line.strip().startswith("z = ")]
    if added:
        at = chosen.choice(added)
        lines[at] = lines[at].partition("z")[0] + "pass"
        (sample.root / name).write_text("\n".join(lines))


def put_remarks_in(sample: Sample, chosen: random.Random) -> None:
    name = some_file(sample, chosen, chosen.choice(["pkg", "tests"]))
    lines = sample.text(name).split("\n")
    at = chosen.randrange(len(lines) + 1)
    lines[at:at] = ["", "# A remark."][: chosen.randint(1, 2)]
    (sample.root / name).write_text("\n".join(lines))


def change_constant(sample: Sample, chosen: random.Random) -> None:
    name = some_file(sample, chosen, "pkg")
    (sample.root / name).write_text(f"{sample.text(name)}\nK{chosen.randrange(9)} = 1\n")


def add_function(sample: Sample, chosen: random.Random) -> None:
    name, number = some_file(sample, chosen, "pkg"), chosen.randrange(10**6)
    function = f"\n\ndef new{number}(x=1):\n    if x:\n        return 1\n    return 2\n"
    (sample.root / name).write_text(sample.text(name) + function)
    if chosen.random() < 0.7:
        module = name.removesuffix(".py").replace("/", ".")
        tests = some_file(sample, chosen, "tests", "test_")
        test = f"""

            def test_new{number}():
                from {module} import new{number}

                assert new{number}({chosen.randrange(2)})
            """
        (sample.root / tests).write_text(sample.text(tests) + textwrap.dedent(test).rstrip() + "\n")


def remove_test(sample: Sample, chosen: random.Random) -> None:
    name = some_file(sample, chosen, "tests", "test_")
    text = sample.text(name)
    found = [node for node in functions(text, tests=True) if node.col_offset == 0]
    if len(found) > 1:
        node = chosen.choice(found)
        first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        lines = text.split("\n")
        del lines[first - 1 : node.end_lineno]
        (sample.root / name).write_text("\n".join(lines))


def change_test(sample: Sample, chosen: random.Random) -> None:
    name = some_file(sample, chosen, "tests", "test_")
    text = sample.text(name)
    node = chosen.choice(functions(text, tests=True))
    lines = text.split("\n")
    module, call = chosen.choice(
        [("pkg.b", "thrice(1)"), ("pkg.a", "C().n()"), ("pkg.a", "slow(1)"), ("pkg.lazy", "g()")]
    )
    indent = " " * node.body[0].col_offset
    lines[node.body[0].lineno - 1 : node.end_lineno] = [
        f"{indent}from {module} import {call.partition('(')[0]}",
        f"{indent}assert {call}",
    ]
    (sample.root / name).write_text("\n".join(lines))


def rename_test(sample: Sample, chosen: random.Random) -> None:
    name = some_file(sample, chosen, "tests", "test_")
    text = sample.text(name)
    node = chosen.choice(functions(text, tests=True))
    new = text.replace(f"def {node.name}(", f"def test_renamed{chosen.randrange(10**6)}(", 1)
    (sample.root / name).write_text(new)


def move_function(sample: Sample, chosen: random.Random) -> None:
    name = some_file(sample, chosen, "pkg")
    text = sample.text(name)
    found = [node for node in functions(text, tests=False) if node.col_offset == 0]
    if found:
        node = chosen.choice(found)
        first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        lines = text.split("\n")
        taken = lines[first - 1 : node.end_lineno]
        del lines[first - 1 : node.end_lineno]
        (sample.root / name).write_text("\n".join([*lines, "", "", *taken, ""]))


def change_fixture(sample: Sample, chosen: random.Random) -> None:
    sample.replace("tests/helper.py", "    assert", f"    z = {chosen.random()}\n    assert")


def add_module(sample: Sample, chosen: random.Random) -> None:
    number = chosen.randrange(10**6)
    (sample.root / f"pkg/m{number}.py").write_text("N = 1\n\n\ndef m():\n    return N\n")
    if chosen.random() < 0.5:
        name = some_file(sample, chosen, "pkg")
        (sample.root / name).write_text(f"{sample.text(name)}\nimport pkg.m{number}\n")


EDIT_KINDS: Sequence[Edit] = (
    change_body, change_body, change_body, take_lines_out, put_remarks_in, put_remarks_in,
    change_constant, add_function, remove_test, change_test, change_test, rename_test,
    move_function, change_fixture, add_module,
)  # fmt: skip


def test_random_edits(sample: Sample) -> None:
    chosen = random.Random(int(os.environ.get("COVLS_TEST_SEED", "20261122")))
    known = sample.truth()[1].detail.tests
    shares = []
    for _ in range(EDITS):
        kinds = chosen.choices(EDIT_KINDS, k=chosen.choice([1, 1, 2]))
        for kind in kinds:
            kind(sample, chosen)
        selection, _, _ = sample.take_affected()
        names = [kind.__name__ for kind in kinds]
        told, (truth, full) = sample.said(), sample.truth()
        for path in sorted({*told, *truth}):
            why = (names, path, selection)
            assert told.get(path) == truth.get(path), why
        failed = {name for name, test in full.detail.tests.items() if test.failed}
        assert all(selection.reasons(name) for name in failed), (names, failed, selection)
        detail = sample.runs.store.detail()
        assert detail is not None
        assert detail.tests.keys() == full.detail.tests.keys(), (names, selection)
        ran = [name for name in full.detail.tests if selection.reasons(name)]
        shares.append(len(ran) / max(1, len(full.detail.tests)))
        known = full.detail.tests
    assert known
    print("median share of tests run:", sorted(shares)[len(shares) // 2])
    assert fingerprint(sample.root / ".coverage")
