"""Which tests an edit takes along, and why: a table of edits to a small project."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from covls.core.detail import (
    OUTSIDE,
    UNATTRIBUTED,
    Detail,
    FileDetail,
    TestRecord,
    detail_of_lines,
)
from covls.core.impact import Change, Selection, affected
from covls.core.imports import ImportGraph, Imports, imports_of
from covls.core.naming import PYTEST, UNITTEST, is_test_file
from covls.core.outline import compare, outline

SOURCES = {
    "pkg/__init__.py": "",
    "pkg/a.py": (
        "from pkg.b import LIMIT\ndef f(x):\n    return x\ndef unused():\n    return LIMIT\n"
    ),
    "pkg/b.py": "LIMIT = 1\ndef g():\n    return 2\n",
    "pkg/urls.py": "from pkg.b import g\n",
    "pkg/__main__.py": "from pkg.b import g\n",
    "pkg/plugin.py": "def run():\n    return 1\n",
    "pkg/kept.py": "@cache\ndef k():\n    return 1\n",
    "pkg/loose.py": "def loose():\n    return 1\n",
    "tests/conftest.py": "import pytest\n",
    "tests/helper.py": "def check(x):\n    assert x\n",
    "tests/test_a.py": (
        "from pkg.a import f\nfrom helper import check\n\n"
        "def test_f():\n    assert f(1)\n\n"
        "@pytest.mark.parametrize('x', [1])\ndef test_x(x):\n    check(f(x))\n"
    ),
    "tests/test_b.py": (
        "import pkg.b, pkg.kept\nclass TestG:\n    def test_g(self):\n        assert pkg.b.g()\n"
        "    def test_other(self):\n        pass\n"
    ),
    "docs/index.md": "Words.\n",
    "pyproject.toml": "",
    "tests/data.json": "{}",
}
F, X = "tests/test_a.py::test_f", "tests/test_a.py::test_x[1]"
G, OTHER = "tests/test_b.py::TestG::test_g", "tests/test_b.py::TestG::test_other"

RAN: dict[str, FileDetail] = {
    "pkg/__init__.py": FileDetail(None, {}),
    "pkg/a.py": detail_of_lines({OUTSIDE: [1, 2, 4], (F, "call"): [3], (X, "call"): [3]}),
    "pkg/b.py": detail_of_lines({OUTSIDE: [1, 2], (G, "call"): [3]}),
    "pkg/plugin.py": detail_of_lines({OUTSIDE: [1], (G, "call"): [2]}),
    "pkg/kept.py": detail_of_lines({OUTSIDE: [1, 2], (G, "call"): [3]}),
}


KEPT = {**RAN, "pkg/kept.py": detail_of_lines({(G, "call"): [3]})}


@dataclass
class Edited:
    """The project after an edit of one file, and what is known of its tests."""

    path: str = ""
    old: str = ""
    new: str | None = ""
    ran: Mapping[str, FileDetail] = field(default_factory=lambda: RAN)
    tests: Mapping[str, TestRecord] = field(
        default_factory=lambda: {test: TestRecord("passed") for test in (F, X, G, OTHER)}
    )
    scoped: bool = True

    def select(self) -> Selection:
        sources = dict(SOURCES)
        changes: dict[str, Change] = {}
        python = self.path.endswith(".py")
        if self.path and self.new is None:
            del sources[self.path]
            changes[self.path] = Change("gone")
        elif self.path and self.path in SOURCES:
            text = SOURCES[self.path]
            assert self.old in text
            sources[self.path] = text.replace(self.old, self.new or "", 1)
            edit = compare(text, sources[self.path]) if python else None
            changes[self.path] = Change("edited" if python else "data", edit)
        elif self.path:
            sources[self.path] = self.new or ""
            after = outline(sources[self.path]) if python else None
            changes[self.path] = Change("new", after=after)
        files = {
            path: imports_of(text, path) or Imports({})
            for path, text in {**dict.fromkeys(changes, ""), **sources}.items()
            if path.endswith(".py")
        }
        return affected(
            Detail(False, self.ran, self.tests),
            changes,
            ImportGraph(files),
            measured={path: path for path in self.ran},
            is_test_file=lambda path: is_test_file(path, PYTEST),
            scoped=self.scoped,
        )


A_TESTS, B_TESTS = {F, X, "tests/test_a.py"}, {G, "tests/test_b.py"}

TABLE: dict[str, tuple[Edited, set[str]]] = {
    "nothing": (Edited(), set()),
    "a remark": (Edited("pkg/a.py", "def f", "# Why.\ndef f"), set()),
    "a body that tests ran": (Edited("pkg/a.py", "return x", "return -x"), {F, X}),
    "a body that nobody ran": (Edited("pkg/a.py", "return LIMIT", "return 0"), set()),
    "a constant reaches importers of importers": (
        Edited("pkg/b.py", "LIMIT = 1", "LIMIT = 2"),
        A_TESTS | B_TESTS,
    ),
    "what a program imports, which a test runs": (
        Edited(
            "pkg/b.py",
            "LIMIT = 1",
            "LIMIT = 2",
            {**RAN, "pkg/__main__.py": detail_of_lines({(OTHER, "call"): [1]})},
        ),
        A_TESTS | B_TESTS | {OTHER},
    ),
    "a signature": (Edited("pkg/a.py", "f(x)", "f(x, y=1)"), A_TESTS),
    "a new function": (Edited("pkg/a.py", "def f", "def n(): pass\ndef f"), A_TESTS),
    "kept results": (Edited("pkg/kept.py", "return 1", "return 2", KEPT), B_TESTS),
    "a helper that is not measured": (
        Edited("tests/helper.py", "assert x", "assert x is not None"),
        {"tests/test_a.py"},
    ),
    "a test": (Edited("tests/test_a.py", "f(1)", "f(2)"), {F}),
    "the cases of a test": (Edited("tests/test_a.py", "[1]", "[2]"), {"tests/test_a.py::test_x"}),
    "a new test": (
        Edited("tests/test_a.py", "def test_f", "def test_n(): pass\ndef test_f"),
        {"tests/test_a.py::test_n"},
    ),
    "a new test of a class": (
        Edited("tests/test_b.py", "    def test_g", "    def test_n(self): pass\n    def test_g"),
        {"tests/test_b.py::TestG::test_n"},
    ),
    "what a test file does when it is imported": (
        Edited("tests/test_a.py", "from helper", "X = 1\nfrom helper"),
        {"tests/test_a.py"},
    ),
    "a new test file": (Edited("tests/test_n.py", new="def test_n(): pass"), {"tests/test_n.py"}),
    "a new module that nobody imports": (Edited("pkg/new.py", new="N = 1\n"), set()),
    "a module that is gone": (Edited("pkg/a.py", new=None), A_TESTS),
    "what people read": (Edited("docs/index.md", "Words", "Other words"), set()),
    "a failed test": (Edited(tests={F: TestRecord("failed"), G: TestRecord("passed")}), {F}),
    "a test that did not end": (Edited(tests={F: TestRecord("")}), {F}),
    "a test that was left out": (Edited(tests={F: TestRecord("passed", outdated="why")}), {F}),
    "a fixture of a module": (
        Edited(
            "pkg/b.py",
            "return 2",
            "return 3",
            {**RAN, "pkg/b.py": detail_of_lines({(F, "setup@module"): [3]})},
        ),
        {F, X},
    ),
    "a test's own fixture": (
        Edited(
            "pkg/b.py",
            "return 2",
            "return 3",
            {**RAN, "pkg/b.py": detail_of_lines({(F, "setup"): [3]})},
        ),
        {F},
    ),
    "a fixture of who knows what scope": (
        Edited(
            "pkg/b.py",
            "return 2",
            "return 3",
            {**RAN, "pkg/b.py": detail_of_lines({(F, "setup"): [3]})},
            scoped=False,
        ),
        {F, X},
    ),
    "a function that runs at import": (
        Edited(
            "pkg/b.py",
            "return 2",
            "return 3",
            {**RAN, "pkg/b.py": detail_of_lines({OUTSIDE: [1, 2, 3]})},
        ),
        {F, X, "tests/test_a.py", "tests/test_b.py"},
    ),
}


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_edits_take_tests_along(row: str) -> None:
    edited, expected = TABLE[row]
    found = edited.select()
    assert found.everything is None
    assert set(found.tests) == expected
    assert all(all(reasons) for reasons in found.tests.values())


EVERYTHING: dict[str, tuple[Edited, str]] = {
    "conftest": (Edited("tests/conftest.py", "import pytest", "import os"), "tests/conftest.py:1"),
    "configuration": (Edited("pyproject.toml", "", "[tool]"), "pyproject.toml was changed"),
    "a lock file": (Edited("uv.lock", new="x"), "uv.lock was added"),
    "data": (Edited("tests/data.json", "{}", "[]"), "cannot tell which tests read it"),
    "a module that nobody imports by name": (
        Edited("pkg/plugin.py", "run()", "run(x=1)"),
        "imported in a way that covls cannot see",
    ),
    "a module that something imports which nobody imports by name": (
        Edited(
            "pkg/b.py",
            "LIMIT = 1",
            "LIMIT = 2",
            {**RAN, "pkg/urls.py": detail_of_lines({OUTSIDE: [1]})},
        ),
        "pkg/urls.py, which imports it, ran without a test's import",
    ),
    "a module that the first test to need it imports, though nobody by name": (
        Edited(
            "pkg/plugin.py",
            "run()",
            "run(x=1)",
            {**RAN, "pkg/plugin.py": detail_of_lines({(G, "call"): [1, 2]})},
        ),
        "imported in a way that covls cannot see",
    ),
    "a script that is not measured": (
        Edited("pkg/loose.py", "return 1", "return 2"),
        "cannot tell who runs it",
    ),
    "a process of which only its data is known": (
        Edited(
            "pkg/b.py",
            "return 2",
            "return 3",
            {**RAN, "pkg/b.py": detail_of_lines({UNATTRIBUTED: [3]})},
        ),
        "a process whose test covls does not know",
    ),
    "a fixture of the whole run": (
        Edited(
            "pkg/b.py",
            "return 2",
            "return 3",
            {**RAN, "pkg/b.py": detail_of_lines({(F, "setup@session"): [3]})},
        ),
        "in a fixture of the whole run",
    ),
}


@pytest.mark.parametrize("row", EVERYTHING, ids=str)
def test_what_cannot_be_known_takes_everything(row: str) -> None:
    edited, why = EVERYTHING[row]
    found = edited.select()
    assert found.everything is not None
    assert why in found.everything
    assert found.reasons(OTHER) == (found.everything,)


def test_a_test_that_is_gone_is_removed_and_its_work_done_by_others() -> None:
    gone = "tests/test_a.py::test_f"
    text = "def test_f():\n    assert f(1)\n\n"
    found = Edited("tests/test_a.py", text, "").select()
    assert found.gone == {gone}
    assert not found.tests, "another test runs all that it ran"
    alone = {**RAN, "pkg/b.py": detail_of_lines({(F, "call"): [2, 3], (G, "call"): [3]})}
    found = Edited("tests/test_a.py", text, "", alone).select()
    assert [*found.tests] == [G]


def test_a_source_with_tests_in_its_documentation_is_still_a_source() -> None:
    documented = "pkg/b.py::pkg.b.g"
    tests = {test: TestRecord("passed") for test in (F, X, G, OTHER, documented)}
    ran = {
        **RAN,
        "pkg/b.py": detail_of_lines({OUTSIDE: [1, 2], (G, "call"): [3], (documented, "call"): [3]}),
        "pkg/a.py": detail_of_lines({OUTSIDE: [1, 2, 4], (F, "call"): [3], (OTHER, "call"): [3]}),
    }

    def chosen(path: str, old: str, new: str | None) -> set[str]:
        found = Edited(path, old, new, ran, tests).select()
        assert found.everything is None
        return set(found.tests)

    assert chosen("pkg/b.py", "return 2", "return 3") == {G, documented}
    everyone = {F, "tests/test_a.py", G, OTHER, "tests/test_b.py"}
    of_file = {documented, "pkg/b.py"}
    assert chosen("pkg/b.py", "LIMIT = 1", "LIMIT = 2") == everyone | of_file
    assert chosen("pkg/b.py", "", None) == everyone


def test_the_likeliest_to_fail_come_first() -> None:
    tests = {
        F: TestRecord("passed", 2.0),
        X: TestRecord("passed", 1.0),
        G: TestRecord("failed", 9.0),
    }
    found = Edited("pkg/a.py", "return x", "return -x", tests=tests).select()
    assert [*found.tests] == [G, X, F]


def test_reasons_name_file_and_line() -> None:
    found = Edited("pkg/a.py", "return x", "y = x\n    return y").select()
    assert found.reasons(F) == ("runs pkg/a.py:3 (f), which was changed",)
    found = Edited("pkg/b.py", "LIMIT = 1", "LIMIT = 2").select()
    (reason,) = found.tests["tests/test_a.py"]
    assert reason == (
        "pkg/b.py:1 was changed outside of functions, and tests/test_a.py imports it "
        "by way of pkg/a.py"
    )
    assert found.collect_all


@pytest.mark.parametrize(
    ("path", "expected"),
    [("orders/tests/test_new.py", "orders.tests.test_new"), ("src/app/test_n.py", "app.test_n")],
)
def test_new_files_of_unittest_are_called_as_their_neighbours(path: str, expected: str) -> None:
    test = "app.test_a.T.test_f" if path.startswith("src/") else "orders.tests.test_a.T.test_f"
    known = path.rpartition("/")[0] + "/test_a.py"
    found = affected(
        Detail(
            False, {known: detail_of_lines({(test, "call"): [3]})}, {test: TestRecord("passed")}
        ),
        {path: Change("new", after=outline("import unittest\n"))},
        ImportGraph({known: Imports({}), path: Imports({})}),
        measured={known: known},
        is_test_file=lambda path: is_test_file(path, UNITTEST),
    )
    assert [*found.tests] == [expected]
    assert found.collect_all, "a run of all tests need not find it"
