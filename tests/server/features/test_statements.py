"""Statements one by one, of all tests and of one."""

from pathlib import Path
from typing import Any

from tests.server.client import Client
from tests.server.conftest import CONFIGURATION, SHOP, measure, write

QUIET = (
    "covls/status",
    "covls/didChangeCoverage",
    "$/progress",
    "textDocument/publishDiagnostics",
)


async def statements(client: Client, uri: str, test: str | None = None) -> Any:
    params: dict[str, Any] = {"textDocument": {"uri": uri}}
    return await client.request("covls/statements", params | ({"test": test} if test else {}))


def ran(found: Any) -> list[int]:
    """The first lines of those that ran, from 1."""
    return [each["startLine"] + 1 for each in found if each["ran"]]


async def test_of_all_tests_and_of_one(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    await minimal.start(shop)
    uri = minimal.open(shop / "shop.py")
    found = await statements(minimal, uri)
    summary = (await minimal.coverage(uri))["summary"]
    assert len(found) == summary["statements"]
    assert sum(not each["ran"] for each in found) == summary["missing"]
    assert sum(each["branches"] for each in found) == summary["branches"]
    assert sum(each["missedBranches"] for each in found) == summary["missingBranches"]
    assert ran(found) == [4, 5, 6, 7, 10, 11, 13, 16, 23, 24, 27]

    assert ran(await statements(minimal, uri, "test_shop.py::test_discount")) == [5, 6, 7]
    assert ran(await statements(minimal, uri, "test_shop.py::gone")) == []
    # On the text that is on screen: the line that was edited is left out.
    minimal.change(uri, "\n" + SHOP.replace("amount * 9", "amount * 8"))
    assert ran(await statements(minimal, uri, "test_shop.py::test_discount")) == [6, 8]
    await minimal.end()


async def test_null_where_nothing_is_known(minimal: Client, tmp_path: Path) -> None:
    project = write(tmp_path / "p", a__py="a = 1\n", b__py="b = 1\n")
    (project / ".coveragerc").write_text(CONFIGURATION)
    measure(project, "coverage", "run", "a.py")
    minimal.ignore(*QUIET)
    await minimal.start(project)
    uri = minimal.open(project / "a.py")
    assert ran(await statements(minimal, uri)) == [1]
    assert await statements(minimal, uri, "test_a") is None
    assert await statements(minimal, minimal.open(project / "b.py")) is None
    assert await statements(minimal, "untitled:a") is None
    await minimal.end()
