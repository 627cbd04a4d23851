"""unittest and Django under the probe: phases, scopes of fixtures, outcomes, tests asked for."""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.measured import write
from tests.probe.recorded import Recorded, run

PACKAGE = """\
def f(x):
    if x > 1:
        return 2
    return 3
def boom():
    raise ValueError("boom")
def only_class():
    return 8
def only_module():
    return 10
"""

TESTS = """\
import unittest
from pkg.a import f, boom, only_class, only_module
def setUpModule():
    only_module()
def tearDownModule():
    only_module()
class A(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        only_class()
    @classmethod
    def tearDownClass(cls):
        only_class()
    def setUp(self):
        f(1)
        self.addCleanup(f, 2)
    def test_a(self):
        f(5)
    def test_boom(self):
        boom()
    def test_sub(self):
        for x in (1, 2):
            with self.subTest(x=x):
                self.assertEqual(f(x), 3)
    @unittest.skip("not today")
    def test_skip(self): pass
    @unittest.expectedFailure
    def test_xf(self): self.fail()
    @unittest.expectedFailure
    def test_xp(self): pass
class B(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        boom()
    def test_b1(self): pass
    def test_b2(self): pass
class C(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        f(1)
    async def test_c(self):
        f(4)
class D(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise unittest.SkipTest("never")
    def test_d(self): pass
"""

OUTCOMES = {
    "A.test_a": "passed",
    "A.test_boom": "error",
    "A.test_skip": "skipped",
    "A.test_sub": "failed",
    "A.test_xf": "xfailed",
    "A.test_xp": "xpassed",
    "B.test_b1": "error",
    "B.test_b2": "error",
    "C.test_c": "passed",
    "D.test_d": "skipped",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    write(
        folder,
        {
            "pkg/__init__.py": "",
            "pkg/a.py": PACKAGE,
            "tests/__init__.py": "",
            "tests/test_u.py": TESTS,
            "tests/test_bad.py": "x = 1\nimport nothing_here\n",
        },
    )
    return folder


def phases(recorded: Recorded, name: str = "pkg/a.py") -> dict[Any, set[int]]:
    return {
        (test.rpartition("test_u.")[2], phase, scope): set(files[name])
        for (test, phase, scope, _), files in recorded.ran.items()
        if name in files and test
    }


def test_each_phase_has_its_lines(root: Path, tmp_path: Path) -> None:
    recorded = run(root, tmp_path / "out", "unittest")
    found = phases(recorded)
    # What cleanups run comes after tearDown, and is counted with it.
    assert found.pop(("A.test_a", "teardown", "function")) == {2, 3}
    assert found.pop(("A.test_a", "setup", "function")) == {2, 4}
    assert found.pop(("A.test_a", "call", "function")) == {2, 3}
    assert found.pop(("A.test_a", "setup", "class")) == {8}
    assert found.pop(("A.test_a", "setup", "module")) == {10}
    assert found.pop(("A.test_sub", "call", "function")) == {2, 3, 4}
    assert found.pop(("A.test_xp", "teardown", "class")) == {8}
    assert found.pop(("C.test_c", "setup", "function")) == {2, 4}
    assert found.pop(("C.test_c", "call", "function")) == {2, 3}
    assert found.pop(("D.test_d", "teardown", "module"), {10}) == {10}
    assert recorded.union == recorded.all_ran()
    assert recorded.code == recorded.end["exit"] == 1


def test_each_outcome_is_told(root: Path, tmp_path: Path) -> None:
    recorded = run(root, tmp_path / "out", "unittest")
    assert recorded.outcomes == {f"tests.test_u.{name}": word for name, word in OUTCOMES.items()}
    assert [told["tests"] for told in recorded.told("collected")] == [list(recorded.outcomes)]
    told = {told["test"].rpartition("test_u.")[2]: told for told in recorded.told("finished")}
    tests, source = str(root / "tests/test_u.py"), str(root / "pkg/a.py")
    boom = told["A.test_boom"]
    assert (boom["message"], boom["file"], boom["line"]) == ("ValueError: boom", tests, 20)
    assert (boom["source_file"], boom["source_line"]) == (source, 6)
    assert (told["A.test_sub"]["file"], told["A.test_sub"]["line"]) == (tests, 24)
    assert (told["B.test_b2"]["file"], told["B.test_b2"]["line"]) == (tests, 34)
    assert told["D.test_d"]["message"] == "never"
    (error,) = recorded.told("collection-error")
    assert (error["file"], error["line"]) == (str(root / "tests/test_bad.py"), 2)
    assert error["message"] == "ModuleNotFoundError: No module named 'nothing_here'"


def test_only_the_tests_asked_for(root: Path, tmp_path: Path) -> None:
    asked = ["tests.test_u.C.test_c", "tests.test_u.A.test_gone", "tests.test_u.A.test_a"]
    recorded = run(root, tmp_path / "out", "unittest", tests=asked)
    assert list(recorded.outcomes) == ["tests.test_u.A.test_a", "tests.test_u.C.test_c"]
    assert [told["tests"] for told in recorded.told("missing")] == [asked[1:2]]
    # Discovery leaves files alone that hold none of them.
    assert recorded.told("collection-error") == []
    assert recorded.code == 0


def test_discovery_begins_in_more_folders(root: Path, tmp_path: Path) -> None:
    case = "import unittest\nfrom pkg.a import f\nclass A(unittest.TestCase):\n"
    # One that looks for tests itself finds its own, and not those of the other folders again.
    load = (
        "def load_tests(loader, tests, pattern):\n"
        "    return loader.discover('checks', 'check_*.py', 'checks')\n"
    )
    write(
        root,
        {
            "checks/test_it.py": f"{case}    def test_it(self): f(1)\n",
            "more/test_more.py": load,
            "checks/check_this.py": f"{case}    def test_this(self): f(2)\n",
        },
    )
    (root / "tests/test_bad.py").unlink()
    named: dict[str, Any] = {"also": ["checks", "more"], "notices": ["Something else."]}
    recorded = run(root, tmp_path / "out", "unittest", **named)
    theirs = {f"tests.test_u.{name}": word for name, word in OUTCOMES.items()}
    ours = {"test_it.A.test_it": "passed", "check_this.A.test_this": "passed"}
    assert recorded.outcomes == theirs | ours
    assert recorded.notices == ["Something else."]
    asked = ["test_it.A.test_it"]
    assert list(run(root, tmp_path / "one", "unittest", tests=asked, **named).outcomes) == asked


@pytest.mark.parametrize("arguments", [("-m", "unittest", "-v"), ("runtests.py",)])
def test_a_script_that_runs_unittest(
    root: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (root / "runtests.py").write_text("import unittest\nunittest.main(module=None)\n")
    recorded = run(root, tmp_path / "out", "script", arguments=arguments)
    assert recorded.outcomes == {f"tests.test_u.{name}": word for name, word in OUTCOMES.items()}
    some = run(
        root, tmp_path / "some", "script", arguments=arguments, tests=["tests.test_u.A.test_a"]
    )
    assert set(some.outcomes) == {"tests.test_u.A.test_a"}


@pytest.mark.parametrize("arguments", [("-m", "pytest", "-q"), ("runtests.py", "-q")])
def test_a_script_that_runs_pytest(root: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (root / "runtests.py").write_text("import pytest, sys\nsys.exit(pytest.main(sys.argv[1:]))\n")
    recorded = run(root, tmp_path / "out", "script", arguments=arguments)
    assert len(recorded.told("collection-error")) == 1
    (root / "tests/test_bad.py").unlink()
    recorded = run(root, tmp_path / "again", "script", arguments=arguments)
    assert recorded.outcomes["tests/test_u.py::A::test_a"] == "passed"
    assert len(recorded.outcomes) == len(OUTCOMES)
    assert phases(recorded)["py::C::test_c", "call", "function"] == {2, 3, 4}


def test_a_script_without_tests(root: Path, tmp_path: Path) -> None:
    (root / "go.py").write_text("import sys\nfrom pkg.a import f\nf(1)\nsys.exit(sys.argv[1])\n")
    recorded = run(root, tmp_path / "out", "script", arguments=("go.py", "words"))
    assert recorded.code == 1
    assert "words" in recorded.output
    assert recorded.by_test() == {"": recorded.union}
    assert recorded.union["pkg/a.py"] == {1, 2, 4, 5, 7, 9}


DJANGO = {
    "manage.py": """\
import os, sys
from django.core.management import execute_from_command_line
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")
execute_from_command_line(sys.argv)
""",
    "site_settings.py": """\
SECRET_KEY = "x"
INSTALLED_APPS = ["shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
USE_TZ = True
""",
    "shop/__init__.py": "",
    "shop/models.py": """\
from django.db import models
class Item(models.Model):
    name = models.CharField(max_length=10)
    class Meta:
        app_label = "shop"
    def shout(self):
        return self.name.upper()
""",
    "shop/tests.py": """\
from django.test import TestCase, SimpleTestCase
from shop.models import Item
class ItemTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.item = Item.objects.create(name="tea")
    def test_shout(self):
        self.assertEqual(Item.objects.get().shout(), "TEA")
    def test_wrong(self):
        self.assertEqual(self.item.name, "TEA")
class Plain(SimpleTestCase):
    def test_plain(self):
        self.assertTrue(Item(name="x").shout())
""",
}


@pytest.mark.parametrize("arguments", [(), ("--parallel", "2", "shop")])
def test_django(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    root = tmp_path / "root"
    write(root, DJANGO)
    recorded = run(root, tmp_path / "out", "django", arguments=arguments)
    assert recorded.outcomes == {
        "shop.tests.Plain.test_plain": "passed",
        "shop.tests.ItemTests.test_shout": "passed",
        "shop.tests.ItemTests.test_wrong": "failed",
    }
    call = ("shop.tests.ItemTests.test_shout", "call", "function", False)
    assert recorded.ran[call]["shop/models.py"] == {7}
    shared = ("shop.tests.ItemTests.test_shout", "setup", "class", False)
    assert recorded.ran[shared] == {"shop/tests.py": {6}}
    assert recorded.union == recorded.all_ran()
    assert recorded.code == 1
    assert bool(recorded.notices) == bool(arguments)

    asked = ["shop.tests.ItemTests.test_shout"]
    some = run(root, tmp_path / "some", "django", tests=asked)
    assert list(some.outcomes) == asked
    assert some.code == 0


def test_django_without_manage_py(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, {name: text for name, text in DJANGO.items() if name != "manage.py"})
    settings = {"DJANGO_SETTINGS_MODULE": "site_settings"}
    recorded = run(root, tmp_path / "out", "django", environment=settings)
    assert len(recorded.outcomes) == 3


def test_a_module_is_set_up_after_the_one_before_is_torn_down(tmp_path: Path) -> None:
    module = """\
import unittest
def setUpModule():
    global up
    up = 1
def tearDownModule():
    del globals()["up"]
class T(unittest.TestCase):
    def test(self):
        self.assertTrue(up)
"""
    names = ("test_one", "test_two")
    write(tmp_path / "root", {f"{name}.py": module for name in names})
    recorded = run(tmp_path / "root", tmp_path / "out", "unittest")
    for name in names:
        found = {
            (test, phase): set(files[f"{name}.py"])
            for (test, phase, scope, _), files in recorded.ran.items()
            if scope == "module" and f"{name}.py" in files
        }
        assert found == {(f"{name}.T.test", "setup"): {4}, (f"{name}.T.test", "teardown"): {6}}
