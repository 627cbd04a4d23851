"""The tests that reach a place, and where they are written."""

from pathlib import Path
from typing import Any

from tests.server.client import Client, uri_of
from tests.server.conftest import CONFIGURATION, SHOP, measure, write

QUIET = (
    "covls/status",
    "covls/didChangeCoverage",
    "$/progress",
    "textDocument/publishDiagnostics",
)


async def found_at(client: Client, uri: str, first: int, last: int, character: int = 3) -> Any:
    """The tests at lines, 1-based."""
    place = {
        "start": {"line": first - 1, "character": 0},
        "end": {"line": last - 1, "character": character},
    }
    return await client.request("covls/testsAt", {"textDocument": {"uri": uri}, "range": place})


async def test_tests_and_their_places(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    one = await found_at(client, uri, 6, 6)
    assert one == [
        {
            "id": "test_shop.py::test_discount",
            "location": {
                "uri": uri_of(shop / "test_shop.py"),
                "range": {
                    "start": {"line": 5, "character": 0},
                    "end": {"line": 5, "character": 20},
                },
            },
        }
    ]
    parametrized = await found_at(client, uri, 13, 13)
    assert [each["id"] for each in parametrized] == [
        "test_shop.py::TestParse::test_number[1]",
        "test_shop.py::TestParse::test_number[22]",
    ]
    assert {each["location"]["range"]["start"]["line"] for each in parametrized} == {11}
    both = await found_at(client, uri, 6, 13)
    assert len(both) == 3
    # A selection of whole lines ends before the first character of the next.
    assert await found_at(client, uri, 6, 7, character=0) == one
    assert await found_at(client, uri, 17, 17) == []
    await client.end()


async def test_lines_are_those_of_the_text_on_screen(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    await minimal.start(shop)
    uri = minimal.open(shop / "shop.py")
    minimal.change(uri, "\n\n\n" + SHOP)
    assert len(await found_at(minimal, uri, 16, 16)) == 2
    await minimal.end()


async def test_null_where_tests_were_not_recorded(minimal: Client, tmp_path: Path) -> None:
    project = write(tmp_path / "p", a__py="a = 1\n")
    measure(project, "coverage", "run", "a.py")
    minimal.ignore(*QUIET)
    await minimal.start(project)
    assert await found_at(minimal, minimal.open(project / "a.py"), 1, 1) is None
    assert await found_at(minimal, "untitled:a", 1, 1) is None
    assert await found_at(minimal, "file:///nowhere.py", 1, 1) is None
    await minimal.end()


async def test_dotted_names_of_coverages_own_contexts(minimal: Client, tmp_path: Path) -> None:
    project = write(tmp_path / "p", a__py="def f():\n    return 1\n")
    (project / ".coveragerc").write_text(CONFIGURATION + "dynamic_context = test_function\n")
    write(
        project,
        test_a__py="import unittest\nimport a\n\n\nclass TestA(unittest.TestCase):\n"
        "    def test_f(self):\n        self.assertEqual(a.f(), 1)\n",
    )
    measure(project, "coverage", "run", "-m", "unittest", "-q", "test_a")
    minimal.ignore(*QUIET)
    await minimal.start(project)
    (found,) = await found_at(minimal, minimal.open(project / "a.py"), 2, 2)
    assert found["id"] == "test_a.TestA.test_f"
    assert found["location"]["range"]["start"] == {"line": 5, "character": 4}
    await minimal.end()


async def test_tests_named_against_another_folder(minimal: Client, tmp_path: Path) -> None:
    """pytest names modules by the folder that it puts on the path, and ids by its own root."""
    project = write(
        tmp_path / "p",
        src____a__py="def f():\n    return 1\n",
        tests____test_a__py="from src import a\n\n\ndef test_f():\n    a.f()\n",
        tests____test_b__py="from src import a\n\n\ndef test_g():\n    a.f()\n",
        other____test_b__py="def test_g():\n    pass\n",
    )
    (project / ".coveragerc").write_text(CONFIGURATION + "dynamic_context = test_function\n")
    measure(project, "coverage", "run", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    minimal.ignore(*QUIET)
    await minimal.start(project)
    found = await found_at(minimal, minimal.open(project / "src/a.py"), 2, 2)
    assert [each["id"] for each in found] == ["test_a.test_f", "test_b.test_g"]
    assert found[0]["location"]["uri"] == uri_of(project / "tests/test_a.py")
    # There are two of the other, and which of them it is cannot be told.
    assert found[1].get("location") is None
    await minimal.end()
