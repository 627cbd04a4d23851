"""The recorded tests of a project, and the files they reach."""

import asyncio
from pathlib import Path

import pytest

from covls.server.features.project_tests import within
from tests.server.client import DEADLINE, Client, uri_of
from tests.server.conftest import CONFIGURATION, measure, run_tests, write

QUIET = ("covls/status", "covls/didChangeCoverage", "$/progress")


async def test_tests_and_the_files_they_reach(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    await minimal.start(shop)
    (found,) = await minimal.request("covls/projectTests", {})
    assert found["folder"] == uri_of(shop)
    assert found["tests"] == [
        "test_shop.py::TestParse::test_number[1]",
        "test_shop.py::TestParse::test_number[22]",
        "test_shop.py::test_discount",
    ]
    assert {each["uri"]: each["tests"] for each in found["files"]} == {
        uri_of(shop / "shop.py"): [0, 1, 2],
        uri_of(shop / "test_shop.py"): [0, 1, 2],
    }
    assert await minimal.request("covls/projectTests", {"folder": uri_of(shop)}) == [found]
    assert await minimal.request("covls/projectTests", {"folder": "untitled:a"}) == []
    await minimal.end()


async def test_new_data_have_tests_of_their_own(minimal: Client, shop: Path) -> None:
    run_tests(shop, "-k", "discount")
    minimal.ignore(*QUIET)
    await minimal.start(shop)
    (found,) = await minimal.request("covls/projectTests", {})
    assert found["tests"] == ["test_shop.py::test_discount"]
    run_tests(shop)
    async with asyncio.timeout(2 * DEADLINE):
        while len(found["tests"]) < 3:
            await asyncio.sleep(0.05)
            (found,) = await minimal.request("covls/projectTests", {})
    await minimal.end()


async def test_nothing_where_tests_were_not_recorded(minimal: Client, tmp_path: Path) -> None:
    project = write(tmp_path / "p", a__py="a = 1\n")
    (project / ".coveragerc").write_text(CONFIGURATION)
    measure(project, "coverage", "run", "a.py")
    minimal.ignore(*QUIET)
    await minimal.start(project)
    assert await minimal.request("covls/projectTests", {}) == []
    await minimal.end()


@pytest.mark.parametrize(
    ("most", "names"),
    [(6, ["few", "more", "most"]), (5, ["few", "more"]), (2, ["few"]), (0, [])],
)
def test_files_that_few_tests_reach_come_first(most: int, names: list[str]) -> None:
    by_file = {"most": ["a", "b", "c"], "none": [], "few": ["a"], "more": ["a", "b"]}
    found = within({Path(name): tests for name, tests in by_file.items()}, most)
    assert [path.name for path in found] == names
